"""Where a path reaches into the lanes that have priority over it at a line."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely

from behaviors_ros.datatypes import LaneMap, Route, StopPoint
from behaviors_ros.maps.lanes import lane_polygon
from behaviors_ros.maps.route import route_frame

STEP_M = 0.25  # spacing of the places that are looked at


@lru_cache(maxsize=64)
def conflict_s(route: Route, lane_map: LaneMap, stop: StopPoint, half_width_m: float) -> float | None:
    """Arc length on the route path from which a strip `half_width_m` to both sides of it reaches into a lane with
    priority, m, to a quarter of a metre; None: nowhere up to the end of the conflict area.

    Cached by the identity of route, map and stop point.
    """
    s = np.arange(stop.s, stop.clear_s + STEP_M, STEP_M)
    points, heading = route_frame(route).point(s), route_frame(route).heading(s)
    across = half_width_m * np.column_stack((-np.sin(heading), np.cos(heading)))
    lanes = [lane_map.lanes[i] for i in stop.yields_to if i in lane_map.lanes]
    area = shapely.union_all([shapely.make_valid(shapely.Polygon(lane_polygon(lane))) for lane in lanes])
    shapely.prepare(area)
    inside = shapely.intersects(shapely.linestrings(np.stack((points - across, points + across), axis=1)), area)
    return float(s[np.argmax(inside)]) if inside.any() else None
