"""`behaviors up`: the graph without launch_ros."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from behaviors_ros.ros.up import Graph, read_config


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up(
    config: Annotated[
        Path, typer.Argument(help="YAML: groups, without, map, scenario, vehicle, nodes, remap, use_sim_time.")
    ],
    one_process: Annotated[bool, typer.Option("--one-process", help="All nodes in one process.")] = False,
    respawn: Annotated[bool, typer.Option("--respawn", help="Start a node again that ended by itself.")] = False,
    log: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Output of each process to a file there.")] = None,
) -> None:
    """Run the nodes of CONFIG, one process each, until interrupted or the simulated drive has ended."""
    chosen = read_config(config)
    changes = {"one_process": one_process or chosen.one_process, "respawn": respawn or chosen.respawn}
    with Graph(chosen.model_copy(update=changes), log) as graph:
        code = graph.run()
    raise typer.Exit(code)
