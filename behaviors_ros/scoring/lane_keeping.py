"""Scorer: staying near the path of the route."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import terms


class LaneKeepingParameters(Parameters):
    """Weight and scale."""

    weight: float = value(1.5, "share in the weighted mean", low=0.0, high=100.0)
    offset_m: float = value(1.0, "RMS offset at which the score is one half", low=0.05, high=5.0)


@register("scorer", "lane_keeping")
class LaneKeeping:
    """Raw: RMS offset from the path, m. Score: 1 / (1 + (raw / offset)^2): going around something still scores."""

    parameters = LaneKeepingParameters

    def __init__(self, parameters: LaneKeepingParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.p = parameters

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        offset = np.sqrt(np.square(candidates.d).mean(axis=1))
        return terms(offset, 1.0 / (1.0 + np.square(offset / self.p.offset_m)), candidates)
