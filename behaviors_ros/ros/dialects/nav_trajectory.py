"""Out: nav_msgs/Trajectory with an absolute stamp a point, where the ROS distribution has it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from behaviors_ros.datatypes import Trajectory
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.ros.conversion import NS, header, set_yaw
from behaviors_ros.ros.dialects.interface import Dialect, HandedOn
from behaviors_ros.ros.qos import LATEST


class NavTrajectoryParameters(Parameters):
    """The navigation messages' trajectory out."""

    topic: str = value("nav_trajectory", "topic of nav_msgs/Trajectory")


class NavTrajectory(Dialect):
    """The trajectory handed on, in the navigation messages' form."""

    name = "nav_trajectory"
    needs = ("nav_msgs/msg/Trajectory", "nav_msgs/msg/TrajectoryPoint")

    def begin(self) -> None:
        """Advertise."""
        self.publisher = self.node.writes_to(self.types.Trajectory, self.p.topic, LATEST)

    def send(self, handed: HandedOn) -> None:
        """Publish."""
        self.publisher.publish(message(self.types, handed.trajectory))


def message(types: Any, found: Trajectory) -> Any:
    """A trajectory with the velocity and acceleration of each point in the vehicle's frame; no effort is told: NaN."""
    rate = found.speed * found.curvature
    columns = (found.time_s, found.position[:, 0], found.position[:, 1], found.yaw, found.speed, rate,
               found.acceleration, found.speed * rate)  # fmt: skip
    points = [_point(types.TrajectoryPoint(), found.stamp_ns, *row) for row in np.stack(columns, axis=1).tolist()]
    return types.Trajectory(header=header(found.stamp_ns), points=points)


def _point(
    point: Any, stamp_ns: int, time: float, x: float, y: float, yaw: float, speed: float, rate: float,
    along: float, across: float,
) -> Any:  # fmt: skip
    point.header = header(stamp_ns + round(time * NS))
    point.pose.position.x, point.pose.position.y = x, y
    set_yaw(point.pose.orientation, yaw)
    point.velocity.linear.x, point.velocity.angular.z = speed, rate
    point.acceleration.linear.x, point.acceleration.linear.y = along, across
    for part in (point.effort.force, point.effort.torque):
        part.x = part.y = part.z = math.nan
    return point
