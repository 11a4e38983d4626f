"""Whether a tracker takes a trajectory that it is sent: by code that trusts nobody."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import EgoState, Trajectory
from behaviors_ros.parameters import Parameters, value

NS = 1_000_000_000


class Admission(Parameters):
    """What a trajectory must be to be followed."""

    age_max_s: float = value(
        0.6, "age of the stamp of a trajectory that does not end at standstill; a stop may be driven to its end",
        low=0.05, high=10.0,
    )  # fmt: skip
    future_max_s: float = value(0.1, "a trajectory stamped further ahead of the clock is refused", low=0.0, high=1.0)
    points_max: int = value(2000, "most points", low=2, high=100000)
    reach_max_m: float = value(500.0, "farthest point from the vehicle", low=10.0, high=1e5)
    speed_max_mps: float = value(80.0, "largest speed, forwards or backwards", low=1.0, high=200.0)
    acceleration_max_mps2: float = value(30.0, "largest acceleration", low=1.0, high=200.0)
    curvature_max_1pm: float = value(5.0, "largest curvature", low=0.01, high=100.0)
    standing_mps: float = value(0.15, "a last speed below this is standstill", low=0.01, high=2.0)


def refused(trajectory: Trajectory, ego: EgoState, now_ns: int, limits: Admission) -> str:
    """Why a trajectory is not followed; empty when it is."""
    columns = (trajectory.time_s, trajectory.position, trajectory.yaw, trajectory.speed, trajectory.acceleration,
               trajectory.curvature)  # fmt: skip
    if not len(trajectory.time_s) or not all(np.isfinite(column).all() for column in columns):
        return "has no points or numbers that are not finite"
    if (np.diff(trajectory.time_s) <= 0.0).any():
        return "is not in time order"
    age_s = (now_ns - trajectory.stamp_ns) / NS
    if age_s < -limits.future_max_s:
        return f"is stamped {-age_s:.2f} s ahead of the clock"
    if age_s > float(trajectory.time_s[-1]) and age_s > limits.age_max_s:
        return f"has ended {age_s - float(trajectory.time_s[-1]):.2f} s ago"
    if age_s > limits.age_max_s and abs(float(trajectory.speed[-1])) > limits.standing_mps:
        return f"is {age_s:.2f} s old"
    for name, values, limit in (
        ("position", trajectory.position - ego.position, limits.reach_max_m),
        ("speed", trajectory.speed, limits.speed_max_mps),
        ("acceleration", trajectory.acceleration, limits.acceleration_max_mps2),
        ("curvature", trajectory.curvature, limits.curvature_max_1pm),
    ):
        most = float(np.abs(values).max())
        if most > limit:
            return f"has a {name} of {most:.3g}, more than {limit:g}"
    return ""
