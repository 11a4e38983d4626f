"""Agents in the reference's frame, from the most likely mode of their predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import njit

from behaviors_ros.datatypes import Array, Predictions
from behaviors_ros.generation.reference import nearest
from behaviors_ros.geometry.angles import cos_sin

REAR, FRONT, CENTRE, SPEED, RIGHT, LEFT = range(6)


@dataclass(frozen=True, eq=False)
class Agents:
    """Predicted boxes along the reference. `along` columns: station of rear, front and centre m; speed along m/s;
    offset of the right and the left side m; NaN where absent. index: the agent's place in the predictions.
    """

    along: Float[Array, "agent step 6"]
    index: Int[Array, " agent"]

    def __len__(self) -> int:
        """Number of agents near the reference."""
        return len(self.index)


def agents_along(
    table: Array,
    spacing_m: float,
    predictions: Predictions,
    station: float,
    reach_m: float,
    beside_m: float,
    steps: int,
    pick: Int[Array, "row"] | None = None,
    mode: Int[Array, "row"] | None = None,
) -> Agents:
    """The agents that are within `beside_m` of the reference and `reach_m` of the station ahead at some step.

    pick, mode: agents and modes that are asked; all in their likeliest mode without.
    """
    if pick is None or mode is None:
        pick, mode = np.arange(len(predictions)), predictions.probability.argmax(axis=1)
    count = len(pick)
    if count == 0:
        return Agents(np.empty((0, steps, 6)), np.empty(0, np.int64))
    position, yaw, speed = (column[pick, mode] for column in (predictions.position, predictions.yaw, predictions.speed))
    if len(predictions.time_s) != steps:
        take = np.clip(np.arange(steps), 0, len(predictions.time_s) - 1)
        position, yaw, speed = (np.ascontiguousarray(column[:, take]) for column in (position, yaw, speed))
    low, high = int((station - 30.0) / spacing_m), int((station + reach_m) / spacing_m) + 1
    along = np.empty((count, steps, 6))
    near = np.zeros(count, bool)
    size = np.column_stack((predictions.length[pick], predictions.width[pick]))
    _along(table, spacing_m, position, yaw, speed, size, low, high, beside_m, along, near)
    return Agents(along[near], pick[near])


@no_type_check
@njit(cache=True)
def _walked(table: Array, x: float, y: float, index: int) -> int:  # pragma: no cover (compiled)
    """The nearest sample, downhill from `index`: agents move little in a step."""
    last = table.shape[0] - 1
    here = (x - table[index, 0]) ** 2 + (y - table[index, 1]) ** 2
    for way in (1, -1):
        while 0 <= index + way <= last:
            there = (x - table[index + way, 0]) ** 2 + (y - table[index + way, 1]) ** 2
            if there >= here:
                break
            index, here = index + way, there
    return index


@no_type_check
@njit(cache=True)
def _along(
    table: Array, spacing: float, position: Array, yaw: Array, speed: Array, size: Array, low: int, high: int,
    beside: float, out: Array, near: Array,
) -> None:  # pragma: no cover  # fmt: skip
    for n in range(position.shape[0]):
        index = -1
        for i in range(position.shape[1]):
            x, y, heading = position[n, i, 0], position[n, i, 1], yaw[n, i]
            if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(heading)):
                out[n, i, :] = np.nan
                continue
            if index < 0:
                index = nearest(table, spacing, x, y, math.nan, low, high)
            index = _walked(table, x, y, index)
            foot_x, foot_y, yaw_r = table[index, 0], table[index, 1], table[index, 2]
            c, s = cos_sin(yaw_r)
            station = index * spacing + (x - foot_x) * c + (y - foot_y) * s
            offset = (y - foot_y) * c - (x - foot_x) * s
            along, across = cos_sin(heading - yaw_r)
            cosine, sine = abs(along), abs(across)
            half = 0.5 * (size[n, 0] * cosine + size[n, 1] * sine)
            side = 0.5 * (size[n, 0] * sine + size[n, 1] * cosine)
            out[n, i, 0], out[n, i, 1], out[n, i, 2] = station - half, station + half, station
            out[n, i, 3] = speed[n, i] * along
            out[n, i, 4], out[n, i, 5] = offset - side, offset + side
            if abs(offset) - side < beside and low * spacing < station + half and station - half < high * spacing:
                near[n] = True


def occupancy(tables: Array, agents: Agents, ego_centre: float, half_width_m: float) -> Bool[Array, "path agent step"]:
    """Where an agent's box is within `half_width_m` of a path. An agent that starts behind the ego never leads it."""
    out = np.zeros((len(tables), len(agents), agents.along.shape[1]), np.bool_)
    if len(agents):
        _occupy(tables, agents.along, ego_centre, half_width_m, out)
    return out


