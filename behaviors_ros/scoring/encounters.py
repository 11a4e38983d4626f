"""Numba kernel of the decision layer: in which order candidates and agents use what both use of the route.

In the plane of arc length and time an agent that is in a candidate's corridor is an obstacle; the candidate passes it
above (before) or below (behind). That choice for every agent is the candidate's homotopy class.
"""

from __future__ import annotations

import math
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import njit

Array = np.ndarray
BINS = 96


class Extent(NamedTuple):
    """The ego along the route, m: rear axle to front and rear end and to the centre, half its width."""

    front: float
    rear: float
    centre: float
    half_width: float


class Limits(NamedTuple):
    """margin m: added to the half widths; acceleration m/s^2, near_s s, nearer m: see `Meaning`."""

    margin: float
    acceleration: float
    near_s: float
    nearer: float


class Encounters(NamedTuple):
    """What the kernel finds for every candidate. Agents are rows of the predictions, -1 none.

    order, contested, entered: see `Decisions`. cross: of the contested agents that come into the corridor the nearest
    along it, its order, the arc length (m) at which and the time (s) from which it is there; lead: the agent ahead that
    is in the corridor now, its gap at the end (m) and the least gap over time as time headway (s); past: the agent
    ahead that the candidate goes by, and on which side of it the ego is (+1 left); gap: in a corridor the ego shifts
    to, the agent that comes up behind.
    """

    order: Int[Array, "candidate agent"]
    contested: Bool[Array, "candidate agent"]
    entered: Bool[Array, "candidate agent"]
    cross: Int[Array, "candidate"]
    cross_order: Int[Array, "candidate"]
    cross_s: Float[Array, "candidate"]
    cross_at_s: Float[Array, "candidate"]
    lead: Int[Array, "candidate"]
    lead_s: Float[Array, "candidate"]
    lead_gap: Float[Array, "candidate"]
    headway_s: Float[Array, "candidate"]
    past: Int[Array, "candidate"]
    past_side: Int[Array, "candidate"]
    past_at_s: Float[Array, "candidate"]
    gap: Int[Array, "candidate"]


@no_type_check
@njit(cache=True)
def offsets(s, d, low, spacing):
    """Offset (candidate, BINS) of each candidate at arc lengths from `low` on, `spacing` m apart; held at its ends."""
    out = np.empty((len(s), BINS))
    for i in range(len(s)):
        step, last = 0, s.shape[1] - 1
        for b in range(BINS):
            at = low + b * spacing
            while step < last and s[i, step + 1] < at:
                step += 1
            after = min(step + 1, last)
            span = s[i, after] - s[i, step]
            part = min(max((at - s[i, step]) / span, 0.0), 1.0) if span > 1e-9 else 0.0
            out[i, b] = d[i, step] + part * (d[i, after] - d[i, step])
    return out


@no_type_check
@njit(cache=True)
def free_time(distance, speed, acceleration):
    """Time to cover `distance` m from `speed` at a constant acceleration, s: 0 when there already."""
    if distance <= 0.0:
        return 0.0
    return (math.sqrt(speed * speed + 2.0 * acceleration * distance) - speed) / acceleration


@no_type_check
@njit(cache=True)
def corridor_run(lateral, low, spacing, state, reach):
    """First and last sample at which an agent is continuously in the corridor, and the arc lengths it covers; -1."""
    first, last, begin, end = -1, -1, 0.0, 0.0
    for k in range(len(state)):
        b = int((state[k, 0] - low) / spacing + 0.5)
        inside = b < len(lateral) and abs(state[k, 1] - lateral[max(b, 0)]) < reach + state[k, 3]
        if inside:
            if first < 0:
                first, begin, end = k, state[k, 0] - state[k, 2], state[k, 0] + state[k, 2]
            last = k
            begin, end = min(begin, state[k, 0] - state[k, 2]), max(end, state[k, 0] + state[k, 2])
        elif first >= 0:
            break
    return first, last, begin, end


