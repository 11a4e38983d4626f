"""What the files leave to be worked out: turns, right of way, crossed lanes, the side of traffic."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import shapely
from jaxtyping import Float

from behaviors_ros.datatypes import Array, Crosswalk, Lane, LaneKind, LaneMap, Turn
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.parameters import Parameters, value

MOTOR = (LaneKind.ROAD, LaneKind.BUS)


class Derivation(Parameters):
    """How turns, conflicts and neighbours are recognised from geometry."""

    turn_rad: float = value(0.6, "a junction lane that turns by more is a left or right turn", low=0.1, high=1.5)
    oncoming_rad: float = value(0.8, "lanes entering this near to opposite directions are oncoming", low=0.1, high=1.5)
    beside_m: float = value(6.0, "an oncoming neighbour's centre line is nearer than this", low=1.0, high=20.0)
    crossing_m: float = value(0.5, "a crosswalk covers at least this length of a lane it crosses", low=0.0, high=5.0)


def stop_line_of(points: Float[Array, "point 2"]) -> Float[Array, "2 2"]:
    """A stop line as its two ends."""
    return np.array([points[0], points[-1]], dtype=np.float64)


def completed(
    raw: LaneMap,
    crosswalk_lines: Mapping[int, Sequence[Array]],
    derivation: Derivation | None = None,
    give_way: Collection[int] = (),
) -> LaneMap:
    """The map with turns, right of way, oncoming neighbours and crossed lanes filled in where the file is silent.

    crosswalk_lines: stop lines by crosswalk id, as the file gives them; give_way: lanes with a yield or stop sign.
    """
    derivation = derivation or Derivation()
    motor = [lane for lane in raw.lanes.values() if lane.kind in MOTOR]
    lines = [shapely.LineString(lane.centre) for lane in motor]
    crossed = _crossings(motor, lines)
    oncoming, left_hand = _oncoming(motor, lines, derivation)
    lanes = dict(raw.lanes)
    for lane in motor:
        turn = _turn(lane, lanes, bool(crossed[lane.id]), derivation)
        lanes[lane.id] = replace(lane, turn=turn, oncoming=lane.oncoming or oncoming.get(lane.id))
    minor = set(give_way) | {after for i in give_way for after in lanes[i].successors}
    for lane in motor:
        if lane.yields_to:
            continue
        over = _priority(lane.id, lanes, crossed, left_hand, derivation)
        if lane.id in minor:
            over = tuple(sorted({*over, *crossed[lane.id]} - minor))
        lanes[lane.id] = replace(lanes[lane.id], yields_to=over)
    crosswalks = tuple(
        _crossing(walk, motor, lines, crosswalk_lines.get(walk.id, ()), derivation) for walk in raw.crosswalks
    )
    return replace(raw, lanes=lanes, crosswalks=crosswalks, left_hand_traffic=left_hand)


def heading(lane: Lane, end: int) -> float:
    """Heading of a lane at its start (`end` 0) or end (-1), rad."""
    step = lane.centre[1] - lane.centre[0] if end == 0 else lane.centre[-1] - lane.centre[-2]
    return float(np.arctan2(step[1], step[0]))


def _crossings(motor: list[Lane], lines: list[shapely.LineString]) -> dict[int, set[int]]:
    """Lanes whose paths cross or merge: centre lines that meet elsewhere than where one lane follows another."""
    crossed: dict[int, set[int]] = {lane.id: set() for lane in motor}
    if not motor:
        return crossed
    first, second = shapely.STRtree(lines).query(lines, predicate="intersects")
    for a, b in zip(first, second, strict=True):
        if a != b and _conflict(motor[a], motor[b]):
            crossed[motor[a].id].add(motor[b].id)
    return crossed


def _conflict(lane: Lane, other: Lane) -> bool:
    """Whether lanes whose centre lines meet conflict: they do not follow each other, branch or face on one line."""
    if other.id in (*lane.successors, *lane.predecessors) or set(lane.predecessors) & set(other.predecessors):
        return False
    near = [[np.hypot(*(lane.centre[i] - other.centre[j])) < 1.0 for j in (0, -1)] for i in (0, -1)]
    if near[0][0] or near[0][1] or near[1][0]:
        return False
    merging = near[1][1]
    return not merging or abs(float(wrap(heading(lane, -1) - heading(other, -1)))) < 0.5 * np.pi


def _turn(lane: Lane, lanes: Mapping[int, Lane], is_crossed: bool, derivation: Derivation) -> Turn:
    """Turn of a junction lane by its change of heading; a lane that nothing crosses and that is no branch has none."""
    if lane.turn is not Turn.NONE:
        return lane.turn
    branches = any(len(lanes[p].successors) > 1 for p in lane.predecessors if p in lanes)
    if not (branches or is_crossed):
        return Turn.NONE
    steps = np.diff(lane.centre, axis=0)
    change = float(wrap(np.diff(np.arctan2(steps[:, 1], steps[:, 0]))).sum())
    if abs(change) <= derivation.turn_rad:
        return Turn.STRAIGHT
    return Turn.LEFT if change > 0.0 else Turn.RIGHT


def _priority(
    lane_id: int, lanes: Mapping[int, Lane], crossed: Mapping[int, set[int]], left_hand: bool, derivation: Derivation
) -> tuple[int, ...]:
    """A turn across the oncoming side yields to oncoming lanes that go straight or turn to the near side."""
    across, near = (Turn.RIGHT, Turn.LEFT) if left_hand else (Turn.LEFT, Turn.RIGHT)
    lane = lanes[lane_id]
    if lane.turn is not across:
        return ()
    found = []
    for other in (lanes[i] for i in sorted(crossed[lane_id])):
        opposite = abs(wrap(heading(lane, 0) - heading(other, 0) - np.pi)) < derivation.oncoming_rad
        if opposite and other.turn in (Turn.STRAIGHT, near) and lane_id not in other.yields_to:
            found.append(other.id)
    return tuple(found)


def _oncoming(
    motor: list[Lane], lines: list[shapely.LineString], derivation: Derivation
) -> tuple[dict[int, int], bool]:
    """The nearest oncoming lane beside each lane, and whether traffic keeps left (by the greater length of lanes)."""
    middles = [line.interpolate(0.5, normalized=True) for line in lines]
    found: dict[int, tuple[float, int, float]] = {}
    if not motor:
        return {}, False
    points, others = shapely.STRtree(lines).query(middles, predicate="dwithin", distance=derivation.beside_m)
    for a, b in zip(points, others, strict=True):
        middle = np.array(middles[a].coords[0])
        yaw, other_yaw = _yaw_near(lines[a], middles[a]), _yaw_near(lines[b], middles[a])
        if abs(wrap(yaw - other_yaw)) < np.pi - 0.5 * derivation.oncoming_rad:
            continue
        offset = np.array(lines[b].interpolate(lines[b].project(middles[a])).coords[0]) - middle
        lateral = float(-np.sin(yaw) * offset[0] + np.cos(yaw) * offset[1])
        lane = motor[a]
        if abs(lateral) > 1.0 and abs(lateral) < found.get(lane.id, (np.inf,))[0]:
            found[lane.id] = (abs(lateral), motor[b].id, np.sign(lateral))
    length = {lane.id: line.length for lane, line in zip(motor, lines, strict=True)}
    left = sum(length[i] * side for i, (_, _, side) in found.items())
    keeps_left = bool(left < 0.0)
    return {i: other for i, (_, other, side) in found.items() if bool(side > 0.0) != keeps_left}, keeps_left


def _yaw_near(line: shapely.LineString, point: shapely.Point) -> float:
    s = min(line.project(point), line.length - 1e-3)
    (ax, ay), (bx, by) = line.interpolate(max(s, 0.0)).coords[0], line.interpolate(s + 1e-3).coords[0]
    return float(np.arctan2(by - ay, bx - ax))


def _crossing(
    walk: Crosswalk,
    motor: list[Lane],
    lines: list[shapely.LineString],
    stop_lines: Sequence[Array],
    derivation: Derivation,
) -> Crosswalk:
    """The crosswalk with the lanes that run through it, and for each the stop line that it meets before."""
    area = shapely.make_valid(shapely.Polygon(walk.polygon))
    centres = {lane.id: line for lane, line in zip(motor, lines, strict=True)}
    crossed = [lane for lane, line in zip(motor, lines, strict=True) if _runs_through(line, area, derivation)]
    found: dict[int, Array] = {}
    for lane in crossed:
        centre = centres[lane.id]
        entry = centre.project(centre.intersection(area).centroid)
        for stop_line in stop_lines:
            place = centre.intersection(shapely.LineString(stop_line))
            behind = (centres[i] for i in lane.predecessors if i in centres)
            if centre.project(place.centroid) <= entry if not place.is_empty else _met(behind, stop_line):
                found[lane.id] = stop_line
    return replace(walk, lanes=tuple(lane.id for lane in crossed), stop_lines=found)


def _runs_through(line: shapely.LineString, area: shapely.Geometry, derivation: Derivation) -> bool:
    return bool(line.intersection(area).length > derivation.crossing_m)


def _met(lines: Iterable[shapely.LineString], stop_line: Array) -> bool:
    """Whether one of the lines meets a stop line."""
    return any(line.intersects(shapely.LineString(stop_line)) for line in lines)
