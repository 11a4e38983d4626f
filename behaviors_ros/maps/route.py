"""Routes: search, reference path with widths and stops, and the mapless substitute."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import shapely
from jaxtyping import Float

from behaviors_ros.datatypes import Array, EgoState, Goal, LaneMap, Route
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polylines import arc_length, headings, resample
from behaviors_ros.maps.drivable import Widths, drivable_region, region, side_widths
from behaviors_ros.maps.reference import Reference, Shape, reference_path
from behaviors_ros.maps.search import SearchCosts, search
from behaviors_ros.maps.stops import StopPlaces, stop_points
from behaviors_ros.parameters import Parameters, value

__all__ = ["RouteBuilding", "SearchCosts", "build_route", "mapless_route", "route_frame", "search"]

_frames: WeakKeyDictionary[Route, FrenetFrame] = WeakKeyDictionary()


class RouteBuilding(Parameters):
    """How a route is made from its lanes."""

    mapless_length_m: float = value(200.0, "length of a mapless route without a centre line", low=10.0, high=2000.0)
    shape: Shape = Shape()
    widths: Widths = Widths()
    stops: StopPlaces = StopPlaces()


def route_frame(route: Route) -> FrenetFrame:
    """Frenet frame of the route's path, cached by the route's identity."""
    if route not in _frames:
        _frames[route] = FrenetFrame(route.path)
    return _frames[route]


def build_route(
    lane_map: LaneMap,
    lane_ids: tuple[int, ...],
    goal: Goal,
    start_position: Float[Array, "2"] | None = None,
    building: RouteBuilding | None = None,
    stamp_ns: int = 0,
) -> Route:
    """The route along `lane_ids` (as `search` gives them) to `goal`; it starts up to 30 m before `start_position`.

    stamp_ns: when it is set, from which the goal's times count.

    Raises `InputError` for lanes that are not on the map or do not follow each other.
    """
    building = building or RouteBuilding()
    _check_lanes(lane_map, lane_ids)
    reference = reference_path(lane_map, tuple(lane_ids), start_position, goal.position, building.shape)
    path = reference.path
    frame, s, yaw = FrenetFrame(path), arc_length(path), headings(path)
    own, same, drivable = _widths(lane_map, reference, yaw, building.widths)
    goal_s, *span = _goal_span(goal, frame, reference.goal_s)
    stops = stop_points(lane_map, frame, reference.lane, s, goal, goal_s, span[1], building.stops)
    limits = np.array([lane_map.lanes[i].speed_limit for i in reference.lane])
    widths = (*own, *same, *drivable)
    return Route(
        tuple(lane_ids), goal, goal_s, s, path, limits, reference.lane, *widths, stops, span[0], span[1], stamp_ns
    )


def _check_lanes(lane_map: LaneMap, lane_ids: tuple[int, ...]) -> None:
    source = lane_map.name or "map"
    if not lane_ids:
        raise InputError(source, "route", "has no lanes", "give at least one lane id")
    for lane_id in lane_ids:
        if lane_id not in lane_map.lanes:
            raise InputError(source, "route", f"lane {lane_id} is not on the map", "use the map the route was made for")
    for here, there in zip(lane_ids[:-1], lane_ids[1:], strict=True):
        lane = lane_map.lanes[here]
        if there not in (*lane.successors, lane.left, lane.right):
            problem = f"lane {there} neither follows lane {here} nor lies beside it"
            raise InputError(source, "route", problem, "give lanes as the search returns them")


def _widths(
    lane_map: LaneMap, reference: Reference, yaw: Float[Array, "point"], widths: Widths
) -> list[tuple[Array, Array]]:
    """(left, right) widths of own lane, lanes of own direction, everything drivable: each at least the one before.

    During a lane change both lanes together are the own lane.
    """
    path, reach = reference.path, widths.reach_m
    own = np.zeros((2, len(path)))
    for pair in np.unique(reference.track, axis=0):
        on = np.all(reference.track == pair, axis=1)
        lanes = [i for index in pair for i in reference.tracks[index].lanes]
        own[:, on] = side_widths(path[on], yaw[on], region(lane_map, lanes, widths), reach)
    beside = region(lane_map, _same_direction(lane_map, reference), widths)
    same = np.maximum(own, side_widths(path, yaw, beside, reach))
    every = np.stack(side_widths(path, yaw, drivable_region(lane_map, path, widths), reach))
    result = (own, same, np.maximum(same, every))
    for sides in result:
        # The ends of the path lie on the end edge of a lane: a ray along that edge says nothing.
        sides[:, [0, -1]] = sides[:, [1, -2]]
    return [(sides[0], sides[1]) for sides in result]


def _same_direction(lane_map: LaneMap, reference: Reference) -> list[int]:
    """The lanes of the tracks and all lanes that can be changed into from them, one after the other."""
    found = list(dict.fromkeys(i for track in reference.tracks for i in track.lanes))
    for lane_id in found:
        lane = lane_map.lanes[lane_id]
        found += [i for i in (lane.left, lane.right) if i in lane_map.lanes and i not in found]
    return found


def _goal_span(goal: Goal, frame: FrenetFrame, near_s: float) -> tuple[float, float, float]:
    """(arc length of the goal, first and last at which the path is in its region); all the same for a mere position.

    Where the path meets the goal several times, the time nearest to `near_s` counts.
    """
    if goal.polygon is not None:
        try:
            area = shapely.make_valid(shapely.Polygon(goal.polygon))
        except shapely.errors.ShapelyError as error:
            why = " ".join(str(error).split())
            raise InputError("route", "goal_polygon", f"is no region ({why})", "send the outline of a place") from None
        inside = frame.s[shapely.contains_xy(area, frame.points[:, 0], frame.points[:, 1])]
        if len(inside):
            runs = np.split(inside, np.flatnonzero(np.diff(inside) > 5.0) + 1)
            run = min(runs, key=lambda s: np.abs(s - near_s).min())
            return float(0.5 * (run[0] + run[-1])), float(run[0]), float(run[-1])
    at = float(np.clip(frame.project_near(goal.position, near_s, 20.0)[0], 0.0, frame.length))
    return at, at, at


def mapless_route(
    centre_line: Float[Array, "point 2"] | None,
    ego: EgoState,
    goal: Goal | None,
    speed_limit: float,
    half_width: float,
    building: RouteBuilding | None = None,
    stamp_ns: int = 0,
) -> Route:
    """A route without a map, its lane -1: along a centre line, or straight ahead of the ego for 200 m.

    speed_limit m/s; half_width m: all six widths. Without a goal the goal is the end of the line, with no halt there.
    """
    building = building or RouteBuilding()
    if not (0.0 < speed_limit < np.inf and 0.0 < half_width < np.inf):
        raise InputError(
            "mapless route", "speed_limit, half_width", f"are {speed_limit:g}, {half_width:g}", "give values above 0"
        )
    if centre_line is None:
        ahead = np.array([np.cos(ego.yaw), np.sin(ego.yaw)])
        centre_line = ego.position + np.array([[-building.shape.before_m], [building.mapless_length_m]]) * ahead
    path = resample(np.asarray(centre_line, dtype=np.float64), building.shape.spacing_m)
    frame, s = FrenetFrame(path), arc_length(path)
    goal = goal or Goal(path[-1], speed=(0.1, np.inf))
    goal_s, *span = _goal_span(goal, frame, float(frame.project(goal.position)[0]))
    width, lane = np.full(len(path), float(half_width)), np.full(len(path), -1)
    stops = stop_points(LaneMap("", {}), frame, lane, s, goal, goal_s, span[1], building.stops)
    limit = np.full(len(path), float(speed_limit))
    widths = (width,) * 6
    return Route((), goal, goal_s, s, path, limit, lane, *widths, stops, span[0], span[1], stamp_ns)
