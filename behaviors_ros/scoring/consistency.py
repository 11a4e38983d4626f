"""Scorer: not changing the plan from cycle to cycle."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.continuation import change
from behaviors_ros.scoring.footprint import terms


class ConsistencyParameters(Parameters):
    """Weight and scales."""

    weight: float = value(0.5, "share in the weighted mean", low=0.0, high=100.0)
    lateral_m: float = value(0.5, "RMS lateral change at which alone the score is one half", low=0.01, high=10.0)
    speed_mps: float = value(2.0, "RMS speed change at which alone the score is one half", low=0.01, high=10.0)


@register("scorer", "consistency")
class Consistency:
    """Raw: RMS change against the previous plan at equal times, lateral and speed each over its scale, squares added.

    Score: 1 / (1 + raw), so that small changes count as well; 1 without a previous plan.
    """

    parameters = ConsistencyParameters

    def __init__(self, parameters: ConsistencyParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.p = parameters

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        departed = change(scene, candidates)
        if departed is None:
            return terms(np.zeros(len(candidates)), np.ones(len(candidates)), candidates)
        raw = np.hypot(departed.lateral / self.p.lateral_m, departed.speed / self.p.speed_mps)
        return terms(raw, 1.0 / (1.0 + raw), candidates)
