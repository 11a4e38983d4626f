"""A folder of models: NAME.onnx with its contract NAME.json, its card NAME.md, figures NAME.metrics.json; and which of
them is active, in active.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.prediction.model_contract import Contract, contract_path, read_contract, read_model

SHIPPED = Path(__file__).parent / "models"
ACTIVE = "active.json"


@dataclass(frozen=True)
class Entry:
    """A model of a folder. problem: why it cannot be used, empty when it can; contract None where it cannot be read."""

    name: str
    path: Path
    active: bool
    contract: Contract | None
    problem: str

    @property
    def card(self) -> str:
        """The model's card, empty without one."""
        file = self.path.with_suffix(".md")
        return file.read_text() if file.is_file() else ""

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """Rows of figures that are kept beside the model."""
        file = self.path.with_suffix(".metrics.json")
        try:
            rows = json.loads(file.read_text()) if file.is_file() else []
        except ValueError:
            rows = None
        if not isinstance(rows, list):
            raise InputError(file, "figures", "are no list in JSON", "write them with `behaviors test --json`")
        return rows


def model_file(text: str) -> Path:
    """The model file that a parameter names: a file, the active one of a folder, or, empty, the shipped one."""
    path = Path(text) if text else SHIPPED
    if path.suffix == ".onnx":
        return path
    if not (path / ACTIVE).is_file():
        problem = "no model is shipped with this package" if not text else "holds no active model"
        raise InputError(path, "model", problem, "give a file NAME.onnx, or `behaviors models promote` one")
    return path / f"{active_name(path)}.onnx"


def active_name(folder: Path) -> str:
    """Name of the active model of a folder, empty without one."""
    try:
        tree = json.loads((folder / ACTIVE).read_text())
        return str(tree["name"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(folder / ACTIVE, "name", "cannot be read", "promote a model anew") from None


def entries(folder: Path) -> list[Entry]:
    """All models of a folder, by name; those that cannot be used as well."""
    if not folder.is_dir() and folder != SHIPPED:
        raise InputError(folder, "models", "is no folder", "give the folder of NAME.onnx and NAME.json")
    active = active_name(folder)
    return [entry(path, path.stem == active) for path in sorted(folder.glob("*.onnx"))]


def entry(path: Path, active: bool = False) -> Entry:
    """One model, held to its contract."""
    contract, problem = None, ""
    try:
        contract = read_contract(contract_path(path))
        read_model(path)
    except BehaviorsError as error:
        problem = str(error)
    return Entry(path.stem, path, active, contract, problem)


def find(folder: Path, name: str) -> Path:
    """The file of a model named by its path, or by its name in the folder."""
    path = Path(name) if name.endswith(".onnx") else folder / f"{name}.onnx"
    if not path.is_file():
        known = ", ".join(each.stem for each in sorted(folder.glob("*.onnx"))) or "none"
        raise InputError(path, "model", "is not there", f"known in {folder}: {known}")
    return path


def promote(folder: Path, name: str, record: Mapping[str, Any]) -> None:
    """Make a model of the folder the active one; `record`: why it may be, kept with the name of the one before."""
    path = find(folder, name)
    if path.parent.resolve() != folder.resolve():
        raise InputError(path, "model", f"is not in {folder}", "copy NAME.onnx and NAME.json there first")
    contract = read_model(path).contract
    tree = {"name": path.stem, "model_sha256": contract.model_sha256, "before": active_name(folder), **record}
    new = folder / f"{ACTIVE}.new"
    new.write_text(json.dumps(tree, indent=1) + "\n")
    new.replace(folder / ACTIVE)
