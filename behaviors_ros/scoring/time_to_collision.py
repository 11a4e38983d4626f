"""Scorer: time to collision, box to box at constant speed and heading."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import (
    ego_boxes,
    foreseeable,
    interval_stride,
    mode_boxes,
    near,
    solid,
    terms,
)
from behaviors_ros.scoring.proximity import time_to_collision


class TimeToCollisionParameters(Parameters):
    """When and between which times it counts. The metric's threshold is 0.95 s."""

    weight: float = value(5.0, "share in the weighted mean", low=0.0, high=100.0)
    unsafe_s: float = value(0.95, "time to collision from which the score is 0", low=0.0, high=10.0)
    safe_s: float = value(2.0, "time to collision from which the score is 1", low=0.1, high=10.0)
    horizon_s: float = value(4.0, "how far along a candidate it is asked", low=0.0, high=20.0)
    interval_s: float = value(0.3, "time between the instants at which it is asked", low=0.01, high=2.0)
    probability_min: float = value(0.3, "modes less probable than this do not count", low=0.0, high=1.0)
    standing_mps: float = value(0.05, "speed up to which the ego stands and has none", low=0.0, high=1.0)


@register("scorer", "time_to_collision")
class TimeToCollision:
    """Raw: least time to collision along the candidate, s, at most `safe_s`. Score: linear from `unsafe_s` to `safe_s`.

    nuPlan's metric, with one rule for agents that do not count: their centre is behind the ego's rear axle.
    """

    parameters = TimeToCollisionParameters

    def __init__(self, parameters: TimeToCollisionParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        if not foreseeable(predictions):
            return terms(np.full(len(candidates), np.nan), np.zeros(len(candidates)), candidates)
        p, boxes = self.p, ego_boxes(candidates, self.vehicle)
        ego_speed = np.nanmax(np.abs(candidates.speed), initial=0.0)
        fastest = float(predictions.speed[predictions.valid].max(initial=0.0))
        agents = solid(predictions) & near(predictions, boxes, (ego_speed + fastest) * p.safe_s)
        modes = mode_boxes(scene, predictions, agents, p.probability_min)
        steps = int(np.searchsorted(candidates.time_s, p.horizon_s + 1e-9))
        stride = interval_stride(candidates, p.interval_s)
        least = time_to_collision(boxes, modes, steps, stride, p.safe_s, p.standing_mps)
        return terms(least, (least - p.unsafe_s) / max(p.safe_s - p.unsafe_s, 1e-6), candidates)
