"""Numba kernel: the chance of collision of every candidate over time, from modes and covariances.

Instants lie beside each other in memory and loops over them are free of branches and of reading what they write, so
that several are worked out at once. Arguments as in `contact.py`; what a pair's chance is says `geometry/chance.py`.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.geometry.chance import FUSED, box_probability
from behaviors_ros.scoring.blocks import GROUP
from behaviors_ros.scoring.contact import rear_contact

LANES = 4  # instants of a block


@no_type_check
@njit(cache=True)
def chance(ego, modes, steps, stride):
    """Chance of collision (candidate, instant) at every `stride`-th step below `steps`.

    Modes of an agent exclude each other: their chances, weighed by probability, add. Agents are independent:
    1 - product of (1 - chance). What would not be the ego's fault (`first_contact`) is left out, and so is an agent
    that was right behind the ego at step 0 while it is behind. Where circles around the boxes are more than 4
    deviations apart, the chance counts as 0.
    """
    e, a, probability, behind, agent = ego.pose, modes.pose, modes.probability, modes.behind, modes.agent
    ego_length, ego_width, half_length, half_width = (
        ego.half_length,
        ego.half_width,
        modes.half_length,
        modes.half_width,
    )
    count = (steps + stride - 1) // stride
    radius = math.hypot(ego_length, ego_width)
    own, groups = lanes(e, count, stride, ego.axes)
    states, spans = mode_lanes(a, modes.covariance, count, stride, ego.axes, radius, half_length, half_width)
    free, found, of_agent = np.ones((len(e), own.shape[2])), np.empty(own.shape[2]), np.zeros((GROUP, own.shape[2]))
    for g in range(len(groups)):
        first, end, touched = g * GROUP, min((g + 1) * GROUP, len(e)), False
        for m in range(len(a)):
            length, width = half_length[m], half_width[m]
            low, high = meeting_span(groups, g, spans, m, ego_length, ego_width, length, width)
            for i in range(first, end if low < high else first):
                if within(own, states, i, m, low, high, ego_length, ego_width, length, width) == 0:
                    continue
                touched = True
                pair(own, states, found, i, m, low, high, ego_length, ego_width, length, width)
                if behind[m]:
                    told = rear_contact(e, a, i, m, ego_length, ego_width, ego.offset, length, width, 0.0)
                    forgive(own, states, found, i, m, low, high, ego.offset, (told + stride - 1) // stride)
                for k in range(low, high):
                    of_agent[i - first, k] += probability[m] * found[k]
            if touched and (m + 1 == len(a) or agent[m + 1] != agent[m]):
                touched = False
                for i in range(first, end):
                    for k in range(own.shape[2]):
                        free[i, k] *= 1.0 - min(of_agent[i - first, k], 1.0)
                        of_agent[i - first, k] = 0.0
    out = 1.0 - free[:, :count]
    for i in range(len(e)):
        out[i, : (ego.stood[i] + stride) // stride] = 0.0
    return out


@no_type_check
@njit(cache=True)
def meeting_span(groups, g, spans, m, ego_length, ego_width, length, width):
    """First instant of the first block, and last (exclusive) of the last, in which contact of mode m with any candidate
    of group g may be less than 4 deviations away along both of the ego's axes.

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
        if ahead * ahead < 16.0 * (xx + xy + t * t * yy) and aside * aside < 16.0 * (t * t * xx + xy + yy):
            low = low if high else b * LANES
            high = (b + 1) * LANES
    return low, high


@no_type_check
@njit(cache=True, error_model="numpy", fastmath=FUSED)
def pair(own, states, found, i, m, low, high, ego_length, ego_width, length, width):
    """Chances of candidate i and mode m at the instants from `low` to `high` into `found`."""
    for k in range(low, high):
        dx, dy = states[m, 0, k] - own[i, 0, k], states[m, 1, k] - own[i, 1, k]
        chance = box_probability(
            dx, dy, own[i, 2, k], own[i, 3, k], states[m, 2, k], states[m, 3, k], states[m, 4, k], states[m, 5, k],
            states[m, 6, k], ego_length, ego_width, length, width,
        )  # fmt: skip
        found[k] = chance if dx * dx + dy * dy <= states[m, 7, k] else 0.0


@no_type_check
@njit(cache=True)
def forgive(own, states, found, i, m, low, high, offset, until):
    """No chance while an agent that was right behind the ego is behind, nor after it ran into the ego (`until`)."""
    for k in range(low, high):
        dx, dy = states[m, 0, k] - own[i, 0, k], states[m, 1, k] - own[i, 1, k]
        if k >= until or dx * own[i, 2, k] + dy * own[i, 3, k] + offset < 0.0:
            found[k] = 0.0


