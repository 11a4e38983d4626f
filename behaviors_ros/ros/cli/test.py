"""`behaviors test`: predictors side by side on recordings."""

from __future__ import annotations

import json as json_module
import math
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.progress import TextColumn

from behaviors_ros import pipeline, registry
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.evaluation.prediction_rows import BASELINES, Case, Judging, Row, measured, rows_of
from behaviors_ros.learning.peer_cases import Answers, with_cases_written
from behaviors_ros.learning.prediction_test import Protocol, cases_of, protocol_of, recordings_of
from behaviors_ros.learning.samples import Windows
from behaviors_ros.parameters import Vehicle, merged, nested, validated
from behaviors_ros.prediction.interface import Predictor
from behaviors_ros.ros.bag_recordings import read_bags
from behaviors_ros.ros.cli.figures import JsonOption, print_table, progress, write_json

COLUMNS = {
    "predictor": "predictor", "s": "horizon_s", "K": "k", "n": "n", "ADE": "minade", "FDE": "minfde",
    "miss": "miss_rate", "NLL": "nll", "50 %": "coverage50", "90 %": "coverage90", "ECE": "ece", "ms": "cpu_ms",
}  # fmt: skip
RUN = "config.json"  # what tells a run's folder
WITH_INTERVAL = ("minfde", "miss_rate")


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("test")(test_predictors)


def test_predictors(
    predictors: Annotated[list[str], typer.Argument(help="Registered predictors, models (NAME.onnx), runs' folders.")],
    on: Annotated[
        Path | None, typer.Option("--on", metavar="FOLDER", help="Built data, recordings, scenarios; else the run's.")
    ] = None,
    split: Annotated[list[str] | None, typer.Option(help="Of built data: train, val, test; test.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="source/location/recording, with *.")
    ] = None,
    horizons: Annotated[str | None, typer.Option(metavar="S,S,...", help="Instants judged, s.")] = None,
    modes: Annotated[str | None, typer.Option(metavar="K,K,...", help="Numbers of modes.")] = None,
    every: Annotated[float | None, typer.Option(metavar="S", help="Time between two samples.")] = None,
    complete: Annotated[float | None, typer.Option(metavar="S", help="Only agents seen on for this long.")] = None,
    fold: Annotated[str, typer.Option(help="eth_ucy: the scene that is tested.")] = "eth",
    data: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where the sources of built data lie.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="NAME.KEY=VALUE", help="Parameters.")] = None,
    baselines: Annotated[bool, typer.Option(help="Constant velocity and lane following, too.")] = True,
    write_cases: Annotated[
        Path | None, typer.Option("--write-cases", metavar="FOLDER", help="Write the scenes for other predictors.")
    ] = None,
    answers: Annotated[
        list[str] | None, typer.Option(metavar="NAME=CASES:ANSWERS", help="Another predictor's answers to them.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first scenes.", min=1)] = None,
    full: Annotated[bool, typer.Option("--full", help="Print classes and standing agents, too.")] = False,
    json: JsonOption = None,
) -> None:
    """Test predictors on recordings: displacement, misses, likelihood, calibration, with bootstrap intervals.

    JSON: a list of rows with `predictor, class, moving, horizon_s, k, n, minade, minfde, miss_rate, nll, coverage50,
    coverage90, ece, cpu_ms` and more (docs/testing.md).
    """
    on, split, only = _where(predictors, on, split or [], only or [])
    protocol = _protocol(on, horizons, modes, every, complete)
    names = list(dict.fromkeys([*(BASELINES if baselines else ()), *predictors]))
    others = {each.name: each for each in map(answers_of, answers or [])}
    made = made_predictors(names, settings or []) | others
    recordings = recordings_of(on, split, only, data, {"rosbag2": read_bags}, fold)
    cases: Iterator[Case] = islice(cases_of(recordings, protocol.grid, protocol.windows), limit)
    cases = with_cases_written(cases, write_cases) if write_cases is not None else cases
    with progress(TextColumn("{task.description}")) as bar:
        task = bar.add_task("reading")
        found = measured(made, cases, protocol.grid, protocol.judging, lambda text: bar.update(task, description=text))
    for name, other in others.items():
        other.timed(found[name])
    rows = rows_of(found, protocol.judging)
    if not rows:
        raise InputError(on, "recordings", "hold no agent with a future", "give longer ones, or shorter --horizons")
    report(on, rows, full)
    write_json(json, [{key: _finite(each) for key, each in row.items()} for row in rows])


def _protocol(
    on: Path, horizons: str | None, modes: str | None, every: float | None, complete: float | None
) -> Protocol:
    """The standard protocol of the data, with what was given in its place."""
    usual = protocol_of(on)
    judging: dict[str, Any] = {}
    if horizons is not None:
        judging["horizons_s"] = _numbers("--horizons", horizons, float)
    if modes is not None:
        judging["modes"] = _numbers("--modes", modes, int)
    windows = {name: given for name, given in (("every_s", every), ("least_future_s", complete)) if given is not None}
    return Protocol(
        usual.dt_s,
        validated(Judging, usual.judging.model_dump() | judging, "test"),
        validated(Windows, usual.windows.model_dump() | windows, "test"),
    )


