"""Scorer: the chance of collision over the whole horizon."""

from __future__ import annotations

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import terms
from behaviors_ros.scoring.risk import chances


class CollisionRiskParameters(Parameters):
    """Weight and resolution."""

    weight: float = value(3.0, "share in the weighted mean", low=0.0, high=100.0)
    interval_s: float = value(0.3, "time between the instants at which it is asked", low=0.01, high=2.0)
    fine_s: float = value(
        3.0,
        "beyond this the interval is twice as long: uncertainty has smoothed what happens there",
        low=0.0,
        high=20.0,
    )


@register("scorer", "collision_risk")
class CollisionRisk:
    """Raw: largest chance of collision at an instant of the horizon. Score: 1 - raw."""

    parameters = CollisionRiskParameters

    def __init__(self, parameters: CollisionRiskParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        _, chance = chances(scene, predictions, candidates, self.vehicle, self.p.interval_s, self.p.fine_s)
        worst = chance.max(axis=1)
        return terms(worst, 1.0 - worst, candidates)
