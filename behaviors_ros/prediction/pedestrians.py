"""Pedestrians: go on, cross at a crosswalk, stop (at the kerb if one is ahead), go on turning."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Array, Grid, Intent, LaneMap
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.agents import Agents, Modes
from behaviors_ros.prediction.constant_turn_rate import TurnParameters, turned
from behaviors_ros.prediction.crossings import crossings_of, kerb_ahead, nearest_crossing
from behaviors_ros.prediction.roads import Roads
from behaviors_ros.prediction.walking import along, reaching, stacked, stopping, straight


class Walking(Parameters):
    """How pedestrians go on."""

    walking_mps: float = value(1.3, "speed of who sets off or crosses", low=0.2, high=4.0)
    setting_off_mps2: float = value(1.0, "acceleration of who sets off", low=0.1, high=10.0)
    stopping_mps2: float = value(0.8, "braking of who stops with no kerb ahead", low=0.1, high=10.0)
    standing_mps: float = value(0.1, "speed below which a pedestrian stands", low=0.0, high=2.0)
    kerb_reach_m: float = value(5.0, "how far ahead a kerb matters", low=0.5, high=20.0)
    kerb_margin_m: float = value(0.3, "distance to the kerb at which one waits", low=0.0, high=3.0)
    crossing_reach_m: float = value(8.0, "distance from a crosswalk at which crossing is a mode", low=0.0, high=50.0)
    straight_weight: float = value(0.65, "weight of going on", low=0.01, high=1.0)
    stop_weight: float = value(0.12, "weight of stopping; three times that with a kerb ahead", low=0.0, high=1.0)
    turn_weight: float = value(
        0.23, "weight of going on turning, at a yaw rate of 0.5 rad/s and more", low=0.0, high=1.0
    )
    cross_weight: float = value(
        1.2, "weight of crossing for who walks towards the crosswalk, at it", low=0.0, high=10.0
    )
    stand_weight: float = value(0.8, "weight of standing on, of who stands", low=0.0, high=10.0)
    turning: TurnParameters = TurnParameters(lateral_acceleration_mps2=1.5, curvature_1pm=2.0, yaw_rate_decay_s=1.5)


def pedestrian_modes(
    values: Walking, agents: Agents, roads: Roads | None, lane_map: LaneMap | None, grid: Grid
) -> Modes:
    """Four modes: go on (who stands: set off), stop, turn, cross."""
    time_s, standing = grid.time_s, agents.speed < values.standing_mps
    ones = np.ones((len(agents), grid.steps))
    heading = np.arctan2(agents.direction[:, 1], agents.direction[:, 0])[:, None] * ones
    wanted = np.where(standing, values.walking_mps, agents.speed)
    go, go_speed = reaching(agents.speed, wanted, values.setting_off_mps2, time_s)
    kerb = np.full(len(agents), np.inf)
    if roads is not None:
        kerb = kerb_ahead(roads, agents.position, agents.direction, values.kerb_reach_m, 0.5)
    stop, stop_speed = stopping(agents.speed, _braking(values, agents.speed, kerb), time_s)
    bent, angle = turned(values.turning, agents, time_s)
    near, over = _crossing(values, agents, lane_map)
    walked, walk_speed = reaching(
        agents.speed, np.maximum(agents.speed, values.walking_mps), values.setting_off_mps2, time_s
    )
    crossed, cross_heading = along(over, walked)
    return stacked(
        _weights(values, agents, standing, kerb, near),
        [int(Intent.FREE), int(Intent.STOP), int(Intent.FREE), int(Intent.CROSS)],
        [straight(agents, agents.direction, go), straight(agents, agents.direction, stop), bent, crossed],
        [heading, heading, heading + angle, cross_heading],
        [go_speed, stop_speed, agents.speed[:, None] * ones, walk_speed],
    )


def _weights(values: Walking, agents: Agents, standing: Array, kerb: Array, near: Array) -> list[Array]:
    """Going on, stopping, turning, crossing; `near`: how close and aligned a crosswalk is, in [0, 1]."""
    kerb_factor = np.where(np.isfinite(kerb) & (kerb > 0.0), 3.0, 1.0)
    turning = values.turn_weight * np.minimum(np.abs(agents.yaw_rate) / 0.5, 1.0)
    return [
        np.where(standing, values.stop_weight, values.straight_weight),
        np.where(standing, values.stand_weight, values.stop_weight * kerb_factor),
        np.where(standing, 0.0, turning),
        values.cross_weight * near,
    ]


def _braking(values: Walking, speed: Array, kerb: Array) -> Array:
    """Braking that ends at the kerb, m/s^2, where one is ahead and that is neither idle nor abrupt."""
    room = np.maximum(kerb - values.kerb_margin_m, 0.1)
    return np.clip(speed**2 / (2.0 * room), values.stopping_mps2, 5.0 * values.stopping_mps2)


def _crossing(values: Walking, agents: Agents, lane_map: LaneMap | None) -> tuple[Array, Array]:
    """Closeness to the nearest crosswalk in [0, 1] and the way over it (agent, 4, 2)."""
    crossings = crossings_of(lane_map) if lane_map is not None else None
    if crossings is None or len(crossings.centre) == 0:
        ahead = agents.direction[:, None] * np.arange(4.0)[:, None]
        return np.zeros(len(agents)), agents.position[:, None] + ahead
    distance, way = nearest_crossing(crossings, agents.position, agents.direction)
    target = way[:, 2] - agents.position
    cosine = (target * agents.direction).sum(axis=1) / np.maximum(np.hypot(*target.T), 1e-6)
    moving = agents.speed >= values.standing_mps
    aligned = np.where(moving, np.clip(cosine, 0.0, 1.0) ** 2, 0.3)
    close = np.clip(1.0 - distance / max(values.crossing_reach_m, 1e-6), 0.0, 1.0)
    return close * aligned, way
