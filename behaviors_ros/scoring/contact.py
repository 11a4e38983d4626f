"""Numba kernels over (candidate, mode) pairs of boxes: first contact and chance of collision.

All take `footprint.EgoBoxes` and `footprint.ModeBoxes`. Pairs are pruned in blocks of steps: two chains of positions
whose enclosing circles stay apart have nothing to do with each other during the block.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

BLOCK = 8


@no_type_check
@njit(cache=True)
def circles(centre):
    """Circles (row, block, 3): x, y, radius m around the positions (row, step, 2) of each block of steps."""
    rows, steps = centre.shape[0], centre.shape[1]
    blocks = (steps + BLOCK - 1) // BLOCK
    out = np.empty((rows, blocks, 3))
    for row in range(rows):
        for block in range(blocks):
            first, last = block * BLOCK, min((block + 1) * BLOCK, steps)
            x = 0.5 * (centre[row, first, 0] + centre[row, last - 1, 0])
            y = 0.5 * (centre[row, first, 1] + centre[row, last - 1, 1])
            radius2 = 0.0
            for step in range(first, last):
                radius2 = max(radius2, (centre[row, step, 0] - x) ** 2 + (centre[row, step, 1] - y) ** 2)
            out[row, block, 0], out[row, block, 1], out[row, block, 2] = x, y, math.sqrt(radius2)
    return out


@no_type_check
@njit(cache=True, inline="always")
def apart(a, b, reach):
    """Whether circles a and b (x, y, radius) are farther than `reach` m from each other."""
    limit = a[2] + b[2] + reach
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 > limit * limit


@no_type_check
@njit(cache=True, inline="always")
def gap(x, y, cos, sin, ego_length, ego_width, length, width):
    """Largest separation along the side directions of two boxes, m; negative: they overlap (separating axis theorem).

    x, y: centre of the other box in the ego's axes; cos, sin of its yaw there; half sizes.
    """
    c, s = abs(cos), abs(sin)
    along = abs(x) - ego_length - length * c - width * s
    across = abs(y) - ego_width - length * s - width * c
    other_along = abs(x * cos + y * sin) - length - ego_length * c - ego_width * s
    other_across = abs(y * cos - x * sin) - width - ego_length * s - ego_width * c
    return max(max(along, across), max(other_along, other_across))


@no_type_check
@njit(cache=True)
def first_contact(ego, modes, steps, margin):
    """First step (candidate,) below `steps` at which boxes are nearer than `margin` m by the ego's fault, else `steps`.

    Not the ego's fault: it has stood still since step 0, or an agent that was right behind it runs into it from behind.
    After such a contact the mode no longer tells where the agent is, and is left.
    """
    first = np.full(len(ego.centre), steps)
    ego_circles, mode_circles = circles(ego.centre), circles(modes.centre)
    ego_radius = math.hypot(ego.half_length, ego.half_width)
    for i in range(len(ego.centre)):
        for m in range(len(modes.centre)):
            reach = ego_radius + math.hypot(modes.half_length[m], modes.half_width[m]) + margin
            from_behind, step = modes.behind[m], 0
            while step < first[i]:
                block = step // BLOCK
                if apart(ego_circles[i, block], mode_circles[m, block], reach):
                    step = (block + 1) * BLOCK
                    continue
                touching, behind = touch(ego, modes, i, m, step, margin)
                if touching and (step <= ego.stood[i] or from_behind):
                    break
                if touching:
                    first[i] = step
                from_behind = from_behind and behind
                step += 1
    return first


@no_type_check
@njit(cache=True, inline="always")
def touch(ego, modes, i, m, step, margin):
    """Whether candidate i and mode m are nearer than `margin`, and whether the agent is behind the ego's rear axle."""
    c, s = ego.cos[i, step], ego.sin[i, step]
    dx, dy = modes.centre[m, step, 0] - ego.centre[i, step, 0], modes.centre[m, step, 1] - ego.centre[i, step, 1]
    x, y = dx * c + dy * s, dy * c - dx * s
    cos, sin = modes.cos[m, step] * c + modes.sin[m, step] * s, modes.sin[m, step] * c - modes.cos[m, step] * s
    separation = gap(x, y, cos, sin, ego.half_length, ego.half_width, modes.half_length[m], modes.half_width[m])
    return separation < margin, x + ego.offset < 0.0 and cos > 0.5


