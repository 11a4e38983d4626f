"""What all trackers share: the instant they command for, standstill and end of the trajectory, limits, memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from behaviors_ros.control.delay import on_the_way, predicted, reckoned
from behaviors_ros.control.reference import Point, Reference, TrackingErrors, reference_of, tracking_errors
from behaviors_ros.datatypes import ControlCommand, EgoState, Trajectory
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, Vehicle, value


class Following(Parameters):
    """Standstill, the end of a trajectory, and how large an error is taken for."""

    standstill_mps: float = value(
        0.15, "below this speed, with a reference at rest, the brake holds", low=0.01, high=2.0
    )
    rest_s: float = value(0.5, "a reference is at rest when it is so for this long", low=0.0, high=2.0)
    hold_mps2: float = value(1.0, "braking that holds the vehicle at standstill", low=0.1, high=8.0)
    overrun_mps2: float = value(3.0, "braking once the trajectory has ended while it still moved", low=0.1, high=8.0)
    station_error_max_m: float = value(1.5, "station errors beyond this count as this", low=0.0, high=20.0)
    lateral_error_max_m: float = value(1.5, "lateral errors beyond this count as this", low=0.0, high=20.0)
    heading_error_max_rad: float = value(0.6, "heading errors beyond this count as this", low=0.0, high=1.5)
    bend_s: float = value(
        0.4, "time constant of the estimate of the curvature driven beside that of the commands", low=0.05, high=10.0
    )
    bend_max_1pm: float = value(
        0.03, "largest such curvature; beyond it the commands are not followed", low=0.0, high=1.0
    )
    bend_speed_min_mps: float = value(1.5, "slowest speed at which it is estimated", low=0.2, high=20.0)
    period_s: float = value(0.02, "time since the last command where there was none", low=0.001, high=0.2)
    gap_max_s: float = value(0.2, "longer pauses between two commands count as this", low=0.01, high=1.0)


@dataclass(frozen=True, eq=False)
class Memory:
    """What persists between two commands of a tracker, and what it says of the last one.

    ego: the vehicle state then, its wheel angle that of the commands; bend 1/m: curvature driven beside that angle's
    (another wheel base, wheels not in the middle, slip); sent: commands that have not reached the actuators; integral
    m/s^2: of the speed control; note: why the command is not what the tracker usually gives, empty where it is.
    """

    ego: EgoState
    bend: float
    sent: tuple[ControlCommand, ...]
    trajectory: Trajectory
    reference: Reference
    errors: TrackingErrors
    integral: float = 0.0
    note: str = ""

    @property
    def stamp_ns(self) -> int:
        """When the command was given."""
        return self.ego.stamp_ns


@dataclass(frozen=True, eq=False)
class Moment:
    """What a command is found for.

    ego, bend: as in `Memory`, now; ahead: the ego when the command starts to act; wanted: the reference then; before:
    steering rad and acceleration m/s^2 of the command that acts until then; dt_s: since that one.
    """

    ego: EgoState
    bend: float
    trajectory: Trajectory
    reference: Reference
    sent: tuple[ControlCommand, ...]
    ahead: EgoState
    wanted: Point
    before: tuple[float, float]
    dt_s: float
    integral: float

    @property
    def time_s(self) -> float:
        """When the command starts to act, s since the trajectory's stamp."""
        return (self.ahead.stamp_ns - self.reference.stamp_ns) * 1e-9


