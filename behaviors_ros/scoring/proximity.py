"""Numba kernels over (candidate, mode) pairs of boxes: time to collision, clearance. Arguments as in `contact.py`."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.scoring.blocks import BLOCK, GROUP, close_blocks
from behaviors_ros.scoring.contact import apart, radii, rear_contact, relative


@no_type_check
@njit(cache=True)
def time_to_collision(ego, modes, steps, stride, horizon, standing):
    """Least time (candidate,) in s, at most `horizon`, until boxes moving on at constant speed and heading meet.

    Asked at every `stride`-th step below `steps` at which the ego is faster than `standing` m/s, of agents whose centre
    is not behind the ego's rear axle and that have not run into it from behind.
    """
    e, a, ego_length, ego_width, offset = ego.pose, modes.pose, ego.half_length, ego.half_width, ego.offset
    circles, mode_circles, sizes, least = ego.circles, modes.circles, radii(ego, modes), np.full(len(e), horizon)
    fastest_ego = np.array([np.abs(e[i, :, 4]).max() for i in range(len(e))])
    for m in range(len(a)):
        length, width, fastest = modes.half_length[m], modes.half_width[m], np.abs(a[m, :, 4]).max()
        for i in range(len(e)):
            checked, far, until, behind, step = -1, False, steps, modes.behind[m], -stride
            while step + stride < until:
                step += stride
                if step // BLOCK != checked:
                    checked = step // BLOCK
                    reach = sizes[m] + (fastest + fastest_ego[i]) * least[i]
                    far = apart(circles, i, mode_circles, m, checked, reach)
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

    The agent is a circle as wide as its longer side; it does not count behind the ego's rear axle, nor after it has run
    into the ego from behind.
    """
    e, a, ego_length, ego_width, offset = ego.pose, modes.pose, ego.half_length, ego.half_width, ego.offset
    groups, mode_circles = ego.groups, modes.circles
    close, reach, least = np.zeros(groups.shape[1], np.bool_), np.zeros(groups.shape[1]), np.ones(len(e))
    fastest = np.array([np.abs(e[i, :, 4]).max() for i in range(len(e))])
    size = math.hypot(ego_length, ego_width) + base
    for m in range(len(a)):
        length, width = modes.half_length[m], modes.half_width[m]
        radius = max(length, width)
        for g in range(len(groups)):
            first, end = g * GROUP, min((g + 1) * GROUP, len(e))
            speed = 0.0  # a NaN stays out of the comparison
            for i in range(first, end):
                speed = fastest[i] if fastest[i] > speed else speed
            reach[:] = size + radius + gain * speed
            if not close_blocks(groups, g, mode_circles, m, reach, close):
                continue
            for i in range(first, end):
                until, behind = steps, modes.behind[m]
                for step in range(0, steps, stride):
                    if step >= until or not close[step // BLOCK]:
                        continue
                    x, y, _, _ = relative(e, a, i, m, step)
                    if x + offset < 0.0:
                        continue
                    wished = base + gain * abs(e[i, step, 4])
                    away = math.hypot(max(abs(x) - ego_length, 0.0), max(abs(y) - ego_width, 0.0))
                    ratio = max(away - radius, 0.0) / wished
                    if ratio < least[i] and behind:
                        behind = False
                        until = rear_contact(e, a, i, m, ego_length, ego_width, offset, length, width, 0.0)
                    if ratio < least[i] and step < until:
                        least[i] = ratio
    return least
