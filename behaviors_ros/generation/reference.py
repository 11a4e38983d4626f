"""The route path as a smooth reference curve: what lateral offsets of candidates refer to.

A lane's centre line is a polyline with kinks; its curvature is useless to drive by. The reference is the polyline after
twicing a Gaussian smoother (2 S - S S), which removes kinks and hardly cuts a curve: an arc of radius R shrinks by
R (1 - exp(-sigma^2 / (2 R^2)))^2, 2 mm at R = 6 m and sigma = 1 m.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit
from scipy.interpolate import CubicSpline

from behaviors_ros.datatypes import Array, Route
from behaviors_ros.errors import InputError

COLUMNS = 8  # x, y, yaw, curvature, its rate, route s, route d, speed limit


@dataclass(frozen=True, eq=False)
class Reference:
    """Samples `spacing_m` apart along the reference; `table` columns: x, y m; yaw rad (continuous); curvature 1/m;
    its rate along the curve 1/m^2; s, d of the sample on the route path, m; speed limit m/s.
    """

    spacing_m: float
    table: Float[Array, "sample 8"]

    @property
    def length_m(self) -> float:
        """Station of the last sample, m. The curve goes on straight beyond both ends."""
        return self.spacing_m * (len(self.table) - 1)


@lru_cache(maxsize=4)
def reference_of(route: Route, smoothing_m: float) -> Reference:
    """The smooth reference of a route (cached by the route's identity). A path without length raises `InputError`."""
    keep = np.concatenate(([True], np.diff(route.s) > 1e-6))
    if keep.sum() < 2:
        raise InputError("route", "path", "has no length", "give at least two distinct points")
    spacing = 0.25
    margin = 5.0 * smoothing_m
    wanted = np.arange(route.s[0] - margin, route.s[-1] + margin + spacing, spacing)
    line = _extended(route.s[keep], route.path[keep], wanted)
    smooth = _twiced(line, smoothing_m / spacing)
    offset = smooth - line
    heading = np.gradient(line, axis=0)
    heading /= np.hypot(heading[:, 0], heading[:, 1])[:, None]
    along = wanted + (offset * heading).sum(axis=1)
    beside = heading[:, 0] * offset[:, 1] - heading[:, 1] * offset[:, 0]
    limit = np.interp(wanted, route.s, route.speed_limit)
    inside = (wanted >= route.s[0] - spacing) & (wanted <= route.s[-1] + spacing)
    columns = np.column_stack((smooth, along, beside, limit))[inside]
    return _even(columns, spacing)


def _extended(s: Array, path: Array, wanted: Array) -> Array:
    """Points of the polyline at `wanted` arc lengths, straight on beyond both ends."""
    line = np.column_stack((np.interp(wanted, s, path[:, 0]), np.interp(wanted, s, path[:, 1])))
    first = (path[1] - path[0]) / np.hypot(*(path[1] - path[0]))
    last = (path[-1] - path[-2]) / np.hypot(*(path[-1] - path[-2]))
    return line + np.minimum(wanted - s[0], 0.0)[:, None] * first + np.maximum(wanted - s[-1], 0.0)[:, None] * last


def _twiced(line: Array, sigma: float) -> Array:
    """2 S - S S of a Gaussian smoother S with standard deviation `sigma` samples."""
    reach = max(1, math.ceil(4.0 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    once = np.convolve(kernel, kernel)
    sharpened = 2.0 * np.pad(kernel, reach) - once
    middle = line.mean(axis=0)
    ramp_start, ramp_end = line[1] - line[0], line[-1] - line[-2]
    count = np.arange(1, 2 * reach + 1)[:, None]
    padded = np.concatenate((line[0] - ramp_start * count[::-1], line, line[-1] + ramp_end * count)) - middle
    return np.column_stack([np.convolve(padded[:, axis], sharpened, mode="valid") for axis in (0, 1)]) + middle


def _even(columns: Array, spacing: float) -> Reference:
    """Resample (x, y, s, d, limit) evenly along the curve's own length and differentiate."""
    length = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(columns[:, :2], axis=0).T))))
    count = max(2, round(length[-1] / spacing) + 1)
    step = length[-1] / (count - 1)
    at = np.arange(count) * step
    curve = CubicSpline(length, columns[:, :2])
    (x, y), (dx, dy), (ddx, ddy) = curve(at).T, curve(at, 1).T, curve(at, 2).T
    yaw = np.unwrap(np.arctan2(dy, dx))
    curvature = (dx * ddy - dy * ddx) / np.hypot(dx, dy) ** 3
    along, beside, limit = (np.interp(at, length, column) for column in columns[:, 2:].T)
    table = np.column_stack((x, y, yaw, curvature, np.gradient(curvature, step), along, beside, limit))
    return Reference(step, np.ascontiguousarray(table))


