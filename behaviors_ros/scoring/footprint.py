"""Boxes of the ego along its candidates and of the agents along their modes, as the kernels of this room take them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import AgentClass, Candidates, Predictions, Scene, Terms, Verdict
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Vehicle

Array = np.ndarray

PASSABLE = (AgentClass.OVER_DRIVABLE, AgentClass.UNDER_DRIVABLE)


class EgoBoxes(NamedTuple):
    """Box of the ego at every step. centre m; cos, sin of yaw; speed m/s; half sizes m; offset: axle to centre, m.

    stood: the last step until which the ego has not moved from where it stands at step 0; -1 when it moves then.
    """

    centre: Float[Array, "candidate step 2"]
    cos: Float[Array, "candidate step"]
    sin: Float[Array, "candidate step"]
    speed: Float[Array, "candidate step"]
    stood: Int[Array, "candidate"]
    half_length: float
    half_width: float
    offset: float


class ModeBoxes(NamedTuple):
    """Boxes of agents along chosen modes, modes of an agent in a row.

    agent: its row in the predictions; centre m; covariance xx, xy, yy m^2; half sizes m; behind: at step 0 the agent is
    right behind the ego, in its lane and direction.
    """

    agent: Int[Array, "mode"]
    probability: Float[Array, "mode"]
    centre: Float[Array, "mode step 2"]
    cos: Float[Array, "mode step"]
    sin: Float[Array, "mode step"]
    speed: Float[Array, "mode step"]
    covariance: Float[Array, "mode step 3"]
    half_length: Float[Array, "mode"]
    half_width: Float[Array, "mode"]
    behind: Bool[Array, "mode"]


@lru_cache(maxsize=2)
def ego_boxes(candidates: Candidates, vehicle: Vehicle) -> EgoBoxes:
    """The ego's boxes along its candidates; cached, for a set of candidates is asked by many plugins."""
    cos, sin = np.cos(candidates.yaw), np.sin(candidates.yaw)
    offset = vehicle.centre_offset_m
    centre = candidates.position + offset * np.stack([cos, sin], axis=-1)
    away = np.hypot(*np.moveaxis(candidates.position - candidates.position[:, :1], -1, 0))
    still = np.logical_and.accumulate((away < 0.05) & (np.abs(candidates.speed[:, :1]) < 0.05), axis=1)
    speed = np.ascontiguousarray(candidates.speed)
    return EgoBoxes(
        centre, cos, sin, speed, still.sum(axis=1) - 1, 0.5 * vehicle.length_m, 0.5 * vehicle.width_m, offset
    )


def mode_boxes(scene: Scene, predictions: Predictions, agents: Bool[Array, "agent"], least: float) -> ModeBoxes:
    """Boxes of the valid modes of `agents` with probability `least` or more; of each agent its likeliest anyway."""
    likeliest = predictions.probability >= predictions.probability.max(axis=1, initial=0.0, keepdims=True)
    chosen = predictions.valid & agents[:, None] & ((predictions.probability >= least) | likeliest)
    agent, _ = np.nonzero(chosen)
    covariance = predictions.covariance[chosen]
    return ModeBoxes(
        agent,
        predictions.probability[chosen],
        predictions.position[chosen],
        np.cos(predictions.yaw[chosen]),
        np.sin(predictions.yaw[chosen]),
        predictions.speed[chosen],
        np.stack([covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1]], axis=-1),
        0.5 * predictions.length[agent],
        0.5 * predictions.width[agent],
        right_behind(scene, predictions)[agent],
    )


def solid(predictions: Predictions) -> Bool[Array, "agent"]:
    """Agents that must not be touched: not what one may drive over or under."""
    return ~np.isin(predictions.kind, PASSABLE)


