"""Recorded tracks on the grid of 0.1 s: causal where a state was seen, marked where it was made up."""

from __future__ import annotations

from collections import Counter

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import Array
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.learning.data_recording import STEP_S, RawRecording, RawTrack, Recording
from behaviors_ros.parameters import Parameters, value


class Resampling(Parameters):
    """How recorded instants become steps of 0.1 s."""

    jitter_s: float = value(0.03, "a state this near to a step counts as seen there", low=0.0, high=0.05)
    gap_s: float = value(0.65, "gaps up to this are filled along a straight line", low=0.0, high=5.0)
    speed_window_s: float = value(0.5, "velocities are differences over this past", low=0.1, high=3.0)
    speed_max_mps: float = value(70.0, "a track that jumps faster than this is cut there", low=1.0, high=200.0)
    acceleration_max_mps2: float = value(15.0, "changes beyond this lower the quality", low=1.0, high=1000.0)
    moving_mps: float = value(0.3, "slower, the direction of motion says nothing of the heading", low=0.0, high=3.0)
    least_s: float = value(0.5, "shorter tracks are dropped", low=0.0, high=10.0)


class _Piece:
    """One track, or one uninterrupted part of one, on the grid."""

    def __init__(self, track: RawTrack, name: str, start: int, columns: dict[str, Array]) -> None:
        self.track, self.name, self.start, self.columns = track, name, start, columns


def resampled(raw: RawRecording, how: Resampling | None = None) -> Recording:
    """A recording on the grid; step 0 is its time 0. `dropped` counts what could not be used, by reason."""
    how = how or Resampling()
    pieces: list[_Piece] = []
    dropped = Counter[str]()
    for track in raw.tracks:
        for number, part in enumerate(_parts(track, how)):
            piece = _on_grid(part, f"{track.id}.{number}" if number else track.id, how)
            if piece is None or len(piece.columns["yaw"]) < round(how.least_s / STEP_S):
                dropped["track too short"] += 1
            else:
                pieces.append(piece)
    return _stacked(raw, pieces, dropped)


def _parts(track: RawTrack, how: Resampling) -> list[RawTrack]:
    """A track cut where it jumps faster than anything drives: the tracker took one for another."""
    good = np.isfinite(track.position).all(axis=1) & np.isfinite(track.time_s)
    time, first = np.unique(track.time_s[good], return_index=True)
    position, yaw = track.position[good][first], track.yaw[good][first]
    if not len(time):
        return []
    apart = np.hypot(*np.diff(position, axis=0).T)
    # Positions have an error of their own, which two states close in time must not be blamed for.
    cuts = np.flatnonzero(apart > how.speed_max_mps * np.maximum(np.diff(time), STEP_S)) + 1
    return [
        RawTrack(track.id, track.kind, track.length, track.width, t, p, y)
        for t, p, y in zip(np.split(time, cuts), np.split(position, cuts), np.split(yaw, cuts), strict=True)
    ]


def _on_grid(track: RawTrack, name: str, how: Resampling) -> _Piece | None:
    """The states of a track at the steps; None where no step has one."""
    time = track.time_s
    first, last = int(np.ceil((time[0] - how.jitter_s) / STEP_S)), int(np.floor((time[-1] + how.jitter_s) / STEP_S))
    if last < first:
        return None
    step = np.arange(first, last + 1)
    at = step * STEP_S
    low = np.clip(np.searchsorted(time, at, side="right") - 1, 0, len(time) - 1)
    high = np.minimum(low + 1, len(time) - 1)
    near = np.where(np.abs(time[low] - at) <= np.abs(time[high] - at), low, high)
    seen = np.abs(time[near] - at) <= how.jitter_s + 1e-9
    gap = time[high] - time[low]
    filled = ~seen & (gap <= how.gap_s + 1e-9) & (time[low] <= at) & (at <= time[high])
    share = np.where(filled, (at - time[low]) / np.maximum(gap, 1e-9), 0.0)
    between = track.position[low] + share[:, None] * (track.position[high] - track.position[low])
    position = np.where(seen[:, None], _moved(track, near, at), np.where(filled[:, None], between, np.nan))
    box_yaw = track.yaw[low] + share * wrap(track.yaw[high] - track.yaw[low])
    yaw = np.where(seen, track.yaw[near], np.where(filled, box_yaw, np.nan))
    columns = {"position": position, "yaw": yaw, "seen": seen}
    columns["quality"] = np.where(seen, 1.0, np.where(filled, STEP_S / np.maximum(gap, STEP_S), 0.0))
    _finished(columns, how)
    return _Piece(track, name, first, columns)


