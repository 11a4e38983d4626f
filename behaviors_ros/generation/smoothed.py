"""The best few candidates of the other generators, smoothed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros import registry
from behaviors_ros.datatypes import Array, Candidates, Grid, Predictions, Scene
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.laid import continued
from behaviors_ros.generation.motions import empty, on_grid
from behaviors_ros.generation.paths import Paths, joined
from behaviors_ros.generation.situation import Situation, situation_of
from behaviors_ros.generation.smooth_speed import SmoothSpeed, smooth_speed
from behaviors_ros.generation.start import Stitching
from behaviors_ros.parameters import Parameters, Vehicle, value


class SmoothedParameters(Parameters):
    """Which candidates are smoothed."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()
    speed: SmoothSpeed = SmoothSpeed()
    best: int = value(3, "candidates that are smoothed, each with another path", low=0, high=20)
    beside_m: float = value(0.4, "distance beside the ego's width within which agents are in the way", low=0, high=2.0)
    progress_weight: float = value(7.0, "weight of the root of the share of the way possible", low=0.0, high=100.0)
    comfort_weight: float = value(2.0, "weight of comfort", low=0.0, high=100.0)
    lane_weight: float = value(1.5, "weight of the mean of the squared offset from the lane's centre", low=0, high=100)


@registry.register("generator", "smoothed")
class Smoothed:
    """Refines what the generators before it in the list have made; alone it makes nothing."""

    name = "smoothed"
    parameters = SmoothedParameters

    def __init__(self, parameters: SmoothedParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """None: there is nothing to refine."""
        return self.refine(scene, predictions, grid, ())

    def refine(self, scene: Scene, predictions: Predictions, grid: Grid, groups: Sequence[Candidates]) -> Candidates:
        """At most `best` candidates; one whose smoothing does not converge is left out."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        paths: list[Paths] = []
        motions: list[Array] = []
        labels: list[str] = []
        for group, index in self._seeds(situation, groups):
            path = _path(situation, group, index)
            if not len(path):
                continue
            motion = smooth_speed(situation, path.table[0], _along(group, index, path.table[0]), values.speed)
            if motion is not None:
                paths.append(path)
                motions.append(motion)
                labels.append(f"smoothly: {group.label[index]}")
        if not paths:
            return empty(situation)
        return on_grid(situation, joined(paths), np.arange(len(paths)), np.stack(motions), tuple(labels), self.name)

    def _seeds(self, situation: Situation, groups: Sequence[Candidates]) -> list[tuple[Candidates, int]]:
        """The best candidates by a quick judgement, each with another path."""
        rated = [
            (float(worth), group, index)
            for group in groups
            for index, worth in enumerate(self._worth(situation, group))
            if group.generator[index] not in ("minimal_risk_stop", "previous")
        ]
        rated.sort(key=lambda item: -item[0])
        chosen: dict[str, tuple[Candidates, int]] = {}
        for worth, group, index in rated:
            if len(chosen) >= self.values.best or not math.isfinite(worth):
                break
            chosen.setdefault(group.label[index].split(",")[0], (group, index))
        return list(chosen.values())

    def _worth(self, situation: Situation, group: Candidates) -> Array:
        """A quick judgement of each candidate: minus infinity where it meets an agent."""
        values, driving = self.values, situation.driving
        possible = situation.start.speed * situation.grid.horizon_s
        possible += 0.5 * driving.acceleration_mps2 * situation.grid.horizon_s**2
        possible = min(possible, situation.limit_mps * situation.grid.horizon_s)
        sizes = np.array([
            situation.station - situation.s, self.vehicle.rear_overhang_m, situation.front_m,
            0.5 * self.vehicle.width_m + values.beside_m, max(possible, 1.0), situation.grid.dt_s,
        ])  # fmt: skip
        weights = np.array([values.progress_weight, values.comfort_weight, values.lane_weight])
        out = np.empty(len(group))
        _judge(
            group.s, group.d, group.speed, group.acceleration, group.curvature, situation.agents.along, sizes, weights,
            out,
        )  # fmt: skip
        return out


def _path(situation: Situation, group: Candidates, index: int) -> Paths:
    """The path of a candidate."""
    poses = np.column_stack((group.position[index], np.unwrap(group.yaw[index]), group.curvature[index]))
    return continued(situation, poses)


def _along(group: Candidates, index: int, table: Array) -> Array:
    """Distance along a path, speed and acceleration (step, 3) of a candidate."""
    out = np.empty((group.s.shape[1], 3))
    out[1:, 0] = np.cumsum(np.hypot(*np.diff(group.position[index], axis=0).T))
    out[0, 0] = 0.0
    out[:, 1], out[:, 2] = group.speed[index], group.acceleration[index]
    return out


@no_type_check
@njit(cache=True)
def _judge(
    s: Array, d: Array, speed: Array, acceleration: Array, curvature: Array, along: Array, sizes: Array,
    weights: Array, out: Array,
) -> None:  # pragma: no cover (compiled)  # fmt: skip
    shift, rear, front, half, possible, dt = sizes
    steps = s.shape[1]
    for c in range(s.shape[0]):
        dose, aside, before, clear = 0.0, 0.0, 0.0, True
        for i in range(0, steps, 3):
            lateral = curvature[c, i] * speed[c, i] * speed[c, i]
            dose += acceleration[c, i] ** 2 + (lateral / 1.5) ** 2
            if i:
                dose += ((acceleration[c, i] - before) / (3.0 * dt)) ** 2
            before = acceleration[c, i]
            aside += d[c, i] ** 2
            if i > 0.7 * steps:
                continue
            station = s[c, i] + shift
            for n in range(along.shape[0]):
                box = along[n, i]
                if along[n, 0, 2] > s[c, 0] + shift and box[0] < station + front and box[1] > station - rear:
                    clear = clear and not (box[4] < d[c, i] + half and box[5] > d[c, i] - half)
        count = (steps + 2) // 3
        gained = min(max(s[c, steps - 1] - s[c, 0], 0.0) / possible, 1.0)
        worth = weights[0] * math.sqrt(gained) + weights[1] / (1.0 + dose / count / 4.0)
        worth += weights[2] / (1.0 + aside / count)
        out[c] = worth if clear else -math.inf
