"""Gate: people and animals go first on crosswalks, and crosswalks are kept free."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import VULNERABLE, Candidates, Predictions, Scene, StopKind, StopPoint, Verdict, among
from behaviors_ros.geometry.polygons import contains
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_least
from behaviors_ros.scoring.passage import can_hold, first_time, front_s, rear_s, stops_ahead

Array = np.ndarray


class CrosswalkParameters(Parameters):
    """When somebody on a crosswalk is in the way."""

    gap_s: float = value(1.5, "least time between the ego and a person on the ego's way", low=0.0, high=10.0)
    probability_min: float = value(0.2, "modes less probable than this do not oblige to wait", low=0.0, high=1.0)
    lateral_m: float = value(
        3.0, "distance from the ego's path within which a person is in the way", low=0.5, high=10.0
    )
    approach_mps: float = value(
        0.2, "speed towards the path from which a farther person is in the way too", low=0.0, high=2.0
    )
    overrun_m: float = value(0.5, "distance of the bumper beyond the line that still counts as held", low=0.0, high=5.0)
    deceleration_mps2: float = value(
        6.0, "a line that this braking cannot hold is left to the collision gates", low=0.5, high=12.0
    )
    standing_mps: float = value(0.1, "final speed up to which a candidate ends standing", low=0.0, high=1.0)


@register("gate", "crosswalk")
class Crosswalk:
    """Value: least time between the ego's passage of a crosswalk and somebody in its way there, s, at most the limit;
    0 for a candidate that comes to stand on a crosswalk, NaN where the crosswalk has no polygon.
    """

    parameters = CrosswalkParameters
    unit = "s"

    def __init__(self, parameters: CrosswalkParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        front, rear = front_s(candidates, self.vehicle), rear_s(candidates, self.vehicle)
        gap = np.full(len(candidates), self.p.gap_s)
        for stop in stops_ahead(scene.route, (StopKind.CROSSWALK,), candidates, self.vehicle):
            if stop.polygon is None:
                gap[:] = np.nan
                continue
            start, end = area(scene, stop.polygon, stop)
            line = stop.s + self.p.overrun_m
            enter_s = first_time(front > line, candidates.time_s)
            leave_s = first_time(rear > end, candidates.time_s)
            to_people = passage_gap(enter_s, leave_s, self._occupied_s(scene, predictions, stop.polygon), self.p.gap_s)
            bound = can_hold(front[:, 0], candidates.speed[:, 0], line, self.p.deceleration_mps2)
            gap = np.minimum(gap, np.where(bound, to_people, self.p.gap_s))
            on_it = (front > start) & (rear < end)
            blocks = on_it[:, -1] & ~on_it[:, 0] & (candidates.speed[:, -1] <= self.p.standing_mps)
            gap = np.where(blocks, 0.0, gap)
        return at_least(gap, self.p.gap_s, candidates)

    def _occupied_s(
        self, scene: Scene, predictions: Predictions, polygon: Float[Array, "corner 2"]
    ) -> Float[Array, "instant"]:
        """Instants at which somebody is predicted on the crosswalk within or towards the ego's way, s."""
        people = among(predictions.kind, VULNERABLE)
        chosen = predictions.valid & people[:, None] & (predictions.probability >= self.p.probability_min)
        position, yaw, speed = predictions.position[chosen], predictions.yaw[chosen], predictions.speed[chosen]
        inside = contains(polygon, position)
        frame = route_frame(scene.route)
        s, d = frame.project(position[inside])
        towards = -np.sign(d) * speed[inside] * np.sin(yaw[inside] - frame.heading(s))
        in_way = (np.abs(d) <= self.p.lateral_m) | (towards > self.p.approach_mps)
        _, step = np.nonzero(inside)
        return predictions.time_s[np.unique(step[in_way])]


def area(scene: Scene, polygon: Float[Array, "corner 2"], stop: StopPoint) -> tuple[float, float]:
    """Arc lengths at which the path enters and leaves the crosswalk, m; from the line where it misses the polygon."""
    on: Bool[Array, "point"] = contains(polygon, scene.route.path)
    on &= (scene.route.s >= stop.s - 1.0) & (scene.route.s <= stop.clear_s + 1.0)
    s = scene.route.s[on]
    return (float(s[0]), float(s[-1])) if s.size else (stop.s, stop.clear_s)


def passage_gap(enter_s: Array, leave_s: Array, occupied_s: Array, most: float) -> Float[Array, "candidate"]:
    """Least time between [enter, leave] and the occupied instants, s, at most `most`; never entering keeps that."""
    if occupied_s.size == 0:
        return np.full(len(enter_s), most)
    before = enter_s[:, None] - occupied_s
    after = occupied_s - leave_s[:, None]
    least = np.maximum(np.maximum(before, after), 0.0).min(axis=1)
    return np.where(np.isfinite(enter_s), np.minimum(least, most), most)
