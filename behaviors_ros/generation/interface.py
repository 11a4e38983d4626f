"""Scene, Predictions -> Candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from behaviors_ros.datatypes import Candidates, Grid, Predictions, Scene
from behaviors_ros.generation import (  # noqa: F401  (each registers itself)
    creep,
    giving_way,
    idm_proposals,
    lattice,
    merging,
    minimal_risk_stop,
    previous,
    pull_over,
    screened,
    smoothed,
    timed_arrival,
)


@runtime_checkable
class Generator(Protocol):
    """Motions the ego could make from its planning start state (`generation.start.start_state`)."""

    name: str

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """Zero or more candidates on the grid."""
        ...


@runtime_checkable
class Refiner(Generator, Protocol):
    """A generator that improves what those before it in the list have made."""

    def refine(self, scene: Scene, predictions: Predictions, grid: Grid, groups: Sequence[Candidates]) -> Candidates:
        """Zero or more candidates on the grid, besides those in `groups`."""
        ...
