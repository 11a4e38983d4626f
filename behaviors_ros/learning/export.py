"""A trained torch model as NAME.onnx with its contract NAME.json, and the proof that both say the same.

The model is a torch module from the arrays of `prediction.learned_features` by name to the answers of the contract by
name. Normalisation and calibration belong into the module, so that they are in the graph.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from behaviors_ros.datatypes import Array
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.parameters import Parameters, validated, value
from behaviors_ros.prediction.inference import Session
from behaviors_ros.prediction.learned_features import FeatureSchema
from behaviors_ros.prediction.model_contract import AGENT, Contract, Model, contract_path, output_tensors, sha256

PACKAGE = Path(__file__).parents[1]
# What decides the meaning of the arrays and of the answers.
CODE = ("prediction/learned_features.py", "prediction/learned_kernels.py", "prediction/learned_paths.py",
        "learning/model.py", "learning/residual.py", "learning/rollout.py")  # fmt: skip

Arrays = Mapping[str, Array]


class Exporting(Parameters):
    """How a model is exported and held to its original."""

    opset: int = value(17, "version of the ONNX operators", low=14, high=23)
    parity_m: float = value(1e-4, "largest difference of a position between torch and onnxruntime", low=0.0, high=1.0)
    parity: float = value(1e-4, "largest difference of a probability or spread", low=0.0, high=1.0)
    bytes_max: int = value(8_000_000, "largest size of the model file", low=1)


class _Ordered(torch.nn.Module):
    """The model with its inputs and answers in an order instead of by name."""

    def __init__(self, model: torch.nn.Module, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        super().__init__()
        self.model, self.inputs, self.outputs = model, tuple(inputs), tuple(outputs)

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The answers in their order."""
        answers = self.model(dict(zip(self.inputs, tensors, strict=True)))
        return tuple(answers[name] for name in self.outputs)


def export(
    model: torch.nn.Module, schema: FeatureSchema, examples: Sequence[Arrays], path: Path, about: Mapping[str, Any],
    values: Exporting | None = None,
) -> Contract:  # fmt: skip
    """Write `path` (NAME.onnx) and its contract; `about`: the contract's other fields (kinds, data, metrics, ...).

    examples: features of scenes, of several numbers of agents; on all of them onnxruntime must say what torch says.
    Raises BehaviorsError, and leaves no file, when the answers differ or the file is too large.
    """
    values = values or Exporting()
    inputs = tuple(getattr(model, "inputs", schema.shapes))
    whole = _Ordered(model.eval().cpu().float(), inputs, [t.name for t in output_tensors(schema)]).eval()
    data = _graph(whole, examples[0], values)
    if len(data) > values.bytes_max:
        raise BehaviorsError(
            f"export: the model has {len(data)} bytes, {values.bytes_max} are allowed; make it smaller"
        )
    contract = validated(Contract, {
        "name": path.stem, "model_sha256": sha256(data), "model_bytes": len(data), "features": schema.model_dump(),
        "inputs": [{"name": name, "shape": shape} for name, shape in schema.shapes.items() if name in inputs],
        "outputs": [tensor.model_dump() for tensor in output_tensors(schema)], "code_sha256": code_sha256(), **about,
    }, "export")  # fmt: skip
    apart = parity(whole, Session(Model(path, contract, data), "cpu", 1), examples)
    for name, limit in {"position": values.parity_m, "single": values.parity_m, "probability": values.parity,
                        "spread": values.parity}.items():  # fmt: skip
        if not apart[name] <= limit:
            raise BehaviorsError(
                f"export: {name} of torch and onnxruntime differ by {apart[name]:g}; {limit:g} is allowed"
            )
    contract = contract.model_copy(update={"parity_m": max(apart["position"], apart["single"])})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    contract_path(path).write_text(json.dumps(contract.model_dump(mode="json"), indent=1) + "\n")
    return contract


def _graph(whole: _Ordered, example: Arrays, values: Exporting) -> bytes:
    """The ONNX graph; the number of agents is free."""
    tensors = tuple(torch.from_numpy(np.asarray(example[name])) for name in whole.inputs)
    if any(len(tensor) < 2 for tensor in tensors):
        raise InputError("export", "examples", "the first has fewer than 2 agents", "give one of several")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        file = Path(folder) / "model.onnx"
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        torch.onnx.export(
            whole, tensors, str(file), input_names=list(whole.inputs), output_names=list(whole.outputs), dynamo=False,
            dynamic_axes={name: {0: AGENT} for name in (*whole.inputs, *whole.outputs)}, opset_version=values.opset,
        )  # fmt: skip
        return file.read_bytes()


def parity(whole: torch.nn.Module, session: Session, examples: Sequence[Arrays]) -> dict[str, float]:
    """Largest difference of each answer between torch and onnxruntime over the examples; infinite where one is NaN."""
    apart: dict[str, float] = {}
    for example in examples:
        with torch.no_grad():
            wanted = whole(*(torch.from_numpy(np.asarray(example[name])) for name in session.inputs))
        found = session.run(dict(example))
        if isinstance(found, str):
            raise BehaviorsError(f"export: onnxruntime does not run the model ({found})")
        for (name, ours), theirs in zip(found.items(), wanted, strict=True):
            worst = float(np.abs(ours - theirs.numpy()).max(initial=0.0))
            apart[name] = max(apart.get(name, 0.0), worst if np.isfinite(worst) else np.inf)
    return apart


def code_sha256() -> str:
    """Hash of the code that decides what the arrays and answers mean."""
    whole = hashlib.sha256()
    for name in CODE:
        file = PACKAGE / name
        whole.update(name.encode() + b"\n" + (file.read_bytes() if file.is_file() else b""))
    return whole.hexdigest()
