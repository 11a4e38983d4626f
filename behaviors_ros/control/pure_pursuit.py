"""Pure pursuit of the path, feed-forward and PI control of the speed, with the actuators' delay compensated.

Source of the steering law: R. C. Coulter, Implementation of the pure pursuit path tracking algorithm, CMU-RI-TR-92-01,
1992: curvature = 2 y / l^2 for a point of the path at distance l and lateral offset y.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from behaviors_ros.datatypes import ControlCommand, EgoState, Trajectory
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polylines import without_duplicates
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register


class PurePursuitParameters(Parameters):
    """How closely the trajectory is followed."""

    lookahead_s: float = value(0.45, "time to the point of the path that is steered at", low=0.05, high=5.0)
    lookahead_min_m: float = value(2.5, "shortest distance to that point", low=0.2, high=50.0)
    speed_gain_1ps: float = value(1.2, "acceleration for 1 m/s speed error", low=0.0, high=10.0)
    speed_integral_1ps2: float = value(0.15, "acceleration gained in 1 s at 1 m/s speed error", low=0.0, high=10.0)
    integral_max_mps2: float = value(0.5, "largest integral part", low=0.0, high=5.0)
    station_gain_1ps: float = value(0.4, "speed added for 1 m behind the reference", low=0.0, high=5.0)
    station_error_max_m: float = value(1.5, "station errors beyond this count as this", low=0.0, high=20.0)
    standstill_mps: float = value(
        0.15, "below this speed, with a reference at rest, the brake holds", low=0.01, high=2.0
    )
    hold_mps2: float = value(1.0, "braking that holds the vehicle at standstill", low=0.1, high=8.0)
    overrun_mps2: float = value(3.0, "braking once the trajectory has ended while it still moved", low=0.1, high=8.0)


@dataclass(frozen=True, eq=False)
class Memory:
    """What persists: the speed integral (m/s^2), commands that have not reached the actuators, and the path's frame."""

    stamp_ns: int
    integral: float
    sent: tuple[ControlCommand, ...]
    trajectory: Trajectory
    frame: FrenetFrame | None


@dataclass(frozen=True)
class _Reference:
    """The trajectory at one time: station s m, speed m/s, acceleration m/s^2; resting: at rest then and soon after."""

    s: float
    speed: float
    acceleration: float
    resting: bool


@register("controller", "pure_pursuit")
class PurePursuit:
    """Steers at a point ahead on the path; the speed follows the trajectory in time."""

    name: str
    parameters = PurePursuitParameters

    def __init__(self, parameters: PurePursuitParameters, vehicle: Vehicle) -> None:
        """Keep the parameters and the vehicle's model."""
        self.p, self.vehicle = parameters, vehicle

    def control(self, trajectory: Trajectory, ego: EgoState, memory: Any) -> tuple[ControlCommand, Memory]:
        """The command at `ego.stamp_ns` and the memory for the next step; None starts afresh."""
        known = isinstance(memory, Memory)
        sent = _on_the_way(memory.sent, ego.stamp_ns, self.vehicle.actuator_delay_s) if known else ()
        frame = memory.frame if known and memory.trajectory is trajectory else _frame(trajectory)
        ahead = _predicted(ego, sent, self.vehicle)
        dt_s = min(max((ego.stamp_ns - memory.stamp_ns) * 1e-9, 0.0), 0.2) if known else 0.0
        steering = self._steering(frame, ahead)
        speed, acceleration, integral = self._speed(trajectory, frame, ahead, memory.integral if known else 0.0, dt_s)
        before = sent[-1].steering if sent else ego.steering
        rate = (steering - before) / dt_s if dt_s > 0.0 else 0.0
        limit = self.vehicle.steering_rate_max_radps
        command = ControlCommand(ego.stamp_ns, steering, min(max(rate, -limit), limit), speed, acceleration)
        return command, Memory(ego.stamp_ns, integral, (*sent, command), trajectory, frame)

    def _steering(self, frame: FrenetFrame | None, ahead: EgoState) -> float:
        """Angle of the circle through the predicted pose and the path's point ahead; held where there is no path."""
        if frame is None or abs(ahead.speed) < self.p.standstill_mps:
            return ahead.steering
        s, _ = frame.project(ahead.position)
        reach = max(self.p.lookahead_min_m, self.p.lookahead_s * abs(ahead.speed))
        offset = frame.point(float(s) + reach) - ahead.position
        lateral = float(-math.sin(ahead.yaw) * offset[0] + math.cos(ahead.yaw) * offset[1])
        distance2 = max(float(offset @ offset), 0.25 * reach**2)
        angle = math.atan(2.0 * lateral / distance2 * self.vehicle.wheel_base_m)
        return float(np.clip(angle, -self.vehicle.steering_max_rad, self.vehicle.steering_max_rad))

    def _speed(
        self, trajectory: Trajectory, frame: FrenetFrame | None, ahead: EgoState, integral: float, dt_s: float
    ) -> tuple[float, float, float]:
        """(speed, acceleration, integral): feed-forward, plus PI on the speed with the station error folded in."""
        time_s = (ahead.stamp_ns - trajectory.stamp_ns) * 1e-9
        reference = _reference(trajectory, frame, time_s, self.vehicle.acceleration_lag_s, self.p.standstill_mps)
        if reference is None:
            return 0.0, -self.p.overrun_mps2 if ahead.speed > self.p.standstill_mps else -self.p.hold_mps2, 0.0
        if reference.resting and abs(ahead.speed) < self.p.standstill_mps:
            return 0.0, -self.p.hold_mps2, 0.0
        behind = reference.s - float(frame.project(ahead.position)[0]) if frame is not None else 0.0
        behind = float(np.clip(behind, -self.p.station_error_max_m, self.p.station_error_max_m))
        error = reference.speed + self.p.station_gain_1ps * behind - ahead.speed
        integral += self.p.speed_integral_1ps2 * error * dt_s
        integral = min(max(integral, -self.p.integral_max_mps2), self.p.integral_max_mps2)
        wanted = reference.acceleration + self.p.speed_gain_1ps * error + integral
        low, high = -self.vehicle.deceleration_max_mps2, self.vehicle.acceleration_max_mps2
        return reference.speed, float(np.clip(wanted, low, high)), integral


