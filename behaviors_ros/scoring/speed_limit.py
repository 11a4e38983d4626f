"""Scorer: keeping to the speed limit."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import terms


class SpeedLimitParameters(Parameters):
    """Weight and scale."""

    weight: float = value(4.0, "share in the weighted mean", low=0.0, high=100.0)
    overspeed_max_mps: float = value(2.23, "mean overspeed at which the score is 0, as in nuPlan", low=0.1, high=20.0)


@register("scorer", "speed_limit")
class SpeedLimit:
    """Raw: mean over time of the speed above the limit, m/s. Score: 1 - raw / `overspeed_max_mps`."""

    parameters = SpeedLimitParameters

    def __init__(self, parameters: SpeedLimitParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.p = parameters

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        over = mean_excess(candidates.s, candidates.speed, scene.route.s, scene.route.speed_limit)
        return terms(over, 1.0 - over / self.p.overspeed_max_mps, candidates)


@no_type_check
@njit(cache=True)
def mean_excess(s, speed, route_s, limit):
    """Mean over time (candidate,) of the speed above the limit at s, linear between the points of the route, m/s."""
    out, last, k = np.empty(len(s)), len(route_s) - 1, 0
    for i in range(len(s)):
        total = 0.0
        for step in range(s.shape[1]):
            at = min(max(s[i, step], route_s[0]), route_s[last])
            while k > 0 and route_s[k] > at:
                k -= 1
            while k < last - 1 and route_s[k + 1] < at:
                k += 1
            u = (at - route_s[k]) / max(route_s[k + 1] - route_s[k], 1e-9)
            total += max(speed[i, step] - limit[k] - u * (limit[k + 1] - limit[k]), 0.0)
        out[i] = total / s.shape[1]
    return out
