"""Gate: halt at the goal, where the goal asks for it."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Candidates, Predictions, Scene, StopKind, Verdict
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_most
from behaviors_ros.scoring.passage import can_hold, stops_ahead


class GoalParameters(Parameters):
    """How far beyond the goal is too far."""

    overrun_m: float = value(
        0.5, "distance of the box centre beyond the goal that still counts as there", low=0.0, high=5.0
    )
    deceleration_mps2: float = value(3.0, "a goal that this braking cannot hold is passed", low=0.5, high=8.0)


@register("gate", "goal")
class GoalGate:
    """Value: how far the ego's box centre gets beyond the goal, m. Past it already, or too late to halt: no duty."""

    parameters = GoalParameters
    unit = "m"

    def __init__(self, parameters: GoalParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        centre = candidates.s + self.vehicle.centre_offset_m
        beyond = np.zeros(len(candidates))
        for stop in stops_ahead(scene.route, (StopKind.GOAL,), candidates, self.vehicle):
            line = stop.s + self.p.overrun_m
            bound = can_hold(centre[:, 0], candidates.speed[:, 0], line, self.p.deceleration_mps2)
            bound &= centre[:, 0] <= line
            beyond = np.maximum(beyond, np.where(bound, centre.max(axis=1) - stop.s, 0.0))
        return at_most(beyond, self.p.overrun_m, candidates)
