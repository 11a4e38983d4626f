"""Where a rule may demand a halt along a route: signals, stop signs, yielding, crosswalks, the goal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import Array, Goal, Lane, LaneMap, Route, StopKind, StopPoint, Turn
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.maps.lanes import lane_polygon
from behaviors_ros.parameters import Parameters, value


class StopPlaces(Parameters):
    """Where halting places lie when the map has no stop line."""

    crosswalk_m: float = value(2.0, "before a crosswalk", low=0.0, high=10.0)
    yield_m: float = value(1.5, "before the area of a lane with priority", low=0.0, high=10.0)
    line_reach_m: float = value(
        30.0, "a stop line belongs to a lane that starts within this distance", low=1.0, high=100.0
    )
    far_m: float = value(3.0, "a stop line ends at most this far from the path", low=0.0, high=10.0)


def stop_points(
    lane_map: LaneMap,
    frame: FrenetFrame,
    lane: Int[Array, "point"],
    s: Float[Array, "point"],
    goal: Goal,
    goal_s: float,
    goal_end_s: float,
    places: StopPlaces,
) -> tuple[StopPoint, ...]:
    """All stop points of a path whose points `s` are on lanes `lane`, sorted by s."""
    spans = list(_spans(lane, s))
    found: list[StopPoint] = []
    for index, (lane_id, begin, end) in enumerate(spans):
        if lane_id not in lane_map.lanes:
            continue
        on = lane_map.lanes[lane_id]
        at = _line_s(on, frame, begin, end, places)
        if on.signals:
            found.append(_signal(lane_map, on, spans, index, at))
        if on.stop:
            line = at if at is not None else end
            clear = _junction_end(lane_map, spans, index, line)
            found.append(StopPoint(StopKind.STOP_SIGN, lane_id, line, clear, yields_to=on.yields_to))
        if on.yields_to:
            found += _yielding(lane_map, on, frame, begin, end, at, places)
    found = _merged(found)
    found += _crosswalks(lane_map, frame, {i for i, _, _ in spans}, places)
    if halts_at(goal):
        found.append(StopPoint(StopKind.GOAL, 0, goal_end_s, max(goal_end_s, float(s[-1]))))
    inside = [stop for stop in found if 0.0 <= stop.s <= s[-1]]
    return tuple(sorted(inside, key=lambda stop: (stop.s, stop.kind, stop.id)))


def halts_at(goal: Goal) -> bool:
    """Whether one halts at a goal: where its speeds include standstill, or are free and it is not a region to be in at
    a time.
    """
    if goal.speed is None:
        return goal.time is None
    return goal.speed[0] <= 0.0 <= goal.speed[1]


def waits_at_stop(
    route: Route, front_s: Float[Array, "agent"], reach_m: float, past_m: float = 2.0
) -> Bool[Array, "agent"]:
    """Whether one whose front is at arc length `front_s` (m) waits before a stop point other than the goal.

    It does when the nearest such line is less than `reach_m` ahead of its front, or less than `past_m` behind it.
    """
    lines = np.array([stop.s for stop in route.stops if stop.kind is not StopKind.GOAL])
    ahead = lines[None, :] - front_s[:, None]
    return ((ahead > -past_m) & (ahead < reach_m)).any(axis=1)


def _spans(lane: Int[Array, "point"], s: Float[Array, "point"]) -> Iterator[tuple[int, float, float]]:
    """(lane id, first s, last s) of each run of one lane."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(lane)) + 1, [len(lane)]])
    for first, last in zip(starts[:-1], starts[1:], strict=True):
        yield int(lane[first]), float(s[first]), float(s[min(last, len(s) - 1)])


def _line_s(lane: Lane, frame: FrenetFrame, begin: float, end: float, places: StopPlaces) -> float | None:
    """Where the lane's stop line crosses the path, or comes nearest to it; None without a line near."""
    if lane.stop_line is None:
        return None
    middle = 0.5 * (begin + end)
    window = 0.5 * (end - begin) + places.line_reach_m
    line = np.linspace(lane.stop_line[0], lane.stop_line[1], 21)
    s, d = frame.project_near(line, middle, window)
    nearest = int(np.argmin(np.abs(d)))
    return float(s[nearest]) if abs(d[nearest]) < places.far_m else None


