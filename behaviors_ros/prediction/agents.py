"""Tracks as the predictors use them: cleaned and moved to the scene's stamp; and the frame every prediction is put
in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import VULNERABLE, AgentClass, Array, Grid, Intent, Predictions, Scene, among
from behaviors_ros.parameters import Vehicle

STATIC = (AgentClass.HAZARD, AgentClass.OVER_DRIVABLE, AgentClass.UNDER_DRIVABLE)
UNORIENTED = (*VULNERABLE, AgentClass.UNKNOWN)


@dataclass(frozen=True, eq=False)
class Agents:
    """The tracks at the scene's stamp, every number finite; rows that are not `valid` hold zeros.

    position m box centre; yaw rad, of the box, or of the motion where a class has no reliable box; direction (agent,
    2) of motion, a unit vector; speed m/s >= 0 along it; steady: 1 for who has kept its speed so far, 0 for who has
    not, or is not known for long; age_s: how far the track was moved forward.
    """

    valid: Bool[Array, "agent"]
    kind: Int[Array, "agent"]
    position: Float[Array, "agent 2"]
    yaw: Float[Array, "agent"]
    direction: Float[Array, "agent 2"]
    speed: Float[Array, "agent"]
    acceleration: Float[Array, "agent"]
    yaw_rate: Float[Array, "agent"]
    length: Float[Array, "agent"]
    width: Float[Array, "agent"]
    covariance: Float[Array, "agent 2 2"]
    steady: Float[Array, "agent"]
    age_s: float

    def __len__(self) -> int:
        """Number of agents."""
        return len(self.kind)

    def take(self, rows: Int[Array, "row"]) -> Agents:
        """The agents at `rows`."""
        arrays = {name: array[rows] for name, array in vars(self).items() if name != "age_s"}
        return Agents(**arrays, age_s=self.age_s)


@lru_cache(maxsize=2)
def agents_now(scene: Scene, vehicle: Vehicle) -> Agents:
    """The scene's tracks, moved with their velocity from their own stamp to the scene's.

    A track without a finite position is not valid. A velocity, yaw rate or covariance that is not finite counts as zero
    (the predictor's own uncertainty remains), a box that is not finite and positive as one of the ego's size. Cached:
    the predictor asks, and who checks what it predicted.
    """
    tracks = scene.tracks
    age_s = (scene.stamp_ns - tracks.stamp_ns) * 1e-9
    valid = np.isfinite(tracks.position).all(axis=1)
    velocity = _finite_rows(tracks.velocity) * valid[:, None]
    velocity = np.where(among(tracks.kind, STATIC)[:, None], 0.0, velocity)
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    direction, yaw = _orientation(tracks.kind, tracks.yaw, velocity, speed)
    return Agents(
        valid=valid,
        kind=tracks.kind,
        position=np.where(valid[:, None], tracks.position, 0.0) + velocity * age_s,
        yaw=yaw,
        direction=direction,
        speed=speed,
        acceleration=(_finite_rows(tracks.acceleration) * direction).sum(axis=1),
        yaw_rate=_finite(tracks.yaw_rate),
        length=_size(tracks.length, vehicle.length_m),
        width=_size(tracks.width, vehicle.width_m),
        covariance=_covariance(tracks.covariance),
        steady=_steady(scene),
        age_s=max(age_s, 0.0),
    )


def _steady(scene: Scene, least: int = 10, most: int = 20, spread_mps2: float = 0.3) -> Float[Array, "agent"]:
    """1 less the range of a speed over its time, over `spread_mps2`; at least 0. The time is as far back as the speed
    is known without a break, up to `most` tenths of a second; 0 where that is fewer than `least`.
    """
    steady, history = np.zeros(len(scene.tracks)), scene.history
    if history is None or history.valid.shape[1] < least:
        return steady
    rows = {name: row for row, name in enumerate(history.id)}
    chosen = np.array([rows.get(name, -1) for name in scene.tracks.id], dtype=np.int64)
    known = chosen >= 0
    past, valid = history.speed[chosen[known], -most:], history.valid[chosen[known], -most:]
    valid = np.logical_and.accumulate((valid & np.isfinite(past))[:, ::-1], axis=1)[:, ::-1]
    count = valid.sum(axis=1)
    now = np.where(valid[:, -1:], past[:, -1:], 0.0)
    spread = np.ptp(np.where(valid, past, now), axis=1)
    share = np.clip(1.0 - spread / (0.1 * np.maximum(count, 1) * spread_mps2), 0.0, 1.0)
    steady[known] = np.where(count >= least, share, 0.0)
    return steady


@dataclass(frozen=True, eq=False)
class Modes:
    """Futures of the agents before they become `Predictions`; probability need not be normalised, 0: no such mode.

    position m box centre; yaw rad of the box; motion rad, direction in which the covariance lies; speed m/s along yaw.
    """

    probability: Float[Array, "agent mode"]
    intent: Int[Array, "agent mode"]
    position: Float[Array, "agent mode step 2"]
    yaw: Float[Array, "agent mode step"]
    motion: Float[Array, "agent mode step"]
    speed: Float[Array, "agent mode step"]


def single(agents: Agents, position: Float[Array, "agent step 2"], angle: Float[Array, "agent step"]) -> Modes:
    """One mode for each agent, at constant speed along `position`; `angle`: what the motion has turned since now,
    rad.
    """
    motion = np.arctan2(agents.direction[:, 1], agents.direction[:, 0])
    speed = agents.speed * np.cos(motion - agents.yaw)
    return Modes(
        probability=np.ones((len(agents), 1)),
        intent=np.full((len(agents), 1), int(Intent.FREE)),
        position=position[:, None],
        yaw=(agents.yaw[:, None] + angle)[:, None],
        motion=(motion[:, None] + angle)[:, None],
        speed=np.broadcast_to(speed[:, None, None], (len(agents), 1, angle.shape[1])),
    )


def heaviest(modes: Modes, count: int) -> Modes:
    """The `count` likeliest modes of each agent, likeliest first, of equal ones the first; fewer are filled up with
    0.
    """
    have = modes.probability.shape[1]
    order = np.argsort(-modes.probability, axis=1, kind="stable")[:, :count]

    def chosen(values: Array) -> Array:
        out = np.zeros((len(values), count, *values.shape[2:]), values.dtype)
        out[:, : min(have, count)] = values[np.arange(len(values))[:, None], order]
        return out

    return Modes(**{name: chosen(array) for name, array in vars(modes).items()})


def predictions(
    scene: Scene, grid: Grid, agents: Agents, modes: Modes, covariance: Float[Array, "agent mode step 2 2"]
) -> Predictions:
    """The result of a predictor: modes of probability 0 and agents without a position become NaN, the rest sums to 1.

    Takes over `covariance`.
    """
    valid = (modes.probability > 0.0) & agents.valid[:, None]
    total = np.where(valid, modes.probability, 0.0).sum(axis=1, keepdims=True)
    position, yaw, speed = (np.array(values, float) for values in (modes.position, modes.yaw, modes.speed))
    for values in (position, yaw, speed, covariance):
        values[~valid] = np.nan
    return Predictions(
        stamp_ns=scene.stamp_ns,
        time_s=grid.time_s,
        id=scene.tracks.id,
        kind=agents.kind,
        length=agents.length,
        width=agents.width,
        valid=valid,
        probability=np.divide(modes.probability, total, out=np.zeros(valid.shape), where=valid),
        intent=np.where(valid, modes.intent, int(Intent.UNKNOWN)),
        position=position,
        yaw=yaw,
        speed=speed,
        covariance=covariance,
        degraded=scene.degraded,
    )


def _orientation(kind: Array, box_yaw: Array, velocity: Array, speed: Array) -> tuple[Array, Array]:
    """Unit vectors of motion (agent, 2) and yaw (agent,)."""
    moving = speed > 1e-3
    motion_yaw = np.arctan2(velocity[:, 1], velocity[:, 0])
    known = np.isfinite(box_yaw)
    from_motion = moving & (~known | among(kind, UNORIENTED))
    yaw = np.where(from_motion, motion_yaw, np.where(known, box_yaw, 0.0))
    standing = np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
    direction = np.where(moving[:, None], velocity / np.where(moving, speed, 1.0)[:, None], standing)
    return direction, yaw


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, 0.0)


def _finite_rows(vectors: Array) -> Array:
    return np.where(np.isfinite(vectors).all(axis=1)[:, None], vectors, 0.0)


def _size(sizes: Array, default: float) -> Array:
    return np.where(np.isfinite(sizes) & (sizes > 0.0), sizes, default)


def _covariance(covariance: Array) -> Array:
    """Symmetric; what is not a covariance (not finite, or an eigenvalue below zero) is zero."""
    known = np.isfinite(covariance).all(axis=(1, 2))
    symmetric = np.where(known[:, None, None], 0.5 * (covariance + np.swapaxes(covariance, 1, 2)), 0.0)
    trace = symmetric[:, 0, 0] + symmetric[:, 1, 1]
    determinant = symmetric[:, 0, 0] * symmetric[:, 1, 1] - symmetric[:, 0, 1] * symmetric[:, 1, 0]
    usable = (trace >= 0.0) & (determinant >= -1e-12 * np.maximum(trace, 1.0) ** 2)
    return np.where(usable[:, None, None], symmetric, 0.0)
