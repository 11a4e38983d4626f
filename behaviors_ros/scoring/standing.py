"""Numba kernels for what stands: how far a candidate gets on its own way until it would touch it.

Who passes what stands, steering round it, does not close in on it, wherever its bonnet points for the moment. So the
scorers `time_to_collision` and `safe_distance` ask for what stands along the candidate's own way, and straight on
beyond its end; for what moves they ask along its heading.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.scoring.contact import gap, relative

STANDS_M = 0.2  # a mode that does not get this far from where it is at step 0 stands


@no_type_check
@njit(cache=True)
def standing(a):
    """Modes (mode,) that stay where they are at step 0. a: poses (mode, step, 5)."""
    out = np.ones(len(a), np.bool_)
    for m in range(len(a)):
        for step in range(a.shape[1]):
            if abs(a[m, step, 0] - a[m, 0, 0]) + abs(a[m, step, 1] - a[m, 0, 1]) > STANDS_M:
                out[m] = False
                break
    return out


@no_type_check
@njit(cache=True)
def travelled(e):
    """Distance (candidate, step) that the centre of each box has come along its own way, m."""
    out = np.zeros(e.shape[:2])
    for i in range(len(e)):
        for step in range(1, e.shape[1]):
            moved = math.hypot(e[i, step, 0] - e[i, step - 1, 0], e[i, step, 1] - e[i, step - 1, 1])
            out[i, step] = out[i, step - 1] + moved
    return out


@no_type_check
@njit(cache=True)
def way_to(e, a, way, i, m, ego_length, ego_width, length, width, beyond, free):
    """Distance (m) on candidate i's own way to its first contact with the standing mode m, infinite without one.

    After its last step it goes straight on for `beyond` m. free: False where what it touches from the start is not met
    until it has been left. way: `travelled`; half sizes.
    """
    reach, last = math.hypot(ego_length, ego_width) + math.hypot(length, width), e.shape[1] - 1
    for step in range(last + 1):
        x, y, cos, sin = relative(e, a, i, m, step)
        if x * x + y * y > reach * reach or gap(x, y, cos, sin, ego_length, ego_width, length, width) > 0.0:
            free = True
        elif free and step == 0:
            return 0.0
        elif free:
            moved = way[i, step] - way[i, step - 1]
            x, y, cos, sin = relative(e, a, i, m, step - 1)
            return way[i, step - 1] + straight_on(x, y, cos, sin, ego_length, ego_width, length, width, moved)
    if not free:
        return np.inf
    x, y, cos, sin = relative(e, a, i, m, last)
    on = straight_on(x, y, cos, sin, ego_length, ego_width, length, width, beyond)
    return way[i, last] + on if on < beyond else np.inf


@no_type_check
@njit(cache=True)
def straight_on(x, y, cos, sin, ego_length, ego_width, length, width, most):
    """Distance straight on until two boxes meet, m; `most` if farther or never. Arguments as for `contact.gap`.

    The distances at which no side direction separates the boxes are one interval.
    """
    p, q = abs(cos), abs(sin)
    if abs(y) > ego_width + length * q + width * p:
        return most
    half = ego_length + length * p + width * q
    start, end = max(x - half, 0.0), min(x + half, most)
    other_x, other_y = x * cos + y * sin, y * cos - x * sin
    for at, rate, reach in (
        (other_x, cos, length + ego_length * p + ego_width * q),
        (other_y, -sin, width + ego_length * q + ego_width * p),
    ):
        if abs(rate) < 1e-9:
            if abs(at) > reach:
                return most
            continue
        first, last = (at - reach) / rate, (at + reach) / rate
        start, end = max(start, min(first, last)), min(end, max(first, last))
    return start if start <= end else most
