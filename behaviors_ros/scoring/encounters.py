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

from behaviors_ros.scoring.corridors import (
    BINS,
    columns_range,
    corridor_run,
    free_times,
    gap_to,
    going_by,
    in_middle,
    offsets,
    passable,
    possible,
    reach_of,
)

Array = np.ndarray


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
    to, the agent that comes up behind; blocking: the nearest agent ahead, not oncoming, in the lane's middle now.
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
    blocking: int


@no_type_check
@njit(cache=True)
def columns(count, agents):
    """The fields of `Encounters` of nobody, without the last."""
    none, zero, never, unknown = np.full(count, -1), np.zeros(count, np.int64), np.full(count, np.inf), np.nan
    table = np.zeros((count, agents), np.bool_)
    return (
        np.zeros((count, agents), np.int8), table, table.copy(), none, zero, never, np.full(count, unknown),
        none.copy(), never.copy(), never.copy(), never.copy(), none.copy(), zero.copy(), never.copy(), none.copy(),
    )  # fmt: skip


@no_type_check
@njit(cache=True)
def encounters(s, d, speed, dt, agents, agent, state, stands, stride, known, extent, limits):
    """`Encounters` of candidates at arc length s and offset d (candidate, step) m, and `agents` agents in rows.

    known (agent,): 1 for those that mattered to the previous decision: near_s is half as long again; 2 for its subject,
    which remains the one that is named unless another is nearer by `Limits.nearer` m.
    """
    count = len(s)
    (
        order, contested, entered, cross, cross_order, cross_s, cross_at, lead, lead_s, lead_gap, headway, past,
        past_side, past_at, gap,
    ) = columns(count, agents)  # fmt: skip
    cross_rank, gap_s = np.full(count, np.inf), np.full(count, -np.inf)
    blocking, blocking_s = -1, np.inf
    low, high = reach_of(s)
    spacing = (max(high, low + 40.0) + extent.front - low) / (BINS - 1)
    lateral = offsets(s, d, low, spacing)
    left, right, furthest = columns_range(lateral, s, stride)
    reach, bins = extent.half_width + limits.margin, np.empty(state.shape[1], np.int64)
    for row in range(len(agent)):
        a = agent[row]
        start, stop = possible(state[row], low, spacing, right, left, reach, bins)
        rear = state[row, 0, 0] - state[row, 0, 2]
        if low + extent.front < rear < blocking_s and in_middle(state[row], stands[row], 0, extent):
            blocking, blocking_s = a, rear
        caught = passable(state[row], stands[row], furthest, extent)
        if start >= stop and not caught:
            continue
        near_s = limits.near_s * (1.5 if known[a] > 0 else 1.0)
        for i in range(count):
            if order[i, a] != 0 or math.isnan(s[i, -1]):
                continue
            first, last, begin, end = corridor_run(lateral[i], bins, state[row], reach, start, stop)
            k, beside = going_by(s[i], d[i], state[row], stride, extent) if caught else (-1, 0)
            if k >= 0 and (first < 0 or k < first) and k * stride * dt < past_at[i]:
                past[i], past_side[i], past_at[i] = a, beside, k * stride * dt
            if first < 0:
                continue
            here = state[row, first, 0]
            before = s[i, first * stride] + extent.centre > here
            order[i, a] = 1 if before else 2
            if first == 0 and (before or state[row, 0, 4] > 0.5 or stands[row]):
                if not before and begin < lead_s[i]:
                    lead[i], lead_s[i] = a, begin
                    lead_gap[i], headway[i] = gap_to(s[i], speed[i], state[row], stride, extent, last)
                continue
            comes, clears = free_times(s[i, 0], speed[i, 0], begin, end, extent, limits.acceleration)
            enters = first * stride * dt
            if comes < last * stride * dt + near_s and clears > enters - near_s:
                contested[i, a], entered[i, a] = True, comes == 0.0 and state[row, first, 4] < 0.5
                rank = begin - (limits.nearer if known[a] == 2 else 0.0)
                if rank < cross_rank[i]:
                    cross_rank[i] = rank
                    cross[i], cross_order[i], cross_s[i], cross_at[i] = a, order[i, a], begin, enters
                if before and state[row, 0, 0] < s[i, 0] + extent.front and here > gap_s[i]:
                    gap[i], gap_s[i] = a, here
    return Encounters(
        order, contested, entered, cross, cross_order, cross_s, cross_at, lead, lead_s, lead_gap, headway, past,
        past_side, past_at, gap, blocking,
    )  # fmt: skip
