"""Paths back to the reference from any pose: pure pursuit with limited curvature, integrated along the path.

Where the ego stands across the lane, backwards or far off, a lateral profile over the reference does not exist. Driving
the bicycle model along the path by pure pursuit (Coulter 1992) always gives a path the vehicle can follow: curvature is
held to what the lateral acceleration allows, its change to what the steering follows, at the speed there while braking.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Array, EgoState
from behaviors_ros.generation.paths import COLUMNS, Paths
from behaviors_ros.generation.reference import look


@dataclass(frozen=True)
class Turning:
    """What a turn is held to: braking m/s^2 meanwhile, lateral acceleration m/s^2, rate of the wheel rad/s."""

    braking_mps2: float
    lateral_mps2: float
    steering_radps: float
    wheel_base_m: float


def pursuit_paths(
    table: Array, spacing_m: float, index: int, state: EgoState, curvature: float, offsets: dict[str, float],
    step_m: float, samples: int, curvature_max: float, turning: Turning,
) -> Paths:  # fmt: skip
    """One path for each labelled offset from the reference (m), from the pose `state` beside sample `index`."""
    out = np.empty((len(offsets), samples, COLUMNS))
    speed = np.sqrt(np.maximum(state.speed**2 - 2.0 * turning.braking_mps2 * step_m * np.arange(samples), 0.25))
    limit = np.minimum(curvature_max, turning.lateral_mps2 / speed**2)
    rate = np.minimum(0.2 * curvature_max, turning.steering_radps / (turning.wheel_base_m * speed))
    pose = np.array([state.position[0], state.position[1], state.yaw, curvature])
    for p, offset in enumerate(offsets.values()):
        _pursue(table, spacing_m, index, pose, offset, step_m, limit, rate, out[p])
    return Paths(out, tuple(offsets), np.ones(len(offsets), bool))


@no_type_check
@njit(cache=True)
def _pursue(
    table: Array, spacing: float, index: int, pose: Array, offset: float, step: float, limits: Array, rates: Array,
    out: Array,
) -> None:  # pragma: no cover  # fmt: skip
    x, y, yaw, curvature = pose
    row, ahead, station = np.empty(8), np.empty(8), index * spacing
    for k in range(out.shape[0]):
        limit, rate = limits[k], rates[k]
        for _ in range(4):
            look(table, spacing, station, row)
            along = (x - row[0]) * math.cos(row[2]) + (y - row[1]) * math.sin(row[2])
            station += min(max(along, -2.0), 2.0)
        beside = (y - row[1]) * math.cos(row[2]) - (x - row[0]) * math.sin(row[2])
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = k * step, station, x, y
        out[k, 4], out[k, 5], out[k, 6], out[k, 7], out[k, 8] = yaw, curvature, row[5], row[6] + beside, row[7]
        look(table, spacing, station + max(6.0, 0.7 * abs(beside - offset)), ahead)
        goal_x = ahead[0] - offset * math.sin(ahead[2]) - x
        goal_y = ahead[1] + offset * math.cos(ahead[2]) - y
        bearing = math.atan2(goal_y, goal_x) - yaw
        bearing -= 2.0 * math.pi * math.floor((bearing + math.pi) / (2.0 * math.pi))
        wanted = 2.0 * math.sin(bearing) / max(math.hypot(goal_x, goal_y), 1.0)
        if abs(bearing) > 0.5 * math.pi:
            wanted = math.copysign(limit, bearing)
        wanted = min(max(wanted, -limit), limit)
        change = min(max(wanted - curvature, -rate * step), rate * step)
        middle = yaw + (curvature + 0.25 * change) * 0.5 * step
        x += step * math.cos(middle)
        y += step * math.sin(middle)
        yaw += (curvature + 0.5 * change) * step
        curvature += change
