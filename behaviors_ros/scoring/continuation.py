"""The previous plan at the instants of this cycle's candidates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Candidates, Scene

Array = np.ndarray


class Change(NamedTuple):
    """Candidates against the previous plan at equal absolute times: RMS over the instants that both have.

    lateral: across the previous plan's heading, m; longitudinal: along it, m; speed m/s.
    """

    lateral: Float[Array, "candidate"]
    longitudinal: Float[Array, "candidate"]
    speed: Float[Array, "candidate"]


def change(scene: Scene, candidates: Candidates) -> Change | None:
    """How much each candidate departs from the previous plan; None without one that reaches into this cycle."""
    if scene.previous is None:
        return None
    plan = scene.previous.trajectory
    time_s = candidates.time_s + (scene.stamp_ns - plan.stamp_ns) * 1e-9
    both = (time_s >= plan.time_s[0] - 1e-6) & (time_s <= plan.time_s[-1] + 1e-6)
    if not both.any():
        return None
    x, y, yaw, speed = (
        np.interp(time_s[both], plan.time_s, column)
        for column in (plan.position[:, 0], plan.position[:, 1], np.unwrap(plan.yaw), plan.speed)
    )
    dx, dy = candidates.position[:, both, 0] - x, candidates.position[:, both, 1] - y
    return Change(
        _rms(dy * np.cos(yaw) - dx * np.sin(yaw)),
        _rms(dx * np.cos(yaw) + dy * np.sin(yaw)),
        _rms(candidates.speed[:, both] - speed),
    )


def _rms(values: Float[Array, "candidate step"]) -> Float[Array, "candidate"]:
    """Root of the mean square over the steps."""
    return np.sqrt(np.square(values).mean(axis=1))