@no_type_check
@njit(cache=True)
def look(table: Array, spacing: float, station: float, row: Array) -> None:  # pragma: no cover (compiled)
    """Write the reference at `station` into `row` (8,): cubic in position, else linear, straight beyond the ends."""
    last = table.shape[0] - 1
    k = min(max(int(math.floor(station / spacing)), 0), last - 1)
    u = station / spacing - k
    inside = min(max(u, 0.0), 1.0)
    for c in range(table.shape[1]):
        row[c] = table[k, c] + inside * (table[k + 1, c] - table[k, c])
    h0 = (1.0 + 2.0 * inside) * (1.0 - inside) ** 2
    h1 = inside * (1.0 - inside) ** 2 * spacing
    h2 = inside**2 * (3.0 - 2.0 * inside)
    h3 = inside**2 * (inside - 1.0) * spacing
    a, b = table[k, 2], table[k + 1, 2]
    row[0] = h0 * table[k, 0] + h1 * math.cos(a) + h2 * table[k + 1, 0] + h3 * math.cos(b)
    row[1] = h0 * table[k, 1] + h1 * math.sin(a) + h2 * table[k + 1, 1] + h3 * math.sin(b)
    if u != inside:
        beyond = (u - inside) * spacing
        row[0] += beyond * math.cos(row[2])
        row[1] += beyond * math.sin(row[2])
        row[5] += beyond
        row[3] = 0.0
        row[4] = 0.0


@no_type_check
@njit(cache=True)
def nearest(
    table: Array, spacing: float, x: float, y: float, yaw: float, low: int, high: int
) -> int:  # pragma: no cover
    """Index in [low, high] of the sample nearest to a pose; a sample of opposite heading counts 4 m farther.

    A `yaw` of NaN leaves the heading out.
    """
    # Past either end of the table the nearest sample is its last there.
    best, index, anyhow = 1e300, min(max(low, 0), table.shape[0] - 1), math.isnan(yaw)
    for k in range(max(low, 0), min(high, table.shape[0] - 1) + 1):
        dx, dy = x - table[k, 0], y - table[k, 1]
        cost = dx * dx + dy * dy
        if not anyhow:
            cost = math.sqrt(cost) + 2.0 * (1.0 - math.cos(yaw - table[k, 2]))
        if cost < best:
            best, index = cost, k
    return index


@no_type_check
@njit(cache=True)
def project(table: Array, spacing: float, x: float, y: float, index: int, row: Array) -> tuple:  # pragma: no cover
    """(station, offset) of a point near sample `index`, by Newton steps; `row` is the reference there."""
    station = index * spacing
    for _ in range(4):
        look(table, spacing, station, row)
        along = (x - row[0]) * math.cos(row[2]) + (y - row[1]) * math.sin(row[2])
        offset = (y - row[1]) * math.cos(row[2]) - (x - row[0]) * math.sin(row[2])
        station += along / max(1.0 - row[3] * offset, 0.5)
        if abs(along) < 1e-9:
            break
    look(table, spacing, station, row)
    offset = (y - row[1]) * math.cos(row[2]) - (x - row[0]) * math.sin(row[2])
    return station, offset
