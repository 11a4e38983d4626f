"""Drives made by hand."""

import numpy as np

from behaviors_ros.datatypes import AgentClass, EgoState, Goal, Lane, LaneKind, LaneMap, Route, Signals, Tracks
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.parameters import Vehicle

VEHICLE = Vehicle(
    length_m=4.0, width_m=2.0, rear_overhang_m=1.0, wheel_base_m=2.5
)  # front bumper 3 m ahead, centre 1 m
LINE = np.stack((np.arange(-50.0, 301.0, 1.0), np.zeros(351)), 1)


def route(limit=10.0):
    """Along the x axis from x = -50, so s = x + 50; lane 4 m wide, another of 4 m to its left."""
    full = np.full(len(LINE), 2.0)
    return Route(
        lanes=(1,), goal=Goal(np.array((100.0, 0.0))), goal_s=150.0, s=LINE[:, 0] + 50.0, path=LINE,
        speed_limit=np.full(len(LINE), limit), lane=np.ones(len(LINE), np.int64), left_lane=full, right_lane=full,
        left_same=full, right_same=full, left_drivable=full + 4.0, right_drivable=full,
    )  # fmt: skip


def lane_map(stop_line=None, signals=()):
    """Two lanes: 1 along y = 0, 2 against it along y = 4, both 4 m wide."""
    own = Lane(1, LaneKind.ROAD, LINE, LINE + (0.0, 2.0), LINE - (0.0, 2.0), stop_line=stop_line, signals=signals)
    other = Lane(2, LaneKind.ROAD, (LINE + (0.0, 4.0))[::-1], (LINE + (0.0, 2.0))[::-1], (LINE + (0.0, 6.0))[::-1])
    return LaneMap("two lanes", {1: own, 2: other})


def tracks(stamp_ns, *agents):
    """Tracks of (name, x, y, yaw, speed[, length, width])."""
    if not agents:
        return Tracks.empty(stamp_ns)
    rows = [(*agent, 4.0, 2.0)[:7] if len(agent) == 5 else agent for agent in agents]
    x, y, yaw, speed, length, width = np.array([row[1:] for row in rows], dtype=float).T
    count = len(rows)
    return Tracks(
        stamp_ns, tuple(row[0] for row in rows), np.full(count, int(AgentClass.CAR)), np.stack((x, y), 1), yaw,
        np.stack((speed * np.cos(yaw), speed * np.sin(yaw)), 1), np.zeros((count, 2)), np.zeros(count), length, width,
        np.zeros((count, 2, 2)), np.ones(count),
    )  # fmt: skip


def drive(x, y=0.0, yaw=0.0, speed=None, agents=(), signals=(), goal=None, on=None, limit=10.0):
    """A drive along `x` every 0.1 s; agents: a list of agents for every step, or one list for all of them."""
    x = np.asarray(x, dtype=float)
    y, yaw = np.broadcast_to(y, x.shape), np.broadcast_to(yaw, x.shape)
    speed = np.gradient(x, 0.1) if speed is None else np.broadcast_to(speed, x.shape)
    ego = tuple(
        EgoState(i * 100_000_000, np.array((x[i], y[i])), float(yaw[i]), float(speed[i])) for i in range(len(x))
    )
    each = agents if agents and isinstance(agents[0], list) else [list(agents)] * len(x)
    seen = tuple(tracks(state.stamp_ns, *found) for state, found in zip(ego, each, strict=True))
    colors = signals or [None] * len(x)
    lights = tuple(
        None if color is None else Signals(state.stamp_ns, (7,), np.array([int(color)]), np.array([np.nan]))
        for state, color in zip(ego, colors, strict=True)
    )
    return Drive(ego, seen, lights, route(limit), on or lane_map(), goal or Goal(np.array((100.0, 0.0))), VEHICLE)
