"""Gate and scorer: driving against the traffic."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms, Verdict
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_most, terms

Array = np.ndarray


class DirectionParameters(Parameters):
    """How much is accepted: enough to pass a stopped vehicle slowly, too little to drive there."""

    window_s: float = value(1.0, "time over which the distance is added up", low=0.1, high=10.0)
    against_max_m: float = value(9.0, "largest distance against traffic in the window", low=0.0, high=100.0)


@register("gate", "direction")
class Direction:
    """Value: largest distance driven in a window with the rear axle beyond the lanes of the own direction, m."""

    parameters = DirectionParameters

    def __init__(self, parameters: DirectionParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.p = parameters

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        worst = against_traffic(scene, candidates, self.p.window_s).max(axis=1)
        return at_most(worst, self.p.against_max_m, candidates)


class DirectionComplianceParameters(Parameters):
    """The metric's two distances (nuPlan: 2 m compliant, 6 m a violation)."""

    weight: float = value(3.0, "share in the weighted mean", low=0.0, high=100.0)
    window_s: float = value(1.0, "time over which the distance is added up", low=0.1, high=10.0)
    compliant_m: float = value(2.0, "distance in the window up to which the score is 1", low=0.0, high=50.0)
    violation_m: float = value(6.0, "distance in the window from which the score is 0", low=0.1, high=100.0)


@register("scorer", "direction_compliance")
class DirectionCompliance:
    """Raw: distance driven against traffic in a window, mean over all windows, m.

    Score: mean over the windows of 1 to 0 linearly between the two distances, so that leaving the oncoming lane earlier
    is better than later.
    """

    parameters = DirectionComplianceParameters

    def __init__(self, parameters: DirectionComplianceParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.p = parameters

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        distance = against_traffic(scene, candidates, self.p.window_s)
        span = max(self.p.violation_m - self.p.compliant_m, 1e-6)
        score = np.clip(1.0 - (distance - self.p.compliant_m) / span, 0.0, 1.0).mean(axis=1)
        return terms(distance.mean(axis=1), score, candidates)


@lru_cache(maxsize=2)
def against_traffic(scene: Scene, candidates: Candidates, window_s: float) -> Float[Array, "candidate step"]:
    """Distance (m) in the `window_s` before each step driven with the rear axle outside the lanes of its direction."""
    route, steps = scene.route, len(candidates.time_s)
    first = np.searchsorted(candidates.time_s, candidates.time_s - window_s - 1e-9)
    edges = (route.s, route.left_same, route.right_same)
    return windows(candidates.position, candidates.s, candidates.d, *edges, first, np.zeros((len(candidates), steps)))


@no_type_check
@njit(cache=True)
def windows(position, s, d, route_s, left, right, first, out):
    """Fill `out` (candidate, step) with the distance driven beyond the edges since step first[step], m."""
    least_left, least_right, last = left.min(), right.min(), len(route_s) - 1
    total = np.zeros(s.shape[1])
    for i in range(len(s)):
        beyond, k = False, 0
        for step in range(1, s.shape[1]):
            total[step] = total[step - 1]
            # NaN fails both comparisons and counts as inside.
            if not (d[i, step] > least_left or d[i, step] < -least_right):
                continue
            at = min(max(s[i, step], route_s[0]), route_s[last])
            k = min(k, last - 1)
            while k > 0 and route_s[k] > at:
                k -= 1
            while k < last - 1 and route_s[k + 1] < at:
                k += 1
            u = (at - route_s[k]) / max(route_s[k + 1] - route_s[k], 1e-9)
            if d[i, step] > left[k] + u * (left[k + 1] - left[k]) or -d[i, step] > right[k] + u * (
                right[k + 1] - right[k]
            ):
                dx, dy = (
                    position[i, step, 0] - position[i, step - 1, 0],
                    position[i, step, 1] - position[i, step - 1, 1],
                )
                total[step] += math.hypot(dx, dy)
                beyond = True
        if beyond:
            for step in range(s.shape[1]):
                out[i, step] = total[step] - total[first[step]]
    return out
