"""A synthetic cycle, run when a node is configured, so that nothing is compiled or loaded from disk in a real one."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import (
    AgentClass,
    Candidates,
    EgoState,
    Goal,
    Grid,
    Intent,
    LaneKind,
    LaneMap,
    Predictions,
    Route,
    Scene,
    Signals,
    Tracks,
)  # fmt: skip
from behaviors_ros.geometry.polylines import arc_length
from behaviors_ros.maps.route import build_route, mapless_route
from behaviors_ros.parameters import Vehicle

_KINDS = (AgentClass.CAR, AgentClass.TRUCK, AgentClass.BICYCLE, AgentClass.PEDESTRIAN, AgentClass.ANIMAL)


def warm_scene(lane_map: LaneMap | None, vehicle: Vehicle, agents: int = 5, speed: float = 8.0) -> Scene:
    """The ego at the start of the longest road lane of the map (or of a straight line), agents of all kinds ahead."""
    route = _route(lane_map)
    heading = np.arctan2(*(route.path[1] - route.path[0])[::-1])
    ego = EgoState(1_000_000_000, route.path[0].copy(), float(heading), speed)
    signals = Signals(ego.stamp_ns, (1,), np.array([3]), np.array([np.nan]))
    tracks = _tracks(route, ego.stamp_ns, agents)
    return Scene(ego.stamp_ns, ego, tracks, route, lane_map, signals if lane_map else None)


def _route(lane_map: LaneMap | None) -> Route:
    lanes = [] if lane_map is None else [lane for lane in lane_map.lanes.values() if lane.kind is LaneKind.ROAD]
    if lane_map is None or not lanes:
        line = np.stack([np.arange(0.0, 300.0, 2.0), np.zeros(150)], axis=1)
        return mapless_route(line, EgoState(0, line[0], 0.0, 0.0), Goal(line[-1]), 13.9, 1.75)
    longest = max(lanes, key=lambda lane: (arc_length(lane.centre)[-1], -lane.id))
    return build_route(lane_map, (longest.id,), Goal(longest.centre[-1]), longest.centre[0])


def _tracks(route: Route, stamp_ns: int, agents: int) -> Tracks:
    """Agents beside and on the route, every one moving along it at 5 m/s."""
    rows = np.linspace(min(len(route.path) - 2, 20), len(route.path) - 2, agents).astype(int)
    ahead = route.path[rows + 1] - route.path[rows]
    yaw = np.arctan2(ahead[:, 1], ahead[:, 0])
    side = np.stack([-np.sin(yaw), np.cos(yaw)], axis=1) * (3.5 * (np.arange(agents) % 3 - 1))[:, None]
    velocity = 5.0 * np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
    return Tracks(
        stamp_ns=stamp_ns,
        id=tuple(f"{index:032x}" for index in range(1, agents + 1)),
        kind=np.array([int(_KINDS[index % len(_KINDS)]) for index in range(agents)], dtype=np.int64),
        position=route.path[rows] + side,
        yaw=yaw,
        velocity=velocity,
        acceleration=np.zeros((agents, 2)),
        yaw_rate=np.zeros(agents),
        length=np.full(agents, 4.0),
        width=np.full(agents, 1.7),
        covariance=np.broadcast_to(0.04 * np.eye(2), (agents, 2, 2)).copy(),
        existence=np.ones(agents),
    )


def warm_predictions(scene: Scene, grid: Grid) -> Predictions:
    """Every track going straight on, one mode."""
    tracks, time_s = scene.tracks, grid.time_s
    shape = (len(tracks), 1, grid.steps)
    position = tracks.position[:, None, None] + tracks.velocity[:, None, None] * time_s[None, None, :, None]
    return Predictions(
        stamp_ns=scene.stamp_ns,
        time_s=time_s,
        id=tracks.id,
        kind=tracks.kind,
        length=tracks.length,
        width=tracks.width,
        valid=np.ones(shape[:2], dtype=bool),
        probability=np.ones(shape[:2]),
        intent=np.full(shape[:2], int(Intent.KEEP_LANE)),
        position=position,
        yaw=np.broadcast_to(tracks.yaw[:, None, None], shape).copy(),
        speed=np.broadcast_to(tracks.speed[:, None, None], shape).copy(),
        covariance=np.broadcast_to(0.04 * np.eye(2), (*shape, 2, 2)).copy(),
    )


def warm_candidates(scene: Scene, grid: Grid) -> Candidates:
    """Going on along the route at its speed, and a stop."""
    route, time_s, v = scene.route, grid.time_s, scene.ego.speed
    braking = 2.0
    speed = np.stack([np.full(grid.steps, v), np.maximum(v - braking * time_s, 0.0)])
    s = np.stack(
        [v * time_s, v * np.minimum(time_s, v / braking) - 0.5 * braking * np.minimum(time_s, v / braking) ** 2]
    )
    yaw = np.arctan2(np.gradient(route.path[:, 1]), np.gradient(route.path[:, 0]))
    along = [np.interp(s, route.s - route.s[0], column) for column in (*route.path.T, np.unwrap(yaw))]
    return Candidates(
        stamp_ns=scene.stamp_ns,
        time_s=time_s,
        generator=("warm", "warm"),
        label=("go on", "stop"),
        is_stop=np.array([False, True]),
        position=np.stack(along[:2], axis=-1),
        yaw=along[2],
        speed=speed,
        acceleration=np.gradient(speed, grid.dt_s, axis=1),
        curvature=np.zeros_like(speed),
        s=s + route.s[0],
        d=np.zeros_like(speed),
    )
