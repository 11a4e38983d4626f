"""Scene, Predictions -> Candidates: all generators together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from behaviors_ros.datatypes import Candidates, Grid, Predictions, Scene, rounded
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.generation.interface import Generator, Refiner


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
    together = rounded(_joined(groups))
    assert isinstance(together, Candidates)
    return together


def _joined(groups: list[Candidates]) -> Candidates:
    """Groups on the same grid as one."""
    changes: dict[str, Any] = {}
    for item in fields(Candidates):
        parts = [getattr(group, item.name) for group in groups]
        if isinstance(parts[0], tuple):
            changes[item.name] = tuple(entry for part in parts for entry in part)
        elif isinstance(parts[0], np.ndarray) and item.name != "time_s":
            changes[item.name] = np.concatenate(parts)
    return replace(groups[0], **changes)
