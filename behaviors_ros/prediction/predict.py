"""Scene -> Predictions: one predictor for all agents, or under overload for the near ones only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

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
    with np.errstate(invalid="ignore", over="ignore"):
        away = np.linalg.norm(found.position - agents.position[:, None, None], axis=-1)
        spread = found.covariance
        sense = (
            (away <= REACH_M + REACH_MPS * found.time_s)
            & np.isfinite(found.yaw) & np.isfinite(found.speed)
            & (spread[..., 0, 0] >= 0.0) & (spread[..., 1, 1] >= 0.0) & np.isfinite(spread).all(axis=(-2, -1))
        ).all(axis=2)  # fmt: skip
        total = np.where(found.valid, found.probability, 0.0).sum(axis=1)
        distributed = (found.probability >= 0.0).all(axis=1) & (np.abs(total - 1.0) < 1e-3)
    return distributed & (sense | ~found.valid).all(axis=1)
