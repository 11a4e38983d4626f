"""Gate: the chance of collision, from mode probabilities and position uncertainty, must stay small."""

from __future__ import annotations

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Verdict
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_most
from behaviors_ros.scoring.risk import chances


class CollisionChanceParameters(Parameters):
    """How much chance is accepted, and how far ahead. Far ahead position uncertainty says little about the agent."""

    chance_max: float = value(0.3, "largest chance of collision at any instant", low=0.0, high=1.0)
    horizon_s: float = value(2.5, "how far ahead it is asked", low=0.0, high=20.0)
    interval_s: float = value(0.3, "time between the instants at which it is asked", low=0.01, high=2.0)
    fine_s: float = value(
        3.0,
        "beyond this the interval is twice as long: uncertainty has smoothed what happens there",
        low=0.0,
        high=20.0,
    )


@register("gate", "collision_chance")
class CollisionChance:
    """Value: largest chance of collision at an instant within the horizon."""

    parameters = CollisionChanceParameters

    def __init__(self, parameters: CollisionChanceParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate; an agent without a usable future forbids all."""
        time_s, chance = chances(scene, predictions, candidates, self.vehicle, self.p.interval_s, self.p.fine_s)
        worst = chance[:, time_s <= self.p.horizon_s + 1e-9].max(axis=1)
        return at_most(worst, self.p.chance_max, candidates)
