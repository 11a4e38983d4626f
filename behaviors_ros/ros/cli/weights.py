"""`behaviors weights fit`: the weights of the scorers from preferences and recorded drives."""

from __future__ import annotations

import csv
import json as json_module
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.progress import TextColumn

from behaviors_ros import registry
from behaviors_ros.datatypes import Array, Scores
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.evaluation.explain import explain
from behaviors_ros.evaluation.folder import read
from behaviors_ros.learning.choices import Choice, Choices, Nearness, driven, preferred, stacked
from behaviors_ros.learning.profile import NODE, profile_text
from behaviors_ros.learning.weights import Fit, Fitting, Quality, fit, precision, quality
from behaviors_ros.maps.commonroad import read_document
from behaviors_ros.parameters import Vehicle
from behaviors_ros.pipeline import Stages, build, run
from behaviors_ros.ros.cli.figures import JsonOption, print_table, progress, write_json
from behaviors_ros.simulation.recordings.argoverse import read_log
from behaviors_ros.simulation.recordings.experts import (
    Expert,
    ExpertSampling,
    Seen,
    recording_experts,
    scenario_experts,
)
from behaviors_ros.yaml_files import read_mapping

COLUMNS = ("run", "scenario", "time_s", "preferred", "other")
Tree = dict[str, Any]


def add(app: typer.Typer) -> None:
    """Add the command."""
    weights = typer.Typer(help="Weights of the scorers.", no_args_is_help=True)
    weights.command("fit")(fit_weights)
    # A group of one command would become that command.
    weights.callback()(lambda: None)
    app.add_typer(weights, name="weights")


def fit_weights(
    out: Annotated[Path, typer.Option(help="Profile to write (.yaml).")],
    drives: Annotated[
        list[Path] | None,
        typer.Option(help="Recorded drives: CommonRoad files, Argoverse 2 logs, or folders of such; may be repeated."),
    ] = None,
    preferences: Annotated[
        list[Path] | None,
        typer.Option(help=f"Preferred candidates, .csv or .json with {', '.join(COLUMNS)}; may be repeated."),
    ] = None,
    held_out: Annotated[
        list[Path] | None,
        typer.Option(help="Drives to judge by, best of another place; without: every fourth driver of --drives."),
    ] = None,
    params: Annotated[Path | None, typer.Option(help="Profile or parameter file to begin with.")] = None,
    most: Annotated[int, typer.Option(help="Most choices from drives, each of --drives and --held-out.", min=1)] = 600,
    prior: Annotated[float, typer.Option(help="Pull to the weights to begin with.", min=0.0)] = 10.0,
    bootstrap: Annotated[int, typer.Option(help="Repetitions for the intervals.", min=0)] = 100,
    json: JsonOption = None,
) -> None:
    """Fit the weights of the scorers to what people preferred or how they drove, and write them as a profile.

    JSON: {scorers, prior, weight, low, high, beta, before, after, left_out}; before and after: choices, likelihood,
    uniform, best, top, away_m, nearest_m on the held-out choices.
    """
    config = parameters_of(params) if params else {}
    names, start = weights_of(config)
    fitted, left_out = gathered(drives or [], config, most)
    fitted += [choice for file in preferences or [] for choice in preferences_of(file, names)]
    judged = gathered(held_out, config, most)[0] if held_out else []
    if not fitted:
        raise InputError("weights fit", "--drives, --preferences", "give no choice", "give drives or preferences")
    choices = stacked(names, fitted)
    learn, test = (choices, stacked(names, judged)) if held_out else parted(choices)
    fitting = Fitting(prior=prior, bootstrap=bootstrap)
    found = fit(learn, start, fitting)
    before = quality(test, found.prior, found.beta_prior, fitting.top)
    after = quality(test, found.weight, precision(learn, found.weight / found.weight.sum()), fitting.top)
    sources = ", ".join(path.name for path in (*(drives or []), *(preferences or [])))
    written(out, profile_text(found, before, after, sources))
    report(found, before, after, len(learn), left_out, fitting.top)
    described = asdict(found) | {"before": asdict(before), "after": asdict(after), "left_out": left_out}
    write_json(json, json_module.loads(json_module.dumps(described, default=np.ndarray.tolist)))


def parameters_of(path: Path) -> Tree:
    """The configuration of a profile or of the scoring node's parameter file."""
    tree = read_mapping(path, "give a file as in config/profiles")
    found = tree.get(NODE, {}).get("ros__parameters") if isinstance(tree.get(NODE, {}), dict) else None
    if not isinstance(found, dict):
        raise InputError(path, "file", f"has no parameters of {NODE}", "give a file as in config/profiles")
    known = set(names_known())
    return {key: leaf for key, leaf in found.items() if key in known}


def names_known() -> tuple[str, ...]:
    """Keys of a parameter file that concern scoring."""
    return ("gates", "scorers", "selection", "plugin_modules", *registry.names("gate"), *registry.names("scorer"))


def weights_of(config: Tree) -> tuple[tuple[str, ...], Array]:
    """Names and weights of the scorers of a configuration."""
    scorers = build(config).scorers
    return tuple(scorer.name for scorer in scorers), np.array([scorer.p.weight for scorer in scorers])


