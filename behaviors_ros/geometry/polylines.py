"""Polylines: open chains of straight segments, (point, 2) in m."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float
from numba import njit

from behaviors_ros.errors import BehaviorsError

Array = np.ndarray


def arc_length(points: Float[Array, "*lead point 2"]) -> Float[Array, "*lead point"]:
    """Distance along the polyline from its first point to each point, m."""
    points = np.asarray(points, dtype=np.float64)
    steps = np.hypot(np.diff(points[..., 0]), np.diff(points[..., 1]))
    return np.concatenate([np.zeros((*steps.shape[:-1], 1)), np.cumsum(steps, axis=-1)], axis=-1)


def without_duplicates(points: Float[Array, "point 2"], tolerance_m: float = 1e-3) -> Float[Array, "distinct 2"]:
    """The points that lie farther than `tolerance_m` from the last one kept; the first is always kept."""
    points = np.ascontiguousarray(points, dtype=np.float64)
    return points[_distinct(points, tolerance_m)]


def resample(points: Float[Array, "point 2"], spacing_m: float) -> Float[Array, "sample 2"]:
    """Points on the polyline at equal arc-length steps, the largest not above `spacing_m`; both ends are kept."""
    if not spacing_m > 0.0:
        raise BehaviorsError(f"resample: spacing_m: {spacing_m} is not positive; pass a spacing in m above 0")
    points = checked(points, 0.0)
    s = arc_length(points)
    samples = np.linspace(0.0, s[-1], max(int(np.ceil(s[-1] / spacing_m - 1e-9)), 1) + 1)
    return np.stack([np.interp(samples, s, points[:, 0]), np.interp(samples, s, points[:, 1])], axis=-1)


@njit(cache=True)
@no_type_check
def interpolated(x, xs, ys):
    """`numpy.interp` of one number in a fraction of its time: ys at x, linear over ascending xs, constant beyond."""
    low, high = 0, len(xs) - 1
    if x != x:
        return x
    if x <= xs[low]:
        return ys[low]
    if x >= xs[high]:
        return ys[high]
    while high - low > 1:
        middle = (low + high) // 2
        if xs[middle] <= x:
            low = middle
        else:
            high = middle
    return (ys[high] - ys[low]) / (xs[high] - xs[low]) * (x - xs[low]) + ys[low]


def headings(points: Float[Array, "point 2"]) -> Float[Array, "point"]:
    """Direction of travel at each point in (-pi, pi], rad (see `tangents`); repeated points share theirs."""
    points = np.ascontiguousarray(points, dtype=np.float64)
    direction = tangents(checked(points))
    return np.arctan2(direction[:, 1], direction[:, 0])[_index_of_distinct(points)]


def curvatures(points: Float[Array, "point 2"], smoothing_m: float = 2.0) -> Float[Array, "point"]:
    """Curvature at each point, 1/m, + left: the slope of heading over arc length.

    The slope is the least-squares line through nine headings evenly spread over `smoothing_m` to either side, so that
    point noise averages out; at the ends the window moves inward. For a clothoid the result is exact inside.
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    distinct = checked(points)
    return smoothed_slope(arc_length(distinct), unwrapped_headings(tangents(distinct)), smoothing_m)[
        _index_of_distinct(points)
    ]


def intersection(line_a: Float[Array, "a 2"], line_b: Float[Array, "b 2"]) -> tuple[float, float] | None:
    """Arc lengths (s_a, s_b), m, of the first place along `line_a` that `line_b` touches or crosses; None if nowhere.

    Where the lines run on top of each other, the first common point along `line_a`.
    """
    line_a, line_b = checked(line_a, 0.0), checked(line_b, 0.0)
    found, i, along_a, j, along_b = _first_crossing(line_a, line_b)
    if not found:
        return None
    return float(arc_length(line_a)[i] + along_a), float(arc_length(line_b)[j] + along_b)


def checked(points: Float[Array, "point 2"], tolerance_m: float = 1e-3) -> Float[Array, "distinct 2"]:
    """The distinct points of a polyline. Raises BehaviorsError for non-finite or fewer than two distinct points."""
    points = np.ascontiguousarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise BehaviorsError(f"polyline: points: shape {points.shape} is not (point, 2); pass one row a point")
    if not np.isfinite(points).all():
        raise BehaviorsError("polyline: points: contain NaN or infinity; pass only valid points")
    distinct = without_duplicates(points, tolerance_m)
    if len(distinct) < 2:
        raise BehaviorsError(
            f"polyline: points: fewer than 2 distinct points among {len(points)} (nearer than {tolerance_m} m is one); "
            "pass a line with a direction"
        )
    return distinct


