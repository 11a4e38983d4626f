"""Motions that arrive at the goal when, where and as fast as it asks: polynomial end states from its intervals.

Position over time along a path is the quintic from the start to (distance, speed, no acceleration) at the time of
arrival (Werling et al., ICRA 2010, section IV); after it the speed is kept.
"""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float

from behaviors_ros import registry
from behaviors_ros.datatypes import Array, Candidates, Grid, Predictions, Scene
from behaviors_ros.generation import offsets
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.gaps import least_jerk
from behaviors_ros.generation.laid import previous_path
from behaviors_ros.generation.motions import empty, on_grid
from behaviors_ros.generation.offsets import Lateral
from behaviors_ros.generation.paths import Paths, Profile, joined
from behaviors_ros.generation.situation import Situation, situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value

Ends = Float[Array, "motion 3"]


class TimedArrivalParameters(Parameters):
    """Which arrivals are tried."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()
    lateral: Lateral = Lateral()
    time_min_s: float = value(0.4, "arrivals sooner than this are left out", low=0.1, high=5.0)
    time_max_s: float = value(15.0, "arrivals later than this are left out", low=1.0, high=60.0)
    inset_m: float = value(0.3, "distance from the ends of the goal's region", low=0.0, high=5.0)
    samples: int = value(3, "times, places and speeds of arrival, each", low=1.0, high=9.0)
    deceleration_mps2: float = value(4.0, "strongest braking", low=0.5, high=9.0)
    swing_m: float = value(
        1.0, "distance across the lane in which a heading off the lane's is taken", low=0.1, high=3.0
    )
    turn_margin_rad: float = value(0.03, "heading within the goal's interval that is aimed at", low=0.0, high=0.5)


@registry.register("generator", "timed_arrival")
class TimedArrival:
    """Candidates while the route's goal asks for a time and a place, none otherwise."""

    name = "timed_arrival"
    parameters = TimedArrivalParameters

    def __init__(self, parameters: TimedArrivalParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """One candidate for each path, time, place and speed of arrival that the vehicle can do."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        ends = self._ends(situation)
        if not len(ends):
            return empty(situation)
        paths = self._paths(situation)
        path = np.repeat(np.arange(len(paths)), len(ends))
        ends = np.tile(ends, (len(paths), 1))
        lengths = np.array([paths.length_at(int(p), float(s)) for p, s in zip(path, ends[:, 1], strict=True)])
        along, possible = self._along(situation, lengths, ends)
        path, along, ends = path[possible], along[possible], ends[possible]
        labels = tuple(
            f"arrive in {end[0]:.1f} s at {end[2]:.1f} m/s, {paths.label[p]}" for p, end in zip(path, ends, strict=True)
        )
        return on_grid(situation, paths, path, along, labels, self.name)

    def _paths(self, situation: Situation) -> Paths:
        profiles = [*offsets.keeping(situation, self.values.lateral), *self._turned(situation)]
        groups = [
            offsets.sampled(situation, profiles), offsets.pursued(situation, self.values.lateral),
            previous_path(situation),
        ]  # fmt: skip
        return joined(groups)

    def _turned(self, situation: Situation) -> list[Profile]:
        """Across the centre line at the goal, turned against the lane as far as the goal's heading asks for.

        A quintic from one offset to another is steepest in its middle, 15/8 of the offsets' difference over its length.
        """
        route, swing = situation.route, self.values.swing_m
        if route.goal.yaw is None:
            return []
        middle = 0.5 * (route.goal_from_s + route.goal_to_s) - self.vehicle.centre_offset_m
        low, high = route.goal.yaw
        off = wrap(float(route_frame(route).heading(middle)) - 0.5 * (low + high))
        excess = float(abs(off)) - 0.5 * (high - low) + self.values.turn_margin_rad
        if excess <= 0.0 or middle <= situation.s:
            return []
        side = float(np.sign(off))
        length = 1.875 * swing / np.tan(min(excess, 0.5))
        begin = middle - situation.s - 0.5 * length
        first = max(min(begin, offsets.length_for(situation, self.values.lateral, 0.5 * side * swing, 2.0)), 3.0)
        return [Profile("arrive turned", 0.5 * side * swing, first, max(begin, first), -0.5 * side * swing, length)]

    def _ends(self, situation: Situation) -> Ends:
        """Time from now s, arc length of the rear axle on the route m and speed m/s of the arrivals."""
        values, route = self.values, situation.route
        goal = route.goal
        if goal.time is None or goal.anywhere or route.stamp_ns == 0 or not np.isfinite(route.goal_to_s):
            return np.zeros((0, 3))
        since_s = (situation.scene.stamp_ns - route.stamp_ns) * 1e-9
        first, last = max(goal.time[0] - since_s, values.time_min_s), min(goal.time[1] - since_s, values.time_max_s)
        ahead = route.goal_to_s - self.vehicle.centre_offset_m - situation.s
        if last < first or ahead <= 0.0:
            return np.zeros((0, 3))
        inset = min(values.inset_m, 0.5 * (route.goal_to_s - route.goal_from_s))
        near = max(route.goal_from_s + inset - self.vehicle.centre_offset_m, situation.s)
        far = max(route.goal_to_s - inset - self.vehicle.centre_offset_m, near)
        found = []
        for time, s in itertools.product(self._between(first, last), self._between(near, far)):
            natural = max(1.5 * (s - situation.s) / time - 0.5 * situation.start.speed, 0.0)
            found += [(time, s, speed) for speed in self._speeds(situation, natural)]
        return np.array(found).reshape(-1, 3)

    def _between(self, low: float, high: float) -> list[float]:
        return list(dict.fromkeys(np.linspace(low, high, self.values.samples).round(3).tolist()))

    def _speeds(self, situation: Situation, natural: float) -> list[float]:
        """Speeds of arrival in the goal's interval: the natural one, and the middle between it and either end."""
        low, high = situation.route.goal.speed or (0.0, self.vehicle.speed_max_mps)
        low, high = max(low, 0.0), min(high, self.vehicle.speed_max_mps)
        wanted = min(max(natural, low), high)
        choices = [wanted, 0.5 * (wanted + max(low, wanted - 4.0)), 0.5 * (wanted + min(high, wanted + 4.0))]
        return list(dict.fromkeys(round(speed, 3) for speed in choices[: self.values.samples]))

    def _along(self, situation: Situation, lengths: Array, ends: Ends) -> tuple[Array, Array]:
        """Distance, speed, acceleration (motion, step, 3) of the quintics, and which of them the vehicle can do."""
        start, (time, _, speed) = situation.start, ends.T
        along = least_jerk(start.speed, start.acceleration, lengths, speed, time, situation.grid.time_s)
        v, a = along[..., 1], along[..., 2]
        possible = (v.min(axis=1) >= 0.0) & (lengths > 0.0) & (v.max(axis=1) <= self.vehicle.speed_max_mps)
        possible &= a.min(axis=1) >= -min(self.values.deceleration_mps2, self.vehicle.deceleration_max_mps2)
        possible &= a.max(axis=1) <= self.vehicle.acceleration_max_mps2 + 1e-9
        return along, possible
