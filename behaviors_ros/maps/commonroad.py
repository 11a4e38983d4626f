"""CommonRoad files (.xml, .xml.gz; formats 2018b and 2020a): the map, and the whole scenario.

Read with a safe parser and limits; commonroad-io is not used, see docs/decisions/0001-commonroad-reader.md. The format
is described in M. Althoff, M. Koschi and S. Manzinger, "CommonRoad: Composable benchmarks for motion planning on
roads", IV 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from behaviors_ros.datatypes import LaneMap
from behaviors_ros.errors import InputError
from behaviors_ros.maps.commonroad_lanes import CommonRoadReading, SignalCycle, read_cycles, read_lanes
from behaviors_ros.maps.commonroad_traffic import PlanningProblem, RecordedObstacle, read_obstacles, read_problems
from behaviors_ros.maps.documents import finite, parse_xml

VERSIONS = ("2018b", "2020a")


@dataclass(frozen=True, eq=False)
class CommonRoadDocument:
    """A CommonRoad scenario. dt_s: length of a time step, s; skipped: what could not be used, counted by reason."""

    benchmark_id: str
    lane_map: LaneMap
    dt_s: float
    obstacles: tuple[RecordedObstacle, ...]
    problems: tuple[PlanningProblem, ...]
    signals: tuple[SignalCycle, ...]
    skipped: dict[str, int]


def read_map(path: str | Path, reading: CommonRoadReading | None = None) -> LaneMap:
    """Read the lane map of a CommonRoad file; raises `InputError` for one that cannot be used."""
    reading = reading or CommonRoadReading()
    return read_lanes(_root(path, reading), path, reading)


def read_document(path: str | Path, reading: CommonRoadReading | None = None) -> CommonRoadDocument:
    """Read map, road users, signals and planning problems; raises `InputError` for a file that cannot be used."""
    reading = reading or CommonRoadReading()
    root = _root(path, reading)
    dt = finite(root.get("timeStepSize"), path, "timeStepSize")
    if dt <= 0.0:
        raise InputError(path, "timeStepSize", f"is {dt:g}", "give the length of a step in s, above 0")
    lane_map = read_lanes(root, path, reading)
    obstacles, skipped = read_obstacles(root, path, dt, reading.limits)
    problems = read_problems(root, path, dt, lane_map, reading.limits)
    cycles = read_cycles(root, path)
    return CommonRoadDocument(root.get("benchmarkID", ""), lane_map, dt, obstacles, problems, cycles, dict(skipped))


def _root(path: str | Path, reading: CommonRoadReading) -> etree._Element:
    root = parse_xml(path, "commonRoad", reading.limits)
    version = root.get("commonRoadVersion", "")
    if version not in VERSIONS:
        raise InputError(path, "commonRoadVersion", f"is '{version}'", f"convert it to one of {', '.join(VERSIONS)}")
    return root
