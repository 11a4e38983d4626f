"""Proposals in the manner of PDM-Closed: the intelligent driver model behind predicted leads, on a few paths.

Dauner et al., "Parting with misconceptions about learning-based vehicle motion planning", CoRL 2023; the driver model
is that of Treiber et al., Phys. Rev. E 62, 2000, with limited jerk and halts that end exactly at their place.
"""

from __future__ import annotations

from behaviors_ros import registry
from behaviors_ros.datatypes import Candidates, Grid, Predictions, Scene
from behaviors_ros.generation import offsets
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.laid import previous_path
from behaviors_ros.generation.longitudinal import Longitudinal, add_halts, add_speeds, leads_of
from behaviors_ros.generation.motions import FREE, Leads, Motions, candidates, together
from behaviors_ros.generation.offsets import Lateral
from behaviors_ros.generation.passing import Passing, passing
from behaviors_ros.generation.paths import Paths, joined
from behaviors_ros.generation.situation import Situation, situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.parameters import Parameters, Vehicle, value


class IdmParameters(Parameters):
    """Which proposals are made."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()
    lateral: Lateral = Lateral()
    passing: Passing = Passing()
    offsets_m: tuple[float, ...] = value((-1.0, 1.0), "offsets from the centre line, + left")
    longitudinal: Longitudinal = Longitudinal(accelerations_mps2=(1.4,))
    brisk: Driving = Driving(
        acceleration_mps2=2.2, deceleration_mps2=2.5, jerk_mps3=3.0, lateral_acceleration_mps2=3.5, headway_s=0.8
    )


@registry.register("generator", "idm_proposals")
class IdmProposals:
    """Drives behind predicted leads at several speeds and offsets, and halts at each place ahead."""

    name = "idm_proposals"
    parameters = IdmParameters

    def __init__(self, parameters: IdmParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """Proposals for every path and speed fraction, and every halt."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        motions = Motions(self._paths(situation), values.driving)
        add_speeds(situation, motions, values.longitudinal, follows=True)
        add_halts(situation, motions, values.longitudinal, follows=True)
        return together([candidates(situation, motions, self.name), self._brisk(situation)])

    def _brisk(self, situation: Situation) -> Candidates:
        """Along the lane with less comfort: where going first, or not being in the way, is worth it."""
        brisk, keep = self.values.brisk, offsets.keeping(situation, self.values.lateral)
        paths = joined([offsets.sampled(situation, keep[len(keep) // 2 :][:1]), previous_path(situation)])
        motions = Motions(paths, brisk)
        for path, label in enumerate(paths.label):
            for leads in (leads_of(label, True), Leads.NONE):
                motions.drive(path, FREE, brisk.acceleration_mps2, brisk.jerk_mps3, f"{label}, briskly", leads)
        return candidates(situation, motions, self.name)

    def _paths(self, situation: Situation) -> Paths:
        lateral = self.values.lateral
        keep = offsets.keeping(situation, lateral)
        profiles = [
            keep[len(keep) // 2],
            *offsets.shifted(situation, lateral, self.values.offsets_m),
            *passing(situation, lateral, self.values.passing),
        ]
        groups = [offsets.sampled(situation, profiles), offsets.pursued(situation, lateral), previous_path(situation)]
        return joined(groups)
