"""Gate and scorer: driving against the traffic."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms, Verdict
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_most, terms

Array = np.ndarray


class DirectionParameters(Parameters):
    """How much is accepted: enough to pass a stopped vehicle slowly, too little to drive there."""

    window_s: float = value(1.0, "time over which the distance is added up", low=0.1, high=10.0)
    against_max_m: float = value(9.0, "largest distance against traffic in the window", low=0.0, high=100.0)


@register("gate", "direction")
class Direction:
    """Value: largest distance driven in a window with the rear axle beyond the lanes of the own direction, m."""

    parameters = DirectionParameters

    def __init__(self, parameters: DirectionParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.p = parameters

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        worst = against_traffic(scene, candidates, self.p.window_s).max(axis=1)
        return at_most(worst, self.p.against_max_m, candidates)


class DirectionComplianceParameters(Parameters):
    """The metric's two distances (nuPlan: 2 m compliant, 6 m a violation)."""

    weight: float = value(3.0, "share in the weighted mean", low=0.0, high=100.0)
    window_s: float = value(1.0, "time over which the distance is added up", low=0.1, high=10.0)
    compliant_m: float = value(2.0, "distance in the window up to which the score is 1", low=0.0, high=50.0)
    violation_m: float = value(6.0, "distance in the window from which the score is 0", low=0.1, high=100.0)


@register("scorer", "direction_compliance")
class DirectionCompliance:
    """Raw: distance driven against traffic in a window, mean over all windows, m.

    Score: mean over the windows of 1 to 0 linearly between the two distances, so that leaving the oncoming lane earlier
    is better than later.
    """

    parameters = DirectionComplianceParameters

    def __init__(self, parameters: DirectionComplianceParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.p = parameters

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        distance = against_traffic(scene, candidates, self.p.window_s)
        span = max(self.p.violation_m - self.p.compliant_m, 1e-6)
        score = np.clip(1.0 - (distance - self.p.compliant_m) / span, 0.0, 1.0).mean(axis=1)
        return terms(distance.mean(axis=1), score, candidates)


@lru_cache(maxsize=2)
def against_traffic(scene: Scene, candidates: Candidates, window_s: float) -> Float[Array, "candidate step"]:
    """Distance (m) in the `window_s` before each step driven with the rear axle outside the lanes of its direction."""
    route, d = scene.route, candidates.d
    against = np.zeros(candidates.s.shape)
    rows = (d > route.left_same.min()) | (d < -route.right_same.min())
    against[rows] = (d[rows] > np.interp(candidates.s[rows], route.s, route.left_same)) | (
        d[rows] < -np.interp(candidates.s[rows], route.s, route.right_same)
    )
    steps = np.hypot(*np.moveaxis(np.diff(candidates.position, axis=1), -1, 0)) * against[:, 1:]
    total = np.concatenate([np.zeros((len(candidates), 1)), np.cumsum(steps, axis=1)], axis=1)
    first = np.searchsorted(candidates.time_s, candidates.time_s - window_s - 1e-9)
    return total - total[:, first]
