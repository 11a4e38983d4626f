"""Gate: all corners of the ego must stay on the drivable area of the route."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Verdict
from behaviors_ros.geometry.boxes import corners as box_corners
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_most, ego_boxes, interval_stride


class DrivableAreaParameters(Parameters):
    """How far outside is accepted."""

    outside_max_m: float = value(0.1, "largest distance of a corner beyond the drivable edge", low=0.0, high=5.0)
    interval_s: float = value(0.3, "time between the instants at which it is asked", low=0.01, high=2.0)


@register("gate", "drivable_area")
class DrivableArea:
    """Value: how far a corner gets outside, m; for an ego outside already at step 0, how much farther than there."""

    parameters = DrivableAreaParameters

    def __init__(self, parameters: DrivableAreaParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        stride = interval_stride(candidates, self.p.interval_s)
        boxes, route, length = ego_boxes(candidates, self.vehicle), scene.route, self.vehicle.length_m
        corners = box_corners(boxes.pose[:, ::stride, :2], candidates.yaw[:, ::stride], length, self.vehicle.width_m)
        ahead = boxes.offset + 0.5 * length * np.array([1.0, 1.0, -1.0, -1.0])
        hints = candidates.s[:, ::stride, None] + ahead
        s, d = route_frame(route).project_near(corners, hints, 0.5 * length)
        excess = outside(s, d, route.s, route.left_drivable, route.right_drivable)
        farther = excess - np.maximum(excess[:, :1], 0.0)
        return at_most(farther.max(axis=1, initial=-np.inf), self.p.outside_max_m, candidates)


@no_type_check
@njit(cache=True)
def outside(s, d, route_s, left, right):
    """Largest distance (candidate, instant), m, of a corner (s, d) beyond the drivable edge; negative: inside."""
    excess = np.full(s.shape[:2], -np.inf)
    for i in range(s.shape[0]):
        knot = 0
        for k in range(s.shape[1]):
            for c in range(s.shape[2]):
                knot = nearest_knot(route_s, s[i, k, c], knot)
                beyond = max(d[i, k, c] - left[knot], -d[i, k, c] - right[knot])
                excess[i, k] = max(excess[i, k], beyond) if beyond == beyond else np.nan
    return excess


@no_type_check
@njit(cache=True)
def nearest_knot(route_s, s, knot):
    """Index of the route point nearest to `s`, walking from `knot`."""
    while knot + 1 < len(route_s) and route_s[knot + 1] - s < s - route_s[knot]:
        knot += 1
    while knot > 0 and s - route_s[knot - 1] < route_s[knot] - s:
        knot -= 1
    return knot
