"""Samples of recordings: the scene at an instant as the prediction node would hold it, and what the agents did next.

for sample in samples(recording, Grid(), Windows()):
    predictions = predictor.predict(sample.scene, Grid())
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import Array, EgoState, Goal, Grid, Route, Scene, TrackHistory, Tracks
from behaviors_ros.evaluation.prediction_metrics import Sample
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.learning.data_recording import STEP_S, Recording
from behaviors_ros.parameters import Parameters, value

STEP_NS = 100_000_000


class Windows(Parameters):
    """Which instants of a recording become samples, and what is told of them."""

    every_s: float = value(0.5, "time between two samples", low=0.1, high=60.0)
    past_s: float = value(3.0, "length of the track history", low=0.0, high=20.0)
    least_past_s: float = value(1.0, "an agent seen for less has no truth", low=0.0, high=20.0)
    least_future_s: float = value(0.0, "an agent seen on for less has no truth", low=0.0, high=20.0)
    rate_window_s: float = value(0.5, "accelerations and yaw rates are differences over this", low=0.1, high=5.0)
    deviation_m: float = value(0.01, "standard deviation that the recorded positions are given", low=0.0, high=5.0)
    least_quality: float = value(0.0, "states of less quality are no truth", low=0.0, high=1.0)


def samples(recording: Recording, grid: Grid, windows: Windows | None = None) -> Iterator[Sample]:
    """The samples of a recording in time order; instants at which nobody was seen have none.

    Nothing after the instant enters a scene: states made up between two others count only once both are past.
    """
    windows = windows or Windows()
    first = int(recording.start.min(initial=0))
    every = max(round(windows.every_s / STEP_S), 1)
    for now in instants(recording, first + round(windows.least_past_s / STEP_S), every):
        found = sample_at(recording, now, grid, windows)
        if found is not None:
            yield found


def instants(recording: Recording, first: int, every: int) -> Iterator[int]:
    """Steps at which somebody was seen, about `every` steps apart."""
    seen = np.unique(recording.step_of_row()[recording.seen])
    due = first
    for step in seen[seen >= first].tolist():
        if step >= due:
            yield step
            # A recording slower than the grid has its own instants; the next one must not be put off by the rest.
            due += every * max((step - due) // every + 1, 1)


def sample_at(recording: Recording, now: int, grid: Grid, windows: Windows) -> Sample | None:
    """The sample at a step; None where nobody was seen."""
    past = round(windows.past_s / STEP_S)
    end = recording.start + recording.count
    near = np.flatnonzero((recording.start <= now) & (end > now - past))
    rows = recording.rows(near, np.arange(now - past, now + 1))
    usable = _known_by_now(recording, rows)
    here = usable[:, -1]
    if not here.any():
        return None
    gone = np.flatnonzero(~here & usable.any(axis=1))
    order = np.concatenate([np.flatnonzero(here), gone])
    history = _history(recording, near[order], rows[order], usable[order], now)
    tracks = _tracks(recording, near[here], rows[here], usable[here], now, windows)
    future = _future(recording, near[here], now, grid, windows)
    future[~_long_enough(usable[here], windows)] = np.nan
    future[~_seen_on(recording, near[here], now, windows)] = np.nan
    return Sample(Scene(now * STEP_NS, _nobody(now), tracks, _nowhere(), recording.lane_map, history=history), future)


def _known_by_now(recording: Recording, rows: Int[Array, "some past"]) -> Bool[Array, "some past"]:
    """Which states are known at the last step: those up to the last one seen."""
    there = rows >= 0
    known = there & np.isfinite(recording.yaw[rows]) & np.isfinite(recording.position[rows, 0])
    seen = there & recording.seen[rows]
    later = np.maximum.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    return known & later


def _long_enough(usable: Bool[Array, "some past"], windows: Windows) -> Bool[Array, "some"]:
    back = round(windows.least_past_s / STEP_S)
    return usable[:, -1 - back] if back < usable.shape[1] else np.zeros(len(usable), bool)


def _seen_on(recording: Recording, tracks: Int[Array, "some"], now: int, windows: Windows) -> Bool[Array, "some"]:
    rows = recording.rows(tracks, np.array([now + round(windows.least_future_s / STEP_S)]))[:, 0]
    return (rows >= 0) & np.isfinite(recording.position[rows, 0])


def _history(recording: Recording, tracks: Array, rows: Array, usable: Array, now: int) -> TrackHistory:
    pick = lambda values: np.where(usable.reshape(usable.shape + (1,) * (values.ndim - 1)), values[rows], np.nan)  # noqa: E731
    speed = np.hypot(recording.velocity[:, 0], recording.velocity[:, 1])
    ids = tuple(identity(recording, int(track)) for track in tracks)
    return TrackHistory(now * STEP_NS, ids, pick(recording.position), pick(recording.yaw), pick(speed), usable)


def _tracks(recording: Recording, tracks: Array, rows: Array, usable: Array, now: int, windows: Windows) -> Tracks:
    """Tracks at the last step; their rates are differences over the states before."""
    last = rows[:, -1]
    back = min(round(windows.rate_window_s / STEP_S), rows.shape[1] - 1)
    before, known = rows[:, -1 - back], usable[:, -1 - back] & (back > 0)
    span = max(back, 1) * STEP_S
    velocity = recording.velocity[last]
    # The first velocity of a track is a difference to nothing and says nothing about its change.
    known &= rows[:, -1 - back] > recording.offset[tracks]
    turned = np.where(known, wrap(recording.yaw[last] - recording.yaw[before]), 0.0) / span
    faster = np.where(known[:, None], velocity - recording.velocity[before], 0.0) / span
    count = len(tracks)
    return Tracks(
        stamp_ns=now * STEP_NS,
        id=tuple(identity(recording, int(track)) for track in tracks),
        kind=recording.kind[tracks],
        position=recording.position[last],
        yaw=recording.yaw[last],
        velocity=velocity,
        acceleration=np.nan_to_num(faster),
        yaw_rate=np.nan_to_num(turned),
        length=recording.length[tracks],
        width=recording.width[tracks],
        covariance=np.tile(np.eye(2) * windows.deviation_m**2, (count, 1, 1)),
        existence=np.ones(count),
    )


def _future(
    recording: Recording, tracks: Int[Array, "some"], now: int, grid: Grid, windows: Windows
) -> Float[Array, "some step 2"]:
    """Positions at the instants of the grid, linear between the steps, NaN where not known."""
    at = now + grid.time_s / STEP_S
    low = np.floor(at + 1e-6).astype(np.int64)
    share = np.clip(at - low, 0.0, 1.0)
    share = np.where(share < 1e-6, 0.0, share)[:, None]
    states = [_truth(recording, recording.rows(tracks, step), windows) for step in (low, low + (share[:, 0] > 0.0))]
    return states[0] + share * (states[1] - states[0])


def _truth(recording: Recording, rows: Int[Array, "some step"], windows: Windows) -> Float[Array, "some step 2"]:
    good = (rows >= 0) & (recording.quality[rows] >= windows.least_quality)
    return np.where(good[..., None], recording.position[rows], np.nan)


def identity(recording: Recording, track: int) -> str:
    """Id of a track, 32 hex digits, the same in every sample of the recording."""
    return _identity(f"{recording.origin.source}/{recording.origin.name}/{recording.id[track]}")


@cache
def _identity(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def _nobody(now: int) -> EgoState:
    return EgoState(now * STEP_NS, np.full(2, np.nan), 0.0, 0.0)


@cache
def _nowhere() -> Route:
    """A route that no predictor reads."""
    ones, line = np.ones(2), np.array([[0.0, 0.0], [1.0, 0.0]])
    return Route((), Goal(line[1]), 1.0, line[:, 0], line, ones, np.array([-1, -1]), ones, ones, ones, ones, ones, ones)
