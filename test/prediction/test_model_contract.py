"""Models that must be refused before driving, each with one clear line."""

import json
import sys

import numpy as np
import pytest
from tiny_model import tiny_model

import behaviors_ros.prediction.interface  # noqa: F401
from behaviors_ros import registry
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction import models
from behaviors_ros.prediction.model_contract import read_model, sha256


def create(path, **values):
    return registry.create("predictor", "learned", {"model": str(path), **values}, Vehicle())


def rewritten(path, **changes):
    """The contract with some fields changed."""
    file = path.with_suffix(".json")
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return path


def test_a_good_model_is_taken(tmp_path):
    made = create(tiny_model(tmp_path))
    assert made.provider == "CPUExecutionProvider" and made.contract.name == "tiny"


def test_inputs_that_do_not_fit_are_told_in_words(tmp_path):
    session = create(tiny_model(tmp_path))._session
    assert isinstance(session.run({}), str)
    arrays = {name: np.zeros((3, *shape), np.float32) for name, shape in session.model.contract.features.shapes.items()}
    assert session.run(arrays)["probability"].shape == (3, session.model.contract.features.modes)
    assert isinstance(session.run(arrays | {"agent": np.zeros((2, 2), np.float32)}), str)


def test_a_damaged_file(tmp_path):
    path = tiny_model(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="checksum"):
        create(path)


def test_another_model_under_the_name(tmp_path):
    path, other = tiny_model(tmp_path, "one", seed=0), tiny_model(tmp_path, "two", seed=1)
    path.write_bytes(other.read_bytes())
    with pytest.raises(InputError, match="another model"):
        create(path)


def test_no_model_but_the_right_checksum(tmp_path):
    path = tiny_model(tmp_path)
    path.write_bytes(b"not a graph")
    rewritten(path, model_sha256=sha256(b"not a graph"))
    with pytest.raises(InputError, match="cannot be loaded"):
        create(path)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"format": 2}, "format"),
        ({"kinds": ["UNICORN"]}, "UNICORN"),
        ({"surprise": 1}, "surprise"),
        ({"outputs": []}, "'probability' is absent"),
        ({"model_sha256": ""}, "checksum"),
    ],
)
def test_a_wrong_contract(tmp_path, change, match):
    path = rewritten(tiny_model(tmp_path), **change)
    with pytest.raises(InputError, match=match):
        create(path)


def test_a_contract_for_other_features(tmp_path):
    path = tiny_model(tmp_path)
    tree = json.loads(path.with_suffix(".json").read_text())
    rewritten(path, features=tree["features"] | {"version": tree["features"]["version"] + 1})
    with pytest.raises(InputError, match=r"features\.version"):
        create(path)


def test_a_graph_that_is_not_the_contracts(tmp_path):
    path = tiny_model(tmp_path)
    tree = json.loads(path.with_suffix(".json").read_text())
    tree["inputs"][0]["shape"] = [3, 3]
    rewritten(path, inputs=tree["inputs"])
    with pytest.raises(InputError, match="inputs"):
        create(path)
    # With contract and schema agreeing on more past than the graph takes, it is the graph that tells.
    more = tree["features"]["past_steps"] + 1
    for tensor in tree["inputs"]:
        tensor["shape"] = {"past": [more, 2], "past_valid": [more]}.get(tensor["name"], tensor["shape"])
    tree["inputs"][0]["shape"] = json.loads(tiny_model(tmp_path, "other").with_suffix(".json").read_text())["inputs"][
        0
    ]["shape"]
    tree["inputs"] = [t | {"shape": [t["shape"][0], more]} if t["name"] == "path_past" else t for t in tree["inputs"]]
    rewritten(path, inputs=tree["inputs"], features=tree["features"] | {"past_steps": more})
    with pytest.raises(InputError, match="'past' is"):
        create(path)


@pytest.mark.parametrize("text", ["", "[1]", "{", "{}"])
def test_a_broken_contract(tmp_path, text):
    path = tiny_model(tmp_path)
    path.with_suffix(".json").write_text(text)
    with pytest.raises(InputError):
        create(path)


def test_files_that_are_not_there(tmp_path):
    path = tiny_model(tmp_path)
    path.with_suffix(".json").unlink()
    with pytest.raises(InputError, match="contract NAME.json"):
        create(path)
    with pytest.raises(InputError):
        read_model(tmp_path / "nothing.onnx")
    with pytest.raises(InputError, match="active"):
        create(tmp_path)


def test_a_provider_that_is_not_there(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in runtime.get_available_providers():
        pytest.skip("this machine has CUDA")
    with pytest.raises(BehaviorsError, match="CUDAExecutionProvider"):
        create(tiny_model(tmp_path), provider="cuda")
    with pytest.raises(InputError, match="provider"):
        create(tiny_model(tmp_path), provider="abacus")


def test_a_provider_that_does_not_start_is_not_replaced(tmp_path, monkeypatch):
    runtime = pytest.importorskip("onnxruntime")
    path = tiny_model(tmp_path)
    # As onnxruntime does where a library of CUDA is missing: it is listed, and the session runs on the CPU.
    monkeypatch.setattr(runtime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    with pytest.raises(BehaviorsError, match="could not be started, CPUExecutionProvider would run"):
        create(path, provider="cuda")


def test_without_onnxruntime(tmp_path, monkeypatch):
    path = tiny_model(tmp_path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BehaviorsError, match=r"behaviors_ros\[cpu\]"):
        create(path)


def test_a_folder_of_models(tmp_path):
    first, second = tiny_model(tmp_path, "first", seed=0), tiny_model(tmp_path, "second", seed=1)
    models.promote(tmp_path, "first", {"promoted": "2026-01-01"})
    models.promote(tmp_path, "second", {})
    assert models.model_file(str(tmp_path)) == second and models.active_name(tmp_path) == "second"
    assert json.loads((tmp_path / "active.json").read_text())["before"] == "first"
    first.write_bytes(b"x")
    found = models.entries(tmp_path)
    assert [(entry.name, entry.active, bool(entry.problem)) for entry in found] == [
        ("first", False, True), ("second", True, False)]  # fmt: skip
    with pytest.raises(InputError, match="checksum"):
        models.promote(tmp_path, "first", {})
    with pytest.raises(InputError, match="known in"):
        models.find(tmp_path, "third")
    (tmp_path / "active.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        models.active_name(tmp_path)
