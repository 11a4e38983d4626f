"""Candidates -> Scores -> Plan: gates forbid, scorers weigh. Importing this module registers ours."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms, Verdict
from behaviors_ros.scoring import (  # noqa: F401  (each registers itself)
    arrival,
    clearance,
    collision,
    collision_chance,
    collision_risk,
    comfort,
    consistency,
    courtesy,
    crosswalk,
    direction,
    drivable_area,
    escape,
    felt_clearance,
    goal,
    hesitation,
    kinematic,
    lane_keeping,
    lateral_safety,
    motion_sickness,
    occlusion,
    oncoming,
    progress,
    rear_safety,
    safe_distance,
    signals,
    smooth_stop,
    speed_limit,
    time_to_collision,
    yielding,
)


@runtime_checkable
class Gate(Protocol):
    """Forbids candidates. What it cannot compute it forbids (value NaN)."""

    name: str

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        ...


@runtime_checkable
class Weighted(Protocol):
    """Parameters of a scorer."""

    @property
    def weight(self) -> float:
        """Share in the weighted mean."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """Rates candidates in [0, 1], higher is better, normalised by physics and never by the best of the batch.

    Its parameters, kept as `p`, have `weight` (>= 0), its share in the weighted mean.
    """

    name: str
    p: Weighted

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        ...
