"""Whether odometry is the motion of a vehicle: what jumps or stands still at speed is not driven with."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from behaviors_ros.datatypes import EgoState
from behaviors_ros.parameters import Parameters, Vehicle, value

NS = 1_000_000_000


class OdometryLimits(Parameters):
    """What one message may differ from the one before, beyond what its own speed explains."""

    jump_max_m: float = value(0.5, "way beyond what the speed explains", low=0.05, high=10.0)
    turn_max_rad: float = value(0.2, "turn beyond what the vehicle can do", low=0.02, high=3.2)
    gain_max_mps: float = value(1.0, "change of speed beyond what the vehicle can do", low=0.1, high=10.0)
    frozen_s: float = value(0.15, "time at speed without moving after which odometry is frozen", low=0.05, high=600.0)
    frozen_mps: float = value(0.5, "speed above which a vehicle must be seen to move", low=0.1, high=5.0)
    settled_s: float = value(2.0, "time of messages that fit each other which ends a refusal", low=0.1, high=60.0)


@dataclass(frozen=True, eq=False)
class OdometryWatch:
    """What was seen so far: the latest accepted state, the latest of all, the stamp since which these fit each other,
    and the one at which the position last changed.
    """

    accepted: EgoState | None = None
    seen: EgoState | None = None
    fitting_ns: int = 0
    moved_ns: int = 0


def watched(watch: OdometryWatch, ego: EgoState, limits: OdometryLimits, vehicle: Vehicle) -> tuple[OdometryWatch, str]:
    """The watch after a state, and why the state is refused; empty when it is taken.

    A place that jumped is taken as the truth only when messages have fitted each other there for `settled_s`: by then a
    vehicle that stops because of the jump has all but stopped, and a localisation that lied for a moment has recovered.
    """
    before = watch.seen
    moved_ns = ego.stamp_ns if before is None or _moved(before, ego) else watch.moved_ns
    fits = before is not None and before.stamp_ns < ego.stamp_ns and not _misfit(before, ego, limits, vehicle)
    fitting_ns = watch.fitting_ns if fits else ego.stamp_ns
    after = replace(watch, seen=ego, fitting_ns=fitting_ns, moved_ns=moved_ns)
    still_s = (ego.stamp_ns - moved_ns) / NS
    if abs(ego.speed) > limits.frozen_mps and still_s > limits.frozen_s:
        return replace(after, fitting_ns=ego.stamp_ns), f"has not moved for {still_s:.2f} s at {ego.speed:.1f} m/s"
    reason = "" if watch.accepted is None else _misfit(watch.accepted, ego, limits, vehicle)
    if reason and ego.stamp_ns - fitting_ns < limits.settled_s * NS:
        return after, reason
    return replace(after, accepted=ego), ""


def _moved(before: EgoState, after: EgoState) -> bool:
    return math.dist(before.position, after.position) > 1e-3


def _misfit(before: EgoState, after: EgoState, limits: OdometryLimits, vehicle: Vehicle) -> str:
    """Why the second state cannot be the motion of the first, some time later; empty when it can."""
    dt = (after.stamp_ns - before.stamp_ns) / NS
    if dt <= 0.0:
        return ""
    fastest = max(abs(before.speed), abs(after.speed))
    way, turn = math.dist(before.position, after.position), abs(math.remainder(after.yaw - before.yaw, math.tau))
    gain = abs(after.speed - before.speed)
    push = max(vehicle.acceleration_max_mps2, vehicle.deceleration_max_mps2)
    bend = math.tan(vehicle.steering_max_rad) / vehicle.wheel_base_m
    for name, found, limit, unit in (
        ("jumps by", way, fastest * dt + limits.jump_max_m, "m"),
        ("turns by", turn, fastest * bend * dt + limits.turn_max_rad, "rad"),
        ("changes speed by", gain, 1.5 * push * dt + limits.gain_max_mps, "m/s"),
    ):
        if found > limit:
            return f"{name} {found:.2f} {unit} in {dt:.2f} s"
    return ""
