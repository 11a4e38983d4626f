"""In: autoware_vehicle_msgs/ControlModeReport -> engagement."""

from __future__ import annotations

from typing import Any

from behaviors_ros.errors import InputError
from behaviors_ros.msg import Engagement
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.ros.conversion import header, nanoseconds
from behaviors_ros.ros.dialects.interface import HeardDialect
from behaviors_ros.ros.qos import LATEST

AUTONOMOUS, MODES = 1, range(7)


class AutowareEngagementParameters(Parameters):
    """Autoware's control mode in."""

    topic: str = value("/vehicle/status/control_mode", "topic of autoware_vehicle_msgs/ControlModeReport")


class AutowareEngagement(HeardDialect):
    """Control mode -> who drives."""

    name = "autoware_engagement"
    needs = ("autoware_vehicle_msgs/msg/ControlModeReport",)

    def begin(self) -> None:
        """Subscribe."""
        self.publisher = self.node.output("engagement")
        self.node.reads_from(self.types.ControlModeReport, self.p.topic, LATEST, self.name, self._hear)

    def _hear(self, message: Any) -> None:
        self.publisher.publish(engagement(message))


def engagement(message: Any) -> Engagement:
    """Engaged only where both steering and speed are: with one of them a driver still drives."""
    if message.mode not in MODES:
        raise InputError("autoware_engagement", "mode", f"is {message.mode}", "known: 0 to 6")
    stamp = nanoseconds(message.stamp)
    return Engagement(header=header(stamp, "base_link"), engaged=message.mode == AUTONOMOUS)
