"""Scorer: keeping to the speed limit."""

from __future__ import annotations

import numpy as np

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
        limit = np.interp(candidates.s, scene.route.s, scene.route.speed_limit)
        over = np.maximum(candidates.speed - limit, 0.0).mean(axis=1)
        return terms(over, 1.0 - over / self.p.overspeed_max_mps, candidates)
