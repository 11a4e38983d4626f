"""Lane changes that fit between the agents of the lane beside."""

from __future__ import annotations

from behaviors_ros import registry
from behaviors_ros.datatypes import Candidates, Grid, Predictions, Scene
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.gaps import Gaps, into_gaps
from behaviors_ros.generation.offsets import Lateral
from behaviors_ros.generation.situation import situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.parameters import Parameters, Vehicle


class MergingParameters(Parameters):
    """End states from gaps."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()
    lateral: Lateral = Lateral()
    gaps: Gaps = Gaps()


@registry.register("generator", "merging")
class Merging:
    """Changes to a lane beside, behind or before those who drive there; none where nobody does."""

    name = "merging"
    parameters = MergingParameters

    def __init__(self, parameters: MergingParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """Candidates for every gap that can be reached in comfort."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        return into_gaps(situation, values.lateral, values.gaps, self.name)
