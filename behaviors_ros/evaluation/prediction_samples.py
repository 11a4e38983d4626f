"""Samples for the evaluation of predictors from recorded CommonRoad scenarios."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from behaviors_ros.datatypes import Array, EgoState, Goal, Grid, Route, Scene, Tracks
from behaviors_ros.evaluation.prediction_metrics import Sample
from behaviors_ros.maps.commonroad import CommonRoadDocument
from behaviors_ros.parameters import Parameters, value

Seen = set[tuple[float, float, float]]


class Sampling(Parameters):
    """Which instants of a recording become samples."""

    every_s: float = value(2.0, "time between samples", low=0.1, high=60.0)
    history_s: float = value(1.0, "how long an agent must have been seen to count", low=0.0, high=10.0)
    window_s: float = value(0.5, "backward differences of speed and yaw are taken over this", low=0.1, high=5.0)
    deviation_m: float = value(0.01, "standard deviation that the recorded positions are given", low=0.0, high=5.0)


def recorded_samples(document: CommonRoadDocument, grid: Grid, sampling: Sampling, seen: Seen) -> Iterator[Sample]:
    """Scenes of a recording, without an ego, with what the dynamic road users did next.

    Recordings that overlap hold the same states: a state in `seen` (position and speed, rounded) has no truth a second
    time, and what is used is added to it. Agents with a shorter history are in the scene, but have no truth. Nothing
    after the instant enters the scene.
    """
    dynamic = [each for each in document.obstacles if each.role == "dynamic" and len(each.time) > 1]
    if not dynamic:
        return
    past, step = round(sampling.history_s / document.dt_s), max(round(sampling.every_s / document.dt_s), 1)
    size = int(max(each.time.max() for each in dynamic)) + 1
    table = np.full((len(dynamic), size, 4), np.nan)
    for row, each in enumerate(dynamic):
        table[row, each.time] = np.column_stack([each.position, each.yaw, each.speed])
    box = np.array([[int(each.kind), each.length, each.width, each.id] for each in dynamic])
    back = max(round(sampling.window_s / document.dt_s), 1)
    for now in range(max(past, back), size - 1, step):
        rows = np.flatnonzero(np.isfinite(table[:, now, 0]))
        if rows.size:
            tracks = _tracks(table[rows], box[rows], now, back, document.dt_s, sampling.deviation_m)
            future = _future(table[rows], now, document.dt_s, grid)
            future[~np.isfinite(table[rows, now - past, 0])] = np.nan
            _once(table[rows, now], future, seen)
            yield Sample(Scene(0, _nobody(), tracks, _nowhere(), document.lane_map), future)


def _tracks(table: Array, box: Array, now: int, back: int, dt_s: float, deviation_m: float) -> Tracks:
    """Tracks at step `now`, their rates by differences over the `back` steps before; 0 where these are not known."""
    state, before = table[:, now], table[:, now - back]
    heading = np.stack([np.cos(state[:, 2]), np.sin(state[:, 2])], axis=1)
    turned = (state[:, 2] - before[:, 2] + np.pi) % (2.0 * np.pi) - np.pi
    faster = np.nan_to_num((state[:, 3] - before[:, 3]) / (back * dt_s))
    count = len(table)
    return Tracks(
        stamp_ns=0,
        id=tuple(f"{int(number):032x}" for number in box[:, 3]),
        kind=box[:, 0].astype(np.int64),
        position=state[:, :2],
        yaw=state[:, 2],
        velocity=heading * state[:, 3:],
        acceleration=heading * faster[:, None],
        yaw_rate=np.nan_to_num(turned / (back * dt_s)),
        length=box[:, 1],
        width=box[:, 2],
        covariance=np.tile(np.eye(2) * deviation_m**2, (count, 1, 1)),
        existence=np.ones(count),
    )


def _future(table: Array, now: int, dt_s: float, grid: Grid) -> Array:
    """Positions at the instants of the grid, (agent, step, 2), linear between the recorded steps, NaN beyond them."""
    at = now + grid.time_s / dt_s
    low = np.minimum(np.floor(at + 1e-9).astype(int), table.shape[1] - 1)
    high = np.minimum(low + 1, table.shape[1] - 1)
    share = np.where(at - low < 1e-6, 0.0, at - low)[:, None]
    between = table[:, low, :2] + share * np.where(share > 0.0, table[:, high, :2] - table[:, low, :2], 0.0)
    between[:, at > table.shape[1] - 1 + 1e-6] = np.nan
    return between


def _once(states: Array, future: Array, seen: Seen) -> None:
    for row, state in enumerate(states):
        key = (round(state[0], 1), round(state[1], 1), round(state[3], 2))
        if key in seen:
            future[row] = np.nan
        seen.add(key)


def _nobody() -> EgoState:
    return EgoState(0, np.full(2, np.nan), 0.0, 0.0)


def _nowhere() -> Route:
    """A route that no predictor reads."""
    ones, line = np.ones(2), np.array([[0.0, 0.0], [1.0, 0.0]])
    return Route((), Goal(line[1]), 1.0, line[:, 0], line, ones, np.array([-1, -1]), ones, ones, ones, ones, ones, ones)
