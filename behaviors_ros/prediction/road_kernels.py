"""Kernels on the flat lane arrays of `roads.Roads`: speed in curves, and which lanes a point is on."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Array


@no_type_check
@njit(cache=True)
def capped_speed(
    s: Array, heading: Array, first: Array, fork: Array, successor: Array, lateral_acceleration: float, braking: float
) -> Array:
    """Speed at each point, m/s: v^2 |curvature| <= lateral_acceleration there, v^2 <= v_next^2 + 2 braking ds before
    it.

    Across the end of a lane the fastest successor counts; four passes carry a curve over four lanes.
    """
    cap = np.full(s.size, 1e3)
    for lane in range(first.size - 1):
        for i in range(first[lane] + 1, first[lane + 1] - 1):
            curvature = abs(heading[i + 1] - heading[i - 1]) / max(s[i + 1] - s[i - 1], 1e-6)
            cap[i] = min(cap[i], math.sqrt(lateral_acceleration / max(curvature, 1e-6)))
    for _ in range(4):
        for lane in range(first.size - 1):
            last = first[lane + 1] - 1
            ahead = 0.0
            for k in range(fork[lane], fork[lane + 1]):
                ahead = max(ahead, cap[first[successor[k]]])
            if fork[lane + 1] > fork[lane]:
                cap[last] = min(cap[last], ahead)
            for i in range(last - 1, first[lane] - 1, -1):
                cap[i] = min(cap[i], math.sqrt(cap[i + 1] ** 2 + 2.0 * braking * (s[i + 1] - s[i])))
    return cap


@no_type_check
@njit(cache=True)
def lanes_near(
    position: Array, point: Array, s: Array, heading: Array, first: Array, origin: Array, shape: Array, cells: Array,
    cell: Array, cell_m: float, most: int,
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """The lanes within about `cell_m` of each position: lane (agent, most), -1 none; s m; d m, left positive; heading
    rad of the centre line there; beyond m, how far the position lies past an end. A lane is taken at its nearest piece.
    """
    n = position.shape[0]
    lane_of = np.full((n, most), -1, np.int64)
    s_of, d_of = np.zeros((n, most)), np.zeros((n, most))
    heading_of, beyond_of = np.zeros((n, most)), np.zeros((n, most))
    near = np.empty(most)
    for a in range(n):
        count = 0
        cx = int(math.floor((position[a, 0] - origin[0]) / cell_m))
        cy = int(math.floor((position[a, 1] - origin[1]) / cell_m))
        for gx in range(max(cx - 1, 0), min(cx + 2, shape[0])):
            for gy in range(max(cy - 1, 0), min(cy + 2, shape[1])):
                number = gx * shape[1] + gy
                for k in range(cells[number], cells[number + 1]):
                    i = cell[k]
                    ex, ey = point[i + 1, 0] - point[i, 0], point[i + 1, 1] - point[i, 1]
                    px, py = position[a, 0] - point[i, 0], position[a, 1] - point[i, 1]
                    size = math.sqrt(ex * ex + ey * ey)
                    ex, ey = ex / size, ey / size
                    along = px * ex + py * ey
                    inside = min(max(along, 0.0), size)
                    d = ex * py - ey * px
                    gap = along - inside
                    distance = math.sqrt(gap * gap + d * d)
                    if distance > cell_m:
                        continue
                    lane = np.searchsorted(first, i, side="right") - 1
                    slot = -1
                    for j in range(count):
                        if lane_of[a, j] == lane:
                            slot = j
                    if slot < 0:
                        if count < most:
                            slot = count
                            count += 1
                            near[slot] = np.inf
                        else:
                            slot = np.argmax(near)
                    if distance < near[slot] - 1e-9:
                        near[slot] = distance
                        lane_of[a, slot] = lane
                        share = inside / size
                        s_of[a, slot] = s[i] + inside
                        d_of[a, slot] = d
                        heading_of[a, slot] = heading[i] + share * (heading[i + 1] - heading[i])
                        beyond_of[a, slot] = gap
    return lane_of, s_of, d_of, heading_of, beyond_of
