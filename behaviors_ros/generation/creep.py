"""From a line where one gives way slowly forward to where one sees, and a halt there, before the conflict area."""

from __future__ import annotations

from behaviors_ros import registry
from behaviors_ros.datatypes import Candidates, Grid, Predictions, Scene, StopKind
from behaviors_ros.generation import offsets
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.laid import previous_path
from behaviors_ros.generation.motions import Leads, Motions, candidates, empty
from behaviors_ros.generation.offsets import Lateral
from behaviors_ros.generation.paths import joined
from behaviors_ros.generation.situation import Situation, situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.maps.conflicts import conflict_s
from behaviors_ros.parameters import Parameters, Vehicle, value


class CreepParameters(Parameters):
    """When and how the ego creeps."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()
    lateral: Lateral = Lateral()
    speeds_mps: tuple[float, ...] = value((0.6, 1.2), "speeds of creeping")
    near_m: float = value(6.0, "distance of the bumper to the line from which one may creep on", low=0.0, high=50.0)
    slow_mps: float = value(3.0, "a faster ego does not creep", low=0.2, high=10.0)
    before_m: float = value(0.3, "front bumper to the conflict area when halted", low=0.0, high=5.0)
    least_m: float = value(0.8, "a shorter way is not worth creeping", low=0.1, high=5.0)
    braking_mps2: float = value(0.6, "braking of the halt", low=0.1, high=3.0)
    jerk_mps3: float = value(0.6, "jerk of the halt", low=0.1, high=5.0)


@registry.register("generator", "creep")
class Creep:
    """Creeps from a line to a second halt before the lanes with priority; none elsewhere or without a map."""

    name = "creep"
    parameters = CreepParameters

    def __init__(self, parameters: CreepParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """One candidate for each speed along the lane."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        end = self._second_halt(situation)
        if end is None or situation.start.speed > values.slow_mps:
            return empty(situation)
        keep = offsets.keeping(situation, values.lateral)[:1]
        paths = joined([offsets.sampled(situation, keep), previous_path(situation)])
        motions = Motions(paths, values.driving)
        there = end - situation.s < values.driving.hold_m
        for path in range(len(paths)):
            length = paths.length_at(path, end)
            for speed in values.speeds_mps:
                label = f"creep at {speed:.1f} m/s, {paths.label[path]}"
                if (
                    there or length > max(speed, situation.start.speed) * grid.horizon_s
                ):  # no halt, or it is yet to come
                    motions.drive(path, speed, values.braking_mps2, values.jerk_mps3, label, Leads.CLOSE)
                else:
                    motions.halt(path, length, values.braking_mps2, values.jerk_mps3, label, Leads.CLOSE, speed)
        return candidates(situation, motions, self.name)

    def _second_halt(self, situation: Situation) -> float | None:
        """Arc length of the rear axle at the second halt, m; None where there is none to creep to from here."""
        values, route, lane_map = self.values, situation.route, situation.scene.map
        bumper = situation.s + situation.front_m
        for stop in route.stops:
            if stop.kind not in (StopKind.YIELD, StopKind.STOP_SIGN) or lane_map is None or not stop.yields_to:
                continue
            begins = conflict_s(route, lane_map, stop, 0.5 * self.vehicle.width_m)
            if begins is None:
                continue
            halt = begins - values.before_m
            hold = values.driving.hold_m
            under_way = stop.s + hold < bumper < halt + hold
            if under_way or (bumper > stop.s - values.near_m and halt - bumper > values.least_m):
                return halt - situation.front_m
        return None
