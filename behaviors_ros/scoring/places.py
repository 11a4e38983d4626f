"""Places of the route at which a candidate halts: stop points, the goal, the end of the path."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import Candidates, Route, StopKind
from behaviors_ros.scoring.encounters import Extent

Array = np.ndarray
WORDS = {
    StopKind.SIGNAL: "signal",
    StopKind.STOP_SIGN: "stop sign",
    StopKind.YIELD: "yield line",
    StopKind.CROSSWALK: "crosswalk",
}


def place_names(route: Route) -> tuple[str, ...]:
    """Every place in words: the route's stop points, then the end of its path."""
    words = ("the goal" if stop.kind == StopKind.GOAL else f"{WORDS[stop.kind]} {stop.id}" for stop in route.stops)
    return (*words, "the end of the path")


def places(
    route: Route, candidates: Candidates, beyond_m: float, short_m: float, standing_mps: float, extent: Extent
) -> tuple[tuple[str, ...], Int[Array, "candidate"], Float[Array, "candidate"]]:
    """Names of the places; of each candidate the nearest place before which it is at its end, and the place's s, m.

    Its last front bumper is at most `beyond_m` past the place and at most `short_m` before it; -1 and inf without one.
    One that drives on is asked where it starts, from twice as far. The goal is for the box centre and may be long.
    """
    over = extent.front - extent.centre
    goal = [route.goal_s + over if stop.kind == StopKind.GOAL else stop.s for stop in route.stops]
    last = [stop.s + over if stop.kind == StopKind.GOAL else stop.s for stop in route.stops]
    begin, end = np.array([*goal, float(route.s[-1])]), np.array([*last, float(route.s[-1])])
    begin = np.minimum(begin, end)
    halts = candidates.speed[:, -1] < standing_mps
    front = (np.where(halts, candidates.s[:, -1], candidates.s[:, 0]) + extent.front)[:, None]
    short = np.where(halts, short_m, 2.0 * short_m)[:, None]
    reached = (front >= begin - short) & (front <= end + beyond_m)
    away = np.where(reached, np.maximum(begin - front, 0.0) + np.maximum(front - end, 0.0), np.inf)
    place = np.argmin(away, axis=1)
    found = np.isfinite(away[np.arange(len(away)), place])
    return place_names(route), np.where(found, place, -1), np.where(found, end[place], np.inf)
