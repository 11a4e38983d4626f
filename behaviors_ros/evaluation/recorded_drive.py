"""A recorded drive as a scenario: its road users repeat themselves, its driver is the expert to compare with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import AgentClass, Array, EgoState, LaneMap, Route, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.maps.load import load_map
from behaviors_ros.maps.route import build_route, mapless_route, route_frame, search
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.commonroad import START_NS
from behaviors_ros.simulation.recorded import Recorded, RecordedStates
from behaviors_ros.simulation.recordings.argoverse import read_log
from behaviors_ros.simulation.recordings.kitti import read_sequence
from behaviors_ros.simulation.recordings.recording import Recording
from behaviors_ros.simulation.scenario import Scenario
from behaviors_ros.simulation.traffic import Agent, Body, Perception

LIMIT_MPS, HALF_WIDTH_M = 13.89, 3.5  # of a route without a map, as for a scenario without one


@dataclass(frozen=True, eq=False)
class Expert:
    """What the recorded driver did: time_s since the start; rear axle, m; way along the route in the end, m."""

    time_s: Float[Array, "step"]
    position: Float[Array, "step 2"]
    progress_m: float


def from_argoverse(folder: Path, vehicle: Vehicle) -> tuple[Scenario, Expert]:
    """An Argoverse 2 sensor log."""
    return scenario_of(read_log(folder, vehicle), vehicle)


def from_kitti(folder: Path, sequence: str, vehicle: Vehicle) -> tuple[Scenario, Expert]:
    """A KITTI tracking sequence; there is no map."""
    return scenario_of(read_sequence(folder, sequence, vehicle), vehicle)


def scenario_of(recording: Recording, vehicle: Vehicle, dt_s: float = 0.1) -> tuple[Scenario, Expert]:
    """Drive from where the recorded ego began to where it ended, in its time, among what was recorded."""
    first = recording.ego[0]
    time_s = np.array([(ego.stamp_ns - first.stamp_ns) * 1e-9 for ego in recording.ego])
    position = np.array([ego.position for ego in recording.ego])
    lane_map, route = _way(recording, position)
    scenario = Scenario(
        name=recording.name,
        provenance=f"recorded drive {recording.name} ({recording.licence})",
        map=lane_map,
        route=route,
        start=replace(first, stamp_ns=START_NS),
        goal=recording.goal,
        agents=agents_of(recording.tracks, first.stamp_ns),
        signals=(),
        duration_s=float(np.floor(time_s[-1] / dt_s) * dt_s),
        vehicle=vehicle,
        perception=Perception(),
        dt_s=dt_s,
    )
    station = route_frame(route).project(position[[0, -1]])[0]
    return scenario, Expert(time_s, position, float(station[1] - station[0]))


def agents_of(tracks: tuple[Tracks, ...], start_ns: int) -> tuple[Agent, ...]:
    """Every track as a road user that repeats its recording."""
    seen: dict[str, list[tuple[Tracks, int]]] = {}
    for frame in tracks:
        for row, name in enumerate(frame.id):
            seen.setdefault(name, []).append((frame, row))
    return tuple(_agent(name, rows, start_ns) for name, rows in seen.items())


def _agent(name: str, rows: list[tuple[Tracks, int]], start_ns: int) -> Recorded:
    frame, row = rows[0]
    yaw = np.array([f.yaw[i] for f, i in rows])
    velocity = np.array([f.velocity[i] for f, i in rows])
    along = np.stack((np.cos(yaw), np.sin(yaw)), axis=1)
    states = RecordedStates(
        np.array([(f.stamp_ns - start_ns) * 1e-9 for f, _ in rows]), np.array([f.position[i] for f, i in rows]),
        yaw, (velocity * along).sum(axis=1),
    )  # fmt: skip
    return Recorded(
        Body(name, AgentClass(int(frame.kind[row])), float(frame.length[row]), float(frame.width[row])), states
    )


def _way(recording: Recording, driven: Float[Array, "step 2"]) -> tuple[LaneMap | None, Route]:
    """The map and the route: over lanes where they lead to the goal, else along the centre line or the driven path."""
    start, goal = recording.ego[0], recording.goal
    lane_map = load_map(recording.map_path) if recording.map_path is not None else None
    if lane_map is not None:
        try:
            return lane_map, build_route(
                lane_map, search(lane_map, start.position, start.yaw, goal), goal, start.position
            )
        except InputError:
            lane_map = None
    line = recording.centre_line if recording.centre_line is not None else _extended(driven, recording.ego[-1])
    return lane_map, mapless_route(line, start, goal, LIMIT_MPS, HALF_WIDTH_M)


def _extended(driven: Float[Array, "step 2"], last: EgoState, spacing_m: float = 1.0, ahead_m: float = 60.0) -> Array:
    """The driven path, led on straight so that a plan near its end has somewhere to go."""
    kept = [driven[0]]
    for point in driven:
        if np.hypot(*(point - kept[-1])) >= spacing_m:
            kept.append(point)
    return np.array([*kept, kept[-1] + ahead_m * np.array((np.cos(last.yaw), np.sin(last.yaw)))])
