"""Gate: the ego's box must stay clear of the box of every likely mode for the next seconds."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Bool
from numba import njit

from behaviors_ros.datatypes import Array, Candidates, Predictions, Scene, Verdict
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.contact import first_contact
from behaviors_ros.scoring.footprint import at_least, ego_boxes, foreseeable, mode_boxes, near, solid


class CollisionParameters(Parameters):
    """What counts as a collision ahead."""

    free_s: float = value(3.0, "time that must be free of contact", low=0.0, high=20.0)
    oncoming_free_s: float = value(5.0, "likewise with agents that come towards the ego", low=0.0, high=20.0)
    margin_m: float = value(
        0.15, "boxes nearer than this are in contact; vehicle.tracking_error_m at least", low=0.0, high=2.0
    )
    probability_min: float = value(
        0.15, "modes less probable than this are left to collision_chance", low=0.0, high=1.0
    )


@register("gate", "collision")
class Collision:
    """Value: time until the first contact that counts and would be the ego's fault, s, at most the limit.

    The limit is `oncoming_free_s` (`free_s` if longer): before an agent that comes towards it in the oncoming lane
    braking does not help the ego, so it must be out of the way in time. Any other contact counts until `free_s`.

    Not its fault: it has stood still since now, or an agent right behind it in its lane runs into it from behind. Boxes
    are compared at every step of the grid; between steps 0.1 s apart no road user passes through another.
    """

    parameters = CollisionParameters
    unit = "s"

    def __init__(self, parameters: CollisionParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle
        self.margin_m = max(parameters.margin_m, vehicle.tracking_error_m)

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate; an agent without a usable future forbids all."""
        limit_s = max(self.p.free_s, self.p.oncoming_free_s)
        if not foreseeable(predictions):
            return at_least(np.full(len(candidates), np.nan), limit_s, candidates)
        boxes = ego_boxes(candidates, self.vehicle)
        agents = solid(predictions) & near(predictions, boxes, self.margin_m)
        modes = mode_boxes(scene, predictions, agents, self.p.probability_min)
        near_steps, steps = np.searchsorted(candidates.time_s, np.array([self.p.free_s, limit_s]) - 1e-9)
        exposed = self._exposed(scene, candidates, int(steps))
        first = first_contact(boxes, modes, int(near_steps), int(steps), self.margin_m, exposed)
        return at_least(np.append(candidates.time_s[:steps], limit_s)[first], limit_s, candidates)

    def _exposed(self, scene: Scene, candidates: Candidates, steps: int) -> Bool[Array, "candidate"]:
        """Candidates with a side of the box beyond the lanes of their direction at one of the first steps."""
        route, exposed = scene.route, np.zeros(len(candidates), dtype=np.bool_)
        half = 0.5 * self.vehicle.width_m
        mark_exposed(
            candidates.s, candidates.d, steps, half, route.s, route.left_same, route.right_same, exposed
        )  # fmt: skip
        return exposed


@no_type_check
@njit(cache=True)
def mark_exposed(s, d, steps, half, knots, left, right, exposed):
    """Set where a side, `half` m from the middle, gets beyond the widths at `knots` in the first steps.

    Widths are linear between the knots and constant beyond the first and last one.
    """
    last = len(knots) - 2
    for i in range(len(s)):
        k = 0
        for step in range(steps):
            at = s[i, step]
            if step == 0:
                k = min(max(np.searchsorted(knots, at) - 1, 0), last)
            while k > 0 and knots[k] > at:
                k -= 1
            while k < last and knots[k + 1] <= at:
                k += 1
            part = min(max((at - knots[k]) / (knots[k + 1] - knots[k]), 0.0), 1.0)
            room_left = left[k] + part * (left[k + 1] - left[k])
            room_right = right[k] + part * (right[k + 1] - right[k])
            if d[i, step] + half > room_left or d[i, step] - half < -room_right:
                exposed[i] = True
                break