@no_type_check
@njit(cache=True, error_model="numpy", fastmath=FUSED)
def within(own, states, i, m, low, high, ego_length, ego_width, length, width):
    """Number of instants at which contact is less than 4 deviations away along both of the ego's axes."""
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
        count += (aside * aside < 16.0 * across2) & (ahead * ahead < 16.0 * along2)
    return count


@no_type_check
@njit(cache=True)
def lanes(pose, count, stride, axes):
    """x, y, cos, sin (row, 4, instant), filled up to whole blocks with the last instant; and of each block of each
    GROUP rows the least x, y, the largest x, y, the least cos and the largest |sin| in the axes (group, 6, block).
    """
    blocks = (count + LANES - 1) // LANES
    out, around = np.empty((len(pose), 4, blocks * LANES)), np.empty(((len(pose) + GROUP - 1) // GROUP, 6, blocks))
    around[:, :2], around[:, 2:4], around[:, 4], around[:, 5] = np.inf, -np.inf, 1.0, 0.0
    for row in range(len(pose)):
        for k in range(blocks * LANES):
            step, block, group = min(k, count - 1) * stride, k // LANES, row // GROUP
            for field in range(4):
                out[row, field, k] = pose[row, step, field]
            x, y, c, s = turned(pose, row, step, axes)
            widen(around, group, block, x, y)
            around[group, 4, block] = min(around[group, 4, block], c)
            around[group, 5, block] = max(around[group, 5, block], abs(s))
    return out, around


@no_type_check
@njit(cache=True)
def mode_lanes(pose, covariance, count, stride, axes, radius, half_length, half_width):
    """As `lanes`, with xx, xy, yy of the covariance and the squared distance of centres beyond which the circles around
    the boxes (that of the ego: `radius` m) are more than 4 deviations apart (row, 8, instant); and of each block the
    least x, y, the largest x, y, |sin|, xx, |xy|, yy in the axes (row, 8, block).
    """
    blocks = (count + LANES - 1) // LANES
    out, around = np.empty((len(pose), 8, blocks * LANES)), np.zeros((len(pose), 8, blocks))
    around[:, :2], around[:, 2:4] = np.inf, -np.inf
    oc, os = axes[2], axes[3]
    for row in range(len(pose)):
        both = radius + math.hypot(half_length[row], half_width[row])
        for k in range(blocks * LANES):
            step, block = min(k, count - 1) * stride, k // LANES
            xx, xy, yy = covariance[row, step, 0], covariance[row, step, 1], covariance[row, step, 2]
            half = 0.5 * (xx - yy)
            variance = 0.5 * (xx + yy) + math.sqrt(half * half + xy * xy)
            away = both + 4.0 * math.sqrt(max(variance, 1e-6))
            for field in range(4):
                out[row, field, k] = pose[row, step, field]
            out[row, 4, k], out[row, 5, k], out[row, 6, k], out[row, 7, k] = xx, xy, yy, away * away
            x, y, _, s = turned(pose, row, step, axes)
            widen(around, row, block, x, y)
            along, across = (
                oc * oc * xx + 2.0 * oc * os * xy + os * os * yy,
                os * os * xx - 2.0 * oc * os * xy + oc * oc * yy,
            )
            mixed = abs(oc * os * (yy - xx) + (oc * oc - os * os) * xy)
            around[row, 4, block], around[row, 5, block] = (
                max(around[row, 4, block], abs(s)),
                max(around[row, 5, block], along, 1e-6),
            )
            around[row, 6, block], around[row, 7, block] = (
                max(around[row, 6, block], mixed),
                max(around[row, 7, block], across, 1e-6),
            )
    return out, around


@no_type_check
@njit(cache=True)
def turned(pose, row, step, axes):
    """x, y, cos, sin of a pose in the axes."""
    dx, dy, c, s = pose[row, step, 0] - axes[0], pose[row, step, 1] - axes[1], pose[row, step, 2], pose[row, step, 3]
    return (
        dx * axes[2] + dy * axes[3],
        dy * axes[2] - dx * axes[3],
        c * axes[2] + s * axes[3],
        s * axes[2] - c * axes[3],
    )


@no_type_check
@njit(cache=True)
def widen(around, row, block, x, y):
    """Widen a rectangle to hold a position; NaN stays out."""
    around[row, 0, block] = x if x < around[row, 0, block] else around[row, 0, block]
    around[row, 1, block] = y if y < around[row, 1, block] else around[row, 1, block]
    around[row, 2, block] = x if x > around[row, 2, block] else around[row, 2, block]
    around[row, 3, block] = y if y > around[row, 3, block] else around[row, 3, block]
