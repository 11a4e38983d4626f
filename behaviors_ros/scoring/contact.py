"""Numba kernels over (candidate, mode) pairs of boxes: first contact.

All take `footprint.EgoBoxes` and `footprint.ModeBoxes`, unpacked first: access in a loop costs more than arithmetic.
Pairs are pruned by the rectangles of `blocks.py`.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.scoring.blocks import BLOCK, GROUP, block_rectangles, near, near_blocks


@no_type_check
@njit(cache=True)
def relative(e, a, i, m, step):
    """Centre x, y (m) and cos, sin of the yaw of mode m in the axes of the ego's box of candidate i."""
    c, s = e[i, step, 2], e[i, step, 3]
    dx, dy = a[m, step, 0] - e[i, step, 0], a[m, step, 1] - e[i, step, 1]
    cos, sin = a[m, step, 2] * c + a[m, step, 3] * s, a[m, step, 3] * c - a[m, step, 2] * s
    return dx * c + dy * s, dy * c - dx * s, cos, sin


@no_type_check
@njit(cache=True)
def gap(x, y, cos, sin, ego_length, ego_width, length, width):
    """Largest separation along the side directions of two boxes, m; negative: they overlap (separating axis theorem).

    x, y, cos, sin: pose of the other box in the ego's axes; half sizes.
    """
    c, s = abs(cos), abs(sin)
    along = abs(x) - ego_length - length * c - width * s
    across = abs(y) - ego_width - length * s - width * c
    other_along = abs(x * cos + y * sin) - length - ego_length * c - ego_width * s
    other_across = abs(y * cos - x * sin) - width - ego_length * s - ego_width * c
    return max(max(along, across), max(other_along, other_across))


@no_type_check
@njit(cache=True)
def rear_contact(e, a, i, m, ego_length, ego_width, offset, length, width, margin):
    """First step at which mode m, right behind the ego since step 0, runs into candidate i, else all steps.

    That is not the ego's fault, and from then on the mode no longer tells where the agent is. e, a: poses.
    """
    for step in range(e.shape[1]):
        x, y, cos, sin = relative(e, a, i, m, step)
        if gap(x, y, cos, sin, ego_length, ego_width, length, width) < margin:
            return step
        if x + offset >= 0.0 or cos <= 0.5:
            break
    return e.shape[1]


@no_type_check
@njit(cache=True)
def first_contact(ego, modes, near_steps, steps, margin, exposed):
    """First step (candidate,) below `steps` at which boxes are nearer than `margin` m by the ego's fault, else `steps`.

    From `near_steps` on only agents that come towards the ego (more than 120 deg from its heading) count, and only for
    the candidates that are `exposed`.

    Not the ego's fault: it has stood still since step 0, or the agent has run into it from behind (`rear_contact`).
    """
    e, a, ego_length, ego_width = ego.pose, modes.pose, ego.half_length, ego.half_width
    ego_blocks, groups, reach = ego.blocks, ego.groups, 1.5 * margin
    mode_blocks = block_rectangles(a, modes.half_length, modes.half_width, ego.axes, steps, 1, 0.0, 0.0, 0.0)
    size = math.hypot(ego_length, ego_width) + margin
    close, first = np.zeros(groups.shape[2], np.bool_), np.full(len(e), steps)
    for m in range(len(a)):
        length, width = modes.half_length[m], modes.half_width[m]
        around = (size + math.hypot(length, width)) ** 2
        for g in range(len(groups)):
            if not near_blocks(groups, g, mode_blocks, m, reach, close):
                continue
            for i in range(g * GROUP, min((g + 1) * GROUP, len(e))):
                step, end = ego.stood[i] + 1, first[i]
                while step < end:
                    block = step // BLOCK
                    if not close[block] or not near(ego_blocks, i, mode_blocks, m, block, reach):
                        step = (block + 1) * BLOCK
                        continue
                    dx, dy = a[m, step, 0] - e[i, step, 0], a[m, step, 1] - e[i, step, 1]
                    if dx * dx + dy * dy > around:
                        step += 1
                        continue
                    x, y, cos, sin = relative(e, a, i, m, step)
                    counts = step < near_steps or (exposed[i] and cos < -0.5)
                    if counts and gap(x, y, cos, sin, ego_length, ego_width, length, width) < margin:
                        told = steps
                        if modes.behind[m]:
                            told = rear_contact(e, a, i, m, ego_length, ego_width, ego.offset, length, width, margin)
                        first[i] = step if step < told else first[i]
                        break
                    step += 1
    return first
