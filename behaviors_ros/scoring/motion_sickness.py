"""Scorer: the dose of slow acceleration that makes passengers sick."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import terms


class MotionSicknessParameters(Parameters):
    """The weighting and its scale."""

    weight: float = value(
        0.5, "share in the weighted mean: none instead of steady 1 m/s2 is worth 0.4 s of delay", low=0.0, high=100.0
    )
    half_mps2: float = value(
        1.0, "weighted acceleration (root of the mean square) at which the score is one half", low=0.05, high=10.0
    )
    corner_hz: float = value(0.25, "frequency above which acceleration counts less: f4 of Wf", low=0.05, high=2.0)
    quality: float = value(0.86, "resonant quality there: Q4 of Wf", low=0.1, high=2.0)


@register("scorer", "motion_sickness")
class MotionSickness:
    """Raw: motion sickness dose, the root of the integral over time of the squared weighted longitudinal and lateral
    accelerations, m/s^1.5 (ISO 2631-1:1997, section 9 and annex D). Score: 1 / (1 + a^2 / `half_mps2`^2) with
    a^2 = raw^2 over the candidate's duration.

    Kept of the standard: the dose (squares, so a shove counts more than its length) and the flank of the weighting Wf
    that 6 s can show, the second-order low pass 1 / (1 + p / Q4 + p^2), p = s / (2 pi f4), begun at rest in the
    acceleration of now. Left out: the flank below 0.1 Hz (a period of 10 s and more), so that steady cornering and
    braking count in full; the band limit at 0.63 Hz, beyond which little is left; and that the standard weights
    vertical motion only: horizontal acceleration sickens alike, with a similar flank (Griffin and Mills 2002). The dose
    of one candidate is no forecast of sickness, which comes over half an hour; it says which candidate adds least. The
    scorer `comfort` counts acceleration at every frequency, and jerk.
    """

    parameters = MotionSicknessParameters

    def __init__(self, parameters: MotionSicknessParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.p = parameters

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        steps = len(candidates.time_s)
        dt_s = float(candidates.time_s[-1]) / max(steps - 1, 1)
        lateral = candidates.curvature * candidates.speed * candidates.speed
        filtered = low_pass(max(dt_s, 1e-6), 2.0 * math.pi * self.p.corner_hz, self.p.quality)
        dose2 = dose(candidates.acceleration, *filtered, dt_s) + dose(lateral, *filtered, dt_s)
        mean = dose2 / max(float(candidates.time_s[-1]), 1e-6)
        return terms(np.sqrt(dose2), 1.0 / (1.0 + mean / self.p.half_mps2**2), candidates)


def low_pass(dt_s: float, corner_radps: float, quality: float) -> tuple[float, float, float]:
    """(b, a1, a2) of y_k = b (x_k + 2 x_k-1 + x_k-2) - a1 y_k-1 - a2 y_k-2: 1 / (1 + p / Q + p^2) by the bilinear
    transform, p = s / `corner_radps`. Its gain at rest is 1: 4 b = 1 + a1 + a2.
    """
    k = 2.0 / (dt_s * corner_radps)
    norm = 1.0 + k / quality + k * k
    return 1.0 / norm, 2.0 * (1.0 - k * k) / norm, (1.0 - k / quality + k * k) / norm


@no_type_check
@njit(cache=True)
def dose(x, b, a1, a2, dt):
    """Integral over time (candidate,) of the squared filtered rows of x (candidate, step), by the trapezoidal rule."""
    out = np.zeros(len(x))
    for i in range(len(x)):
        x1 = x2 = y1 = y2 = x[i, 0]
        for step in range(1, x.shape[1]):
            y = b * (x[i, step] + 2.0 * x1 + x2) - a1 * y1 - a2 * y2
            out[i] += 0.5 * dt * (y * y + y1 * y1)
            x2, x1, y2, y1 = x1, x[i, step], y1, y
    return out
