"""Out: ackermann_msgs/AckermannDriveStamped, what many drive-by-wire interfaces take."""

from __future__ import annotations

from typing import Any

from behaviors_ros.datatypes import ControlCommand
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.ros.conversion import header
from behaviors_ros.ros.dialects.interface import Dialect
from behaviors_ros.ros.qos import LATEST


class AckermannDriveParameters(Parameters):
    """Drive-by-wire command out. 0 would mean "as fast as possible" for a rate: the least values here forbid that."""

    topic: str = value("/ackermann_cmd", "topic of ackermann_msgs/AckermannDriveStamped")
    steering_rate_min_radps: float = value(0.1, "least rate given to the steering", low=0.01, high=2.0)
    acceleration_min_mps2: float = value(0.2, "least magnitude given to the acceleration", low=0.01, high=3.0)


class AckermannDrive(Dialect):
    """The command, as angle and speed to reach and how fast to reach them."""

    name = "ackermann_drive"
    needs = ("ackermann_msgs/msg/AckermannDriveStamped",)

    def begin(self) -> None:
        """Advertise."""
        self.publisher = self.node.writes_to(self.types.AckermannDriveStamped, self.p.topic, LATEST)

    def send(self, command: ControlCommand) -> None:
        """Publish."""
        self.publisher.publish(message(self.types, command, self.node.vehicle, self.p))


def message(types: Any, command: ControlCommand, vehicle: Vehicle, parameters: AckermannDriveParameters) -> Any:
    """A command in the message: its rate and acceleration are magnitudes, its jerk the vehicle's largest."""
    found = types.AckermannDriveStamped(header=header(command.stamp_ns, "base_link"))
    drive = found.drive
    drive.steering_angle, drive.speed = float(command.steering), float(command.speed)
    drive.steering_angle_velocity = max(abs(float(command.steering_rate)), parameters.steering_rate_min_radps)
    drive.acceleration = max(abs(float(command.acceleration)), parameters.acceleration_min_mps2)
    drive.jerk = vehicle.jerk_max_mps3
    return found
