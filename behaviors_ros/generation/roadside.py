"""Places at the side of the road to come to rest: where the goal lies, or the next one that is clear."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from behaviors_ros.datatypes import Goal, LaneMap, Route, Turn
from behaviors_ros.generation import agents as columns
from behaviors_ros.generation.situation import Situation
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, value

NEAR_M = 20.0  # stretch of the path around a known arc length on which a point is looked for


class Roadside(Parameters):
    """What makes a place at the roadside."""

    aside_m: float = value(0.7, "a goal this far beside the path is at the roadside", low=0.1, high=5.0)
    inside_m: float = value(0.12, "distance to the edge of a goal's region", low=0.0, high=1.0)
    kerb_m: float = value(0.3, "distance of the ego's side to the edge of what is drivable", low=0.0, high=2.0)
    offset_max_m: float = value(6.0, "farthest from the path", low=0.5, high=20.0)
    clear_m: float = value(5.0, "distance kept to lines, crosswalks and junctions", low=0.0, high=30.0)
    apart_m: float = value(2.0, "distance kept to those who stand at the roadside", low=0.2, high=10.0)
    beside_m: float = value(0.3, "likewise beside the ego", low=0.0, high=2.0)
    every_m: int = value(2, "distance of the places that are tried", low=1, high=20)
    ahead_m: float = value(120.0, "a place is sought this far ahead", low=10.0, high=500.0)
    braking_mps2: float = value(1.2, "braking by which a place must be reached", low=0.2, high=4.0)
    shift_m: float = value(12.0, "least distance to a place, for the way across", low=2.0, high=60.0)


@dataclass(frozen=True)
class Place:
    """The ego comes to rest parallel to the road: s of its rear axle on the route path, d of its middle line, m."""

    s: float
    d: float


def at_the_goal(situation: Situation, goal: Goal, rules: Roadside) -> tuple[Place, ...]:
    """The places of a goal at the roadside, its own and the one of its region that is nearest to the path; none where
    the goal lies in the way, off the road or behind.

    A goal lies in the way where its region holds the path; without a region, where it is near the path.
    """
    route, vehicle = situation.route, situation.vehicle
    s = route.goal_s - vehicle.centre_offset_m
    if goal.anywhere or s < situation.s - situation.driving.hold_m or s > situation.s + rules.ahead_m:
        return ()
    frame = route_frame(route)
    wanted = [float(frame.project_near(goal.position, route.goal_s, NEAR_M)[1])]
    aside = abs(wanted[0]) >= rules.aside_m
    if goal.polygon is not None:
        ring = frame.project_near(goal.polygon, route.goal_s, NEAR_M)[1]
        aside = bool(ring.min() > 0.0 or ring.max() < 0.0)
        near = float(ring[np.argmin(np.abs(ring))]) + math.copysign(rules.inside_m, wanted[0])
        wanted += [near] if abs(near) < abs(wanted[0]) else []
    left, right = _edges(situation, s, rules.kerb_m)
    if not aside or abs(wanted[0]) > rules.offset_max_m or right <= -left:
        return ()
    return tuple(Place(s, min(max(d, -right), left)) for d in wanted)


def next_clear(situation: Situation, rules: Roadside, least_s: float | None = None) -> Place | None:
    """The next place at the roadside that is clear of lines, crosswalks, junctions and of those who stand there.

    least_s: no place before it; without it the nearest that the ego reaches gently.
    """
    speed = situation.start.speed
    nearest = situation.s + max(0.5 * speed**2 / rules.braking_mps2 + speed, rules.shift_m)
    begin = math.ceil((nearest if least_s is None else least_s) / rules.every_m - 1e-6) * rules.every_m
    left_hand = situation.scene.map is not None and situation.scene.map.left_hand_traffic
    for s in np.arange(begin, min(situation.s + rules.ahead_m, float(situation.route.s[-1])), rules.every_m):
        left, right = _edges(situation, float(s), rules.kerb_m)
        place = Place(float(s), min(left, rules.offset_max_m) if left_hand else -min(right, rules.offset_max_m))
        if left > -right and _allowed(situation, place, rules) and _free(situation, place, rules):
            return place
    return None


def _edges(situation: Situation, s: float, kerb_m: float) -> tuple[float, float]:
    """How far left and right of the path the ego's middle line may be over its whole length at rest, m."""
    route, vehicle = situation.route, situation.vehicle
    along = np.linspace(s - vehicle.rear_overhang_m, s + situation.front_m, 5)
    kept = 0.5 * vehicle.width_m + kerb_m
    left, right = (np.interp(along, route.s, width).min() for width in (route.left_same, route.right_drivable))
    if situation.scene.map is not None and situation.scene.map.left_hand_traffic:
        left, right = (np.interp(along, route.s, width).min() for width in (route.left_drivable, route.right_same))
    return float(left) - kept, float(right) - kept


def _allowed(situation: Situation, place: Place, rules: Roadside) -> bool:
    """Whether the place is clear of lines with what lies behind them, and of lanes that turn in a junction."""
    rear, front = place.s - situation.vehicle.rear_overhang_m, place.s + situation.front_m
    near = rules.clear_m
    if any(rear < max(stop.clear_s, stop.s) + near and front > stop.s - near for stop in _lines(situation.route)):
        return False
    return not _turns(situation.route, situation.scene.map, rear - near, front + near)


def _lines(route: Route) -> list:
    """Stop points other than the goal."""
    return [stop for stop in route.stops if stop.kind.name != "GOAL"]


def _turns(route: Route, lane_map: LaneMap | None, begin: float, end: float) -> bool:
    """Whether the route is on a lane that turns between two arc lengths."""
    if lane_map is None:
        return False
    lanes = np.unique(route.lane[(route.s >= begin) & (route.s <= end)])
    return any(int(i) in lane_map.lanes and lane_map.lanes[int(i)].turn is not Turn.NONE for i in lanes)


def _free(situation: Situation, place: Place, rules: Roadside) -> bool:
    """Whether nobody stands there."""
    if not len(situation.agents):
        return True
    now, vehicle = situation.agents.along[:, 0], situation.vehicle
    station = place.s - situation.s + situation.station
    rear, front = station - vehicle.rear_overhang_m - rules.apart_m, station + situation.front_m + rules.apart_m
    half = 0.5 * vehicle.width_m + rules.beside_m
    along = (now[:, columns.FRONT] > rear) & (now[:, columns.REAR] < front)
    across = (now[:, columns.LEFT] > place.d - half) & (now[:, columns.RIGHT] < place.d + half)
    slow = np.abs(now[:, columns.SPEED]) < situation.driving.restart_mps2 + 0.5
    return not bool((along & across & slow).any())
