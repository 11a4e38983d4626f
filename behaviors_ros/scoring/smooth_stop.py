"""Scorer: stopping softly, at a fitting distance, and then standing."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array, Candidates, Predictions, Scene, StopKind, Terms
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import foreseeable, mode_boxes, solid, terms
from behaviors_ros.scoring.passage import front_s


class SmoothStopParameters(Parameters):
    """What a chauffeur does: let go of the brake before the halt, halt close enough, and not move up in bits."""

    weight: float = value(
        0.3,
        "share in the weighted mean: no braking instead of 1 m/s2 at the halt is worth 0.25 s of delay",
        low=0.0,
        high=100.0,
    )
    window_s: float = value(0.3, "time before the halt over which its deceleration is the mean", low=0.05, high=2.0)
    deceleration_mps2: float = value(
        1.0, "deceleration that ends at once with the halt, at which alone the score is one half", low=0.05, high=5.0
    )
    gap_m: float = value(4.0, "gap to a line or agent ahead that is not too far", low=0.5, high=20.0)
    far_m: float = value(6.0, "excess over that gap at which alone the score is one half", low=0.5, high=50.0)
    reach_m: float = value(15.0, "a line or agent farther ahead is not what one stops for", low=1.0, high=100.0)
    creep_m: float = value(1.5, "way rolled between two halts at which alone the score is one half", low=0.1, high=20.0)
    standing_mps: float = value(0.1, "speed up to which the ego stands", low=0.01, high=1.0)
    probability_min: float = value(0.3, "modes less probable than this do not count", low=0.0, high=1.0)


@register("scorer", "smooth_stop")
class SmoothStop:
    """Raw: root of the sum of squares of three ratios, each at 1 where alone it halves the score; 0 without a halt.

    The mean deceleration right before the last halt, which ends with a jolt; the excess of the gap ahead at that halt,
    where a line of the route or an agent is ahead; and the way rolled between two halts, less the longer the roll: a
    roll of twice `creep_m` or more is driving. Score: 1 / (1 + raw^2).
    """

    parameters = SmoothStopParameters

    def __init__(self, parameters: SmoothStopParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        p, front = self.p, front_s(candidates, self.vehicle)
        if not foreseeable(predictions):
            return terms(np.full(len(candidates), np.nan), np.zeros(len(candidates)), candidates)
        dt_s = candidates.time_s[-1] / max(len(candidates.time_s) - 1, 1)
        window = max(int(round(p.window_s / max(dt_s, 1e-6))), 1)
        braking, rolled, halts = last_halt(candidates.speed, candidates.acceleration, front, p.standing_mps, window)
        excess = np.zeros(len(candidates))
        gap = self._ahead(scene, predictions, front[halts, -1], candidates.d[halts, -1])
        excess[halts] = np.where(gap <= p.reach_m, np.maximum(gap - p.gap_m, 0.0), 0.0) / p.far_m
        creep = np.maximum(np.minimum(rolled, 2.0 * p.creep_m - rolled), 0.0) / p.creep_m
        raw2 = np.square(braking / p.deceleration_mps2) + np.square(excess) + np.square(creep)
        return terms(np.sqrt(raw2), 1.0 / (1.0 + raw2), candidates)

    def _ahead(
        self, scene: Scene, predictions: Predictions, front: Float[Array, "candidate"], d: Float[Array, "candidate"]
    ) -> Float[Array, "candidate"]:
        """Gap from the bumper where a candidate ends to the nearest line, or agent in its way at that time, m."""
        lines = [stop.s for stop in scene.route.stops if stop.kind != StopKind.GOAL]
        edges, low, high = np.array(lines), np.full(len(lines), -np.inf), np.full(len(lines), np.inf)
        modes = mode_boxes(scene, predictions, solid(predictions), self.p.probability_min)
        if len(modes.agent):
            pose, frame = modes.pose[:, -1], route_frame(scene.route)
            s, aside = frame.project(pose[:, :2])
            turn = np.arctan2(pose[:, 3], pose[:, 2]) - frame.heading(s)
            cos, sin = np.abs(np.cos(turn)), np.abs(np.sin(turn))
            half = modes.half_length * sin + modes.half_width * cos + 0.5 * self.vehicle.width_m
            edges = np.append(edges, s - modes.half_length * cos - modes.half_width * sin)
            low, high = np.append(low, aside - half), np.append(high, aside + half)
        gap = edges - front[:, None]
        in_way = (gap >= -0.5) & (d[:, None] > low) & (d[:, None] < high)
        return np.where(in_way, np.maximum(gap, 0.0), np.inf).min(axis=1, initial=np.inf)


@no_type_check
@njit(cache=True)
def last_halt(speed, acceleration, front, standing, window):
    """Of each candidate that ends standing: deceleration of its last halt, way rolled since the halt before, and that
    it halts. 0 m/s^2 for one that never moved; 0 m without a halt before.
    """
    braking, rolled, halts = np.zeros(len(speed)), np.zeros(len(speed)), np.zeros(len(speed), np.bool_)
    for i in range(len(speed)):
        end = speed.shape[1] - 1
        halts[i] = abs(speed[i, end]) <= standing
        if not halts[i]:
            continue
        while end > 0 and abs(speed[i, end - 1]) <= standing:
            end -= 1
        if end == 0:
            continue
        first = max(end - window, 0)
        for step in range(first, end):
            braking[i] += max(-acceleration[i, step], 0.0) / (end - first)
        before = end - 1
        while before >= 0 and abs(speed[i, before]) > standing:
            before -= 1
        rolled[i] = front[i, end] - front[i, before] if before >= 0 else 0.0
    return braking, rolled, halts