def parted(choices: Choices) -> tuple[Choices, Choices]:
    """Three quarters of the groups to learn from, every fourth to judge by."""
    groups = np.unique(choices.group)
    if len(groups) < 4:
        return choices, choices
    return choices.of_groups(groups[np.arange(len(groups)) % 4 != 3]), choices.of_groups(groups[3::4])


def gathered(paths: list[Path], config: Tree, most: int) -> tuple[list[Choice], int]:
    """Choices of the drivers in the files, and how many instants were left out: farther from every candidate."""
    found: list[Choice] = []
    left_out = 0
    stages: dict[Vehicle, Stages] = {}
    with progress(TextColumn("{task.description}")) as bar:
        task = bar.add_task("reading", total=None)
        for expert in experts(paths, most):
            if expert.vehicle not in stages:
                stages[expert.vehicle] = build({**config, "vehicle": expert.vehicle.model_dump()})
            choice = choice_of(expert, stages[expert.vehicle])
            left_out += choice is None
            found += [choice] if choice is not None else []
            bar.update(task, description=f"{len(found)} choices, {left_out} instants left out")
            if len(found) >= most:
                break
    return found, left_out


def choice_of(expert: Expert, stages: Stages) -> Choice | None:
    """What the driver chose of our candidates."""
    cycle = run(expert.scene, stages, 1)
    assert cycle.plan.scores is not None
    return driven(cycle.plan.scores, cycle.candidates, expert.future, expert.group, Nearness())


def experts(paths: list[Path], most: int) -> Iterator[Expert]:
    """The drivers of all files; of each so many that all files have a part in `most` instants."""
    files = [file for path in paths for file in recordings_of(path)]
    sampling = ExpertSampling(drivers=max(1, round(2.0 * most / max(len(files), 1))))
    grid, seen = build({}).grid, Seen()
    for file in files:
        if file.is_dir():
            yield from recording_experts(read_log(file, Vehicle()), Vehicle(), grid, sampling)
        else:
            yield from scenario_experts(read_document(file), grid, sampling, seen)


def recordings_of(path: Path) -> list[Path]:
    """CommonRoad files and Argoverse 2 logs in a folder, or the path itself."""
    if not path.exists():
        raise InputError(path, "--drives", "does not exist", "give a CommonRoad file, an Argoverse 2 log or a folder")
    if path.is_file() or (path / "map").is_dir():
        return [path]
    files = sorted(path.rglob("*.xml")) + sorted(path.rglob("*.xml.gz"))
    return files + sorted(log.parent for log in path.rglob("map") if log.is_dir())


def preferences_of(file: Path, scorers: tuple[str, ...]) -> list[Choice]:
    """The pairs of a file: candidate `preferred` rather than `other` at a time of a scenario of a run folder."""
    tables: dict[tuple[str, str, float], Scores] = {}
    found = []
    for row in rows_of(file):
        try:
            place = (str(row["run"]), str(row["scenario"]), float(row["time_s"]))
            better, worse = int(row["preferred"]), int(row["other"])
        except (KeyError, TypeError, ValueError):
            raise InputError(file, str(row), "is no preference", f"columns: {', '.join(COLUMNS)}") from None
        if place not in tables:
            scores = explain(read(file.parent / place[0]), place[1], place[2]).cycle.plan.scores
            assert scores is not None
            tables[place] = scores
        if tables[place].scorers != scorers:
            raise InputError(file, place[0], "was made with other scorers", "give its parameter file as --params")
        found.append(preferred(tables[place], better, worse, f"{place[0]} {place[1]}"))
    return found


def rows_of(file: Path) -> list[Tree]:
    """The rows of a .csv or .json file."""
    try:
        if file.suffix == ".csv":
            with file.open(newline="") as lines:
                return list(csv.DictReader(lines))
        rows = json_module.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise InputError(file, "file", str(error), f"give .csv or .json with {', '.join(COLUMNS)}") from None
    if not isinstance(rows, list):
        raise InputError(file, "file", "is no list of rows", f"give objects with {', '.join(COLUMNS)}")
    return rows


def written(out: Path, text: str) -> None:
    """Write the profile."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text)
    except OSError as error:
        raise BehaviorsError(f"{out}: cannot be written ({error.strerror}); give another --out") from None


def report(found: Fit, before: Quality, after: Quality, learned: int, left_out: int, top: int) -> None:
    """Tables: the weights, and the held-out figures before and after."""
    rows = [
        (name, f"{found.prior[k]:g}", f"{found.weight[k]:.2f}", f"{found.low[k]:.2f} to {found.high[k]:.2f}")
        for k, name in enumerate(found.scorers)
    ]
    print_table(f"Weights, from {learned} choices ({left_out} left out)", ("scorer", "before", "after", "95 %"), rows)
    print_table(
        f"On {after.choices} held-out choices",
        ("", "before", "after"),
        [
            ("log-likelihood of a choice", f"{before.likelihood:.3f}", f"{after.likelihood:.3f}"),
            ("that of chance", f"{before.uniform:.3f}", f"{after.uniform:.3f}"),
            ("chosen is the best", f"{before.best:.3f}", f"{after.best:.3f}"),
            (f"chosen is among the best {top}", f"{before.top:.3f}", f"{after.top:.3f}"),
            ("best to driven, m", f"{before.away_m:.2f}", f"{after.away_m:.2f}"),
            ("nearest to driven, m", f"{before.nearest_m:.2f}", f"{after.nearest_m:.2f}"),
        ],
    )
