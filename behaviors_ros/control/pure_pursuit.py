"""Pure pursuit of the path, feed-forward and PI control of the speed, with the actuators' delay compensated.

Source of the steering law: R. C. Coulter, Implementation of the pure pursuit path tracking algorithm, CMU-RI-TR-92-01,
1992: curvature = 2 y / l^2 for a point of the path at distance l and lateral offset y.
"""

from __future__ import annotations

import math
from typing import Any

from behaviors_ros.control.speed import SpeedControl, speed_control
from behaviors_ros.control.tracking import Following, Memory, Moment, at_rest, command, moment, remembered
from behaviors_ros.datatypes import ControlCommand, EgoState, Trajectory
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register


class PurePursuitParameters(Parameters):
    """How closely the trajectory is followed."""

    lookahead_s: float = value(0.45, "time to the point of the path that is steered at", low=0.05, high=5.0)
    lookahead_min_m: float = value(2.5, "shortest distance to that point", low=0.2, high=50.0)
    speed: SpeedControl = SpeedControl()
    following: Following = Following()


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
        now = moment(trajectory, ego, memory, self.p.following, self.vehicle)
        resting, integral = at_rest(now, self.p.following), 0.0
        acceleration = resting
        if acceleration is None:
            acceleration, integral = speed_control(now, self.p.speed, self.p.following, self.vehicle)
        given = command(now, self._steering(now), acceleration, resting is not None, self.vehicle)
        return given, remembered(now, given, integral)

    def _steering(self, now: Moment) -> float:
        """Angle of the circle through the predicted pose and the path's point ahead; held at standstill."""
        ahead = now.ahead
        if abs(ahead.speed) < self.p.following.standstill_mps:
            return ahead.steering
        x, y = ahead.position.tolist()
        reach = max(self.p.lookahead_min_m, self.p.lookahead_s * abs(ahead.speed))
        foot = now.reference.foot(x, y, ahead.yaw, now.time_s)
        at_x, at_y = now.reference.ahead_of(foot.point, reach + foot.point.direction * foot.ahead)
        lateral = -math.sin(ahead.yaw) * (at_x - x) + math.cos(ahead.yaw) * (at_y - y)
        distance2 = max((at_x - x) ** 2 + (at_y - y) ** 2, 0.25 * reach**2)
        return math.atan((2.0 * lateral / distance2 - now.bend) * self.vehicle.wheel_base_m)
