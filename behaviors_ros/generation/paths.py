"""Paths as lateral profiles d(station) over the reference, sampled evenly by station.

A profile leaves the start with its offset, heading and curvature, reaches a first offset by a quintic, holds it, and
may reach a second one by another quintic. Yaw and curvature follow in closed form (Werling et al., ICRA 2010, app. I):
    yaw = yaw_r + atan2(d', q),  q = 1 - k_r d
    k = ((d'' + (k_r' d + k_r d') tan D) cos^2 D / q + k_r) cos D / q,  D = yaw - yaw_r
so that they are exact at the start and at any speed, standstill included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float
from numba import njit

from behaviors_ros.datatypes import Array
from behaviors_ros.generation.reference import look
from behaviors_ros.geometry.angles import cos_sin

COLUMNS = 9  # length along the path, station, x, y, yaw, curvature, route s, route d, speed limit


@dataclass(frozen=True, eq=False)
class Paths:
    """Paths of the rear axle. `table` columns: length along the path m, station m, x, y m, yaw rad (continuous),
    curvature 1/m, s, d on the route path m, speed limit m/s. label: what each path means; usable: False where the
    profile folds (beyond the centre of a curve); end_offset: lateral offset it ends at, m.
    """

    table: Float[Array, "path sample 9"]
    label: tuple[str, ...]
    usable: Bool[Array, " path"]

    def __len__(self) -> int:
        """Number of paths."""
        return len(self.label)

    def length_at(self, path: int, route_s: float) -> float:
        """Length along a path at which it reaches an arc length of the route path, m; straight on beyond its end."""
        return float(_length_at(self.table, path, route_s))


def joined(groups: list[Paths]) -> Paths:
    """The usable paths of several groups with the same number of samples."""
    whole = [group if group.usable.all() else _usable(group) for group in groups]
    filled = [group for group in whole if len(group)]
    if len(filled) <= 1:
        return (filled or whole)[0]
    label = tuple(text for group in filled for text in group.label)
    return Paths(np.concatenate([group.table for group in filled]), label, np.ones(len(label), bool))


def _usable(group: Paths) -> Paths:
    label = tuple(text for text, use in zip(group.label, group.usable, strict=True) if use)
    return Paths(group.table[group.usable], label, np.ones(len(label), bool))


@dataclass(frozen=True)
class Profile:
    """A lateral profile: to `offset_m` within `length_m`; where `back_m` is finite, from that station (relative to the
    start) to `then_m` within `then_length_m`.
    """

    label: str
    offset_m: float
    length_m: float
    back_m: float = math.inf
    then_m: float = 0.0
    then_length_m: float = 1.0


def lateral_paths(
    table: Array, spacing_m: float, station: float, lateral: Array, profiles: list[Profile], step_m: float, samples: int
) -> Paths:
    """Sample profiles from `station` with lateral start state (d, d', d''), `samples` stations `step_m` apart."""
    specs = np.array([[p.offset_m, p.length_m, p.back_m, p.then_m, p.then_length_m] for p in profiles]).reshape(-1, 5)
    out = np.empty((len(profiles), samples, COLUMNS))
    usable = np.ones(len(profiles), bool)
    if len(profiles):
        rows = for_all(table, spacing_m, station, step_m, samples)
        _sample(rows, station, np.asarray(lateral, float), specs, step_m, out, usable)
    return Paths(out, tuple(p.label for p in profiles), usable)


@no_type_check
@njit(cache=True)
def _length_at(tables: Array, path: int, route_s: float) -> float:  # pragma: no cover
    """`Paths.length_at`, linear between the samples."""
    low, high = 0, tables.shape[1] - 1
    if route_s <= tables[path, 0, 6]:
        return route_s - tables[path, 0, 6]
    if route_s >= tables[path, high, 6]:
        return tables[path, high, 0] + route_s - tables[path, high, 6]
    while high - low > 1:
        middle = (low + high) // 2
        if tables[path, middle, 6] <= route_s:
            low = middle
        else:
            high = middle
    here, there = tables[path, low], tables[path, high]
    return here[0] + (there[0] - here[0]) / (there[6] - here[6]) * (route_s - here[6])


@no_type_check
@njit(cache=True)
def for_all(table: Array, spacing: float, station: float, step: float, samples: int) -> Array:  # pragma: no cover
    """The reference at every station of the paths, which share it, and cos and sin of its heading (sample, 10)."""
    rows = np.empty((samples, 10))
    for k in range(samples):
        look(table, spacing, station + k * step, rows[k])
        rows[k, 8], rows[k, 9] = cos_sin(rows[k, 2])
    return rows


@no_type_check
@njit(cache=True)
def quintic(start: Array, end: float, length: float, out: Array) -> None:  # pragma: no cover
    """Coefficients, lowest first, from (d, d', d'') to (end, 0, 0) over `length`, in u = x / length."""
    c0, c1, c2 = start[0], start[1] * length, 0.5 * start[2] * length * length
    gap, slope, bend = end - c0 - c1 - c2, -c1 - 2.0 * c2, -2.0 * c2
    out[0], out[1], out[2] = c0, c1, c2
    out[3] = 10.0 * gap - 4.0 * slope + 0.5 * bend
    out[4] = -15.0 * gap + 7.0 * slope - bend
    out[5] = 6.0 * gap - 3.0 * slope + 0.5 * bend


@no_type_check
@njit(cache=True)
def offset_at(c: Array, end: float, length: float, x: float) -> tuple:  # pragma: no cover
    """(d, d', d'') of a quintic at x; `end` from `length` on."""
    if x >= length:
        return end, 0.0, 0.0
    u = x / length
    d = c[0] + u * (c[1] + u * (c[2] + u * (c[3] + u * (c[4] + u * c[5]))))
    d1 = c[1] + u * (2 * c[2] + u * (3 * c[3] + u * (4 * c[4] + u * 5 * c[5])))
    d2 = 2 * c[2] + u * (6 * c[3] + u * (12 * c[4] + u * 20 * c[5]))
    return d, d1 / length, d2 / (length * length)


@no_type_check
@njit(cache=True)
def _sample(
    rows: Array, station: float, lateral: Array, specs: Array, step: float, out: Array, usable: Array
) -> None:  # pragma: no cover
    first, then, turn = np.empty(6), np.empty(6), np.zeros(3)
    for p in range(specs.shape[0]):
        end, length, back, then_end, then_length = specs[p]
        quintic(lateral, end, length, first)
        if back < 1e300:
            turn[0], turn[1], turn[2] = offset_at(first, end, length, back)
            quintic(turn, then_end, then_length, then)
        travelled, rate = 0.0, 0.0
        for k in range(rows.shape[0]):
            x = k * step
            if x < back:
                d, d1, d2 = offset_at(first, end, length, x)
            else:
                d, d1, d2 = offset_at(then, then_end, then_length, x - back)
            q, now = write_row(rows[k], station + x, d, d1, d2, out[p, k])
            if q < 0.15:
                usable[p] = False
                break
            if k:
                travelled += 0.5 * (rate + now) * step
            rate = now
            out[p, k, 0] = travelled


@no_type_check
@njit(cache=True)
def write_row(r: Array, station: float, d: float, d1: float, d2: float, row: Array) -> tuple:  # pragma: no cover
    """Fill `row` but its length from the reference `r`, as in `for_all`, and the profile (d, d', d'') there; (q, length
    per station).
    """
    q = 1.0 - r[3] * d
    rate = math.sqrt(q * q + d1 * d1)
    cosine = q / rate
    row[1] = station
    row[2] = r[0] - d * r[9]
    row[3] = r[1] + d * r[8]
    row[4] = r[2] + math.atan2(d1, q)
    if q >= 0.15:
        row[5] = ((d2 + (r[4] * d + r[3] * d1) * d1 / q) * cosine * cosine / q + r[3]) * cosine / q
    row[6] = r[5]
    row[7] = r[6] + d
    row[8] = r[7]
    return q, rate


def lateral_start(row: Array, offset: float, yaw: float, curvature: float) -> Float[Array, "3"] | None:
    """(d, d', d'') of a pose with curvature beside the reference sample `row`; None where a profile cannot express it:
    more than 60 degrees off the reference's heading or near the centre of its curve.
    """
    turned = math.remainder(yaw - row[2], math.tau)
    q = 1.0 - row[3] * offset
    if abs(turned) > 1.05 or q < 0.2:
        return None
    slope = q * math.tan(turned)
    cosine = math.cos(turned)
    bend = (curvature * q / cosine - row[3]) * q / cosine**2 - (row[4] * offset + row[3] * slope) * math.tan(turned)
    return np.array([offset, slope, bend])
