"""Constant turn rate and speed (CTRV), the turn rate decaying and bounded by what the agent can do."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array, Grid, Predictions, Scene
from behaviors_ros.geometry.angles import cos_sin
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
    decay = values.yaw_rate_decay_s
    turn = -decay * np.expm1(-time_s / decay)
    half_turn = -decay * np.expm1(-0.5 * (time_s[1:] + time_s[:-1]) / decay)
    bounds = values.lateral_acceleration_mps2, values.curvature_1pm
    return _turned(agents.position, agents.direction, agents.speed, agents.yaw_rate, time_s, turn, half_turn, *bounds)


@no_type_check
@njit(cache=True)
def _turned(position, direction, speed, yaw_rate, time_s, turn, half_turn, lateral, curvature):
    """`turned`; turn, half_turn: angle at the instants and between them over the rate now."""
    out, angle = np.empty((len(speed), len(time_s), 2)), np.empty((len(speed), len(time_s)))
    for a in range(len(speed)):
        bound = min(lateral / max(speed[a], 1e-3), curvature * speed[a])
        rate = min(max(yaw_rate[a], -bound), bound)
        start, x, y = math.atan2(direction[a, 1], direction[a, 0]), position[a, 0], position[a, 1]
        for k in range(len(time_s)):
            if k > 0:
                cos, sin = cos_sin(start + rate * half_turn[k - 1])
                way = speed[a] * (time_s[k] - time_s[k - 1])
                x, y = x + way * cos, y + way * sin
            out[a, k, 0], out[a, k, 1], angle[a, k] = x, y, rate * turn[k]
    return out, angle


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
