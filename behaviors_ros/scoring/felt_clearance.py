"""Scorer: the room beside that passengers and those outside feel safe with."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import VEHICLES, Candidates, Predictions, Scene, Terms, among
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.beside import least_gap_ratio, parked
from behaviors_ros.scoring.footprint import (
    ego_boxes,
    foreseeable,
    interval_stride,
    mode_boxes,
    near,
    now_on_route,
    solid,
    terms,
)


class FeltClearanceParameters(Parameters):
    """The gap wished beside: base + time x closing speed, and a door's width more beside parked vehicles.

    By default 1.0 m past a parked car at 36 km/h, 0.7 m past an oncoming one when both drive 36 km/h, 0.3 m beside one
    that is as fast as the ego.
    """

    weight: float = value(
        0.5,
        "share in the weighted mean: all instead of half of the gap wished is worth 0.4 s of delay",
        low=0.0,
        high=100.0,
    )
    base_m: float = value(0.3, "gap wished to what moves along", low=0.01, high=5.0)
    time_s: float = value(0.02, "further gap wished per closing speed along the ego", low=0.0, high=1.0)
    door_m: float = value(0.5, "further gap wished beside a parked vehicle, whose door may open", low=0.0, high=3.0)
    queue_m: float = value(
        30.0, "who stands within this before a stop point waits there and is not parked", low=0.0, high=200.0
    )
    start_s: float = value(0.5, "asked from here on: what is nearer now cannot be helped", low=0.0, high=5.0)
    interval_s: float = value(0.3, "time between the instants at which it is asked", low=0.01, high=2.0)
    probability_min: float = value(0.3, "modes less probable than this do not count", low=0.0, high=1.0)


@register("scorer", "felt_clearance")
class FeltClearance:
    """Raw and score: least ratio, at most 1, of the gap across to who is beside the moving ego and the gap wished.

    For everyone; the scorer `clearance` asks more for people, cyclists and animals, in all directions.
    """

    parameters = FeltClearanceParameters

    def __init__(self, parameters: FeltClearanceParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        if not foreseeable(predictions):
            return terms(np.full(len(candidates), np.nan), np.zeros(len(candidates)), candidates)
        p, boxes = self.p, ego_boxes(candidates, self.vehicle)
        agents = solid(predictions) & near(predictions, boxes, p.base_m + p.door_m + 60.0 * p.time_s)
        modes = mode_boxes(scene, predictions, agents, p.probability_min)
        vehicles = among(predictions.kind[modes.agent], VEHICLES)
        stands = parked(scene, modes, now_on_route(scene, predictions).s[modes.agent], p.queue_m)
        base = p.base_m + np.where(vehicles & stands, p.door_m, 0.0)
        first = int(np.searchsorted(candidates.time_s, p.start_s - 1e-9))
        stride = interval_stride(candidates, p.interval_s)
        ratio = least_gap_ratio(boxes, modes, len(candidates.time_s), first, stride, base, p.time_s)
        return terms(ratio, ratio, candidates)
