"""The prediction node with a learned model: what it says on /diagnostics, and what it says of a model it cannot use."""

import pytest
from harness import Harness
from tiny_model import tiny_model


def arguments(**values):
    return [word for name, text in values.items() for word in ("-p", f"{name.replace('__', '.')}:={text}")]


def values(harness):
    """The latest diagnostics as text by name, and the messages that were shown."""
    found, messages = {}, set()
    for message in harness.heard["diagnostics"]:
        for status in message.status:
            messages.add(status.message)
            found |= {value.key: value.value for value in status.values}
    return found, messages


@pytest.mark.timeout(300)
def test_a_model_in_the_node_with_a_shadow_beside(tmp_path):
    given = arguments(
        predictor="learned", learned__model=tiny_model(tmp_path, "active", fault="nan"), learned__max_agents=3,
        shadow__model=tiny_model(tmp_path, "candidate", seed=1),
    )  # fmt: skip
    with Harness("prediction", *given) as harness:
        harness.until(lambda: len(harness.heard["predictions"]) > 3, act=harness.feed)
        message = harness.heard["predictions"][-1]
        # The warm scene has five agents of five classes, all of which the model answers for: two are beyond three.
        assert message.predictor == "learned" and len(message.model_hash) == 64 and message.num_objects == 5
        harness.until(lambda: int(values(harness)[0].get("shadow scenes", "0")) > 0, act=harness.feed)
        found, _ = values(harness)
        assert int(found["agents by physics: beyond max_agents"]) >= 2
        assert "shadow all at 6 s" in found and found["shadow failures"] == "0"


def test_a_swapped_model_is_one_clear_line(tmp_path):
    path = tiny_model(tmp_path)
    path.write_bytes(tiny_model(tmp_path / "other", seed=1).read_bytes())
    with Harness("prediction", *arguments(predictor="learned", learned__model=path)) as harness:
        assert harness.process.wait(60.0) == 2
        said = harness.process.stdout.read()
        assert "checksum" in said and "Traceback" not in said


def test_an_answer_that_cannot_be_used_is_a_warning(tmp_path):
    model = tiny_model(tmp_path, fault="sum")
    with Harness("prediction", *arguments(predictor="learned", learned__model=model)) as harness:
        harness.until(lambda: harness.heard["predictions"], act=harness.feed)
        message = harness.heard["predictions"][-1]
        # By physics, without a model: bit 4 of the degraded modes.
        assert message.degraded & 4 and message.model_hash == "" and message.num_modes >= 1
        harness.until(lambda: any("cannot be used" in text for text in values(harness)[1]), act=harness.feed)
