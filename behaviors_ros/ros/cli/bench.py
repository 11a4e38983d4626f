"""`behaviors bench latency`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from behaviors_ros.errors import InputError
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.ros.latency import default_map, measure


def add(app: typer.Typer) -> None:
    """Add the command."""
    bench = typer.Typer(help="Benchmarks.", no_args_is_help=True)
    bench.command()(latency)
    bench.callback()(lambda: None)
    app.add_typer(bench, name="bench")


def latency(
    agents: Annotated[str, typer.Option(help="Numbers of agents, with commas.")] = "0,20,50,100,200",
    seconds: Annotated[float, typer.Option(help="Measured time for each number.", min=2.0, max=600.0)] = 20.0,
    map_file: Annotated[Path | None, typer.Option("--map", help="A map; without one the embedded urban map.")] = None,
    mapless: Annotated[bool, typer.Option("--mapless", help="A straight line instead of a map.")] = False,
    log: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Output of each process to a file there.")] = None,
    json: JsonOption = None,
) -> None:
    """Perception stamp to controls output over ROS, one process a node: p50, p99 and the share of answered cycles.

    JSON: a list of {agents, cycles, answered, p50_ms, p99_ms, max_ms, prediction_ms, generation_ms, scoring_ms}.
    """
    try:
        numbers = [int(word) for word in agents.split(",")]
    except ValueError:
        raise InputError("bench latency", "--agents", f"is '{agents}'", "give numbers with commas: 0,20,50") from None
    chosen = None if mapless else map_file or default_map()
    found = [measure(number, seconds, chosen, log) for number in track(numbers, description="agents", transient=True)]
    columns = ("agents", "cycles", "answered", "p50 ms", "p99 ms", "max ms", "prediction", "generation", "scoring")
    print_table("Perception stamp to controls output", columns, [
        (r.agents, r.cycles, r.answered, *(f"{x:.1f}" for x in (
            r.p50_ms, r.p99_ms, r.max_ms, r.prediction_ms, r.generation_ms, r.scoring_ms))) for r in found
    ])  # fmt: skip
    write_json(json, [asdict(row) for row in found])
