"""Constant turn rate and speed (CTRV), the turn rate decaying and bounded by what the agent can do."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array, Grid, Predictions, Scene
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.prediction.agents import Agents, agents_now, predictions, single
from behaviors_ros.prediction.uncertainty import ClassNoise, covariances
from behaviors_ros.registry import register


class TurnParameters(Parameters):
    """How a measured yaw rate goes on."""

    yaw_rate_decay_s: float = value(1.5, "time constant with which the yaw rate fades", low=0.01, high=100.0)
    lateral_acceleration_mps2: float = value(3.0, "largest speed x yaw rate", low=0.1, high=12.0)
    curvature_1pm: float = value(0.25, "largest yaw rate / speed", low=0.01, high=10.0)


class ConstantTurnRateParameters(TurnParameters):
    """Parameters of the constant turn rate predictor."""

    noise: ClassNoise = ClassNoise()


def turned(
    values: TurnParameters, agents: Agents, time_s: Float[Array, "step"]
) -> tuple[Float[Array, "agent step 2"], Float[Array, "agent step"]]:
    """Position, m, and the angle turned since now, rad, at constant speed with the yaw rate w(t) = w0 exp(-t / decay).

    The angle is integrated exactly, the position by the midpoint rule, which is within 1e-3 m at steps of 0.1 s.
    """
    bound = np.minimum(
        values.lateral_acceleration_mps2 / np.maximum(agents.speed, 1e-3), values.curvature_1pm * agents.speed
    )
    rate = np.clip(agents.yaw_rate, -bound, bound)
    angle = _angle(values, rate, time_s)
    start = np.arctan2(agents.direction[:, 1], agents.direction[:, 0])[:, None]
    middle = start + _angle(values, rate, 0.5 * (time_s[1:] + time_s[:-1]))
    steps = agents.speed[:, None, None] * np.diff(time_s)[:, None] * np.stack([np.cos(middle), np.sin(middle)], axis=-1)
    position = np.concatenate([np.zeros((len(agents), 1, 2)), np.cumsum(steps, axis=1)], axis=1)
    return position + agents.position[:, None], angle


def _angle(values: TurnParameters, rate: Array, time_s: Array) -> Array:
    return rate[:, None] * values.yaw_rate_decay_s * -np.expm1(-time_s / values.yaw_rate_decay_s)


@register("predictor", "constant_turn_rate")
class ConstantTurnRate:
    """One mode: speed stays, the yaw rate fades."""

    name: str
    parameters = ConstantTurnRateParameters

    def __init__(self, parameters: ConstantTurnRateParameters, vehicle: Vehicle) -> None:
        """Keep the values."""
        self.values, self.vehicle = parameters, vehicle

    def predict(self, scene: Scene, grid: Grid) -> Predictions:
        """Arcs that straighten."""
        agents, time_s = agents_now(scene, self.vehicle), grid.time_s
        modes = single(agents, *turned(self.values, agents, time_s))
        return predictions(scene, grid, agents, modes, covariances(self.values.noise, agents, time_s, modes.motion))
