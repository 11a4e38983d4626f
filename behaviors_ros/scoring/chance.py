"""Numba kernel: the chance of collision of every candidate over time, from modes and covariances.

Arguments as in `contact.py`; what a pair's chance is says `geometry/chance.py`, how instants lie in memory
`geometry/chance_lanes.py`.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.geometry.chance_lanes import LANES, ROW, meeting_span, mode_lanes, pair, turned, widen, within
from behaviors_ros.scoring.blocks import GROUP
from behaviors_ros.scoring.contact import rear_contact


@no_type_check
@njit(cache=True)
def chance(ego, modes, instants):
    """Chance of collision (candidate, instant) at the steps `instants`, in ascending order.

    Modes of an agent exclude each other: their chances, weighed by probability, add. Agents are independent:
    1 - product of (1 - chance). What would not be the ego's fault (`first_contact`) is left out, and so is an agent
    that was right behind the ego at step 0 while it is behind. Where contact is more than `REACH`
    deviations away, the chance counts as 0.
    """
    e, a, probability, behind, agent = ego.pose, modes.pose, modes.probability, modes.behind, modes.agent
    ego_length, ego_width = ego.half_length, ego.half_width
    half_length, half_width = modes.half_length, modes.half_width
    radius = math.hypot(ego_length, ego_width)
    own, groups = lanes(e, instants, ego.axes)
    states, spans = mode_lanes(a, modes.covariance, instants, ego.axes, radius, half_length, half_width)
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
                    forgive(own, states, found, i, m, low, high, ego.offset, np.searchsorted(instants, told))
                for k in range(low, high):
                    of_agent[i - first, k] += probability[m] * found[k]
            if touched and (m + 1 == len(a) or agent[m + 1] != agent[m]):
                touched = False
                for i in range(first, end):
                    for k in range(own.shape[2]):
                        free[i, k] *= 1.0 - min(of_agent[i - first, k], 1.0)
                        of_agent[i - first, k] = 0.0
    out = 1.0 - free[:, : len(instants)]
    for i in range(len(e)):
        out[i, : np.searchsorted(instants, ego.stood[i] + 1)] = 0.0
    return out


@no_type_check
@njit(cache=True)
def forgive(own, states, found, i, m, low, high, offset, until):
    """No chance while an agent that was right behind the ego is behind, nor after it ran into the ego (`until`)."""
    for k in range(low, high):
        dx, dy = states[m, 0, k] - own[i, 0, k], states[m, 1, k] - own[i, 1, k]
        if k >= until or dx * own[i, 2, k] + dy * own[i, 3, k] + offset < 0.0:
            found[k] = 0.0


@no_type_check
@njit(cache=True)
def lanes(pose, instants, axes):
    """x, y, cos, sin (row, 4, instant), filled up to whole rows with the last instant; and of each block of each
    GROUP rows the least x, y, the largest x, y, the least cos and the largest |sin| in the axes (group, 6, block).
    """
    count = len(instants)
    blocks = (count + ROW - 1) // ROW * (ROW // LANES)
    out, around = np.empty((len(pose), 4, blocks * LANES)), np.empty(((len(pose) + GROUP - 1) // GROUP, 6, blocks))
    around[:, :2], around[:, 2:4], around[:, 4], around[:, 5] = np.inf, -np.inf, 1.0, 0.0
    for row in range(len(pose)):
        for k in range(blocks * LANES):
            step, block, group = instants[min(k, count - 1)], k // LANES, row // GROUP
            for field in range(4):
                out[row, field, k] = pose[row, step, field]
            x, y, c, s = turned(pose, row, step, axes)
            widen(around, group, block, x, y)
            around[group, 4, block] = min(around[group, 4, block], c)
            around[group, 5, block] = max(around[group, 5, block], abs(s))
    return out, around
