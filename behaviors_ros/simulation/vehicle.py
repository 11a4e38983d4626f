"""The vehicle: a kinematic bicycle at the rear axle with actuator delay, first-order lags and limits.

Source of the model: R. Rajamani, Vehicle Dynamics and Control, 2nd ed. 2012, section 2.2, reference point moved to the
rear axle: yaw' = v tan(delta) / L. Lags: delta' = (u - delta) / tau, a' = (u - a) / tau.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from behaviors_ros.datatypes import ControlCommand, EgoState
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Vehicle

STEP_NS = (
    10_000_000  # 0.01 s: ten times below the smallest lag, the error of freezing the limits within a step is < 1 mm
)


@dataclass(frozen=True, eq=False)
class VehicleState:
    """Ego state and the commands on their way to the actuators.

    command: the one that acts now (None: none yet, the actuators hold); pending: (time it takes effect in ns, command),
    oldest first.
    """

    ego: EgoState
    command: ControlCommand | None = None
    pending: tuple[tuple[int, ControlCommand], ...] = ()


def advance(state: VehicleState, command: ControlCommand | None, vehicle: Vehicle, dt_ns: int) -> VehicleState:
    """The state `dt_ns` later, given `command` now (None: no new command, the last one goes on to act).

    Integrated in steps of 0.01 s (the last one shorter). The vehicle does not pass through standstill: it moves forward
    only while a speed >= 0 is commanded, backward only while a negative one is. A command that is not finite raises
    `InputError`.
    """
    ego, acting, pending = state.ego, state.command, list(state.pending)
    if command is not None:
        _require_finite(command)
        pending.append((ego.stamp_ns + round(vehicle.actuator_delay_s * 1e9), command))
    left_ns = dt_ns
    while left_ns > 0:
        step_ns = min(STEP_NS, left_ns)
        while pending and pending[0][0] <= ego.stamp_ns:
            acting = pending.pop(0)[1]
        ego = _moved(ego, acting, vehicle, step_ns)
        left_ns -= step_ns
    return VehicleState(ego, acting, tuple(pending))


def _require_finite(command: ControlCommand) -> None:
    for name in ("steering", "speed", "acceleration"):
        if not math.isfinite(getattr(command, name)):
            raise InputError("control command", name, "is not finite", "send a finite value")


def _moved(ego: EgoState, command: ControlCommand | None, vehicle: Vehicle, step_ns: int) -> EgoState:
    """One step: actuators, then speed, then the exact arc of the mean steering angle."""
    h = step_ns * 1e-9
    steering, drive = ego.steering, ego.acceleration
    backward = False
    if command is not None:
        rate = vehicle.steering_rate_max_radps
        wanted = float(np.clip(command.steering, -vehicle.steering_max_rad, vehicle.steering_max_rad))
        change = (wanted - steering) * _share(h, vehicle.steering_lag_s)
        steering += float(np.clip(change, -rate * h, rate * h))
        limited = float(np.clip(command.acceleration, -vehicle.deceleration_max_mps2, vehicle.acceleration_max_mps2))
        drive += (limited - drive) * _share(h, vehicle.acceleration_lag_s)
        backward = command.speed < 0.0
    else:
        drive = 0.0
    speed, distance, drive = _longitudinal(ego.speed, drive, backward, h)
    turn = distance * math.tan(0.5 * (ego.steering + steering)) / vehicle.wheel_base_m
    chord = distance * float(np.sinc(0.5 * turn / math.pi))
    heading = ego.yaw + 0.5 * turn
    position = ego.position + chord * np.array((math.cos(heading), math.sin(heading)))
    yaw_rate = speed * math.tan(steering) / vehicle.wheel_base_m
    yaw = math.remainder(ego.yaw + turn, math.tau)
    return EgoState(ego.stamp_ns + step_ns, position, yaw, speed, drive, steering, yaw_rate)


def _share(h: float, lag_s: float) -> float:
    """Share of a step input that a first-order lag has followed after `h` seconds."""
    return -math.expm1(-h / lag_s) if lag_s > 0.0 else 1.0


def _longitudinal(speed: float, drive: float, backward: bool, h: float) -> tuple[float, float, float]:
    """Speed, distance and acceleration after `h` seconds; braking ends at standstill, which then holds."""
    after = speed + drive * h
    blocked = (after < 0.0 <= speed and not backward) or (after > 0.0 >= speed and backward)
    if not blocked:
        return after, 0.5 * (speed + after) * h, drive
    distance = -0.5 * speed * speed / drive if drive else 0.0
    return 0.0, distance, 0.0
