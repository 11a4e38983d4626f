"""Motions that need no lane: along a line with a speed, coming to a stand, setting off, along a bent path."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import Array
from behaviors_ros.prediction.agents import Agents, Modes


def straight(
    agents: Agents, direction: Float[Array, "agent 2"], progress: Float[Array, "agent step"]
) -> Float[Array, "agent step 2"]:
    """Positions `progress` m along a direction."""
    return agents.position[:, None] + direction[:, None] * progress[:, :, None]


def stopping(
    speed: Float[Array, "agent"], braking: Float[Array, "agent"], time_s: Float[Array, "step"]
) -> tuple[Float[Array, "agent step"], Float[Array, "agent step"]]:
    """Progress m and speed m/s of braking to a stand."""
    until = np.minimum(time_s, (speed / braking)[:, None])
    return speed[:, None] * until - 0.5 * braking[:, None] * until**2, speed[:, None] - braking[:, None] * until


def reaching(
    speed: Float[Array, "agent"], wanted: Float[Array, "agent"], acceleration: float, time_s: Float[Array, "step"]
) -> tuple[Float[Array, "agent step"], Float[Array, "agent step"]]:
    """Progress m and speed m/s of speeding up to `wanted`; who is faster stays so."""
    gain = np.maximum(wanted - speed, 0.0)
    until = np.minimum(time_s, (gain / acceleration)[:, None])
    progress = speed[:, None] * time_s + acceleration * until * (time_s - 0.5 * until)
    return progress, speed[:, None] + acceleration * until


def along(
    corners: Float[Array, "agent point 2"], progress: Float[Array, "agent step"]
) -> tuple[Float[Array, "agent step 2"], Float[Array, "agent step"]]:
    """Position m and heading rad after `progress` m along the line through the corners, which goes on beyond the
    last.
    """
    piece = np.diff(corners, axis=1)
    size = np.hypot(piece[..., 0], piece[..., 1])
    reached = np.concatenate([np.zeros((len(corners), 1)), np.cumsum(size, axis=1)], axis=1)
    index = (progress[:, :, None] >= reached[:, None, 1:-1]).sum(axis=2)
    unit = piece / np.maximum(size, 1e-9)[:, :, None]
    rows = np.arange(len(corners))[:, None]
    direction = unit[rows, index]
    position = corners[rows, index] + direction * (progress - reached[rows, index])[:, :, None]
    return position, np.arctan2(direction[..., 1], direction[..., 0])


def stacked(
    probability: list[Array], intent: list[int], position: list[Array], heading: list[Array], speed: list[Array]
) -> Modes:
    """Modes of agents that face where they go: one entry a mode, (agent,), number, (agent, step, 2), (agent, step)
    twice.
    """
    yaw = np.stack(heading, axis=1)
    kinds: Int[Array, "agent mode"] = np.tile(np.array(intent, np.int64), (len(yaw), 1))
    return Modes(np.stack(probability, axis=1), kinds, np.stack(position, axis=1), yaw, yaw, np.stack(speed, axis=1))
