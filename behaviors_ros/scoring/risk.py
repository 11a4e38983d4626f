"""The chance of collision of every candidate over time, for gate `collision_chance` and scorer `collision_risk`."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Candidates, Predictions, Scene
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring.chance import chance
from behaviors_ros.scoring.footprint import ego_boxes, foreseeable, interval_stride, mode_boxes, near, solid

Array = np.ndarray


@lru_cache(maxsize=2)
def chances(
    scene: Scene, predictions: Predictions, candidates: Candidates, vehicle: Vehicle, interval_s: float, fine_s: float
) -> tuple[Float[Array, "instant"], Float[Array, "candidate instant"]]:
    """Instants about `interval_s` apart, twice that beyond `fine_s`, and the chance of collision at each.

    NaN where a future is unusable.

    Modes below 1 % are left out. See `chance.chance` for what is assumed.
    """
    stride = interval_stride(candidates, interval_s)
    steps, fine = len(candidates.time_s), int(np.searchsorted(candidates.time_s, fine_s + 1e-9))
    first = np.arange(0, fine, stride)
    instants = np.concatenate([first, np.arange(first[-1] + 2 * stride, steps, 2 * stride)])
    time_s = candidates.time_s[instants]
    if not foreseeable(predictions):
        return time_s, np.full((len(candidates), len(time_s)), np.nan)
    boxes = ego_boxes(candidates, vehicle)
    variance = (predictions.covariance[..., 0, 0] + predictions.covariance[..., 1, 1])[predictions.valid]
    reach_m = 4.0 * float(np.sqrt(variance.max(initial=0.0)))
    modes = mode_boxes(scene, predictions, solid(predictions) & near(predictions, boxes, reach_m), 0.01)
    return time_s, chance(boxes, modes, instants)
