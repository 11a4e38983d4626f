"""The lane graph as flat arrays that the kernels of this room walk: one `Roads` a map, cached by the map's identity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import Array, Lane, LaneMap, SignalColor, Signals
from behaviors_ros.prediction.road_kernels import capped_speed

SPACING_M = 2.0  # of the resampled centre lines; the cell search below relies on it
CELL_M = 8.0  # the search looks at 3 x 3 cells, hence reaches at least this far


@dataclass(frozen=True, eq=False)
class Roads:
    """Lanes in ascending order of their ids; a lane is its row here, -1 is none.

    point, s (m along its lane), heading (rad, unwrapped along the lane), cap (m/s, speed that curvature allows here and
    braking allows for what follows); lane j has the points first[j] to first[j + 1]. successor: of lane j from
    fork[j] to fork[j + 1]; predecessor: of lane j from join[j] to join[j + 1]. stop_s: where a front bumper halts, m
    along the lane, NaN where no line is.
    origin, cells: grid of cells, each with the points cell[cells[i]] to cell[cells[i + 1]].
    """

    id: tuple[int, ...]
    kind: Int[Array, "lane"]
    turn: Int[Array, "lane"]
    point: Float[Array, "point 2"]
    s: Float[Array, "point"]
    heading: Float[Array, "point"]
    cap: Float[Array, "point"]
    first: Int[Array, "lane_1"]
    half_width: Float[Array, "lane"]
    limit: Float[Array, "lane"]
    left: Int[Array, "lane"]
    right: Int[Array, "lane"]
    fork: Int[Array, "lane_1"]
    successor: Int[Array, "successor"]
    join: Int[Array, "lane_1"]
    predecessor: Int[Array, "successor"]
    stop_s: Float[Array, "lane"]
    stop_sign: Int[Array, "lane"]
    origin: Float[Array, "2"]
    shape: Int[Array, "2"]
    cells: Int[Array, "cell_1"]
    cell: Int[Array, "entry"]


_cache: WeakKeyDictionary[LaneMap, dict[tuple[float, float], Roads | None]] = WeakKeyDictionary()


def roads_of(lane_map: LaneMap | None, lateral_acceleration_mps2: float, braking_mps2: float) -> Roads | None:
    """The roads of a map, None without a map or without a lane that has two distinct points.

    The two accelerations, m/s^2, say how fast curves are taken and how early braking for them begins.
    """
    if lane_map is None:
        return None
    known = _cache.setdefault(lane_map, {})
    key = (lateral_acceleration_mps2, braking_mps2)
    if key not in known:
        known[key] = _build(lane_map, *key)
    return known[key]


def signal_state(roads: Roads, lane_map: LaneMap, signals: Signals | None) -> Int[Array, "lane"]:
    """1 for lanes with a signal group that shows red or amber now, -1 for those whose groups all show green, else 0."""
    state = np.zeros(len(roads.id), np.int64)
    if signals is None:
        return state
    shown = dict(zip(signals.id, signals.color.tolist(), strict=True))
    for row, name in enumerate(roads.id):
        colors = {shown.get(group, SignalColor.UNKNOWN) for group in lane_map.lanes[name].signals}
        if colors & {SignalColor.RED, SignalColor.AMBER}:
            state[row] = 1
        elif colors == {SignalColor.GREEN}:
            state[row] = -1
    return state


def _build(lane_map: LaneMap, lateral_acceleration: float, braking: float) -> Roads | None:
    lines = {name: _resampled(lane_map.lanes[name].centre) for name in sorted(lane_map.lanes)}
    lines = {name: line for name, line in lines.items() if len(line) > 1}
    if not lines:
        return None
    names, lanes = tuple(lines), [lane_map.lanes[name] for name in lines]
    row = {name: index for index, name in enumerate(names)}
    first = np.concatenate([[0], np.cumsum([len(line) for line in lines.values()])])
    point = np.concatenate(list(lines.values()))
    s = np.concatenate([_arc_length(line) for line in lines.values()])
    heading = np.concatenate([_headings(line) for line in lines.values()])
    successors = [[row[name] for name in lane.successors if name in row] for lane in lanes]
    fork = np.concatenate([[0], np.cumsum([len(each) for each in successors])]).astype(np.int64)
    successor = np.array([name for each in successors for name in each], np.int64)
    origin, shape, cells, cell = _cells(point, first)
    before = np.argsort(successor, kind="stable")
    return Roads(
        id=names,
        kind=np.array([int(lane.kind) for lane in lanes]),
        turn=np.array([int(lane.turn) for lane in lanes]),
        point=point,
        s=s,
        heading=heading,
        cap=capped_speed(s, heading, first, fork, successor, lateral_acceleration, braking),
        first=first,
        half_width=np.array([_half_width(lane) for lane in lanes]),
        limit=np.array([lane.speed_limit for lane in lanes], float),
        left=np.array([_row(row, lane.left) for lane in lanes]),
        right=np.array([_row(row, lane.right) for lane in lanes]),
        fork=fork,
        successor=successor,
        join=np.searchsorted(successor[before], np.arange(len(names) + 1)),
        predecessor=np.repeat(np.arange(len(names)), np.diff(fork))[before],
        stop_s=np.array([_stop_s(lane, line) for lane, line in zip(lanes, lines.values(), strict=True)]),
        stop_sign=np.array([int(lane.stop) for lane in lanes]),
        origin=origin,
        shape=shape,
        cells=cells,
        cell=cell,
    )


def _row(row: dict[int, int], name: int | None) -> int:
    return -1 if name is None else row.get(name, -1)


def _arc_length(line: Array) -> Array:
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def _resampled(line: Array) -> Array:
    """The line at equal distances of at most SPACING_M; fewer than two points when it has no length."""
    line = line[np.isfinite(line).all(axis=1)]
    if len(line) < 2:
        return line[:0]
    s = _arc_length(line)
    if s[-1] < 1e-6:
        return line[:0]
    at = np.linspace(0.0, s[-1], max(int(math.ceil(s[-1] / SPACING_M)), 1) + 1)
    return np.stack([np.interp(at, s, line[:, 0]), np.interp(at, s, line[:, 1])], axis=1)


def _headings(line: Array) -> Array:
    """Unwrapped heading at each point: of the chord between its neighbours."""
    chord = np.empty_like(line)
    chord[1:-1] = line[2:] - line[:-2]
    chord[0], chord[-1] = line[1] - line[0], line[-1] - line[-2]
    return np.unwrap(np.arctan2(chord[:, 1], chord[:, 0]))


def _half_width(lane: Lane) -> float:
    """Half the mean distance of the bounds at equal shares of their lengths, m."""
    ends = [_at_shares(bound) for bound in (lane.left_bound, lane.right_bound)]
    return float(0.5 * np.hypot(*(ends[0] - ends[1]).T).mean())


def _at_shares(line: Array) -> Array:
    s, share = _arc_length(line), np.linspace(0.0, 1.0, 11)
    return np.stack([np.interp(share * s[-1], s, line[:, axis]) for axis in (0, 1)], axis=1)


def _stop_s(lane: Lane, line: Array) -> float:
    """Arc length of the stop line's middle; the lane's end where signals or a stop sign have no line; else NaN."""
    s = _arc_length(line)
    if lane.stop_line is not None and np.isfinite(lane.stop_line).all():
        return float(s[np.argmin(np.hypot(*(line - lane.stop_line.mean(axis=0)).T))])
    return float(s[-1]) if lane.signals or lane.stop else math.nan


def _cells(point: Array, first: Array) -> tuple[Array, Array, Array, Array]:
    """Dense grid over the points that begin a piece of a lane."""
    begins = np.setdiff1d(np.arange(len(point)), first[1:] - 1)
    origin = point.min(axis=0)
    shape = (np.floor((point.max(axis=0) - origin) / CELL_M) + 1).astype(np.int64)
    place = np.floor((point[begins] - origin) / CELL_M).astype(np.int64)
    number = place[:, 0] * shape[1] + place[:, 1]
    cells = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=int(shape.prod())))])
    return origin, shape, cells, begins[np.argsort(number, kind="stable")]
