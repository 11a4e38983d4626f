"""Gate: all corners of the ego must stay on the drivable area of the route."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Verdict
from behaviors_ros.geometry.projection import only_foot, project_point_near
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
        boxes, route = ego_boxes(candidates, self.vehicle), scene.route
        poses, hints = boxes.pose[:, ::stride], candidates.s[:, ::stride] + boxes.offset
        edges = np.stack([route.s, route.left_drivable, route.right_drivable], axis=1)
        excess = outside(*route_frame(route).arrays, edges, poses, hints, boxes.half_length, boxes.half_width)
        farther = excess - np.maximum(excess[:, :1], 0.0)
        return at_most(farther.max(axis=1, initial=-np.inf), self.p.outside_max_m, candidates)


@no_type_check
@njit(cache=True)
def outside(path, blocks, groups, edges, poses, hints, half_length, half_width):
    """Largest distance (candidate, instant), m, of a corner beyond the drivable edge; negative: inside.

    path, blocks, groups: frame of the route; edges (point, 3): s, left and right width, m; poses as in `EgoBoxes`;
    hints (candidate, instant): about the s of the centres, m, from which a corner is looked for half a length around
    where it would be on a straight path.
    """
    excess = np.full(hints.shape, -np.inf)
    for i in range(hints.shape[0]):
        knots = np.zeros(2, np.int64)
        for k in range(hints.shape[1]):
            cos, sin = poses[i, k, 2], poses[i, k, 3]
            for corner in range(4):
                along = half_length if corner < 2 else -half_length
                across = half_width if 1 <= corner <= 2 else -half_width
                x, y = poses[i, k, 0] + cos * along - sin * across, poses[i, k, 1] + sin * along + cos * across
                s, d = only_foot(path, x, y, hints[i, k] + along, half_length)
                if not abs(s - hints[i, k] - along) <= half_length:
                    s, d = project_point_near(path, blocks, groups, x, y, hints[i, k] + along, half_length)
                knot = knots[corner // 2]
                while knot + 1 < len(edges) and edges[knot + 1, 0] - s < s - edges[knot, 0]:
                    knot += 1
                while knot > 0 and s - edges[knot - 1, 0] < edges[knot, 0] - s:
                    knot -= 1
                knots[corner // 2] = knot
                beyond = max(d - edges[knot, 1], -d - edges[knot, 2])
                excess[i, k] = max(excess[i, k], beyond) if beyond == beyond else np.nan
    return excess
