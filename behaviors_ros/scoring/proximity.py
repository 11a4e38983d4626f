"""Numba kernels over (candidate, mode) pairs of boxes: time to collision, clearance. Arguments as in `contact.py`."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.scoring.blocks import BLOCK, GROUP, block_rectangles, grouped, near, near_blocks
from behaviors_ros.scoring.contact import rear_contact, relative
from behaviors_ros.scoring.standing import standing as standing_modes
from behaviors_ros.scoring.standing import travelled, way_to


@no_type_check
@njit(cache=True)
def time_to_collision(ego, modes, steps, stride, horizon, standing):
    """Least time (candidate,) in s, at most `horizon`, until boxes moving on at constant speed and heading meet.

    What stands is met along the candidate's own way instead, at constant speed. Asked at every `stride`-th step below
    `steps` at which the ego is faster than `standing` m/s, of agents whose centre is not behind the ego's rear axle and
    that have not run into it from behind.
    """
    e, a, ego_length, ego_width, offset = ego.pose, modes.pose, ego.half_length, ego.half_width, ego.offset
    sizes = np.full(len(e), ego_length), np.full(len(e), ego_width)
    swept = block_rectangles(e, sizes[0], sizes[1], ego.axes, steps, stride, 0.0, horizon, 0.0)
    mode_blocks = block_rectangles(a, modes.half_length, modes.half_width, ego.axes, steps, stride, 0.0, horizon, 0.0)
    groups, least, close = grouped(swept), np.full(len(e), horizon), np.zeros(swept.shape[2], np.bool_)
    stands, way = standing_modes(a), travelled(e)
    for m in range(len(a)):
        length, width = modes.half_length[m], modes.half_width[m]
        for g in range(len(groups)):
            if not near_blocks(groups, g, mode_blocks, m, 1e-6, close):
                continue
            for i in range(g * GROUP, min((g + 1) * GROUP, len(e))):
                if stands[m]:
                    beyond = e[i, e.shape[1] - 1, 4] * horizon
                    met = way_to(e, a, way, i, m, ego_length, ego_width, length, width, beyond, True)
                    for step in range(0, steps, stride):
                        if e[i, step, 4] > standing:
                            least[i] = min(least[i], max(met - way[i, step], 0.0) / e[i, step, 4])
                    continue
                checked, far, until, behind, step = -1, False, steps, modes.behind[m], -stride
                while step + stride < until:
                    step += stride
                    if step // BLOCK != checked:
                        checked = step // BLOCK
                        far = not close[checked] or not near(swept, i, mode_blocks, m, checked, 1e-6)
                    speed = e[i, step, 4]
                    if far or abs(speed) <= standing:
                        continue
                    x, y, cos, sin = relative(e, a, i, m, step)
                    vx, vy = a[m, step, 4] * cos - speed, a[m, step, 4] * sin
                    closing_x, closing_y = max(-vx if x > 0.0 else vx, 0.0), max(-vy if y > 0.0 else vy, 0.0)
                    if x + offset < 0.0 or abs(x) - ego_length - closing_x * least[i] > length + width:
                        continue
                    if abs(y) - ego_width - closing_y * least[i] > length * abs(sin) + width * abs(cos) + 1e-6:
                        continue
                    if behind:
                        behind = False
                        until = rear_contact(e, a, i, m, ego_length, ego_width, offset, length, width, 0.0)
                        if step >= until:
                            break
                        until = min(until, steps)
                    least[i] = meeting(x, y, cos, sin, vx, vy, ego_length, ego_width, length, width, least[i])
    return least


@no_type_check
@njit(cache=True)
def meeting(x, y, cos, sin, vx, vy, ego_length, ego_width, length, width, horizon):
    """Time until two boxes meet that do not turn, s; `horizon` if later or never.

    x, y, cos, sin: pose of the other in the ego's axes; vx, vy: its relative velocity there, m/s; half sizes.
    Exact: the time in which no side direction separates the boxes is one interval.
    """
    p, q, other_x, other_y = abs(cos), abs(sin), x * cos + y * sin, y * cos - x * sin
    start, end = together(x, vx, ego_length + length * p + width * q, 0.0, horizon)
    if start <= end:
        start, end = together(y, vy, ego_width + length * q + width * p, start, end)
    if start <= end:
        start, end = together(other_x, vx * cos + vy * sin, length + ego_length * p + ego_width * q, start, end)
    if start <= end:
        start, end = together(other_y, vy * cos - vx * sin, width + ego_length * q + ego_width * p, start, end)
    return start if start <= end else horizon


@no_type_check
@njit(cache=True)
def together(x, v, half, start, end):
    """The part of the time interval [start, end] s in which abs(x + v t) <= half; empty when start > end."""
    if abs(v) < 1e-9:
        return start, (end if abs(x) <= half else start - 1.0)
    first, last = (-half - x) / v, (half - x) / v
    return max(start, min(first, last)), min(end, max(first, last))


@no_type_check
@njit(cache=True)
def clearance(ego, modes, steps, stride, base, gain):
    """Least ratio (candidate,), at most 1, of the distance to an agent and the one wished: base m + gain s x speed.

    The agent is the rectangle around its box in the ego's axes; it does not count behind the ego's rear axle, nor after
    it has run into the ego from behind.
    """
    e, a, ego_length, ego_width, offset = ego.pose, modes.pose, ego.half_length, ego.half_width, ego.offset
    # A square with the diagonal as side holds the rectangle around a box in any axes.
    radii = np.hypot(modes.half_length, modes.half_width)
    mode_blocks = block_rectangles(a, radii, radii, ego.axes, steps, stride, 0.0, 0.0, 0.0)
    groups, least = ego.groups, np.ones(len(e))
    close, fastest = np.zeros(groups.shape[2], np.bool_), 0.0
    for i in range(len(e)):
        for step in range(0, steps, stride):
            fastest = abs(e[i, step, 4]) if abs(e[i, step, 4]) > fastest else fastest
    for m in range(len(a)):
        length, width = modes.half_length[m], modes.half_width[m]
        for g in range(len(groups)):
            first, end = g * GROUP, min((g + 1) * GROUP, len(e))
            if not near_blocks(groups, g, mode_blocks, m, base + gain * fastest, close):
                continue
            for i in range(first, end):
                until, behind = steps, modes.behind[m]
                for step in range(0, steps, stride):
                    if step >= until or not close[step // BLOCK]:
                        continue
                    x, y, cos, sin = relative(e, a, i, m, step)
                    if x + offset < 0.0:
                        continue
                    wished = base + gain * abs(e[i, step, 4])
                    x = abs(x) - ego_length - length * abs(cos) - width * abs(sin)
                    y = abs(y) - ego_width - length * abs(sin) - width * abs(cos)
                    ratio = math.hypot(max(x, 0.0), max(y, 0.0)) / wished
                    if ratio < least[i] and behind:
                        behind = False
                        until = rear_contact(
                            e, a, i, m, ego_length, ego_width, offset, modes.half_length[m], modes.half_width[m], 0.0
                        )
                    if ratio < least[i] and step < until:
                        least[i] = ratio
    return least
