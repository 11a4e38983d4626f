"""Scorer: distance to pedestrians, cyclists and animals, the more the faster."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import VULNERABLE, Candidates, Predictions, Scene, Terms, among
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import (
    ego_boxes,
    foreseeable,
    interval_stride,
    mode_boxes,
    near,
    terms,
)
from behaviors_ros.scoring.proximity import clearance


class ClearanceParameters(Parameters):
    """The distance wished: base + time x speed, 1.5 m at 36 km/h."""

    weight: float = value(3.0, "share in the weighted mean", low=0.0, high=100.0)
    base_m: float = value(0.5, "distance wished at standstill", low=0.01, high=5.0)
    time_s: float = value(0.1, "further distance wished per speed", low=0.0, high=2.0)
    probability_min: float = value(0.2, "modes less probable than this do not count", low=0.0, high=1.0)
    interval_s: float = value(0.3, "time between the instants at which it is asked", low=0.01, high=2.0)


@register("scorer", "clearance")
class Clearance:
    """Raw and score: least ratio of the distance to a vulnerable road user and the distance wished, at most 1."""

    parameters = ClearanceParameters

    def __init__(self, parameters: ClearanceParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        if not foreseeable(predictions):
            return terms(np.full(len(candidates), np.nan), np.zeros(len(candidates)), candidates)
        p, boxes = self.p, ego_boxes(candidates, self.vehicle)
        reach_m = p.base_m + p.time_s * float(np.nanmax(np.abs(candidates.speed), initial=0.0))
        agents = among(predictions.kind, VULNERABLE) & near(predictions, boxes, reach_m)
        modes = mode_boxes(scene, predictions, agents, p.probability_min)
        stride = interval_stride(candidates, p.interval_s)
        ratio = clearance(boxes, modes, len(candidates.time_s), stride, p.base_m, p.time_s)
        return terms(ratio, ratio, candidates)
