"""Gate: all corners of the ego must stay on the drivable area of the route."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array, Candidates, Predictions, Route, Scene, Verdict
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
    """Value: how far a corner gets outside, m, an upper bound where it is surely inside; for an ego outside
    already at step 0, how much farther than there.
    """

    parameters = DrivableAreaParameters

    def __init__(self, parameters: DrivableAreaParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        stride = interval_stride(candidates, self.p.interval_s)
        boxes, route = ego_boxes(candidates, self.vehicle), scene.route
        poses, hints, aside = (
            np.ascontiguousarray(each[:, ::stride]) for each in (boxes.pose, candidates.s + boxes.offset, candidates.d)
        )
        edges = np.stack([route.s, route.left_drivable, route.right_drivable], axis=1)
        certain = room(route, self.vehicle.length_m + self.vehicle.width_m)
        excess = outside(
            *route_frame(route).arrays, edges, certain, poses, hints, aside, boxes.half_length, boxes.half_width,
            boxes.offset,
        )  # fmt: skip
        farther = excess - np.maximum(excess[:, :1], 0.0)
        return at_most(farther.max(axis=1, initial=-np.inf), self.p.outside_max_m, candidates)


@lru_cache(maxsize=4)
def room(route: Route, reach_m: float) -> Float[Array, "point 5"]:
    """What is surely drivable around each point of the route: s, direction x, y, and the room to the left and right
    within `reach_m` along it, less how far the route bends away on that length, m.
    """
    frame = route_frame(route)
    path = frame.arrays[0]
    left, right = (np.interp(frame.s, route.s, width) for width in (route.left_drivable, route.right_drivable))
    return certain_room(path, left, right, reach_m)


@no_type_check
@njit(cache=True)
def certain_room(path, left, right, reach):
    """Rows of `room` for the points of a frame's path."""
    out = np.empty((len(path), 5))
    for k in range(len(path)):
        least_left, least_right, straightest = left[k], right[k], 1.0
        for way in (-1, 1):
            i = k + way
            while 0 <= i < len(path):
                least_left, least_right = min(least_left, left[i]), min(least_right, right[i])
                straightest = min(straightest, path[i, 2] * path[k, 2] + path[i, 3] * path[k, 3])
                if abs(path[i, 4] - path[k, 4]) > reach:
                    break
                i += way
        bent = reach * math.sqrt(max(1.0 - straightest * straightest, 0.0)) if straightest > 0.0 else np.inf
        out[k, 0], out[k, 1], out[k, 2] = path[k, 4], path[k, 2], path[k, 3]
        out[k, 3], out[k, 4] = least_left - bent, least_right - bent
    return out


@no_type_check
@njit(cache=True)
def surely_outside_by(certain, k, cos, sin, d, front, rear, half_width):
    """An upper bound of how far a corner is outside, m, from the rear axle's offset d at row k; inf: not known.

    A tenth of a metre is kept for what d is off. NaN stays NaN.
    """
    along, across = cos * certain[k, 1] + sin * certain[k, 2], sin * certain[k, 1] - cos * certain[k, 2]
    if along < 0.5:
        return np.inf
    left = d + max(front * across, -rear * across) + half_width * along - certain[k, 3]
    right = -d + max(-front * across, rear * across) + half_width * along - certain[k, 4]
    return max(left, right) + 0.1


@no_type_check
@njit(cache=True)
def outside(path, blocks, groups, edges, certain, poses, hints, aside, half_length, half_width, offset):
    """Largest distance (candidate, instant), m, of a corner beyond the drivable edge; negative: inside.

    path, blocks, groups: frame of the route; edges (point, 3): s, left and right width, m; poses as in `EgoBoxes`;
    hints (candidate, instant): about the s of the centres, m, from which a corner is looked for half a length around
    where it would be on a straight path; aside (candidate, instant): offset of the rear axle, m. Where that and the
    certain room (see `room`) tell that all corners are inside, the bound is taken and nothing projected.
    """
    excess, row = np.full(hints.shape, -np.inf), 0
    front, rear = half_length + offset, half_length - offset
    for i in range(hints.shape[0]):
        knots = np.zeros(2, np.int64)
        for k in range(hints.shape[1]):
            cos, sin, at = poses[i, k, 2], poses[i, k, 3], hints[i, k] - offset
            while row > 0 and certain[row, 0] > at:
                row -= 1
            while row < len(certain) - 1 and certain[row + 1, 0] <= at:
                row += 1
            bound = surely_outside_by(certain, row, cos, sin, aside[i, k], front, rear, half_width)
            if bound < 0.0 and certain[0, 0] <= at <= certain[len(certain) - 1, 0]:
                excess[i, k] = bound
                continue
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
