"""`behaviors replay`: a bag through the nodes, and whether the pipeline without nodes decides the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.report import write_report
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros.bags import BagWriter, about
from behaviors_ros.ros.cli.agree import differing
from behaviors_ros.ros.cli.figures import JsonOption, print_table, progress, write_json
from behaviors_ros.ros.environment import adopt
from behaviors_ros.ros.graph import TOPICS
from behaviors_ros.ros.recorded_cycles import recorded_cycles
from behaviors_ros.ros.recorder import full_name, new_bag_path
from behaviors_ros.ros.replay import Replayed, input_counts, require_parameters
from behaviors_ros.ros.replay import replay as run_replay
from behaviors_ros.ros.scene import SceneParameters


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    bag: Annotated[Path, typer.Argument(help="Bag with odometry, tracks, route and, where there are any, signals.")],
    map_file: Annotated[
        Path | None, typer.Option("--map", help="Map; without one, the one the bag names, or none.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where to write; out/replay_<bag>.")] = None,
    params: Annotated[list[Path] | None, typer.Option(help="Parameter files of the nodes; may be given again.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what the nodes log, not only warnings.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Compare with pipeline.plan on the recorded inputs.")] = False,
    json: JsonOption = None,
) -> None:
    """Run a bag through the planning nodes in lock step; record what they decide, draw it, print the decisions' hash.

    No other process sees its topics, unless ROS_AUTOMATIC_DISCOVERY_RANGE is set.
    JSON: {tracks, plans, unanswered, decision_hash, outcomes: {name: n}, stage_ms: {stage: {p50, p99}}, bag,
    report: file or null, agreement: {cycles, equal} or null}. Exit code 1 when no plan was made or, with --check,
    a decision differs.
    """
    # Nothing outside this process hears old inputs or disturbs the lock step, unless the user opens it.
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "OFF")
    adopt()
    recorded = about(bag)
    require_parameters(params or [])
    total = input_counts(bag)[full_name(TOPICS["tracks"])]
    folder = out or new_bag_path(Path("out"), f"replay_{bag.resolve().name}")
    chosen = str(map_file.resolve()) if map_file else recorded.get("map", "")
    if chosen and not Path(chosen).is_file():
        raise InputError(chosen, "map", "no such file", "give the bag's map with --map")
    with (
        BagWriter(folder / "bag", {"source": str(bag)} | recorded | {"map": chosen}) as record,
        progress() as bar,
    ):
        task = bar.add_task("replaying", total=total)
        result = run_replay(
            bag, record, params or [], {"scene.map": chosen} if chosen else {}, lambda: bar.advance(task),
            log_level="info" if verbose else "warn",
        )  # fmt: skip
    scene, vehicle = SceneParameters(map=chosen), Vehicle()
    cycles = list(recorded_cycles(folder / "bag", scene, vehicle, history=True))
    different = differing(cycles, vehicle) if check else []
    agreement = {"cycles": len(cycles), "equal": len(cycles) - len(different)} if check else None
    report = folder / "report.html" if cycles else None
    figures = _figures(result) | {"bag": str(folder / "bag"), "report": report and str(report), "agreement": agreement}
    if report:
        write_report(report, cycles, vehicle, f"replay of {bag.resolve().name}", {"cycles": len(cycles)})
    print_table("Replay", ("", ""), _rows(figures))
    write_json(json, figures)
    raise typer.Exit(1 if different or not result.plans else 0)


def _rows(figures: dict[str, Any]) -> list[tuple[str, object]]:
    """The figures in words."""
    stages = [(f"{stage} p50, p99", "{p50} ms, {p99} ms".format(**ms)) for stage, ms in figures["stage_ms"].items()]
    outcomes = ", ".join(f"{name.lower()} {number}" for name, number in figures["outcomes"].items())
    agreed = figures["agreement"]
    return [
        ("tracks", figures["tracks"]),
        ("plans", f"{figures['plans']} ({outcomes})"),
        ("tracks without a plan", figures["unanswered"]),
        ("decision hash", figures["decision_hash"]),
        *stages,
        *([("pipeline decides the same", f"{agreed['equal']} of {agreed['cycles']} cycles")] if agreed else []),
        ("bag", figures["bag"]),
        ("report", figures["report"] or "none: no cycle was recorded whole"),
    ]


def _figures(result: Replayed) -> dict[str, Any]:
    outcomes: dict[str, int] = {}
    for decided in result.plans:
        outcomes[decided.outcome.name] = outcomes.get(decided.outcome.name, 0) + 1
    stages = {
        stage: {f"p{q}": round(float(np.percentile(times, q)), 2) for q in (50, 99)}
        for stage, times in result.stage_ms.items()
        if times
    }
    return {
        "tracks": result.tracks, "plans": len(result.plans), "unanswered": result.unanswered,
        "decision_hash": result.decision_hash, "outcomes": outcomes, "stage_ms": stages,
    }  # fmt: skip
