"""What leaving the previous decision costs: by what changes, less the older the decision; and what is not left at all.

A decision has three parts that may change: which agents go first, which side the ego goes to, what it halts for. The
price of a change is a total by which another candidate must lead. It fades with the age of the decision, while the ego
stands to nothing, so that no halt is for ever; after a change the new decision is young, so that nothing goes back and
forth.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import Candidates, Decision, Decisions, Manoeuvre, Order, Route, Scene, StopKind
from behaviors_ros.geometry.polylines import interpolated
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.scoring.continuation import change

Array = np.ndarray
SIDE = {
    Manoeuvre.CHANGE_LEFT: 1, Manoeuvre.PASS_LEFT: 1, Manoeuvre.CHANGE_RIGHT: -1, Manoeuvre.PASS_RIGHT: -1,
    Manoeuvre.PULL_OVER: -2,
}  # fmt: skip
SIDES = np.array([SIDE.get(manoeuvre, 0) for manoeuvre in Manoeuvre])
HALTS = (Manoeuvre.STOP, Manoeuvre.MINIMAL_RISK_STOP, Manoeuvre.EMERGENCY_STOP, Manoeuvre.PULL_OVER)


class Hysteresis(Parameters):
    """Totals by which another choice must lead, and for how long."""

    margin: float = value(0.01, "to another trajectory of the same decision", low=0.0, high=1.0)
    lateral_m: float = value(
        1.0, "RMS change across the previous plan that is still the same trajectory", low=0.01, high=20.0
    )
    longitudinal_m: float = value(3.0, "RMS change along the previous plan, likewise", low=0.01, high=50.0)
    go_first: float = value(0.02, "going before an agent that was let go first", low=0.0, high=1.0)
    go_first_s: float = value(0.3, "time for which that must have led", low=0.0, high=5.0)
    give_way: float = value(0.01, "letting an agent go first that the ego was to go before", low=0.0, high=1.0)
    side: float = value(0.01, "another lane or side to pass on", low=0.0, high=1.0)
    halt: float = value(0.005, "halting for something else, or not at all", low=0.0, high=1.0)
    fade_s: float = value(3.0, "age of a decision at which leaving it is cheapest", low=0.1, high=60.0)
    moving_share: float = value(
        0.5, "share of the price that is left then; standing, nothing is left, so as not to wait for ever", low=0.0,
        high=1.0,
    )  # fmt: skip
    standing_mps: float = value(0.5, "speed up to which the ego stands", low=0.0, high=3.0)
    driving_mps: float = value(2.0, "speed from which on it is no longer kept waiting", low=0.1, high=10.0)
    patience_s: float = value(5.0, "time for which the ego waits with patience", low=0.0, high=60.0)
    impatience_1ps: float = value(
        0.02, "growth, after that, of what candidates that get farther are given", low=0.0, high=1.0
    )
    impatience_max: float = value(0.1, "most that they are given", low=0.0, high=1.0)
    farther_m: float = value(1.0, "distance from which on a candidate gets farther", low=0.1, high=20.0)
    queue_m: float = value(
        30.0, "who stands before the ego within this of a stop point may wait there: the ego waits, too", low=0.0,
        high=200.0,
    )  # fmt: skip
    committed_m: float = value(1.0, "a manoeuvre is kept on with while it moves the ego this far", low=0.0, high=20.0)


class Changes(NamedTuple):
    """How candidates differ from the previous decision. first: the ego goes before one that was let go first; way: the
    other way round; side, halt: another one; departs: another trajectory.
    """

    first: Bool[Array, "candidate"]
    way: Bool[Array, "candidate"]
    side: Bool[Array, "candidate"]
    halt: Bool[Array, "candidate"]
    departs: Bool[Array, "candidate"]

    @property
    def any(self) -> Bool[Array, "candidate"]:
        """Candidates of another decision."""
        return self.first | self.way | self.side | self.halt


def changes(scene: Scene, candidates: Candidates, decisions: Decisions, hysteresis: Hysteresis) -> Changes | None:
    """What each candidate changes; None without a previous plan that reaches into this cycle."""
    departed = change(scene, candidates)
    if departed is None or scene.previous is None:
        return None
    away = np.hypot(departed.lateral / hysteresis.lateral_m, departed.longitudinal / hysteresis.longitudinal_m)
    departs, before = ~(away <= 1.0), scene.previous.decision
    if before is None:
        same = np.zeros(len(candidates), dtype=bool)
        return Changes(same, same, same, same, departs)
    row = {name: index for index, name in enumerate(decisions.subjects[: decisions.order.shape[1]])}
    let = [row[name] for name in before.behind if name in row]
    led = [row[name] for name in before.before if name in row]
    first = (decisions.order[:, let] == Order.BEFORE).any(axis=1)
    way = (decisions.order[:, led] == Order.BEHIND).any(axis=1)
    side = SIDES[decisions.manoeuvre] != SIDE.get(before.manoeuvre, 0)
    side &= not side.all()  # a manoeuvre that no candidate carries on has come to its end
    return Changes(first, way, side, _other_halt(before, decisions), departs)


def _other_halt(before: Decision, decisions: Decisions) -> Bool[Array, "candidate"]:
    """Candidates that no longer halt for what the ego was to halt for, or halt for something new."""
    halts = np.isin(decisions.manoeuvre, HALTS)
    if before.manoeuvre not in HALTS:
        return halts
    known = before.subject in decisions.subjects
    same = halts & (decisions.subject == (decisions.subjects.index(before.subject) if known else -1))
    return ~same


def price(found: Changes, age_s: float, speed: float, hysteresis: Hysteresis) -> Float[Array, "candidate"]:
    """The lead that each candidate needs, at an age of the decision and a speed (m/s) of the ego; see the module."""
    h, stands = hysteresis, abs(speed) <= hysteresis.standing_mps
    left = max(1.0 - age_s / h.fade_s, 0.0 if stands else h.moving_share)
    parts = ((found.first, h.go_first), (found.way, h.give_way), (found.side, h.side), (found.halt, h.halt))
    changed = np.sum([cost * part for part, cost in parts], axis=0)
    return left * changed + (left if stands else 1.0) * h.margin * found.departs


def waits_since(scene: Scene, halts: bool, hysteresis: Hysteresis) -> int:
    """`Decision.waits_since_ns` of a plan that halts, gives way or does not."""
    before = scene.previous.decision if scene.previous is not None else None
    since_ns = before.waits_since_ns if before is not None else 0
    if since_ns and abs(scene.ego.speed) < hysteresis.driving_mps:
        return since_ns
    return scene.stamp_ns if halts and abs(scene.ego.speed) <= hysteresis.standing_mps else 0


def impatience(
    scene: Scene, candidates: Candidates, decisions: Decisions, vehicle: Vehicle, hysteresis: Hysteresis
) -> Float[Array, "candidate"]:
    """What candidates that get farther are given when the ego has waited for long: gates still forbid what is unsafe.

    Scores are of the same kind whether the ego has just halted or stands there for a minute; without this it would wait
    for ever behind who is parked where passing is a little less comfortable. It waits in a queue before a stop point.
    """
    before = scene.previous.decision if scene.previous is not None else None
    waited_s = (scene.stamp_ns - before.waits_since_ns) * 1e-9 if before is not None and before.waits_since_ns else 0.0
    given = min(max(waited_s - hysteresis.patience_s, 0.0) * hysteresis.impatience_1ps, hysteresis.impatience_max)
    drives = abs(scene.ego.speed) >= hysteresis.driving_mps
    if given == 0.0 or drives or _in_queue(scene, candidates, vehicle, hysteresis):
        return np.zeros(len(candidates))
    return given * (decisions.travelled > hysteresis.farther_m)


def _in_queue(scene: Scene, candidates: Candidates, vehicle: Vehicle, hysteresis: Hysteresis) -> bool:
    """Whether there is room for somebody between the ego and a stop point near ahead."""
    front = float(candidates.s[0, 0]) + vehicle.length_m - vehicle.rear_overhang_m
    lines = np.array([stop.s for stop in scene.route.stops if stop.kind != StopKind.GOAL])
    return bool(((lines - front > vehicle.length_m) & (lines - front < hysteresis.queue_m)).any())


def committed(
    scene: Scene, candidates: Candidates, decisions: Decisions, vehicle: Vehicle, least_m: float
) -> Bool[Array, "candidate"]:
    """Candidates that carry on a manoeuvre that is under way and move the ego: none when none is under way.

    Under way: the ego is across a line of its lane while changing lane or passing, or in the area that it uses first.
    """
    before = scene.previous.decision if scene.previous is not None else None
    none = np.zeros(len(candidates), dtype=bool)
    if before is None:
        return none
    moves, side = decisions.travelled >= least_m, SIDE.get(before.manoeuvre, 0)
    if side in (1, -1):
        return moves & (SIDES[decisions.manoeuvre] == side) if _across(scene.route, candidates, vehicle, side) else none
    if before.manoeuvre == Manoeuvre.PASS_BEFORE and before.subject in decisions.subjects:
        row = decisions.subjects.index(before.subject)
        goes = decisions.order[:, row] == Order.BEFORE
        return moves & goes if (goes & decisions.entered[:, row]).any() else none
    return none


def _across(route: Route, candidates: Candidates, vehicle: Vehicle, side: int) -> bool:
    """Whether the ego's box is across the line on a side (+1 left) of its lane."""
    s, d = float(candidates.s[0, 0]), side * float(candidates.d[0, 0])
    line = float(interpolated(s, route.s, route.left_lane if side > 0 else route.right_lane))
    return abs(d - line) < 0.5 * vehicle.width_m
