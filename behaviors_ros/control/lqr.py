"""A linear quadratic regulator, varying in time, of way and speed along the trajectory and of the errors across it.

The law looks ahead: it is the first step of the best motion over a horizon, with the reference's speeds and curvatures
there (`motion`), found by a Riccati iteration (`horizon`). What it gives is then held to the vehicle's limits.
"""

from __future__ import annotations

from typing import Any

from behaviors_ros.control.horizon import feedback
from behaviors_ros.control.motion import Weighing, across, along, foot
from behaviors_ros.control.tracking import Following, Memory, at_rest, command, moment, remembered
from behaviors_ros.datatypes import ControlCommand, EgoState, Trajectory
from behaviors_ros.parameters import Parameters, Vehicle
from behaviors_ros.registry import register


class LqrParameters(Parameters):
    """What is weighed over which horizon."""

    cost: Weighing = Weighing()
    following: Following = Following()


@register("controller", "lqr")
class Lqr:
    """Linear quadratic regulator over a horizon, with the curvature and acceleration ahead fed forward."""

    name: str
    parameters = LqrParameters

    def __init__(self, parameters: LqrParameters, vehicle: Vehicle) -> None:
        """Keep the parameters and the vehicle's model."""
        self.p, self.vehicle = parameters, vehicle

    def control(self, trajectory: Trajectory, ego: EgoState, memory: Any) -> tuple[ControlCommand, Memory]:
        """The command at `ego.stamp_ns` and the memory for the next step; None starts afresh."""
        cost, following, vehicle = self.p.cost, self.p.following, self.vehicle
        now = moment(trajectory, ego, memory, following, vehicle)
        place, (angle, push) = foot(now), now.before
        resting = at_rest(now, following)
        faster = feedback(along(now, place, cost, following, vehicle))
        acceleration = push + float(faster.inputs[0]) * now.dt_s if resting is None else resting
        steering = now.ahead.steering
        if abs(now.ahead.speed) >= following.standstill_mps:
            turning = feedback(across(now, place, faster.states[:, 1].copy(), cost, following, vehicle))
            steering = angle + float(turning.inputs[0]) * now.dt_s
        given = command(now, steering, acceleration, resting is not None, vehicle)
        return given, remembered(now, given)
