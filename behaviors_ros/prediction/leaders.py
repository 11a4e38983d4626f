"""Who and what is ahead of each agent on each of its paths: the leader, a closed stop line, a stop sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import njit

from behaviors_ros.datatypes import Array
from behaviors_ros.prediction.agents import Agents
from behaviors_ros.prediction.lane_modes import leader_on, merging_on, stop_on
from behaviors_ros.prediction.roads import Roads


@dataclass(frozen=True, eq=False)
class Leaders:
    """leader: agent, -1 none; gap m, bumper to bumper; share: of the leader's motion that is along the lane, in [0, 1];
    merging: it is on another lane yet, and the gap the one there will be where the lanes join;
    line, sign: distance the agent may still go until its front is at a closed line or a stop sign, m. None: inf.
    """

    leader: Int[Array, "agent mode"]
    gap: Float[Array, "agent mode"]
    share: Float[Array, "agent mode"]
    merging: Bool[Array, "agent mode"]
    line: Float[Array, "agent mode"]
    sign: Float[Array, "agent mode"]


def leaders(
    agents: Agents, motion: Array, near: tuple[Array, ...], path: Array, count: Array, start: Array, roads: Roads,
    closed: Array, seen: Array,
) -> Leaders:  # fmt: skip
    """Look ahead along every path.

    near: what `lanes_near` found for these agents; closed: 1 for lanes with a closed stop line; seen: sight m, how
    far a box must reach into a lane m, largest angle to it of who moves rad, speed below which any angle counts m/s,
    how far away lanes may join m, how much later somebody nearer to there may be there s.
    """
    sight_m, intrusion_m, along_rad, blocking_mps, merge_m, merge_s = seen
    lane, s, d, heading, beyond = near
    angle = np.abs((motion[:, None] - heading + np.pi) % (2.0 * np.pi) - np.pi)
    inside = np.abs(d) - 0.5 * agents.width[:, None] < roads.half_width[lane] - intrusion_m
    along = (angle < along_rad) | (agents.speed[:, None] < blocking_mps)
    who, where = np.nonzero((lane >= 0) & inside & along & (np.abs(beyond) < 1.0) & agents.valid[:, None])
    order = np.lexsort((who, s[who, where], lane[who, where]))
    who, where = who[order], where[order]
    counts = np.bincount(lane[who, where], minlength=len(roads.id))
    occupied = np.concatenate([[0], np.cumsum(counts)])
    share = np.clip(np.cos(angle[who, where]), 0.0, 1.0)
    return Leaders(
        *_look(
            path,
            count,
            start,
            agents.length,
            agents.speed,
            occupied,
            s[who, where],
            who,
            share,
            roads.first,
            roads.s,
            roads.join,
            roads.predecessor,
            roads.stop_s,
            closed,
            roads.stop_sign,
            sight_m,
            merge_m,
            merge_s,
        )  # fmt: skip
    )


@no_type_check
@njit(cache=True)
def _look(
    path: Array, count: Array, start: Array, length: Array, speed: Array, occupied: Array, at: Array, who: Array,
    share: Array, first: Array, s: Array, join: Array, predecessor: Array, stop_s: Array, closed: Array,
    stop_sign: Array, sight: float, merge_m: float, merge_s: float,
) -> tuple[Array, Array, Array, Array, Array, Array]:  # fmt: skip
    n, modes = count.shape
    leader, gap = np.full((n, modes), -1, np.int64), np.full((n, modes), np.inf)
    part, line, sign = np.ones((n, modes)), np.full((n, modes), np.inf), np.full((n, modes), np.inf)
    merging = np.zeros((n, modes), np.bool_)
    for a in range(n):
        for m in range(modes):
            if count[a, m] == 0:
                continue
            entry, distance = leader_on(path[a, m], count[a, m], start[a, m], a, sight, first, s, occupied, at, who)
            if entry >= 0:
                leader[a, m], part[a, m] = who[entry], share[entry]
                gap[a, m] = distance - 0.5 * (length[a] + length[who[entry]])
            entry, nearer = merging_on(
                path[a, m], count[a, m], start[a, m], a, speed, merge_m, merge_s, first, s, join, predecessor, occupied,
                at, who, path[:, 0], count[:, 0],
            )  # fmt: skip
            if entry >= 0 and nearer < distance:
                leader[a, m], part[a, m], merging[a, m] = who[entry], 1.0, True
                gap[a, m] = nearer - 0.5 * (length[a] + length[who[entry]])
            front = start[a, m] + 0.5 * length[a]
            stand, halt = stop_on(path[a, m], count[a, m], front, first, s, stop_s, closed, stop_sign, sight)
            line[a, m], sign[a, m] = stand - front, halt - front
    return leader, gap, part, merging, line, sign
