"""Predictions of two predictors as one: some agents from one of them, the rest from the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int

from behaviors_ros.datatypes import Array, Grid, Intent, Predictions, Scene
from behaviors_ros.prediction.agents import Agents

_BY_MODE = {"valid": False, "probability": 0.0, "intent": int(Intent.UNKNOWN), "position": np.nan, "yaw": np.nan,
            "speed": np.nan, "covariance": np.nan}  # fmt: skip


def likeliest(found: Predictions) -> Predictions:
    """The likeliest mode of each agent alone."""
    if found.valid.shape[1] == 0:
        return found
    rows, best = np.arange(len(found)), found.probability.argmax(axis=1)
    parts = {name: getattr(found, name)[rows, best][:, None] for name in _BY_MODE if name != "probability"}
    return replace(found, **parts, probability=parts["valid"].astype(float))


def joined(
    scene: Scene, grid: Grid, agents: Agents, rows: Int[Array, "row"], by_model: Predictions, others: Predictions | None
) -> Predictions:
    """`by_model` at `rows` and the others elsewhere; whoever has fewer modes is filled up with invalid ones."""
    if others is None and len(by_model) == len(agents):
        return by_model
    parts: list[tuple[Array, Predictions]] = [(rows, by_model)]
    if others is not None:
        left = np.setdiff1d(np.arange(len(agents)), rows)
        parts.append((left, others))
    count = max(part.valid.shape[1] for _, part in parts)
    arrays: dict[str, Any] = {}
    for name, nothing in _BY_MODE.items():
        sample = getattr(by_model, name)
        whole = np.full((len(agents), count, *sample.shape[2:]), nothing, sample.dtype)
        for at, part in parts:
            source = getattr(part, name)
            whole[at, : source.shape[1]] = source[at] if part is others else source
        arrays[name] = whole
    return Predictions(
        scene.stamp_ns, grid.time_s, scene.tracks.id, agents.kind, agents.length, agents.width,
        degraded=scene.degraded, **arrays,
    )  # fmt: skip
