"""Stops from now on: along the previous plan's path, the lane, and straight ahead, at several strengths.

Always at least one candidate. Each strength is raised until the vehicle stands within the horizon, up to what the
vehicle can do; a start too fast for any keeps braking at the vehicle's limits to the end of the horizon.
"""

from __future__ import annotations

from dataclasses import replace
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros import registry
from behaviors_ros.datatypes import Candidates, Grid, Predictions, Scene
from behaviors_ros.generation import offsets
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.laid import previous_path, straight_path
from behaviors_ros.generation.motions import Motions, candidates
from behaviors_ros.generation.offsets import Lateral
from behaviors_ros.generation.paths import joined
from behaviors_ros.generation.profiles import stop_time
from behaviors_ros.generation.situation import Situation, situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.parameters import Parameters, Vehicle, value


class StopParameters(Parameters):
    """How strongly we stop. The last stop is always the strongest that the vehicle can do."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()
    lateral: Lateral = Lateral()
    decelerations_mps2: tuple[float, ...] = value((1.0, 2.5, 4.0), "braking of the stops")
    jerks_mps3: tuple[float, ...] = value((0.7, 1.5, 4.0), "jerk of the stops, in the same order")


@registry.register("generator", "minimal_risk_stop")
class MinimalRiskStop:
    """Brakes to standstill, or holds still."""

    name = "minimal_risk_stop"
    parameters = StopParameters

    def __init__(self, parameters: StopParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """Stops along each path; one candidate that holds still when the vehicle stands."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        keep = offsets.keeping(situation, values.lateral)[:1]
        groups = [
            previous_path(situation), offsets.sampled(situation, keep), offsets.pursued(situation, values.lateral),
            straight_path(situation),
        ]  # fmt: skip
        motions = Motions(joined(groups), values.driving)
        if situation.start.speed == 0.0 and situation.start.acceleration <= 0.0:
            motions.brake(0, 1.0, 1.0, "hold still")
            return candidates(situation, motions, self.name)
        for path, label in enumerate(motions.paths.label):
            for braking, jerk in self._strengths(situation):
                motions.brake(path, braking, jerk, f"stop now at {braking:.1f} m/s2, {label}")
        found = candidates(situation, motions, self.name)
        # Too fast to stand within the horizon, they still are the stops that there are.
        return replace(found, is_stop=np.ones(len(found), dtype=bool))

    def _strengths(self, situation: Situation) -> list[tuple[float, float]]:
        """Distinct (braking, jerk), gentle to strong, each enough to stand within the horizon where possible."""
        hardest = (self.vehicle.deceleration_max_mps2, self.vehicle.jerk_max_mps3)
        wanted = [*zip(self.values.decelerations_mps2, self.values.jerks_mps3, strict=True), hardest]
        start, horizon = situation.start, situation.grid.horizon_s - 0.5 * situation.grid.dt_s
        strengths: list[tuple[float, float]] = []
        for braking, jerk in wanted:
            raised = _raised(
                start.speed, start.acceleration, min(braking, hardest[0]), min(jerk, hardest[1]), *hardest, horizon
            )
            if not strengths or raised[0] > 1.05 * strengths[-1][0] or raised[1] > 1.05 * strengths[-1][1]:
                strengths.append(raised)
        return strengths


@no_type_check
@njit(cache=True)
def _raised(
    speed: float, acceleration: float, braking: float, jerk: float, hardest: float, jerk_max: float, horizon: float
) -> tuple:  # pragma: no cover (compiled)
    """The least common scale of braking and jerk, from 1 up, that stands within the horizon; else the hardest."""
    work = np.empty(5)
    if stop_time(speed, acceleration, braking, jerk, work) <= horizon:
        return braking, jerk
    low, high = 1.0, max(hardest / braking, jerk_max / jerk)
    for _ in range(30):
        scale = 0.5 * (low + high)
        if stop_time(speed, acceleration, min(scale * braking, hardest), min(scale * jerk, jerk_max), work) <= horizon:
            high = scale
        else:
            low = scale
    return min(high * braking, hardest), min(high * jerk, jerk_max)
