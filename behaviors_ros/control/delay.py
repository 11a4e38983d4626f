"""The actuators' delay, made up for: where the ego will be when a command given now starts to act."""

from __future__ import annotations

import math

import numpy as np

from behaviors_ros.datatypes import ControlCommand, EgoState
from behaviors_ros.parameters import Vehicle

STEP_NS = 20_000_000


def on_the_way(sent: tuple[ControlCommand, ...], now_ns: int, delay_s: float) -> tuple[ControlCommand, ...]:
    """Commands given before now that act between now and the end of the delay: those younger than it, and the one
    before them. A command given at `now_ns` already is about to be replaced and not among them.
    """
    first = now_ns - round(delay_s * 1e9)
    past = [command for command in sent if command.stamp_ns < now_ns]
    young = [i for i, command in enumerate(past) if command.stamp_ns > first]
    return tuple(past[max(0, young[0] - 1) :] if young else past[-1:])


def predicted(ego: EgoState, sent: tuple[ControlCommand, ...], vehicle: Vehicle, bend: float = 0.0) -> EgoState:
    """The ego when a command given now starts to act, moved by the commands that act until then."""
    return reckoned(ego, sent, vehicle, ego.stamp_ns + round(vehicle.actuator_delay_s * 1e9), bend)


def reckoned(
    ego: EgoState, sent: tuple[ControlCommand, ...], vehicle: Vehicle, end_ns: int, bend: float = 0.0
) -> EgoState:
    """The ego at a later time, moved by the commands sent.

    The model is the vehicle's (kinematic bicycle, first-order lags); it does not pass through standstill. bend 1/m:
    curvature that it drives beside that of its wheels.
    """
    delay_ns = round(vehicle.actuator_delay_s * 1e9)
    x, y, yaw, speed, steering, drive = *ego.position, ego.yaw, ego.speed, ego.steering, ego.acceleration
    now_ns = ego.stamp_ns
    while now_ns < end_ns:
        step_ns = min(STEP_NS, end_ns - now_ns)
        h = step_ns * 1e-9
        acting = [command for command in sent if command.stamp_ns + delay_ns <= now_ns]
        if acting:
            steering += (acting[-1].steering - steering) * _share(h, vehicle.steering_lag_s)
            drive += (acting[-1].acceleration - drive) * _share(h, vehicle.acceleration_lag_s)
        after = speed + drive * h
        after = 0.0 if speed * after < 0.0 or (speed == 0.0 and drive < 0.0) else after
        distance = 0.5 * (speed + after) * h
        turn = distance * (math.tan(steering) / vehicle.wheel_base_m + bend)
        x, y = x + distance * math.cos(yaw + 0.5 * turn), y + distance * math.sin(yaw + 0.5 * turn)
        yaw, speed, now_ns = yaw + turn, after, now_ns + step_ns
    return EgoState(end_ns, np.array((x, y)), yaw, float(speed), float(drive), float(steering), 0.0)


def _share(h: float, lag_s: float) -> float:
    """Share of a step input that a first-order lag has followed after `h` seconds."""
    return -math.expm1(-h / lag_s) if lag_s > 0.0 else 1.0
