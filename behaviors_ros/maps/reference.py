"""The reference path of a route: centre lines joined, lane changes blended, kinks smoothed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import solveh_banded

from behaviors_ros.datatypes import Array, LaneMap
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polylines import curvatures, resample, without_duplicates
from behaviors_ros.maps.lane_graph import lane_frame
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
class Track:
    """Lanes that follow each other; `frame` of their joined centre lines, `ends`: arc length at which each ends, m."""

    lanes: tuple[int, ...]
    frame: FrenetFrame
    ends: Float[Array, "lane"]

    def lane_at(self, s: Float[Array, "point"]) -> Int[Array, "point"]:
        """Lane id at arc lengths."""
        return np.asarray(self.lanes)[np.minimum(np.searchsorted(self.ends, s), len(self.lanes) - 1)]

    def begin_of(self, lane_id: int) -> float:
        """Arc length at which a lane of the track begins, m."""
        index = self.lanes.index(lane_id)
        return float(self.ends[index - 1]) if index else 0.0


@dataclass(frozen=True, eq=False)
class Reference:
    """Points of the path, m; the lane each is on; the tracks (from, to) it changes between, equal if it does not."""

    path: Float[Array, "point 2"]
    lane: Int[Array, "point"]
    track: Int[Array, "point 2"]
    tracks: tuple[Track, ...]


def reference_path(
    lane_map: LaneMap, lane_ids: tuple[int, ...], start: Array | None, goal: Array, shape: Shape
) -> Reference:
    """The path along `lane_ids` from up to `before_m` before the start to at least `past_goal_m` past the goal."""
    chains = _chains(lane_map, lane_ids)
    tracks = tuple(_track(lane_map, ids) for ids in _extended(lane_map, chains, shape))
    begin = tracks[0].begin_of(chains[0][0])
    if start is not None:
        first = tracks[0].frame
        begin = float(first.project_near(start, begin + 0.5 * lane_frame(lane_map.lanes[chains[0][0]]).length,
                                         lane_frame(lane_map.lanes[chains[0][0]]).length)[0])  # fmt: skip
    points, lane, track = _blended(lane_map, chains, tracks, begin, goal, shape)
    path, index = _resampled(points, shape.spacing_m)
    return Reference(smoothed(path, shape), lane[index], track[index], tracks)


def _chains(lane_map: LaneMap, lane_ids: tuple[int, ...]) -> list[list[int]]:
    """The route cut at its lane changes."""
    chains = [[lane_ids[0]]]
    for lane_id in lane_ids[1:]:
        if lane_id in lane_map.lanes[chains[-1][-1]].successors:
            chains[-1].append(lane_id)
        else:
            chains.append([lane_id])
    return chains


def _extended(lane_map: LaneMap, chains: list[list[int]], shape: Shape) -> list[tuple[int, ...]]:
    """Chains with lanes before and after them: beside the next chain so that a change has room, else as needed."""
    result = []
    for index, chain in enumerate(chains):
        head = _alongside(lane_map, chain[0], chains[index - 1][::-1], "predecessors") if index else []
        tail = _alongside(lane_map, chain[-1], chains[index + 1], "successors") if index + 1 < len(chains) else []
        ids = [*head[::-1], *chain, *tail]
        if index == 0:
            ids = [*_onward(lane_map, ids[0], "predecessors", shape.before_m)[::-1], *ids]
        if index == len(chains) - 1:
            ids += _onward(lane_map, ids[-1], "successors", shape.past_goal_m)
        result.append(tuple(ids))
    return result


def _alongside(lane_map: LaneMap, lane_id: int, beside: list[int], link: str) -> list[int]:
    """Lanes on from `lane_id` along `link` as long as each is a neighbour of a lane of `beside`."""
    found: list[int] = []
    neighbours = {i for b in beside for i in (lane_map.lanes[b].left, lane_map.lanes[b].right)}
    while True:
        after = [i for i in getattr(lane_map.lanes[lane_id], link) if i in neighbours and i not in found]
        if not after:
            return found
        lane_id = after[0]
        found.append(lane_id)


def _onward(lane_map: LaneMap, lane_id: int, link: str, length_m: float) -> list[int]:
    """Lanes on from a lane for at least `length_m` or as far as they go, turning least at each branch."""
    found: list[int] = []
    while length_m > 0.0:
        lane = lane_map.lanes[lane_id]
        after = [i for i in getattr(lane, link) if i in lane_map.lanes and i not in found]
        if not after:
            return found
        lane_id = min(after, key=lambda i: _turning(lane_map, i))
        found.append(lane_id)
        length_m -= lane_frame(lane_map.lanes[lane_id]).length
    return found


def _turning(lane_map: LaneMap, lane_id: int) -> float:
    frame = lane_frame(lane_map.lanes[lane_id])
    first, last = frame.cartesian(np.array([0.0, frame.length]), 1.0) - frame.point(np.array([0.0, frame.length]))
    return float(np.arccos(np.clip(first @ last, -1.0, 1.0)))


def _track(lane_map: LaneMap, ids: tuple[int, ...]) -> Track:
    lines = [lane_map.lanes[i].centre for i in ids]
    frame = FrenetFrame(without_duplicates(np.vstack(lines), 0.01))
    ends, s = [], 0.0
    for line in lines:
        length = float(np.hypot(*np.diff(line, axis=0).T).sum())
        s = float(frame.project_near(line[-1], s + length, max(5.0, 0.3 * length))[0])
        ends.append(s)
    return Track(ids, frame, np.maximum.accumulate(ends))


def _blended(
    lane_map: LaneMap, chains: list[list[int]], tracks: tuple[Track, ...], begin: float, goal: Array, shape: Shape
) -> tuple[Array, Array, Array]:
    """(points, lane, tracks from and to) along the tracks, each lane change blended from one to the next."""
    points, lanes, owner = [], [], []
    s = max(begin - shape.before_m, 0.0)
    for index in range(len(tracks) - 1):
        here, there = tracks[index], tracks[index + 1]
        rest = len(tracks) - 1 - index
        change = _change_span(lane_map, chains, tracks, index, max(s, begin), goal, rest, shape)
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
    goal_s = float(last.frame.project(goal)[0])
    along = np.append(np.arange(s, last.frame.length, shape.spacing_m), last.frame.length)
    along = along[along <= max(goal_s, s) + shape.past_goal_m + shape.spacing_m]
    points.append(last.frame.point(along))
    lanes.append(last.lane_at(along))
    owner.append(np.full((len(along), 2), len(tracks) - 1))
    return np.vstack(points), np.concatenate(lanes), np.vstack(owner)


def _change_span(
    lane_map: LaneMap,
    chains: list[list[int]],
    tracks: tuple[Track, ...],
    index: int,
    begin: float,
    goal: Array,
    rest: int,
    shape: Shape,
) -> tuple[float, float]:
    """(first, last) arc length on the track of a lane change: once both lanes are there, while there is room."""
    here, there = tracks[index], tracks[index + 1]
    first = max(begin, here.begin_of(chains[index][-1]), float(here.frame.project(there.frame.points[0])[0]))
    last = min(here.frame.length, float(here.frame.project(there.frame.points[-1])[0]))
    if rest == 1:
        goal_s = float(here.frame.project(goal)[0])
        if goal_s > first + 1.0:
            last = min(last, goal_s)
    room = max((last - first) / rest, 2.0)
    limit = lane_map.lanes[chains[index][-1]].speed_limit
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
