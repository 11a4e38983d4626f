"""A stop from the vehicle state alone: the last thing that the controls bridge can always say."""

from __future__ import annotations

import math

import numpy as np

from behaviors_ros.control.reference import Reference
from behaviors_ros.datatypes import Array, EgoState, Trajectory
from behaviors_ros.parameters import Parameters, Vehicle, value


class BridgeStop(Parameters):
    """How the bridge stops on its own."""

    deceleration_mps2: float = value(
        4.0, "braking: UN R157 allows a minimum-risk manoeuvre up to 4 m/s2", low=0.5, high=12.0
    )
    dt_s: float = value(0.1, "time between two points", low=0.02, high=0.5)
    horizon_min_s: float = value(3.0, "shortest time that the stop covers, standing included", low=1.0, high=20.0)


def own_stop(ego: EgoState, vehicle: Vehicle, parameters: BridgeStop) -> Trajectory:
    """Brake to standstill along the circle that the front wheels now describe, from the speed and acceleration now.

    The acceleration goes at the vehicle's largest jerk from its value (never positive) to the braking, and is zero once
    the vehicle stands. Position on the circle of curvature k after the way s: chord s sinc(k s / 2) at yaw + k s / 2.
    Driving backwards it brakes the same way.
    """
    way, time_s, s, v, push = _braking(ego, vehicle, parameters)
    bend = math.tan(ego.steering) / vehicle.wheel_base_m
    turn = 0.5 * bend * s
    chord = s * np.sinc(turn / math.pi)
    position = ego.position + chord[:, None] * np.stack([np.cos(ego.yaw + turn), np.sin(ego.yaw + turn)], axis=1)
    return Trajectory(
        stamp_ns=ego.stamp_ns,
        time_s=time_s,
        position=position,
        yaw=ego.yaw + 2.0 * turn,
        speed=way * v,
        acceleration=np.where(v > 0.0, way * push, 0.0),
        curvature=np.full(len(time_s), bend),
    )


def stop_along(
    reference: Reference, ego: EgoState, vehicle: Vehicle, parameters: BridgeStop, off_max_m: float
) -> Trajectory:
    """Brake to standstill as `own_stop`, but along the path of a trajectory, straight on beyond its end.

    A vehicle farther than `off_max_m` from the path, or that drives the other way, stops on its circle.
    """
    foot = reference.foot(float(ego.position[0]), float(ego.position[1]), ego.yaw,
                          (ego.stamp_ns - reference.stamp_ns) * 1e-9)  # fmt: skip
    off = math.hypot(foot.left, foot.ahead)
    if off > off_max_m or abs(foot.heading) > 0.5 * math.pi or ego.speed * foot.point.direction < 0.0:
        return own_stop(ego, vehicle, parameters)
    way, time_s, s, v, push = _braking(ego, vehicle, parameters)
    stations = foot.point.station + np.abs(s)
    x, y, yaw, bend = reference.columns("station", stations, "x", "y", "yaw", "curvature")
    rest = way * np.maximum(stations - reference.table[-1, 7], 0.0)
    position = np.column_stack((x + rest * np.cos(yaw), y + rest * np.sin(yaw)))
    return Trajectory(ego.stamp_ns, time_s, position, yaw, way * v, np.where(v > 0.0, way * push, 0.0),
                      np.where(rest == 0.0, bend, 0.0))  # fmt: skip


def _braking(ego: EgoState, vehicle: Vehicle, parameters: BridgeStop) -> tuple[float, Array, Array, Array, Array]:
    """Direction 1 or -1, times, way (signed), speed and acceleration (both in that direction)."""
    way, speed = (-1.0 if ego.speed < 0.0 else 1.0), abs(ego.speed)
    braking = min(parameters.deceleration_mps2, vehicle.deceleration_max_mps2)
    at_first = min(max(way * ego.acceleration, -braking), 0.0)
    # Ramp and braking take at most this long; one step more stands.
    horizon_s = max(parameters.horizon_min_s, speed / braking + braking / vehicle.jerk_max_mps3 + 2 * parameters.dt_s)
    time_s = np.arange(math.ceil(horizon_s / parameters.dt_s) + 1) * parameters.dt_s
    push = np.maximum(at_first - vehicle.jerk_max_mps3 * time_s, -braking)
    gained = np.concatenate([[0.0], np.cumsum(0.5 * (push[1:] + push[:-1]) * np.diff(time_s))])
    v = np.maximum(speed + gained, 0.0)
    s = way * np.concatenate([[0.0], np.cumsum(0.5 * (v[1:] + v[:-1]) * np.diff(time_s))])
    return way, time_s, s, v, push
