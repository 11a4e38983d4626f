"""Scenes the tests of this room share: a small road network with a fork, a signal and a crosswalk, and agents on it."""

import numpy as np

from behaviors_ros.datatypes import (
    Crosswalk,
    EgoState,
    Goal,
    Lane,
    LaneKind,
    LaneMap,
    Route,
    Scene,
    Signals,
    Tracks,
)  # fmt: skip


def lane(number, centre, half=1.75, **fields):
    """A lane around a centre line, of constant width."""
    centre = np.asarray(centre, float)
    ahead = np.gradient(centre, axis=0)
    left = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.hypot(*ahead.T)[:, None]
    return Lane(number, fields.pop("kind", LaneKind.ROAD), centre, centre + half * left, centre - half * left, **fields)


def straight_line(start, end, count=11):
    """Points from start to end."""
    return np.linspace(start, end, count)


def town(**first):
    """Lane 1 (x 0 to 100, y 0) forks into 2 (straight on to 200) and 3 (left, quarter circle of 20 m, then up to 4);
    lane 5 runs left of lane 1; crosswalk 9 crosses lane 2 at x = 150.
    """
    angle = np.linspace(0.0, np.pi / 2, 16)
    bend = np.stack([100.0 + 20.0 * np.sin(angle), 20.0 - 20.0 * np.cos(angle)], axis=1)
    lanes = (
        lane(1, straight_line((0, 0), (100, 0)), successors=(2, 3), left=5, **first),
        lane(2, straight_line((100, 0), (200, 0)), predecessors=(1,)),
        lane(3, bend, predecessors=(1,), successors=(4,)),
        lane(4, straight_line((120, 20), (120, 120)), predecessors=(3,)),
        lane(5, straight_line((0, 3.5), (100, 3.5)), right=1),
    )
    polygon = np.array([[148.0, -4.0], [152.0, -4.0], [152.0, 4.0], [148.0, 4.0]])
    return LaneMap("town", {each.id: each for each in lanes}, (Crosswalk(9, polygon, (2,)),))


def tracks(rows, stamp_ns=0, **arrays):
    """Tracks from rows (kind, x, y, yaw, speed along yaw)."""
    table = np.asarray(rows, float).reshape(-1, 5)
    n = len(table)
    heading = np.stack([np.cos(table[:, 3]), np.sin(table[:, 3])], axis=1)
    values = {
        "kind": table[:, 0].astype(np.int64), "position": table[:, 1:3].copy(), "yaw": table[:, 3].copy(),
        "velocity": heading * table[:, 4:5], "acceleration": np.zeros((n, 2)), "yaw_rate": np.zeros(n),
        "length": np.full(n, 4.5), "width": np.full(n, 1.9), "covariance": np.tile(np.eye(2) * 0.04, (n, 1, 1)),
        "existence": np.ones(n),
    }  # fmt: skip
    return Tracks(stamp_ns, tuple(f"{i:032x}" for i in range(n)), **(values | arrays))


def scene(agents, lane_map=None, ego=None, signals=None, stamp_ns=0):
    """A scene with an ego far away unless given, and a route that nobody here reads."""
    ego = ego or EgoState(stamp_ns, np.array([-500.0, -500.0]), 0.0, 0.0)
    goal, line = Goal(np.array([1.0, 0.0])), np.array([[0.0, 0.0], [1.0, 0.0]])
    ones = np.ones(2)
    route = Route((), goal, 1.0, np.array([0.0, 1.0]), line, ones, np.array([-1, -1]), *[ones] * 6)
    return Scene(stamp_ns, ego, agents, route, lane_map, signals)


def red(*groups):
    """Signals that show red."""
    return Signals(0, groups, np.ones(len(groups), np.int64), np.full(len(groups), np.nan))


def mixed_scene(count, lane_map, seed=0):
    """`count` agents of all classes on and around the town, fast and standing."""
    generator = np.random.default_rng(seed)
    rows = np.stack(
        [
            np.arange(count) % 12,
            generator.uniform(-20.0, 220.0, count),
            generator.uniform(-10.0, 40.0, count),
            generator.normal(0.0, 0.5, count),
            generator.uniform(0.0, 12.0, count) * (np.arange(count) % 3 > 0),
        ],
        axis=1,
    )
    agents = tracks(
        rows, yaw_rate=generator.normal(0.0, 0.2, count), acceleration=generator.normal(0.0, 1.0, (count, 2))
    )
    return scene(agents, lane_map, ego=EgoState(0, np.array([5.0, 0.0]), 0.0, 8.0))
