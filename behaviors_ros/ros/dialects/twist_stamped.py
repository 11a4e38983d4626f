"""Out: geometry_msgs/TwistStamped, what ros2_control's ackermann_steering_controller takes as its reference."""

from __future__ import annotations

from typing import Any

from behaviors_ros.datatypes import ControlCommand
from behaviors_ros.parameters import value
from behaviors_ros.ros.conversion import NS, header
from behaviors_ros.ros.dialects.interface import Dialect
from behaviors_ros.ros.qos import LATEST
from behaviors_ros.simulation.gazebo.twist import REST, Twist, TwistParameters, twist


class TwistStampedParameters(TwistParameters):
    """Speed and yaw rate out."""

    topic: str = value("/ackermann_steering_controller/reference", "topic of geometry_msgs/TwistStamped")
    gap_max_s: float = value(0.2, "a longer time between two commands counts as this", low=0.02, high=1.0)


class TwistStamped(Dialect):
    """The command as speed and yaw rate; also at rest, as the controller gives up after a second of silence."""

    name = "twist_stamped"
    needs = ("geometry_msgs/msg/TwistStamped",)

    def begin(self) -> None:
        """Advertise; begin at rest."""
        self.publisher = self.node.writes_to(self.types.TwistStamped, self.p.topic, LATEST)
        self.twist, self.stamp_ns = REST, 0

    def send(self, command: ControlCommand) -> None:
        """Publish."""
        dt_s = min(max((command.stamp_ns - self.stamp_ns) / NS, 0.0), self.p.gap_max_s) if self.stamp_ns else 0.0
        self.twist = twist(self.twist, command, self.node.ego.speed, dt_s, self.node.vehicle, self.p)
        self.stamp_ns = command.stamp_ns
        self.publisher.publish(message(self.types, command.stamp_ns, self.twist))


def message(types: Any, stamp_ns: int, found: Twist) -> Any:
    """Speed and yaw rate in the message."""
    stamped = types.TwistStamped(header=header(stamp_ns, "base_link"))
    stamped.twist.linear.x, stamped.twist.angular.z = found.speed, found.yaw_rate
    return stamped
