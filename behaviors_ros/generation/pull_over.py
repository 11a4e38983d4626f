"""Comes to rest at the side of the road: at a goal that lies there, or where a stop of least risk is asked for."""

from __future__ import annotations

import re

from behaviors_ros import registry
from behaviors_ros.datatypes import Candidates, Degraded, Grid, Outcome, Predictions, Scene
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.laid import previous_path
from behaviors_ros.generation.motions import Leads, Motions, candidates, empty
from behaviors_ros.generation.offsets import Lateral, length_for, middle, sampled
from behaviors_ros.generation.paths import Profile, joined
from behaviors_ros.generation.roadside import Place, Roadside, at_the_goal, next_clear
from behaviors_ros.generation.situation import Situation, situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.parameters import Parameters, Vehicle, value

LABEL = "pull over"


class PullOverParameters(Parameters):
    """Where and how the ego pulls over."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()
    lateral: Lateral = Lateral()
    roadside: Roadside = Roadside()
    least_risk: bool = value(True, "offer the next clear place while an input is late or the last plan was a stop")
    decelerations_mps2: tuple[float, ...] = value((1.0, 1.6, 2.5), "braking of the halts")
    jerk_ratio_1ps: float = value(0.9, "jerk of a halt over its braking", low=0.1, high=5.0)


@registry.register("generator", "pull_over")
class PullOver:
    """Halts parallel to the road at its side; none where nothing asks for it."""

    name = "pull_over"
    parameters = PullOverParameters

    def __init__(self, parameters: PullOverParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """Halts at the goal's place, and at the next clear one where a stop of least risk is asked for."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        goal = at_the_goal(situation, scene.route.goal, values.roadside)
        places = [] if goal is None else [(f"{LABEL} at the goal", goal)]
        if values.least_risk and _asks(scene):
            refuge = self._refuge(situation)
            places += [] if refuge is None else [(f"{LABEL} at the roadside, {refuge.s:.0f} m along", refuge)]
        if not places:
            return empty(situation)
        profiles = [self._across(situation, label, place) for label, place in places]
        ways = [sampled(situation, [profile for profile in profiles if profile is not None])]
        continuing = scene.previous is not None and LABEL in scene.previous.label
        paths = joined([*ways, previous_path(situation)] if continuing else ways)
        motions = Motions(paths, values.driving)
        for path, name in enumerate(paths.label):
            for label, place in places:
                if name in (label, "continue"):
                    self._halts(motions, path, label, place)
        return candidates(situation, motions, self.name)

    def _refuge(self, situation: Situation) -> Place | None:
        """The next clear place; the one that the previous plan leads to while that one is clear."""
        previous, rules = situation.scene.previous, self.values.roadside
        told = re.search(f"{LABEL} at the roadside, (\\d+) m along", previous.label) if previous is not None else None
        if told is not None:
            s = float(told.group(1))
            kept = next_clear(situation, rules, s)
            if kept is not None and kept.s == s:
                return kept
        return next_clear(situation, rules)

    def _across(self, situation: Situation, label: str, place: Place) -> Profile | None:
        """The way across, done a metre before the place; None where there is no room left for it."""
        lateral, distance = self.values.lateral, place.s - situation.s - 1.0
        wanted = length_for(situation, lateral, place.d, middle(lateral))
        if distance > 1.3 * wanted:
            begins = max(distance - 1.3 * wanted, 0.1)
            held = Profile(label, _now(situation), max(begins, 0.1), begins, place.d, 1.3 * wanted)
            return held if begins > 2.0 else Profile(label, place.d, distance)
        shortest = 0.6 * length_for(situation, lateral, place.d, min(lateral.times_s))
        if abs(_now(situation) - place.d) < 0.3:  # nearly there: what is left across fades beyond the place
            return Profile(label, place.d, max(distance, lateral.length_min_m))
        return Profile(label, place.d, distance) if distance > max(shortest, 3.0) else None

    def _halts(self, motions: Motions, path: int, label: str, place: Place) -> None:
        length = motions.paths.length_at(path, place.s)
        for braking in self.values.decelerations_mps2:
            motions.halt(path, length, braking, self.values.jerk_ratio_1ps * braking, label, Leads.CLOSE)


def _now(situation: Situation) -> float:
    """The offset of the start, m; 0 where it has none."""
    return 0.0 if situation.lateral is None else float(situation.lateral[0])


def _asks(scene: Scene) -> bool:
    """Whether a stop of least risk is asked for: inputs are late or lost, or the previous plan was a stop."""
    late = Degraded.TRACKS_LATE | Degraded.TRACKS_DROPPED | Degraded.NO_SIGNALS
    stopping = scene.previous is not None and (
        scene.previous.outcome in (Outcome.STOPPING, Outcome.EMERGENCY) or LABEL in scene.previous.label
    )
    return bool(scene.degraded & late) or stopping
