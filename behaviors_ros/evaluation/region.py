"""The drivable area as a region: how far points lie outside of it."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import shapely
from jaxtyping import Float

from behaviors_ros.datatypes import Array, LaneKind, LaneMap
from behaviors_ros.maps.lanes import lane_polygon

DRIVABLE = (LaneKind.ROAD, LaneKind.BUS, LaneKind.BICYCLE, LaneKind.SHOULDER, LaneKind.PARKING)
_regions: WeakKeyDictionary[LaneMap, shapely.Geometry] = WeakKeyDictionary()


def outside_m(lane_map: LaneMap | None, points: Float[Array, "*lead 2"]) -> Float[Array, "*lead"]:
    """Distance of points to the union of drivable lanes and areas, m; 0 inside, and everywhere without a map."""
    if lane_map is None:
        return np.zeros(points.shape[:-1])
    if lane_map not in _regions:
        rings = [lane_polygon(lane) for lane in lane_map.lanes.values() if lane.kind in DRIVABLE]
        polygons = [shapely.make_valid(shapely.Polygon(ring)) for ring in (*rings, *lane_map.areas)]
        region = shapely.union_all(polygons)
        shapely.prepare(region)
        _regions[lane_map] = region
    return np.asarray(shapely.distance(_regions[lane_map], shapely.points(points)))
