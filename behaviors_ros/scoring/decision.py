"""What every candidate means, from geometry: its lane at the end, what it halts for, and its order with each agent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import Candidates, Decisions, Manoeuvre, Predictions, Route, Scene, StopKind
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.scoring.along import along_route
from behaviors_ros.scoring.encounters import Encounters, Extent, Limits, encounters
from behaviors_ros.scoring.footprint import interval_stride
from behaviors_ros.scoring.places import places

Array = np.ndarray


class Meaning(Parameters):
    """From what the meaning of a candidate is told."""

    probability_min: float = value(0.2, "modes less probable than this are not told of", low=0.0, high=1.0)
    interval_s: float = value(0.3, "time between the instants at which agents are compared", low=0.05, high=1.0)
    margin_m: float = value(0.3, "distance beside the ego within which an agent is in its way", low=0.0, high=2.0)
    near_s: float = value(
        3.0, "ego, unhindered, and agent this near in time at a common area: one yields", low=0.0, high=20.0
    )
    nearer_m: float = value(
        15.0, "so much nearer must an agent be to be named in place of the one named before", low=0.0, high=100.0
    )
    acceleration_mps2: float = value(1.0, "acceleration of the ego when unhindered", low=0.1, high=4.0)
    headway_s: float = value(2.5, "time gap to an agent ahead from which on it is followed", low=0.2, high=10.0)
    standing_mps: float = value(0.05, "speed below which the ego stands", low=0.0, high=1.0)
    beyond_m: float = value(1.0, "distance past a line at which a halt is still for it", low=0.0, high=5.0)
    short_m: float = value(4.0, "distance before a line from which on a halt is for it", low=0.0, high=20.0)
    blocked_m: float = value(12.0, "distance behind an agent from which on a halt is for it", low=0.0, high=50.0)
    creep_mps: float = value(2.0, "speed up to which the ego creeps", low=0.1, high=5.0)
    creep_m: float = value(8.0, "distance to a line within which slow driving is creeping up to it", low=0.0, high=30.0)
    aside_m: float = value(0.3, "overhang beyond the own lane that is no longer in it", low=0.0, high=2.0)
    kerb_m: float = value(0.8, "distance to the edge of the road within which a halt is at the kerb", low=0.0, high=3.0)
    pull_over_m: float = value(0.5, "distance from the lane's middle of one pulled over", low=0.1, high=5.0)
    emergency_mps2: float = value(4.5, "braking from which on a stop is an emergency stop", low=1.0, high=12.0)


def decide(
    scene: Scene, predictions: Predictions, candidates: Candidates, vehicle: Vehicle, meaning: Meaning
) -> Decisions:
    """The meaning of every candidate."""
    stride = interval_stride(candidates, meaning.interval_s)
    agents = along_route(
        scene, predictions, candidates, vehicle, meaning.probability_min, meaning.blocked_m + vehicle.length_m, stride
    )
    extent = Extent(
        vehicle.length_m - vehicle.rear_overhang_m, vehicle.rear_overhang_m, vehicle.centre_offset_m,
        0.5 * vehicle.width_m,
    )  # fmt: skip
    limits = Limits(meaning.margin_m, meaning.acceleration_mps2, meaning.near_s, meaning.nearer_m)
    dt_s = float(candidates.time_s[1] - candidates.time_s[0])
    known = _known(scene, predictions)
    met = encounters(
        candidates.s, candidates.d, candidates.speed, dt_s, len(predictions), *agents, known, extent, limits,
    )  # fmt: skip
    return _named(scene, predictions, candidates, meaning, met, known, extent)


def _known(scene: Scene, predictions: Predictions) -> Int[Array, "agent"]:
    """2 for the subject of the previous decision, 1 for other agents that mattered to it, else 0."""
    previous = scene.previous.decision if scene.previous is not None else None
    if previous is None:
        return np.zeros(len(predictions), dtype=np.int64)
    others = {*previous.before, *previous.behind}
    return np.array([2 if i == previous.subject else int(i in others) for i in predictions.id], dtype=np.int64)


def _named(
    scene: Scene, predictions: Predictions, candidates: Candidates, meaning: Meaning, met: Encounters,
    known: Int[Array, "agent"], extent: Extent,
) -> Decisions:  # fmt: skip
    """Manoeuvre and subject, what is told later going before what is told earlier."""
    names, place, line_s = places(
        scene.route, candidates, meaning.beyond_m, meaning.short_m, meaning.standing_mps, extent
    )
    count, first_place = len(candidates), len(predictions)
    manoeuvre = np.full(count, int(Manoeuvre.KEEP_LANE))
    subject, at_s = np.full(count, -1), np.full(count, np.nan)

    def name(chosen: Array, what: Manoeuvre | Array, whom: Array | int = -1, when: Array | float = np.nan) -> None:
        np.copyto(manoeuvre, what, where=chosen)
        np.copyto(subject, whom, where=chosen)
        np.copyto(at_s, when, where=chosen)

    stands = candidates.speed[:, -1] < meaning.standing_mps
    halt_s = candidates.time_s[np.argmax(candidates.speed < meaning.standing_mps, axis=1)]
    near_line = line_s - candidates.s[:, 0] - extent.front < meaning.creep_m
    slow = (candidates.speed.max(axis=1) <= meaning.creep_mps) & ~stands
    name(slow, Manoeuvre.CREEP, np.where(near_line & (place >= 0), first_place + place, -1))
    longer = np.where(known[met.lead] > 0, 1.3, 1.0) if len(known) else 1.0
    follows = (met.lead >= 0) & (met.headway_s < longer * meaning.headway_s)
    name(follows, Manoeuvre.FOLLOW, met.lead)
    crossing = (met.cross >= 0) & (~follows | (met.cross_s < met.lead_s))
    gives_way = met.cross_order == 2
    name(crossing, np.where(gives_way, Manoeuvre.YIELD, Manoeuvre.PASS_BEFORE), met.cross, met.cross_at_s)

    ends = stands & ~(crossing & gives_way)
    name(ends, Manoeuvre.MINIMAL_RISK_STOP, -1, halt_s)
    behind = ends & (met.lead >= 0) & (met.lead_gap < meaning.blocked_m)
    name(behind, Manoeuvre.STOP, met.lead, halt_s)
    at_line = stands & (place >= 0) & (ends | _firm(scene.route)[place]) & ~(behind & (met.lead_s < line_s))
    name(at_line, Manoeuvre.STOP, first_place + place, halt_s)

    _name_lateral(scene.route, candidates, meaning, met, extent, name)
    kerb = -1.0 if scene.map is None or not scene.map.left_hand_traffic else 1.0
    name(stands & _at_kerb(scene.route, candidates, meaning, extent, kerb), Manoeuvre.PULL_OVER, -1, halt_s)
    harsh = candidates.acceleration.min(axis=1) < -meaning.emergency_mps2
    name(stands & harsh, Manoeuvre.EMERGENCY_STOP, -1, halt_s)
    travelled = candidates.s[:, -1] - candidates.s[:, 0]
    return Decisions(
        (*predictions.id, *names), manoeuvre, subject, at_s, met.order, met.contested, met.entered,
        travelled,
    )  # fmt: skip


def _firm(route: Route) -> Bool[Array, "place"]:
    """Places of `places` at which the ego halts whoever comes: not for giving way. The end of the path is the last."""
    return np.array([*(stop.kind not in (StopKind.YIELD, StopKind.CROSSWALK) for stop in route.stops), True])


def _name_lateral(
    route: Route, candidates: Candidates, meaning: Meaning, met: Encounters, extent: Extent, name: Callable[..., None]
) -> None:
    """Going back to the own lane, past an agent, to stay in the lane beside."""
    start, end = candidates.d[:, 0], candidates.d[:, -1]
    lane_start, lane_end = _lane(route, candidates.s[:, 0], start), _lane(route, candidates.s[:, -1], end)
    settled = _settled(route, candidates.s[:, 0], start, extent.half_width) & (lane_start == lane_end)
    # Who halts where it is does none of these.
    still = (candidates.speed[:, -1] < meaning.standing_mps) & (np.abs(end - start) < meaning.aside_m)
    leaves = (lane_end != 0) & ~settled & ~still
    to_lane = leaves & _same_direction(route, candidates.s[:, -1], lane_end)
    back = np.abs(end) < np.abs(start) - meaning.aside_m
    outside = _overhang(route, candidates.s[:, 0], start, extent.half_width) > meaning.aside_m
    name((outside | leaves) & ~to_lane & back, Manoeuvre.RETURN)
    out = leaves & ~to_lane & ~back
    name(out, np.where(lane_end > 0, Manoeuvre.PASS_LEFT, Manoeuvre.PASS_RIGHT), met.blocking)
    passes = (met.past >= 0) & ~settled & ~still
    name(passes, np.where(met.past_side > 0, Manoeuvre.PASS_LEFT, Manoeuvre.PASS_RIGHT), met.past, met.past_at_s)
    whom = np.where(met.gap >= 0, met.gap, met.lead)
    name(to_lane, np.where(lane_end > 0, Manoeuvre.CHANGE_LEFT, Manoeuvre.CHANGE_RIGHT), whom)


def _lane(route: Route, s: Float[Array, "candidate"], d: Float[Array, "candidate"]) -> Int[Array, "candidate"]:
    """Which lane an offset is in: 0 the own one, +1 left of it, -1 right of it."""
    left, right = np.interp(s, route.s, route.left_lane), np.interp(s, route.s, route.right_lane)
    return np.where(d > left, 1, np.where(d < -right, -1, 0))


def _same_direction(
    route: Route, s: Float[Array, "candidate"], side: Int[Array, "candidate"]
) -> Bool[Array, "candidate"]:
    """Whether the lane on a side (+1 left), taken to be as wide as the own, has the ego's direction for half of it."""
    left, right = np.interp(s, route.s, route.left_lane), np.interp(s, route.s, route.right_lane)
    beside = np.where(
        side > 0, np.interp(s, route.s, route.left_same) - left, np.interp(s, route.s, route.right_same) - right
    )
    return (side != 0) & (beside > 0.5 * (left + right))


