"""Comes to rest at the side of the road: at a goal that lies there, or where a stop of least risk is asked for."""

from __future__ import annotations

import math
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
    curvature_share: float = value(0.85, "share of the largest curvature on the latest way across", low=0.1, high=1.0)
    lengths: tuple[float, ...] = value((1.9, 1.6, 1.3, 1.0), "lengths of the ways across, over that of the latest one")
    speeds_mps: tuple[float, ...] = value((1.0, 2.0, 3.0), "speeds towards a place, where the halt is yet to come")
    slowly_m: float = value(25.0, "distance to the place from which on these are offered", low=0.0, high=100.0)
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
        places = [(f"{LABEL} at the goal", place) for place in goal]
        if values.least_risk and _asks(scene):
            refuge = self._refuge(situation)
            places += [] if refuge is None else [(f"{LABEL} at the roadside, {refuge.s:.0f} m along", refuge)]
        if not places:
            return empty(situation)
        profiles = [profile for label, place in places for profile in self._across(situation, label, place)]
        ways = [sampled(situation, profiles)]
        continuing = scene.previous is not None and LABEL in scene.previous.label
        paths = joined([*ways, previous_path(situation)] if continuing else ways)
        motions = Motions(paths, values.driving)
        for path, name in enumerate(paths.label):
            for label, place in dict(places).items():
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

    def _across(self, situation: Situation, label: str, place: Place) -> list[Profile]:
        """The ways across, done a metre before the place: as gentle as there is room for, and as late as one can."""
        lateral, distance, now = self.values.lateral, place.s - situation.s - 1.0, _now(situation)
        if abs(now - place.d) < 0.3:  # nearly there: what is left across fades beyond the place
            return [Profile(label, place.d, max(distance, lateral.length_min_m))]
        bend = 10.0 / math.sqrt(3.0) * abs(now - place.d)  # largest curvature of a quintic times length^2
        latest = max(math.sqrt(bend / (self.values.curvature_share * self.vehicle.curvature_max_1pm)), 3.0)
        gentle = max(1.3 * length_for(situation, lateral, place.d, middle(lateral)), latest)
        lengths = [gentle, *(share * latest for share in self.values.lengths if share * latest < gentle)]
        held = [(length, distance - length) for length in lengths if distance - length > 2.0]
        ways = [Profile(label, now, begins, begins, place.d, length) for length, begins in held]
        return ways if len(ways) == len(lengths) or distance < latest else [Profile(label, place.d, distance), *ways]

    def _halts(self, motions: Motions, path: int, label: str, place: Place) -> None:
        """Halts at the place; and towards it slowly, where the halt may be beyond the horizon."""
        length, jerk = motions.paths.length_at(path, place.s), self.values.jerk_ratio_1ps
        for braking in self.values.decelerations_mps2:
            motions.halt(path, length, braking, jerk * braking, label, Leads.CLOSE)
        for speed in self.values.speeds_mps if length < self.values.slowly_m else ():
            motions.drive(path, speed, self.values.decelerations_mps2[0], 1.0, f"{label}, {speed:.1f} m/s", Leads.CLOSE)


def _now(situation: Situation) -> float:
    """The offset of the start, m; 0 where it has none."""
    return 0.0 if situation.lateral is None else float(situation.lateral[0])


def _asks(scene: Scene) -> bool:
    """Whether a stop of least risk is asked for: inputs are late or lost, or the previous plan was a stop."""
    late = Degraded.TRACKS_LATE | Degraded.TRACKS_DROPPED | Degraded.NO_SIGNALS
    stopping = scene.previous is not None and (
        scene.previous.outcome in (Outcome.STOPPING, Outcome.EMERGENCY)
        or f"{LABEL} at the roadside" in scene.previous.label
    )
    return bool(scene.degraded & late) or stopping
