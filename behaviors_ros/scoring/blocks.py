"""Rectangles around moving boxes, by which pairs of a candidate and a mode are pruned in blocks of steps.

Two boxes whose rectangles stay apart have nothing to do with each other during the block; nor has a box with any
candidate of a group around which one rectangle stays apart from it. The rectangles stand in the axes of the ego at step
0, in which the lanes beside it lie apart.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from numba import njit

BLOCK = 8
GROUP = 8


@no_type_check
@njit(cache=True)
def block_rectangles(pose, half_length, half_width, axes, steps, stride, base, gain, square):
    """Rectangles (row, 4, block): low x, y, high x, y, m, around boxes at every `stride`-th step below `steps`.

    pose (row, step, 5), half sizes (row,); axes: x, y of the origin, cos and sin of the direction. A box reaches on
    along its heading by base + gain v + square v |v| m at speed v. NaN stays out; empty: low inf, high -inf.
    """
    blocks = (pose.shape[1] + BLOCK - 1) // BLOCK
    out = np.empty((len(pose), 4, blocks))
    ox, oy, oc, os = axes[0], axes[1], axes[2], axes[3]
    for row in range(len(pose)):
        length, width = half_length[row], half_width[row]
        for block in range(blocks):
            low_x, low_y, high_x, high_y = np.inf, np.inf, -np.inf, -np.inf
            first = (block * BLOCK + stride - 1) // stride * stride
            for step in range(first, min((block + 1) * BLOCK, steps), stride):
                dx, dy, v = pose[row, step, 0] - ox, pose[row, step, 1] - oy, pose[row, step, 4]
                x, y = dx * oc + dy * os, dy * oc - dx * os
                c = pose[row, step, 2] * oc + pose[row, step, 3] * os
                s = pose[row, step, 3] * oc - pose[row, step, 2] * os
                half_x, half_y = length * abs(c) + width * abs(s), length * abs(s) + width * abs(c)
                on = base + gain * v + square * v * abs(v)
                on_x, on_y = on * c, on * s
                # NaN fails every comparison and stays out.
                near, far = x - half_x + min(on_x, 0.0), x + half_x + max(on_x, 0.0)
                low_x, high_x = near if near < low_x else low_x, far if far > high_x else high_x
                near, far = y - half_y + min(on_y, 0.0), y + half_y + max(on_y, 0.0)
                low_y, high_y = near if near < low_y else low_y, far if far > high_y else high_y
            out[row, 0, block], out[row, 1, block], out[row, 2, block], out[row, 3, block] = (
                low_x,
                low_y,
                high_x,
                high_y,
            )
    return out


@no_type_check
@njit(cache=True)
def grouped(rows):
    """Rectangles (group, 4, block) around the rectangles (row, 4, block) of each GROUP rows."""
    count, blocks = rows.shape[0], rows.shape[2]
    out = np.empty(((count + GROUP - 1) // GROUP, 4, blocks))
    for group in range(len(out)):
        out[group, :2], out[group, 2:] = np.inf, -np.inf
        for row in range(group * GROUP, min((group + 1) * GROUP, count)):
            for block in range(blocks):
                for axis in range(2):
                    out[group, axis, block] = min(out[group, axis, block], rows[row, axis, block])
                    out[group, axis + 2, block] = max(out[group, axis + 2, block], rows[row, axis + 2, block])
    return out


@no_type_check
@njit(cache=True)
def near_blocks(groups, group, modes, m, reach, out):
    """Whether in any block the rectangles of a group and of mode m are within `reach` m; `out` (block,): in which."""
    found = 0
    for block in range(len(out)):
        out[block] = near(groups, group, modes, m, block, reach)
        found += out[block]
    return found > 0


@no_type_check
@njit(cache=True)
def near(rows, row, modes, m, block, reach):
    """Whether two rectangles are within `reach` m of each other along both axes."""
    x = max(rows[row, 0, block] - modes[m, 2, block], modes[m, 0, block] - rows[row, 2, block])
    y = max(rows[row, 1, block] - modes[m, 3, block], modes[m, 1, block] - rows[row, 3, block])
    return max(x, y) <= reach
