"""`behaviors demo`: the main job."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, TextColumn

from behaviors_ros.ros.cli.figures import JsonOption, print_table, progress, write_json
from behaviors_ros.ros.demo import describe, run_demo


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    scenario: Annotated[
        Path | None,
        typer.Option(help="Scenario: ours (.yaml) or CommonRoad (.xml, .xml.gz); without it, the embedded one."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to write; out/demo or out/<scenario>.")
    ] = None,
    traffic: Annotated[str, typer.Option(help="A recording's road users: recorded or reactive.")] = "recorded",
    markers: Annotated[bool, typer.Option("--markers", help="Publish markers for RViz and Foxglove as well.")] = False,
    speed_factor: Annotated[float, typer.Option(help="Simulated seconds a second.", min=0.05, max=20.0)] = 1.0,
    json: JsonOption = None,
) -> None:
    """Drive a scenario in closed loop through the nodes over ROS; write a bag, a report page and a summary.

    JSON: the keys of summary.json (`evaluation.summary.Summary`). Exit code 1 when the ego caused a collision or ran a
    red light, or did not reach the goal of the embedded scenario.
    """
    folder = out or Path("out") / ("demo" if scenario is None else scenario.name.split(".")[0])
    with progress(TextColumn("{task.description}"), BarColumn()) as bar:
        what = f"driving {scenario or 'the embedded scenario'}"
        task = bar.add_task(what, total=None)

        def show(driven_s: float, most_s: float) -> None:
            how_far = f"{driven_s:.0f} s of at most {most_s:.0f} s"  # a drive ends at its goal
            bar.update(task, completed=driven_s, total=most_s, description=f"{what}: {how_far}")

        result = run_demo(scenario, folder, traffic, markers, speed_factor, show)
    summary = result.summary
    print_table("Drive", ("", ""), describe(result))
    write_json(json, json_module.loads(json_module.dumps(asdict(summary))))
    bad = summary.at_fault_collisions or summary.red_lights_run or (scenario is None and not summary.goal_reached)
    raise typer.Exit(1 if bad else 0)
