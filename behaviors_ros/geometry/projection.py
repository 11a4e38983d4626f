"""Numba kernels of the Frenet frame; `frenet.py` says what they compute. Others may be called from numba kernels too.

A frame is three arrays: `path` (point, 6), a row a point of x m, y m, unit direction x, y, arc length s m, and bend 1/m
of the segments around (see `bends`); and the bounding boxes (box, 4) of runs of its segments, low x, low y, high x,
high y in m: `blocks` of BLOCK segments each and `groups` of GROUP blocks each. Bends and boxes only save time.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

BLOCK = 8
GROUP = 8


@njit(cache=True)
@no_type_check
def bounding_boxes(path, run):
    """(box, 4) low x, low y, high x, high y of each run of `run` segments, m."""
    count = (len(path) + run - 2) // run
    boxes = np.empty((count, 4))
    for k in range(count):
        rows = path[k * run : min((k + 1) * run, len(path) - 1) + 1]
        boxes[k, 0], boxes[k, 1] = rows[:, 0].min(), rows[:, 1].min()
        boxes[k, 2], boxes[k, 3] = rows[:, 0].max(), rows[:, 1].max()
    return boxes


@njit(cache=True)
@no_type_check
def bends(points, directions, arc_lengths):
    """Largest bend (point,), 1/m, of the segment that begins at a point and the BLOCK segments before and after it.

    A point has no more than one foot on a stretch whose points are all nearer to it than 1 / bend: along a segment of
    direction u `_ahead` falls at u . t and rises at no more than the distance times the rate at which t turns, which
    is at most the chord of the turn over the length and the cosine of half the turn.
    """
    bend = np.zeros(len(points))
    for i in range(len(points) - 1):
        size = arc_lengths[i + 1] - arc_lengths[i]
        ux, uy = (points[i + 1, 0] - points[i, 0]) / size, (points[i + 1, 1] - points[i, 1]) / size
        first = ux * directions[i, 0] + uy * directions[i, 1]
        last = ux * directions[i + 1, 0] + uy * directions[i + 1, 1]
        dx, dy = directions[i + 1, 0] - directions[i, 0], directions[i + 1, 1] - directions[i, 1]
        chord2 = dx * dx + dy * dy
        falls = size * min(first, last) * math.sqrt(max(1.0 - 0.25 * chord2, 0.0))
        bend[i] = math.sqrt(chord2) / falls if falls > 0.0 else math.inf
    result = np.empty(len(points))
    for i in range(len(points)):
        result[i] = bend[max(i - BLOCK, 0) : i + BLOCK + 1].max()
    return result


@njit(cache=True)
@no_type_check
def segment_at(path, at):
    """Number of the segment that holds arc length `at`; the end segments hold what lies beyond them."""
    low, high = 0, len(path) - 1
    # Points are mostly evenly spaced: the proportional guess usually hits.
    guess = int(min(max(at / path[high, 4], 0.0), 1.0) * high)
    if guess < high and path[guess, 4] <= at < path[guess + 1, 4]:
        return guess
    while high - low > 1:
        middle = (low + high) // 2
        if path[middle, 4] <= at:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True)
@no_type_check
def frame_at(path, at):
    """(x, y, direction x, direction y) at arc length `at`, m; straight on beyond both ends. NaN in, NaN out."""
    last = len(path) - 1
    if not 0.0 <= at <= path[last, 4]:
        end = 0 if at < 0.0 else last
        over = at - path[end, 4]
        tx, ty = path[end, 2] + 0.0 * over, path[end, 3] + 0.0 * over
        return path[end, 0] + over * tx, path[end, 1] + over * ty, tx, ty
    i = segment_at(path, at)
    part = (at - path[i, 4]) / (path[i + 1, 4] - path[i, 4])
    tx, ty = _direction(path, i, part)
    x = path[i, 0] + part * (path[i + 1, 0] - path[i, 0])
    y = path[i, 1] + part * (path[i + 1, 1] - path[i, 1])
    return x, y, tx, ty


@njit(cache=True)
@no_type_check
def project_point(path, blocks, groups, x, y):
    """(s, d) of the point (x, y), m, searching the whole path. NaN, infinite or above 1e100 m: NaN."""
    return project_point_from(path, blocks, groups, x, y, math.nan)


@njit(cache=True)
@no_type_check
def project_point_from(path, blocks, groups, x, y, hint):
    """As `project_point`; `hint`, an s or NaN, is where the search begins, and does not change the answer."""
    if not abs(x) + abs(y) <= 1e100:  # what is larger overflows when squared
        return math.nan, math.nan
    low, high = -math.inf, math.inf
    best = _search_ends(path, x, y, low, high, (math.inf, math.inf, math.nan))
    ends = best[0]
    if 0.0 <= hint <= path[len(path) - 1, 4]:
        first = max(segment_at(path, hint) - 2, 0)
        best = _search(path, first, min(first + BLOCK, len(path) - 1), x, y, low, high, best)
    if best[0] == ends:
        group = _nearest_box(groups, 0, len(groups), x, y)
        block = _nearest_box(blocks, group * GROUP, min((group + 1) * GROUP, len(blocks)), x, y)
        best = _search_from(path, min(block * BLOCK + BLOCK // 2, len(path) - 1), x, y, low, high, best)
    for g in range(len(groups)):
        if _box_distance2(groups, g, x, y) <= _square(best[0]):
            last = min((g + 1) * GROUP, len(blocks))
            best = _search_blocks(path, blocks, g * GROUP, last, x, y, low, high, best)
    return best[1], best[2]


@njit(cache=True)
@no_type_check
def project_point_near(path, blocks, groups, x, y, hint, window):
    """(s, d) of the point (x, y), m, with s within `window` of `hint`; of the whole path where that holds no foot."""
    if not (math.isfinite(hint) and abs(x) + abs(y) <= 1e100):
        return project_point(path, blocks, groups, x, y)
    low, high, end = hint - window, hint + window, path[len(path) - 1, 4]
    best = (math.inf, math.inf, math.nan)
    at, d = only_foot(path, x, y, hint, window)
    if low <= at <= high:
        return at, d
    if low <= 0.0 or high >= end:
        best = _search_ends(path, x, y, low, high, best)
    if high >= 0.0 and low <= end:
        i = segment_at(path, hint)
        best = _search_from(path, i, x, y, low, high, best)
        first, last = i // BLOCK, i // BLOCK + 1
        while first > 0 and path[first * BLOCK, 4] > low:
            first -= 1
        while last < len(blocks) and path[last * BLOCK, 4] <= high:
            last += 1
        best = _search_blocks(path, blocks, first, last, x, y, low, high, best)
    if best[0] == math.inf:
        return project_point_from(path, blocks, groups, x, y, hint)
    return best[1], best[2]


@njit(cache=True, error_model="numpy")
@no_type_check
def only_foot(path, x, y, hint, window):
    """(s, d) of the foot of (x, y) where it can be told that there is but one within `window` of `hint`; else NaN.

    The bulk of all projections, and several times as fast as a search: for kernels that project much, to try first.
    """
    i = segment_at(path, hint)
    dx, dy = x - path[i, 0], y - path[i, 1]
    # No point of the stretch is farther from (x, y) than this: point i is at most one segment before `hint`.
    reach = math.sqrt(dx * dx + dy * dy) + window + (hint - path[i, 4])
    first, last = max(i - BLOCK, 0), min(i + BLOCK, len(path) - 2)
    within = path[first, 4] <= hint - window and hint + window <= path[last + 1, 4]
    if not (within and path[i, 5] * reach < 1.0):
        return math.nan, math.nan
    behind, front = dx * path[i, 2] + dy * path[i, 3], math.inf
    if behind >= 0.0:
        while True:
            front = (x - path[i + 1, 0]) * path[i + 1, 2] + (y - path[i + 1, 1]) * path[i + 1, 3]
            if front < 0.0 or i == last:
                break
            behind, i = front, i + 1
    while behind < 0.0 and i > first:
        i, front = i - 1, behind
        behind = (x - path[i, 0]) * path[i, 2] + (y - path[i, 1]) * path[i, 3]
    if behind < 0.0 or front > 0.0:
        return math.nan, math.nan
    ux, uy = path[i + 1, 0] - path[i, 0], path[i + 1, 1] - path[i, 1]
    dx, dy = x - path[i, 0], y - path[i, 1]
    part, d = _offset(ux, uy, path[i, 2], path[i, 3], path[i + 1, 2], path[i + 1, 3], behind, front, dx, dy)
    return path[i, 4] + part * (path[i + 1, 4] - path[i, 4]), d


@njit(cache=True)
@no_type_check
def project_all(path, blocks, groups, queries):
    """(2, query) s and d of the queries (query, 2), m; each search begins where the one before has ended."""
    result, s = np.empty((2, len(queries))), math.nan
    for i in range(len(queries)):
        s, result[1, i] = project_point_from(path, blocks, groups, queries[i, 0], queries[i, 1], s)
        result[0, i] = s
    return result


@njit(cache=True)
@no_type_check
def project_all_near(path, blocks, groups, queries, hints, window):
    """(2, query) s and d of the queries (query, 2), each near its hint (query,), m."""
    result = np.empty((2, len(queries)))
    for i in range(len(queries)):
        x, y = queries[i, 0], queries[i, 1]
        result[0, i], result[1, i] = project_point_near(path, blocks, groups, x, y, hints[i], window)
    return result


@njit(cache=True)
@no_type_check
def frames_at(path, at):
    """(query, 4) x, y, direction x, direction y at the arc lengths (query,)."""
    result = np.empty((len(at), 4))
    for i in range(len(at)):
        result[i, 0], result[i, 1], result[i, 2], result[i, 3] = frame_at(path, at[i])
    return result


@njit(cache=True)
@no_type_check
def _direction(path, i, part):
    """Unit direction on segment i at `part` of its length."""
    tx = path[i, 2] + part * (path[i + 1, 2] - path[i, 2])
    ty = path[i, 3] + part * (path[i + 1, 3] - path[i, 3])
    size = math.sqrt(tx * tx + ty * ty)
    if size < 1e-9:  # opposite directions at both ends cancel midway: there the segment's own counts
        tx, ty = path[i + 1, 0] - path[i, 0], path[i + 1, 1] - path[i, 1]
        size = math.sqrt(tx * tx + ty * ty)
    return tx / size, ty / size


@njit(cache=True)
@no_type_check
def _ahead(path, i, x, y):
    """How far (x, y) lies ahead of point i along the direction there, m."""
    return (x - path[i, 0]) * path[i, 2] + (y - path[i, 1]) * path[i, 3]


@njit(cache=True)
@no_type_check
def _foot(path, i, behind, front, x, y):
    """(s, d) of (x, y) on segment i, which lies `behind` >= 0 ahead of its first point and `front` <= 0 of its last."""
    ux, uy = path[i + 1, 0] - path[i, 0], path[i + 1, 1] - path[i, 1]
    ox, oy = x - path[i, 0], y - path[i, 1]
    part, d = _offset(ux, uy, path[i, 2], path[i, 3], path[i + 1, 2], path[i + 1, 3], behind, front, ox, oy)
    return path[i, 4] + part * (path[i + 1, 4] - path[i, 4]), d


@njit(cache=True, error_model="numpy")
@no_type_check
def _offset(ux, uy, tx, ty, end_tx, end_ty, behind, front, ox, oy):
    """Part of the segment (ux, uy), m, at which the foot of the point (ox, oy) lies, and d, m.

    tx, ty, end_tx, end_ty: directions at its ends. The part solves `a part^2 + b part + c = 0`, offset to the path
    times direction; of the two roots the one where the product falls. Numbers only: arrays as arguments cost numba
    more than the arithmetic.
    """
    turn_x, turn_y = end_tx - tx, end_ty - ty
    a = -(ux * turn_x + uy * turn_y)
    b, c = front - behind - a, behind
    root = math.sqrt(max(b * b - 4.0 * a * c, 0.0))
    part = 0.0
    if b > 0.0:
        part = -(b + root) / (2.0 * a) if a < 0.0 else 1.0
    elif root - b > 0.0:
        part = 2.0 * c / (root - b)
    part = min(max(part, 0.0), 1.0)
    at_x, at_y = tx + part * turn_x, ty + part * turn_y
    if at_x * at_x + at_y * at_y < 1e-18:  # as in `_direction`
        at_x, at_y = ux, uy
    ox, oy = ox - part * ux, oy - part * uy
    d = math.sqrt(ox * ox + oy * oy)
    return part, d if at_x * oy - at_y * ox >= 0.0 else -d


@njit(cache=True)
@no_type_check
def _search(path, first, last, x, y, low, high, best):
    """The best of `best` and the feet between the points first and last with s in [low, high]: (distance, s, d)."""
    behind = _ahead(path, first, x, y)
    for i in range(first, last):
        front = _ahead(path, i + 1, x, y)
        if behind >= 0.0 and front <= 0.0:
            at, d = _foot(path, i, behind, front, x, y)
            if low <= at <= high and (abs(d) < best[0] or (abs(d) == best[0] and at < best[1])):
                best = (abs(d), at, d)
        behind = front
    return best


@njit(cache=True)
@no_type_check
def _search_from(path, i, x, y, low, high, best):
    """The best of `best` and the first foot met from point i on; a good one early lets most boxes be skipped."""
    last = len(path) - 1
    if _ahead(path, i, x, y) >= 0.0:
        while i < last and _ahead(path, i, x, y) >= 0.0:
            i += 1
        return _search(path, i - 1, i, x, y, low, high, best)
    while i > 0 and _ahead(path, i, x, y) < 0.0:
        i -= 1
    return _search(path, i, i + 1, x, y, low, high, best)


@njit(cache=True)
@no_type_check
def _search_ends(path, x, y, low, high, best):
    """The best of `best` and the feet beyond both ends with s in [low, high]; their distance is to the end point."""
    for end in (0, len(path) - 1):
        over = _ahead(path, end, x, y)
        at = path[end, 4] + over
        beyond = over <= 0.0 if end == 0 else over >= 0.0
        ox, oy = x - path[end, 0], y - path[end, 1]
        size = math.sqrt(ox * ox + oy * oy)
        if beyond and low <= at <= high and (size < best[0] or (size == best[0] and at < best[1])):
            best = (size, at, path[end, 2] * oy - path[end, 3] * ox)
    return best


@njit(cache=True)
@no_type_check
def _search_blocks(path, blocks, first, last, x, y, low, high, best):
    """The best of `best` and the feet in the blocks first..last - 1 with s in [low, high]."""
    for b in range(first, last):
        if _box_distance2(blocks, b, x, y) <= _square(best[0]):
            end = min((b + 1) * BLOCK, len(path) - 1)
            best = _search(path, b * BLOCK, end, x, y, low, high, best)
    return best


@njit(cache=True)
@no_type_check
def _nearest_box(boxes, first, last, x, y):
    """Number of the first of the nearest boxes among first..last - 1."""
    nearest, least = first, math.inf
    for k in range(first, last):
        size = _box_distance2(boxes, k, x, y)
        if size < least:
            nearest, least = k, size
    return nearest


@njit(cache=True)
@no_type_check
def _box_distance2(boxes, k, x, y):
    """Squared distance of (x, y) to box k, m^2."""
    dx = max(max(boxes[k, 0] - x, x - boxes[k, 2]), 0.0)
    dy = max(max(boxes[k, 1] - y, y - boxes[k, 3]), 0.0)
    return dx * dx + dy * dy


@njit(cache=True)
@no_type_check
def _square(size):
    """Square with room for rounding, so that a box that just holds an equally near foot is not skipped."""
    return size * size * (1.0 + 1e-12)