def tangents(points: Float[Array, "point 2"]) -> Float[Array, "point 2"]:
    """Unit direction at each of the distinct points: the chord between its neighbours; at the ends the end segment.

    The chord weighs the two segments by their lengths, so a short jittering segment hardly turns it. It is kept within
    89 deg of both segments; in turns above 178 deg it is their bisector.
    """
    steps = np.diff(points, axis=0)
    unit = steps / np.hypot(steps[:, 0], steps[:, 1])[:, None]
    turn = _angle_between(unit[:-1], unit[1:])
    # A full reversal may turn either way. Successive ones alternate, so that their directions do not cancel midway.
    alternate = np.where(np.arange(len(turn)) % 2 == 0, np.pi, -np.pi)
    turn = np.where(np.abs(turn) > np.pi - 1e-6, alternate, turn)
    reach = np.maximum(np.deg2rad(89.0), np.abs(turn) / 2.0)
    chord = _angle_between(unit[:-1], steps[:-1] + steps[1:])
    part = np.clip(np.copysign(chord, turn), np.maximum(turn, 0.0) - reach, np.minimum(turn, 0.0) + reach)
    cos, sin = np.cos(part), np.sin(part)
    x, y = unit[:-1, 0], unit[:-1, 1]
    inner = np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
    return np.concatenate([unit[:1], inner, unit[-1:]])


def unwrapped_headings(direction: Float[Array, "point 2"]) -> Float[Array, "point"]:
    """Headings of unit directions without jumps of a full turn, rad."""
    return np.unwrap(np.arctan2(direction[:, 1], direction[:, 0]))


def smoothed_slope(s: Float[Array, "point"], angle: Float[Array, "point"], smoothing_m: float) -> Float[Array, "point"]:
    """Least-squares slope of `angle` over `s` at each point, from nine samples within `smoothing_m` of it."""
    half = min(smoothing_m, s[-1] / 2.0)
    offsets = np.linspace(-half, half, 9)
    samples = np.clip(s, half, s[-1] - half)[:, None] + offsets
    return np.interp(samples, s, angle) @ offsets / (offsets @ offsets)


def _angle_between(a: Float[Array, "vector 2"], b: Float[Array, "vector 2"]) -> Float[Array, "vector"]:
    """Angle from a to b in [-pi, pi], rad."""
    return np.arctan2(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1])


def _index_of_distinct(points: Float[Array, "point 2"], tolerance_m: float = 1e-3) -> Array:
    """For each point, which of the distinct points stands for it."""
    keep: Bool[Array, "point"] = _distinct(points, tolerance_m)
    return np.cumsum(keep) - 1


@njit(cache=True)
@no_type_check
def _distinct(points, tolerance_m):
    """Mask (point,) of the points (point, 2) farther than the tolerance from the last one kept."""
    keep = np.zeros(len(points), dtype=np.bool_)
    last = 0
    for i in range(len(points)):
        step = np.hypot(points[i, 0] - points[last, 0], points[i, 1] - points[last, 1])
        if i == 0 or step > tolerance_m:
            keep[i] = True
            last = i
    return keep


@njit(cache=True)
@no_type_check
def _first_crossing(line_a, line_b):
    """(found, segment of a, m along it, segment of b, m along it) of the crossing with the least place along a."""
    best = (False, 0, 0.0, 0, 0.0)
    for i in range(len(line_a) - 1):
        for j in range(len(line_b) - 1):
            hit, along_a, along_b = _crossing(line_a[i], line_a[i + 1], line_b[j], line_b[j + 1])
            if hit and (not best[0] or along_a < best[2]):
                best = (True, i, along_a, j, along_b)
        if best[0]:
            return best
    return best


@njit(cache=True)
@no_type_check
def _crossing(a, b, c, d):
    """(hit, m from a, m from c) of the first common point of the segments a-b and c-d."""
    ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]
    rx, ry = c[0] - a[0], c[1] - a[1]
    u, v = np.hypot(ux, uy), np.hypot(vx, vy)
    cross = ux * vy - uy * vx
    if abs(cross) <= 1e-12 * u * v:
        return _parallel_overlap(ux / u, uy / u, rx, ry, vx, vy, u, v)
    at_a, at_b = (rx * vy - ry * vx) / cross, (rx * uy - ry * ux) / cross
    # A rounding error must not let a line slip through between two segments.
    slack_a, slack_b = 1e-9 / u, 1e-9 / v
    hit = -slack_a <= at_a <= 1.0 + slack_a and -slack_b <= at_b <= 1.0 + slack_b
    return hit, min(max(at_a, 0.0), 1.0) * u, min(max(at_b, 0.0), 1.0) * v


@njit(cache=True)
@no_type_check
def _parallel_overlap(ux, uy, rx, ry, vx, vy, u, v):
    """The first common point of parallel segments: r from a to c, unit direction u of a-b, lengths u and v."""
    if abs(ux * ry - uy * rx) > 1e-9:
        return False, 0.0, 0.0
    start = rx * ux + ry * uy
    direction = 1.0 if vx * ux + vy * uy > 0.0 else -1.0
    first = max(0.0, min(start, start + direction * v))
    last = min(u, max(start, start + direction * v))
    return first <= last, first, (first - start) * direction
