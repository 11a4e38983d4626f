"""Frenet lattice: lateral motions x target speeds and halts, without regard to other agents; gates and scorers judge.

Werling et al., "Optimal trajectory generation for dynamic street scenarios in a Frenet frame", ICRA 2010; here the
speed profile runs along the path's own length, so that the motion is exact at low speed.
"""

from __future__ import annotations

from behaviors_ros import registry
from behaviors_ros.datatypes import Candidates, Grid, Predictions, Scene
from behaviors_ros.generation import offsets
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.laid import previous_path
from behaviors_ros.generation.longitudinal import Longitudinal, add_halts, add_speeds
from behaviors_ros.generation.motions import Motions, candidates
from behaviors_ros.generation.offsets import Lateral
from behaviors_ros.generation.passing import Passing, passing
from behaviors_ros.generation.paths import Paths, joined
from behaviors_ros.generation.situation import Situation, situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.parameters import Parameters, Vehicle


class LatticeParameters(Parameters):
    """What is sampled."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()
    lateral: Lateral = Lateral()
    passing: Passing = Passing()
    longitudinal: Longitudinal = Longitudinal()


@registry.register("generator", "lattice")
class Lattice:
    """Samples lateral and longitudinal end states."""

    name = "lattice"
    parameters = LatticeParameters

    def __init__(self, parameters: LatticeParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """Candidates for every path and every longitudinal end state."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        motions = Motions(self._paths(situation), values.driving)
        add_speeds(situation, motions, values.longitudinal, follows=False)
        add_halts(situation, motions, values.longitudinal, follows=False)
        return candidates(situation, motions, self.name)

    def _paths(self, situation: Situation) -> Paths:
        lateral = self.values.lateral
        profiles = [
            *offsets.keeping(situation, lateral),
            *offsets.shifted(situation, lateral, lateral.offsets_m),
            *offsets.changing(situation, lateral),
            *passing(situation, lateral, self.values.passing),
        ]
        groups = [offsets.sampled(situation, profiles), offsets.pursued(situation, lateral), previous_path(situation)]
        return joined(groups)
