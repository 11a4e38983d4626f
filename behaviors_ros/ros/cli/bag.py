"""`behaviors bag from-av2|from-kitti|from-commonroad`: rosbag2 bags of recorded drives."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros.bags import require_new
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.ros.drive import write_drive
from behaviors_ros.simulation.recordings.argoverse import read_log
from behaviors_ros.simulation.recordings.commonroad import read_scenario
from behaviors_ros.simulation.recordings.kitti import read_sequence
from behaviors_ros.simulation.recordings.recording import Recording

Out = Annotated[Path, typer.Argument(metavar="BAG", help="Bag folder to write; it must not exist.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    bag = typer.Typer(help="Bags of recorded drives: odometry, tracks and route.", no_args_is_help=True)
    for command in (from_av2, from_kitti, from_commonroad):
        bag.command()(command)
    app.add_typer(bag, name="bag")


def from_av2(
    log: Annotated[Path, typer.Argument(help="Folder of one Argoverse 2 sensor log.")],
    out: Out,
    json: JsonOption = None,
) -> None:
    """Bag of an Argoverse 2 log; its vector map is named in the bag's metadata.

    JSON: {path, odometry, tracks, agents, duration_s, route}.
    """
    _write(lambda: read_log(log, Vehicle()), out, json)


def from_kitti(
    folder: Annotated[Path, typer.Argument(help="Folder with oxts, label and calib of the tracking data.")],
    sequence: Annotated[str, typer.Argument(help="Sequence, such as 0013.")],
    out: Out,
    json: JsonOption = None,
) -> None:
    """Bag of a KITTI tracking sequence; without a map, along the driven line. JSON as from-av2."""
    _write(lambda: read_sequence(folder, sequence, Vehicle()), out, json)


def from_commonroad(
    scenario: Annotated[Path, typer.Argument(help="CommonRoad scenario (.xml, .xml.gz).")],
    out: Out,
    ego: Annotated[int | None, typer.Option(help="Recorded vehicle that takes the part of the ego.")] = None,
    json: JsonOption = None,
) -> None:
    """Bag of a recorded CommonRoad scenario, seen from one of its vehicles. JSON as from-av2."""
    _write(lambda: read_scenario(scenario, Vehicle(), ego), out, json)


def _write(read: Any, out: Path, json: Path | None) -> None:
    require_new(out)
    with Console().status("reading and writing"):
        recording: Recording = read()
        contents = write_drive(recording, out)
    figures = asdict(contents) | {"path": str(contents.path)}
    print_table(recording.name, ("", ""), [(key.replace("_", " "), text) for key, text in figures.items()])
    write_json(json, figures)
