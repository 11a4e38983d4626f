"""YAML files that are wrong in one way each: one `InputError` of one line that names the file."""

import pytest

from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Vehicle, validated
from behaviors_ros.yaml_files import read_mapping

LAUGHS = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]\n" for i in range(1, 12)
)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: [", "line 1"), (b"- 1", "is not a mapping"), (b"a: 2001-13-99", "is not YAML"),
        (b"a: \xff\xfe", "not YAML"),
        (b"\x00", "is not YAML"), (b"1: x", "1: is no text"), (b"a: {2: x}", "2: is no text"),
        (b"a: " + b"[" * 3000 + b"]" * 3000, "nested too deeply"),
        (b"a: " + b"[" * 99 + b"]" * 99, "nested too deeply"),
        (LAUGHS.encode(), "expands to too much"), (b"a: &a [*a]", "nested too deeply"),
        (b"a: !!python/object:os.system {}", "is not YAML"), (b"a: " + b"x" * 9_000_000, "larger than 8 MB"),
    ],
)  # fmt: skip
def test_refused(content, says, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says) as refused:
        read_mapping(path, "give another")
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_read(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text("a: &a {b: [1, 2]}\nc: *a\n")
    assert read_mapping(path, "") == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}
    path.write_text("# nothing\n")
    assert read_mapping(path, "") == {}
    with pytest.raises(InputError, match="cannot be read"):
        read_mapping(tmp_path, "")


def test_a_key_that_is_no_text_and_a_value_without_end_are_one_short_line():
    with pytest.raises(InputError, match="1: is no name"):
        validated(Vehicle, {1: 2.0}, "a.yaml")
    with pytest.raises(InputError) as refused:
        validated(Vehicle, {"length_m": "x\n" * 5000}, "a.yaml")
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 1000
