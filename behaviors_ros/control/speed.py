"""Speed by feed-forward and PI control, with the station error folded in."""

from __future__ import annotations

from behaviors_ros.control.tracking import Following, Moment
from behaviors_ros.parameters import Parameters, Vehicle, value


class SpeedControl(Parameters):
    """Gains of the speed control."""

    gain_1ps: float = value(1.2, "acceleration for 1 m/s speed error", low=0.0, high=10.0)
    integral_1ps2: float = value(0.15, "acceleration gained in 1 s at 1 m/s speed error", low=0.0, high=10.0)
    integral_max_mps2: float = value(0.5, "largest integral part", low=0.0, high=5.0)
    station_gain_1ps: float = value(0.4, "speed added for 1 m behind the reference", low=0.0, high=5.0)


def speed_control(now: Moment, rules: SpeedControl, following: Following, vehicle: Vehicle) -> tuple[float, float]:
    """Acceleration, m/s^2, and the integral part of it.

    The acceleration fed forward is the reference's as much later as the drive lags behind.
    """
    place = now.reference.foot(float(now.ahead.position[0]), float(now.ahead.position[1]), now.ahead.yaw, now.time_s)
    behind = now.wanted.along - place.point.along - place.ahead
    behind = min(max(behind, -following.station_error_max_m), following.station_error_max_m)
    error = now.wanted.speed + rules.station_gain_1ps * behind - now.ahead.speed
    integral = now.integral + rules.integral_1ps2 * error * now.dt_s
    integral = min(max(integral, -rules.integral_max_mps2), rules.integral_max_mps2)
    fed = now.reference.at(now.time_s + vehicle.acceleration_lag_s).acceleration
    return fed + rules.gain_1ps * error + integral, integral
