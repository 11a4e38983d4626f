"""Gate and scorer: nobody has to brake hard for us."""

from __future__ import annotations

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Terms, Verdict
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_most, terms
from behaviors_ros.scoring.imposed import Reaction, imposed


class ImposedBrakingParameters(Parameters):
    """What may be asked of others where we move over to them."""

    braking_max_mps2: float = value(3.0, "largest braking of who the ego moves in front of", low=0.1, high=9.0)
    reaction: Reaction = Reaction()


@register("gate", "imposed_braking")
class ImposedBraking:
    """Value: largest braking that an agent needs because the ego moves aside into its way, m/s^2.

    The safety criterion of lane changes: Kesting, Treiber, Helbing, "General lane-changing model MOBIL for
    car-following models", Transportation Research Record 1999, 2007. Who is in the ego's own way is left to the
    collision gates: it need not be courteous that the ego stays in its lane.
    """

    parameters = ImposedBrakingParameters
    unit = "m/s2"

    def __init__(self, parameters: ImposedBrakingParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        asked = imposed(scene, predictions, candidates, self.vehicle, self.p.reaction).aside
        return at_most(asked, self.p.braking_max_mps2, candidates)


class CourtesyParameters(Parameters):
    """Weight and scale."""

    weight: float = value(2.0, "share in the weighted mean", low=0.0, high=100.0)
    harsh_mps2: float = value(3.0, "braking of others from which on the score is 0", low=0.1, high=9.0)
    reaction: Reaction = Reaction()


@register("scorer", "courtesy")
class Courtesy:
    """Raw: largest braking that an agent needs because the ego comes in front of it, m/s^2. Score: 1 - raw / harsh."""

    parameters = CourtesyParameters

    def __init__(self, parameters: CourtesyParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        asked = imposed(scene, predictions, candidates, self.vehicle, self.p.reaction).any
        return terms(asked, 1.0 - asked / self.p.harsh_mps2, candidates)
