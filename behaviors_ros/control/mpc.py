"""Model predictive control: the motion that the regulator seeks (`lqr`), within the vehicle's limits.

Two quadratic programmes a call, solved by PIQP: first way and speed, then, linear about the speeds found, the steering.
Inputs are the jerk and the steering rate; their limits and those of acceleration and wheel angle are bounds. An
interior-point method gains nothing from a warm start (docs/decisions/0009); its iterations are limited. Where one of
them is not solved, the regulator's law is driven, and the memory's note says so.
"""

from __future__ import annotations

from typing import Any

from behaviors_ros.control.horizon import Horizon, Solution, bounded, feedback
from behaviors_ros.control.motion import Weighing, across, along, foot
from behaviors_ros.control.tracking import Following, Memory, at_rest, command, moment, remembered
from behaviors_ros.datatypes import ControlCommand, EgoState, Trajectory
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register


class MpcParameters(Parameters):
    """What is weighed over which horizon, and how it is solved."""

    cost: Weighing = Weighing()
    iterations: int = value(40, "most iterations of a quadratic programme", low=1, high=1000)
    precision: float = value(1e-6, "of a quadratic programme's solution", low=1e-12, high=1e-2)
    following: Following = Following()


@register("controller", "mpc")
class Mpc:
    """Model predictive control of a kinematic bicycle with lags, within the vehicle's limits."""

    name: str
    parameters = MpcParameters

    def __init__(self, parameters: MpcParameters, vehicle: Vehicle) -> None:
        """Keep the parameters and the vehicle's model."""
        self.p, self.vehicle = parameters, vehicle

    def control(self, trajectory: Trajectory, ego: EgoState, memory: Any) -> tuple[ControlCommand, Memory]:
        """The command at `ego.stamp_ns` and the memory for the next step; None starts afresh."""
        cost, following, vehicle = self.p.cost, self.p.following, self.vehicle
        now = moment(trajectory, ego, memory, following, vehicle)
        place, (angle, push) = foot(now), now.before
        resting = at_rest(now, following)
        faster, note = self._solved(along(now, place, cost, following, vehicle), "speed")
        acceleration = push + float(faster.inputs[0]) * now.dt_s if resting is None else resting
        steering = now.ahead.steering
        if abs(now.ahead.speed) >= following.standstill_mps:
            speeds = faster.states[:, 1].copy()
            turning, more = self._solved(across(now, place, speeds, cost, following, vehicle), "steering")
            steering, note = angle + float(turning.inputs[0]) * now.dt_s, note or more
        given = command(now, steering, acceleration, resting is not None, vehicle)
        return given, remembered(now, given, note=note)

    def _solved(self, problem: Horizon, what: str) -> tuple[Solution, str]:
        """Solution and note."""
        found = bounded(problem, self.p.iterations, self.p.precision)
        return (found, "") if found is not None else (feedback(problem), f"{what} not solved: feedback law")
