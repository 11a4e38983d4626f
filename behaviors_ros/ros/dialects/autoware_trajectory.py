"""Out: autoware_planning_msgs/Trajectory, what Autoware's trajectory follower takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from behaviors_ros.datatypes import Trajectory
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.ros.conversion import NS, header, set_yaw
from behaviors_ros.ros.dialects.interface import Dialect, HandedOn, distinct
from behaviors_ros.ros.qos import LATEST


class AutowareTrajectoryParameters(Parameters):
    """Autoware's trajectory out."""

    topic: str = value("/planning/trajectory", "topic of autoware_planning_msgs/Trajectory")
    overlap_m: float = value(0.005, "a point nearer than this to the one before is left out", low=0.0, high=0.5)


class AutowareTrajectory(Dialect):
    """The trajectory handed on, in Autoware's message."""

    name = "autoware_trajectory"
    needs = ("autoware_planning_msgs/msg/Trajectory", "autoware_planning_msgs/msg/TrajectoryPoint")

    def begin(self) -> None:
        """Advertise."""
        self.publisher = self.node.writes_to(self.types.Trajectory, self.p.topic, LATEST)

    def send(self, handed: HandedOn) -> None:
        """Publish."""
        self.publisher.publish(message(self.types, handed.trajectory, self.node.vehicle, self.p.overlap_m))


def message(types: Any, found: Trajectory, vehicle: Vehicle, overlap_m: float) -> Any:
    """A trajectory in Autoware's message. There the acceleration is that of the magnitude of the speed."""
    kept = distinct(found, overlap_m)
    wheel = np.arctan(vehicle.wheel_base_m * found.curvature)
    faster = np.where(found.speed < 0.0, -found.acceleration, found.acceleration)
    columns = (found.time_s, found.position[:, 0], found.position[:, 1], found.yaw, found.speed, faster,
               found.speed * found.curvature, wheel)  # fmt: skip
    points = [_point(types.TrajectoryPoint(), *row) for row in np.stack(columns, axis=1)[kept].tolist()]
    return types.Trajectory(header=header(found.stamp_ns), points=points)


def _point(
    point: Any, time: float, x: float, y: float, yaw: float, speed: float, faster: float, rate: float, wheel: float
) -> Any:
    nanos = round(time * NS)
    point.time_from_start.sec, point.time_from_start.nanosec = nanos // NS, nanos % NS
    point.pose.position.x, point.pose.position.y = x, y
    set_yaw(point.pose.orientation, yaw)
    point.longitudinal_velocity_mps, point.lateral_velocity_mps, point.acceleration_mps2 = speed, 0.0, faster
    point.heading_rate_rps, point.front_wheel_angle_rad, point.rear_wheel_angle_rad = rate, wheel, 0.0
    return point
