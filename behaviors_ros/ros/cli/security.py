"""`behaviors security policy`: who may publish and hear what, for SROS2."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from behaviors_ros.errors import InputError
from behaviors_ros.ros.graph import NODES
from behaviors_ros.ros.security import policy
from behaviors_ros.ros.up import GraphConfig, read_config


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Security of the graph (SROS2).", no_args_is_help=True)
    group.callback()(lambda: None)  # keeps the name of the only command
    group.command(name="policy")(write_policy)
    app.add_typer(group, name="security")


def write_policy(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="File of `behaviors up`; without one, all nodes.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to this file.")] = None,
) -> None:
    """Write the access policy of the graph, or of a configuration with its remapped topics and dialects."""
    from behaviors_ros.ros.dialects.rights import rights  # takes ROS along

    chosen = read_config(config) if config is not None else GraphConfig()
    text = policy(chosen.entries if config is not None else NODES, chosen.remap, rights(chosen.nodes))
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text)
    except OSError as error:
        why = f"cannot be written ({error.strerror})"
        raise InputError(out, "--out", why, "give a path that can be written") from None
