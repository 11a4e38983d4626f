"""Numba kernels over (candidate, mode) pairs of boxes: time to collision, clearance. Arguments as in `contact.py`."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.scoring.contact import BLOCK, apart, circles, radii, rear_contact, relative


@no_type_check
@njit(cache=True)
def time_to_collision(ego, modes, steps, stride, horizon, standing):
    """Least time (candidate,) in s, at most `horizon`, until boxes moving on at constant speed and heading meet.

    Asked at every `stride`-th step below `steps` at which the ego is faster than `standing` m/s, of agents whose centre
    is not behind the ego's rear axle and that have not run into it from behind.
    """
    e, a, ego_length, ego_width, offset = ego.pose, modes.pose, ego.half_length, ego.half_width, ego.offset
    ego_circles, mode_circles, sizes = circles(e), circles(a), radii(ego, modes)
    told, least = rear_contact(ego, modes, 0.0), np.full(len(e), horizon)
    for m in range(len(a)):
        length, width, fastest = modes.half_length[m], modes.half_width[m], np.abs(a[m, :, 4]).max()
        for i in range(len(e)):
            for step in range(0, min(steps, told[i, m]), stride):
                speed = e[i, step, 4]
                reach = sizes[m] + (fastest + abs(speed)) * least[i]
                if abs(speed) <= standing or apart(ego_circles, i, mode_circles, m, step // BLOCK, reach):
                    continue
                x, y, cos, sin = relative(e, a, i, m, step)
                if x + offset >= 0.0:
                    vx, vy = a[m, step, 4] * cos - speed, a[m, step, 4] * sin
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
    ego_circles, mode_circles = circles(e), circles(a)
    told, least, size = rear_contact(ego, modes, 0.0), np.ones(len(e)), math.hypot(ego_length, ego_width)
    fastest = np.array([np.abs(e[i, :, 4]).max() for i in range(len(e))])
    for m in range(len(a)):
        radius = max(modes.half_length[m], modes.half_width[m])
        for i in range(len(e)):
            block, far = -1, False
            for step in range(0, min(steps, told[i, m]), stride):
                if step // BLOCK != block:
                    block = step // BLOCK
                    far = apart(ego_circles, i, mode_circles, m, block, size + radius + base + gain * fastest[i])
                if far:
                    continue
                wished = base + gain * abs(e[i, step, 4])
                x, y, _, _ = relative(e, a, i, m, step)
                if x + offset >= 0.0:
                    away = math.hypot(max(abs(x) - ego_length, 0.0), max(abs(y) - ego_width, 0.0))
                    least[i] = min(least[i], max(away - radius, 0.0) / wished)
    return least
