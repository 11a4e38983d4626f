"""Whether odometry is the motion of a vehicle: what jumps or stands still at speed is not driven with."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from behaviors_ros.datatypes import EgoState
from behaviors_ros.parameters import Parameters, Vehicle, value

NS = 1_000_000_000
WRONG_SHARE = 0.02  # share of its way by which reckoning goes wrong


class OdometryLimits(Parameters):
    """What one message may differ from the one before, beyond what its own speed explains."""

    jump_max_m: float = value(0.5, "distance from where speed and heading lead to", low=0.05, high=10.0)
    turn_max_rad: float = value(0.2, "turn beyond what the vehicle can do", low=0.02, high=3.2)
    gain_max_mps: float = value(1.0, "change of speed beyond what the vehicle can do", low=0.1, high=10.0)
    frozen_s: float = value(0.15, "time at speed without moving after which odometry is frozen", low=0.05, high=600.0)
    frozen_mps: float = value(0.5, "speed above which a vehicle must be seen to move", low=0.1, high=5.0)
    settled_s: float = value(2.0, "time of messages that fit each other which ends a refusal", low=0.1, high=60.0)


@dataclass(frozen=True, eq=False)
class OdometryWatch:
    """What was seen so far: the latest accepted state, the latest of all, the stamp since which these fit each other,
    the one at which the position last changed, and where the vehicle is by speed and heading since the accepted state,
    with the distance that this may be wrong by.
    """

    accepted: EgoState | None = None
    seen: EgoState | None = None
    fitting_ns: int = 0
    moved_ns: int = 0
    reckoned: EgoState | None = None
    wrong_m: float = 0.0


def watched(watch: OdometryWatch, ego: EgoState, limits: OdometryLimits, vehicle: Vehicle) -> tuple[OdometryWatch, str]:
    """The watch after a state, and why the state is refused; empty when it is taken.

    A place that jumped stays so as the vehicle goes on: what is reckoned goes with it. It is taken as the truth only
    when messages have fitted each other there for `settled_s`: by then a vehicle that stops because of the jump has all
    but stopped, and a localisation that lied for a moment has recovered.
    """
    before = watch.seen
    moved_ns = ego.stamp_ns if before is None or _moved(before, ego) else watch.moved_ns
    fits = before is not None and before.stamp_ns < ego.stamp_ns and not _misfit(before, ego, limits, vehicle)
    fitting_ns = watch.fitting_ns if fits else ego.stamp_ns
    after = replace(watch, seen=ego, fitting_ns=fitting_ns, moved_ns=moved_ns)
    still_s = (ego.stamp_ns - moved_ns) / NS
    if abs(ego.speed) > limits.frozen_mps and still_s > limits.frozen_s:
        return replace(after, fitting_ns=ego.stamp_ns), f"has not moved for {still_s:.2f} s at {ego.speed:.1f} m/s"
    if watch.accepted is None or watch.reckoned is None:
        return replace(after, accepted=ego, reckoned=ego), ""
    reckoned, wrong_m = _reckoned(watch.reckoned, ego, vehicle)
    wrong_m += watch.wrong_m
    jump = math.dist(reckoned.position, ego.position)
    reason = _impossible(watch.accepted, ego, limits, vehicle)
    if jump > limits.jump_max_m + wrong_m and ego.stamp_ns > watch.accepted.stamp_ns:
        reason = f"jumps by {jump:.2f} m"
    if reason and ego.stamp_ns - fitting_ns < limits.settled_s * NS:
        return replace(after, reckoned=reckoned, wrong_m=wrong_m), reason
    return replace(after, accepted=ego, reckoned=ego, wrong_m=0.0), ""


def _reckoned(before: EgoState, ego: EgoState, vehicle: Vehicle) -> tuple[EgoState, float]:
    """A state moved on to the time of another by the speed and heading of both, and how wrong its place may be."""
    dt = max((ego.stamp_ns - before.stamp_ns) / NS, 0.0)
    course = before.yaw + 0.5 * math.remainder(ego.yaw - before.yaw, math.tau)
    way = 0.5 * (before.speed + ego.speed) * dt
    place = before.position + [way * math.cos(course), way * math.sin(course)]
    return replace(ego, position=place), WRONG_SHARE * abs(way) + 0.25 * _push(vehicle) * dt**2


def _push(vehicle: Vehicle) -> float:
    return max(vehicle.acceleration_max_mps2, vehicle.deceleration_max_mps2)


def _moved(before: EgoState, after: EgoState) -> bool:
    return math.dist(before.position, after.position) > 1e-3


def _misfit(before: EgoState, after: EgoState, limits: OdometryLimits, vehicle: Vehicle) -> str:
    """Why the second state cannot be the motion of the first, some time later; empty when it can."""
    reckoned, wrong_m = _reckoned(before, after, vehicle)
    jump = math.dist(reckoned.position, after.position)
    if jump > limits.jump_max_m + wrong_m:
        return f"jumps by {jump:.2f} m"
    return _impossible(before, after, limits, vehicle)


def _impossible(before: EgoState, after: EgoState, limits: OdometryLimits, vehicle: Vehicle) -> str:
    """Whether the vehicle cannot turn or change its speed like that."""
    dt = (after.stamp_ns - before.stamp_ns) / NS
    if dt <= 0.0:
        return ""
    turn = abs(math.remainder(after.yaw - before.yaw, math.tau))
    bend = math.tan(vehicle.steering_max_rad) / vehicle.wheel_base_m
    turn_max = max(abs(before.speed), abs(after.speed)) * bend * dt + limits.turn_max_rad
    if turn > turn_max:
        return f"turns by {turn:.2f} rad in {dt:.2f} s"
    gain = abs(after.speed - before.speed)
    gain_max = 1.5 * _push(vehicle) * dt + limits.gain_max_mps
    return f"changes speed by {gain:.2f} m/s in {dt:.2f} s" if gain > gain_max else ""