@no_type_check
@njit(cache=True, inline="always")
def within(mean, deviation, half):
    """Probability that a Gaussian lies in [-half, half]: a difference of error functions."""
    scale = 1.0 / (deviation * math.sqrt(2.0))
    return 0.5 * (math.erf((half - mean) * scale) - math.erf((-half - mean) * scale))


@no_type_check
@njit(cache=True, inline="always")
def box_probability(ego, modes, i, m, step):
    """Probability mass of the relative position over the rectangle, in the ego's axes, in which the boxes overlap.

    The rectangle encloses the Minkowski sum of the boxes, exact where they are parallel or square to each other and too
    large otherwise; the correlation of the two axes is left out. After "Analytic Collision Risk Calculation for
    Autonomous Vehicle Navigation", ICRA 2019, which integrates over the sum's octagon instead.
    """
    c, s = ego.cos[i, step], ego.sin[i, step]
    dx, dy = modes.centre[m, step, 0] - ego.centre[i, step, 0], modes.centre[m, step, 1] - ego.centre[i, step, 1]
    cos = abs(modes.cos[m, step] * c + modes.sin[m, step] * s)
    sin = abs(modes.sin[m, step] * c - modes.cos[m, step] * s)
    xx, xy, yy = modes.covariance[m, step, 0], modes.covariance[m, step, 1], modes.covariance[m, step, 2]
    along = math.sqrt(max(c * c * xx + 2.0 * c * s * xy + s * s * yy, 1e-6))
    across = math.sqrt(max(s * s * xx - 2.0 * c * s * xy + c * c * yy, 1e-6))
    half_x = ego.half_length + modes.half_length[m] * cos + modes.half_width[m] * sin
    half_y = ego.half_width + modes.half_length[m] * sin + modes.half_width[m] * cos
    x, y = abs(dx * c + dy * s), abs(dy * c - dx * s)
    if x - half_x > 4.0 * along or y - half_y > 4.0 * across:
        return 0.0
    return within(x, along, half_x) * within(y, across, half_y)


@no_type_check
@njit(cache=True)
def chance(ego, modes, steps, stride):
    """Chance of collision (candidate, step // stride) at every `stride`-th step below `steps`.

    Modes of an agent exclude each other: their chances, weighed by probability, add. Agents are independent:
    1 - product of (1 - chance). Faultless contacts are left out as in `first_contact`.
    """
    count = (steps + stride - 1) // stride
    free = np.ones((len(ego.centre), count))
    ego_circles, mode_circles = circles(ego.centre), circles(modes.centre)
    reach = reaches(ego, modes)
    of_agent = np.zeros(count)
    for i in range(len(ego.centre)):
        for m in range(len(modes.centre)):
            add_mode(ego, modes, i, m, steps, stride, reach[m], ego_circles, mode_circles, of_agent)
            if m + 1 == len(modes.centre) or modes.agent[m + 1] != modes.agent[m]:
                for k in range(count):
                    free[i, k] *= 1.0 - min(of_agent[k], 1.0)
                    of_agent[k] = 0.0
    return 1.0 - free


@no_type_check
@njit(cache=True)
def reaches(ego, modes):
    """Distance of centres (mode,) beyond which a collision has less than 4 standard deviations' chance, m."""
    out = np.empty(len(modes.centre))
    for m in range(len(out)):
        variance = 0.0
        for step in range(modes.covariance.shape[1]):
            variance = max(variance, modes.covariance[m, step, 0] + modes.covariance[m, step, 2])
        sizes = math.hypot(ego.half_length, ego.half_width) + math.hypot(modes.half_length[m], modes.half_width[m])
        out[m] = sizes + 4.0 * math.sqrt(variance)
    return out


@no_type_check
@njit(cache=True, inline="always")
def add_mode(ego, modes, i, m, steps, stride, reach, ego_circles, mode_circles, of_agent):
    """Add the chance of collision of candidate i with mode m to `of_agent` (step // stride)."""
    from_behind = modes.behind[m]
    for k in range(len(of_agent)):
        step = k * stride
        if apart(ego_circles[i, step // BLOCK], mode_circles[m, step // BLOCK], reach):
            continue
        if from_behind or step <= ego.stood[i]:
            touching, behind = touch(ego, modes, i, m, step, 0.0)
            if touching:
                return
            from_behind = from_behind and behind
            if behind or step <= ego.stood[i]:
                continue
        of_agent[k] += modes.probability[m] * box_probability(ego, modes, i, m, step)
