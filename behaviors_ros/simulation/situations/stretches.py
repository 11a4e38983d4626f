"""Straight stretches of given maps, on which kinds that need no special road can be laid."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import Lane, LaneKind, LaneMap, Turn
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polylines import headings, without_duplicates
from behaviors_ros.maps.load import load_map
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.simulation.situations.sites import Street
from behaviors_ros.simulation.worlds.osm import Axis
from behaviors_ros.simulation.worlds.town import Town


class StretchRules(Parameters):
    """What makes lanes of a map a stretch."""

    length_m: float = value(200.0, "least length", low=120.0, high=2000.0)
    turn_rad: float = value(0.6, "the heading stays within this of its mean", low=0.01, high=1.5)
    width_m: float = value(2.6, "least width of the lanes", low=2.0, high=5.0)
    maps_max: int = value(200, "map files looked at", low=1, high=100000)


def find(folder: Path, rules: StretchRules | None = None) -> tuple[Street, ...]:
    """The longest stretch of each Lanelet2 map (.osm) in a folder; none there raises `InputError`.

    Files that hold no usable map are left out.
    """
    rules = rules or StretchRules()
    files = sorted(folder.rglob("*.osm"))[: rules.maps_max]
    found = [street for file in files for street in _longest(file, rules)]
    if not found:
        problem = f"has no Lanelet2 map with {rules.length_m:g} m of straight lanes"
        raise InputError(folder, "--maps", problem, "give another folder, or leave it out")
    return tuple(found)


def _longest(file: Path, rules: StretchRules) -> list[Street]:
    try:
        lane_map = load_map(file)
    except InputError:
        return []
    chains = [_chain(lane_map, lane, rules) for lane in lane_map.lanes.values() if _plain(lane, lane_map)]
    lines = [without_duplicates(np.concatenate([lane.centre for lane in chain])) for chain in chains if chain]
    if not lines:
        return []
    index = int(np.argmax([FrenetFrame(points).length for points in lines]))
    chain = [chain for chain in chains if chain][index]
    points = FrenetFrame(lines[index]).point(np.arange(0.0, FrenetFrame(lines[index]).length, 2.0))
    lane_m = min(_width(lane) for lane in chain)
    if 2.0 * (len(points) - 1) < rules.length_m or lane_m < rules.width_m:
        return []
    # The axis of a street is the left edge of its lane.
    centre = Axis(points, headings(points))
    axis = Axis(centre.beside(0.5 * lane_m), centre.yaw)
    limit = round(min(lane.speed_limit for lane in chain) * 3.6)
    return [Street(Town(lane_m), axis, lane_m, max(20, min(50, limit)), (chain[0].id, chain[0].id), file)]


def _plain(lane: Lane, lane_map: LaneMap) -> bool:
    """A lane of the road that nothing regulates."""
    ruled = bool(lane.signals) or lane.stop or bool(lane.yields_to) or lane.turn is not Turn.NONE
    return lane.kind is LaneKind.ROAD and not ruled and all(lane.id not in walk.lanes for walk in lane_map.crosswalks)


def _chain(lane_map: LaneMap, lane: Lane, rules: StretchRules) -> list[Lane]:
    """The lanes that follow one after the other from `lane` while they are plain, straight and without a branch."""
    chain, yaw = [lane], float(headings(lane.centre)[0])
    while True:
        turned = np.abs(np.angle(np.exp(1j * (headings(chain[-1].centre) - yaw))))
        if turned.max() > rules.turn_rad:
            return chain[:-1]
        after = [lane_map.lanes[i] for i in chain[-1].successors if i in lane_map.lanes]
        if len(after) != 1 or after[0] in chain or not _plain(after[0], lane_map):
            return chain
        chain.append(after[0])


def _width(lane: Lane) -> float:
    frame = FrenetFrame(lane.centre)
    return float(np.abs(frame.project(lane.left_bound)[1]).min() + np.abs(frame.project(lane.right_bound)[1]).min())
