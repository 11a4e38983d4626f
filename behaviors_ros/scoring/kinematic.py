"""Gate: the vehicle must be able to follow, and the motion must be consistent in itself."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Verdict
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_most

Array = np.ndarray


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
        worst = np.zeros(len(candidates))
        for quantity, limit in self._states(candidates):
            first, later = largest(quantity, start)
            worst = np.maximum(worst, np.maximum(first / np.maximum(limit, quantity[:, 0]), later / limit))
        for quantity, limit in self._rates(candidates):
            first, later = largest(quantity, start)
            worst = np.maximum(worst, np.maximum(first / (limit * self.p.start_factor), later / limit))
        return at_most(worst, 1.0 + self.p.tolerance, candidates)

    def _states(self, candidates: Candidates) -> list[tuple[Float[Array, "candidate step"], float]]:
        """Quantities of a step, not negative where they count, and their limits."""
        v, speed = self.vehicle, candidates.speed
        return [
            (np.abs(candidates.curvature), v.curvature_max_1pm),
            (speed, v.speed_max_mps),
            (-speed, max(self.p.reverse_mps, 1e-6)),
            (candidates.acceleration, v.acceleration_max_mps2),
            (-candidates.acceleration, v.deceleration_max_mps2),
            (np.abs(candidates.curvature) * speed * speed, v.lateral_acceleration_max_mps2),
        ]

    def _rates(self, candidates: Candidates) -> list[tuple[Float[Array, "candidate interval"], float]]:
        """Quantities of the interval between two steps, and their limits."""
        dt = np.diff(candidates.time_s)
        steering = np.arctan(self.vehicle.wheel_base_m * candidates.curvature)
        position_error, yaw_error = disagreement(candidates)
        return [
            (np.abs(np.diff(steering, axis=1)) / dt, self.vehicle.steering_rate_max_radps),
            (np.abs(np.diff(candidates.acceleration, axis=1)) / dt, self.vehicle.jerk_max_mps3),
            (position_error, max(self.p.position_error_m, 1e-6)),
            (yaw_error, max(self.p.yaw_error_rad, 1e-6)),
        ]


def disagreement(
    candidates: Candidates,
) -> tuple[Float[Array, "candidate interval"], Float[Array, "candidate interval"]]:
    """Position (m) and yaw (rad) at the end of each interval against the trapezoidal rule from its start."""
    dt = np.diff(candidates.time_s)
    travelled = 0.5 * (candidates.speed[:, 1:] + candidates.speed[:, :-1]) * dt
    turned = np.diff(candidates.yaw, axis=1)
    turned -= 2.0 * np.pi * np.round(turned / (2.0 * np.pi))
    yaw_error = turned - 0.5 * (candidates.curvature[:, 1:] + candidates.curvature[:, :-1]) * travelled
    middle = candidates.yaw[:, :-1] + 0.5 * turned
    moved = np.diff(candidates.position, axis=1)
    error_x, error_y = moved[..., 0] - travelled * np.cos(middle), moved[..., 1] - travelled * np.sin(middle)
    return np.sqrt(error_x * error_x + error_y * error_y), np.abs(yaw_error)


@no_type_check
@njit(cache=True)
def largest(quantity, start):
    """Largest value of each row (row, step), at least 0, before step `start` and from it on; NaN where a value is."""
    first, later = np.zeros(len(quantity)), np.zeros(len(quantity))
    for i in range(quantity.shape[0]):
        most, rest = 0.0, 0.0
        for step in range(min(start, quantity.shape[1])):
            most = most if quantity[i, step] <= most or most != most else quantity[i, step]
        for step in range(start, quantity.shape[1]):
            rest = rest if quantity[i, step] <= rest or rest != rest else quantity[i, step]
        first[i], later[i] = most, rest
    return first, later
