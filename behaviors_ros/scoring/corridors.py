"""Numba kernels of the decision layer: a candidate's corridor along the route, and one agent in it or beside it.

Offsets of candidates are taken at BINS arc lengths. An agent's state (sample, 5) is that of `along.Along`.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

BINS = 96


@no_type_check
@njit(cache=True)
def offsets(s, d, low, spacing):
    """Offset (candidate, BINS) of each candidate when it has come to arc lengths from `low` on, `spacing` m apart.

    At the first step there, which is at most a step's change off; held beyond both ends.
    """
    out, last = np.empty((len(s), BINS)), s.shape[1] - 1
    for i in range(len(s)):
        step = 0
        for b in range(BINS):
            while step < last and s[i, step] < low + b * spacing:
                step += 1
            out[i, b] = d[i, step]
    return out


@no_type_check
@njit(cache=True)
def columns_range(lateral, s, stride):
    """Largest and smallest offset (BINS,) and largest arc length (sample,) of all candidates, m; NaN stays out."""
    left, right = np.full(BINS, -np.inf), np.full(BINS, np.inf)
    furthest = np.full((s.shape[1] + stride - 1) // stride, -np.inf)
    for i in range(len(s)):
        for b in range(BINS):
            at = lateral[i, b]
            left[b], right[b] = at if at > left[b] else left[b], at if at < right[b] else right[b]
        for k in range(len(furthest)):
            furthest[k] = s[i, k * stride] if s[i, k * stride] > furthest[k] else furthest[k]
    return left, right, furthest


@no_type_check
@njit(cache=True)
def free_time(distance, speed, acceleration):
    """Time to cover `distance` m from `speed` at a constant acceleration, s: 0 when there already."""
    if distance <= 0.0:
        return 0.0
    return (math.sqrt(speed * speed + 2.0 * acceleration * distance) - speed) / acceleration


@no_type_check
@njit(cache=True)
def free_times(s, speed, begin, end, extent, acceleration):
    """When the ego at `s` m, unhindered, comes to the area from `begin` to `end` m, and when it has left it, s."""
    v = max(speed, 0.0)
    return (
        free_time(begin - s - extent.front, v, acceleration),
        free_time(end - s + extent.rear, v, acceleration),
    )


@no_type_check
@njit(cache=True)
def possible(state, low, spacing, right, left, reach, bins):
    """First and one past the last sample at which an agent may be in a corridor at all; fills its `bins` (sample,).

    right, left (BINS,): the range of all candidates' offsets.
    """
    first, end = len(state), 0
    for k in range(len(state)):
        b = max(int((state[k, 0] - low) / spacing + 0.5), 0)
        bins[k] = b
        room = reach + state[k, 3]
        if b < BINS and right[b] - room < state[k, 1] < left[b] + room:
            first, end = min(first, k), k + 1
    return first, end


@no_type_check
@njit(cache=True)
def corridor_run(lateral, bins, state, reach, start, end):
    """First and last sample at which an agent is continuously in the corridor, and the arc lengths it covers; -1."""
    first, last, rear, front = -1, -1, 0.0, 0.0
    for k in range(start, end):
        if bins[k] < BINS and abs(state[k, 1] - lateral[bins[k]]) < reach + state[k, 3]:
            if first < 0:
                first, rear, front = k, state[k, 0] - state[k, 2], state[k, 0] + state[k, 2]
            last = k
            rear, front = min(rear, state[k, 0] - state[k, 2]), max(front, state[k, 0] + state[k, 2])
        elif first >= 0:
            break
    return first, last, rear, front


@no_type_check
@njit(cache=True)
def in_middle(state, stands, k, extent):
    """Whether an agent that goes the ego's way, or stands, blocks the lane's middle at a sample."""
    return (stands or state[k, 4] > 0.5) and abs(state[k, 1]) < extent.half_width + state[k, 3]


@no_type_check
@njit(cache=True)
def passable(state, stands, furthest, extent):
    """Whether an agent blocks the lane's middle where a candidate may have caught up with it.

    furthest (sample,): largest arc length of any candidate, m.
    """
    for k in range(len(state)):
        if in_middle(state, stands, k, extent) and furthest[k] + extent.front > state[k, 0] - state[k, 2]:
            return True
    return False


@no_type_check
@njit(cache=True)
def going_by(s, d, state, stride, extent):
    """First sample at which a candidate is beside a `passable` agent in the lane's middle, and its side; -1, 0."""
    if state[0, 0] + state[0, 2] < s[0] - extent.rear:
        return -1, 0
    for k in range(len(state)):
        step = k * stride
        if s[step] + extent.front > state[k, 0] - state[k, 2]:
            if s[step] - extent.rear > state[k, 0] + state[k, 2]:
                return -1, 0
            blocks = abs(state[k, 1]) < extent.half_width + state[k, 3]
            return (k, 1 if d[step] > state[k, 1] else -1) if blocks else (-1, 0)
    return -1, 0


@no_type_check
@njit(cache=True)
def gap_to(s, speed, state, stride, extent, last):
    """Gap to an agent ahead at the end, m, infinite when it leaves before, and the least headway until `last`, s."""
    least, away = np.inf, np.inf
    for k in range(last + 1):
        away = state[k, 0] - state[k, 2] - s[k * stride] - extent.front
        least = min(least, max(away, 0.0) / max(speed[k * stride], 1.0))
    return away if last == len(state) - 1 else np.inf, least


@no_type_check
@njit(cache=True)
def reach_of(s):
    """Least arc length at the start and largest at all of the candidates, m; NaN stays out."""
    low, high = np.inf, -np.inf
    for i in range(len(s)):
        low = s[i, 0] if s[i, 0] < low else low
        for k in range(s.shape[1]):
            high = s[i, k] if s[i, k] > high else high
    return low, high
