"""Any map file by its kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from behaviors_ros.datatypes import LaneMap
from behaviors_ros.errors import InputError
from behaviors_ros.maps import argoverse, commonroad, lanelet2

READERS: dict[str, tuple[str, Callable[..., LaneMap]]] = {
    ".osm": ("Lanelet2", lanelet2.read_map),
    ".xml": ("CommonRoad", commonroad.read_map),
    ".xml.gz": ("CommonRoad", commonroad.read_map),
    ".json": ("Argoverse 2", argoverse.read_map),
}


def map_kind(path: str | Path) -> str:
    """Name of the map format that a file's name ends in; an unknown ending raises `InputError`."""
    return READERS[_ending(path)][0]


def load_map(path: str | Path) -> LaneMap:
    """Read a map: Lanelet2 (.osm), CommonRoad (.xml, .xml.gz) or Argoverse 2 (.json). Raises `InputError`."""
    return READERS[_ending(path)][1](path)


def _ending(path: str | Path) -> str:
    name = Path(path).name.lower()
    found = [ending for ending in READERS if name.endswith(ending)]
    if not found:
        raise InputError(path, "file name", "ends like no known map format", f"known endings: {', '.join(READERS)}")
    return found[0]
