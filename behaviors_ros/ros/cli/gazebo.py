"""`behaviors gazebo world`: a scenario as SDF files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from behaviors_ros.simulation.gazebo.vehicle import Body
from behaviors_ros.simulation.gazebo.world import WorldParameters, write_world
from behaviors_ros.simulation.scenario import DEMO, load_scenario


def add(app: typer.Typer) -> None:
    """Add the command."""
    gazebo = typer.Typer(help="Co-simulation with Gazebo.", no_args_is_help=True)
    gazebo.command()(world)
    gazebo.callback()(lambda: None)
    app.add_typer(gazebo, name="gazebo")


def world(
    out: Annotated[Path, typer.Argument(help="Folder for world.sdf and vehicle.sdf.")],
    scenario: Annotated[Path, typer.Option(help="Scenario, in YAML or CommonRoad form.")] = DEMO,
    speed_factor: Annotated[float, typer.Option(help="Simulated seconds a second of wall time to aim at.")] = 1.0,
) -> None:
    """Write the world of a scenario, and its vehicle, as Gazebo loads them."""
    parameters = WorldParameters(speed_factor=speed_factor)
    for path in write_world(load_scenario(scenario), out, parameters, Body()):
        print(f"written {path}")
