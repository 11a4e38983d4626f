"""What agents who cross make worth while: to halt before the place, to arrive after them, to be gone before them."""

from __future__ import annotations

from behaviors_ros import registry
from behaviors_ros.datatypes import Candidates, Grid, Predictions, Scene
from behaviors_ros.generation import offsets
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.laid import previous_path
from behaviors_ros.generation.motions import Motions, candidates, empty
from behaviors_ros.generation.offsets import Lateral
from behaviors_ros.generation.paths import joined
from behaviors_ros.generation.situation import situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.generation.yielding import Yielding, add_yields, crossings
from behaviors_ros.parameters import Parameters, Vehicle


class GivingWayParameters(Parameters):
    """End states from agents who cross."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()
    lateral: Lateral = Lateral()
    yielding: Yielding = Yielding()


@registry.register("generator", "giving_way")
class GivingWay:
    """Gives way to those who cross the lane without a rule of the map; none where nobody does."""

    name = "giving_way"
    parameters = GivingWayParameters

    def __init__(self, parameters: GivingWayParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """Candidates along the lane for every crossing ahead."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        found = crossings(situation, predictions, values.yielding)
        if not found:
            return empty(situation)
        keep = offsets.keeping(situation, values.lateral)
        paths = joined([offsets.sampled(situation, keep[len(keep) // 2 :][:1]), previous_path(situation)])
        motions = Motions(paths, values.driving)
        add_yields(situation, motions, values.yielding, found)
        return candidates(situation, motions, self.name)
