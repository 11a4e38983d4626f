"""Scene, Predictions -> Candidates: all generators together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from behaviors_ros.datatypes import Candidates, Grid, Predictions, Scene, rounded
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.generation.interface import Generator, Refiner
from behaviors_ros.generation.motions import together


def generate(scene: Scene, predictions: Predictions, grid: Grid, generators: Sequence[Generator]) -> Candidates:
    """The candidates of all generators in their order, with the precision of a message.

    Raises `BehaviorsError` when no generator made any: `minimal_risk_stop` always does and belongs in the list.
    """
    groups: list[Candidates] = []
    for generator in generators:
        # Asking by name: isinstance of a protocol costs as much as a generator's own work.
        if hasattr(generator, "refine"):
            groups.append(cast(Refiner, generator).refine(scene, predictions, grid, groups))
        else:
            groups.append(generator.generate(scene, predictions, grid))
    groups = [group for group in groups if len(group)]
    if not groups:
        raise BehaviorsError("no generator made a candidate; add minimal_risk_stop to generators")
    made = rounded(together(groups))
    assert isinstance(made, Candidates)
    return made