def foreseeable(predictions: Predictions) -> bool:
    """Whether every agent that must not be touched has a usable future; when not, no collision can be excluded."""
    size = predictions.length + predictions.width
    state = (predictions.position.sum(axis=-1) + predictions.yaw + predictions.speed).sum(axis=-1)
    state = state + predictions.covariance.sum(axis=(-3, -2, -1)) + predictions.probability + size[:, None]
    usable = predictions.valid.any(axis=1) & np.isfinite(np.where(predictions.valid, state, 0.0)).all(axis=1)
    return bool(usable[solid(predictions)].all())


def near(predictions: Predictions, boxes: EgoBoxes, reach_m: float) -> Bool[Array, "agent"]:
    """Agents that come within `reach_m` (m, between boxes) of the rectangle around all candidates at any time."""
    if len(predictions) == 0 or len(boxes.centre) == 0:
        return np.zeros(len(predictions), dtype=bool)
    size = np.hypot(boxes.half_length, boxes.half_width) + 0.5 * np.hypot(predictions.length, predictions.width)
    position = np.where(predictions.valid[..., None, None], predictions.position, np.inf)
    margin = (size + reach_m)[:, None, None]
    low = np.nanmin(boxes.centre, axis=(0, 1), initial=np.inf)
    high = np.nanmax(boxes.centre, axis=(0, 1), initial=-np.inf)
    inside = (position[..., 0] > low[0] - margin) & (position[..., 0] < high[0] + margin)
    inside &= (position[..., 1] > low[1] - margin) & (position[..., 1] < high[1] + margin)
    return inside.any(axis=(1, 2))


@lru_cache(maxsize=2)
def right_behind(scene: Scene, predictions: Predictions) -> Bool[Array, "agent"]:
    """Agents that at step 0 are behind the ego's rear axle in its own lane and direction: they follow it.

    In its lane: the lateral ranges of the two overlap in the route's Frenet frame.
    """
    first = np.argmax(predictions.valid, axis=1)
    rows = np.arange(len(predictions))
    position, yaw = predictions.position[rows, first, 0], predictions.yaw[rows, first, 0]
    frame = route_frame(scene.route)
    s, d = frame.project(position)
    ego_s, ego_d = frame.project(scene.ego.position)
    lateral = np.abs(d - ego_d) < 0.5 * predictions.width + 0.5
    return (s < ego_s) & lateral & (np.cos(yaw - scene.ego.yaw) > 0.5)


def finite(candidates: Candidates) -> Bool[Array, "candidate"]:
    """Candidates without NaN or infinity in any quantity."""
    total = candidates.position.sum(axis=-1) + candidates.yaw + candidates.speed + candidates.acceleration
    return np.isfinite((total + candidates.curvature + candidates.s + candidates.d).sum(axis=1))


def at_most(value: Float[Array, "candidate"], limit: float, candidates: Candidates) -> Verdict:
    """Admits candidates whose value does not exceed the limit. NaN, also that of a candidate, forbids."""
    value = np.where(finite(candidates), value, np.nan)
    return Verdict(value <= limit, value, limit)


def at_least(value: Float[Array, "candidate"], limit: float, candidates: Candidates) -> Verdict:
    """Admits candidates whose value reaches the limit. NaN, also that of a candidate, forbids."""
    value = np.where(finite(candidates), value, np.nan)
    return Verdict(value >= limit, value, limit)


def terms(raw: Float[Array, "candidate"], score: Float[Array, "candidate"], candidates: Candidates) -> Terms:
    """Terms with NaN and score 0 where a candidate is not finite; scores kept in [0, 1]."""
    raw = np.where(finite(candidates), raw, np.nan)
    return Terms(raw, np.where(np.isnan(raw), 0.0, np.clip(score, 0.0, 1.0)))


def interval_stride(candidates: Candidates, interval_s: float) -> int:
    """Steps of the candidates' grid in `interval_s`, at least one."""
    steps = len(candidates.time_s)
    dt_s = candidates.time_s[-1] / (steps - 1) if steps > 1 else interval_s
    return max(int(round(interval_s / dt_s)), 1)
