"""`behaviors agree`: does the pipeline as one function decide what the nodes decided?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from behaviors_ros.datatypes import Degraded, Plan
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.summary import decision_hash
from behaviors_ros.parameters import Vehicle
from behaviors_ros.pipeline import Stages, build, plan
from behaviors_ros.ros.bags import about
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.ros.recorded_cycles import RecordedCycle, recorded_cycles
from behaviors_ros.ros.scene import SceneParameters


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(agree)


def agree(
    bag: Annotated[Path, typer.Argument(help="Bag of a run: inputs and what the nodes made of them.")],
    map_file: Annotated[
        Path | None, typer.Option("--map", help="Map of the run; without one, the one the bag names, or none.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Run pipeline.plan on every recorded scene of a run and compare its decisions with the recorded ones.

    The run must have been made with default parameters. JSON: {cycles, equal, different: [plan ids]}. Exit code 1 when
    a decision differs.
    """
    chosen = str(map_file.resolve()) if map_file else about(bag).get("map", "")
    cycles = list(recorded_cycles(bag, SceneParameters(map=chosen), Vehicle(), history=True))
    if not cycles:
        raise InputError(bag, "selected", "no whole cycle is recorded", "record inputs and outputs of a run")
    different = differing(cycles, Vehicle())
    figures = {"cycles": len(cycles), "equal": len(cycles) - len(different), "different": different}
    print_table("Nodes and pipeline", ("", ""), [(key, str(found)) for key, found in figures.items()])
    write_json(json, figures)
    raise typer.Exit(1 if different else 0)


def differing(cycles: list[RecordedCycle], vehicle: Vehicle) -> list[int]:
    """Ids of the plans that `pipeline.plan` makes otherwise: another choice, or another trajectory to the last bit."""
    stages = build({"vehicle": vehicle.model_dump()})
    return [
        cycle.plan.plan_id
        for cycle in track(cycles, description="comparing", transient=True)
        if decision_hash([_made(cycle, stages)]) != decision_hash([cycle.plan])
    ]


def _made(cycle: RecordedCycle, stages: Stages) -> Plan:
    """What the pipeline makes of a recorded scene when it makes and scores as many candidates as there was time for."""
    if cycle.plan.degraded & Degraded.SLOW:
        asked = tuple(g for g in stages.generators if g.name in cycle.candidates.generator)
        stages = replace(stages, generators=asked)
    return plan(cycle.scene, stages, cycle.plan.plan_id, evaluated=cycle.plan.evaluated or None)
