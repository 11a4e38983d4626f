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
    gap_max_s: float = value(0.5, "after a longer gap there is nothing to compare with", low=0.05, high=10.0)
    settled: int = value(10, "messages in a row that fit each other and end a refusal", low=1, high=1000)


@dataclass(frozen=True, eq=False)
class OdometryWatch:
    """What was seen so far: the latest accepted state, the latest of all, how many of these fit each other in a row,
    and the stamp at which the position last changed.
    """

    accepted: EgoState | None = None
    seen: EgoState | None = None
    fitting: int = 0
    moved_ns: int = 0


def watched(watch: OdometryWatch, ego: EgoState, limits: OdometryLimits, vehicle: Vehicle) -> tuple[OdometryWatch, str]:
    """The watch after a state, and why the state is refused; empty when it is taken.

    A place or a heading that jumped is taken as the truth once `settled` messages in a row fit each other there.
    """
    before = watch.seen
    moved_ns = ego.stamp_ns if before is None or _moved(before, ego) else watch.moved_ns
    fitting = watch.fitting + 1 if before is not None and not _misfit(before, ego, limits, vehicle) else 0
    after = replace(watch, seen=ego, fitting=fitting, moved_ns=moved_ns)
    still_s = (ego.stamp_ns - moved_ns) / NS
    if abs(ego.speed) > limits.frozen_mps and still_s > limits.frozen_s:
        return replace(after, fitting=0), f"has not moved for {still_s:.2f} s at {ego.speed:.1f} m/s"
    reason = "" if watch.accepted is None else _misfit(watch.accepted, ego, limits, vehicle)
    if reason and fitting < limits.settled:
        return after, reason
    return replace(after, accepted=ego), ""


def _moved(before: EgoState, after: EgoState) -> bool:
    return math.dist(before.position, after.position) > 1e-3


def _misfit(before: EgoState, after: EgoState, limits: OdometryLimits, vehicle: Vehicle) -> str:
    """Why the second state cannot be the motion of the first, some time later; empty when it can."""
    dt = (after.stamp_ns - before.stamp_ns) / NS
    if not 0.0 < dt <= limits.gap_max_s:
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
