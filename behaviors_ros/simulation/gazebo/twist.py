"""A control command as what a speed-driven vehicle takes: speed and yaw rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from behaviors_ros.datatypes import ControlCommand
from behaviors_ros.parameters import Parameters, Vehicle, value


class TwistParameters(Parameters):
    """How commands become twists."""

    lead_max_mps: float = value(1.0, "how far the commanded speed may be off the measured one", low=0.1, high=10.0)
    stop_mps2: float = value(3.0, "braking once commands have ceased", low=0.5, high=8.0)


@dataclass(frozen=True)
class Twist:
    """speed m/s, signed; steering rad, virtual front wheel, + left; yaw_rate rad/s."""

    speed: float
    steering: float
    yaw_rate: float


REST = Twist(0.0, 0.0, 0.0)


def twist(
    before: Twist,
    command: ControlCommand,
    measured_mps: float,
    dt_s: float,
    vehicle: Vehicle,
    parameters: TwistParameters,
) -> Twist:
    """The twist `dt_s` after `before`: its speed integrates the commanded acceleration near the measured speed.

    The speed does not pass through 0: it is forward unless a negative one is commanded. The yaw rate is that of the
    kinematic bicycle, v tan(delta) / L.
    """
    low, high = -vehicle.deceleration_max_mps2, vehicle.acceleration_max_mps2
    backward = command.speed < 0.0
    # Driving backward, an acceleration against the motion is a braking one.
    acceleration = min(max(command.acceleration, -high if backward else low), -low if backward else high)
    speed = before.speed + acceleration * dt_s
    speed = min(max(speed, measured_mps - parameters.lead_max_mps), measured_mps + parameters.lead_max_mps)
    speed = min(speed, 0.0) if backward else max(speed, 0.0)
    return _turned(speed, command.steering, vehicle)


def stopping(before: Twist, dt_s: float, vehicle: Vehicle, parameters: TwistParameters) -> Twist:
    """The twist `dt_s` after `before` when no command comes: slower on the same curve, then at rest."""
    slower = max(abs(before.speed) - parameters.stop_mps2 * dt_s, 0.0)
    return _turned(math.copysign(slower, before.speed), before.steering, vehicle)


def _turned(speed: float, steering: float, vehicle: Vehicle) -> Twist:
    """At rest the yaw rate is 0: AckermannSteering takes any other for a full turn of the wheels."""
    angle = min(max(steering, -vehicle.steering_max_rad), vehicle.steering_max_rad)
    return Twist(speed, angle, speed * math.tan(angle) / vehicle.wheel_base_m)
