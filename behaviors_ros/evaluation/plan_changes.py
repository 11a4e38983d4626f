"""Plan-to-plan consistency by the extended driving score (EPDMS; NAVSIM v2, "extended comfort")."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array, Plan, Trajectory
from behaviors_ros.parameters import Parameters, value


class ConsistencyRules(Parameters):
    """Root mean square changes, over the time that two plans share, up to which the second continues the first."""

    acceleration_mps2: float = value(0.7, "change of the acceleration", low=0.0)
    jerk_mps3: float = value(0.5, "change of the jerk", low=0.0)
    yaw_rate_radps: float = value(0.1, "change of the yaw rate", low=0.0)
    yaw_acceleration_radps2: float = value(0.1, "change of the yaw acceleration", low=0.0)


def changes(before: Trajectory, after: Trajectory) -> Float[Array, "4"]:
    """RMS change of acceleration, jerk, yaw rate and yaw acceleration at the instants of `after` that `before` has."""
    return _changes(before, after, _dynamics(before), _dynamics(after))


def consistency(plans: Sequence[Plan], rules: ConsistencyRules) -> float:
    """Share of the plans that continue their predecessor, in [0, 1]; 1 for fewer than two plans."""
    limits = np.array([rules.acceleration_mps2, rules.jerk_mps3, rules.yaw_rate_radps, rules.yaw_acceleration_radps2])
    made = [(plan.trajectory, _dynamics(plan.trajectory)) for plan in plans]
    held = [bool((_changes(a, b, of_a, of_b) <= limits).all()) for (a, of_a), (b, of_b) in pairwise(made)]
    return float(np.mean(held)) if held else 1.0


def _changes(
    before: Trajectory, after: Trajectory, of_before: Float[Array, "4 step"], of_after: Float[Array, "4 step"]
) -> Float[Array, "4"]:
    shift_s = (after.stamp_ns - before.stamp_ns) * 1e-9
    shared = after.time_s + shift_s <= before.time_s[-1] + 1e-9
    if not shared.any():
        return np.zeros(4)
    at = after.time_s[shared] + shift_s
    earlier = np.array([np.interp(at, before.time_s, values) for values in of_before])
    return np.sqrt(np.mean((earlier - of_after[:, shared]) ** 2, axis=1))


def _dynamics(trajectory: Trajectory) -> Float[Array, "4 step"]:
    """Rows: acceleration, jerk, yaw rate (speed x curvature), yaw acceleration."""
    yaw_rate = trajectory.speed * trajectory.curvature
    jerk, yaw_acceleration = np.gradient(np.stack((trajectory.acceleration, yaw_rate)), trajectory.time_s, axis=1)
    return np.stack((trajectory.acceleration, jerk, yaw_rate, yaw_acceleration))
