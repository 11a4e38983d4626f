"""Makes a tiny model with its contract: constant velocity in a few modes, bent a little by all its inputs.

With `fault`: "nan" and "far" spoil the answer of agents longer than 10 m, "sum" has probabilities of another sum.
"""

import json
import math
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from behaviors_ros.parameters import yaml_tree
from behaviors_ros.prediction.learned_features import AGENT, FeatureSchema
from behaviors_ros.prediction.model_contract import Contract, Tensor, output_tensors, sha256

KINDS = ("CAR", "TRUCK", "BUS", "MOTORCYCLE", "BICYCLE", "PEDESTRIAN", "ANIMAL")


FOLDER = tempfile.TemporaryDirectory()


@cache
def shared_model():
    """One model for all tests that need any; skips where none can be made or run."""
    return tiny_model(Path(FOLDER.name))


def tiny_model(folder, name="tiny", seed=0, fault="", kinds=KINDS, sway=0.2, **contract):
    """NAME.onnx and NAME.json in the folder; the path of the model."""
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    schema = FeatureSchema()
    graph = _graph(onnx, schema, seed, fault, sway)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(data)
    made = Contract(
        name=name, made="2026-01-01", model_sha256=sha256(data), model_bytes=len(data), features=schema, kinds=kinds,
        inputs=tuple(Tensor(name=name, shape=shape) for name, shape in schema.shapes.items()),
        outputs=output_tensors(schema),
    )  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(yaml_tree(made) | contract))
    return folder / f"{name}.onnx"


def _graph(onnx, schema, seed, fault, sway):
    helper, random = onnx.helper, np.random.default_rng(seed)
    modes, steps = schema.modes, schema.future_steps
    time_s = schema.future_dt_s * np.arange(1, steps + 1)
    nodes, constants = [], {}

    def constant(key, values):
        constants[key] = onnx.numpy_helper.from_array(np.asarray(values), key)
        return key

    def node(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    flat = [node("Reshape", [key, constant(f"{key}_flat", np.array([0, -1]))], f"{key}_2d") for key in schema.shapes]
    everything = node("Concat", flat, "everything", axis=1)
    size = sum(math.prod(shape) for shape in schema.shapes.values())
    weight = random.normal(size=(size, modes * steps * 2)).astype(np.float32) / np.sqrt(size)
    bent = node(
        "Tanh", [node("MatMul", [everything, constant("w", (0.05 * weight).astype(np.float32))], "mixed")], "bent"
    )
    bent = node("Reshape", [bent, constant("whole", np.array([0, modes, steps, 2]))], "bent_whole")
    sways = (sway * np.minimum(time_s, 3.0))[None, None, :, None].astype(np.float32)
    bent = node("Mul", [bent, constant("sway", sways)], "swayed")
    speed = node("Slice", _column(constant, "speed"), "speed")
    speed = node("Reshape", [speed, constant("to4", np.array([-1, 1, 1, 1]))], "speed4")
    share = np.linspace(0.8, 1.1, modes)[:, None] * time_s
    ahead = np.stack([share, np.zeros_like(share)], axis=-1)[None].astype(np.float32)
    straight = node("Mul", [speed, constant("ahead", ahead)], "straight")
    position = node("Add", [straight, bent], "sound")
    spoilt = _spoilt(node, constant, fault)
    node("Add" if fault == "nan" else "Mul", [position, spoilt], "position")
    logits = node("ReduceMean", ["swayed"], "logits", axes=[2, 3], keepdims=0)
    node("Softmax" if fault != "sum" else "Exp", [logits], "probability")
    width = np.log(0.2 + 0.3 * time_s)[None, None, :, None] * np.ones((1, modes, 1, 3))
    width[..., 1] -= 0.7
    width[..., 2] = 0.1
    zero = node("Mul", ["bent_whole", constant("zero", np.float32(0.0))], "zeros")
    first = node(
        "Slice",
        [zero, constant("s0", np.array([0])), constant("s1", np.array([1])), constant("s3", np.array([3]))],
        "one",
    )
    node("Add", [first, constant("width", width.astype(np.float32))], "spread")
    only = node(
        "Slice",
        ["position", constant("m0", np.array([0])), constant("m1", np.array([1])), constant("ax1", np.array([1]))],
        "only",
    )
    node("Squeeze", [only, constant("ax", np.array([1]))], "single")
    inputs = [helper.make_tensor_value_info(k, 1, ["agent", *shape]) for k, shape in schema.shapes.items()]
    outputs = [helper.make_tensor_value_info(t.name, 1, ["agent", *t.shape]) for t in output_tensors(schema)]
    return helper.make_graph(nodes, "tiny", inputs, outputs, list(constants.values()))


def _column(constant, name):
    """Where a number of the agent stands in its features: arguments of Slice."""
    at = AGENT.index(name)
    return ["agent", *(constant(f"{name}_{i}", np.array([v])) for i, v in enumerate((at, at + 1, 1)))]


def _spoilt(node, constant, fault):
    """1, or for agents longer than 10 m what spoils the answer."""
    if fault not in ("nan", "far"):
        return constant("one_", np.float32(1.0))
    long = node(
        "Greater", [node("Slice", _column(constant, "length"), "length"), constant("ten", np.float32(10.0))], "long"
    )
    bad, good = (np.nan, 0.0) if fault == "nan" else (1e4, 1.0)
    chosen = node("Where", [long, constant("bad", np.float32(bad)), constant("good", np.float32(good))], "chosen")
    return node("Reshape", [chosen, constant("to4_", np.array([-1, 1, 1, 1]))], "spoilt")
