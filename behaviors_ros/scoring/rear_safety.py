"""Scorer: not being run into from behind by a driver who does not react."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float
from numba import njit

from behaviors_ros.datatypes import Array, Candidates, Predictions, Scene, Terms
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.contact import first_contact
from behaviors_ros.scoring.footprint import (
    acceleration_along,
    ego_boxes,
    foreseeable,
    mode_boxes,
    near,
    now_on_route,
    right_behind,
    solid,
    terms,
)


class RearSafetyParameters(Parameters):
    """When and between which times it counts."""

    weight: float = value(6.0, "share in the weighted mean", low=0.0, high=100.0)
    unsafe_s: float = value(1.0, "time until the contact from which the score is 0", low=0.0, high=10.0)
    safe_s: float = value(4.0, "time until the contact from which the score is 1", low=0.1, high=20.0)
    predicted_safe_s: float = value(8.0, "the same where the contact is predicted", low=0.1, high=20.0)
    probability_min: float = value(0.3, "modes less probable than this do not count", low=0.0, high=1.0)
    accelerates_s: float = value(1.0, "time for which a follower who speeds up now goes on doing so", low=0.0, high=5.0)
    gap_m: float = value(2.0, "nearer is a contact; or than half of what is between them now", low=0.0, high=10.0)
    reach_m: float = value(60.0, "followers farther behind do not count", low=1.0, high=300.0)
    along_rad: float = value(0.6, "who is turned more against the route is no follower", low=0.1, high=1.5)
    side_margin_m: float = value(0.1, "distance beside each other from which two pass", low=0.0, high=2.0)


@register("scorer", "rear_safety")
class RearSafety:
    """Raw: time until somebody behind runs into the ego, s, at most the largest that counts: if he goes on at his speed
    in his place across the road, after speeding up for `accelerates_s` as now, or as he is predicted to. Score: the
    lesser of the two, each linear from `unsafe_s` to its safe time.

    The ego is not to blame for such a contact, and most drivers react; a candidate that leaves them room to is better.
    """

    parameters = RearSafetyParameters

    def __init__(self, parameters: RearSafetyParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        if not foreseeable(predictions):
            return terms(np.full(len(candidates), np.nan), np.zeros(len(candidates)), candidates)
        rows = self._followers(scene, predictions)
        on = self._contact(scene, predictions, candidates, rows)
        foreseen = self._predicted(scene, predictions, candidates)
        score = np.minimum(self._share(on, self.p.safe_s), self._share(foreseen, self.p.predicted_safe_s))
        return terms(np.minimum(np.minimum(on, foreseen), self.p.predicted_safe_s), score, candidates)

    def _share(self, time_s: Float[Array, "candidate"], safe_s: float) -> Float[Array, "candidate"]:
        return np.clip((time_s - self.p.unsafe_s) / max(safe_s - self.p.unsafe_s, 1e-6), 0.0, 1.0)

    def _predicted(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Float[Array, "candidate"]:
        """Time of the first contact with a mode of who is right behind in the ego's lane, s; infinite without one."""
        boxes = ego_boxes(candidates, self.vehicle)
        behind = solid(predictions) & near(predictions, boxes, 0.0) & right_behind(scene, predictions)
        modes = mode_boxes(scene, predictions, behind, self.p.probability_min)
        steps = len(candidates.time_s)
        at_fault = modes._replace(behind=np.zeros_like(modes.behind))
        first = first_contact(boxes, at_fault, steps, steps, 0.0, np.zeros(len(candidates), bool))
        return np.asarray(np.append(candidates.time_s, np.inf)[first])

    def _followers(self, scene: Scene, predictions: Predictions) -> Bool[Array, "agent"]:
        """Agents behind the ego's rear end that go the route's way."""
        now = now_on_route(scene, predictions)
        ego_s = float(route_frame(scene.route).project(scene.ego.position)[0]) - self.vehicle.rear_overhang_m
        front = now.s + 0.5 * predictions.length
        near = (front < ego_s) & (front > ego_s - self.p.reach_m)
        return near & (now.cos > np.cos(self.p.along_rad)) & solid(predictions)

    def _contact(
        self, scene: Scene, predictions: Predictions, candidates: Candidates, rows: Bool[Array, "agent"]
    ) -> Float[Array, "candidate"]:
        """Time of the first contact, s; infinite without one."""
        now = now_on_route(scene, predictions)
        s, d, speed = now.s[rows], now.d[rows], now.speed[rows]
        gain = np.maximum(acceleration_along(scene, predictions)[rows], 0.0)
        length = 0.5 * predictions.length[rows]
        ego_s = float(route_frame(scene.route).project(scene.ego.position)[0])
        kept = np.minimum(self.p.gap_m, 0.5 * np.maximum(ego_s - self.vehicle.rear_overhang_m - s - length, 0.0))
        box = np.column_stack((s, d, speed, gain, length + kept, 0.5 * predictions.width[rows]))
        half_width = 0.5 * self.vehicle.width_m + self.p.side_margin_m
        rear, front = self.vehicle.rear_overhang_m, self.vehicle.length_m - self.vehicle.rear_overhang_m
        steps = int(np.searchsorted(candidates.time_s, self.p.safe_s + 1e-9))
        return np.asarray(
            first_rear_contact(
                candidates.s, candidates.d, candidates.time_s, box, rear, front, half_width, self.p.accelerates_s, steps
            )
        )


@no_type_check
@njit(cache=True)
def first_rear_contact(
    s, d, time, followers, rear, front, half_width, accelerates, steps
):  # pragma: no cover (compiled)
    """Time (candidate,) of the first step below `steps` at which a follower's box reaches the ego's, inf without.

    s, d (candidate, step) of the rear axle; followers (row, 6): s, d, speed now, acceleration, half length, half width;
    they speed up for `accelerates` s and then go on.
    """
    out = np.full(len(s), np.inf)
    for i in range(len(s)):
        for n in range(len(followers)):
            at, beside, speed, gain, length, width = followers[n]
            for step in range(steps):
                if time[step] >= out[i]:
                    break
                part = min(time[step], accelerates)
                place = at + speed * time[step] + gain * part * (time[step] - 0.5 * part)
                if place + length <= s[i, step] - rear or place - length >= s[i, step] + front:
                    continue
                if abs(d[i, step] - beside) < half_width + width:
                    out[i] = time[step]
                    break
    return out
