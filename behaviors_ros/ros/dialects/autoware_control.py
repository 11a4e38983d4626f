"""Out: autoware_control_msgs/Control, what Autoware's vehicle interface takes."""

from __future__ import annotations

from typing import Any

from behaviors_ros.datatypes import ControlCommand
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.ros.conversion import time_message
from behaviors_ros.ros.dialects.interface import Dialect
from behaviors_ros.ros.qos import LATEST


class AutowareControlParameters(Parameters):
    """Autoware's control command out."""

    topic: str = value("/control/command/control_cmd", "topic of autoware_control_msgs/Control")


class AutowareControl(Dialect):
    """The command, in Autoware's message."""

    name = "autoware_control"
    needs = ("autoware_control_msgs/msg/Control",)

    def begin(self) -> None:
        """Advertise."""
        self.publisher = self.node.writes_to(self.types.Control, self.p.topic, LATEST)

    def send(self, command: ControlCommand) -> None:
        """Publish."""
        self.publisher.publish(message(self.types, command))


def message(types: Any, command: ControlCommand) -> Any:
    """A command in Autoware's message: for its stamp, without a jerk."""
    found = types.Control()
    for part in (found, found.lateral, found.longitudinal):
        part.stamp = part.control_time = time_message(command.stamp_ns)
    found.lateral.steering_tire_angle = float(command.steering)
    found.lateral.steering_tire_rotation_rate = float(command.steering_rate)
    found.lateral.is_defined_steering_tire_rotation_rate = True
    found.longitudinal.velocity, found.longitudinal.acceleration = float(command.speed), float(command.acceleration)
    found.longitudinal.is_defined_acceleration, found.longitudinal.is_defined_jerk = True, False
    return found
