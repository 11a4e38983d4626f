"""How hard others must brake for a candidate: the courtesy of going before them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Candidates, Predictions, Scene
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.scoring.blocks import BLOCK, GROUP, block_rectangles, near_blocks
from behaviors_ros.scoring.blocks import near as near_block
from behaviors_ros.scoring.contact import gap
from behaviors_ros.scoring.footprint import ego_boxes, foreseeable, mode_boxes, near, solid

Array = np.ndarray


class Reaction(Parameters):
    """How others are expected to react to the ego in front of them."""

    reaction_s: float = value(0.8, "time before one brakes for the ego that came in front of it", low=0.0, high=3.0)
    gap_m: float = value(2.0, "gap that it keeps", low=0.0, high=10.0)
    probability_min: float = value(0.3, "modes less probable than this do not count", low=0.0, high=1.0)
    aside_m: float = value(0.5, "lateral motion from which on it was the ego that came in", low=0.0, high=3.0)
    most_mps2: float = value(10.0, "braking beyond which it is not told how much", low=1.0, high=20.0)


class Imposed(NamedTuple):
    """Largest constant braking of an agent, m/s^2: by any candidate, and only where the ego has moved aside first."""

    any: Float[Array, "candidate"]
    aside: Float[Array, "candidate"]


@lru_cache(maxsize=2)
def imposed(
    scene: Scene, predictions: Predictions, candidates: Candidates, vehicle: Vehicle, reaction: Reaction
) -> Imposed:
    """The braking each candidate asks of others, NaN where one has no future. Cached, for a gate and a scorer ask."""
    if not foreseeable(predictions):
        return Imposed(np.full(len(candidates), np.nan), np.full(len(candidates), np.nan))
    boxes = ego_boxes(candidates, vehicle)
    agents = solid(predictions) & near(predictions, boxes, reaction.gap_m)
    modes = mode_boxes(scene, predictions, agents, reaction.probability_min)
    dt_s = float(candidates.time_s[1] - candidates.time_s[0])
    return Imposed(
        *needed_braking(
            boxes, modes, candidates.d, dt_s, reaction.reaction_s, reaction.gap_m, reaction.aside_m, reaction.most_mps2
        )
    )


@no_type_check
@njit(cache=True)
def needed_braking(ego, modes, d, dt, reaction, keep, aside, most):
    """Both columns of `Imposed`.

    An agent that goes on as predicted has the gap g(t) to the ego ahead of it in its way; braking with b from a
    reaction time after t0, when the ego came in front, it has g(t) + b (t - t0 - reaction)^2 / 2, which must not fall
    below the gap it keeps. Only pairs whose boxes come that near ask for anything.
    """
    e, a, groups = ego.pose, modes.pose, ego.groups
    blocks = block_rectangles(a, modes.half_length, modes.half_width, ego.axes, a.shape[1], 1, 0.0, 0.0, 0.0)
    asked, by_side, close = np.zeros(len(e)), np.zeros(len(e)), np.zeros(groups.shape[2], np.bool_)
    for m in range(len(a)):
        length, width = modes.half_length[m], modes.half_width[m]
        for g in range(len(groups)):
            # Boxes whose sides are separated by `keep` are at most sqrt(2) times that apart in other axes.
            if modes.behind[m] or not near_blocks(groups, g, blocks, m, 1.5 * keep, close):
                continue
            for i in range(g * GROUP, min((g + 1) * GROUP, len(e))):
                step = first_near(ego, a, i, m, blocks, close, length, width, keep)
                if step < 0 or step <= ego.stood[i]:
                    continue
                start, needed = braking_of(e[i], a[m], step, dt, reaction, keep, most, ego, length, width)
                asked[i] = max(asked[i], needed)
                if needed > 0.0 and abs(d[i, start] - d[i, 0]) >= aside:
                    by_side[i] = max(by_side[i], needed)
    return asked, by_side


@no_type_check
@njit(cache=True)
def first_near(ego, a, i, m, blocks, close, length, width, keep):
    """First step at which candidate i and mode m are nearer than `keep` m, -1 if at none."""
    e, step = ego.pose, 0
    while step < e.shape[1]:
        block = step // BLOCK
        if not close[block] or not near_block(ego.blocks, i, blocks, m, block, 1.5 * keep):
            step = (block + 1) * BLOCK
            continue
        x, y, cos, sin = ahead_of(e[i, step], a[m, step])
        if gap(x, y, cos, sin, length, width, ego.half_length, ego.half_width) < keep:
            return step
        step += 1
    return -1


@no_type_check
@njit(cache=True)
def ahead_of(e, a):
    """Centre x, y (m) and cos, sin of the yaw of the ego's box in the axes of an agent's. e, a: poses."""
    dx, dy = e[0] - a[0], e[1] - a[1]
    return dx * a[2] + dy * a[3], dy * a[2] - dx * a[3], e[2] * a[2] + e[3] * a[3], e[3] * a[2] - e[2] * a[3]


@no_type_check
@njit(cache=True)
def braking_of(e, a, near_step, dt, reaction, keep, most, ego, length, width):
    """Step at which the ego comes in front of an agent, and the braking needed from a reaction time after it on.

    Zero when the ego is in front of it now already, or comes in beside it or behind it.
    """
    start, needed = -1, 0.0
    for step in range(len(e)):
        x, y, cos, sin = ahead_of(e[step], a[step])
        in_way = abs(y) < width + ego.half_length * abs(sin) + ego.half_width * abs(cos)
        room = x - length - ego.half_length * abs(cos) - ego.half_width * abs(sin)
        if start < 0:
            if not in_way or x <= 0.0:
                if step > near_step:
                    return 0, 0.0
                continue
            if step == 0 or room < 0.0:
                return 0, 0.0
            start = step
        elif not in_way:
            break
        if room < keep and step >= near_step:
            time = (step - start) * dt - reaction
            needed = max(needed, min(2.0 * (keep - room) / (time * time), most) if time > 0.0 else most)
    return start, needed
