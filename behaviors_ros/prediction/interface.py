"""Scene -> Predictions. Importing this module registers the predictors of this room."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from behaviors_ros.datatypes import Grid, Predictions, Scene
from behaviors_ros.prediction import class_aware, constant_turn_rate, constant_velocity, lane_following, learned

__all__ = ["Predictor", "class_aware", "constant_turn_rate", "constant_velocity", "lane_following", "learned"]


@runtime_checkable
class Predictor(Protocol):
    """Futures of every track of a scene; none is dropped.

    The predictor moves tracks from their own stamp to the scene's stamp first. Its result is deterministic, invariant
    to a rigid motion of the scene, and NaN where invalid.
    """

    name: str

    def predict(self, scene: Scene, grid: Grid) -> Predictions:
        """Predict all tracks on the grid, in the tracks' order."""
        ...
