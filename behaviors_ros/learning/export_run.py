"""A run of `behaviors train` as a model for the car: the graph, its contract filled from the run, and a card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from behaviors_ros.datatypes import Array
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.bench_predict import scenes
from behaviors_ros.learning.data_recording import Origin
from behaviors_ros.learning.data_split import place_of, split_of
from behaviors_ros.learning.data_store import MANIFEST, checksum, read_manifest
from behaviors_ros.learning.export import Exporting, export
from behaviors_ros.learning.train import SUMMARY, load_run
from behaviors_ros.learning.train_data import Material
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.learned_features import FeatureSchema, features
from behaviors_ros.prediction.model_contract import Contract
from behaviors_ros.simulation.scenario import DEMO, load_scenario


def export_run(
    run: Path, path: Path, made: str, commands: Sequence[str] = (), kinds: Sequence[str] = (), data: Path | None = None,
    values: Exporting | None = None,
) -> Contract:  # fmt: skip
    """Write NAME.onnx, NAME.json and NAME.md at `path`. made: the day; commands: that lead to it, for the contract.

    kinds: classes that it answers for, else those of the run's summary. data: the built data, else where the run says.
    """
    answer, config = load_run(run)
    summary = _summary(run)
    folder = data or Path(config.material.folder)
    about: dict[str, Any] = {
        "kinds": list(kinds or summary["kinds"]), "made": made, "calibration": summary["calibration"],
        "metrics": {"val": summary["val"], "agents": summary["agents"]}, "data": sources(folder, config.material),
        "data_sha256": checksum(folder / MANIFEST), "commands": list(commands),
    }  # fmt: skip
    contract = export(answer, config.features, examples(config.features), path, about, values)
    path.with_suffix(".md").write_text(card(contract))
    return contract


def _summary(run: Path) -> dict[str, Any]:
    try:
        tree = json.loads((run / SUMMARY).read_text())
        return {name: tree[name] for name in ("kinds", "calibration", "val", "agents")}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(run / SUMMARY, "summary", "cannot be read", "give a folder of `behaviors train`") from None


def sources(folder: Path, material: Material) -> list[dict[str, Any]]:
    """What a training on built data learns and is calibrated from: name and location, licence, whether it may ship."""
    found = {}
    for entry in read_manifest(folder)["recordings"]:
        origin = Origin(entry["source"], entry["name"], entry["location"], entry["licence"], bool(entry["may_ship"]))
        split = entry["split"] if material.own_splits else split_of(origin, material.splitting)
        if split in ("train", "val") and any(fnmatch(place_of(origin), pattern) for pattern in material.sources):
            name = f"{origin.source}/{origin.location}"
            source = {"name": name, "licence": origin.licence, "may_ship": origin.may_ship}
            found[tuple(source.values())] = source
    return list(found.values())


def examples(schema: FeatureSchema, most: int = 64) -> list[dict[str, Array]]:
    """Features of agents on the embedded map, several to begin with, then one, then many."""
    found = []
    for agents, scene in zip((16, 1, most), scenes(load_scenario(DEMO), most, 1), strict=False):
        found.append(features(scene, np.arange(agents), schema, Vehicle()).arrays)
    return found


def card(contract: Contract) -> str:
    """The model's card: what it is for, what it was made of, what was measured, what it must not be used for."""
    data = [f"| {s.name} | {s.licence} | {'yes' if s.may_ship else 'NO'} |" for s in contract.data]
    val = contract.metrics.get("val", {})
    names = list(dict.fromkeys(name for row in val.values() for name in row))
    figures = [
        f"| {time_s} s | {' | '.join(str(row.get(name, '')) for name in names)} |" for time_s, row in val.items()
    ]
    schema = contract.features
    return "\n".join([
        f"# {contract.name}", "",
        f"Futures of {', '.join(contract.kinds).lower()} over {schema.future_steps * schema.future_dt_s:g} s in "
        f"{schema.modes} modes with covariance. Made {contract.made}; {contract.model_bytes} bytes; SHA-256 "
        f"`{contract.model_sha256}`. It is run by `predictor: learned`; other classes are left to physics.", "",
        "## Data", "", "| source | licence | weights may be handed on |", "|---|---|---|", *data, "",
        f"Hash of the data {contract.data_sha256[:12]}, of the code {contract.code_sha256[:12]}.", "",
        "## Held-out figures", "", f"| after | {' | '.join(names)} |", f"|---{'|---' * len(names)}|", *figures, "",
        f"torch and onnxruntime differ by {contract.parity_m:.1g} m at most.", "",
        "## Commands", "", *(f"    {command}" for command in contract.commands), "",
        "## Limits", "",
        "Places, weather, tracker noise and manners unlike the data above were not measured. An answer that is not "
        "plausible is replaced by physics for its agent.", "",
    ])  # fmt: skip
