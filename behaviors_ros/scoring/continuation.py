"""The previous plan at the instants of this cycle's candidates."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Candidates, Scene
from behaviors_ros.geometry.angles import unwrapped

Array = np.ndarray


class Change(NamedTuple):
    """Candidates against the previous plan at equal absolute times: RMS over the instants that both have.

    lateral: across the previous plan's heading, m; longitudinal: along it, m; speed m/s.
    """

    lateral: Float[Array, "candidate"]
    longitudinal: Float[Array, "candidate"]
    speed: Float[Array, "candidate"]


@lru_cache(maxsize=2)
def change(scene: Scene, candidates: Candidates) -> Change | None:
    """How much each candidate departs from the previous plan; None without one that reaches into this cycle."""
    if scene.previous is None:
        return None
    plan = scene.previous.trajectory
    time_s = candidates.time_s + (scene.stamp_ns - plan.stamp_ns) * 1e-9
    both = (time_s >= plan.time_s[0] - 1e-6) & (time_s <= plan.time_s[-1] + 1e-6)
    if not both.any():
        return None
    steps = np.flatnonzero(both)
    columns = (plan.position[:, 0], plan.position[:, 1], unwrapped(plan.yaw), plan.speed)
    before = np.stack([np.interp(time_s[steps], plan.time_s, column) for column in columns])
    rms = np.empty((3, len(candidates)))
    _departed(candidates.position, candidates.speed, before, steps, rms)
    return Change(*rms)


@no_type_check
@njit(cache=True)
def _departed(position, speed, before, steps, out):
    """Root of the mean square over `steps`, in the order of `Change`; before (4, step): x, y, yaw, speed of it."""
    for i in range(len(speed)):
        lateral, longitudinal, faster = 0.0, 0.0, 0.0
        for k in range(len(steps)):
            cos, sin = math.cos(before[2, k]), math.sin(before[2, k])
            dx, dy = position[i, steps[k], 0] - before[0, k], position[i, steps[k], 1] - before[1, k]
            lateral += (dy * cos - dx * sin) ** 2
            longitudinal += (dx * cos + dy * sin) ** 2
            faster += (speed[i, steps[k]] - before[3, k]) ** 2
        out[0, i], out[1, i] = math.sqrt(lateral / len(steps)), math.sqrt(longitudinal / len(steps))
        out[2, i] = math.sqrt(faster / len(steps))
