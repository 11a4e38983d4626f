"""Scene -> Predictions: one predictor for all agents, or under overload for the near ones only."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import no_type_check

import numpy as np
from jaxtyping import Bool
from numba import njit

from behaviors_ros.datatypes import Array, Degraded, Grid, Predictions, Scene, rounded
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.prediction.agents import Agents, agents_now
from behaviors_ros.prediction.constant_velocity import ConstantVelocity, ConstantVelocityParameters
from behaviors_ros.prediction.interface import Predictor
from behaviors_ros.prediction.joined import joined

REACH_M, REACH_MPS = 20.0, 150.0  # beyond the place now; no road user is faster


class NearAgents(Parameters):
    """Who is predicted in full under overload."""

    near_agents: int = value(16, "agents nearest to the ego that keep the predictor under overload", low=1, high=1000)


def predict(scene: Scene, grid: Grid, predictor: Predictor, near: NearAgents, vehicle: Vehicle) -> Predictions:
    """All tracks predicted, with the precision of a message.

    Where the scene carries `Degraded.FAR_AGENTS`, all but the nearest go on as now: cheap, and none is left out. So do
    agents whose predictions by whatever predictor are not numbers, no distribution, or out of reach.
    """
    if not scene.degraded & Degraded.FAR_AGENTS or len(scene.tracks) <= near.near_agents:
        found = predictor.predict(scene, grid)
    else:
        distance = np.hypot(*(scene.tracks.position - scene.ego.position).T)
        rows = np.sort(np.argsort(distance, kind="stable")[: near.near_agents])
        close = predictor.predict(replace(scene, tracks=scene.tracks.take(rows)), grid)
        others = ConstantVelocity(ConstantVelocityParameters(), vehicle).predict(scene, grid)
        whole = joined(scene, grid, agents_now(scene, vehicle), rows, close, others)
        found = replace(
            whole, model_hash=close.model_hash, degraded=close.degraded, notes=close.notes, warning=close.warning
        )
    exact = rounded(_with_sense(found, scene, grid, vehicle))
    assert isinstance(exact, Predictions)
    return exact


def _with_sense(found: Predictions, scene: Scene, grid: Grid, vehicle: Vehicle) -> Predictions:
    """The agents whose predictions cannot be used go on as now, and `warning` says so."""
    agents = agents_now(scene, vehicle)
    usable = _usable(found, agents) | ~agents.valid
    if usable.all():
        return found
    rows, count = np.flatnonzero(usable), int((~usable).sum())
    others = ConstantVelocity(ConstantVelocityParameters(), vehicle).predict(scene, grid)
    return replace(
        joined(scene, grid, agents, rows, found.take(rows), others), model_hash=found.model_hash if rows.size else "",
        degraded=found.degraded | (Degraded.NONE if rows.size else Degraded.NO_MODEL),
        notes=found.notes | {"agents as now: prediction refused": count},
        warning=f"{count} of {len(found)} agents go on as now: what was predicted of them cannot be used",
    )  # fmt: skip


def _usable(found: Predictions, agents: Agents) -> Bool[Array, "agent"]:
    """Whose predictions are finite, a distribution, and within reach in every mode."""
    out = np.empty(len(found), dtype=np.bool_)
    arrays = (found.position, found.yaw, found.speed, found.covariance)
    contiguous = (np.ascontiguousarray(array, dtype=np.float64) for array in arrays)
    _sound(agents.position, found.valid, found.probability, *contiguous, REACH_M + REACH_MPS * found.time_s, out)
    return out


@no_type_check
@njit(cache=True, error_model="numpy")
def _sound(now, valid, probability, position, yaw, speed, spread, reach, out):
    """`_usable`; every comparison fails for NaN. Zero times a number is zero, times infinity or NaN it is NaN."""
    for a in range(len(out)):
        total, good = 0.0, True
        for m in range(valid.shape[1]):
            good &= probability[a, m] >= 0.0
            if not valid[a, m]:
                continue
            total += probability[a, m]
            for k in range(len(reach)):
                away = math.hypot(position[a, m, k, 0] - now[a, 0], position[a, m, k, 1] - now[a, 1])
                s = spread[a, m, k]
                known = 0.0 * (yaw[a, m, k] + speed[a, m, k] + s[0, 0] + s[0, 1] + s[1, 0] + s[1, 1]) == 0.0
                good &= known and away <= reach[k] and s[0, 0] >= 0.0 and s[1, 1] >= 0.0
        out[a] = good and abs(total - 1.0) < 1e-3
