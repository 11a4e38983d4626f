"""Where on the lanes a road user is, and where the lanes lead: queries of a `LaneMap`, cached by its identity."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import no_type_check
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array, Lane, LaneKind, LaneMap
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polylines import arc_length

Match = tuple[int, float, float, float]
WHEELED = (LaneKind.ROAD, LaneKind.BUS, LaneKind.BICYCLE, LaneKind.SHOULDER, LaneKind.PARKING)
MAX_PATHS = 32


@dataclass
class _Index:
    """Centre lines of all lanes as rows x, y, s; the kind and bounding box of each; the paths already built."""

    ids: list[int]
    points: Float[Array, "point 3"]
    first: Array
    box: Float[Array, "lane 4"]
    kind: Array
    paths: dict[tuple[int, int], list[tuple[tuple[int, ...], Array, Array]]] = field(default_factory=dict)


_indices: WeakKeyDictionary[LaneMap, _Index] = WeakKeyDictionary()
_frames: WeakKeyDictionary[Lane, FrenetFrame] = WeakKeyDictionary()


def lane_frame(lane: Lane) -> FrenetFrame:
    """Frenet frame of a lane's centre line, cached by the lane's identity."""
    if lane not in _frames:
        _frames[lane] = FrenetFrame(lane.centre)
    return _frames[lane]


def lanes_at(
    lane_map: LaneMap,
    position: Float[Array, "2"],
    yaw: float,
    radius: float,
    kinds: Collection[LaneKind] = WHEELED,
) -> list[Match]:
    """Lanes of `kinds` whose centre line passes within `radius` (m) of a position, the nearest first.

    Each as (lane id, s, d, heading difference): s of the nearest point of the centre line, within its length, m; d the
    distance to it, left positive, m; yaw minus the lane's heading there in (-pi, pi], rad.
    """
    return lanes_at_many(lane_map, np.asarray(position)[None], np.array([yaw]), radius, kinds)[0]


def lanes_at_many(
    lane_map: LaneMap,
    positions: Float[Array, "agent 2"],
    yaws: Float[Array, "agent"],
    radius: float,
    kinds: Collection[LaneKind] = WHEELED,
) -> list[list[Match]]:
    """`lanes_at` for several positions at once; NaN positions have no lanes."""
    index = _index(lane_map)
    wanted = np.isin(index.kind, [int(kind) for kind in kinds])
    rows = _near(
        np.ascontiguousarray(positions, dtype=np.float64), np.ascontiguousarray(yaws, dtype=np.float64), float(radius),
        index.points, index.first, index.box, wanted,
    )  # fmt: skip
    found: list[list[Match]] = [[] for _ in range(len(positions))]
    for agent, lane, s, d, turned in rows[np.lexsort((np.abs(rows[:, 4]), np.abs(rows[:, 3])))].tolist():
        found[int(agent)].append((index.ids[int(lane)], s, d, turned))
    return found


def paths_from(
    lane_map: LaneMap, lane_id: int, s: float, length_m: float
) -> list[tuple[tuple[int, ...], Float[Array, "point 2"]]]:
    """Ways to follow the lanes from `s` on a lane for `length_m`: (lane ids, centre line from s on, m).

    One for each choice of successors (at most 32, then the first ones); shorter where the lanes end. Lane ids are those
    the line touches.
    """
    lane = lane_map.lanes[lane_id]
    s = float(np.clip(s, 0.0, max(lane_frame(lane).length - 0.1, 0.0)))
    bucket = int(np.ceil(length_m / 50.0))
    cache = _index(lane_map).paths
    if (lane_id, bucket) not in cache:
        needed = lane_frame(lane).length + 50.0 * bucket
        cache[lane_id, bucket] = [_joined(lane_map, ids) for ids in _sequences(lane_map, lane_id, needed)]
    cut: dict[tuple[int, ...], Array] = {}
    for ids, ends, line in cache[lane_id, bucket]:
        touched = int(np.searchsorted(ends[:-1], s + length_m)) + 1
        if ids[:touched] not in cut:
            cut[ids[:touched]] = between(line, s, s + length_m)
    return list(cut.items())


def between(line: Float[Array, "point 3"], start: float, end: float) -> Float[Array, "cut 2"]:
    """The part of a polyline with columns x, y, s from arc length `start` to `end` (or its end), m."""
    s = line[:, 2]
    end = min(end, s[-1])
    inside = line[(s > start + 1e-6) & (s < end - 1e-6), :2]
    ends = np.array([[np.interp(at, s, line[:, axis]) for axis in (0, 1)] for at in (start, end)])
    return np.vstack([ends[:1], inside, ends[1:]])


def _sequences(lane_map: LaneMap, lane_id: int, needed_m: float) -> list[tuple[int, ...]]:
    """Chains of lanes from a lane on, each at least `needed_m` long or ending where the lanes end."""
    done: list[tuple[int, ...]] = []
    open_: list[tuple[tuple[int, ...], float]] = [((lane_id,), lane_frame(lane_map.lanes[lane_id]).length)]
    while open_ and len(done) < MAX_PATHS:
        ids, length = open_.pop()
        after = [i for i in lane_map.lanes[ids[-1]].successors if i in lane_map.lanes]
        if length >= needed_m or not after:
            done.append(ids)
        else:
            open_ += [((*ids, i), length + lane_frame(lane_map.lanes[i]).length) for i in reversed(after)]
    return done


def _joined(lane_map: LaneMap, ids: tuple[int, ...]) -> tuple[tuple[int, ...], Array, Array]:
    """(ids, arc length at which each lane ends, points with columns x, y, s) of joined centre lines."""
    lines = [lane_map.lanes[i].centre for i in ids]
    points = np.vstack(lines)
    s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    ends = s[np.cumsum([len(line) for line in lines]) - 1]
    keep = np.concatenate([[True], np.diff(s) > 1e-3])
    return ids, ends, np.column_stack([points, s])[keep]


def _index(lane_map: LaneMap) -> _Index:
    if lane_map not in _indices:
        lanes = list(lane_map.lanes.values())
        first = np.concatenate([[0], np.cumsum([len(lane.centre) for lane in lanes])]).astype(np.int64)
        rows = [np.column_stack([lane.centre, arc_length(lane.centre)]) for lane in lanes]
        points = np.vstack(rows) if rows else np.zeros((0, 3))
        box = np.array([[*lane.centre.min(axis=0), *lane.centre.max(axis=0)] for lane in lanes]).reshape(-1, 4)
        kind = np.array([int(lane.kind) for lane in lanes], dtype=np.int64)
        _indices[lane_map] = _Index([lane.id for lane in lanes], points, first, box, kind)
    return _indices[lane_map]


@no_type_check
@njit(cache=True)
def _near(
    positions: Array, yaws: Array, radius: float, points: Array, first: Array, box: Array, wanted: Array
) -> Array:
    """Rows (agent, lane, s, d, heading difference) of every lane whose centre line is within the radius."""
    rows = np.empty((64, 5))
    count = 0
    for agent in range(len(positions)):
        x, y = positions[agent, 0], positions[agent, 1]
        for lane in range(len(box)):
            outside = x < box[lane, 0] - radius or x > box[lane, 2] + radius
            outside = outside or y < box[lane, 1] - radius or y > box[lane, 3] + radius
            if outside or not wanted[lane] or not (x == x and y == y):
                continue
            s, d, heading = _foot(x, y, points[first[lane] : first[lane + 1]])
            if abs(d) <= radius:
                if count == len(rows):
                    grown = np.empty((2 * count, 5))
                    grown[:count] = rows
                    rows = grown
                turned = yaws[agent] - heading
                turned -= 2.0 * np.pi * np.ceil((turned - np.pi) / (2.0 * np.pi))
                turned = min(turned, np.pi)  # rounding of the line above
                rows[count, 0], rows[count, 1] = agent, lane
                rows[count, 2], rows[count, 3], rows[count, 4] = s, d, turned
                count += 1
    return rows[:count]


@no_type_check
@njit(cache=True)
def _foot(x: float, y: float, line: Array) -> tuple[float, float, float]:
    """(s, signed distance, heading) of the nearest point of a polyline with rows x, y, s."""
    best, best_segment, best_share = np.inf, 0, 0.0
    for i in range(len(line) - 1):
        ux, uy = line[i + 1, 0] - line[i, 0], line[i + 1, 1] - line[i, 1]
        rx, ry = x - line[i, 0], y - line[i, 1]
        squared = ux * ux + uy * uy
        if squared > 0.0:
            share = min(max((rx * ux + ry * uy) / squared, 0.0), 1.0)
            distance = (rx - share * ux) ** 2 + (ry - share * uy) ** 2
            if distance < best:
                best, best_segment, best_share = distance, i, share
    i = best_segment
    ux, uy = line[i + 1, 0] - line[i, 0], line[i + 1, 1] - line[i, 1]
    side = 1.0 if ux * (y - line[i, 1]) - uy * (x - line[i, 0]) >= 0.0 else -1.0
    s = line[i, 2] + best_share * (line[i + 1, 2] - line[i, 2])
    return s, side * np.sqrt(best), np.arctan2(uy, ux)
