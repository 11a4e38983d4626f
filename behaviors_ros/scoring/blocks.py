"""Circles around chains of positions, by which pairs of a candidate and a mode are pruned in blocks of steps.

Two chains whose enclosing circles stay apart have nothing to do with each other during the block; nor has a chain with
any candidate of a group around which one circle stays apart from it.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

BLOCK = 8
GROUP = 10


@no_type_check
@njit(cache=True)
def block_circles(pose):
    """Circles (row, block, 3): x, y, radius m around the positions of each BLOCK steps of poses (row, step, 5)."""
    rows, steps = pose.shape[0], pose.shape[1]
    out = np.empty((rows, (steps + BLOCK - 1) // BLOCK, 3))
    for row in range(rows):
        for block in range(out.shape[1]):
            first, last = block * BLOCK, min((block + 1) * BLOCK, steps) - 1
            x = 0.5 * (pose[row, first, 0] + pose[row, last, 0])
            y = 0.5 * (pose[row, first, 1] + pose[row, last, 1])
            radius2 = 0.0
            for step in range(first, last + 1):
                radius2 = max(radius2, (pose[row, step, 0] - x) ** 2 + (pose[row, step, 1] - y) ** 2)
            out[row, block, 0], out[row, block, 1], out[row, block, 2] = x, y, math.sqrt(radius2)
    return out


@no_type_check
@njit(cache=True)
def group_circles(circles):
    """Circles (group, block, 3) around the finite `circles` (row, block, 3) of each GROUP rows; 1e9 m without any."""
    rows, blocks = circles.shape[0], circles.shape[1]
    out = np.empty(((rows + GROUP - 1) // GROUP, blocks, 3))
    for group in range(out.shape[0]):
        first, end = group * GROUP, min((group + 1) * GROUP, rows)
        for block in range(blocks):
            low_x, low_y, high_x, high_y = math.inf, math.inf, -math.inf, -math.inf
            for row in range(first, end):
                x, y = circles[row, block, 0], circles[row, block, 1]
                if math.isfinite(x + y):
                    low_x, low_y, high_x, high_y = min(low_x, x), min(low_y, y), max(high_x, x), max(high_y, y)
            x, y = (0.5 * (low_x + high_x), 0.5 * (low_y + high_y)) if low_x <= high_x else (1e9, 1e9)
            radius = 0.0
            for row in range(first, end):
                away = math.hypot(circles[row, block, 0] - x, circles[row, block, 1] - y) + circles[row, block, 2]
                if math.isfinite(away):
                    radius = max(radius, away)
            out[group, block, 0], out[group, block, 1], out[group, block, 2] = x, y, radius
    return out


@no_type_check
@njit(cache=True)
def close_blocks(groups, group, circles, m, reach, out):
    """Whether any block's circles of a group and of mode m are within `reach` (block,) m; `out` (block,): which are."""
    found = False
    for block in range(len(out)):
        dx, dy = groups[group, block, 0] - circles[m, block, 0], groups[group, block, 1] - circles[m, block, 1]
        limit = groups[group, block, 2] + circles[m, block, 2] + reach[block]
        out[block] = dx * dx + dy * dy <= limit * limit
        found |= out[block]
    return found
