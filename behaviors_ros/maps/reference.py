"""The reference path of a route: centre lines joined, lane changes blended, kinks smoothed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solveh_banded

from behaviors_ros.datatypes import Array, LaneMap
from behaviors_ros.geometry.polylines import curvatures, resample
from behaviors_ros.maps.lanes import length_of
from behaviors_ros.maps.tracks import Track, tracks_of
from behaviors_ros.parameters import Parameters, value


class Shape(Parameters):
    """Shape of the reference path."""

    spacing_m: float = value(0.5, "distance between points", low=0.1, high=2.0)
    before_m: float = value(30.0, "length kept behind the start where lanes exist", low=0.0, high=200.0)
    past_goal_m: float = value(80.0, "length kept past the goal where lanes exist", low=0.0, high=500.0)
    change_s: float = value(4.0, "longest time of a lane change at the speed limit", low=1.0, high=20.0)
    change_min_m: float = value(15.0, "shortest lane change, where there is room", low=2.0, high=200.0)
    stiffness_m: float = value(2.5, "kinks are rounded over about this length", low=0.0, high=20.0)
    deviation_m: float = value(0.1, "smoothing keeps this near to the centre line", low=0.0, high=1.0)
    deviation_tight_m: float = value(1.0, "the same where the curvature is above its largest", low=0.0, high=2.0)
    curvature_max_1pm: float = value(0.19, "largest curvature aimed at", low=0.02, high=1.0)


@dataclass(frozen=True, eq=False)
class Reference:
    """Points of the path, m; the lane each is on; the tracks (from, to) it changes between, else twice the same.

    goal_s: arc length on the path of the goal's position, m, about.
    """

    path: Float[Array, "point 2"]
    lane: Int[Array, "point"]
    track: Int[Array, "point 2"]
    tracks: tuple[Track, ...]
    goal_s: float


def reference_path(
    lane_map: LaneMap, lane_ids: tuple[int, ...], start: Array | None, goal: Array, shape: Shape
) -> Reference:
    """The path along `lane_ids` from up to `before_m` before the start to at least `past_goal_m` past the goal."""
    tracks = tracks_of(lane_map, lane_ids, shape.before_m, shape.past_goal_m)
    begin = tracks[0].begin(tracks[0].first) if start is None else tracks[0].s_on(tracks[0].first, start)
    points, lane, track, goal_s = _blended(lane_map, tracks, begin, goal, shape)
    path, index = _resampled(points, shape.spacing_m)
    return Reference(smoothed(path, shape), lane[index], track[index], tracks, goal_s)


def _blended(
    lane_map: LaneMap, tracks: tuple[Track, ...], begin: float, goal: Array, shape: Shape
) -> tuple[Array, Array, Array, float]:
    """(points, lane, tracks from and to, goal's arc length) along the tracks, lane changes blended."""
    points, lanes, owner = [], [], []
    s = max(begin - shape.before_m, 0.0)
    for index in range(len(tracks) - 1):
        here, there = tracks[index], tracks[index + 1]
        change = _change_span(lane_map, tracks, index, max(s, begin), goal, shape)
        straight = np.arange(s, change[0], shape.spacing_m)
        points.append(here.frame.point(straight))
        lanes.append(here.lane_at(straight))
        owner.append(np.tile([index, index], (len(straight), 1)))
        along = np.arange(change[0], change[1], shape.spacing_m)
        u = (along - change[0]) / (change[1] - change[0])
        weight = u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
        side, _ = there.frame.project(here.frame.point(along))
        near, far = here.frame.point(along), there.frame.point(side)
        points.append(near + weight[:, None] * (far - near))
        lanes.append(np.where(weight < 0.5, here.lane_at(along), there.lane_at(side)))
        owner.append(np.tile([index, index + 1], (len(along), 1)))
        s = float(there.frame.project(here.frame.point(change[1]))[0])
        begin = s
    last = tracks[-1]
    goal_s = last.s_on(last.last, goal)
    along = np.append(np.arange(s, last.frame.length, shape.spacing_m), last.frame.length)
    along = along[along <= max(goal_s, s) + shape.past_goal_m + shape.spacing_m]
    points.append(last.frame.point(along))
    lanes.append(last.lane_at(along))
    owner.append(np.full((len(along), 2), len(tracks) - 1))
    before_m = length_of(np.vstack(points)) - (along[-1] - s)
    return np.vstack(points), np.concatenate(lanes), np.vstack(owner), before_m + max(goal_s - s, 0.0)


def _change_span(
    lane_map: LaneMap, tracks: tuple[Track, ...], index: int, begin: float, goal: Array, shape: Shape
) -> tuple[float, float]:
    """(first, last) arc length on the track of a lane change: once both lanes are there, while there is room."""
    here, there = tracks[index], tracks[index + 1]
    first = max(begin, here.begin(here.last), float(here.frame.project(there.frame.points[0])[0]))
    last = min(here.frame.length, float(here.frame.project(there.frame.points[-1])[0]))
    rest = len(tracks) - 1 - index
    if rest == 1:
        goal_s = float(here.frame.project(goal)[0])
        if goal_s > first + 1.0:
            last = min(last, goal_s)
    room = max((last - first) / rest, 2.0)
    limit = lane_map.lanes[here.lanes[here.last]].speed_limit
    return first, first + min(room, max(shape.change_min_m, shape.change_s * limit))


def _resampled(
    points: Float[Array, "point 2"], spacing_m: float
) -> tuple[Float[Array, "sample 2"], Int[Array, "sample"]]:
    """(points at equal steps, index of the original point nearest before each)."""
    s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    path = resample(points, spacing_m)
    samples = np.linspace(0.0, s[-1], len(path))
    return path, np.clip(np.searchsorted(s, samples + 1e-9) - 1, 0, len(points) - 1)


def smoothed(path: Float[Array, "point 2"], shape: Shape) -> Float[Array, "point 2"]:
    """The path with its kinks rounded: least squares of deviation and third differences, ends held.

    Where it strays farther than allowed its weight grows. Where it bends too much its weight falls, as long as it stays
    within the wider limit for tight places: there the lane, not the smoothing, sets the curvature.
    """
    if len(path) < 8 or shape.stiffness_m == 0.0:
        return path
    stiffness = (shape.stiffness_m / shape.spacing_m) ** 6
    weight = np.ones(len(path))
    weight[[0, 1, -2, -1]] = 1e3 * stiffness
    tight, settled = np.zeros(len(path), dtype=bool), np.zeros(len(path), dtype=bool)
    result = path
    for _ in range(40):
        result = _least_squares(path, weight, stiffness)
        bent = np.abs(curvatures(result, 1.0)) > shape.curvature_max_1pm
        tight |= _near(bent)
        strayed = np.hypot(*(result - path).T) > np.where(tight, shape.deviation_tight_m, shape.deviation_m)
        settled |= _near(strayed & tight)
        ease = _near(bent) & ~settled
        if not ease.any() and not strayed.any():
            break
        weight[2:-2] *= np.where(strayed, 2.0, np.where(ease, 0.6, 1.0))[2:-2]
    return result


def _near(mask: Array, points: int = 12) -> Array:
    """The mask widened by a number of points to either side."""
    return np.convolve(mask, np.ones(2 * points + 1), "same") > 0.0


def _least_squares(
    path: Float[Array, "point 2"], weight: Float[Array, "point"], stiffness: float
) -> Float[Array, "point 2"]:
    """argmin of sum w |p - path|^2 + stiffness |third difference of p|^2: a banded system of seven diagonals."""
    n, row = len(path), np.array([-1.0, 3.0, -3.0, 1.0])
    bands = np.zeros((4, n))
    for offset in range(4):
        for i in range(4 - offset):
            j = i + offset
            bands[3 - offset, j : n - 3 + j] += stiffness * row[i] * row[j]
    bands[3] += weight
    return solveh_banded(bands, weight[:, None] * path)
