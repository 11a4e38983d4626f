"""Paths given as poses: what is left of the previous plan's path, and straight ahead."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array
from behaviors_ros.generation.paths import COLUMNS, Paths, Profile, lateral_paths, lateral_start
from behaviors_ros.generation.reference import project
from behaviors_ros.generation.situation import Situation
from behaviors_ros.geometry.angles import unwrapped


@lru_cache(maxsize=4)
def previous_path(situation: Situation) -> Paths:
    """The previous plan's path from the start on, and on at its last offset; none unless the start is on it."""
    plan = situation.scene.previous
    if not situation.stitched or plan is None:
        return _none(situation)
    old, start = plan.trajectory, situation.start
    elapsed = (situation.scene.stamp_ns - old.stamp_ns) * 1e-9
    later = old.time_s > elapsed + 1e-6
    poses = np.column_stack((old.position, unwrapped(old.yaw), old.curvature))[later]
    first = np.array([start.position[0], start.position[1], start.yaw, situation.curvature])
    poses = np.vstack((first, poses))
    poses[1:, 2] += math.tau * np.round((start.yaw - poses[1, 2]) / math.tau) if len(poses) > 1 else 0.0
    return continued(situation, poses)


def continued(situation: Situation, poses: Float[Array, "pose 4"]) -> Paths:
    """The poses (x, y, yaw continuous, curvature) from the start on, then a lateral profile that holds the last offset,
    sampled by length; none where they are less than a metre long.
    """
    gaps = np.hypot(*np.diff(poses[:, :2], axis=0).T)
    poses = poses[np.concatenate(([True], gaps > 0.01))]
    if len(poses) < 3 or gaps.sum() < 1.0:
        return _none(situation)
    reference, step, samples = situation.reference, situation.step_m, situation.samples
    row = np.empty(reference.table.shape[1])
    chord = np.hypot(*np.diff(poses[:, :2], axis=0).T)
    index = int(round((situation.station + chord.sum()) / reference.spacing_m))
    x, y, yaw, curvature = poses[-1]
    station, offset = project(reference.table, reference.spacing_m, x, y, index, row)
    lateral = lateral_start(row, offset, yaw, curvature)
    if lateral is None or abs(station - situation.station - chord.sum()) > 0.3 * chord.sum() + 2.0:
        return _none(situation)
    tail = lateral_paths(
        reference.table, reference.spacing_m, station, lateral,
        [Profile("", float(offset), max(10.0, 2.0 * situation.start.speed))], step, samples,
    )  # fmt: skip
    onward = tail.table[0, 1:, 2:6].copy()
    onward[:, 2] += math.tau * np.round((yaw - onward[0, 2]) / math.tau)
    return placed(situation, np.vstack((poses, onward)), "continue") if tail.usable[0] else _none(situation)


@lru_cache(maxsize=4)
def straight_path(situation: Situation) -> Paths:
    """Straight ahead: the curvature goes to zero over a second of travel, 3 m at least."""
    start, step = situation.start, situation.step_m
    x = np.arange(situation.samples) * step
    fade = max(3.0, start.speed)
    curvature = situation.curvature * np.maximum(1.0 - x / fade, 0.0)
    yaw = start.yaw + np.concatenate(([0.0], np.cumsum(0.5 * (curvature[1:] + curvature[:-1]) * step)))
    middle = 0.5 * (yaw[1:] + yaw[:-1])
    travelled = np.cumsum(step * np.column_stack((np.cos(middle), np.sin(middle))), axis=0)
    position = start.position + np.vstack((np.zeros((1, 2)), travelled))
    return placed(situation, np.column_stack((position, yaw, curvature)), "straight ahead")


def placed(situation: Situation, poses: Array, label: str) -> Paths:
    """Poses (x, y, yaw continuous, curvature), evenly resampled by length and projected onto the reference."""
    out = np.empty((1, situation.samples, COLUMNS))
    reference = situation.reference
    _place(reference.table, reference.spacing_m, situation.station, poses, situation.step_m, out[0])
    return Paths(out, (label,), np.ones(1, bool))


def _none(situation: Situation) -> Paths:
    return Paths(np.empty((0, situation.samples, COLUMNS)), (), np.ones(0, bool))


@no_type_check
@njit(cache=True)
def _place(
    table: Array, spacing: float, station: float, poses: Array, step: float, out: Array
) -> None:  # pragma: no cover
    row = np.empty(8)
    k, begin = 0, 0.0
    chord = math.hypot(poses[1, 0] - poses[0, 0], poses[1, 1] - poses[0, 1])
    for i in range(out.shape[0]):
        x = i * step
        while k < poses.shape[0] - 2 and begin + chord < x:
            begin += chord
            k += 1
            chord = math.hypot(poses[k + 1, 0] - poses[k, 0], poses[k + 1, 1] - poses[k, 1])
        a, b, o = poses[k], poses[k + 1], out[i]
        u = min((x - begin) / chord, 1.0)
        beyond = max(x - begin - chord, 0.0)
        h0, h1 = (1.0 + 2.0 * u) * (1.0 - u) ** 2, u * (1.0 - u) ** 2 * chord
        h2, h3 = u * u * (3.0 - 2.0 * u), u * u * (u - 1.0) * chord
        o[0] = x
        o[2] = h0 * a[0] + h1 * math.cos(a[2]) + h2 * b[0] + h3 * math.cos(b[2]) + beyond * math.cos(b[2])
        o[3] = h0 * a[1] + h1 * math.sin(a[2]) + h2 * b[1] + h3 * math.sin(b[2]) + beyond * math.sin(b[2])
        o[4] = h0 * a[2] + h1 * a[3] + h2 * b[2] + h3 * b[3]
        o[5] = a[3] + u * (b[3] - a[3])
        index = min(max(int(station / spacing + 0.5), 0), table.shape[0] - 1)
        station, offset = project(table, spacing, o[2], o[3], index, row)
        o[1], o[6], o[7], o[8] = station, row[5], row[6] + offset, row[7]
