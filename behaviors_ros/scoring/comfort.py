"""Scorer: comfort by acceleration dose and jerk."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import terms


class ComfortParameters(Parameters):
    """Weight and comfortable limits."""

    weight: float = value(2.0, "share in the weighted mean", low=0.0, high=100.0)
    longitudinal_mps2: float = value(1.0, "comfortable longitudinal acceleration", low=0.1, high=10.0)
    lateral_mps2: float = value(1.5, "comfortable lateral acceleration", low=0.1, high=10.0)
    jerk_mps3: float = value(1.0, "comfortable longitudinal jerk", low=0.1, high=10.0)
    lateral_jerk_mps3: float = value(2.5, "comfortable lateral jerk", low=0.1, high=10.0)


@register("scorer", "comfort")
class Comfort:
    """Raw: dose, the root of the mean over time of the squared longitudinal and lateral accelerations and jerks, each
    over its comfortable limit. Score: 1 / (1 + dose^2 / 4), 0.5 where all four are at their limit throughout.
    """

    parameters = ComfortParameters

    def __init__(self, parameters: ComfortParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.p = parameters

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        p, dt = self.p, np.diff(candidates.time_s)
        lateral = candidates.curvature * candidates.speed * candidates.speed
        dose = np.zeros(len(candidates))
        for acceleration, limit, jerk_limit in (
            (candidates.acceleration, p.longitudinal_mps2, p.jerk_mps3),
            (lateral, p.lateral_mps2, p.lateral_jerk_mps3),
        ):
            dose += np.square(acceleration / limit).mean(axis=1)
            dose += np.square(np.diff(acceleration, axis=1) / dt / jerk_limit).mean(axis=1)
        return terms(np.sqrt(dose), 1.0 / (1.0 + dose / 4.0), candidates)