def moment(trajectory: Trajectory, ego: EgoState, memory: Any, rules: Following, vehicle: Vehicle) -> Moment:
    """The moment of a command at `ego.stamp_ns`. Memory that is none, or of a later time, is not gone by.

    A number of the ego's or trajectory's that is not finite raises `InputError`.
    """
    state = (*ego.position, ego.yaw, ego.speed, ego.acceleration, ego.steering, ego.yaw_rate)
    if not all(math.isfinite(number) for number in state):
        raise InputError("ego", "state", "is not finite", "give a vehicle state of finite numbers")
    known = memory if isinstance(memory, Memory) and memory.stamp_ns <= ego.stamp_ns else None
    sent = on_the_way(known.sent, ego.stamp_ns, vehicle.actuator_delay_s) if known else ()
    reference = known.reference if known and known.trajectory is trajectory else reference_of(trajectory)
    ego, bend = (ego, 0.0) if known is None else _observed(ego, known, rules, vehicle)
    ahead = predicted(ego, sent, vehicle, bend)
    dt_s = min((ego.stamp_ns - sent[-1].stamp_ns) * 1e-9, rules.gap_max_s) if sent else rules.period_s
    before = (sent[-1].steering, sent[-1].acceleration) if sent else (ego.steering, ego.acceleration)
    wanted = reference.at_stamp(ahead.stamp_ns)
    integral = known.integral if known else 0.0
    return Moment(ego, bend, trajectory, reference, sent, ahead, wanted, before, dt_s, integral)


def _observed(ego: EgoState, memory: Memory, rules: Following, vehicle: Vehicle) -> tuple[EgoState, float]:
    """The ego with the wheel angle that the commands have led to, and the curvature it drives beside that angle's.

    A wheel angle that is told may be derived from the yaw rate, and then hides that the vehicle turns in another way
    than modelled. Where both differ by more than can be believed, the commands are not followed: then it is taken.
    """
    moved = reckoned(memory.ego, memory.sent, vehicle, ego.stamp_ns)
    if abs(ego.speed) < rules.bend_speed_min_mps:
        return replace(ego, steering=moved.steering), memory.bend
    beside = ego.yaw_rate / ego.speed - math.tan(moved.steering) / vehicle.wheel_base_m
    if abs(beside) > rules.bend_max_1pm:
        return ego, 0.0
    share = -math.expm1(-(ego.stamp_ns - memory.stamp_ns) * 1e-9 / rules.bend_s)
    return replace(ego, steering=moved.steering), memory.bend + share * (beside - memory.bend)


def at_rest(now: Moment, rules: Following) -> float | None:
    """The acceleration that holds the vehicle, or stops it once the trajectory has ended; None while it is followed."""
    speed, reference = now.ahead.speed, now.reference
    slow = abs(speed) < rules.standstill_mps
    back = 1.0 if speed < 0.0 else -1.0
    if now.time_s > reference.end_s and abs(float(reference.table[-1, 4])) > rules.standstill_mps:
        return back * (rules.hold_mps2 if slow else rules.overrun_mps2)
    soon = reference.at(now.time_s + rules.rest_s)
    resting = abs(now.wanted.speed) < rules.standstill_mps and abs(soon.speed) < rules.standstill_mps
    return back * rules.hold_mps2 if resting and slow else None


def command(now: Moment, steering: float, acceleration: float, halts: bool, vehicle: Vehicle) -> ControlCommand:
    """The command within the vehicle's limits: angle and its rate, acceleration and jerk.

    The vehicle moves backwards only where a negative speed is commanded: one that still rolls back is braked so.
    """
    angle, push = now.before
    turn = vehicle.steering_rate_max_radps * now.dt_s
    jerk = vehicle.jerk_max_mps3 * now.dt_s
    steering = _clip(steering, angle - turn, angle + turn)
    steering = _clip(steering, -vehicle.steering_max_rad, vehicle.steering_max_rad)
    acceleration = _clip(acceleration, push - jerk, push + jerk)
    acceleration = _clip(acceleration, -vehicle.deceleration_max_mps2, vehicle.acceleration_max_mps2)
    rate = (steering - angle) / now.dt_s if now.dt_s > 0.0 else 0.0
    limit = vehicle.steering_rate_max_radps
    speed = min(0.5 * now.ahead.speed, 0.0) if halts else now.wanted.speed
    return ControlCommand(now.ego.stamp_ns, steering, _clip(rate, -limit, limit), speed, acceleration)


def remembered(now: Moment, given: ControlCommand, integral: float = 0.0, note: str = "") -> Memory:
    """The memory after a command."""
    errors = tracking_errors(now.reference, now.ego)
    return Memory(now.ego, now.bend, (*now.sent, given), now.trajectory, now.reference, errors, integral, note)


def _clip(number: float, low: float, high: float) -> float:
    return float(min(max(number, low), high))
