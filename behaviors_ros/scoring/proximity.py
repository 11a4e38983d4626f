"""Numba kernels over (candidate, mode) pairs of boxes: time to collision, clearance. Arguments as in `contact.py`."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.scoring.contact import BLOCK, apart, circles


@no_type_check
@njit(cache=True)
def time_to_collision(ego, modes, steps, stride, horizon, standing):
    """Least time (candidate,) in s, at most `horizon`, until boxes moving on at constant speed and heading meet.

    Asked at every `stride`-th step below `steps` at which the ego is faster than `standing` m/s, of agents whose centre
    is not behind the ego's rear axle. The time is exact: boxes that do not turn keep their separating directions.
    """
    least = np.full(len(ego.centre), horizon)
    ego_circles, mode_circles = circles(ego.centre), circles(modes.centre)
    ego_radius = math.hypot(ego.half_length, ego.half_width)
    for m in range(len(modes.centre)):
        radius = ego_radius + math.hypot(modes.half_length[m], modes.half_width[m])
        fastest = np.abs(modes.speed[m]).max()
        for i in range(len(ego.centre)):
            for step in range(0, steps, stride):
                reach = radius + (fastest + abs(ego.speed[i, step])) * least[i]
                if abs(ego.speed[i, step]) <= standing:
                    continue
                if not apart(ego_circles[i, step // BLOCK], mode_circles[m, step // BLOCK], reach):
                    least[i] = min(least[i], meeting(ego, modes, i, m, step, least[i]))
    return least


@no_type_check
@njit(cache=True, inline="always")
def meeting(ego, modes, i, m, step, horizon):
    """Time until the boxes of candidate i and mode m meet when both go straight on, s; `horizon` if later or never."""
    c, s = ego.cos[i, step], ego.sin[i, step]
    dx, dy = modes.centre[m, step, 0] - ego.centre[i, step, 0], modes.centre[m, step, 1] - ego.centre[i, step, 1]
    x, y = dx * c + dy * s, dy * c - dx * s
    if x + ego.offset < 0.0:
        return horizon
    cos, sin = modes.cos[m, step] * c + modes.sin[m, step] * s, modes.sin[m, step] * c - modes.cos[m, step] * s
    vx, vy = modes.speed[m, step] * cos - ego.speed[i, step], modes.speed[m, step] * sin
    length, width, ego_length, ego_width = modes.half_length[m], modes.half_width[m], ego.half_length, ego.half_width
    p, q = abs(cos), abs(sin)
    start, end = together(x, vx, ego_length + length * p + width * q, 0.0, horizon)
    start, end = together(y, vy, ego_width + length * q + width * p, start, end)
    start, end = together(x * cos + y * sin, vx * cos + vy * sin, length + ego_length * p + ego_width * q, start, end)
    start, end = together(y * cos - x * sin, vy * cos - vx * sin, width + ego_length * q + ego_width * p, start, end)
    return start if start <= end else horizon


@no_type_check
@njit(cache=True, inline="always")
def together(x, v, half, start, end):
    """The part of the time interval [start, end] s in which abs(x + v t) <= half; empty when start > end."""
    if abs(v) < 1e-9:
        return start, (end if abs(x) <= half else -1.0)
    first, last = (-half - x) / v, (half - x) / v
    return max(start, min(first, last)), min(end, max(first, last))


@no_type_check
@njit(cache=True)
def clearance(ego, modes, steps, stride, base, gain):
    """Least ratio (candidate,), at most 1, of the distance to an agent and the one wished: base m + gain s x speed.

    The agent is a circle as wide as its longer side; agents behind the ego's rear axle do not count.
    """
    least = np.ones(len(ego.centre))
    ego_circles, mode_circles = circles(ego.centre), circles(modes.centre)
    ego_radius = math.hypot(ego.half_length, ego.half_width)
    for i in range(len(ego.centre)):
        for m in range(len(modes.centre)):
            radius = max(modes.half_length[m], modes.half_width[m])
            for step in range(0, steps, stride):
                wished = base + gain * abs(ego.speed[i, step])
                reach = ego_radius + radius + wished
                if not apart(ego_circles[i, step // BLOCK], mode_circles[m, step // BLOCK], reach):
                    least[i] = min(least[i], max(distance(ego, modes, i, m, step) - radius, 0.0) / wished)
    return least


@no_type_check
@njit(cache=True, inline="always")
def distance(ego, modes, i, m, step):
    """Distance from the agent's centre to the ego's box, m; infinite when it is behind the ego's rear axle."""
    c, s = ego.cos[i, step], ego.sin[i, step]
    dx, dy = modes.centre[m, step, 0] - ego.centre[i, step, 0], modes.centre[m, step, 1] - ego.centre[i, step, 1]
    x, y = dx * c + dy * s, dy * c - dx * s
    if x + ego.offset < 0.0:
        return math.inf
    return math.hypot(max(abs(x) - ego.half_length, 0.0), max(abs(y) - ego.half_width, 0.0))
