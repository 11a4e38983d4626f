"""Numba kernels over (candidate, mode) pairs of boxes: first contact and chance of collision.

All take `footprint.EgoBoxes` and `footprint.ModeBoxes`, unpacked first: access in a loop costs more than arithmetic.
Pairs are pruned by the circles of `blocks.py`.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.scoring.blocks import BLOCK, GROUP, close_blocks

NORMAL = np.array([0.5 + 0.5 * math.erf((entry / 128.0 - 4.0) / math.sqrt(2.0)) for entry in range(1026)])
NORMAL[0], NORMAL[1024:] = 0.0, 1.0


@no_type_check
@njit(cache=True)
def radii(ego, modes):
    """Sum (mode,) of the radii of the circles around the ego's box and each agent's, m."""
    return math.hypot(ego.half_length, ego.half_width) + np.hypot(modes.half_length, modes.half_width)


@no_type_check
@njit(cache=True)
def apart(b, i, c, m, block, reach):
    """Whether circle (i, block) of b and circle (m, block) of c are farther than `reach` m from each other."""
    dx, dy = b[i, block, 0] - c[m, block, 0], b[i, block, 1] - c[m, block, 1]
    limit = b[i, block, 2] + c[m, block, 2] + reach
    return dx * dx + dy * dy > limit * limit


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
def first_contact(ego, modes, near_steps, steps, margin):
    """First step (candidate,) below `steps` at which boxes are nearer than `margin` m by the ego's fault, else `steps`.

    From `near_steps` on only agents that come towards the ego (more than 120 deg from its heading) count.

    Not the ego's fault: it has stood still since step 0, or the agent has run into it from behind (`rear_contact`).
    """
    e, a, ego_length, ego_width = ego.pose, modes.pose, ego.half_length, ego.half_width
    circles, groups, mode_circles, reach = ego.circles, ego.groups, modes.circles, radii(ego, modes) + margin
    close, first = np.zeros(circles.shape[1], np.bool_), np.full(len(e), steps)
    for m in range(len(a)):
        length, width, reaches = modes.half_length[m], modes.half_width[m], np.full(len(close), reach[m])
        for g in range(len(groups)):
            if not close_blocks(groups, g, mode_circles, m, reaches, close):
                continue
            for i in range(g * GROUP, min((g + 1) * GROUP, len(e))):
                step, end = ego.stood[i] + 1, first[i]
                while step < end:
                    block = step // BLOCK
                    if not close[block] or apart(circles, i, mode_circles, m, block, reach[m]):
                        step = (block + 1) * BLOCK
                        continue
                    x, y, cos, sin = relative(e, a, i, m, step)
                    counts = step < near_steps or cos < -0.5
                    if counts and gap(x, y, cos, sin, ego_length, ego_width, length, width) < margin:
                        told = steps
                        if modes.behind[m]:
                            told = rear_contact(e, a, i, m, ego_length, ego_width, ego.offset, length, width, margin)
                        first[i] = step if step < told else first[i]
                        break
                    step += 1
    return first


@no_type_check
@njit(cache=True)
def normal(x):
    """Cumulative standard normal distribution, linear between table entries: error below 2e-6, beyond 4 below 4e-5.

    Neither branches nor signed indices, which would cost more than the rest.
    """
    at = min(max((x + 4.0) * 128.0, 0.0), 1024.0)
    entry = np.uint64(at)
    below = NORMAL[entry]
    return below + (at - entry) * (NORMAL[entry + np.uint64(1)] - below)


@no_type_check
@njit(cache=True, error_model="numpy")
def mass(mean, half, variance):
    """Probability that a Gaussian lies in [-half, half]; 0 beyond 4 deviations."""
    scale = 1.0 / math.sqrt(variance)
    return normal((half - mean) * scale) - normal((-half - mean) * scale)


@no_type_check
@njit(cache=True, error_model="numpy")
def box_probability(dx, dy, c, s, other_c, other_s, xx, xy, yy, ego_length, ego_width, length, width):
    """Probability mass of the relative position over the rectangle, in the ego's axes, in which the boxes overlap.

    dx, dy: from the ego's centre to the other's; c, s, other_c, other_s: cos and sin of the yaws; xx, xy, yy:
    covariance; half sizes. The rectangle encloses the Minkowski sum of the boxes, exact where they are parallel or
    square to each other and too large otherwise; the correlation of the two axes is left out. After "Analytic Collision
    Risk Calculation for Autonomous Vehicle Navigation", ICRA 2019, which integrates over the sum's octagon instead.
    """
    cos, sin = abs(other_c * c + other_s * s), abs(other_s * c - other_c * s)
    across2 = max(s * s * xx - 2.0 * c * s * xy + c * c * yy, 1e-6)
    along2 = max(c * c * xx + 2.0 * c * s * xy + s * s * yy, 1e-6)
    inside = mass(dy * c - dx * s, ego_width + length * sin + width * cos, across2)
    return inside * mass(dx * c + dy * s, ego_length + length * cos + width * sin, along2)


@no_type_check
@njit(cache=True, error_model="numpy")
def chance(ego, modes, steps, stride):
    """Chance of collision (candidate, step // stride) at every `stride`-th step below `steps`.

    Modes of an agent exclude each other: their chances, weighed by probability, add. Agents are independent:
    1 - product of (1 - chance). What would not be the ego's fault (`first_contact`) is left out, and so is an agent
    that was right behind the ego at step 0 while it is behind.
    """
    e, a, covariance, circles, groups, mode_circles = (
        ego.pose, modes.pose, modes.covariance, ego.circles, ego.groups, modes.circles
    )  # fmt: skip
    ego_length, ego_width, offset = ego.half_length, ego.half_width, ego.offset
    count, (step_reach, reach) = (steps + stride - 1) // stride, reaches(covariance, radii(ego, modes))
    free, of_agent = np.ones((len(e), count)), np.zeros((len(e), count))
    close = np.zeros(circles.shape[1], np.bool_)
    starts = np.minimum((np.arange(len(close) + 1) * BLOCK + stride - 1) // stride, count)
    for g in range(len(groups)):
        first, end, touched = g * GROUP, min((g + 1) * GROUP, len(e)), False
        for m in range(len(a)):
            length, width, probability = modes.half_length[m], modes.half_width[m], modes.probability[m]
            behind = modes.behind[m]
            for i in range(first, end if close_blocks(groups, g, mode_circles, m, reach[m], close) else first):
                touched, until, start = True, -1, (ego.stood[i] + stride) // stride
                for block in range(len(close)):
                    if not close[block] or apart(circles, i, mode_circles, m, block, reach[m, block]):
                        continue
                    for k in range(max(starts[block], start), starts[block + 1]):
                        step = k * stride
                        dx, dy = a[m, step, 0] - e[i, step, 0], a[m, step, 1] - e[i, step, 1]
                        if dx * dx + dy * dy > step_reach[m, step]:
                            continue
                        c, s = e[i, step, 2], e[i, step, 3]
                        if behind:
                            if until < 0:
                                until = rear_contact(e, a, i, m, ego_length, ego_width, offset, length, width, 0.0)
                            if step >= until or dx * c + dy * s + offset < 0.0:
                                continue
                        of_agent[i, k] += probability * box_probability(
                            dx, dy, c, s, a[m, step, 2], a[m, step, 3], covariance[m, step, 0],
                            covariance[m, step, 1], covariance[m, step, 2], ego_length, ego_width, length, width,
                        )  # fmt: skip
            if touched and (m + 1 == len(a) or modes.agent[m + 1] != modes.agent[m]):
                touched = False
                for i in range(first, end):
                    for k in range(count):
                        free[i, k] *= 1.0 - min(of_agent[i, k], 1.0)
                        of_agent[i, k] = 0.0
    return 1.0 - free


@no_type_check
@njit(cache=True)
def reaches(covariance, radii):
    """Distances of centres beyond which a collision is more than 4 deviations away.

    That at each step squared (mode, step), m^2, and the largest of each block (mode, block), m.
    """
    rows, steps = covariance.shape[0], covariance.shape[1]
    of_step, of_block = np.empty((rows, steps)), np.zeros((rows, (steps + BLOCK - 1) // BLOCK))
    for m in range(rows):
        for step in range(steps):
            xx, xy, yy = covariance[m, step, 0], covariance[m, step, 1], covariance[m, step, 2]
            half = 0.5 * (xx - yy)
            variance = 0.5 * (xx + yy) + math.sqrt(half * half + xy * xy)
            away = radii[m] + 4.0 * math.sqrt(max(variance, 1e-6))
            of_step[m, step] = away * away
            of_block[m, step // BLOCK] = max(of_block[m, step // BLOCK], away)
    return of_step, of_block
