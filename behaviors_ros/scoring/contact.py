"""Numba kernels over (candidate, mode) pairs of boxes: first contact and chance of collision.

All take `footprint.EgoBoxes` and `footprint.ModeBoxes`, unpacked first: access in a loop costs more than arithmetic.
Pairs are pruned in blocks of steps: two chains of positions whose enclosing circles stay apart have nothing to do with
each other during the block.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

BLOCK = 8
NORMAL = np.array([0.5 + 0.5 * math.erf((entry / 128.0 - 4.0) / math.sqrt(2.0)) for entry in range(1025)])


@no_type_check
@njit(cache=True)
def circles(pose):
    """Circles (row, block, 3): x, y, radius m around the positions of each block of steps of poses (row, step, 5)."""
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
def rear_contact(ego, modes, margin):
    """First step (candidate, mode) at which an agent right behind the ego since step 0 runs into it, else all steps.

    That is not the ego's fault, and from then on the mode no longer tells where the agent is.
    """
    e, a = ego.pose, modes.pose
    length, width, offset, steps = ego.half_length, ego.half_width, ego.offset, e.shape[1]
    first = np.full((len(e), len(a)), steps)
    for m in range(len(a)):
        for i in range(len(e) if modes.behind[m] else 0):
            for step in range(steps):
                x, y, cos, sin = relative(e, a, i, m, step)
                touching = gap(x, y, cos, sin, length, width, modes.half_length[m], modes.half_width[m]) < margin
                if touching:
                    first[i, m] = step
                if touching or x + offset >= 0.0 or cos <= 0.5:
                    break
    return first


@no_type_check
@njit(cache=True)
def first_contact(ego, modes, near_steps, steps, margin):
    """First step (candidate,) below `steps` at which boxes are nearer than `margin` m by the ego's fault, else `steps`.

    From `near_steps` on only agents that come towards the ego (more than 120 deg from its heading) count.

    Not the ego's fault: it has stood still since step 0, or the agent has run into it from behind (`rear_contact`).
    """
    e, a, ego_length, ego_width = ego.pose, modes.pose, ego.half_length, ego.half_width
    ego_circles, mode_circles, reach = circles(e), circles(a), radii(ego, modes) + margin
    told, first = rear_contact(ego, modes, margin), np.full(len(e), steps)
    for m in range(len(a)):
        length, width = modes.half_length[m], modes.half_width[m]
        for i in range(len(e)):
            step, end = ego.stood[i] + 1, min(first[i], told[i, m])
            while step < end:
                if step % BLOCK == 0 and apart(ego_circles, i, mode_circles, m, step // BLOCK, reach[m]):
                    step += BLOCK
                    continue
                x, y, cos, sin = relative(e, a, i, m, step)
                counts = step < near_steps or cos < -0.5
                if counts and gap(x, y, cos, sin, ego_length, ego_width, length, width) < margin:
                    first[i] = end = step
                step += 1
    return first


@no_type_check
@njit(cache=True)
def normal(x):
    """Cumulative standard normal distribution, linear between table entries: error below 2e-6, cut off at 4 (3e-5)."""
    at = (x + 4.0) * 128.0
    if at <= 0.0:
        return 0.0
    if at >= 1024.0:
        return 1.0
    entry = int(at)
    return NORMAL[entry] + (at - entry) * (NORMAL[entry + 1] - NORMAL[entry])


@no_type_check
@njit(cache=True)
def mass(mean, deviation, half):
    """Probability that a Gaussian lies in [-half, half]; 0 beyond 4 deviations."""
    if abs(mean) - half > 4.0 * deviation:
        return 0.0
    return normal((half - mean) / deviation) - normal((-half - mean) / deviation)


@no_type_check
@njit(cache=True)
def box_probability(x, y, cos, sin, along, across, ego_length, ego_width, length, width):
    """Probability mass of the relative position over the rectangle, in the ego's axes, in which the boxes overlap.

    x, y, cos, sin: pose of the other box in those axes; along, across: standard deviations there, m; half sizes.
    The rectangle encloses the Minkowski sum of the boxes, exact where they are parallel or square to each other and too
    large otherwise; the correlation of the two axes is left out. After "Analytic Collision Risk Calculation for
    Autonomous Vehicle Navigation", ICRA 2019, which integrates over the sum's octagon instead.
    """
    cos, sin = abs(cos), abs(sin)
    inside = mass(y, across, ego_width + length * sin + width * cos)
    return inside * mass(x, along, ego_length + length * cos + width * sin) if inside > 0.0 else 0.0


@no_type_check
@njit(cache=True)
def chance(ego, modes, steps, stride):
    """Chance of collision (candidate, step // stride) at every `stride`-th step below `steps`.

    Modes of an agent exclude each other: their chances, weighed by probability, add. Agents are independent:
    1 - product of (1 - chance). What would not be the ego's fault (`first_contact`) is left out, and so is an agent
    that was right behind the ego at step 0 while it is behind.
    """
    e, a, covariance = ego.pose, modes.pose, modes.covariance
    ego_length, ego_width, offset = ego.half_length, ego.half_width, ego.offset
    ego_circles, mode_circles, reach = circles(e), circles(a), reaches(covariance, radii(ego, modes))
    told, count = rear_contact(ego, modes, 0.0), (steps + stride - 1) // stride
    free, of_agent = np.ones((len(e), count)), np.zeros((len(e), count))
    for m in range(len(a)):
        length, width, behind = modes.half_length[m], modes.half_width[m], modes.behind[m]
        for i in range(len(e)):
            block, far = -1, False
            for k in range((ego.stood[i] + stride) // stride, (min(told[i, m], steps) + stride - 1) // stride):
                step = k * stride
                if step // BLOCK != block:
                    block = step // BLOCK
                    far = apart(ego_circles, i, mode_circles, m, block, reach[m, block])
                if far:
                    continue
                x, y, cos, sin = relative(e, a, i, m, step)
                if behind and x + offset < 0.0:
                    continue
                c, s = e[i, step, 2], e[i, step, 3]
                xx, xy, yy = covariance[m, step, 0], covariance[m, step, 1], covariance[m, step, 2]
                along = math.sqrt(max(c * c * xx + 2.0 * c * s * xy + s * s * yy, 1e-6))
                across = math.sqrt(max(s * s * xx - 2.0 * c * s * xy + c * c * yy, 1e-6))
                of_agent[i, k] += modes.probability[m] * box_probability(
                    x, y, cos, sin, along, across, ego_length, ego_width, length, width
                )
        if m + 1 == len(a) or modes.agent[m + 1] != modes.agent[m]:
            free *= 1.0 - np.minimum(of_agent, 1.0)
            of_agent[:] = 0.0
    return 1.0 - free


@no_type_check
@njit(cache=True)
def reaches(covariance, radii):
    """Distance of centres (mode, block), m, beyond which a collision is more than 4 standard deviations away."""
    steps = covariance.shape[1]
    out = np.empty((len(covariance), (steps + BLOCK - 1) // BLOCK))
    for m in range(len(out)):
        for block in range(out.shape[1]):
            variance = 0.0
            for step in range(block * BLOCK, min((block + 1) * BLOCK, steps)):
                xx, xy, yy = covariance[m, step, 0], covariance[m, step, 1], covariance[m, step, 2]
                variance = max(variance, 0.5 * (xx + yy) + math.hypot(0.5 * (xx - yy), xy))
            out[m, block] = radii[m] + 4.0 * math.sqrt(variance)
    return out
