"""The closed-loop driving score: product of multipliers x weighted mean.

Sources: nuPlan (Karnchanachari et al. 2024) for everything but the traffic light, lane keeping and consistency, which
the extended score of NAVSIM v2 (EPDMS) adds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from behaviors_ros.datatypes import AgentClass
from behaviors_ros.evaluation.against_traffic import DirectionRules, compliance
from behaviors_ros.evaluation.collisions import Collision
from behaviors_ros.evaluation.lane_centring import CentringRules, keeps_lane
from behaviors_ros.evaluation.plan_changes import ConsistencyRules
from behaviors_ros.evaluation.progress import ProgressRules
from behaviors_ros.parameters import Parameters, value

OBJECTS = (AgentClass.HAZARD, AgentClass.OVER_DRIVABLE, AgentClass.UNDER_DRIVABLE)


class ScoreRules(Parameters):
    """Weights of the mean and what its parts ask for."""

    progress: float = value(5.0, "weight of the progress", low=0.0)
    time_to_collision: float = value(5.0, "weight of the time to collision", low=0.0)
    speed_limit: float = value(4.0, "weight of keeping the speed limit", low=0.0)
    comfort: float = value(2.0, "weight of comfort", low=0.0)
    lane_keeping: float = value(2.0, "weight of lane keeping", low=0.0)
    consistency: float = value(2.0, "weight of plan-to-plan consistency", low=0.0)
    ttc_s: float = value(0.95, "a least time to collision above this is safe", low=0.0, high=10.0)
    object_multiplier: float = value(0.5, "what one object hit at fault leaves of the score", low=0.0, high=1.0)
    direction: DirectionRules = DirectionRules()
    centring: CentringRules = CentringRules()
    plans: ConsistencyRules = ConsistencyRules()
    reference: ProgressRules = ProgressRules()


@dataclass(frozen=True)
class Facts:
    """What the score is made of. Distances m, times s; plan_consistency, speed_limit_compliance, progress_ratio in
    [0, 1].
    """

    collisions: tuple[Collision, ...]
    off_road: bool
    against_traffic_m: float
    progress_ratio: float
    red_lights_run: int
    min_ttc_s: float
    speed_limit_compliance: float
    comfortable: bool
    off_centre_s: float
    plan_consistency: float


@dataclass(frozen=True)
class DrivingScore:
    """`total` with all factors, in [0, 1]; `nuplan`: without red light, lane keeping and consistency."""

    multipliers: dict[str, float]
    terms: dict[str, float]
    total: float
    nuplan: float


def driving_score(facts: Facts, rules: ScoreRules | None = None) -> DrivingScore:
    """The score of a drive."""
    rules = rules or ScoreRules()
    multipliers = {
        "no_at_fault_collision": collision_multiplier(facts.collisions, rules),
        "drivable_area": float(not facts.off_road),
        "driving_direction": compliance(facts.against_traffic_m, rules.direction),
        "making_progress": float(facts.progress_ratio > rules.reference.making),
        "traffic_light": float(not facts.red_lights_run),
    }
    terms = {
        "progress": facts.progress_ratio,
        "time_to_collision": float(facts.min_ttc_s > rules.ttc_s),
        "speed_limit": facts.speed_limit_compliance,
        "comfort": float(facts.comfortable),
        "lane_keeping": float(keeps_lane(facts.off_centre_s, rules.centring)),
        "consistency": facts.plan_consistency,
    }
    own = [name for name in terms if name not in ("lane_keeping", "consistency")]
    product = math.prod(multipliers.values())
    without_light = math.prod(value for name, value in multipliers.items() if name != "traffic_light")
    total, nuplan = product * _mean(terms, list(terms), rules), without_light * _mean(terms, own, rules)
    return DrivingScore(multipliers, terms, total, nuplan)


def collision_multiplier(collisions: tuple[Collision, ...], rules: ScoreRules) -> float:
    """0 with a road user hit at fault or more than one object, `object_multiplier` with one object, else 1."""
    hit = [collision for collision in collisions if collision.at_fault]
    objects = [collision for collision in hit if collision.agent_class in OBJECTS]
    if len(hit) > len(objects) or len(objects) > 1:
        return 0.0
    return rules.object_multiplier if objects else 1.0


def _mean(terms: dict[str, float], names: list[str], rules: ScoreRules) -> float:
    weights = {name: getattr(rules, name) for name in names}
    return sum(weights[name] * terms[name] for name in names) / max(sum(weights.values()), 1e-12)
