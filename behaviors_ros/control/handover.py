"""How a trajectory is handed from plan to controller: begun at the vehicle, and without a jump from one to the next."""

from __future__ import annotations

import math

import numpy as np

from behaviors_ros.datatypes import EgoState, Trajectory
from behaviors_ros.geometry.angles import wrap

NS = 1_000_000_000


def from_vehicle(trajectory: Trajectory, stamp_ns: int, behind_s: float) -> Trajectory:
    """What is left of a trajectory at the vehicle state of `stamp_ns`: from `behind_s` before it to its end.

    The stamp stays, so times count from the same instant and the first is above 0. Between points position, yaw,
    speed and the rest are linear. A little is left behind the vehicle for followers that look for the nearest segment.
    """
    begin = (stamp_ns - trajectory.stamp_ns) / NS - behind_s
    times = trajectory.time_s
    if begin <= times[0]:
        return trajectory
    begin = min(begin, float(times[-2])) if len(times) > 1 else begin
    later = times > begin + 1e-6
    if not later.any():
        return trajectory
    yaw = np.unwrap(trajectory.yaw)

    def rest(column: np.ndarray) -> np.ndarray:
        return np.concatenate(([np.interp(begin, times, column)], column[later]))

    position = np.stack([rest(trajectory.position[:, axis]) for axis in (0, 1)], axis=1)
    return Trajectory(
        trajectory.stamp_ns, np.concatenate(([begin], times[later])), position, wrap(rest(yaw)),
        rest(trajectory.speed), rest(trajectory.acceleration), rest(trajectory.curvature),
    )  # fmt: skip


def jump(before: Trajectory, after: Trajectory, now_ns: int) -> tuple[float, float]:
    """Distance in m and difference in speed in m/s between two trajectories at one instant; NaN where one has ended."""
    found = []
    for trajectory in (before, after):
        time_s = (now_ns - trajectory.stamp_ns) / NS
        if not trajectory.time_s[0] <= time_s <= trajectory.time_s[-1]:
            return math.nan, math.nan
        columns = (*trajectory.position.T, trajectory.speed)
        found.append([float(np.interp(time_s, trajectory.time_s, column)) for column in columns])
    (x, y, speed), (new_x, new_y, new_speed) = found
    return math.hypot(new_x - x, new_y - y), new_speed - speed


def distance_to(trajectory: Trajectory, ego: EgoState) -> float:
    """Distance of the vehicle from a trajectory at the vehicle's own stamp, m."""
    time_s = (ego.stamp_ns - trajectory.stamp_ns) / NS
    x, y = (float(np.interp(time_s, trajectory.time_s, column)) for column in trajectory.position.T)
    return math.hypot(ego.position[0] - x, ego.position[1] - y)
