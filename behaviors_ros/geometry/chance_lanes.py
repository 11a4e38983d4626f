"""Chances of collision of a box along a motion with boxes along predicted modes: kernels over instants.

Instants lie beside each other in memory, in blocks of LANES, and loops over them are free of branches and of reading
what they write, so that several are worked out at once. Scoring and screening share these kernels.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.geometry.chance import FUSED, box_probability

LANES = 4  # instants of a block
ROW = 16  # instants are filled up to a multiple of this, and chances worked out for so many at once
REACH = 3.0  # deviations beyond which contact counts as excluded: less than 0.0014 of the mass lies there


@no_type_check
@njit(cache=True)
def meeting_span(groups, g, spans, m, ego_length, ego_width, length, width):
    """First instant of the first block, and last (exclusive) of the last, in which contact of mode m with any candidate
    of group g may be less than REACH deviations away along both of the ego's axes.

    With |dx| and |dy| between the centres in the axes of `lanes`, and an ego turned against these by less than asin t,
    cos >= c: across it they are at least |dy| c - |dx| t apart, and the deviation^2 is at most t^2 xx + 2 t |xy| + yy.
    """
    low, high = 0, 0
    for b in range(groups.shape[2]):
        c, t = groups[g, 4, b], groups[g, 5, b]
        least_x = max(groups[g, 0, b] - spans[m, 2, b], spans[m, 0, b] - groups[g, 2, b], 0.0)
        least_y = max(groups[g, 1, b] - spans[m, 3, b], spans[m, 1, b] - groups[g, 3, b], 0.0)
        most_x = max(groups[g, 2, b] - spans[m, 0, b], spans[m, 2, b] - groups[g, 0, b])
        most_y = max(groups[g, 3, b] - spans[m, 1, b], spans[m, 3, b] - groups[g, 1, b])
        sin = min(spans[m, 4, b] + t, 1.0)
        xx, xy, yy = spans[m, 5, b], 2.0 * t * spans[m, 6, b], spans[m, 7, b]
        ahead = max(least_x * c - most_y * t - ego_length - length - width * sin, 0.0)
        aside = max(least_y * c - most_x * t - ego_width - width - length * sin, 0.0)
        if ahead * ahead < REACH * REACH * (xx + xy + t * t * yy) and aside * aside < REACH * REACH * (
            t * t * xx + xy + yy
        ):
            low = low if high else b * LANES
            high = (b + 1) * LANES
    return low, high


@no_type_check
@njit(cache=True, error_model="numpy", fastmath=FUSED)
def pair(own, states, found, i, m, low, high, ego_length, ego_width, length, width):
    """Chances of candidate i and mode m at the instants from `low` to `high`, and around them, into `found`."""
    for k in range(low // ROW * ROW, (high + ROW - 1) // ROW * ROW):
        dx, dy = states[m, 0, k] - own[i, 0, k], states[m, 1, k] - own[i, 1, k]
        chance = box_probability(
            dx, dy, own[i, 2, k], own[i, 3, k], states[m, 2, k], states[m, 3, k], states[m, 4, k], states[m, 5, k],
            states[m, 6, k], ego_length, ego_width, length, width,
        )  # fmt: skip
        found[k] = chance if dx * dx + dy * dy <= states[m, 7, k] else 0.0


@no_type_check
@njit(cache=True, error_model="numpy", fastmath=FUSED)
def within(own, states, i, m, low, high, ego_length, ego_width, length, width):
    """Number of instants at which contact is less than REACH deviations away along both of the ego's axes."""
    count = 0
    for k in range(low, high):
        dx, dy = states[m, 0, k] - own[i, 0, k], states[m, 1, k] - own[i, 1, k]
        c, s, other_c, other_s = own[i, 2, k], own[i, 3, k], states[m, 2, k], states[m, 3, k]
        xx, xy, yy = states[m, 4, k], states[m, 5, k], states[m, 6, k]
        cos, sin = abs(other_c * c + other_s * s), abs(other_s * c - other_c * s)
        across2 = max(s * s * xx - 2.0 * c * s * xy + c * c * yy, 1e-6)
        along2 = max(c * c * xx + 2.0 * c * s * xy + s * s * yy, 1e-6)
        aside = max(abs(dy * c - dx * s) - ego_width - length * sin - width * cos, 0.0)
        ahead = max(abs(dx * c + dy * s) - ego_length - length * cos - width * sin, 0.0)
        count += (aside * aside < REACH * REACH * across2) & (ahead * ahead < REACH * REACH * along2)
    return count


@no_type_check
@njit(cache=True)
def mode_lanes(pose, covariance, instants, axes, radius, half_length, half_width):
    """x, y, cos, sin at the steps `instants`, filled up to whole rows with the last one, xx, xy, yy of the covariance,
    and the squared distance of centres beyond which the circles around the boxes (that of the ego: `radius` m) are more
    than REACH deviations apart (row, 8, instant); and of each block the least x, y, the largest x, y, |sin|, xx, |xy|,
    yy in the axes (row, 8, block).
    """
    count = len(instants)
    blocks = (count + ROW - 1) // ROW * (ROW // LANES)
    out, around = np.empty((len(pose), 8, blocks * LANES)), np.zeros((len(pose), 8, blocks))
    around[:, :2], around[:, 2:4] = np.inf, -np.inf
    oc, os = axes[2], axes[3]
    for row in range(len(pose)):
        both = radius + math.hypot(half_length[row], half_width[row])
        for k in range(blocks * LANES):
            step, block = instants[min(k, count - 1)], k // LANES
            xx, xy, yy = covariance[row, step, 0], covariance[row, step, 1], covariance[row, step, 2]
            half = 0.5 * (xx - yy)
            variance = 0.5 * (xx + yy) + math.sqrt(half * half + xy * xy)
            away = both + REACH * math.sqrt(max(variance, 1e-6))
            for field in range(4):
                out[row, field, k] = pose[row, step, field]
            out[row, 4, k], out[row, 5, k], out[row, 6, k], out[row, 7, k] = xx, xy, yy, away * away
            x, y, _, s = turned(pose, row, step, axes)
            widen(around, row, block, x, y)
            along = oc * oc * xx + 2.0 * oc * os * xy + os * os * yy
            across = os * os * xx - 2.0 * oc * os * xy + oc * oc * yy
            mixed = abs(oc * os * (yy - xx) + (oc * oc - os * os) * xy)
            around[row, 4, block] = max(around[row, 4, block], abs(s))
            around[row, 5, block] = max(around[row, 5, block], along, 1e-6)
            around[row, 6, block] = max(around[row, 6, block], mixed)
            around[row, 7, block] = max(around[row, 7, block], across, 1e-6)
    return out, around


@no_type_check
@njit(cache=True)
def turned(pose, row, step, axes):
    """x, y, cos, sin of a pose in the axes."""
    dx, dy, oc, os = pose[row, step, 0] - axes[0], pose[row, step, 1] - axes[1], axes[2], axes[3]
    c, s = pose[row, step, 2], pose[row, step, 3]
    return dx * oc + dy * os, dy * oc - dx * os, c * oc + s * os, s * oc - c * os


@no_type_check
@njit(cache=True)
def widen(around, row, block, x, y):
    """Widen a rectangle to hold a position; NaN stays out."""
    around[row, 0, block] = x if x < around[row, 0, block] else around[row, 0, block]
    around[row, 1, block] = y if y < around[row, 1, block] else around[row, 1, block]
    around[row, 2, block] = x if x > around[row, 2, block] else around[row, 2, block]
    around[row, 3, block] = y if y > around[row, 3, block] else around[row, 3, block]
