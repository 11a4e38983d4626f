"""Where pedestrians may go: crosswalks as boxes with an axis, and the edge of the carriageway ahead."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array, LaneKind, LaneMap, among
from behaviors_ros.prediction.road_kernels import lanes_near
from behaviors_ros.prediction.roads import CELL_M, Roads

CARRIAGEWAY = (LaneKind.ROAD, LaneKind.BUS, LaneKind.BICYCLE)


@dataclass(frozen=True, eq=False)
class Crossings:
    """Crosswalks: centre (crossing, 2) m; axis (crossing, 2), unit vector across the road; low, high (crossing, 2) m,
    the extent along the axis and to its left, from the centre.
    """

    centre: Float[Array, "crossing 2"]
    axis: Float[Array, "crossing 2"]
    low: Float[Array, "crossing 2"]
    high: Float[Array, "crossing 2"]


_cache: WeakKeyDictionary[LaneMap, Crossings] = WeakKeyDictionary()


def crossings_of(lane_map: LaneMap) -> Crossings:
    """The crosswalks of a map, cached by its identity."""
    if lane_map not in _cache:
        _cache[lane_map] = _build(lane_map)
    return _cache[lane_map]


def _build(lane_map: LaneMap) -> Crossings:
    rows = [_one(lane_map, walk.polygon, walk.lanes) for walk in lane_map.crosswalks if len(walk.polygon) > 2]
    columns = zip(*rows, strict=True) if rows else ([], [], [], [])
    return Crossings(*(np.array(column, float).reshape(-1, 2) for column in columns))


def _one(lane_map: LaneMap, polygon: Array, lanes: tuple[int, ...]) -> tuple[Array, Array, Array, Array]:
    centre = polygon.mean(axis=0)
    axis = _axis(lane_map, polygon, centre, lanes)
    local = np.stack([(polygon - centre) @ axis, (polygon - centre) @ np.array([-axis[1], axis[0]])], axis=1)
    return centre, axis, local.min(axis=0), local.max(axis=0)


def _axis(lane_map: LaneMap, polygon: Array, centre: Array, lanes: tuple[int, ...]) -> Array:
    """Across the first crossed lane; without one, along the polygon's longest side."""
    for name in lanes:
        line = lane_map.lanes[name].centre if name in lane_map.lanes else np.zeros((0, 2))
        if len(line) > 1:
            i = min(int(np.argmin(np.hypot(*(line - centre).T))), len(line) - 2)
            ahead = line[i + 1] - line[i]
            if np.hypot(*ahead) > 0.0:
                return np.array([-ahead[1], ahead[0]]) / np.hypot(*ahead)
    sides = np.roll(polygon, -1, axis=0) - polygon
    size = np.hypot(*sides.T)
    return sides[size.argmax()] / max(size.max(), 1e-9)


def nearest_crossing(
    crossings: Crossings, position: Float[Array, "agent 2"], direction: Float[Array, "agent 2"]
) -> tuple[Float[Array, "agent"], Float[Array, "agent 4 2"]]:
    """Distance to the nearest crosswalk, m (inf without any), and the way over it: here, its near end, its far end, on.

    Who is on it goes on to the end that `direction` points to; who is beside it goes to the end that is farther away.
    """
    away = position[:, None] - crossings.centre
    left = np.stack([-crossings.axis[:, 1], crossings.axis[:, 0]], axis=1)
    local = np.stack([(away * crossings.axis).sum(-1), (away * left).sum(-1)], axis=-1)
    inside = np.clip(local, crossings.low, crossings.high)
    distance = np.hypot(*np.moveaxis(local - inside, -1, 0))
    rows, best = np.arange(len(position)), distance.argmin(axis=1)
    u, across = local[rows, best, 0], np.clip(local[rows, best, 1], crossings.low[best, 1], crossings.high[best, 1])
    axis, side = crossings.axis[best], left[best]
    low, high = crossings.low[best, 0], crossings.high[best, 0]
    facing = np.where((direction * axis).sum(axis=1) >= 0.0, 1.0, -1.0)
    sense = np.where(u <= low, 1.0, np.where(u >= high, -1.0, facing))
    ends = (np.clip(u, low, high), np.where(sense > 0.0, high, low))
    way = [position] + [crossings.centre[best] + axis * end[:, None] + side * across[:, None] for end in ends]
    way.append(way[-1] + axis * sense[:, None])
    return distance[rows, best], np.stack(way, axis=1)


def carriageway(roads: Roads, position: Float[Array, "agent 2"]) -> tuple[Array, Array, Array]:
    """For each position: the nearest lane of the carriageway: gap to its edge, m (0 on it, inf when none is near),
    offset from its centre, m, left positive, and its heading, rad.
    """
    lane, _, d, heading, beyond = lanes_near(
        position, roads.point, roads.s, roads.heading, roads.first, roads.origin, roads.shape, roads.cells, roads.cell,
        CELL_M, 12,
    )  # fmt: skip
    usable = (lane >= 0) & among(roads.kind, CARRIAGEWAY)[lane]
    gap = np.hypot(np.maximum(np.abs(d) - roads.half_width[lane], 0.0), beyond)
    gap = np.where(usable, gap, np.inf)
    best, rows = np.lexsort((np.abs(d), gap), axis=1)[:, 0], np.arange(len(position))
    return gap[rows, best], d[rows, best], heading[rows, best]


def kerb_ahead(
    roads: Roads, position: Float[Array, "agent 2"], direction: Float[Array, "agent 2"], reach_m: float, step_m: float
) -> Float[Array, "agent"]:
    """Distance along `direction` to the carriageway, m, to `step_m`; 0 on it, inf when it is not within `reach_m`."""
    distance = np.arange(int(reach_m / step_m) + 1) * step_m
    asked = position[:, None] + direction[:, None] * distance[:, None]
    gap, _, _ = carriageway(roads, asked.reshape(-1, 2))
    reached = gap.reshape(len(position), len(distance)) <= 0.0
    return np.where(reached.any(axis=1), distance[reached.argmax(axis=1)], np.inf)
