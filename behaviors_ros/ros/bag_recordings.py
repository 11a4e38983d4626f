"""Bags of our topics as recordings to learn from and to be judged by: the reader of kind rosbag2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from behaviors_ros.datatypes import EgoState, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_drives import as_recording
from behaviors_ros.learning.data_recording import Origin, RawRecording
from behaviors_ros.learning.data_sources import Source
from behaviors_ros.maps.load import load_map
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros import conversion
from behaviors_ros.ros.bags import about, read_bag
from behaviors_ros.ros.graph import TOPICS
from behaviors_ros.ros.recorder import full_name


def read_bags(source: Source, folder: Path) -> Iterator[tuple[RawRecording, str]]:
    """Every bag below a folder; its place is its map, or the bag itself. No bag there raises InputError."""
    bags = sorted(path.parent for path in folder.rglob("metadata.yaml"))
    if not bags:
        raise InputError(folder, "metadata.yaml", "not found", "give a folder of rosbag2 bags")
    for bag in bags:
        yield read_bag_recording(bag, source, folder), ""


def read_bag_recording(bag: Path, source: Source, folder: Path) -> RawRecording:
    """The tracks of a bag, and its ego as one more road user; a bag without tracks raises InputError."""
    told = about(bag)
    place = told.get("map", "") or source.map
    name = str(bag.relative_to(folder)) if bag != folder else bag.name
    origin = Origin(
        "rosbag2", name, Path(place).stem if place else name, told.get("licence", "") or source.licence or "not stated",
        source.may_ship, map_path=place,
    )  # fmt: skip
    frames, egos = _read(bag)
    if not frames:
        raise InputError(bag, full_name(TOPICS["tracks"]), "holds no message", "record the tracks of the drive")
    return as_recording(frames, egos, Vehicle(), origin, load_map(folder / place) if place else None)


def _read(bag: Path) -> tuple[list[Tracks], list[EgoState]]:
    """All tracks and ego states in the order of their stamps, each stamp once."""
    names = {full_name(TOPICS[name]): name for name in ("tracks", "odometry")}
    frames: dict[int, Tracks] = {}
    egos: dict[int, EgoState] = {}
    last: EgoState | None = None
    for topic, message, _ in read_bag(bag, {full: TOPICS[name].message() for full, name in names.items()}):
        if names[topic] == "tracks":
            found = conversion.tracks(message, conversion.TrackLimits()).tracks
            frames.setdefault(found.stamp_ns, found)
        else:
            last = conversion.ego_state(message, last, Vehicle())
            egos.setdefault(last.stamp_ns, last)
    return [frames[stamp] for stamp in sorted(frames)], [egos[stamp] for stamp in sorted(egos)]
