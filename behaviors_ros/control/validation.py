"""The last check before a trajectory is handed on, by code independent of the gates and scorers.

Every quantity is derived anew from positions, yaw and speed where it can be, so that a field that lies is found out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool

from behaviors_ros.datatypes import AgentClass, EgoState, Predictions, Trajectory, among
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.geometry.boxes import overlap
from behaviors_ros.parameters import Parameters, Vehicle, value

NS = 1_000_000_000
PASSABLE = (AgentClass.OVER_DRIVABLE, AgentClass.UNDER_DRIVABLE)
Array = np.ndarray


class Limits(Parameters):
    """How far a trajectory may be from the vehicle and from what the vehicle can do, and where boxes are checked."""

    horizon_min_s: float = value(1.0, "shortest trajectory that is handed on", low=0.1, high=10.0)
    ahead_max_m: float = value(
        2.0, "largest distance along the trajectory between it and the vehicle", low=0.1, high=10.0
    )
    lateral_max_m: float = value(
        0.8, "largest distance across the trajectory between it and the vehicle", low=0.05, high=5.0
    )
    heading_max_rad: float = value(0.35, "largest angle between the trajectory and the vehicle", low=0.02, high=1.6)
    speed_jump_max_mps: float = value(
        2.0, "largest difference between the speeds of trajectory and vehicle", low=0.1, high=10.0
    )
    tolerance: float = value(
        0.1, "share by which a vehicle limit may be passed: rounding and discretisation", low=0.0, high=0.5
    )
    slack_mps: float = value(0.3, "speed above the limit, and backwards, that still counts as kept", low=0.0, high=2.0)
    slack_mps2: float = value(0.3, "acceleration above the limits that still counts as kept", low=0.0, high=3.0)
    standing_mps: float = value(
        0.3, "below this speed curvature, jerk and the last step to standstill are not judged", low=0.05, high=2.0
    )
    stop_gain_max_mps: float = value(
        1.5, "speed a stop may gain at first, while an acceleration fades", low=0.0, high=5.0
    )
    start_s: float = value(0.5, "time in which what is measured now may still be beyond a limit", low=0.0, high=2.0)
    start_factor: float = value(1.5, "factor on the steering rate and jerk in that time", low=1.0, high=5.0)
    step_error_max_m: float = value(
        0.1, "largest difference between a step's length and its speed times its time", low=0.01, high=1.0
    )
    collision_horizon_s: float = value(1.5, "time ahead over which predicted boxes must stay clear", low=0.0, high=8.0)
    collision_probability_min: float = value(
        0.3, "modes less probable than this are left to the scorers", low=0.0, high=1.0
    )


class Fault(IntEnum):
    """Why a trajectory is refused."""

    NONE = 0
    NOT_FINITE = 1
    TIME_ORDER = 2
    TOO_SHORT = 3
    NOT_AT_VEHICLE = 4
    SPEED = 5
    ACCELERATION = 6
    JERK = 7
    CURVATURE = 8
    STEERING_RATE = 9
    LATERAL_ACCELERATION = 10
    INCONSISTENT = 11
    COLLISION = 12
    NOT_A_STOP = 13


@dataclass(frozen=True)
class Validation:
    """The verdict on one trajectory: the first fault found, what was compared and when on the trajectory it occurs."""

    fault: Fault = Fault.NONE
    value: float = 0.0
    limit: float = 0.0
    time_s: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether it may be handed on."""
        return self.fault is Fault.NONE

    @property
    def reason(self) -> str:
        """The fault in words, empty when it passed."""
        name = self.fault.name.lower().replace("_", " ")
        return "" if self.passed else f"{name}: {self.value:.3g} against {self.limit:.3g} at {self.time_s:.1f} s"


def validate(
    trajectory: Trajectory, ego: EgoState, predictions: Predictions | None, vehicle: Vehicle, limits: Limits
) -> Validation:
    """Whether the trajectory may be handed on to a controller of the vehicle that is now at `ego`.

    It must be finite, in time order, where the vehicle is, within what the vehicle can do, and clear of the boxes of
    probable predicted modes. `predictions` None: boxes are not checked.
    """
    broken = _form(trajectory, limits)
    if not broken.passed:
        return broken
    checks = (*_dynamics(trajectory, ego, vehicle, limits), *_consistency(trajectory, limits))
    found = continuity(trajectory, ego, limits)
    for fault, values, limit, time_s in checks:
        if not found.passed:
            return found
        found = _worst(fault, values, limit, time_s)
    if found.passed and predictions is not None:
        found = clear(trajectory, ego, predictions, vehicle, limits)
    return found


