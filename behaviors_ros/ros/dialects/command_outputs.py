"""The dialects that the tracking controller may speak besides our own."""

from __future__ import annotations

from behaviors_ros.parameters import Parameters
from behaviors_ros.ros.dialects.ackermann_drive import AckermannDrive, AckermannDriveParameters
from behaviors_ros.ros.dialects.autoware_control import AutowareControl, AutowareControlParameters
from behaviors_ros.ros.dialects.interface import Dialect
from behaviors_ros.ros.dialects.twist_stamped import TwistStamped, TwistStampedParameters

COMMAND_OUTPUTS: dict[str, type[Dialect]] = {cls.name: cls for cls in (AutowareControl, AckermannDrive, TwistStamped)}


class CommandDialects(Parameters):
    """Parameters of the dialects, by name; they count where `outputs` names the dialect."""

    autoware_control: AutowareControlParameters = AutowareControlParameters()
    ackermann_drive: AckermannDriveParameters = AckermannDriveParameters()
    twist_stamped: TwistStampedParameters = TwistStampedParameters()
