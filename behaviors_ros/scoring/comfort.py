"""Scorer: comfort by acceleration dose and jerk."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

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
        p = self.p
        limits = np.array([p.longitudinal_mps2, p.jerk_mps3, p.lateral_mps2, p.lateral_jerk_mps3])
        dose = doses(candidates.time_s, candidates.speed, candidates.acceleration, candidates.curvature, limits)
        return terms(np.sqrt(dose), 1.0 / (1.0 + dose / 4.0), candidates)


@no_type_check
@njit(cache=True, error_model="numpy")
def doses(time_s, speed, acceleration, curvature, limits):
    """Mean over time (candidate,) of the squares of longitudinal acceleration and jerk and lateral acceleration and
    jerk, each over its limit, added.
    """
    out, steps = np.empty(len(speed)), speed.shape[1]
    for i in range(len(speed)):
        state, rate, before, before_lateral = 0.0, 0.0, 0.0, 0.0
        for step in range(steps):
            along, lateral = acceleration[i, step], curvature[i, step] * speed[i, step] * speed[i, step]
            state += (along / limits[0]) ** 2 + (lateral / limits[2]) ** 2
            if step:
                dt = time_s[step] - time_s[step - 1]
                rate += ((along - before) / dt / limits[1]) ** 2 + ((lateral - before_lateral) / dt / limits[3]) ** 2
            before, before_lateral = along, lateral
        out[i] = state / steps + rate / max(steps - 1, 1)
    return out
