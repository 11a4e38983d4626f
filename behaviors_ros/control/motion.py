"""The vehicle near a reference as two linear problems: along it, and, at the speeds found, across it.

Along: way, speed, acceleration and its command, whose rate is the input; the drive follows its command with a lag.
Across: the kinematic bicycle in the errors of its Frenet frame (R. Rajamani, Vehicle Dynamics and Control, 2nd ed.
2012, sections 2.2 and 2.5, moved to the rear axle): e' = v sin(theta), theta' = v (tan(delta) / L - kappa), linear
about the wheel angle atan(L kappa) that the path asks for; delta follows its command with a lag, its rate is the input.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.control.horizon import Horizon
from behaviors_ros.control.reference import Foot
from behaviors_ros.control.tracking import Following, Moment
from behaviors_ros.parameters import Parameters, Vehicle, value

Array = np.ndarray


class Weighing(Parameters):
    """The horizon, and what an error costs against another: each is the size at which it costs as much."""

    steps: int = value(20, "steps of the horizon", low=2, high=100)
    step_s: float = value(0.1, "time of a step", low=0.01, high=0.5)
    lateral_m: float = value(0.06, "lateral error", low=0.001, high=10.0)
    heading_rad: float = value(0.1, "heading error", low=0.001, high=3.0)
    steering_rad: float = value(0.5, "wheel angle beside that which the path asks for", low=0.001, high=3.0)
    steering_rate_radps: float = value(0.5, "rate of the commanded wheel angle", low=0.001, high=10.0)
    station_m: float = value(0.5, "error along", low=0.001, high=10.0)
    speed_mps: float = value(0.2, "speed error", low=0.001, high=10.0)
    acceleration_mps2: float = value(1.0, "acceleration beside the reference's", low=0.001, high=10.0)
    jerk_mps3: float = value(3.0, "rate of the commanded acceleration", low=0.001, high=100.0)


def foot(now: Moment) -> Foot:
    """The nearest point of the reference to the ego when the command starts to act."""
    x, y = now.ahead.position.tolist()
    return now.reference.foot(x, y, now.ahead.yaw, now.time_s)


def along(now: Moment, place: Foot, cost: Weighing, following: Following, vehicle: Vehicle) -> Horizon:
    """The problem of speed: the way from the foot, signed, against where the reference is at each time."""
    count, h = cost.steps, cost.step_s
    times = now.time_s + h * np.arange(1, count + 1)
    way, speed, push = now.reference.columns("time_s", times, "along", "speed", "acceleration")
    # Beyond the end of a trajectory it brakes.
    over, rest = np.maximum(times - now.reference.end_s, 0.0), following.overrun_mps2
    slower = np.sign(speed) * np.maximum(np.abs(speed) - rest * over, 0.0)
    way = way + (0.5 * (speed**2 - slower**2) / rest) * np.sign(speed)
    push = np.where(over > 0.0, -rest * np.sign(slower), push)
    here = place.point.along + place.ahead
    error = here - now.wanted.along
    error -= min(max(error, -following.station_error_max_m), following.station_error_max_m)
    ahead = now.ahead
    _, acceleration = now.before
    wanted = np.column_stack((way - here + error, slower, push, np.zeros(count)))
    sizes = np.array((cost.station_m, cost.speed_mps, cost.acceleration_mps2, np.inf))
    matrices = chained(h, vehicle.acceleration_lag_s, np.ones(count), np.ones(count), np.zeros(count))
    low, high = -vehicle.deceleration_max_mps2, vehicle.acceleration_max_mps2
    return _horizon(
        np.array((0.0, ahead.speed, ahead.acceleration, min(max(acceleration, low), high))), matrices, wanted,
        sizes, cost.jerk_mps3, low, high, vehicle.jerk_max_mps3,
    )  # fmt: skip


def across(
    now: Moment, place: Foot, speeds: Float[Array, " step"], cost: Weighing, following: Following, vehicle: Vehicle
) -> Horizon:
    """The problem of steering, at the speeds that the vehicle will have after each step."""
    count, h, length = cost.steps, cost.step_s, vehicle.wheel_base_m
    speeds = np.concatenate(([now.ahead.speed], speeds))
    middle = 0.5 * (speeds[1:] + speeds[:-1])
    ways = np.concatenate(([0.0], np.cumsum(np.abs(middle) * h)))
    (bend,) = now.reference.columns("station", place.point.station + 0.5 * (ways[1:] + ways[:-1]), "curvature")
    (after,) = now.reference.columns("station", place.point.station + ways[1:], "curvature")
    asked = np.arctan(length * (bend - now.bend))
    matrices = chained(h, vehicle.steering_lag_s, middle, middle / length / np.cos(asked) ** 2, asked)
    left = min(max(place.left, -following.lateral_error_max_m), following.lateral_error_max_m)
    turned = min(max(place.heading, -following.heading_error_max_rad), following.heading_error_max_rad)
    most = vehicle.steering_max_rad
    angle = min(max(now.before[0], -most), most)
    wanted = np.zeros((count, 4))
    wanted[:, 2] = np.arctan(length * (after - now.bend))
    sizes = np.array((cost.lateral_m, cost.heading_rad, cost.steering_rad, np.inf))
    return _horizon(
        np.array((left, turned, now.ahead.steering, angle)), matrices, wanted, sizes,
        cost.steering_rate_radps, -most, most, vehicle.steering_rate_max_radps,
    )  # fmt: skip


def _horizon(
    start: Array, matrices: tuple[Array, Array, Array], wanted: Array, sizes: Array, size: float, low: float,
    high: float, input_max: float,
) -> Horizon:  # fmt: skip
    """The problem in which an error, and an input, costs by its share of its size."""
    weights = np.tile(sizes**-2.0, (len(wanted), 1))
    return Horizon(start, *matrices, wanted, weights, size**-2.0, low, high, input_max)


@no_type_check
def chained(h, lag_s, outer, inner, asked):
    """A (step, 4, 4), B (step, 4), d (step, 4) of p' = outer q, q' = inner (y - asked), y' = (c - y) / lag, c' = u.

    Exact for factors that are constant in a step of h seconds: y at its end, and its integrals once and twice.
    """
    left = math.exp(-h / lag_s) if lag_s > 0.0 else 0.0
    # y(t) = c + u (t - lag) + (y0 - c + u lag) exp(-t / lag): shares of y0, c and u.
    end = np.array((left, 1.0 - left, h - lag_s * (1.0 - left)))
    held = lag_s * (1.0 - left)
    once = np.array((held, h - held, 0.5 * h * h - lag_s * h + lag_s * held))
    kept = lag_s * (h - held)
    twice = np.array((kept, 0.5 * h * h - kept, h**3 / 6.0 - 0.5 * lag_s * h * h + lag_s * kept))
    return _chained(h, end, once, twice, outer, inner, asked)


@no_type_check
@njit(cache=True)
def _chained(h, end, once, twice, outer, inner, asked):
    """The matrices of `chained`."""
    steps = len(outer)
    a, b, d = np.zeros((steps, 4, 4)), np.zeros((steps, 4)), np.zeros((steps, 4))
    for k in range(steps):
        f, g = outer[k], inner[k]
        a[k, 0, 0], a[k, 0, 1], a[k, 0, 2], a[k, 0, 3] = 1.0, f * h, f * g * twice[0], f * g * twice[1]
        a[k, 1, 1], a[k, 1, 2], a[k, 1, 3] = 1.0, g * once[0], g * once[1]
        a[k, 2, 2], a[k, 2, 3] = end[0], end[1]
        a[k, 3, 3] = 1.0
        b[k, 0], b[k, 1], b[k, 2], b[k, 3] = f * g * twice[2], g * once[2], end[2], h
        d[k, 0], d[k, 1] = -0.5 * f * g * h * h * asked[k], -g * h * asked[k]
    return a, b, d
