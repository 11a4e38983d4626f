"""Scorer: getting on along the route."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Candidates, Predictions, Route, Scene, StopKind, Terms, Trajectory
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import finite, terms


class ProgressParameters(Parameters):
    """Weight, and what is possible."""

    weight: float = value(10.0, "share in the weighted mean", low=0.0, high=100.0)
    acceleration_mps2: float = value(
        1.5, "acceleration towards the speed limit that counts as possible", low=0.1, high=5.0
    )
    floor_m: float = value(0.1, "distances below this count as this, as in nuPlan", low=0.001, high=10.0)


@register("scorer", "progress")
class Progress:
    """Raw: distance along the route in the horizon, up to a goal that is halted at, m.

    Score: root of raw over the distance possible.

    By the root the first metres count most: getting past an obstacle slowly is much better than standing behind it.
    """

    parameters = ProgressParameters

    def __init__(self, parameters: ProgressParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        start, goal_s = candidates.s[:, 0], self._end(scene.route)
        raw = np.minimum(candidates.s[:, -1], np.maximum(goal_s, start)) - start
        any_finite = int(np.argmax(finite(candidates)))
        possible = self._possible(scene.route, candidates.trajectory(any_finite), float(start[any_finite]))
        floor = self.p.floor_m
        return terms(raw, np.sqrt(np.maximum(raw, floor) / max(possible, floor)), candidates)

    def _end(self, route: Route) -> float:
        """Arc length beyond which nothing is gained, m: the goal, where one halts there."""
        halts = any(stop.kind == StopKind.GOAL for stop in route.stops)
        return route.goal_s if halts else float("inf")

    def _possible(self, route: Route, trajectory: Trajectory, start_s: float) -> float:
        """Distance from a trajectory's start with constant acceleration up to the speed limit there, up to the end, m.

        A start above the limit counts as at the limit from the next step on. Trapezoidal rule over the grid.
        """
        fastest = (self.p.acceleration_mps2, self.vehicle.speed_max_mps)
        s = at_the_limit(trajectory.time_s, start_s, float(trajectory.speed[0]), *fastest, route.s, route.speed_limit)
        return max(min(s, self._end(route)) - start_s, 0.0)


@no_type_check
@njit(cache=True)
def at_the_limit(time_s, s, speed, acceleration, fastest, limit_s, limits):
    """Arc length reached from `s` by constant acceleration up to the limits, which are `limits` at `limit_s`."""
    speed = max(speed, 0.0)
    for k in range(len(time_s) - 1):
        dt = time_s[k + 1] - time_s[k]
        limit = limits[min(np.searchsorted(limit_s, s), len(limit_s) - 1)]
        faster = min(speed + acceleration * dt, limit, fastest)
        s, speed = s + 0.5 * (speed + faster) * dt, faster
    return s