@no_type_check
@njit(cache=True)
def going_by(s, d, state, stride, extent, stands):
    """First sample at which a candidate is beside an agent ahead that blocks the lane's middle, and its side; -1, 0."""
    if state[0, 0] + state[0, 2] < s[0] - extent.rear or (state[0, 4] < 0.5 and not stands):
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
def encounters(s, d, speed, dt, agents, agent, state, stands, stride, known, extent, limits):
    """`Encounters` of candidates at arc length s and offset d (candidate, step) m, and `agents` agents in rows.

    known (agent,): 1 for those that mattered to the previous decision: near_s is half as long again; 2 for its subject,
    which remains the one that is named unless another is nearer by `Limits.nearer` m.
    """
    count = len(s)
    order, contested = np.zeros((count, agents), np.int8), np.zeros((count, agents), np.bool_)
    entered = np.zeros((count, agents), np.bool_)
    cross, cross_order = np.full(count, -1), np.zeros(count, np.int64)
    cross_s, cross_at, cross_rank = np.full(count, np.inf), np.full(count, np.nan), np.full(count, np.inf)
    lead, lead_s = np.full(count, -1), np.full(count, np.inf)
    lead_gap, headway = np.full(count, np.inf), np.full(count, np.inf)
    past, past_side, past_at = np.full(count, -1), np.zeros(count, np.int64), np.full(count, np.inf)
    gap, gap_s = np.full(count, -1), np.full(count, -np.inf)
    low, high = s[:, 0].min(), max(s.max(), s[:, 0].min() + 40.0) + extent.front
    spacing = (high - low) / (BINS - 1)
    lateral = offsets(s, d, low, spacing)
    left, right, reach = d.max(), d.min(), extent.half_width + limits.margin
    for row in range(len(agent)):
        a, side = agent[row], state[row, :, 3].max()
        if state[row, :, 1].min() - side > left + reach or state[row, :, 1].max() + side < right - reach:
            continue
        if state[row, :, 0].min() - state[row, :, 2].max() > high:
            continue
        near_s = limits.near_s * (1.5 if known[a] > 0 else 1.0)
        for i in range(count):
            if order[i, a] != 0 or math.isnan(s[i, -1]):
                continue
            first, last, begin, end = corridor_run(lateral[i], low, spacing, state[row], reach)
            k, beside = going_by(s[i], d[i], state[row], stride, extent, stands[row])
            if k >= 0 and (first < 0 or k < first) and k * stride * dt < past_at[i]:
                past[i], past_side[i], past_at[i] = a, beside, k * stride * dt
            if first < 0:
                continue
            centre, here = s[i, first * stride] + extent.centre, state[row, first, 0]
            before = centre > here
            order[i, a] = 1 if before else 2
            if first == 0 and before:
                continue
            if first == 0 and (state[row, 0, 4] > 0.5 or stands[row]):
                if begin < lead_s[i]:
                    lead[i], lead_s[i] = a, begin
                    lead_gap[i], headway[i] = gap_to(s[i], speed[i], state[row], stride, extent, last)
                continue
            enters, leaves = first * stride * dt, last * stride * dt
            comes = free_time(begin - s[i, 0] - extent.front, max(speed[i, 0], 0.0), limits.acceleration)
            clears = free_time(end - s[i, 0] + extent.rear, max(speed[i, 0], 0.0), limits.acceleration)
            if comes < leaves + near_s and clears > enters - near_s:
                contested[i, a], entered[i, a] = True, comes == 0.0
                rank = begin - (limits.nearer if known[a] == 2 else 0.0)
                if rank < cross_rank[i]:
                    cross_rank[i] = rank
                    cross[i], cross_order[i], cross_s[i], cross_at[i] = a, order[i, a], begin, enters
                if before and state[row, 0, 0] < s[i, 0] + extent.front and here > gap_s[i]:
                    gap[i], gap_s[i] = a, here
    return Encounters(
        order, contested, entered, cross, cross_order, cross_s, cross_at, lead, lead_s, lead_gap, headway, past,
        past_side, past_at, gap,
    )  # fmt: skip