def _moved(track: RawTrack, near: Int[Array, "step"], at: Float[Array, "step"]) -> Float[Array, "step 2"]:
    """The nearest state of each step, moved to the step's instant at the velocity that it came with."""
    before = np.maximum(near - 1, 0)
    span = track.time_s[near] - track.time_s[before]
    way = track.position[near] - track.position[before]
    rate = np.where(span > 0.0, (at - track.time_s[near]) / np.where(span > 0.0, span, 1.0), 0.0)
    return track.position[near] + rate[:, None] * way


def _finished(columns: dict[str, Array], how: Resampling) -> None:
    """Add the velocity; give a yaw to states without one, and less quality to those that no road user could reach."""
    position = columns["position"]
    velocity = backward_velocity(position, round(how.speed_window_s / STEP_S))
    columns["velocity"] = velocity
    columns["yaw"] = heading_of(columns["yaw"], velocity, how.moving_mps)
    columns["yaw"][~np.isfinite(position[:, 0])] = np.nan
    short = backward_velocity(position, 1)
    jerked = np.hypot(*np.diff(short, axis=0, prepend=short[:1]).T) / STEP_S
    jerked[:2] = 0.0  # the first velocity is not known
    limit = how.acceleration_max_mps2
    columns["quality"] = columns["quality"] * np.minimum(1.0, limit / np.maximum(np.nan_to_num(jerked), limit))


def backward_velocity(position: Float[Array, "step 2"], window: int) -> Float[Array, "step 2"]:
    """Velocity at each step as the difference to the state `window` steps before, m/s.

    Where there is none the oldest state since is taken; 0 for the first state, NaN in a gap. Never a later one:
    what comes after a step does not change its velocity.
    """
    velocity = np.zeros_like(position)
    unknown = np.ones(len(position), dtype=bool)
    for back in range(min(window, len(position) - 1), 0, -1):
        found = (position[back:] - position[:-back]) / (back * STEP_S)
        usable = unknown[back:] & np.isfinite(found).all(axis=1)
        velocity[back:][usable] = found[usable]
        unknown[back:] &= ~usable
    velocity[~np.isfinite(position[:, 0])] = np.nan
    return velocity


def heading_of(yaw: Float[Array, "step"], velocity: Float[Array, "step 2"], moving_mps: float) -> Float[Array, "step"]:
    """The yaw as recorded; else the direction of motion, kept while the road user stands; 0 before it first moves."""
    motion = np.arctan2(velocity[:, 1], velocity[:, 0])
    speed = np.nan_to_num(np.hypot(velocity[:, 0], velocity[:, 1]))
    known = np.where(np.isfinite(yaw), yaw, np.where(speed > moving_mps, motion, np.nan))
    last = np.maximum.accumulate(np.where(np.isfinite(known), np.arange(len(yaw)), -1))
    return np.where(last >= 0, known[np.maximum(last, 0)], 0.0)


def _stacked(raw: RawRecording, pieces: list[_Piece], dropped: Counter[str]) -> Recording:
    empty = {"position": np.zeros((0, 2)), "velocity": np.zeros((0, 2)), "seen": np.zeros(0, bool)}
    columns = {
        name: np.concatenate([empty.get(name, np.zeros(0)), *(piece.columns[name] for piece in pieces)])
        for name in ("position", "yaw", "velocity", "quality")
    }
    seen: Bool[Array, "row"] = np.concatenate([empty["seen"], *(piece.columns["seen"] for piece in pieces)])
    return Recording(
        origin=raw.origin,
        id=tuple(piece.name for piece in pieces),
        kind=np.array([piece.track.kind for piece in pieces], np.int64),
        length=np.array([piece.track.length for piece in pieces], float),
        width=np.array([piece.track.width for piece in pieces], float),
        start=np.array([piece.start for piece in pieces], np.int64),
        offset=np.cumsum([0, *(len(piece.columns["yaw"]) for piece in pieces)]),
        seen=seen, lane_map=raw.lane_map, dropped=dict(dropped), **columns,
    )  # fmt: skip
