"""Whether the ego has arrived."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import shapely

from behaviors_ros.datatypes import EgoState, Goal
from behaviors_ros.parameters import Parameters, Vehicle, value


class Arrival(Parameters):
    """When a goal counts as reached."""

    tolerance_m: float = value(2.0, "a goal without a region is reached by a box centre this near", low=0.0, high=50.0)
    slack: float = value(1e-6, "slack on the goal's intervals of heading, speed and time", low=0.0, high=0.1)


def arrived(goal: Goal, ego: EgoState, time_s: float, vehicle: Vehicle, rules: Arrival) -> bool:
    """The box centre is in the goal's region, with the heading, speed and time since the start that it asks for.

    An alternative of the goal counts as well.
    """
    if any(arrived(other, ego, time_s, vehicle, rules) for other in goal.alternatives):
        return True
    centre = ego.position + vehicle.centre_offset_m * np.array((math.cos(ego.yaw), math.sin(ego.yaw)))
    if goal.anywhere:
        inside = True
    elif goal.polygon is None:
        inside = math.hypot(*(centre - goal.position)) <= rules.tolerance_m
    else:
        inside = bool(shapely.intersects_xy(_region(goal), *centre))
    return inside and _allowed(goal, ego, time_s, rules.slack)


@lru_cache(maxsize=64)
def _region(goal: Goal) -> shapely.Geometry:
    region = shapely.make_valid(shapely.Polygon(goal.polygon))
    shapely.prepare(region)
    return region


def _allowed(goal: Goal, ego: EgoState, time_s: float, slack: float) -> bool:
    if goal.yaw is not None:
        low, high = goal.yaw
        if (ego.yaw - low + slack) % math.tau > high - low + 2.0 * slack:
            return False
    pairs = ((ego.speed, goal.speed), (time_s, goal.time))
    return all(span is None or span[0] - slack <= number <= span[1] + slack for number, span in pairs)
