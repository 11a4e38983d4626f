"""Gate: the vehicle must be able to follow, and the motion must be consistent in itself."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Verdict
from behaviors_ros.geometry.angles import cos_sin
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_most


class KinematicParameters(Parameters):
    """Tolerances on the vehicle's limits."""

    tolerance: float = value(0.01, "excess over a limit that is rounding, as a ratio", low=0.0, high=0.2)
    start_s: float = value(0.5, "time in which what is measured now may still be beyond a limit", low=0.0, high=2.0)
    start_factor: float = value(1.5, "factor on limits of rates in that time", low=1.0, high=5.0)
    position_error_m: float = value(
        0.1, "largest disagreement of position with speed and yaw in a step", low=0.0, high=1.0
    )
    yaw_error_rad: float = value(
        0.03, "largest disagreement of yaw with speed and curvature in a step", low=0.0, high=0.5
    )
    reverse_mps: float = value(0.1, "largest speed backwards", low=0.0, high=5.0)


@register("gate", "kinematic")
class Kinematic:
    """Value: largest ratio of a quantity to its limit: curvature, steering rate, speed, acceleration, deceleration,
    lateral acceleration, longitudinal jerk, and disagreement of position and yaw with speed and curvature.
    """

    parameters = KinematicParameters

    def __init__(self, parameters: KinematicParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        start = int(np.searchsorted(candidates.time_s, self.p.start_s))
        v, p, c = self.vehicle, self.p, candidates
        limits = np.array([
            v.curvature_max_1pm, v.speed_max_mps, max(p.reverse_mps, 1e-6), v.acceleration_max_mps2,
            v.deceleration_max_mps2, v.lateral_acceleration_max_mps2, v.steering_rate_max_radps, v.jerk_max_mps3,
            max(p.position_error_m, 1e-6), max(p.yaw_error_rad, 1e-6),
        ])  # fmt: skip
        worst = worst_ratio(
            c.time_s, c.position, c.yaw, c.speed, c.acceleration, c.curvature, v.wheel_base_m, limits, start,
            p.start_factor,
        )  # fmt: skip
        return at_most(worst, 1.0 + self.p.tolerance, candidates)


@no_type_check
@njit(cache=True, error_model="numpy")
def worst_ratio(time_s, position, yaw, speed, acceleration, curvature, wheel_base, limits, start, start_factor):
    """Largest ratio (candidate,) of a quantity to its limit; NaN where a value is.

    limits: of curvature, speed, speed backwards, acceleration, deceleration, lateral acceleration, and of what is asked
    of the interval after a step: steering rate, jerk, position error m, yaw error rad. Before step `start` a state may
    be as far beyond its limit as at step 0, a quantity of an interval by `start_factor`. Errors are against the
    trapezoidal rule from the begin of the interval.
    """
    out, states, rates = np.empty(len(yaw)), np.empty(6), np.empty(4)
    steps = yaw.shape[1]
    for i in range(len(yaw)):
        worst, sound = 0.0, 0.0
        now = np.zeros(6)
        for step in range(steps):
            v, a, k = speed[i, step], acceleration[i, step], curvature[i, step]
            sound += 0.0 * (v + a + k + yaw[i, step] + position[i, step, 0] + position[i, step, 1])
            states[0], states[1], states[2], states[3], states[4], states[5] = abs(k), v, -v, a, -a, abs(k) * v * v
            if step == 0:
                now[:] = states
            for q in range(6):
                limit = max(limits[q], now[q]) if step < start else limits[q]
                if states[q] > worst * limit:  # a division costs as much as all else here
                    worst = states[q] / limit
            if step + 1 == steps:
                continue
            dt = time_s[step + 1] - time_s[step]
            next_v, next_k = speed[i, step + 1], curvature[i, step + 1]
            travelled, turned = 0.5 * (v + next_v) * dt, yaw[i, step + 1] - yaw[i, step]
            turned -= 2.0 * np.pi * np.floor(turned / (2.0 * np.pi) + 0.5)
            cos, sin = cos_sin(yaw[i, step] + 0.5 * turned)
            error_x = position[i, step + 1, 0] - position[i, step, 0] - travelled * cos
            error_y = position[i, step + 1, 1] - position[i, step, 1] - travelled * sin
            bent = wheel_base * abs(next_k - k) / dt
            loose = start_factor if step < start else 1.0
            # |atan x - atan y| is at most |x - y|: the arc tangents are needed only where they may decide.
            rates[0] = 0.0
            if not bent <= worst * limits[6] * loose:
                rates[0] = abs(math.atan(wheel_base * next_k) - math.atan(wheel_base * k)) / dt
            rates[1] = abs(acceleration[i, step + 1] - a) / dt
            rates[2] = math.sqrt(error_x * error_x + error_y * error_y)
            rates[3] = abs(turned - 0.5 * (k + next_k) * travelled)
            for q in range(4):
                if rates[q] > worst * limits[6 + q] * loose:
                    worst = rates[q] / (limits[6 + q] * loose)
        out[i] = worst + sound
    return out
