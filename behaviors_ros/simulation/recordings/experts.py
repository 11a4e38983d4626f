"""Recorded drivers as experts: the scene each of them was in, and where it drove on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import AgentClass, Array, EgoState, Goal, Grid, LaneMap, Route, Scene, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.maps.commonroad import CommonRoadDocument
from behaviors_ros.maps.commonroad_traffic import PlanningProblem, RecordedObstacle
from behaviors_ros.maps.load import load_map
from behaviors_ros.maps.route import mapless_route
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.simulation.commonroad import START_NS, agents_of, signals_of
from behaviors_ros.simulation.recorded import Recorded
from behaviors_ros.simulation.recordings.recording import Recording
from behaviors_ros.simulation.scenario import route_to
from behaviors_ros.simulation.signals import signals_at
from behaviors_ros.simulation.traffic import Perception, identity, perceive

DRIVERS = (AgentClass.CAR, AgentClass.TRUCK, AgentClass.BUS)
Seen = set[tuple[float, float, float]]


class ExpertSampling(Parameters):
    """Which instants of which drivers are taken."""

    every_s: float = value(3.0, "time between two instants of one driver", low=0.1, high=60.0)
    past_s: float = value(0.5, "what of the record before an instant its rates are taken from", low=0.1, high=5.0)
    future_s: float = value(4.0, "least record after an instant", low=0.5, high=10.0)
    way_m: float = value(3.0, "who drives less than this in that time stands", low=0.0, high=100.0)
    drivers: int = value(8, "most drivers of one scenario, evenly over those there are", low=1, high=10000)


@dataclass(frozen=True, eq=False)
class Expert:
    """A driver at an instant. vehicle: of its size; future: its rear axle on the grid, m, NaN beyond the record."""

    group: str
    vehicle: Vehicle
    scene: Scene
    future: Float[Array, "step 2"]


def scenario_experts(
    document: CommonRoadDocument, grid: Grid, sampling: ExpertSampling, seen: Seen
) -> Iterator[Expert]:
    """Drivers of a CommonRoad scenario, each in the ego's place in turn; no prediction sees what comes after.

    The goal is where the driver's record ends, as navigation would know it. Scenarios that overlap hold the same
    drivers: who has a state in `seen` (position and speed, rounded) is left out, and the states of who is taken are
    added. Drivers whose way does not follow the map's lanes are left out.
    """
    least = round((sampling.past_s + sampling.future_s) / document.dt_s) + 1
    drivers = [
        each
        for each in document.obstacles
        if each.kind in DRIVERS and each.role == "dynamic" and len(each.time) >= least and not _states(each) & seen
    ]
    picked = np.unique(np.linspace(0, len(drivers) - 1, min(sampling.drivers, len(drivers))).astype(int))
    for driver in (drivers[i] for i in picked):
        seen |= _states(driver)
        yield from _driver(document, driver, grid, sampling)


def _states(driver: RecordedObstacle) -> Seen:
    rounded = np.column_stack([driver.position.round(1), driver.speed.round(2)])
    return {(x, y, v) for x, y, v in rounded.tolist()}


def _driver(
    document: CommonRoadDocument, driver: RecordedObstacle, grid: Grid, sampling: ExpertSampling
) -> Iterator[Expert]:
    """One driver at its instants."""
    vehicle = vehicle_of(driver.length, driver.width)
    time_s, yaw = driver.time * document.dt_s, np.unwrap(driver.yaw)
    ahead = np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
    axle = driver.position - vehicle.centre_offset_m * ahead
    start = EgoState(START_NS, axle[0], float(wrap(yaw[0])), float(driver.speed[0]))
    try:
        route = route_to(document.lane_map, start, Goal(driver.position[-1], speed=(0.1, np.inf)))
    except InputError:
        return
    problem = PlanningProblem(driver.id, driver.position[0], 0.0, 0.0, 0.0, 0.0, 0, ())
    me = identity(f"{document.benchmark_id} {driver.id}")
    others = [agent for agent in agents_of(document, problem, "recorded") if agent.body.id != me]
    cycles = signals_of(document, problem, route)
    back, step = round(sampling.past_s / document.dt_s), max(round(sampling.every_s / document.dt_s), 1)
    for now in range(max(back, 1), len(time_s) - round(sampling.future_s / document.dt_s), step):
        future = _future(time_s[now:] - time_s[now], axle[now:], grid)
        if _way(future) < sampling.way_m:
            continue
        stamp_ns = START_NS + round(time_s[now] * 1e9)
        ego = _ego(stamp_ns, axle[now], yaw[[now - back, now]], driver.speed[[now - back, now]], sampling, vehicle)
        there = [replace(each, time_s=float(time_s[now])) if isinstance(each, Recorded) else each for each in others]
        tracks = perceive(stamp_ns, ego, there, Perception())
        lights = signals_at(cycles, stamp_ns, float(time_s[now])) if cycles else None
        scene = Scene(stamp_ns, ego, tracks, route, document.lane_map, lights)
        yield Expert(f"{document.benchmark_id} {driver.id}", vehicle, scene, future)


def vehicle_of(length_m: float, width_m: float) -> Vehicle:
    """A vehicle of a recorded box: axles at a fifth and four fifths of its length."""
    return Vehicle(
        length_m=length_m, width_m=width_m, wheel_base_m=0.6 * length_m, rear_overhang_m=0.2 * length_m,
        speed_max_mps=45.0,
    )  # fmt: skip


def _ego(stamp_ns: int, axle: Array, yaw: Array, speed: Array, sampling: ExpertSampling, vehicle: Vehicle) -> EgoState:
    """The state now, its rates from the differences of (before, now)."""
    rate, faster = float(np.diff(yaw)[0]) / sampling.past_s, float(np.diff(speed)[0]) / sampling.past_s
    curvature = rate / speed[1] if speed[1] > 0.5 else 0.0
    most = vehicle.steering_max_rad
    steering = float(np.clip(np.arctan(vehicle.wheel_base_m * curvature), -most, most))
    return EgoState(stamp_ns, axle, float(wrap(yaw[1])), float(speed[1]), faster, steering, rate)


def _future(time_s: Float[Array, "recorded"], axle: Float[Array, "recorded 2"], grid: Grid) -> Float[Array, "step 2"]:
    """Positions on the grid, linear between those of the record (times from now), NaN beyond it."""
    points = np.stack([np.interp(grid.time_s, time_s, axle[:, i]) for i in (0, 1)], axis=-1)
    points[grid.time_s > time_s[-1] + 1e-6] = np.nan
    return points


def _way(future: Float[Array, "step 2"]) -> float:
    """Length of a way as far as it is known, m."""
    return float(np.nansum(np.hypot(*np.diff(future, axis=0).T)))


def recording_experts(recording: Recording, vehicle: Vehicle, grid: Grid, sampling: ExpertSampling) -> Iterator[Expert]:
    """The driver of a recorded log: scenes at its tracks' stamps, at least `every_s` apart."""
    lane_map = load_map(recording.map_path) if recording.map_path is not None else None
    stamps = np.array([state.stamp_ns for state in recording.ego])
    axle = np.array([state.position for state in recording.ego])
    route = _route(recording, lane_map)
    last_ns = -(2**62)
    for tracks in recording.tracks:
        now = int(np.searchsorted(stamps, tracks.stamp_ns))
        left_s = (stamps[-1] - tracks.stamp_ns) * 1e-9
        late = now == 0 or now >= len(stamps) or left_s < sampling.future_s
        if late or tracks.stamp_ns - last_ns < round(sampling.every_s * 1e9):
            continue
        future = _future((stamps[now:] - stamps[now]) * 1e-9, axle[now:], grid)
        if _way(future) < sampling.way_m:
            continue
        last_ns = tracks.stamp_ns
        yield Expert(recording.name, vehicle, _scene(recording.ego[now], tracks, route, lane_map), future)


def _route(recording: Recording, lane_map: LaneMap | None) -> Route:
    goal = Goal(recording.goal.position, speed=(0.1, np.inf))
    if lane_map is None:
        return mapless_route(recording.centre_line, recording.ego[0], goal, 13.89, 3.5)
    return route_to(lane_map, recording.ego[0], goal)


def _scene(ego: EgoState, tracks: Tracks, route: Route, lane_map: LaneMap | None) -> Scene:
    return Scene(ego.stamp_ns, ego, tracks, route, lane_map)
