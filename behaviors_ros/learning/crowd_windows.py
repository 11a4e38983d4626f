"""Windows of a recorded crowd as the ETH/UCY benchmark cuts them: 8 steps observed and 12 to predict, 0.4 s apart.

Every person who is there in all steps of 20 consecutive frames of a file is one window (the counting of Social GAN,
Gupta et al. 2018, with single persons kept as in Trajectron++ and AgentFormer). Shown are the observed steps of the
person and of the nearest others who are there now, whether they stay or not: what comes after now decides only whether
a window counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import Array
from behaviors_ros.learning.data_recording import RawRecording
from behaviors_ros.parameters import Parameters, value


class Cutting(Parameters):
    """What a window is."""

    past: int = value(8, "steps observed, now included", low=2, high=100)
    future: int = value(12, "steps to predict", low=1, high=100)
    neighbours: int = value(8, "others shown, the nearest", low=1, high=64)
    standing_m: float = value(0.01, "a last step shorter than this does not say where the person looks", low=0.0)


@dataclass(frozen=True, eq=False)
class Windows:
    """past, future: positions, m; others: those of the others, nearest first, NaN where not seen or no other is there.

    recording: number of the recording in the order given.
    """

    past: Float[Array, "window past 2"]
    future: Float[Array, "window future 2"]
    others: Float[Array, "window neighbour past 2"]
    recording: Int[Array, "window"]

    def __len__(self) -> int:
        """Number of windows."""
        return len(self.past)


def windows(recordings: Sequence[RawRecording], cutting: Cutting) -> Windows:
    """All windows of the recordings."""
    parts = [_of_recording(recording, number, cutting) for number, recording in enumerate(recordings)]
    return joined(parts, cutting)


def joined(parts: Iterable[Windows], cutting: Cutting) -> Windows:
    """Windows one below the other."""
    empty = Windows(
        np.zeros((0, cutting.past, 2)), np.zeros((0, cutting.future, 2)),
        np.zeros((0, cutting.neighbours, cutting.past, 2)), np.zeros(0, np.int64),
    )  # fmt: skip
    table = [empty, *parts]
    names = ("past", "future", "others", "recording")
    return Windows(*(np.concatenate([getattr(part, name) for part in table]) for name in names))


def on_frames(recording: RawRecording) -> Float[Array, "person frame 2"]:
    """Positions at the frames in which anybody was annotated, NaN where the person was not."""
    milliseconds = [np.round(track.time_s * 1e3).astype(np.int64) for track in recording.tracks]
    frames = np.unique(np.concatenate([np.zeros(0, np.int64), *milliseconds]))
    position = np.full((len(recording.tracks), len(frames), 2), np.nan)
    for person, (track, at) in enumerate(zip(recording.tracks, milliseconds, strict=True)):
        position[person, np.searchsorted(frames, at)] = track.position
    return position


def _of_recording(recording: RawRecording, number: int, cutting: Cutting) -> Windows:
    position = on_frames(recording)
    length = cutting.past + cutting.future
    parts = [
        _of_frames(position[:, begin : begin + length], number, cutting)
        for begin in range(position.shape[1] - length + 1)
    ]
    return joined(parts, cutting)


def _of_frames(position: Float[Array, "person step 2"], number: int, cutting: Cutting) -> Windows:
    seen = np.isfinite(position).all(axis=2)
    past = position[:, : cutting.past]
    whole, here = np.flatnonzero(seen.all(axis=1)), np.flatnonzero(seen[:, cutting.past - 1])
    away = np.linalg.norm(past[None, here, -1] - past[whole, None, -1], axis=2)
    away = np.where(whole[:, None] == here, np.inf, away)
    near = np.argsort(away, axis=1, kind="stable")[:, : min(cutting.neighbours, len(here) - 1)]
    others = np.full((len(whole), cutting.neighbours, cutting.past, 2), np.nan)
    others[:, : near.shape[1]] = past[here[near]]
    return Windows(past[whole], position[whole, cutting.past :], others, np.full(len(whole), number))


@dataclass(frozen=True, eq=False)
class Framed:
    """Windows in the frames of their persons: origin at the position now, x along the last step; float32."""

    past: Float[Array, "window past 2"]
    future: Float[Array, "window future 2"]
    others: Float[Array, "window neighbour past 2"]


def framed(found: Windows, cutting: Cutting) -> Framed:
    """The windows in the frames of their persons, which only the observed steps decide.

    A distance is the same in every such frame, so that errors need no way back.
    """
    origin, last, walked = (
        found.past[:, -1],
        found.past[:, -1] - found.past[:, -2],
        found.past[:, -1] - found.past[:, 0],
    )
    stands = np.linalg.norm(last, axis=1) < cutting.standing_m
    ahead = np.where(stands[:, None], walked, last)
    angle = np.arctan2(ahead[:, 1], ahead[:, 0])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cos, -sin], axis=1), np.stack([sin, cos], axis=1)], axis=1)
    return Framed(
        ((found.past - origin[:, None]) @ turn).astype(np.float32),
        ((found.future - origin[:, None]) @ turn).astype(np.float32),
        ((found.others - origin[:, None, None]) @ turn[:, None]).astype(np.float32),
    )