def _frame(trajectory: Trajectory) -> FrenetFrame | None:
    """Frame of the trajectory's path; None where it does not move."""
    points = without_duplicates(trajectory.position, tolerance_m=0.02)
    return FrenetFrame(points, smoothing_m=0.5) if len(points) > 1 else None


def _reference(
    trajectory: Trajectory, frame: FrenetFrame | None, time_s: float, lag_s: float, resting_mps: float
) -> _Reference | None:
    """The trajectory at a time, its acceleration `lag_s` later; None once it has ended while it still moved."""
    last = float(trajectory.time_s[-1])
    if time_s > last and abs(trajectory.speed[-1]) > resting_mps:
        return None
    t = min(max(time_s, 0.0), last)
    point = np.array([np.interp(t, trajectory.time_s, trajectory.position[:, axis]) for axis in (0, 1)])
    speed = float(np.interp(t, trajectory.time_s, trajectory.speed))
    soon = float(np.interp(min(t + 0.5, last), trajectory.time_s, trajectory.speed))
    acceleration = float(np.interp(min(t + lag_s, last), trajectory.time_s, trajectory.acceleration))
    resting = abs(speed) < resting_mps and abs(soon) < resting_mps
    return _Reference(float(frame.project(point)[0]) if frame is not None else 0.0, speed, acceleration, resting)


def _on_the_way(sent: tuple[ControlCommand, ...], now_ns: int, delay_s: float) -> tuple[ControlCommand, ...]:
    """Commands that act between now and the end of the delay: those younger than it, and the one before them."""
    first = now_ns - round(delay_s * 1e9)
    young = [i for i, command in enumerate(sent) if command.stamp_ns > first]
    return sent[max(0, young[0] - 1) :] if young else sent[-1:]


def _predicted(ego: EgoState, sent: tuple[ControlCommand, ...], vehicle: Vehicle) -> EgoState:
    """The ego when a command given now starts to act, moved by the commands that act until then."""
    delay_ns = round(vehicle.actuator_delay_s * 1e9)
    end_ns = ego.stamp_ns + delay_ns
    x, y, yaw, speed, steering, drive = *ego.position, ego.yaw, ego.speed, ego.steering, ego.acceleration
    now_ns = ego.stamp_ns
    while now_ns < end_ns:
        step_ns = min(20_000_000, end_ns - now_ns)
        h = step_ns * 1e-9
        acting = [command for command in sent if command.stamp_ns + delay_ns <= now_ns]
        if acting:
            steering += (acting[-1].steering - steering) * _share(h, vehicle.steering_lag_s)
            drive += (acting[-1].acceleration - drive) * _share(h, vehicle.acceleration_lag_s)
        after = speed + drive * h
        after = 0.0 if speed * after < 0.0 or (speed == 0.0 and drive < 0.0) else after
        distance = 0.5 * (speed + after) * h
        turn = distance * math.tan(steering) / vehicle.wheel_base_m
        x, y = x + distance * math.cos(yaw + 0.5 * turn), y + distance * math.sin(yaw + 0.5 * turn)
        yaw, speed, now_ns = yaw + turn, after, now_ns + step_ns
    return EgoState(end_ns, np.array((x, y)), yaw, float(speed), float(drive), float(steering), 0.0)


def _share(h: float, lag_s: float) -> float:
    """Share of a step input that a first-order lag has followed after `h` seconds."""
    return -math.expm1(-h / lag_s) if lag_s > 0.0 else 1.0
