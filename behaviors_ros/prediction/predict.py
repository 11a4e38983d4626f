"""Scene -> Predictions: one predictor for all agents, or under overload for the near ones only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from behaviors_ros.datatypes import Degraded, Grid, Predictions, Scene, rounded
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.prediction.agents import agents_now
from behaviors_ros.prediction.constant_velocity import ConstantVelocity, ConstantVelocityParameters
from behaviors_ros.prediction.interface import Predictor
from behaviors_ros.prediction.joined import joined


class NearAgents(Parameters):
    """Who is predicted in full under overload."""

    near_agents: int = value(16, "agents nearest to the ego that keep the predictor under overload", low=1, high=1000)


def predict(scene: Scene, grid: Grid, predictor: Predictor, near: NearAgents, vehicle: Vehicle) -> Predictions:
    """All tracks predicted, with the precision of a message.

    Where the scene carries `Degraded.FAR_AGENTS`, all but the nearest go on as now: cheap, and none is left out.
    """
    if not scene.degraded & Degraded.FAR_AGENTS or len(scene.tracks) <= near.near_agents:
        found = rounded(predictor.predict(scene, grid))
    else:
        distance = np.hypot(*(scene.tracks.position - scene.ego.position).T)
        rows = np.sort(np.argsort(distance, kind="stable")[: near.near_agents])
        close = predictor.predict(replace(scene, tracks=scene.tracks.take(rows)), grid)
        others = ConstantVelocity(ConstantVelocityParameters(), vehicle).predict(scene, grid)
        whole = joined(scene, grid, agents_now(scene, vehicle), rows, close, others)
        found = rounded(replace(
            whole, model_hash=close.model_hash, degraded=close.degraded, notes=close.notes, warning=close.warning
        ))  # fmt: skip
    assert isinstance(found, Predictions)
    return found
