"""A drive as it happened: what the metrics read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import Array, EgoState, Goal, LaneMap, Route, Signals, Tracks
from behaviors_ros.geometry.boxes import corners
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.rollout import Log


@dataclass(frozen=True, eq=False)
class Drive:
    """Executed ego states, true tracks and signals at the same instants, evenly `dt_s` apart, and the task."""

    ego: tuple[EgoState, ...]
    tracks: tuple[Tracks, ...]
    signals: tuple[Signals | None, ...]
    route: Route
    map: LaneMap | None
    goal: Goal
    vehicle: Vehicle
    dt_s: float = 0.1

    @staticmethod
    def of(log: Log) -> Drive:
        """The drive of a rollout."""
        scenario, count = log.scenario, len(log.ego) - 1
        return Drive(
            log.ego, log.tracks, log.signals, scenario.route, scenario.map, scenario.goal, scenario.vehicle,
            dt_s=log.duration_s / count if count else 0.1,
        )  # fmt: skip

    @cached_property
    def position(self) -> Float[Array, "step 2"]:
        """Rear axle centre, m."""
        return np.array([ego.position for ego in self.ego])

    @cached_property
    def yaw(self) -> Float[Array, "step"]:
        """Heading, rad, without jumps."""
        return np.unwrap([ego.yaw for ego in self.ego])

    @cached_property
    def speed(self) -> Float[Array, "step"]:
        """Signed speed, m/s."""
        return np.array([ego.speed for ego in self.ego])

    @cached_property
    def time_s(self) -> Float[Array, "step"]:
        """Time since the first state, s."""
        return np.array([(ego.stamp_ns - self.ego[0].stamp_ns) * 1e-9 for ego in self.ego])

    def ahead(self, distance_m: float) -> Float[Array, "step 2"]:
        """Points on the ego's long axis, `distance_m` ahead of the rear axle, m."""
        return self.position + distance_m * np.stack((np.cos(self.yaw), np.sin(self.yaw)), axis=1)

    @cached_property
    def centre(self) -> Float[Array, "step 2"]:
        """Box centre, m."""
        return self.ahead(self.vehicle.centre_offset_m)

    @cached_property
    def front(self) -> Float[Array, "step 2"]:
        """Middle of the front bumper, m."""
        return self.ahead(self.vehicle.length_m - self.vehicle.rear_overhang_m)

    @cached_property
    def corners(self) -> Float[Array, "step 4 2"]:
        """Front left, front right, rear right, rear left, m."""
        return corners(self.centre, self.yaw, self.vehicle.length_m, self.vehicle.width_m)

    @cached_property
    def station(self) -> Float[Array, "step"]:
        """Arc length of the rear axle on the route, m."""
        return np.asarray(route_frame(self.route).project(self.position)[0])

    @cached_property
    def in_several_lanes(self) -> Bool[Array, "step"]:
        """Some corners are inside the route's lane and some are beside it."""
        s, d = route_frame(self.route).project(self.corners)
        left, right = (np.interp(s, self.route.s, width) for width in (self.route.left_lane, self.route.right_lane))
        inside = (d <= left) & (d >= -right)
        return inside.any(axis=1) & ~inside.all(axis=1)
