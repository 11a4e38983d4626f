"""Vector maps of Argoverse 2 logs (log_map_archive_*.json).

The format is that of B. Wilson et al., "Argoverse 2: Next generation datasets for self-driving perception and
forecasting", NeurIPS Datasets and Benchmarks 2021. It has no speed limits, signals, stop lines or right of way.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from behaviors_ros.datatypes import Array, Crosswalk, Lane, LaneKind, LaneMap
from behaviors_ros.errors import InputError
from behaviors_ros.maps.derive import Derivation, completed
from behaviors_ros.maps.documents import Limits, read_bytes
from behaviors_ros.maps.lanes import Sampling, boundary, make_lane
from behaviors_ros.parameters import Parameters, value

KINDS = {"VEHICLE": LaneKind.ROAD, "BUS": LaneKind.BUS, "BIKE": LaneKind.BICYCLE}
PARTS = ("lane_segments", "pedestrian_crossings", "drivable_areas")


class ArgoverseReading(Parameters):
    """What the format does not say."""

    speed_limit_mps: float = value(13.41, "speed limit of every lane (30 mph): the maps have none", low=1.0, high=40.0)
    derivation: Derivation = Derivation()
    sampling: Sampling = Sampling()
    limits: Limits = Limits()


def read_map(path: str | Path, reading: ArgoverseReading | None = None) -> LaneMap:
    """Read the vector map of an Argoverse 2 log, in its city frame; raises `InputError` for one that cannot be used."""
    reading = reading or ArgoverseReading()
    parts = _parts(path, reading)
    try:
        lanes = {int(raw["id"]): _lane(raw, path, reading) for raw in parts["lane_segments"].values()}
        lanes = {int(raw["id"]): _connected(raw, lanes) for raw in parts["lane_segments"].values()}
        walks = tuple(_crosswalk(raw, path, reading.limits) for raw in parts["pedestrian_crossings"].values())
        areas = tuple(
            _line(raw["area_boundary"], path, f"drivable area {raw['id']}", reading.limits)
            for raw in parts["drivable_areas"].values()
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        problem = f"has an element of another form ({type(error).__name__}: {error})"
        raise InputError(path, "map", problem, "give a log_map_archive file of Argoverse 2") from None
    if not lanes:
        raise InputError(path, "lane_segments", "the map is empty", "give a map with at least one lane")
    return completed(LaneMap(Path(path).stem, lanes, walks, areas), {}, reading.derivation)


def _parts(path: str | Path, reading: ArgoverseReading) -> dict[str, Any]:
    content = read_bytes(path, reading.limits)
    try:
        parts = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(path, "content", f"is not JSON ({error})", "fetch the file again") from None
    missing = [part for part in PARTS if not isinstance(parts, dict) or not isinstance(parts.get(part), dict)]
    if missing:
        raise InputError(path, missing[0], "is missing", "give a log_map_archive file of Argoverse 2")
    return parts


def _line(raw: list[dict[str, Any]], path: object, field: str, limits: Limits) -> Array:
    return boundary([(float(point["x"]), float(point["y"])) for point in raw], path, field, limits)


def _lane(raw: dict[str, Any], path: object, reading: ArgoverseReading) -> Lane:
    field = f"lane {raw['id']}"
    left, right = (_line(raw[f"{side}_lane_boundary"], path, field, reading.limits) for side in ("left", "right"))
    kind = KINDS.get(raw["lane_type"], LaneKind.ROAD)
    speed = reading.speed_limit_mps
    return make_lane(path, int(raw["id"]), kind, left, right, speed, reading.sampling, reading.limits)


def _connected(raw: dict[str, Any], lanes: dict[int, Lane]) -> Lane:
    """The lane with its links. Lanes beyond the log's surroundings are not in the file; links to them are dropped."""
    lane = lanes[int(raw["id"])]
    beside: dict[str, Any] = {"left": None, "right": None, "oncoming": None}
    for side in ("left", "right"):
        other = lanes.get(raw[f"{side}_neighbor_id"])
        if other is None:
            continue
        if float(np.dot(_direction(lane), _direction(other))) < 0.0:
            beside["oncoming"] = other.id
        elif _crossable(raw[f"{side}_lane_mark_type"], side) and {lane.kind, other.kind} <= {
            LaneKind.ROAD,
            LaneKind.BUS,
        }:
            beside[side] = other.id
    successors, predecessors = (tuple(i for i in raw[key] if i in lanes) for key in ("successors", "predecessors"))
    return replace(lane, successors=successors, predecessors=predecessors, **beside)


def _direction(lane: Lane) -> Array:
    return lane.centre[-1] - lane.centre[0]


def _crossable(mark: str, side: str) -> bool:
    """Whether a lane marking may be crossed to `side`: dashed, absent, or dashed on the near side."""
    near_dashed = mark.startswith("DASH_SOLID") if side == "right" else mark.startswith("SOLID_DASH")
    return near_dashed or not mark.startswith(("SOLID", "DOUBLE_SOLID", "DASH_SOLID"))


def _crosswalk(raw: dict[str, Any], path: object, limits: Limits) -> Crosswalk:
    edges = [_line(raw[edge], path, f"pedestrian crossing {raw['id']}", limits) for edge in ("edge1", "edge2")]
    return Crosswalk(int(raw["id"]), np.vstack([edges[0], edges[1][::-1]]))