def _signal(
    lane_map: LaneMap, lane: Lane, spans: list[tuple[int, float, float]], index: int, at: float | None
) -> StopPoint:
    """Signals stand before the junction lane: `lane` itself where it is one, else the lane after it."""
    _, begin, end = spans[index]
    inside = lane.turn is not Turn.NONE and not _leads_into_turn(lane_map, spans, index)
    line = at if at is not None else begin if inside else end
    clear = end if inside and line < end - 1.0 else _junction_end(lane_map, spans, index, line)
    return StopPoint(StopKind.SIGNAL, lane.signals[0], line, max(clear, line), signals=lane.signals)


def _leads_into_turn(lane_map: LaneMap, spans: list[tuple[int, float, float]], index: int) -> bool:
    """Whether the next lane is a junction lane without signals: then the signals here are those before it."""
    if index + 1 >= len(spans):
        return False
    after = lane_map.lanes.get(spans[index + 1][0])
    return after is not None and after.turn is not Turn.NONE and not after.signals


def _junction_end(lane_map: LaneMap, spans: list[tuple[int, float, float]], index: int, line: float) -> float:
    """Where the junction behind a line at the end of lane `index` ends: the end of the lanes that turn there."""
    end = spans[index][2]
    for lane_id, _, last in spans[index + 1 :]:
        lane = lane_map.lanes.get(lane_id)
        if lane is None or (lane.turn is Turn.NONE and end > line + 1.0):
            break
        end = last
        if lane.turn is Turn.NONE:
            break
    return max(end, line)


def _yielding(
    lane_map: LaneMap, lane: Lane, frame: FrenetFrame, begin: float, end: float, at: float | None, places: StopPlaces
) -> list[StopPoint]:
    """The stop before the first lane with priority that the path crosses; none where it crosses no such lane."""
    reach = end + places.line_reach_m
    line = shapely.LineString(frame.point(np.linspace(begin, reach, max(int(reach - begin) * 2, 2))))
    areas = [lane_polygon(lane_map.lanes[i]) for i in lane.yields_to if i in lane_map.lanes]
    conflict = shapely.union_all([shapely.make_valid(shapely.Polygon(area)) for area in areas])
    shared = shapely.get_coordinates(line.intersection(conflict))
    if not len(shared):
        return []
    along, _ = frame.project_near(shared, 0.5 * (begin + reach), 0.5 * (reach - begin) + 5.0)
    first, last = float(along.min()), float(along.max())
    waits_inside = bool(lane.signals)  # a signal's line is not where one waits for a gap on green
    stop = min(max(begin, first - places.yield_m), first) if at is None or waits_inside else at
    return [StopPoint(StopKind.YIELD, lane.id, stop, max(last, stop), yields_to=lane.yields_to)]


def _merged(found: list[StopPoint]) -> list[StopPoint]:
    """Stops of one kind for the same rule on consecutive lanes as one: the first line, the last end."""
    result: list[StopPoint] = []
    for stop in found:
        same = [
            i for i, other in enumerate(result)
            if other.kind == stop.kind == StopKind.SIGNAL and set(other.signals) & set(stop.signals)
            and stop.s < other.clear_s + 1.0
        ]  # fmt: skip
        if not same:
            result.append(stop)
            continue
        other = result[same[0]]
        signals = tuple(dict.fromkeys((*other.signals, *stop.signals)))
        result[same[0]] = StopPoint(
            stop.kind, other.id, min(other.s, stop.s), max(other.clear_s, stop.clear_s), signals
        )
    return result


def _crosswalks(lane_map: LaneMap, frame: FrenetFrame, lanes: set[int], places: StopPlaces) -> list[StopPoint]:
    path = shapely.LineString(frame.points)
    found = []
    for walk in lane_map.crosswalks:
        area = shapely.make_valid(shapely.Polygon(walk.polygon))
        for piece in shapely.get_parts(path.intersection(area)):
            if piece.geom_type != "LineString" or piece.length < 0.5:
                continue
            ends = np.array(piece.coords)[[0, -1]]
            begin, end = sorted(float(path.project(shapely.Point(p))) for p in ends)
            stop = begin - places.crosswalk_m
            for line in (line for lane_id, line in walk.stop_lines.items() if lane_id in lanes):
                at, aside = frame.project_near(np.linspace(line[0], line[1], 21), begin, places.line_reach_m)
                nearest = int(np.argmin(np.abs(aside)))
                if abs(aside[nearest]) < places.far_m and at[nearest] <= begin:
                    stop = float(at[nearest])
            found.append(StopPoint(StopKind.CROSSWALK, walk.id, stop, end, polygon=walk.polygon))
    return found