def _numbers(option: str, text: str, kind: Callable[[str], Any]) -> tuple[Any, ...]:
    try:
        found = tuple(kind(word) for word in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) <= 0 or not all(math.isfinite(number) for number in found):
        raise InputError("test", option, f"is '{text}'", "give numbers above 0 with commas between them")
    return found


def made_predictors(names: list[str], settings: list[str]) -> dict[str, Predictor]:
    """Predictors by their names; a path is a trained model for the predictor `learned`."""
    pipeline.defaults()  # importing the pipeline registers the predictors
    values = _settings(settings)
    made: dict[str, Predictor] = {}
    for name in names:
        path = Path(name)
        if name in registry.names("predictor"):
            made[name] = registry.create("predictor", name, values.get(name, {}), Vehicle())
        elif path.exists():
            given = merged(values.get("learned", {}), {"model": str(model_of(path))})
            made[name] = registry.create("predictor", "learned", given, Vehicle())
        else:
            known = ", ".join(registry.names("predictor"))
            raise InputError("test", name, "is neither a predictor nor a file", f"known: {known}; or a model NAME.onnx")
    return made


def answers_of(text: str) -> Answers:
    """NAME=CASES:ANSWERS as a predictor."""
    name, equals, folders = text.partition("=")
    cases, colon, answers = folders.partition(":")
    if not (name and equals and colon):
        raise InputError("test", "--answers", f"is '{text}'", "give NAME=CASES:ANSWERS")
    return Answers(name, Path(cases), Path(answers))


def model_of(path: Path) -> Path:
    """The model of a run's folder, exported when it has none yet; a folder of models or a file as it is."""
    if not (path / RUN).is_file():
        return path
    found = sorted(path.glob("*.onnx"))
    if len(found) > 1:
        raise InputError(path, "*.onnx", f"there are {len(found)}", "name one of them")
    if not found:
        try:
            from behaviors_ros.learning.export_run import export_run
        except ImportError as error:
            raise BehaviorsError(f"{path}: needs torch, onnx ({error}); pip install behaviors_ros[learning]") from None
        export_run(path, path / "model.onnx", datetime.now(timezone.utc).date().isoformat())
    return found[0] if found else path / "model.onnx"


def _where(
    predictors: list[str], on: Path | None, split: list[str], only: list[str]
) -> tuple[Path, list[str], list[str]]:
    """What is tested on: what was given, else what the first run was kept from."""
    if on is not None:
        return on, split, only
    run = next((Path(name) / RUN for name in predictors if (Path(name) / RUN).is_file()), None)
    if run is None:
        raise InputError("test", "--on", "is missing", "give built data, or a folder of recordings or scenarios")
    try:
        material = json_module.loads(run.read_text())["material"]
        folder, own, held = Path(material["folder"]), material["own_splits"], material["splitting"]["test"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(run, "material", "cannot be read", "give --on FOLDER") from None
    if own:
        return folder, split, only
    return folder, split or ["train", "val", "test"], only or list(held)


def _settings(texts: list[str]) -> dict[str, Any]:
    """name.key=value as a tree."""
    tree: dict[str, Any] = {}
    for text in texts:
        key, equals, leaf = text.partition("=")
        if not equals or "." not in key:
            raise InputError("test", "--set", f"is '{text}'", "give NAME.KEY=VALUE")
        try:
            tree = merged(tree, nested({key: yaml.safe_load(leaf)}))
        except yaml.YAMLError:
            raise InputError("test", "--set", f"is '{text}'", "give NAME.KEY=VALUE") from None
    return tree


def report(on: Path, rows: list[Row], full: bool) -> None:
    """Print everything, or all agents together and, at the last horizon, those that move; a table a group."""
    last = max(row["horizon_s"] for row in rows)
    counts = sorted({row["k"] for row in rows})
    fewer = {k: max((other for other in counts if other < k), default=0) for k in counts}
    groups: dict[str, list[Row]] = {}
    for row in rows:
        # More modes than a predictor has tell nothing new.
        if full or (_told(row, last) and fewer[row["k"]] < row["modes"]):
            which = row["class"] if row["moving"] == "all" else f"{row['class']}, {row['moving']}"
            groups.setdefault(which, []).append(row)
    for which, group in groups.items():
        group.sort(key=lambda row: (row["horizon_s"], row["k"]))
        cells = [tuple(_cell(row, key) for key in COLUMNS.values()) for row in group]
        print_table(f"{on}: {which}", tuple(COLUMNS), cells)


def _told(row: Row, last: float) -> bool:
    moving = row["moving"] == "all" or (row["moving"] == "moving" and row["horizon_s"] == last)
    return row["class"] == "all" and moving


def _cell(row: Row, key: str) -> str:
    """A figure, of some with half the width of its interval."""
    each = row[key]
    if not isinstance(each, float):
        return str(each)
    if key == "horizon_s":
        return f"{each:g}"
    low, high = (row.get(f"{key}_{side}", math.nan) if key in WITH_INTERVAL else math.nan for side in ("low", "high"))
    return f"{each:.2f}" + (f"±{0.5 * (high - low):.2f}" if math.isfinite(high - low) else "")


def _finite(each: Any) -> Any:
    """JSON has no NaN."""
    return None if isinstance(each, float) and not math.isfinite(each) else each
