"""Line of sight: which road users a sensor at the ego's box centre sees past other boxes and past what stands there.

A road user is seen when the straight line to its centre or to one of its corners (drawn in a little, so that a sliver
does not count) meets no occluder. Occluders are the polygons of the scenario (buildings, fences) and the boxes of
motor vehicles; over cars and motorcycles one sees trucks, buses and trailers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import njit

from behaviors_ros.datatypes import VEHICLES, AgentClass, Array, among
from behaviors_ros.geometry.boxes import corners

TALL = (AgentClass.TRUCK, AgentClass.BUS, AgentClass.TRAILER)
DRAWN_IN = 0.8  # share of a box's length and width at which its corners are looked for


def visible(
    eye: Float[Array, "2"],
    position: Float[Array, "agent 2"],
    yaw: Float[Array, "agent"],
    length: Float[Array, "agent"],
    width: Float[Array, "agent"],
    kind: Int[Array, "agent"],
    occluders: Sequence[Array] = (),
) -> Bool[Array, "agent"]:
    """Whether each box (centre m, yaw rad, length and width m, class) can be seen from `eye` (m)."""
    walls = [np.concatenate((ring, np.roll(ring, -1, axis=0)), axis=1) for ring in occluders]
    boxes = corners(position, yaw, length, width)
    sides = np.concatenate((boxes, np.roll(boxes, -1, axis=1)), axis=2)
    motor = np.flatnonzero(among(kind, VEHICLES))
    edges = np.concatenate([*walls, sides[motor].reshape(-1, 4)]) if walls or motor.size else np.zeros((0, 4))
    walled = len(edges) - 4 * len(motor)
    owner = np.concatenate((np.full(walled, -1), np.repeat(motor, 4)))
    looked_at = np.concatenate(
        (position[:, None], corners(position, yaw, DRAWN_IN * length, DRAWN_IN * width)), axis=1
    )  # fmt: skip
    tall = among(kind, TALL)
    return _visible(np.asarray(eye, dtype=np.float64), looked_at, tall, np.ascontiguousarray(edges), owner)


@no_type_check
@njit(cache=True)
def _visible(eye, looked_at, tall, edges, owner):
    """`looked_at` (agent, point, 2); edges (edge, 4) as x, y, x, y; owner: agent of each edge, -1 a wall."""
    result = np.zeros(len(looked_at), dtype=np.bool_)
    for i in range(len(looked_at)):
        for k in range(looked_at.shape[1]):
            free = True
            for e in range(len(edges)):
                by = owner[e]
                if by == i or (by >= 0 and tall[i] and not tall[by]):
                    continue
                if _crosses(eye, looked_at[i, k], edges[e]):
                    free = False
                    break
            if free:
                result[i] = True
                break
    return result


@no_type_check
@njit(cache=True)
def _crosses(a, b, edge):
    """Whether the segments a-b and edge have a common inner point."""
    ux, uy = b[0] - a[0], b[1] - a[1]
    vx, vy = edge[2] - edge[0], edge[3] - edge[1]
    first = ux * (edge[1] - a[1]) - uy * (edge[0] - a[0])
    second = ux * (edge[3] - a[1]) - uy * (edge[2] - a[0])
    if first * second >= 0.0:
        return False
    third = vx * (a[1] - edge[1]) - vy * (a[0] - edge[0])
    fourth = vx * (b[1] - edge[1]) - vy * (b[0] - edge[0])
    return third * fourth < 0.0
