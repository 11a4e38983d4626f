"""Agents along the route: where each likely mode is in arc length and offset, and how long and wide it is there."""

from __future__ import annotations

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import njit

from behaviors_ros.datatypes import Candidates, Predictions, Scene
from behaviors_ros.geometry.angles import cos_sin
from behaviors_ros.geometry.projection import frame_at, only_foot, project_point_from
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring.footprint import ego_boxes, near, solid

Array = np.ndarray
S, D, ALONG, ACROSS, COS = range(5)
NEAR_M = 2.0  # a foot is looked for this near to where an agent should have come along the road


class Along(NamedTuple):
    """Modes along the route, those of an agent in a row, the likeliest first.

    agent: its row in the predictions; first: its first row, one entry more than rows of agents; state (row, sample, 5):
    arc length and offset of the centre, half extents along and across the path, m, cosine of the heading against it;
    stands: it moves less than half a metre. Samples are `stride` steps of the grid apart.
    """

    agent: Int[Array, "row"]
    state: Float[Array, "row sample 5"]
    stands: Bool[Array, "row"]
    stride: int


def along_route(
    scene: Scene, predictions: Predictions, candidates: Candidates, vehicle: Vehicle, least: float, reach_m: float,
    stride: int,
) -> Along:  # fmt: skip
    """Modes with probability `least` or more, and the likeliest anyway, of agents that may come within `reach_m`."""
    agents = solid(predictions) & near(predictions, ego_boxes(candidates, vehicle), reach_m)
    likeliest = predictions.probability >= predictions.probability.max(axis=1, initial=0.0, keepdims=True)
    chosen = predictions.valid & agents[:, None] & ((predictions.probability >= least) | likeliest)
    agent, mode = np.nonzero(chosen)
    order = np.lexsort((-predictions.probability[agent, mode], agent))
    agent, mode = agent[order], mode[order]
    path = route_frame(scene.route).arrays
    state, stands = _states(
        *path, agent, mode, predictions.position, predictions.yaw, predictions.length, predictions.width, stride
    )
    return Along(agent, state, stands, stride)


@no_type_check
@njit(cache=True)
def _states(path, blocks, groups, agent, mode, position, yaw, length, width, stride):
    """`state` and `stands` of the modes (agent[row], mode[row])."""
    samples = (position.shape[2] + stride - 1) // stride
    out, stands = np.empty((len(agent), samples, 5)), np.empty(len(agent), np.bool_)
    for row in range(len(agent)):
        i, m, s, tx, ty = agent[row], mode[row], np.nan, 1.0, 0.0
        last = (samples - 1) * stride
        dx = position[i, m, last, 0] - position[i, m, 0, 0]
        dy = position[i, m, last, 1] - position[i, m, 0, 1]
        stands[row] = dx * dx + dy * dy < 0.25
        for k in range(samples):
            if k > 0 and stands[row]:
                out[row, k] = out[row, 0]
                continue
            step = k * stride
            x, y = position[i, m, step, 0], position[i, m, step, 1]
            hint, at, d = s, np.nan, np.nan
            if k > 0:  # it goes on along the road about as far as it moved in between
                hint += (x - position[i, m, step - stride, 0]) * tx + (y - position[i, m, step - stride, 1]) * ty
                at, d = only_foot(path, x, y, hint, NEAR_M)
            if not abs(at - hint) < NEAR_M:
                at, d = project_point_from(path, blocks, groups, x, y, s)
            s = at
            _, _, tx, ty = frame_at(path, s)
            c, n = cos_sin(yaw[i, m, step])
            cos, sin = c * tx + n * ty, n * tx - c * ty
            out[row, k, 0], out[row, k, 1] = s, d
            out[row, k, 2] = 0.5 * (length[i] * abs(cos) + width[i] * abs(sin))
            out[row, k, 3] = 0.5 * (length[i] * abs(sin) + width[i] * abs(cos))
            out[row, k, 4] = cos
    return out, stands
