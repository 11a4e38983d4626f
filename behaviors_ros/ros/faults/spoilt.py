"""A predictor that goes wrong for a while: a plugin for faults of models. `plugin_modules` names this module."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Literal

import numpy as np

from behaviors_ros.datatypes import Grid, Predictions, Scene
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.prediction.class_aware import ClassAware, ClassAwareParameters
from behaviors_ros.registry import register


class SpoiltParameters(Parameters):
    """What goes wrong with the predictions, and when."""

    how: Literal["nan", "far", "slow", "raises"] = "nan"
    from_s: float = value(4.0, "begin, by the scenes' stamps", low=0.0)
    to_s: float = value(5.0, "end", low=0.0)
    by_s: float = value(0.3, "of slow: wall time that each call takes", low=0.0)


@register("predictor", "spoilt")
class Spoilt:
    """`class_aware`, and between two instants something else."""

    name: str
    parameters = SpoiltParameters

    def __init__(self, parameters: SpoiltParameters, vehicle: Vehicle) -> None:
        """Build the predictor that is right."""
        self.values, self.right = parameters, ClassAware(ClassAwareParameters(), vehicle)

    def predict(self, scene: Scene, grid: Grid) -> Predictions:
        """The right predictions, or wrong ones."""
        found, how = self.right.predict(scene, grid), self.values.how
        if not self.values.from_s <= scene.stamp_ns * 1e-9 < self.values.to_s:
            return found
        if how == "raises":
            raise ZeroDivisionError("the predictor is spoilt")
        if how == "slow":
            time.sleep(self.values.by_s)
        if how == "nan":
            return replace(found, position=np.full_like(found.position, np.nan))
        return replace(found, position=found.position + 1e7) if how == "far" else found
