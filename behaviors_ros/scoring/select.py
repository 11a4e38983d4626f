"""Scores -> Plan: the best admissible candidate, with hysteresis, its standing safe stop, and the reason in words."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import Candidates, Outcome, Plan, Scene, Scores
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.scoring.continuation import change
from behaviors_ros.scoring.footprint import finite
from behaviors_ros.scoring.reason import explain

Array = np.ndarray


class Selection(Parameters):
    """How a candidate is selected."""

    margin: float = value(0.01, "total by which another choice must beat the previous one", low=0.0, high=1.0)
    lateral_m: float = value(
        1.0, "RMS change across the previous plan that is still the same choice", low=0.01, high=20.0
    )
    longitudinal_m: float = value(3.0, "RMS change along the previous plan, likewise", low=0.01, high=50.0)
    valid_s: float = value(0.6, "how long a plan may be followed without a newer one", low=0.05, high=5.0)
    minimal_risk: str = value("minimal_risk_stop", "generator whose candidates alone mean that the ego is stopping")


def select(
    scene: Scene, candidates: Candidates, scores: Scores, selection: Selection, vehicle: Vehicle, plan_id: int
) -> Plan:
    """The decision: which candidate drives, and which stop goes with it; that none is admissible is an outcome."""
    stop = safe_stop(candidates, scores, vehicle)
    index, outcome = choose(scene, candidates, scores, selection, vehicle, stop)
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
        outcome=outcome,
        reason=explain(candidates, scores, index, outcome),
        degraded=scene.degraded,
        scores=scores,
    )


def choose(
    scene: Scene, candidates: Candidates, scores: Scores, selection: Selection, vehicle: Vehicle, stop: int
) -> tuple[int, Outcome]:
    """The driven candidate's index and how it was found; `stop` is the safe stop."""
    admissible = scores.admissible
    if not admissible.any():
        return stop, Outcome.EMERGENCY
    ordinary = admissible & (np.array(candidates.generator) != selection.minimal_risk)
    if not ordinary.any():
        return gentlest(candidates, admissible, scores.total, vehicle), Outcome.STOPPING
    best = int(np.argmax(np.where(admissible, scores.total, -1.0)))
    same = admissible & continues(scene, candidates, selection)
    if same.any() and not same[best]:
        kept = int(np.argmax(np.where(same, scores.total, -1.0)))
        if scores.total[best] <= scores.total[kept] + selection.margin:
            return kept, Outcome.KEPT
    return best, Outcome.SELECTED


def continues(scene: Scene, candidates: Candidates, selection: Selection) -> Bool[Array, "candidate"]:
    """Candidates near enough to the previous plan, at equal times, to be the same choice."""
    departed = change(scene, candidates)
    if departed is None:
        return np.zeros(len(candidates), dtype=bool)
    away = np.hypot(departed.lateral / selection.lateral_m, departed.longitudinal / selection.longitudinal_m)
    return np.asarray(away <= 1.0)


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
