"""Scores, Decisions -> Plan: the best admissible candidate, with hysteresis, its safe stop, and the reason in words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import (
    Candidates,
    Decision,
    Decisions,
    Degraded,
    Manoeuvre,
    Order,
    Outcome,
    Plan,
    Scene,
    Scores,
)
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.scoring.anytime import Anytime
from behaviors_ros.scoring.decision import Meaning
from behaviors_ros.scoring.footprint import finite
from behaviors_ros.scoring.hysteresis import HALTS, Hysteresis, changes, committed, impatience, price, waits_since
from behaviors_ros.scoring.reason import explain, other_decision

Array = np.ndarray


class Selection(Parameters):
    """How a candidate is selected."""

    valid_s: float = value(0.6, "how long a plan may be followed without a newer one", low=0.05, high=5.0)
    minimal_risk: str = value("minimal_risk_stop", "generator whose candidates alone mean that the ego is stopping")
    meaning: Meaning = Meaning()
    hysteresis: Hysteresis = Hysteresis()
    anytime: Anytime = Anytime()


class Choice(NamedTuple):
    """The driven candidate, how it was found, and since when going first has led (ns, 0: it has not)."""

    candidate: int
    outcome: Outcome
    doubt_since_ns: int = 0


def select(
    scene: Scene, candidates: Candidates, scores: Scores, decisions: Decisions, selection: Selection, vehicle: Vehicle,
    plan_id: int,
) -> Plan:  # fmt: skip
    """The decision: which candidate drives, and which stop goes with it; that none is admissible is an outcome."""
    stop = safe_stop(candidates, scores, vehicle)
    choice = choose(scene, candidates, scores, decisions, selection, vehicle, stop)
    index, decision = choice.candidate, _decision(scene, scores, decisions, choice, selection.hysteresis)
    evaluated = len(candidates) if scores.evaluated is None else int(scores.evaluated.sum())
    return Plan(
        stamp_ns=scene.stamp_ns,
        plan_id=plan_id,
        trajectory=candidates.trajectory(index),
        stop=candidates.trajectory(stop),
        valid_until_ns=scene.stamp_ns + round(selection.valid_s * 1e9),
        index=index,
        stop_index=stop,
        generator=candidates.generator[index],
        label=candidates.label[index],
        outcome=choice.outcome,
        reason=explain(candidates, scores, decisions, index, choice.outcome, decision),
        degraded=scene.degraded | (Degraded.SLOW if evaluated < len(candidates) else Degraded.NONE),
        scores=scores,
        decision=decision,
        decisions=decisions,
        evaluated=evaluated,
    )


def choose(
    scene: Scene, candidates: Candidates, scores: Scores, decisions: Decisions, selection: Selection, vehicle: Vehicle,
    stop: int,
) -> Choice:  # fmt: skip
    """The choice; `stop` is the safe stop."""
    admissible = scores.admissible
    if not admissible.any():
        return Choice(stop, Outcome.EMERGENCY)
    ordinary = admissible & (np.array(candidates.generator) != selection.minimal_risk)
    if not ordinary.any():
        return Choice(gentlest(candidates, admissible, scores.total, vehicle), Outcome.STOPPING)
    best = _best(scores.total, admissible)
    given = impatience(scene, candidates, decisions, vehicle, selection.hysteresis)
    total = scores.total + given
    index, doubt_ns = _kept(scene, candidates, total, admissible, decisions, selection.hysteresis, vehicle)
    kept = scores.total[best] > scores.total[index] and given[best] == given[index]
    return Choice(index, Outcome.KEPT if kept else Outcome.SELECTED, doubt_ns)


def _kept(
    scene: Scene, candidates: Candidates, total: Float[Array, "candidate"], admissible: Bool[Array, "candidate"],
    decisions: Decisions, hysteresis: Hysteresis, vehicle: Vehicle,
) -> tuple[int, int]:  # fmt: skip
    """The best admissible candidate less what it costs to leave the previous decision for it, and `doubt_since_ns`."""
    found = changes(scene, candidates, decisions, hysteresis)
    if found is None or scene.previous is None:
        return _best(total, admissible), 0
    before = scene.previous.decision
    age_s = (scene.stamp_ns - before.since_ns) * 1e-9 if before is not None else 0.0
    left = total - price(found, age_s, scene.ego.speed, hysteresis)
    carried = admissible & committed(scene, candidates, decisions, vehicle, hysteresis.committed_m)
    among = carried if carried.any() else admissible
    index = _best(left, among)
    waits = among & ~found.first
    if before is None or not found.first[index] or not waits.any():
        return index, 0
    since_ns = before.doubt_since_ns or scene.stamp_ns
    if (scene.stamp_ns - since_ns) * 1e-9 < hysteresis.go_first_s - 1e-6:
        index = _best(left, waits)
    return index, since_ns


def _best(total: Float[Array, "candidate"], among: Bool[Array, "candidate"]) -> int:
    """The candidate with the largest total."""
    return int(np.argmax(np.where(among, total, -np.inf)))


def _decision(scene: Scene, scores: Scores, decisions: Decisions, choice: Choice, hysteresis: Hysteresis) -> Decision:
    """What the chosen candidate means, and since when that has been decided."""
    index, before = choice.candidate, scene.previous.decision if scene.previous is not None else None
    meant = Manoeuvre(int(decisions.manoeuvre[index])), decisions.subject_of(index)
    goes_on = before is not None and (before.manoeuvre, before.subject) == meant
    if choice.outcome == Outcome.EMERGENCY:
        meant = Manoeuvre.EMERGENCY_STOP, ""
    elif choice.outcome == Outcome.STOPPING and not goes_on:
        meant = Manoeuvre.MINIMAL_RISK_STOP, ""
    same = before is not None and (before.manoeuvre, before.subject) == meant
    others = scores.admissible & other_decision(decisions, index)
    rival = float(scores.total[others].max()) if others.any() else 0.0
    met = {
        order: tuple(
            decisions.subjects[agent]
            for agent in np.flatnonzero(decisions.contested[index] & (decisions.order[index] == order))
        )
        for order in (Order.BEFORE, Order.BEHIND)
    }
    return Decision(
        *meant, before.since_ns if same and before is not None else scene.stamp_ns,
        float(scores.total[index]) - rival, met[Order.BEFORE], met[Order.BEHIND], choice.doubt_since_ns,
        waits_since(scene, meant[0] in (*HALTS, Manoeuvre.YIELD, Manoeuvre.FOLLOW), hysteresis),
    )  # fmt: skip


def safe_stop(candidates: Candidates, scores: Scores, vehicle: Vehicle) -> int:
    """The gentlest admissible stop; without one, the stop that does the least harm."""
    admissible = scores.admissible & candidates.is_stop
    if admissible.any():
        return gentlest(candidates, admissible, scores.total, vehicle)
    stops = candidates.is_stop & finite(candidates)
    return least_harm(candidates, scores, stops if stops.any() else finite(candidates))


def gentlest(
    candidates: Candidates, among: Bool[Array, "candidate"], total: Float[Array, "candidate"], vehicle: Vehicle
) -> int:
    """The candidate with the least of its largest deceleration, or of its largest lateral acceleration, each over the
    vehicle's limit; of nearly equal ones (1 %) the one with the best total.
    """
    braking = (-candidates.acceleration).max(axis=1) / vehicle.deceleration_max_mps2
    lateral = (np.abs(candidates.curvature) * np.square(candidates.speed)).max(axis=1)
    harshness = np.maximum(braking, lateral / vehicle.lateral_acceleration_max_mps2)
    harshness = np.where(among, np.maximum(harshness, 0.0), np.inf)
    equal = harshness <= harshness.min() + 0.01
    return int(np.argmax(np.where(equal, total, -1.0)))


def least_harm(candidates: Candidates, scores: Scores, among: Bool[Array, "candidate"]) -> int:
    """Latest first contact, then least chance of collision, then fewest gates broken, then least distance travelled."""
    travelled = np.abs(np.diff(candidates.s, axis=1)).sum(axis=1)
    order = np.lexsort(
        (
            np.nan_to_num(travelled, nan=np.inf),
            (~scores.passed).sum(axis=1),
            np.nan_to_num(_gate(scores, "collision_chance"), nan=1.0).round(2),
            -np.nan_to_num(_gate(scores, "collision"), nan=0.0),
            ~among,
        )
    )
    return int(order[0])


def _gate(scores: Scores, name: str) -> Float[Array, "candidate"]:
    """Values of one gate; zeros when it is not configured."""
    return scores.value[:, scores.gates.index(name)] if name in scores.gates else np.zeros(len(scores.total))
