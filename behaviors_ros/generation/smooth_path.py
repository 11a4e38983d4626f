"""Paths within bounds: where the lane bends too tightly one that swings wide on what is drivable, and one past several
parked agents.

The lateral profile d(station) has piecewise constant d''' and is found by a few quadratic programmes, each with the
curvature to first order about the profile of the one before.
"""

from __future__ import annotations

from functools import lru_cache
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array
from behaviors_ros.generation import agents as columns
from behaviors_ros.generation.paths import COLUMNS, Paths, for_all, joined, write_row
from behaviors_ros.generation.piecewise_jerk import Mixed, Problem, solved, states
from behaviors_ros.generation.situation import Situation
from behaviors_ros.parameters import Parameters, value


class Wide(Parameters):
    """When the path swings wide, and how."""

    tight: float = value(0.7, "share of the vehicle's curvature from which a lane bends tightly", low=0.1, high=2.0)
    curvature: float = value(0.97, "share of the vehicle's curvature that is used", low=0.1, high=1.0)
    curvature_rate_1pm2: float = value(0.16, "largest change of curvature along the path", low=0.01, high=2.0)
    interval_m: float = value(1.5, "stretch of constant third derivative", low=0.25, high=10.0)
    reach_m: float = value(36.0, "length over which the path is found; it holds its offset beyond", low=5.0, high=100.0)
    margin_m: float = value(0.2, "distance of the ego's corners to the edge of what is drivable", low=-1.0, high=2.0)
    offset_weight: float = value(0.02, "weight of 1 m from the lane's centre against 1 / m^2", low=0.0, high=10.0)
    heading_weight: float = value(0.02, "weight of 1 rad against the lane, likewise", low=0.0, high=10.0)
    parked: int = value(2, "parked agents in the way from which a path past all of them is found", low=1, high=100)
    clearance_m: float = value(0.5, "distance to parked agents while passing them so", low=0.0, high=3.0)
    passes: int = value(3, "most quadratic programmes in a row", low=1, high=10)


@lru_cache(maxsize=4)
def wide_path(situation: Situation, rules: Wide) -> Paths:
    """A path labelled "keep lane" where the lane bends tightly within reach, and one past several parked agents that
    stand in the way, each on the side with more room; none elsewhere, or none exists.
    """
    none = Paths(np.empty((0, situation.samples, COLUMNS)), (), np.ones(0, bool))
    start, limit = situation.lateral, situation.vehicle.curvature_max_1pm
    reach = min(rules.reach_m, situation.reach_m)
    count = max(int(reach / rules.interval_m), 4)
    parked = _in_the_way(situation, reach, rules)
    if start is None:
        return none
    table, spacing = situation.reference.table, situation.reference.spacing_m
    rows = for_all(table, spacing, situation.station, rules.interval_m, count + 1)
    wanted = []
    if np.abs(rows[:, 3]).max() >= rules.tight * limit:
        wanted.append(("keep lane", parked[:0]))
    if len(parked) >= rules.parked:
        wanted.append((f"pass {len(parked)} parked ones", parked))
    found = [(label, _profile(situation, start, rows, boxes, rules)) for label, boxes in wanted]
    paths = [_path(situation, start, jerks, label, rules) for label, jerks in found if jerks is not None]
    return joined(paths) if paths else none


def _in_the_way(situation: Situation, reach: float, rules: Wide) -> Float[Array, "parked 6"]:
    """Boxes along the reference, as in `Agents`, of the parked agents ahead within reach that a straight way meets."""
    if not len(situation.agents):
        return np.empty((0, 6))
    boxes = situation.agents.along[:, 0]
    half = 0.5 * situation.vehicle.width_m + rules.clearance_m
    ahead = boxes[:, columns.FRONT] > situation.station - situation.vehicle.rear_overhang_m
    near = ahead & (boxes[:, columns.REAR] < situation.station + reach - situation.front_m)
    return boxes[situation.parked & near & (boxes[:, columns.LEFT] > -half) & (boxes[:, columns.RIGHT] < half)]


def _path(situation: Situation, start: Array, jerks: Array, label: str, rules: Wide) -> Paths:
    """The path of a profile; it holds its last offset beyond it."""
    end = len(jerks) * rules.interval_m
    stations = situation.step_m * np.arange(situation.samples)
    lateral = states(start, rules.interval_m, jerks, np.minimum(stations, end))
    lateral[stations >= end, 1:] = 0.0
    out = np.empty((1, situation.samples, COLUMNS))
    table, spacing = situation.reference.table, situation.reference.spacing_m
    along = for_all(table, spacing, situation.station, situation.step_m, situation.samples)
    usable = _write(along, situation.station, situation.step_m, lateral, out[0])
    return Paths(out, (label,), np.array([usable]))


