"""Comfort of an executed motion, by definitions and thresholds of the nuPlan benchmark (Karnchanachari et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.signal import savgol_filter

from behaviors_ros.datatypes import Array
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.parameters import Parameters, value


class ComfortLimits(Parameters):
    """What counts as comfortable, and how executed states are smoothed before they are judged."""

    acceleration_max_mps2: float = value(2.40, "largest longitudinal acceleration", low=0.0)
    deceleration_max_mps2: float = value(4.05, "largest braking", low=0.0)
    lateral_acceleration_max_mps2: float = value(4.89, "largest lateral acceleration", low=0.0)
    yaw_rate_max_radps: float = value(0.95, "largest yaw rate", low=0.0)
    yaw_acceleration_max_radps2: float = value(1.93, "largest yaw acceleration", low=0.0)
    longitudinal_jerk_max_mps3: float = value(4.13, "largest longitudinal jerk", low=0.0)
    jerk_max_mps3: float = value(8.37, "largest jerk magnitude", low=0.0)
    window_s: float = value(0.8, "span of the quadratic fit that gives accelerations and yaw rates", low=0.2, high=5.0)
    jerk_window_s: float = value(1.4, "span of the fit that gives jerk and yaw acceleration", low=0.4, high=5.0)


@dataclass(frozen=True, eq=False)
class Comfort:
    """Time courses, SI units; jerk: magnitude of the jerk vector in the plane."""

    acceleration: Float[Array, "step"]
    lateral_acceleration: Float[Array, "step"]
    yaw_rate: Float[Array, "step"]
    yaw_acceleration: Float[Array, "step"]
    longitudinal_jerk: Float[Array, "step"]
    jerk: Float[Array, "step"]


def comfort(drive: Drive, limits: ComfortLimits) -> Comfort:
    """Accelerations and jerks of the executed states.

    Derivatives are those of Savitzky-Golay fits to executed speed and heading: quadratic over `window_s` for the first,
    over `jerk_window_s` for what is derived from them again. The lateral acceleration is speed times yaw rate.
    """
    acceleration = slope(drive.speed, drive.dt_s, limits.window_s)
    yaw_rate = slope(drive.yaw, drive.dt_s, limits.window_s)
    lateral = drive.speed * yaw_rate
    forward_jerk = slope(acceleration, drive.dt_s, limits.jerk_window_s)
    # In the turning body frame the derivative of a vector has the additional term yaw rate x vector.
    along = forward_jerk - yaw_rate * lateral
    across = slope(lateral, drive.dt_s, limits.jerk_window_s) + yaw_rate * acceleration
    yaw_acceleration = slope(yaw_rate, drive.dt_s, limits.jerk_window_s)
    return Comfort(acceleration, lateral, yaw_rate, yaw_acceleration, forward_jerk, np.hypot(along, across))


def slope(values: Float[Array, "step"], dt_s: float, window_s: float) -> Float[Array, "step"]:
    """Derivative by a quadratic Savitzky-Golay fit over about `window_s`; over all there is where that is shorter."""
    count = len(values)
    window = min(2 * round(0.5 * window_s / dt_s) + 1, count - 1 + count % 2)
    if window < 3:
        return np.gradient(values, dt_s) if count > 1 else np.zeros(count)
    return np.asarray(savgol_filter(values, window, 2, deriv=1, delta=dt_s, mode="interp"))


def violations(found: Comfort, limits: ComfortLimits) -> tuple[str, ...]:
    """Names of the limits that were passed, empty when the drive was comfortable."""
    checks = {
        "acceleration": found.acceleration.max(initial=0.0) > limits.acceleration_max_mps2,
        "deceleration": -found.acceleration.min(initial=0.0) > limits.deceleration_max_mps2,
        "lateral_acceleration": _largest(found.lateral_acceleration) > limits.lateral_acceleration_max_mps2,
        "yaw_rate": _largest(found.yaw_rate) > limits.yaw_rate_max_radps,
        "yaw_acceleration": _largest(found.yaw_acceleration) > limits.yaw_acceleration_max_radps2,
        "longitudinal_jerk": _largest(found.longitudinal_jerk) > limits.longitudinal_jerk_max_mps3,
        "jerk": _largest(found.jerk) > limits.jerk_max_mps3,
    }
    return tuple(name for name, passed in checks.items() if passed)


def _largest(values: Float[Array, "step"]) -> float:
    return float(np.abs(values).max(initial=0.0))
