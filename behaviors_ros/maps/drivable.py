"""How wide the road is along a path: distances to the edges of regions, by casting rays."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import no_type_check

import numpy as np
import shapely
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array, LaneKind, LaneMap
from behaviors_ros.maps.lanes import lane_polygon
from behaviors_ros.parameters import Parameters, value

DRIVABLE = (LaneKind.ROAD, LaneKind.BUS, LaneKind.BICYCLE, LaneKind.SHOULDER, LaneKind.PARKING)


class Widths(Parameters):
    """How widths are measured."""

    reach_m: float = value(30.0, "widths are at most this", low=1.0, high=200.0)
    gap_m: float = value(0.3, "gaps between lanes up to this width are closed", low=0.0, high=2.0)


@lru_cache(maxsize=8)
def _polygons(lane_map: LaneMap) -> dict[int, shapely.Geometry]:
    return {
        lane.id: shapely.make_valid(shapely.Polygon(lane_polygon(lane)))
        for lane in lane_map.lanes.values()
        if lane.kind in DRIVABLE
    }


def region(lane_map: LaneMap, lane_ids: Iterable[int], widths: Widths) -> shapely.Geometry:
    """Union of lanes, slivers between them closed."""
    polygons = _polygons(lane_map)
    return _closed([polygons[i] for i in dict.fromkeys(lane_ids) if i in polygons], widths.gap_m)


def drivable_region(lane_map: LaneMap, path: Float[Array, "point 2"], widths: Widths) -> shapely.Geometry:
    """Everything a vehicle may roll on near a path: lanes for wheels, shoulders, parking, and the map's areas.

    Bicycle lanes count: they are at the level of the road, and passing a stopped vehicle may need them.
    """
    near = shapely.LineString(path).buffer(widths.reach_m)
    shapely.prepare(near)
    areas = [shapely.make_valid(shapely.Polygon(ring)) for ring in lane_map.areas]
    pieces = [piece for piece in (*_polygons(lane_map).values(), *areas) if near.intersects(piece)]
    return _closed(pieces, widths.gap_m)


def _closed(pieces: list[shapely.Geometry], gap_m: float) -> shapely.Geometry:
    merged = shapely.union_all(shapely.buffer(pieces, 0.5 * gap_m, join_style="mitre", mitre_limit=2.0))
    return merged.buffer(-0.5 * gap_m, join_style="mitre", mitre_limit=2.0)


def side_widths(
    path: Float[Array, "point 2"], yaw: Float[Array, "point"], area: shapely.Geometry, reach_m: float
) -> tuple[Float[Array, "point"], Float[Array, "point"]]:
    """(left, right) distance from each point to the edge of `area` square to the path, m; 0 where it lies outside."""
    if area.is_empty:
        return np.zeros(len(path)), np.zeros(len(path))
    edges = _edges(area)
    normal = np.column_stack([-np.sin(yaw), np.cos(yaw)])
    inside = shapely.contains_xy(area, path[:, 0], path[:, 1])
    left, right = _cast(path, normal, edges, reach_m), _cast(path, -normal, edges, reach_m)
    return np.where(inside, left, 0.0), np.where(inside, right, 0.0)


def _edges(area: shapely.Geometry) -> Float[Array, "edge 4"]:
    """Segments (x, y, x, y) of all rings."""
    points, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(area)), return_index=True)
    same = ring[1:] == ring[:-1]
    return np.ascontiguousarray(np.hstack([points[:-1], points[1:]])[same])


@no_type_check
@njit(cache=True)
def _cast(origin: Array, direction: Array, edges: Array, reach: float) -> Array:
    """Distance from each origin along its unit direction to the first edge, at most `reach`."""
    result = np.full(len(origin), reach)
    for i in range(len(origin)):
        x, y, ux, uy = origin[i, 0], origin[i, 1], direction[i, 0], direction[i, 1]
        for e in range(len(edges)):
            ax, ay, bx, by = edges[e, 0] - x, edges[e, 1] - y, edges[e, 2] - x, edges[e, 3] - y
            across_a, across_b = ux * ay - uy * ax, ux * by - uy * bx
            if across_a * across_b > 0.0 or across_a == across_b:
                continue
            share = across_a / (across_a - across_b)
            distance = ux * (ax + share * (bx - ax)) + uy * (ay + share * (by - ay))
            if 0.0 <= distance < result[i]:
                result[i] = distance
    return result