def _form(trajectory: Trajectory, limits: Limits) -> Validation:
    columns = (trajectory.time_s, trajectory.position, trajectory.yaw, trajectory.speed, trajectory.acceleration,
               trajectory.curvature)  # fmt: skip
    if not all(np.isfinite(column).all() for column in columns):
        return Validation(Fault.NOT_FINITE, float("nan"), 0.0, 0.0)
    steps = np.diff(trajectory.time_s)
    if len(steps) == 0 or trajectory.time_s[-1] < limits.horizon_min_s:
        return Validation(Fault.TOO_SHORT, float(trajectory.time_s[-1]) if len(steps) else 0.0, limits.horizon_min_s)
    if (steps <= 0.0).any():
        return Validation(Fault.TIME_ORDER, float(steps.min()), 0.0, float(trajectory.time_s[int(steps.argmin())]))
    return Validation()


def continuity(trajectory: Trajectory, ego: EgoState, limits: Limits) -> Validation:
    """Whether the vehicle is on the trajectory at its own stamp: along, across, in heading and in speed."""
    now_s = (ego.stamp_ns - trajectory.stamp_ns) / NS
    if not -limits.horizon_min_s <= now_s <= trajectory.time_s[-1]:
        return Validation(Fault.NOT_AT_VEHICLE, now_s, float(trajectory.time_s[-1]), now_s)
    x, y, yaw, speed = (float(np.interp(now_s, trajectory.time_s, column)) for column in
                        (*trajectory.position.T, np.unwrap(trajectory.yaw), trajectory.speed))  # fmt: skip
    dx, dy = ego.position[0] - x, ego.position[1] - y
    ahead, left = dx * np.cos(yaw) + dy * np.sin(yaw), dy * np.cos(yaw) - dx * np.sin(yaw)
    pairs = (
        (ahead, limits.ahead_max_m),
        (left, limits.lateral_max_m),
        (wrap(ego.yaw - yaw), limits.heading_max_rad),
        (ego.speed - speed, limits.speed_jump_max_mps),
    )
    for error, limit in pairs:
        if not abs(float(error)) <= limit:
            return Validation(Fault.NOT_AT_VEHICLE, float(error), limit, now_s)
    return Validation()


Check = tuple[Fault, Array, "float | Array", Array]  # fault, values, the limit of all or of each, times


def _dynamics(trajectory: Trajectory, ego: EgoState, vehicle: Vehicle, limits: Limits) -> Iterator[Check]:
    time_s, speed, bend = trajectory.time_s, trajectory.speed, trajectory.curvature
    dt, middle = np.diff(time_s), 0.5 * (speed[1:] + speed[:-1])
    moving = np.minimum(np.abs(speed[1:]), np.abs(speed[:-1])) > limits.standing_mps
    more = 1.0 + limits.tolerance
    early = time_s[:-1] < limits.start_s
    at_first = np.where(early, limits.start_factor, 1.0)
    top = max(vehicle.speed_max_mps, ego.speed)
    yield Fault.SPEED, np.maximum(speed, -speed * 1e3), top + limits.slack_mps, time_s
    slope = np.where(moving, np.diff(speed) / dt, 0.0)
    for push in (trajectory.acceleration[:-1], slope):
        yield Fault.ACCELERATION, push, vehicle.acceleration_max_mps2 * more + limits.slack_mps2, time_s[:-1]
        yield Fault.ACCELERATION, -push, vehicle.deceleration_max_mps2 * more + limits.slack_mps2, time_s[:-1]
    jerk = np.where(moving, np.diff(trajectory.acceleration) / dt, 0.0)
    yield Fault.JERK, np.abs(jerk), vehicle.jerk_max_mps3 * more * at_first, time_s[:-1]
    driven = np.abs(speed) > limits.standing_mps
    yield Fault.CURVATURE, np.where(driven, np.abs(bend), 0.0), vehicle.curvature_max_1pm * more, time_s
    steps = np.maximum(np.hypot(*np.diff(trajectory.position, axis=0).T), 1e-6)
    turned = np.where(moving, np.abs(wrap(np.diff(trajectory.yaw))) / steps, 0.0)
    yield Fault.CURVATURE, turned, vehicle.curvature_max_1pm * more + 0.01, time_s[:-1]
    rate = np.abs(np.diff(np.arctan(vehicle.wheel_base_m * bend))) / dt
    turning = vehicle.steering_rate_max_radps * more * at_first
    yield Fault.STEERING_RATE, np.where(moving, rate, 0.0), turning, time_s[:-1]
    side = middle**2 * np.abs(bend[:-1])
    now = np.where(early, speed[0] ** 2 * abs(bend[0]), 0.0)
    allowed = np.maximum(now, vehicle.lateral_acceleration_max_mps2) * more + limits.slack_mps2
    yield Fault.LATERAL_ACCELERATION, side, allowed, time_s[:-1]