@no_type_check
@njit(cache=True)
def _occupy(tables: Array, along: Array, centre: float, half: float, out: Array) -> None:  # pragma: no cover
    last, none = tables.shape[1] - 1, math.inf
    right, left = np.full(len(along), none), np.full(len(along), -none)
    for n in range(along.shape[0]):
        for i in range(along.shape[1]):
            # NaN fails every comparison and stays out.
            right[n] = along[n, i, RIGHT] if along[n, i, RIGHT] < right[n] else right[n]
            left[n] = along[n, i, LEFT] if along[n, i, LEFT] > left[n] else left[n]
    for p in range(tables.shape[0]):
        lowest, highest = none, -none
        for k in range(last + 1):
            lowest, highest = min(lowest, tables[p, k, 7]), max(highest, tables[p, k, 7])
        begin = tables[p, 0, 1]
        step = max((tables[p, last, 1] - begin) / last, 1e-3)
        for n in range(along.shape[0]):
            if along[n, 0, CENTRE] < centre or right[n] >= highest + half or left[n] <= lowest - half:
                continue
            for i in range(along.shape[1]):
                if not along[n, i, FRONT] > begin or along[n, i, REAR] > tables[p, last, 1]:
                    continue
                for part in range(3):
                    at = along[n, i, REAR] + 0.5 * part * (along[n, i, FRONT] - along[n, i, REAR])
                    k = min(max(int((at - begin) / step), 0), last)
                    while k < last and tables[p, k + 1, 1] < at:
                        k += 1
                    while k > 0 and tables[p, k, 1] > at:
                        k -= 1
                    d = tables[p, k, 7]
                    if along[n, i, RIGHT] < d + half and along[n, i, LEFT] > d - half:
                        out[p, n, i] = True
                        break


def slower_beside(
    tables: Array, boxes: Float[Array, "parked 6"], half_width_m: float, front_m: float, rear_m: float, speed: float,
    rules: Array,
) -> Array:  # fmt: skip
    """The paths with the speed limit (last column) lowered where they lead closely past parked boxes.

    At a gap beside of g m it is `rules[0]` (g - `rules[1]`), at least `rules[2]` m/s, so that it is 10 km/h at 0.4 m
    and 30 km/h at 1 m; and never less than braking from `speed` with `rules[3]` m/s^2 allows.
    """
    if not len(boxes):
        return tables
    out = tables.copy()
    _slow(out, np.ascontiguousarray(boxes), half_width_m, front_m, rear_m, speed, rules)
    return out


@no_type_check
@njit(cache=True)
def _slow(
    tables: Array, boxes: Array, half: float, front: float, rear: float, speed: float, rules: Array
) -> None:  # pragma: no cover
    for p in range(tables.shape[0]):
        for k in range(tables.shape[1]):
            row = tables[p, k]
            for n in range(boxes.shape[0]):
                # A box that the bumper has not come to is not beside yet: the path swings out before it.
                if row[1] < boxes[n, REAR] - 0.5 * front or row[1] > boxes[n, FRONT] + rear:
                    continue
                gap = max(boxes[n, RIGHT] - row[7], row[7] - boxes[n, LEFT]) - half
                if gap > 0.0:
                    most = max(rules[0] * (gap - rules[1]), rules[2])
                    most = max(most, math.sqrt(max(speed * speed - 2.0 * rules[3] * row[0], 0.0)))
                    row[8] = min(row[8], most)
