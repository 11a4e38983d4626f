"""Candidates -> Scores -> Plan: gates forbid, scorers weigh."""

from __future__ import annotations

from typing import Protocol

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms, Verdict


class Gate(Protocol):
    """Forbids candidates. What it cannot compute it forbids (value NaN)."""

    name: str

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        ...


class Scorer(Protocol):
    """Rates candidates in [0, 1], higher is better, normalised by physics and never by the best of the batch.

    Its parameters have `weight` (>= 0).
    """

    name: str

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        ...
