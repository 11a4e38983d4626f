"""Scenes built by hand for the tests of generation."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import (
    Candidates,
    EgoState,
    Goal,
    Grid,
    Outcome,
    Plan,
    Predictions,
    Route,
    Scene,
    StopPoint,
    Tracks,
)

GRID = Grid()


def line_to(
    points: np.ndarray, limit: float = 13.89, stops: tuple[StopPoint, ...] = (), goal_s: float | None = None
) -> Route:
    """A route along points: own lane 1.75 m to either side, an oncoming lane 3.5 m wide on the left."""
    s = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    half, wide = np.full(len(s), 1.75), np.full(len(s), 5.25)
    goal_s = float(s[-1]) if goal_s is None else goal_s
    goal = Goal(np.array([np.interp(goal_s, s, points[:, 0]), np.interp(goal_s, s, points[:, 1])]))
    return Route(
        lanes=(1,), goal=goal, goal_s=goal_s, s=s, path=points, speed_limit=np.full(len(s), limit),
        lane=np.ones(len(s), np.int64), left_lane=half, right_lane=half, left_same=half, right_same=half,
        left_drivable=wide, right_drivable=half, stops=stops,
    )  # fmt: skip


def straight(length: float = 300.0, **more) -> Route:
    """Along +x from the origin."""
    x = np.arange(0.0, length + 0.25, 0.5)
    return line_to(np.column_stack((x, np.zeros_like(x))), **more)


def turn(radius: float, angle: float = np.pi / 2, before: float = 20.0, after: float = 60.0, **more) -> Route:
    """Straight, an arc to the left, straight."""
    x = np.arange(0.0, before, 0.5)
    bend = np.arange(0.0, angle, 0.5 / radius)
    out = np.arange(0.0, after, 0.5)
    end = np.array([before + radius * np.sin(angle), radius * (1 - np.cos(angle))])
    points = np.concatenate((
        np.column_stack((x, np.zeros_like(x))),
        np.column_stack((before + radius * np.sin(bend), radius * (1 - np.cos(bend)))),
        end + out[:, None] * np.array([np.cos(angle), np.sin(angle)]),
    ))  # fmt: skip
    return line_to(points, **more)


def scene(
    route: Route, x=10.0, y=0.0, yaw=0.0, speed=0.0, acceleration=0.0, steering=0.0, stamp_ns=0, previous=None
) -> Scene:
    """A scene with no agents."""
    ego = EgoState(stamp_ns, np.array([x, y]), yaw, speed, acceleration, steering)
    return Scene(stamp_ns, ego, Tracks.empty(stamp_ns), route, previous=previous)


def boxes(agents: list[tuple[float, float, float, float]], stamp_ns: int = 0, grid: Grid = GRID) -> Predictions:
    """Cars (x, y, yaw, speed) of constant velocity, 4.5 m by 1.9 m, one mode each."""
    n, t = len(agents), grid.time_s
    state = np.array(agents, float).reshape(n, 4)
    heading = np.stack((np.cos(state[:, 2]), np.sin(state[:, 2])), axis=-1)
    position = state[:, None, :2] + (state[:, 3, None] * t)[..., None] * heading[:, None]
    shape = (n, 1, len(t))
    return Predictions(
        stamp_ns, t, tuple(f"{i + 1:04x}" + 28 * "0" for i in range(n)), np.ones(n, np.int64), np.full(n, 4.5),
        np.full(n, 1.9), np.ones((n, 1), bool), np.ones((n, 1)), np.ones((n, 1), np.int64), position[:, None],
        np.broadcast_to(state[:, 2, None, None], shape).copy(), np.broadcast_to(state[:, 3, None, None], shape).copy(),
        np.zeros((*shape, 2, 2)),
    )  # fmt: skip


def planned(candidates: Candidates, index: int, stop: int | None = None) -> Plan:
    """A plan that drives a candidate."""
    trajectory = candidates.trajectory(index)
    halt = candidates.trajectory(index if stop is None else stop)
    return Plan(
        candidates.stamp_ns, 1, trajectory, halt, candidates.stamp_ns + 500_000_000, index, 0,
        candidates.generator[index], candidates.label[index], Outcome.SELECTED, "best",
    )  # fmt: skip
