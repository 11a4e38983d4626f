"""Scorer: no to and fro of the speed, within a candidate and against the previous plan."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array, Candidates, Predictions, Scene, Terms
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import terms


class HesitationParameters(Parameters):
    """How much to and fro is noticed."""

    weight: float = value(
        0.3, "share in the weighted mean: not losing and regaining 2 m/s is worth 0.25 s of delay", low=0.0, high=100.0
    )
    speed_mps: float = value(2.0, "speed lost and regained at which alone the score is one half", low=0.1, high=20.0)
    flip_mps2: float = value(
        1.0, "mean acceleration against an opposite one of the same size in the previous plan, likewise",
        low=0.05, high=10.0,
    )  # fmt: skip
    soon_s: float = value(1.0, "time from now over which the two accelerations are the mean", low=0.1, high=5.0)


@register("scorer", "hesitation")
class Hesitation:
    """Raw: reversal / `speed_mps` + flip / `flip_mps2`. Score: 1 / (1 + raw).

    Reversal: speed that is lost and won again (or won and lost), m/s: half of what the sum of all changes of speed
    exceeds the change from start to end; braking alone and speeding up alone have none. Flip: where the candidate's
    mean acceleration soon and that of the previous plan at equal times have opposite signs, the root of their product,
    m/s^2: from pressing on to braking and back, felt as indecision.
    """

    parameters = HesitationParameters

    def __init__(self, parameters: HesitationParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.p = parameters

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        speed = candidates.speed
        changes = np.abs(np.diff(speed, axis=1)).sum(axis=1)
        reversal = 0.5 * np.maximum(changes - np.abs(speed[:, -1] - speed[:, 0]), 0.0)
        raw = reversal / self.p.speed_mps + self._flip(scene, candidates) / self.p.flip_mps2
        return terms(raw, 1.0 / (1.0 + raw), candidates)

    def _flip(self, scene: Scene, candidates: Candidates) -> Float[Array, "candidate"]:
        """Root of the product of opposite mean accelerations, m/s^2; 0 without a previous plan that reaches so far."""
        soon = int(np.searchsorted(candidates.time_s, self.p.soon_s - 1e-9))
        previous = scene.previous
        if previous is None or not 0 < soon < len(candidates.time_s):
            return np.zeros(len(candidates))
        plan = previous.trajectory
        at = candidates.time_s[[0, soon]] + (scene.stamp_ns - plan.stamp_ns) * 1e-9
        if at[0] < plan.time_s[0] - 1e-6 or at[1] > plan.time_s[-1] + 1e-6:
            return np.zeros(len(candidates))
        span = candidates.time_s[soon]
        before = float(np.diff(np.interp(at, plan.time_s, plan.speed))[0]) / span
        now = (candidates.speed[:, soon] - candidates.speed[:, 0]) / span
        return np.sqrt(np.maximum(-before * now, 0.0))
