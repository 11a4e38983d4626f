"""Scene, Predictions -> Candidates."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from behaviors_ros.datatypes import Candidates, Grid, Predictions, Scene
from behaviors_ros.generation import (  # noqa: F401  (each registers itself)
    giving_way,
    idm_proposals,
    lattice,
    merging,
    minimal_risk_stop,
    previous,
)


@runtime_checkable
class Generator(Protocol):
    """Motions the ego could make from its planning start state (`generation.start.start_state`)."""

    name: str

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """Zero or more candidates on the grid."""
        ...
