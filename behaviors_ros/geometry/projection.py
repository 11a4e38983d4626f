"""Numba kernels of the Frenet frame; `frenet.py` says what they compute.

A frame is four arrays: points (point, 2) m, directions (point, 2) unit, s (point,) m, boxes (block, 4) m. All kernels
may be called from other numba kernels. `first` and `last` number points; the segments searched lie between them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

BLOCK = 16  # segments a bounding box: the storage layout of `boxes`


@njit(cache=True)
def bounding_boxes(points):
    """(block, 4) x low, y low, x high, y high of each run of BLOCK segments, m."""
    count = (len(points) + BLOCK - 2) // BLOCK
    boxes = np.empty((count, 4))
    for k in range(count):
        run = points[k * BLOCK : min((k + 1) * BLOCK, len(points) - 1) + 1]
        boxes[k, 0], boxes[k, 1] = run[:, 0].min(), run[:, 1].min()
        boxes[k, 2], boxes[k, 3] = run[:, 0].max(), run[:, 1].max()
    return boxes


@njit(cache=True)
def segment_at(s, at):
    """Number of the segment that holds arc length `at`; the end segments hold what lies beyond them."""
    low, high = 0, len(s) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if s[middle] <= at:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True)
def frame_at(points, directions, s, at):
    """(x, y, direction x, direction y) of the path at arc length `at`; straight on beyond both ends. NaN in, NaN out."""
    n = len(s)
    if not 0.0 <= at <= s[n - 1]:
        end = 0 if at < 0.0 else n - 1
        tx, ty, over = directions[end, 0], directions[end, 1], at - s[end]
        return points[end, 0] + over * tx, points[end, 1] + over * ty, tx + 0.0 * over, ty + 0.0 * over
    i = segment_at(s, at)
    part = (at - s[i]) / (s[i + 1] - s[i])
    x = points[i, 0] + part * (points[i + 1, 0] - points[i, 0])
    y = points[i, 1] + part * (points[i + 1, 1] - points[i, 1])
    tx, ty = _direction(points, directions, i, part)
    return x, y, tx, ty


@njit(cache=True)
def _direction(points, directions, i, part):
    """Unit direction on segment i at `part` of its length."""
    tx = directions[i, 0] + part * (directions[i + 1, 0] - directions[i, 0])
    ty = directions[i, 1] + part * (directions[i + 1, 1] - directions[i, 1])
    size = math.sqrt(tx * tx + ty * ty)
    if size < 1e-9:  # opposite directions at both ends cancel midway: there the segment's own
        tx, ty = points[i + 1, 0] - points[i, 0], points[i + 1, 1] - points[i, 1]
        size = math.sqrt(tx * tx + ty * ty)
    return tx / size, ty / size


@njit(cache=True)
def ahead(points, directions, i, x, y):
    """How far (x, y) lies ahead of point i along its direction, m."""
    return (x - points[i, 0]) * directions[i, 0] + (y - points[i, 1]) * directions[i, 1]


@njit(cache=True)
def foot(points, directions, s, i, ahead_first, ahead_last, x, y):
    """(s, d) of (x, y) on segment i, given that it lies ahead of the first point and not ahead of the last.

    The part of the segment solves `a part^2 + b part + c = 0`: offset to the path times interpolated direction.
    """
    ux, uy = points[i + 1, 0] - points[i, 0], points[i + 1, 1] - points[i, 1]
    a = -(ux * (directions[i + 1, 0] - directions[i, 0]) + uy * (directions[i + 1, 1] - directions[i, 1]))
    b, c = ahead_last - ahead_first - a, ahead_first
    root = math.sqrt(max(b * b - 4.0 * a * c, 0.0))
    if b <= 0.0:
        part = 2.0 * c / (root - b) if root - b > 0.0 else 0.0
    else:
        part = -(b + root) / (2.0 * a) if a < 0.0 else 0.0
    part = min(max(part, 0.0), 1.0)
    tx, ty = _direction(points, directions, i, part)
    ox, oy = x - points[i, 0] - part * ux, y - points[i, 1] - part * uy
    d = math.sqrt(ox * ox + oy * oy)
    return s[i] + part * (s[i + 1] - s[i]), d if tx * oy - ty * ox >= 0.0 else -d


@njit(cache=True)
def search(points, directions, s, first, last, x, y, low, high, best):
    """The better of `best` and the feet on segments first..last with s in [low, high]; each is (distance, s, d)."""
    behind = ahead(points, directions, first, x, y)
    for i in range(first, last):
        front = ahead(points, directions, i + 1, x, y)
        if behind >= 0.0 and front <= 0.0:
            at, d = foot(points, directions, s, i, behind, front, x, y)
            if low <= at <= high and (abs(d) < best[0] or (abs(d) == best[0] and at < best[1])):
                best = (abs(d), at, d)
        behind = front
    return best


@njit(cache=True)
def search_ends(points, directions, s, x, y, low, high, best):
    """The better of `best` and the feet on the straights beyond both ends; these count by distance to the end point."""
    for k in range(2):
        end = k * (len(s) - 1)
        over = ahead(points, directions, end, x, y)
        at = s[end] + over
        if (over <= 0.0 if k == 0 else over >= 0.0) and low <= at <= high:
            ox, oy = x - points[end, 0], y - points[end, 1]
            size = math.sqrt(ox * ox + oy * oy)
            if size < best[0] or (size == best[0] and at < best[1]):
                best = (size, at, directions[end, 0] * oy - directions[end, 1] * ox)
    return best


@njit(cache=True)
def project_point(points, directions, s, boxes, x, y):
    """(s, d) of the point (x, y), m, searching the whole path."""
    if not math.isfinite(x + y):
        return math.nan, math.nan
    best = search_ends(points, directions, s, x, y, -math.inf, math.inf, (math.inf, math.inf, math.nan))
    nearest, nearest_at = math.inf, 0
    for k in range(len(boxes)):
        bound = _box_distance2(boxes, k, x, y)
        if bound < nearest:
            nearest, nearest_at = bound, k
    best = _search_block(points, directions, s, nearest_at, x, y, best)
    for k in range(len(boxes)):
        if k != nearest_at and _box_distance2(boxes, k, x, y) <= best[0] * best[0] * (1.0 + 1e-12):
            best = _search_block(points, directions, s, k, x, y, best)
    return best[1], best[2]


@njit(cache=True)
def project_point_near(points, directions, s, boxes, x, y, hint, window):
    """(s, d) of the point (x, y), m, with s within `window` of `hint`; of the whole path where that holds no foot."""
    if not (math.isfinite(x + y) and math.isfinite(hint)):
        return project_point(points, directions, s, boxes, x, y)
    low, high = hint - window, hint + window
    best = (math.inf, math.inf, math.nan)
    if low <= 0.0 or high >= s[len(s) - 1]:
        best = search_ends(points, directions, s, x, y, low, high, best)
    if high >= 0.0 and low <= s[len(s) - 1]:
        best = search(points, directions, s, segment_at(s, low), segment_at(s, high) + 1, x, y, low, high, best)
    if best[0] == math.inf:
        return project_point(points, directions, s, boxes, x, y)
    return best[1], best[2]


@njit(cache=True)
def _search_block(points, directions, s, k, x, y, best):
    """`search` over the segments of block k."""
    last = min((k + 1) * BLOCK, len(s) - 1)
    return search(points, directions, s, k * BLOCK, last, x, y, -math.inf, math.inf, best)


@njit(cache=True)
def _box_distance2(boxes, k, x, y):
    """Squared distance of (x, y) to bounding box k, m^2."""
    dx = max(boxes[k, 0] - x, x - boxes[k, 2], 0.0)
    dy = max(boxes[k, 1] - y, y - boxes[k, 3], 0.0)
    return dx * dx + dy * dy


@njit(cache=True)
def project_all(points, directions, s, boxes, queries):
    """(query, 2) s and d of the queries (query, 2)."""
    result = np.empty((len(queries), 2))
    for i in range(len(queries)):
        result[i] = project_point(points, directions, s, boxes, queries[i, 0], queries[i, 1])
    return result


@njit(cache=True)
def project_all_near(points, directions, s, boxes, queries, hints, window):
    """(query, 2) s and d of the queries (query, 2), each near its hint (query,)."""
    result = np.empty((len(queries), 2))
    for i in range(len(queries)):
        x, y = queries[i, 0], queries[i, 1]
        result[i] = project_point_near(points, directions, s, boxes, x, y, hints[i], window)
    return result


@njit(cache=True)
def frames_at(points, directions, s, at):
    """(query, 4) x, y, direction x, direction y at the arc lengths (query,)."""
    result = np.empty((len(at), 4))
    for i in range(len(at)):
        result[i] = frame_at(points, directions, s, at[i])
    return result
