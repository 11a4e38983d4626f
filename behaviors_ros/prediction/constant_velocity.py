"""Everyone goes on as now."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Grid, Predictions, Scene
from behaviors_ros.parameters import Parameters, Vehicle
from behaviors_ros.prediction.agents import agents_now, predictions, single
from behaviors_ros.prediction.uncertainty import ClassNoise, covariances
from behaviors_ros.registry import register


class ConstantVelocityParameters(Parameters):
    """Parameters of the constant velocity predictor."""

    noise: ClassNoise = ClassNoise()


@register("predictor", "constant_velocity")
class ConstantVelocity:
    """One mode: velocity and yaw stay."""

    name: str
    parameters = ConstantVelocityParameters

    def __init__(self, parameters: ConstantVelocityParameters, vehicle: Vehicle) -> None:
        """Keep the values."""
        self.values, self.vehicle = parameters, vehicle

    def predict(self, scene: Scene, grid: Grid) -> Predictions:
        """Position = position now + velocity x time."""
        agents, time_s = agents_now(scene, self.vehicle), grid.time_s
        velocity = agents.direction * agents.speed[:, None]
        position = agents.position[:, None] + velocity[:, None] * time_s[:, None]
        modes = single(agents, position, np.zeros((len(agents), grid.steps)))
        return predictions(scene, grid, agents, modes, covariances(self.values.noise, agents, time_s, modes.motion))
