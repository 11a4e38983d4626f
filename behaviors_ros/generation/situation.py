"""What all generators derive from a scene first: the start on the reference, and the agents along it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import Array, EgoState, Grid, Predictions, Route, Scene, StopKind
from behaviors_ros.generation.agents import FRONT, Agents, agents_along
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.paths import lateral_start
from behaviors_ros.generation.reference import Reference, nearest, project, reference_of
from behaviors_ros.generation.start import Stitching, previous_state, start_from
from behaviors_ros.geometry.polylines import interpolated
from behaviors_ros.maps.stops import waits_at_stop
from behaviors_ros.parameters import Vehicle

STOP_WORDS = {
    StopKind.SIGNAL: "signal",
    StopKind.STOP_SIGN: "stop sign",
    StopKind.YIELD: "yield line",
    StopKind.CROSSWALK: "crosswalk",
}


@dataclass(frozen=True)
class Halt:
    """A place to halt: label in words; s: arc length of the rear axle on the route path when halted, m."""

    label: str
    s: float


@dataclass(frozen=True, eq=False)
class Situation:
    """The start beside the reference.

    curvature 1/m of the start; index: sample of the reference nearest to it; station, offset and s (on the route path)
    m; lateral: (d, d', d'') there or None where a lateral profile cannot leave from it; stitched: the start lies on the
    previous plan; step_m, samples: sampling of all paths.
    """

    scene: Scene
    grid: Grid
    vehicle: Vehicle
    driving: Driving
    start: EgoState
    stitched: bool
    curvature: float
    reference: Reference
    index: int
    station: float
    offset: float
    s: float
    lateral: Float[Array, "3"] | None
    step_m: float
    samples: int
    agents: Agents
    agent_id: tuple[str, ...]
    agent_kind: Int[Array, "all"]
    parked: Bool[Array, "agent"]

    @property
    def route(self) -> Route:
        """The route of the scene."""
        return self.scene.route

    @cached_property
    def front_m(self) -> float:
        """Rear axle to front bumper, m."""
        return self.vehicle.length_m - self.vehicle.rear_overhang_m

    @property
    def reach_m(self) -> float:
        """Length of the paths along the reference, m."""
        return self.step_m * (self.samples - 1)

    @cached_property
    def limit_mps(self) -> float:
        """Speed limit at the start, m/s."""
        return min(float(interpolated(self.s, self.route.s, self.route.speed_limit)), self.vehicle.speed_max_mps)

    def label_of(self, agent: int) -> str:
        """Short name of an agent of `agents`: the first digits of its id."""
        return self.agent_id[self.agents.index[agent]][:4]

    def kind_of(self, agent: int) -> int:
        """Class of an agent of `agents`."""
        return int(self.agent_kind[self.agents.index[agent]])

    def width(self, name: str, s: float) -> float:
        """One of the route's six widths at an arc length of the route path, m."""
        return float(interpolated(s, self.route.s, getattr(self.route, name)))


@lru_cache(maxsize=4)
def situation_of(
    scene: Scene, predictions: Predictions, grid: Grid, vehicle: Vehicle, driving: Driving, stitching: Stitching
) -> Situation:
    """The situation of a scene; its generators share it (cached by identity of scene and predictions)."""
    planned = previous_state(scene, vehicle, stitching)
    start = start_from(scene, planned, vehicle, stitching)
    reference = reference_of(scene.route, driving.smoothing_m)
    x, y = float(start.position[0]), float(start.position[1])
    index = nearest(reference.table, reference.spacing_m, x, y, float(start.yaw), 0, len(reference.table))
    row = np.empty(reference.table.shape[1])
    station, offset = project(reference.table, reference.spacing_m, x, y, index, row)
    curvature = math.tan(start.steering) / vehicle.wheel_base_m
    step, samples = _sampling(start, grid, driving)
    reach = step * (samples - 1)
    agents = agents_along(reference.table, reference.spacing_m, predictions, station, reach, 12.0, grid.steps)
    return Situation(
        scene, grid, vehicle, driving, start, planned is not None, curvature,
        reference, int(index), float(station), float(offset), float(row[5]),
        lateral_start(row, offset, start.yaw, curvature), step, samples, agents, predictions.id, predictions.kind,
        _parked(agents, scene.route, float(row[5]) - float(station), driving.queue_m),
    )  # fmt: skip


def _parked(agents: Agents, route: Route, shift: float, queue_m: float) -> Bool[Array, "agent"]:
    """Agents that stand throughout the horizon, and not because they wait before a stop point.

    shift: arc length on the route path less station on the reference, m.
    """
    if not len(agents):
        return np.zeros(0, dtype=bool)
    front = agents.along[:, :, FRONT]
    stands = np.nanmax(front, axis=1) - np.nanmin(front, axis=1) < 0.5
    return stands & ~waits_at_stop(route, front[:, 0] + shift, queue_m)


def _sampling(start: EgoState, grid: Grid, driving: Driving) -> tuple[float, int]:
    """Spacing and number of samples of the paths: as far as the ego can get within the horizon."""
    horizon = grid.horizon_s
    acceleration = max(start.acceleration, driving.acceleration_mps2)
    reach = start.speed * horizon + 0.5 * acceleration * horizon**2 + 5.0
    step = max(driving.spacing_m, reach / (driving.samples - 1))
    return step, math.ceil(reach / step) + 1


def halts(situation: Situation) -> list[Halt]:
    """Places ahead where a halt may be demanded: the next stop points, the goal, the end of the path; nearest first."""
    vehicle, driving, route = situation.vehicle, situation.driving, situation.route
    ahead = situation.front_m + driving.stop_margin_m
    lines = [
        Halt(f"stop at {STOP_WORDS[stop.kind]} {stop.id}", stop.s - ahead)
        for stop in route.stops
        if stop.kind in STOP_WORDS and stop.s > situation.s + situation.front_m
    ]
    ends = [
        Halt("stop at the goal", route.goal_s - vehicle.centre_offset_m),
        Halt("stop before the end of the path", float(route.s[-1]) - ahead),
    ]
    speed = situation.start.speed
    reach = max(situation.reach_m, speed**2 + 10.0)
    places = lines[: driving.stops] + [end for end in ends if end.s > situation.s - driving.hold_m]
    return sorted((halt for halt in places if halt.s - situation.s < reach), key=lambda halt: halt.s)
