"""Oriented boxes: centre (m), yaw (rad), length along yaw and width across it (m).

All arguments broadcast. A NaN anywhere overlaps nothing and is at distance NaN. The scalar kernels `box_overlap` and
`box_distance` may be called from other numba kernels.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float
from numba import njit, vectorize

Array = np.ndarray
Scalars = Float[Array, "*#lead"] | float


def corners(
    centre: Float[Array, "*#lead 2"], yaw: Scalars, length: Scalars, width: Scalars
) -> Float[Array, "*lead 4 2"]:
    """Corners in m: front left, front right, rear right, rear left."""
    centre = np.asarray(centre, dtype=np.float64)
    cos, sin = np.cos(yaw)[..., None], np.sin(yaw)[..., None]
    along = np.asarray(length)[..., None] * np.array([0.5, 0.5, -0.5, -0.5])
    across = np.asarray(width)[..., None] * np.array([0.5, -0.5, -0.5, 0.5])
    x = centre[..., 0, None] + cos * along - sin * across
    y = centre[..., 1, None] + sin * along + cos * across
    return np.stack([x, y], axis=-1)


def overlap(
    centre_a: Float[Array, "*#lead 2"], yaw_a: Scalars, length_a: Scalars, width_a: Scalars,
    centre_b: Float[Array, "*#lead 2"], yaw_b: Scalars, length_b: Scalars, width_b: Scalars,
) -> Bool[Array, "*lead"]:  # fmt: skip
    """Whether the boxes have a common point; touching counts."""
    a, b = np.asarray(centre_a, dtype=np.float64), np.asarray(centre_b, dtype=np.float64)
    return np.asarray(
        _overlap(a[..., 0], a[..., 1], yaw_a, length_a, width_a, b[..., 0], b[..., 1], yaw_b, length_b, width_b)
    )


def distance(
    centre_a: Float[Array, "*#lead 2"], yaw_a: Scalars, length_a: Scalars, width_a: Scalars,
    centre_b: Float[Array, "*#lead 2"], yaw_b: Scalars, length_b: Scalars, width_b: Scalars,
) -> Float[Array, "*lead"]:  # fmt: skip
    """Least distance between the boxes, m; 0 when they overlap."""
    a, b = np.asarray(centre_a, dtype=np.float64), np.asarray(centre_b, dtype=np.float64)
    return np.asarray(
        _distance(a[..., 0], a[..., 1], yaw_a, length_a, width_a, b[..., 0], b[..., 1], yaw_b, length_b, width_b)
    )


@njit(cache=True)
@no_type_check
def box_overlap(ax, ay, ayaw, alen, awid, bx, by, byaw, blen, bwid):
    """Whether two boxes have a common point: no side direction separates them (separating axis theorem)."""
    dx, dy = bx - ax, by - ay
    # Comparisons are written so that NaN counts as separated.
    reach = 0.5 * (math.sqrt(alen * alen + awid * awid) + math.sqrt(blen * blen + bwid * bwid))
    if not dx * dx + dy * dy <= reach * reach * (1.0 + 1e-12):
        return False
    cos_a, sin_a, cos_b, sin_b = math.cos(ayaw), math.sin(ayaw), math.cos(byaw), math.sin(byaw)
    cos, sin = abs(cos_a * cos_b + sin_a * sin_b), abs(cos_a * sin_b - sin_a * cos_b)
    return (
        abs(dx * cos_a + dy * sin_a) <= 0.5 * (alen + blen * cos + bwid * sin)
        and abs(dy * cos_a - dx * sin_a) <= 0.5 * (awid + blen * sin + bwid * cos)
        and abs(dx * cos_b + dy * sin_b) <= 0.5 * (blen + alen * cos + awid * sin)
        and abs(dy * cos_b - dx * sin_b) <= 0.5 * (bwid + alen * sin + awid * cos)
    )


@njit(cache=True)
@no_type_check
def box_distance(ax, ay, ayaw, alen, awid, bx, by, byaw, blen, bwid):
    """Least distance of two boxes, m: the nearest points of disjoint convex shapes include a corner of one of them."""
    if math.isnan(ax + ay + ayaw + alen + awid + bx + by + byaw + blen + bwid):
        return math.nan
    if box_overlap(ax, ay, ayaw, alen, awid, bx, by, byaw, blen, bwid):
        return 0.0
    from_a = _corner_distance2(ax, ay, ayaw, alen, awid, bx, by, byaw, blen, bwid)
    from_b = _corner_distance2(bx, by, byaw, blen, bwid, ax, ay, ayaw, alen, awid)
    return math.sqrt(min(from_a, from_b))


@njit(cache=True)
@no_type_check
def _corner_distance2(ax, ay, ayaw, alen, awid, bx, by, byaw, blen, bwid):
    """Least squared distance, m^2, from a corner of box a to box b."""
    cos_b, sin_b = math.cos(byaw), math.sin(byaw)
    cos, sin = math.cos(ayaw - byaw), math.sin(ayaw - byaw)
    x, y = (ax - bx) * cos_b + (ay - by) * sin_b, (ay - by) * cos_b - (ax - bx) * sin_b
    best = math.inf
    for i in range(4):
        along, across = (0.5 if i < 2 else -0.5) * alen, (0.5 if i % 2 == 0 else -0.5) * awid
        out_x = max(abs(x + cos * along - sin * across) - 0.5 * blen, 0.0)
        out_y = max(abs(y + sin * along + cos * across) - 0.5 * bwid, 0.0)
        best = min(best, out_x * out_x + out_y * out_y)
    return best


_TEN = "(" + ",".join(["float64"] * 10) + ")"


@vectorize(["boolean" + _TEN], cache=True)
@no_type_check
def _overlap(ax, ay, ayaw, alen, awid, bx, by, byaw, blen, bwid):
    """`box_overlap`, element by element."""
    return box_overlap(ax, ay, ayaw, alen, awid, bx, by, byaw, blen, bwid)


@vectorize(["float64" + _TEN], cache=True)
@no_type_check
def _distance(ax, ay, ayaw, alen, awid, bx, by, byaw, blen, bwid):
    """`box_distance`, element by element."""
    return box_distance(ax, ay, ayaw, alen, awid, bx, by, byaw, blen, bwid)
