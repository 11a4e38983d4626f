"""Polygons: closed chains of points, (point, 2) in m; the last point connects to the first."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float
from numba import njit

Array = np.ndarray


def contains(polygon: Float[Array, "point 2"], points: Float[Array, "*lead 2"]) -> Bool[Array, "*lead"]:
    """Whether points lie inside, by the parity of crossed edges. NaN is outside; fewer than 3 points hold nothing."""
    points = np.asarray(points, dtype=np.float64)
    flat = np.ascontiguousarray(points.reshape(-1, 2))
    return _contains(np.ascontiguousarray(polygon, dtype=np.float64), flat).reshape(points.shape[:-1])


@no_type_check
@njit(cache=True)
def _contains(polygon, points):
    """Mask (query,) of the points (query, 2) inside the polygon (point, 2)."""
    inside = np.zeros(len(points), dtype=np.bool_)
    for q in range(len(points)):
        x, y = points[q, 0], points[q, 1]
        previous = len(polygon) - 1
        for i in range(len(polygon)):
            ax, ay, bx, by = polygon[previous, 0], polygon[previous, 1], polygon[i, 0], polygon[i, 1]
            if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
                inside[q] = not inside[q]
            previous = i
    return inside


def outside(polygon: Float[Array, "corner 2"], points: Float[Array, "*points 2"]) -> Float[Array, "*points"]:
    """Distance of points from a polygon, m; 0 inside it and on its edge."""
    flat = np.ascontiguousarray(points, dtype=np.float64).reshape(-1, 2)
    return np.asarray(_outside(np.ascontiguousarray(polygon, dtype=np.float64), flat)).reshape(points.shape[:-1])


@no_type_check
@njit(cache=True)
def _outside(polygon: Array, points: Array) -> Array:  # pragma: no cover (compiled)
    """Even-odd rule for the inside, else the distance to the nearest edge."""
    out = np.empty(len(points))
    for n in range(len(points)):
        x, y = points[n, 0], points[n, 1]
        inside, least = False, np.inf
        ax, ay = polygon[-1, 0], polygon[-1, 1]
        for k in range(len(polygon)):
            bx, by = polygon[k, 0], polygon[k, 1]
            ex, ey = bx - ax, by - ay
            if (ay > y) != (by > y) and x < ax + ex * (y - ay) / ey:
                inside = not inside
            length2 = ex * ex + ey * ey
            u = min(max(((x - ax) * ex + (y - ay) * ey) / length2, 0.0), 1.0) if length2 > 0.0 else 0.0
            dx, dy = ax + u * ex - x, ay + u * ey - y
            least = min(least, dx * dx + dy * dy)
            ax, ay = bx, by
        out[n] = 0.0 if inside else math.sqrt(least)
    return out
