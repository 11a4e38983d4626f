"""An independent judge of the trajectories on the controller's topic.

Written from the messages' definition and the vehicle's parameters alone: it shares no code with the bridge's own
validation, so that what both overlook is unlikely. It knows the truth that the stack may have been lied to about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from behaviors_ros.parameters import Parameters, Vehicle, value

STANDS_MPS = 0.3


class Tolerances(Parameters):
    """How far a trajectory may be from the truth and from what the vehicle can do."""

    along_m: float = value(2.5, "distance along", low=0.0)
    aside_m: float = value(1.0, "distance across", low=0.0)
    heading_rad: float = value(0.45, "angle", low=0.0)
    speed_mps: float = value(2.5, "difference of speeds", low=0.0)
    future_s: float = value(0.15, "stamp ahead of the time", low=0.0)
    age_s: float = value(0.5, "age of one that is not a stop", low=0.0)
    share: float = value(0.15, "by which a limit may be passed", low=0.0)
    first_s: float = value(0.5, "in which jerk and steering rate may be half as large again", low=0.0)


@dataclass
class Checker:
    """Counts invalid trajectories and remembers why."""

    vehicle: Vehicle
    tolerances: Tolerances = field(default_factory=Tolerances)
    checked: int = 0
    faults: list[str] = field(default_factory=list)

    def check(self, message: Any, now_s: float, ego: tuple[float, float, float, float, float] | None) -> str:
        """Why a trajectory is invalid, empty if it is not. `ego`: true x, y, yaw, speed and their stamp in s."""
        self.checked += 1
        why = self._why(message, now_s, ego)
        if why:
            self.faults.append(f"at {now_s:.2f} s: {why}")
        return why

    def _why(self, message: Any, now_s: float, ego: tuple[float, float, float, float, float] | None) -> str:
        if len(message.points) < 2:
            return f"{len(message.points)} points"
        rows = np.array([_row(point) for point in message.points])
        if not np.isfinite(rows).all():
            return "not finite"
        if rows[0, 0] < 0.0 or (np.diff(rows[:, 0]) <= 0.0).any():
            return "times do not increase"
        return self._of_form(rows) or self._at_time(message, rows, now_s) or self._at_vehicle(message, rows, ego)

    def _of_form(self, rows: np.ndarray) -> str:
        """Within what the vehicle can do, and one with itself: positions, headings, speeds, accelerations."""
        v, more = self.vehicle, 1.0 + self.tolerances.share
        time_s, x, y, yaw, speed, push, bend = rows.T
        dt = np.diff(time_s)
        moving = np.minimum(abs(speed[1:]), abs(speed[:-1])) > STANDS_MPS
        early = np.where(time_s[:-1] < self.tolerances.first_s, 1.5, 1.0)
        mean = 0.5 * (speed[1:] + speed[:-1])
        way = np.hypot(np.diff(x), np.diff(y))
        slope = np.diff(speed) / dt
        turn = np.abs((np.diff(yaw) + math.pi) % (2.0 * math.pi) - math.pi)
        steering = np.arctan(v.wheel_base_m * bend)
        side = speed**2 * abs(bend)
        checks = (
            ("speed", speed.max(), max(v.speed_max_mps, speed[0]) + 0.5),
            ("driving backwards", -speed.min(), STANDS_MPS),
            ("acceleration", np.where(moving, slope, 0.0).max(), v.acceleration_max_mps2 * more + 0.5),
            ("acceleration named", push.max(), v.acceleration_max_mps2 * more + 0.5),
            ("braking", np.where(moving, -slope, 0.0).max(), v.deceleration_max_mps2 * more + 0.5),
            ("braking named", -push.min(), v.deceleration_max_mps2 * more + 0.5),
            ("jerk", np.where(moving, abs(np.diff(push)) / dt / early, 0.0).max(), v.jerk_max_mps3 * more),
            ("curvature", np.where(abs(speed) > STANDS_MPS, abs(bend), 0.0).max(),
             math.tan(v.steering_max_rad) / v.wheel_base_m * more),
            ("steering rate", np.where(moving, abs(np.diff(steering)) / dt / early, 0.0).max(),
             v.steering_rate_max_radps * more),
            ("lateral acceleration", side.max(), max(v.lateral_acceleration_max_mps2, side[0]) * more + 0.5),
            ("step against speed", (abs(way - abs(mean) * dt) - 0.15 * abs(mean) * dt).max(), 0.15),
            ("turn against curvature", np.where(moving, abs(turn - way * abs(0.5 * (bend[1:] + bend[:-1]))), 0.0).max(),
             0.1),
        )  # fmt: skip
        for name, found, limit in checks:
            if not found <= limit:
                return f"{name}: {found:.3g} against {limit:.3g}"
        return ""

    def _at_time(self, message: Any, rows: np.ndarray, now_s: float) -> str:
        """Neither of the future nor too old; a stop may be driven to its end."""
        age_s = now_s - _seconds(message.header.stamp)
        if age_s < -self.tolerances.future_s:
            return f"stamped {-age_s:.2f} s ahead"
        if age_s > self.tolerances.age_s and not is_stop(message):
            return f"{age_s:.2f} s old and no stop"
        return ""

    def _at_vehicle(
        self, message: Any, rows: np.ndarray, ego: tuple[float, float, float, float, float] | None
    ) -> str:  # fmt: skip
        """Where the vehicle truly is, at the instant of what is known of it."""
        if ego is None:
            return "nothing is known of the vehicle"
        at = float(np.clip(ego[4] - _seconds(message.header.stamp), 0.0, rows[-1, 0]))
        x, y, speed = (float(np.interp(at, rows[:, 0], rows[:, i])) for i in (1, 2, 4))
        yaw = float(np.interp(at, rows[:, 0], np.unwrap(rows[:, 3])))
        dx, dy = ego[0] - x, ego[1] - y
        apart = (ego[2] - yaw + math.pi) % (2.0 * math.pi) - math.pi
        t = self.tolerances
        for name, found, limit in (
            ("along", dx * math.cos(yaw) + dy * math.sin(yaw), t.along_m),
            ("aside", dy * math.cos(yaw) - dx * math.sin(yaw), t.aside_m),
            ("heading", apart, t.heading_rad),
            ("speed", ego[3] - speed, t.speed_mps),
        ):
            if not abs(found) <= limit:
                return f"vehicle is off it, {name}: {found:.3g} against {limit:.3g}"
        return ""


def _row(point: Any) -> tuple[float, ...]:
    pose, after = point.pose, point.time_from_start
    q = pose.orientation
    yaw = math.atan2(2.0 * (q.w * q.z + q.x * q.y), 1.0 - 2.0 * (q.y * q.y + q.z * q.z))
    return (after.sec + 1e-9 * after.nanosec, pose.position.x, pose.position.y, yaw, point.longitudinal_velocity_mps,
            point.acceleration_mps2, point.curvature_1pm)  # fmt: skip


def _seconds(stamp: Any) -> float:
    return float(stamp.sec) + 1e-9 * float(stamp.nanosec)


def is_stop(message: Any) -> bool:
    """Whether a trajectory ends standing."""
    return bool(message.points) and abs(message.points[-1].longitudinal_velocity_mps) < 0.05