def _profile(
    situation: Situation, start: Array, rows: Array, boxes: Array, rules: Wide
) -> Float[Array, " jerk"] | None:
    """The third derivatives of the intervals."""
    count, bend, limit = len(rows) - 1, rows[:, 3], rules.curvature * situation.vehicle.curvature_max_1pm
    rear, front = _room(situation, rows, rules)
    _beside(situation, rear, boxes, rules)
    change = np.diff(bend) / rules.interval_m
    before = np.zeros((count, 3))
    nothing, weights = np.zeros(count), np.tile([rules.offset_weight, rules.heading_weight, 1.0, 4.0], (count, 1))
    wanted = np.column_stack((nothing, nothing, -bend[1:], -change))
    free, rate = nothing + np.inf, rules.curvature_rate_1pm2
    low = np.column_stack((rear[:, 0], -free, -free, -change - rate))
    high = np.column_stack((rear[:, 1], free, free, -change + rate))
    lever = np.tile([1.0, situation.front_m, 0.0], (count, 1))
    if abs(bend[-1]) < 1e-3:  # it ends along the lane, and holds its offset
        low[-1, 1:3], high[-1, 1:3] = -1e-3, 1e-3
    jerks = None
    for _ in range(rules.passes):
        curvature, share = _curvature(rows[1:], before)
        fixed = curvature - (share * before).sum(axis=1)
        mixed = (Mixed(lever, *front.T), Mixed(share, -limit - fixed, limit - fixed))
        jerks = solved(Problem(start, rules.interval_m, weights, wanted, low, high, mixed=mixed))
        if jerks is None:
            return None
        before = states(start, rules.interval_m, jerks, rules.interval_m * np.arange(1, count + 1))
        if np.abs(_curvatures(rows[1:], before)).max() <= limit + 1e-4:
            break
    return jerks


def _curvature(rows: Array, lateral: Float[Array, "knot 3"]) -> tuple[Float[Array, " knot"], Float[Array, "knot 3"]]:
    """Curvature of a lateral profile beside the reference `rows`, 1/m, and its derivatives by d, d' and d''."""
    small = 1e-4
    here = _curvatures(rows, lateral)
    moved = [_curvatures(rows, lateral + small * np.eye(3)[column]) for column in range(3)]
    return here, np.column_stack([(there - here) / small for there in moved])


def _curvatures(rows: Array, lateral: Float[Array, "knot 3"]) -> Float[Array, " knot"]:
    """Curvature of a lateral profile beside the reference `rows`, 1/m (Werling et al., ICRA 2010, app. I)."""
    d, d1, d2 = lateral.T
    q = np.maximum(1.0 - rows[:, 3] * d, 0.3)
    cosine = q / np.hypot(q, d1)
    return ((d2 + (rows[:, 4] * d + rows[:, 3] * d1) * d1 / q) * cosine**2 / q + rows[:, 3]) * cosine / q


def _room(situation: Situation, rows: Array, rules: Wide) -> tuple[Float[Array, "knot 2"], Float[Array, "knot 2"]]:
    """Lowest and highest offsets of the rear axle, and of the front of a body straight ahead along the tangent, at the
    knots after the first. The lane turns away from that tangent by half the mean curvature times the distance
    squared, which carries the front outwards.
    """
    route, front, half = situation.route, situation.front_m, 0.5 * situation.vehicle.width_m + rules.margin_m
    ahead = max(int(np.ceil(front / rules.interval_m)), 1)
    padded = np.concatenate((rows[:, 3], np.full(ahead, rows[-1, 3])))
    swing = 0.5 * front**2 * np.convolve(padded, np.full(ahead + 1, 1.0 / (ahead + 1)), mode="valid")[1:]
    stations = np.concatenate((rows[:, 5], rows[-1, 5] + rules.interval_m * np.arange(1, ahead + 1)))
    right, left = (np.interp(stations, route.s, getattr(route, name)) for name in ("right_drivable", "left_drivable"))
    axle = np.column_stack((half - right, left - half))[1 : len(rows)]
    nose = np.column_stack((half - right, left - half))[1 + ahead :] + swing[:, None]
    now = 0.0 if situation.lateral is None else float(situation.lateral[0])
    # A start outside has until some metres on to come in.
    fade = np.exp(-np.arange(1, len(rows)) * rules.interval_m / 6.0)[:, None]
    beyond = np.array([min(now - axle[0, 0], 0.0), max(now - axle[0, 1], 0.0)]) * fade
    return axle + beyond, nose + beyond


def _beside(situation: Situation, room: Float[Array, "knot 2"], boxes: Float[Array, "parked 6"], rules: Wide) -> None:
    """Narrow the room of the rear axle where the ego's body is beside boxes, each passed on the side with more room."""
    kept = 0.5 * situation.vehicle.width_m + rules.clearance_m
    stations = situation.station + rules.interval_m * np.arange(1, len(room) + 1)
    for rear, front, _, _, right, left in boxes:
        beside = (stations > rear - situation.front_m - 0.5) & (
            stations < front + situation.vehicle.rear_overhang_m + 0.5
        )
        if right + left < 0.0:
            room[beside, 0] = np.maximum(room[beside, 0], left + kept)
        else:
            room[beside, 1] = np.minimum(room[beside, 1], right - kept)


@no_type_check
@njit(cache=True)
def _write(rows: Array, station: float, step: float, lateral: Array, out: Array) -> bool:  # pragma: no cover
    """Fill a path from its lateral profile (sample, 3); whether it folds nowhere."""
    travelled, rate = 0.0, 0.0
    for k in range(rows.shape[0]):
        q, now = write_row(rows[k], station + k * step, lateral[k, 0], lateral[k, 1], lateral[k, 2], out[k])
        if q < 0.15:
            return False
        if k:
            travelled += 0.5 * (rate + now) * step
        rate = now
        out[k, 0] = travelled
    return True
