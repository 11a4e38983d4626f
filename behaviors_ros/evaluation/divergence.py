"""How far the predictions of two predictors lie apart, by class and horizon: what shadow mode reports.

Two distances an agent: between the likeliest modes, and between the means of all modes weighted by their probability.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import AgentClass, Array, Predictions

CLASSES = len(AgentClass)


@dataclass(frozen=True, eq=False)
class Divergence:
    """Sums over all that was compared, m. scenes: how many; times_s: the horizons; failed: scenes without an answer."""

    times_s: tuple[float, ...]
    scenes: int
    agents: Int[Array, "kind horizon"]
    likeliest: Float[Array, "kind horizon"]
    mean: Float[Array, "kind horizon"]
    largest: Float[Array, "kind horizon"]
    warnings: int = 0

    @staticmethod
    def none(times_s: tuple[float, ...]) -> Divergence:
        """Nothing compared so far."""
        shape = (CLASSES, len(times_s))
        return Divergence(times_s, 0, np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape), np.zeros(shape))

    def rows(self) -> list[dict[str, Any]]:
        """Means for every class that was seen and for all together, by horizon."""
        found = []
        every = (self.agents.sum(0), self.likeliest.sum(0), self.mean.sum(0), self.largest.max(0))
        parts = [(kind.name.lower(), (self.agents[kind], self.likeliest[kind], self.mean[kind], self.largest[kind]))
                 for kind in AgentClass]  # fmt: skip
        for name, (agents, likeliest, mean, largest) in [("all", every), *parts]:
            for at, time_s in enumerate(self.times_s):
                if agents[at]:
                    found.append({
                        "class": name, "horizon_s": time_s, "agents": int(agents[at]),
                        "likeliest_m": round(float(likeliest[at] / agents[at]), 4),
                        "mean_m": round(float(mean[at] / agents[at]), 4), "largest_m": round(float(largest[at]), 4),
                    })  # fmt: skip
        return found


def added(so_far: Divergence, active: Predictions, candidate: Predictions) -> Divergence:
    """`so_far` with one more scene; both predict the same tracks on the same grid."""
    agents, likeliest, mean, largest = (
        array.copy() for array in (so_far.agents, so_far.likeliest, so_far.mean, so_far.largest)
    )
    kind = np.where((active.kind >= 0) & (active.kind < CLASSES), active.kind, int(AgentClass.UNKNOWN))
    dt_s = float(active.time_s[1]) if len(active.time_s) > 1 else 1.0
    for at, time_s in enumerate(so_far.times_s):
        step = round(time_s / dt_s)
        if step >= len(active.time_s) or not len(active):
            continue
        modes: Array = np.hypot(*(_likeliest(active, step) - _likeliest(candidate, step)).T)
        means: Array = np.hypot(*(_mean(active, step) - _mean(candidate, step)).T)
        known: Array = np.isfinite(modes + means)
        np.add.at(agents[:, at], kind[known], 1)
        np.add.at(likeliest[:, at], kind[known], modes[known])
        np.add.at(mean[:, at], kind[known], means[known])
        np.maximum.at(largest[:, at], kind[known], modes[known])
    return replace(
        so_far, scenes=so_far.scenes + 1, agents=agents, likeliest=likeliest, mean=mean, largest=largest,
        warnings=so_far.warnings + bool(candidate.warning),
    )  # fmt: skip


def _likeliest(found: Predictions, step: int) -> Float[Array, "agent 2"]:
    """Position of the likeliest mode."""
    if not found.valid.shape[1]:
        return np.full((len(found), 2), np.nan)
    return found.position[np.arange(len(found)), found.probability.argmax(axis=1), step]


def _mean(found: Predictions, step: int) -> Float[Array, "agent 2"]:
    """Mean position over the modes, weighted by their probability; NaN without a mode."""
    weighted = np.where(found.valid[..., None], found.position[:, :, step] * found.probability[..., None], 0.0)
    return np.where(found.valid.any(axis=1, keepdims=True), weighted.sum(axis=1), np.nan)
