"""From paths and speed profiles to candidates on the grid."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from itertools import chain
from typing import Any, no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Array, Candidates
from behaviors_ros.generation import profiles
from behaviors_ros.generation.agents import occupancy, slower_beside
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.paths import Paths
from behaviors_ros.generation.situation import Situation
from behaviors_ros.geometry.angles import cos_sin

FREE = 1e9


class Leads(IntEnum):
    """Which agents on its path a motion keeps behind."""

    NONE = 0
    CLOSE = 1  # all, at the ordinary gap
    WAITING = 2  # all; behind parked ones with room to pull out
    PARKED = 3  # only parked ones, with room to pull out


@dataclass
class Motions:
    """A list of (path, speed profile) under construction; each has a label in words."""

    paths: Paths
    driving: Driving
    rows: list[tuple[float, ...]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def drive(self, path: int, speed: float, strength: float, jerk: float, label: str, leads: Leads) -> None:
        """Drive at up to `speed`, towards it with `strength` m/s^2, behind `leads` on the path."""
        self.rows.append((profiles.DRIVE, path, speed, strength, jerk, FREE, strength, jerk, float(leads)))
        self.labels.append(label)

    def halt(
        self, path: int, length: float, braking: float, jerk: float, label: str, leads: Leads, speed: float = FREE
    ) -> None:
        """Drive at up to `speed` and under the limits, then halt exactly `length` m along the path with about `braking`
        and `jerk`.
        """
        driving = self.driving
        row = (
            profiles.HALT,
            path,
            speed,
            driving.acceleration_mps2,
            driving.jerk_mps3,
            length,
            braking,
            jerk,
            float(leads),
        )
        self.rows.append(row)
        self.labels.append(label)

    def brake(self, path: int, braking: float, jerk: float, label: str) -> None:
        """Brake to standstill from now on."""
        self.rows.append((profiles.BRAKE, path, 0.0, 1.0, jerk, FREE, braking, jerk, 0.0))
        self.labels.append(label)


def candidates(situation: Situation, motions: Motions, generator: str) -> Candidates:
    """Run all speed profiles along their paths. A halt out of reach or beyond the horizon is left out."""
    count, steps = len(motions.rows), situation.grid.steps
    if count == 0:
        return empty(situation)
    specs = np.fromiter(chain.from_iterable(motions.rows), np.float64).reshape(count, -1)
    along = np.zeros((count, steps, 3))
    lead, valid = np.full(count, -1), np.zeros(count, bool)
    _drive(situation, motions, specs, along, lead, valid)
    specs, along, lead = specs[valid], along[valid], lead[valid]
    kept = [label for label, use in zip(motions.labels, valid, strict=True) if use]
    labels = tuple(
        label if agent < 0 else f"{label}, follow {situation.label_of(int(agent))}"
        for label, agent in zip(kept, lead, strict=True)
    )
    return on_grid(situation, motions.paths, specs[:, profiles.PATH].astype(np.int64), along, labels, generator)


def _drive(situation: Situation, motions: Motions, specs: Array, along: Array, lead: Array, valid: Array) -> None:
    """Fill distance, speed and acceleration of all profiles."""
    driving, vehicle, start = motions.driving, situation.vehicle, situation.start
    beside = np.array([
        driving.beside_1ps, driving.beside_least_m, driving.beside_least_mps, driving.deceleration_mps2,
    ])  # fmt: skip
    tables = slower_beside(
        motions.paths.table, situation.agents.along[situation.parked, 0], 0.5 * vehicle.width_m, situation.front_m,
        vehicle.rear_overhang_m, start.speed, beside,
    )  # fmt: skip
    limits = np.empty(tables.shape[:2])
    turning = driving.steering_share * vehicle.steering_rate_max_radps
    lateral, braking = driving.lateral_acceleration_mps2, driving.deceleration_mps2
    profiles.envelope(tables, lateral, turning, vehicle.wheel_base_m, vehicle.speed_max_mps, braking, limits)
    half = 0.5 * vehicle.width_m + driving.lateral_gap_m
    occupied = occupancy(tables, situation.agents, situation.station + vehicle.centre_offset_m, half)
    rules = np.array([
        driving.deceleration_mps2, driving.deceleration_hard_mps2, vehicle.deceleration_max_mps2,
        vehicle.jerk_max_mps3, driving.preview_s, driving.headway_s, driving.hold_m, driving.restart_mps2,
        situation.front_m, vehicle.centre_offset_m,
    ])  # fmt: skip
    waiting = np.where(situation.parked, driving.parked_gap_m, driving.gap_m)
    close = np.full(len(situation.parked), driving.gap_m)
    gaps = np.stack([close, waiting, np.where(situation.parked, waiting, -1.0)])
    state = np.array([start.speed, start.acceleration])
    profiles.drive(
        specs, state, tables, limits, occupied, situation.agents.along, gaps, rules, situation.grid.dt_s, along, lead,
        valid,
    )  # fmt: skip


def on_grid(
    situation: Situation, paths: Paths, path: Array, along: Array, labels: tuple[str, ...], generator: str
) -> Candidates:
    """Candidates from distances, speeds and accelerations (candidate, step, 3) along the paths `path`."""
    shape = along.shape[:2]
    position = np.empty((*shape, 2))
    yaw, speed, acceleration, curvature, s, d = (np.empty(shape) for _ in range(6))
    _place(paths.table, path, along, position, yaw, speed, acceleration, curvature, s, d)
    return Candidates(
        stamp_ns=situation.scene.stamp_ns,
        time_s=situation.grid.time_s,
        generator=(generator,) * len(labels),
        label=labels,
        is_stop=along[:, -1, 1] < 1e-3,
        position=position,
        yaw=yaw,
        speed=speed,
        acceleration=acceleration,
        curvature=curvature,
        s=s,
        d=d,
    )


def empty(situation: Situation) -> Candidates:
    """No candidates."""
    nothing = np.zeros((0, situation.grid.steps))
    return Candidates(
        situation.scene.stamp_ns, situation.grid.time_s, (), (), np.zeros(0, bool),
        np.zeros((0, situation.grid.steps, 2)), nothing, nothing, nothing, nothing, nothing, nothing,
    )  # fmt: skip


def together(groups: list[Candidates]) -> Candidates:
    """Groups on the same grid as one."""
    changes: dict[str, Any] = {}
    for item in fields(Candidates):
        parts = [getattr(group, item.name) for group in groups]
        if isinstance(parts[0], tuple):
            changes[item.name] = tuple(entry for part in parts for entry in part)
        elif isinstance(parts[0], np.ndarray) and item.name != "time_s":
            changes[item.name] = np.concatenate(parts)
    return replace(groups[0], **changes)


@no_type_check
@njit(cache=True)
def _place(
    tables: Array, path: Array, along: Array, position: Array, yaw: Array, speed: Array, acceleration: Array,
    curvature: Array, s: Array, d: Array,
) -> None:  # pragma: no cover (compiled)  # fmt: skip
    """What is at each distance: cubic in position and yaw, straight on beyond the path; the first yaw within a turn."""
    last = tables.shape[1] - 2
    cos, sin = np.empty(tables.shape[:2]), np.empty(tables.shape[:2])
    for p in range(tables.shape[0]):
        for k in range(tables.shape[1]):
            cos[p, k], sin[p, k] = cos_sin(tables[p, k, 4])
    for c in range(along.shape[0]):
        p, k, whole = path[c], 0, 0.0
        for i in range(along.shape[1]):
            x = along[c, i, 0]
            while k < last and tables[p, k + 1, 0] < x:
                k += 1
            h = tables[p, k + 1, 0] - tables[p, k, 0]
            u = min((x - tables[p, k, 0]) / h, 1.0)
            beyond = max(x - tables[p, k + 1, 0], 0.0)
            h0, h1 = (1.0 + 2.0 * u) * (1.0 - u) ** 2, u * (1.0 - u) ** 2 * h
            h2, h3 = u * u * (3.0 - 2.0 * u), u * u * (u - 1.0) * h
            turned = h0 * tables[p, k, 4] + h1 * tables[p, k, 5] + h2 * tables[p, k + 1, 4] + h3 * tables[p, k + 1, 5]
            if i == 0:
                whole = math.tau * np.round(turned / math.tau)
            yaw[c, i] = turned - whole
            on_x = h1 * cos[p, k] + (h3 + beyond) * cos[p, k + 1]
            on_y = h1 * sin[p, k] + (h3 + beyond) * sin[p, k + 1]
            position[c, i, 0] = h0 * tables[p, k, 2] + h2 * tables[p, k + 1, 2] + on_x
            position[c, i, 1] = h0 * tables[p, k, 3] + h2 * tables[p, k + 1, 3] + on_y
            curvature[c, i] = tables[p, k, 5] + u * (tables[p, k + 1, 5] - tables[p, k, 5])
            s[c, i] = tables[p, k, 6] + u * (tables[p, k + 1, 6] - tables[p, k, 6]) + beyond
            d[c, i] = tables[p, k, 7] + u * (tables[p, k + 1, 7] - tables[p, k, 7])
            speed[c, i], acceleration[c, i] = along[c, i, 1], along[c, i, 2]
