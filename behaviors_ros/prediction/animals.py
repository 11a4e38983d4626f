"""Animals: go on, stop, dart across the road."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Array, EgoState, Grid, Intent
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.agents import Agents, Modes
from behaviors_ros.prediction.crossings import carriageway
from behaviors_ros.prediction.roads import Roads
from behaviors_ros.prediction.walking import reaching, stacked, stopping, straight


class Darting(Parameters):
    """How animals go on."""

    dart_mps: float = value(5.0, "speed of an animal that darts", low=0.5, high=20.0)
    dart_mps2: float = value(4.0, "acceleration of an animal that darts", low=0.5, high=20.0)
    stopping_mps2: float = value(2.0, "braking of an animal that stops", low=0.1, high=20.0)
    continue_weight: float = value(0.4, "weight of going on", low=0.0, high=1.0)
    stop_weight: float = value(0.3, "weight of stopping", low=0.0, high=1.0)
    dart_weight: float = value(0.3, "weight of darting across the road", low=0.01, high=1.0)


def animal_modes(values: Darting, agents: Agents, roads: Roads | None, ego: EgoState, grid: Grid) -> Modes:
    """Three modes: go on, stop, dart: across the lane that is near, or else across the ego's line."""
    time_s, ones = grid.time_s, np.ones((len(agents), grid.steps))
    heading = np.arctan2(agents.direction[:, 1], agents.direction[:, 0])[:, None] * ones
    braking = np.full(len(agents), values.stopping_mps2)
    stop, stop_speed = stopping(agents.speed, braking, time_s)
    across = _across(agents, roads, ego)
    dart, dart_speed = reaching(agents.speed, np.full(len(agents), values.dart_mps), values.dart_mps2, time_s)
    return stacked(
        [np.full(len(agents), weight) for weight in (values.continue_weight, values.stop_weight, values.dart_weight)],
        [int(Intent.FREE), int(Intent.STOP), int(Intent.CROSS)],
        [
            straight(agents, agents.direction, agents.speed[:, None] * time_s),
            straight(agents, agents.direction, stop),
            straight(agents, across, dart),
        ],
        [heading, heading, np.arctan2(across[:, 1], across[:, 0])[:, None] * ones],
        [agents.speed[:, None] * ones, stop_speed, dart_speed],
    )


def _across(agents: Agents, roads: Roads | None, ego: EgoState) -> Array:
    """Unit vectors (agent, 2) across the road: towards its centre, or on across for who is there."""
    away = agents.position - ego.position
    offset = -away[:, 0] * np.sin(ego.yaw) + away[:, 1] * np.cos(ego.yaw)
    line = np.full(len(agents), ego.yaw)
    if roads is not None:
        gap, d, heading = carriageway(roads, agents.position)
        offset, line = np.where(np.isfinite(gap), d, offset), np.where(np.isfinite(gap), heading, line)
    left = np.stack([-np.sin(line), np.cos(line)], axis=1)
    sense = np.where((agents.direction * left).sum(axis=1) >= 0.0, 1.0, -1.0)
    sense = np.where(np.abs(offset) > 0.5, -np.sign(offset), sense)
    return left * sense[:, None]