def _overhang(
    route: Route, s: Float[Array, "candidate"], d: Float[Array, "candidate"], half_width: float
) -> Float[Array, "candidate"]:
    """How far the ego's side is beyond the line of its own lane, m; negative inside."""
    left, right = np.interp(s, route.s, route.left_lane), np.interp(s, route.s, route.right_lane)
    return np.maximum(d - left, -d - right) + half_width


def _settled(
    route: Route, s: Float[Array, "candidate"], d: Float[Array, "candidate"], half_width: float
) -> Bool[Array, "candidate"]:
    """Whether the ego is wholly in the lane beside its own, taken to be as wide."""
    left, right = np.interp(s, route.s, route.left_lane), np.interp(s, route.s, route.right_lane)
    past_line = np.maximum(d - left, -d - right)
    return (past_line > half_width) & (past_line < left + right - half_width)


def _at_kerb(
    route: Route, candidates: Candidates, meaning: Meaning, extent: Extent, side: float
) -> Bool[Array, "candidate"]:
    """Candidates that end at the edge of the road; side: -1 the right one, +1 the left one."""
    s, d = candidates.s[:, -1], side * candidates.d[:, -1]
    edge = np.interp(s, route.s, route.right_drivable if side < 0.0 else route.left_drivable)
    return (d > meaning.pull_over_m) & (edge - d - extent.half_width < meaning.kerb_m)
