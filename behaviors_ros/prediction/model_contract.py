"""The contract of a learned model: what goes in and out, what it was made of, and that the file is the one meant.

A model is two files: `NAME.onnx`, and `NAME.json`, its contract. `read_model` holds the contract to this code, and the
bytes of the model to the contract, before anything is run.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from behaviors_ros.datatypes import AgentClass
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, validated, value
from behaviors_ros.prediction.learned_features import FeatureSchema

AGENT = "agent"


class Tensor(Parameters):
    """One input or output of a model: float32, the first axis is the agents."""

    name: str = value("", "its name in the graph")
    shape: tuple[int, ...] = value((), "its axes after the agents'")
    unit: str = value("", "unit of its numbers")
    meaning: str = value("", "what it holds, and in which frame")


class Source(Parameters):
    """Data that a model was trained on."""

    name: str = value("", "name of the source")
    licence: str = value("", "its licence")
    may_ship: bool = value(False, "whether weights trained on it may be handed on")


class Contract(Parameters):
    """What a model promises. Normalisation and calibration lie in the graph; here they can be read."""

    format: Literal[1] = value(1, "version of this form")
    name: str = value("", "name of the model")
    made: str = value("", "day of its export, ISO 8601")
    model_sha256: str = value("", "checksum of the model file")
    model_bytes: int = value(0, "size of the model file", low=0)
    features: FeatureSchema = Field(description="what the model is shown, and the steps and modes of its answer")
    inputs: tuple[Tensor, ...] = value((), "what the model is given")
    outputs: tuple[Tensor, ...] = value((), "what the model answers")
    kinds: tuple[str, ...] = value((), "classes of road users that it answers for; the others are left to physics")
    normalisation: dict[str, tuple[float, ...]] = value({}, "scales of the inputs, by name")
    calibration: dict[str, Any] = value({}, "what was fitted on held-out data")
    data: tuple[Source, ...] = value((), "what it was trained on")
    data_sha256: str = value("", "hash of the training data")
    code_sha256: str = value("", "hash of the code that makes the features and the model")
    commands: tuple[str, ...] = value((), "commands that made it")
    parity_m: float = value(0.0, "largest difference between torch and onnxruntime at export, m", low=0.0)
    metrics: dict[str, Any] = value({}, "figures measured when it was made")

    @property
    def classes(self) -> tuple[AgentClass, ...]:
        """The classes that the model answers for."""
        return tuple(AgentClass[name] for name in self.kinds)


@dataclass(frozen=True, eq=False)
class Model:
    """A model that has been held to its contract."""

    path: Path
    contract: Contract
    data: bytes


def output_tensors(schema: FeatureSchema) -> tuple[Tensor, ...]:
    """What a model answers, in the agent's frame: origin at its position, x along its heading."""
    modes, steps = schema.modes, schema.future_steps
    return (
        Tensor(name="probability", shape=(modes,), unit="1", meaning="of the modes, sums to 1"),
        Tensor(name="position", shape=(modes, steps, 2), unit="m", meaning="at future_dt_s, 2 future_dt_s, ..."),
        Tensor(
            name="spread", shape=(modes, steps, 3), unit="log m, log m, 1",
            meaning="log standard deviation along and across the mode's motion, inverse hyperbolic tangent of their "
            "correlation",
        ),
        Tensor(name="single", shape=(steps, 2), unit="m", meaning="the one answer where one is asked for"),
    )  # fmt: skip


def contract_path(model: Path) -> Path:
    """Where the contract of a model file is."""
    return model.with_suffix(".json")


def sha256(data: bytes) -> str:
    """Checksum, lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_model(path: Path) -> Model:
    """A model and its contract; what is missing, broken, of another form or not the model meant raises InputError."""
    contract = read_contract(contract_path(path))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(path, "model", f"cannot be read ({error.strerror})", "give a model file NAME.onnx") from None
    if sha256(data) != contract.model_sha256:
        problem = f"its checksum {sha256(data)[:12]} is not the contract's {contract.model_sha256[:12] or '(none)'}"
        raise InputError(path, "model", problem, "the file is damaged or another model: export or copy both files anew")
    return Model(path, contract, data)


def read_contract(path: Path) -> Contract:
    """A contract of a form, with outputs and classes, that this code knows."""
    try:
        tree = json.loads(path.read_text())
    except OSError as error:
        problem, remedy = f"cannot be read ({error.strerror})", "a model needs its contract NAME.json beside it"
        raise InputError(path, "contract", problem, remedy) from None
    except (ValueError, RecursionError) as error:
        raise InputError(path, "contract", f"is not JSON ({error})", "export or copy it anew") from None
    if not isinstance(tree, dict):
        raise InputError(path, "contract", "is not a mapping", "export or copy it anew")
    contract = validated(Contract, tree, str(path))
    for name in contract.kinds:
        if name not in AgentClass.__members__:
            known = ", ".join(AgentClass.__members__)
            raise InputError(path, "kinds", f"'{name}' is no class of road users", f"known: {known}")
    ours = FeatureSchema.model_fields["version"].default
    if contract.features.version != ours:
        problem = f"version {contract.features.version} of the features; this code makes {ours}"
        raise InputError(path, "features.version", problem, "export the model with this version of the package")
    # A model need not look at all that there is to see.
    wanted = contract.features.shapes
    needed = {tensor.name for tensor in contract.inputs} or set(wanted)
    inputs = {name: shape for name, shape in wanted.items() if name in needed}
    require_tensors(path, "inputs", shapes(contract.inputs), inputs)
    require_tensors(path, "outputs", shapes(contract.outputs), shapes(output_tensors(contract.features)))
    return contract


def shapes(tensors: tuple[Tensor, ...]) -> dict[str, tuple[int, ...]]:
    """Axes after the agents', by name."""
    return {tensor.name: tensor.shape for tensor in tensors}


def require_tensors(
    source: object, field: str, found: dict[str, tuple[int, ...]], wanted: dict[str, tuple[int, ...]]
) -> None:
    """Raise InputError unless two sets of tensors have the same names and shapes."""
    for name in (*wanted, *found):
        if found.get(name) != wanted.get(name):
            problem = f"'{name}' is {_axes(found.get(name))}, not {_axes(wanted.get(name))}"
            raise InputError(source, field, problem, "export the model with this version of the package")


def _axes(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else f"({', '.join([AGENT, *map(str, shape)])})"
