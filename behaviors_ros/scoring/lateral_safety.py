"""Scorer: the gap to who is beside, against the lateral distance of responsibility-sensitive safety, by class."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import AgentClass, Array, Candidates, Predictions, Scene, Terms
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.beside import least_lateral_ratio
from behaviors_ros.scoring.footprint import ego_boxes, foreseeable, interval_stride, mode_boxes, near, solid, terms


class Sideways(Parameters):
    """What somebody may do across the road before and after noticing."""

    margin_m: float = value(0.2, "gap that remains: swaying of both", low=0.0, high=3.0)
    acceleration_mps2: float = value(0.2, "acceleration across in the response time", low=0.0, high=5.0)
    braking_mps2: float = value(0.8, "braking across after it", low=0.1, high=10.0)


class LateralSafetyParameters(Parameters):
    """The distance asked for, by class. The publication gives the formula and no numbers."""

    weight: float = value(
        1.0,
        "share in the weighted mean: all instead of half of the safe distance is worth 0.8 s of delay",
        low=0.0,
        high=100.0,
    )
    response_s: float = value(0.5, "time before either side reacts", low=0.0, high=3.0)
    own_acceleration_mps2: float = value(0.2, "the ego's acceleration across in that time", low=0.0, high=5.0)
    own_braking_mps2: float = value(1.5, "the ego's braking across after it", low=0.1, high=10.0)
    vehicle: Sideways = Sideways()
    bicycle: Sideways = Sideways(margin_m=0.5, acceleration_mps2=0.6, braking_mps2=1.5)
    walker: Sideways = Sideways(margin_m=0.4, acceleration_mps2=1.0, braking_mps2=3.0)
    static: Sideways = Sideways(margin_m=0.1, acceleration_mps2=0.0, braking_mps2=1.0)
    reach_m: float = value(3.0, "who is farther away across is not beside", low=0.1, high=20.0)
    start_s: float = value(0.5, "asked from here on: what is nearer now cannot be helped", low=0.0, high=5.0)
    horizon_s: float = value(4.0, "it is asked this far ahead", low=0.1, high=20.0)
    interval_s: float = value(0.3, "time between the instants at which it is asked", low=0.01, high=2.0)
    probability_min: float = value(0.3, "modes less probable than this do not count", low=0.0, high=1.0)

    def sideways(self, kind: int) -> Sideways:
        """What is expected of a class."""
        if kind in (AgentClass.BICYCLE, AgentClass.MOTORCYCLE):
            return self.bicycle
        if kind in (AgentClass.PEDESTRIAN, AgentClass.ANIMAL):
            return self.walker
        return self.static if kind == AgentClass.HAZARD else self.vehicle


@register("scorer", "lateral_safety")
class LateralSafety:
    """Raw and score: least ratio, at most 1, of the gap across to who is beside the moving ego and the safe distance.

    Safe distance: margin + max(0, sum over both sides of (v + w) / 2 t + w^2 / (2 b)) with v a side's speed across the
    road towards the other, t the response time, w = v + t a its speed after it (Shalev-Shwartz, Shammah, Shashua, "On a
    formal model of safe and scalable self-driving cars", 2017, definition 6). One that still moves away after the
    response (w < 0) does not brake for it.
    """

    parameters = LateralSafetyParameters

    def __init__(self, parameters: LateralSafetyParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle
        sideways = [parameters.sideways(kind) for kind in range(max(AgentClass) + 1)]
        self._expected = np.array([[s.margin_m, s.acceleration_mps2, s.braking_mps2] for s in sideways])

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        if not foreseeable(predictions):
            return terms(np.full(len(candidates), np.nan), np.zeros(len(candidates)), candidates)
        p, boxes = self.p, ego_boxes(candidates, self.vehicle)
        agents = solid(predictions) & near(predictions, boxes, p.reach_m)
        modes = mode_boxes(scene, predictions, agents, p.probability_min)
        if not len(modes.agent):
            return terms(np.ones(len(candidates)), np.ones(len(candidates)), candidates)
        expected = self._expected[np.clip(predictions.kind[modes.agent], 0, len(self._expected) - 1)]
        margin, others = np.ascontiguousarray(expected[:, 0]), np.ascontiguousarray(expected[:, 1:])
        own = np.array([p.own_acceleration_mps2, p.own_braking_mps2])
        first, steps = np.searchsorted(candidates.time_s, np.array([p.start_s - 1e-9, p.horizon_s + 1e-9]))
        stride = interval_stride(candidates, p.interval_s)
        ratio = least_lateral_ratio(
            boxes, across(candidates), modes, int(steps), int(first), stride, p.response_s, margin, own, others,
            p.reach_m,
        )  # fmt: skip
        return terms(ratio, ratio, candidates)


def across(candidates: Candidates) -> Float[Array, "candidate step"]:
    """Speed across the route, + left, m/s: differences of d, the last one repeated."""
    if len(candidates.time_s) < 2:
        return np.zeros(candidates.d.shape)
    rate = np.diff(candidates.d, axis=1) / np.diff(candidates.time_s)
    return np.concatenate([rate, rate[:, -1:]], axis=1)
