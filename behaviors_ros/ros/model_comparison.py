"""A candidate model against another one: the same agents, the same drives, the gates; and what may be promoted."""

from __future__ import annotations

import json
import math
from itertools import islice
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from behaviors_ros import registry
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.evaluation import folder as runs
from behaviors_ros.evaluation.compare import compare as compare_runs
from behaviors_ros.evaluation.options import Options
from behaviors_ros.evaluation.prediction_rows import BASELINES, measured, rows_of
from behaviors_ros.evaluation.promotion import Gates, Verdict, closed_loop, open_loop
from behaviors_ros.evaluation.sets import data_folder, find
from behaviors_ros.evaluation.workers import evaluated
from behaviors_ros.learning.prediction_test import cases_of, protocol_of, recordings_of
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction import models
from behaviors_ros.prediction.interface import Predictor
from behaviors_ros.prediction.model_contract import sha256
from behaviors_ros.ros.bag_recordings import read_bags
from behaviors_ros.ros.cli.figures import progress

Row = dict[str, Any]


def predictor_of(name: str, folder: Path, max_agents: int = 300) -> Predictor:
    """A model by name or file as predictor, or another predictor by its name."""
    if name in registry.names("predictor") and name != "learned":
        made: Predictor = registry.create("predictor", name, {}, Vehicle())
        return made
    values = {"model": str(models.find(folder, name)), "max_agents": max_agents}
    made = registry.create("predictor", "learned", values, Vehicle())
    return made


def compared(asked: Gates, rows_a: Any, rows_b: Any, run_a: Path | None, run_b: Path | None) -> dict[str, Any]:
    """Verdicts of all gates; without runs those of the drives are left out, and nothing can be promoted by it."""
    verdicts: list[Verdict] = open_loop(asked, rows_a, rows_b)
    differences: list[Row] = []
    if run_a is not None and run_b is not None:
        found = compare_runs(runs.read(run_a), runs.read(run_b))
        verdicts += closed_loop(asked, found)
        differences = list(found.json()["differences"])
    return {
        "gates": [vars(verdict) | {"a": _finite(verdict.a), "b": _finite(verdict.b)} for verdict in verdicts],
        "differences": differences,
        "closed_loop": run_a is not None, "passed": all(verdict.passed for verdict in verdicts),
    }  # fmt: skip


def _finite(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None


def checksum_of(name: str, folder: Path) -> str:
    """Checksum of a model's file, empty for another predictor."""
    known = name in registry.names("predictor")
    return "" if known else sha256(models.find(folder, name).read_bytes())


def tested(predictors: dict[str, Predictor], on: Path, limit: int | None) -> list[Row]:
    """The rows of `behaviors test` of both on the same agents."""
    protocol = protocol_of(on)
    recordings = recordings_of(on, (), (), None, {"rosbag2": read_bags}, "eth")
    cases = islice(cases_of(recordings, protocol.grid, protocol.windows), limit)
    with progress(TextColumn("{task.description}")) as bar:
        task = bar.add_task("reading")
        found = measured(
            predictors, cases, protocol.grid, protocol.judging, lambda text: bar.update(task, description=text)
        )
    return rows_of(found, protocol.judging)


def kept_rows(name: str, folder: Path, file: Path | None) -> list[Row]:
    """Open loop figures of a model: of a file, or those kept beside it; baselines in them are left out."""
    if file is None:
        physics = name in registry.names("predictor")
        return [] if physics else models.entry(models.find(folder, name)).metrics
    try:
        rows = json.loads(file.read_text())
        known = {row["predictor"] for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(file, "rows", "cannot be read", "give the file of `behaviors test --json`") from None
    meant = {name} if name in known else known - set(BASELINES)
    if len(meant) != 1:
        problem = f"holds no figures of {name}, but of {', '.join(sorted(known))}"
        raise InputError(file, "predictor", problem, "test the model alone")
    return [row for row in rows if row["predictor"] in meant]


def driven(name: str, folder: Path, set_name: str, limit: int | None, workers: int, path: Path) -> Path:
    """A run of the set with a model, or with another predictor by its name."""
    physics = name in registry.names("predictor") and name != "learned"
    tree = {} if physics else {"learned": {"model": str(models.find(folder, name).resolve())}}
    options = Options(predictor=name if physics else "learned", configuration=tree)
    cases = find(set_name, data_folder(None), options.seed)[:limit]
    runs.begin(path, set_name, options, cases, runs.command_line())
    with progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()) as bar:
        task = bar.add_task(f"driving with {name}", total=len(cases))
        for result in evaluated(list(cases), options, workers, None):
            runs.add(path, result.row, result.arrays)
            bar.update(task, advance=1)
    return path


def require_passed(comparison: Path | None, path: Path, active: str) -> None:
    """Raise unless the comparison is of this file with the active model, has both loops, and all gates are passed."""
    if comparison is None:
        raise BehaviorsError("models promote: give --comparison, the JSON of `behaviors models compare`, or --first")
    try:
        tree = json.loads(comparison.read_text())
        of, against = Path(tree["b"]).stem, Path(tree["a"]).stem
        both, passed, same = bool(tree["closed_loop"]), bool(tree["passed"]), tree["model_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(comparison, "comparison", "cannot be read", "give the JSON of `models compare`") from None
    if of != path.stem or (active and against != active):
        problem = f"compares {of} with {against}, not {path.stem} with {active}"
        raise InputError(comparison, "comparison", problem, "compare the candidate with the active model")
    if same != sha256(path.read_bytes()):
        raise InputError(comparison, "model_sha256", f"is not that of {path}", "compare the model that there is now")
    if not both:
        raise InputError(comparison, "closed_loop", "was not compared", "compare with --closed SET")
    if not passed:
        missed = [verdict["gate"] for verdict in tree["gates"] if not verdict["passed"]]
        raise InputError(comparison, "gates", f"not passed: {'; '.join(missed)}", "the active model stays")