def _consistency(trajectory: Trajectory, limits: Limits) -> Iterator[Check]:
    speed, dt = trajectory.speed, np.diff(trajectory.time_s)
    step = np.diff(trajectory.position, axis=0)
    middle = 0.5 * (speed[1:] + speed[:-1])
    # The step along the mean heading is what the mean speed covers; what is left across it is a slide.
    yaw = trajectory.yaw[:-1] + 0.5 * wrap(np.diff(trajectory.yaw))
    ahead = step[:, 0] * np.cos(yaw) + step[:, 1] * np.sin(yaw)
    aside = step[:, 1] * np.cos(yaw) - step[:, 0] * np.sin(yaw)
    allowed = limits.step_error_max_m + limits.tolerance * np.abs(middle) * dt
    yield Fault.INCONSISTENT, np.abs(ahead - middle * dt) / allowed, 1.0, trajectory.time_s[:-1]
    yield Fault.INCONSISTENT, np.abs(aside) / allowed, 1.0, trajectory.time_s[:-1]


def _worst(fault: Fault, values: Array, limit: float | Array, time_s: Array) -> Validation:
    limits = np.broadcast_to(limit, values.shape)
    at = int(np.argmax(values / limits))
    found = Validation(fault, float(values[at]), float(limits[at]), float(time_s[at]))
    return found if values[at] > limits[at] else Validation()


def clear(
    trajectory: Trajectory, ego: EgoState, predictions: Predictions, vehicle: Vehicle, limits: Limits
) -> Validation:
    """Whether the boxes of probable predicted modes stay clear of a trajectory of good form."""
    now_s = max((ego.stamp_ns - trajectory.stamp_ns) / NS, 0.0)
    times = trajectory.time_s
    ours = np.flatnonzero((times >= now_s) & (times <= now_s + limits.collision_horizon_s))
    shift_s = (trajectory.stamp_ns - predictions.stamp_ns) / NS
    theirs = np.searchsorted(predictions.time_s, times[ours] + shift_s - 1e-6)
    ours = ours[(theirs < len(predictions.time_s))]
    theirs = theirs[(theirs < len(predictions.time_s))]
    if not len(predictions) or not len(ours):
        return Validation()
    hit = _contacts(trajectory, ours, predictions, theirs, vehicle, limits)
    if not hit.any():
        return Validation()
    agent, mode, step = (int(axis[0]) for axis in np.nonzero(hit))
    return Validation(Fault.COLLISION, float(predictions.probability[agent, mode]), limits.collision_probability_min,
                      float(times[ours[step]]))  # fmt: skip


def _contacts(
    trajectory: Trajectory, ours: Array, predictions: Predictions, theirs: Array, vehicle: Vehicle, limits: Limits
) -> Bool[Array, "agent mode step"]:
    """First touch of the ego's box and a probable mode's, where the ego then moves and the other does not come from
    behind it: who is fast may be well inside the box at the first step of touch. What can be driven over or under does
    not count.
    """
    yaw, speed = trajectory.yaw[ours], trajectory.speed[ours]
    forward = np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
    centre = trajectory.position[ours] + vehicle.centre_offset_m * forward
    other, other_yaw = predictions.position[:, :, theirs], predictions.yaw[:, :, theirs]
    touch = overlap(
        centre, yaw, vehicle.length_m, vehicle.width_m,
        other, other_yaw, predictions.length[:, None, None], predictions.width[:, None, None],
    )  # fmt: skip
    along = ((other - centre) * forward).sum(axis=-1)
    # A step before the touch; who touches the ego already has run into it if it is behind the rear axle.
    ahead = np.concatenate((along[..., :1] > -vehicle.centre_offset_m, along[..., :-1] > -0.5 * vehicle.length_m), -1)
    probable = predictions.valid & (predictions.probability >= limits.collision_probability_min)
    probable &= ~among(predictions.kind, PASSABLE)[:, None]
    first = touch & (np.cumsum(touch, axis=-1) == 1)
    return first & ahead & probable[:, :, None] & (speed > limits.standing_mps)


def validate_stop(trajectory: Trajectory, ego: EgoState, vehicle: Vehicle, limits: Limits) -> Validation:
    """As `validate` without boxes, for the stop of least harm when nothing is clear: it must also be a stop.

    A stop ends standing and hardly gets faster than it began: an acceleration a fades at jerk j over a^2 / (2 j).
    """
    found = validate(trajectory, ego, None, vehicle, limits)
    gain, last = float(trajectory.speed.max() - trajectory.speed[0]), abs(float(trajectory.speed[-1]))
    if found.passed and gain > limits.stop_gain_max_mps:
        return Validation(Fault.NOT_A_STOP, gain, limits.stop_gain_max_mps)
    if found.passed and last > limits.standing_mps:
        return Validation(Fault.NOT_A_STOP, last, limits.standing_mps, float(trajectory.time_s[-1]))
    return found
