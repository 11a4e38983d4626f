"""Scene, Predictions -> Candidates: all generators together."""

from __future__ import annotations

from collections.abc import Sequence

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
        if isinstance(generator, Refiner):
            groups.append(generator.refine(scene, predictions, grid, groups))
        else:
            groups.append(generator.generate(scene, predictions, grid))
    groups = [group for group in groups if len(group)]
    if not groups:
        raise BehaviorsError("no generator made a candidate; add minimal_risk_stop to generators")
    made = rounded(together(groups))
    assert isinstance(made, Candidates)
    return made
