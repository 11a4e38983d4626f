"""The previous plan, continued: the same motion from now on, so that keeping to it is always on offer."""

from __future__ import annotations

import numpy as np

from behaviors_ros import registry
from behaviors_ros.datatypes import Array, Candidates, Grid, Predictions, Scene, Trajectory
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.laid import previous_path, straight_path
from behaviors_ros.generation.motions import empty, on_grid
from behaviors_ros.generation.situation import Situation, situation_of
from behaviors_ros.generation.start import Stitching, states_at
from behaviors_ros.parameters import Parameters, Vehicle


class PreviousParameters(Parameters):
    """How the plan goes on past its end."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()


@registry.register("generator", "previous")
class Previous:
    """One candidate while the vehicle follows the previous plan, none otherwise."""

    name = "previous"
    parameters = PreviousParameters

    def __init__(self, parameters: PreviousParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """The previous trajectory shifted by the elapsed time; past its end its acceleration fades out."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        plan = scene.previous
        if plan is None or not situation.stitched:
            return empty(situation)
        path = previous_path(situation)
        paths = path if len(path) else straight_path(situation)
        along = self._along(situation, plan.trajectory)[None]
        label = plan.label if plan.label.startswith("continue: ") else f"continue: {plan.label}"
        return on_grid(situation, paths, np.zeros(1, np.int64), along, (label,), self.name)

    def _along(self, situation: Situation, old: Trajectory) -> Array:
        """Distance, speed and acceleration (step, 3) on the grid."""
        elapsed = (situation.scene.stamp_ns - old.stamp_ns) * 1e-9
        time = elapsed + situation.grid.time_s
        inside = time <= old.time_s[-1] + 1e-9
        states = states_at(old, time[inside])
        out = np.zeros((len(time), 3))
        out[inside, 1:] = states[:, 3:5]
        out[0, 1:] = situation.start.speed, situation.start.acceleration
        out[1 : len(states), 0] = np.cumsum(np.hypot(*np.diff(states[:, :2], axis=0).T))
        self._onward(out, len(states), situation.grid.dt_s)
        return out

    def _onward(self, out: Array, known: int, dt: float) -> None:
        """Past the known steps: the acceleration fades at the ordinary jerk, the speed stays."""
        jerk = self.values.driving.jerk_mps3
        for i in range(known, len(out)):
            x, v, a = out[i - 1]
            j = float(np.clip(-a / dt, -jerk, jerk))
            speed = v + dt * (a + 0.5 * dt * j)
            out[i] = (x + dt * (v + dt * (0.5 * a + dt * j / 6.0)), speed, a + dt * j) if speed > 0.0 else (x, 0.0, 0.0)
