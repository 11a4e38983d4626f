"""Where planning starts: on the previous plan while the vehicle follows it, else at the measured state.

Starting on the previous plan keeps position, speed and acceleration continuous from plan to plan, which the tracking
controller sees; measurement noise and actuator lag then do not enter each plan anew.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array, EgoState, Scene, Trajectory
from behaviors_ros.geometry.angles import unwrapped
from behaviors_ros.parameters import Parameters, Vehicle, value


class Stitching(Parameters):
    """How far the vehicle may be from the previous plan for the next one to start on it."""

    lateral_m: float = value(0.5, "largest distance across", low=0.0, high=5.0)
    longitudinal_m: float = value(1.5, "largest distance along", low=0.0, high=10.0)
    heading_rad: float = value(0.15, "largest heading difference", low=0.0, high=3.2)
    standing_mps: float = value(0.03, "a measured speed below this is standstill", low=0.0, high=0.5)
    speed_mps: float = value(1.0, "largest speed difference", low=0.0, high=10.0)


DEFAULT = Stitching()


def start_state(scene: Scene, vehicle: Vehicle, stitching: Stitching = DEFAULT) -> EgoState:
    """The rear axle state at now from which all candidates start; speed is never below 0 (we do not plan backwards)."""
    return start_from(scene, previous_state(scene, vehicle, stitching), vehicle, stitching)


def start_from(scene: Scene, planned: EgoState | None, vehicle: Vehicle, stitching: Stitching) -> EgoState:
    """`start_state` with the previous plan's state as `planned`.

    A vehicle that rolls backwards is planned for as standing. At standstill the acceleration is never negative.
    """
    state = scene.ego if planned is None else planned
    standing = state.speed < (stitching.standing_mps if planned is None else 1e-3)
    speed = 0.0 if standing else state.speed
    acceleration = max(state.acceleration, 0.0) if standing else state.acceleration
    low, high = -vehicle.deceleration_max_mps2, max(vehicle.acceleration_max_mps2, 0.0)
    steering = min(max(state.steering, -vehicle.steering_max_rad), vehicle.steering_max_rad)
    return EgoState(
        scene.stamp_ns, state.position, state.yaw, speed, min(max(acceleration, low), high), steering, state.yaw_rate
    )


def previous_state(scene: Scene, vehicle: Vehicle, stitching: Stitching = DEFAULT) -> EgoState | None:
    """The previous plan's state at now, or None: no plan, expired, or the vehicle is not where the plan has it."""
    plan = scene.previous
    if plan is None or scene.stamp_ns > plan.valid_until_ns:
        return None
    elapsed = (scene.stamp_ns - plan.trajectory.stamp_ns) * 1e-9
    if not plan.trajectory.time_s[0] <= elapsed <= plan.trajectory.time_s[-1]:
        return None
    state = state_at(plan.trajectory, elapsed, vehicle)
    return state if _near(scene.ego, state, stitching) else None


def state_at(trajectory: Trajectory, time_s: float, vehicle: Vehicle) -> EgoState:
    """State of a trajectory at a time of its own axis, within it."""
    x, y, yaw, speed, acceleration, curvature = states_at(trajectory, np.array([time_s]))[0]
    stamp_ns = trajectory.stamp_ns + round(time_s * 1e9)
    steering = math.atan(curvature * vehicle.wheel_base_m)
    return EgoState(stamp_ns, np.array([x, y]), yaw, speed, acceleration, steering, speed * curvature)


def states_at(trajectory: Trajectory, times_s: Float[Array, " time"]) -> Float[Array, "time 6"]:
    """x, y, yaw, speed, acceleration, curvature at times of the trajectory's own axis, within it.

    Cubic in position and speed (their time derivatives are known), linear in the rest.
    """
    out, t = np.empty((len(times_s), 6)), trajectory
    _states(t.time_s, t.position, unwrapped(t.yaw), t.speed, t.acceleration, t.curvature, times_s, out)
    return out


@no_type_check
@njit(cache=True)
def _states(
    grid: Array, position: Array, yaw: Array, speed: Array, acceleration: Array, curvature: Array, times: Array,
    out: Array,
) -> None:  # pragma: no cover (compiled)  # fmt: skip
    k, last = 0, len(grid) - 2
    for i in range(len(times)):
        while k > 0 and grid[k] >= times[i] + 1e-9:
            k -= 1
        while k < last and grid[k + 1] < times[i] + 1e-9:
            k += 1
        step = grid[k + 1] - grid[k]
        u = min(max((times[i] - grid[k]) / step, 0.0), 1.0)
        # Cubic through both ends with their time derivatives.
        h0, h1 = (1.0 + 2.0 * u) * (1.0 - u) ** 2, u * (1.0 - u) ** 2 * step
        h2, h3 = u * u * (3.0 - 2.0 * u), u * u * (u - 1.0) * step
        v, w, a, b = speed[k], speed[k + 1], yaw[k], yaw[k + 1]
        out[i, 0] = h0 * position[k, 0] + h1 * v * math.cos(a) + h2 * position[k + 1, 0] + h3 * w * math.cos(b)
        out[i, 1] = h0 * position[k, 1] + h1 * v * math.sin(a) + h2 * position[k + 1, 1] + h3 * w * math.sin(b)
        out[i, 2] = a + u * (b - a)
        out[i, 3] = max(h0 * v + h1 * acceleration[k] + h2 * w + h3 * acceleration[k + 1], 0.0)
        out[i, 4] = acceleration[k] + u * (acceleration[k + 1] - acceleration[k])
        out[i, 5] = curvature[k] + u * (curvature[k + 1] - curvature[k])


def _near(ego: EgoState, planned: EgoState, stitching: Stitching) -> bool:
    """Whether the measured state is within the stitching tolerances of the planned one."""
    offset = ego.position - planned.position
    along = math.cos(planned.yaw) * offset[0] + math.sin(planned.yaw) * offset[1]
    across = math.cos(planned.yaw) * offset[1] - math.sin(planned.yaw) * offset[0]
    return bool(
        abs(along) <= stitching.longitudinal_m
        and abs(across) <= stitching.lateral_m
        and abs(math.remainder(ego.yaw - planned.yaw, math.tau)) <= stitching.heading_rad
        and abs(ego.speed - planned.speed) <= stitching.speed_mps
    )
