"""Which recordings are for training, validation and test, and a check that nothing of them is for two."""

from __future__ import annotations

import hashlib
from collections import Counter
from fnmatch import fnmatch

import numpy as np

from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_recording import STEP_S, Origin, Recording
from behaviors_ros.parameters import Parameters, value

SPLITS = ("train", "val", "test")


class Splitting(Parameters):
    """How recordings are divided. Patterns are matched against source/location/recording; * stands for anything."""

    test: tuple[str, ...] = value((), "what is for the test alone, whole locations with all their recordings")
    val: tuple[str, ...] = value((), "what is for validation")
    val_share: float = value(0.15, "share of the other recordings that is for validation, too", low=0.0, high=0.9)
    leave_out: tuple[str, ...] = value((), "what is left out")
    seed: int = value(0, "draws the share for validation", low=0, high=2**31)


class LeakCheck(Parameters):
    """When tracks of two splits are one road user at one time: their paths have one shape for long enough."""

    length_s: float = value(2.0, "length of the compared pieces of paths", low=0.5, high=10.0)
    least_states: int = value(8, "but at least this many states", low=3, high=100)
    same_s: float = value(1.5, "pieces in a row that must agree", low=0.1, high=10.0)
    resolution_m: float = value(0.01, "places are compared to this", low=1e-4, high=0.5)
    step_m: float = value(0.05, "a piece with a shorter step between two states tells nothing", low=0.001, high=1.0)
    varying_m: float = value(0.01, "nor one whose steps differ less than this", low=0.0, high=1.0)


def place_of(origin: Origin) -> str:
    """What patterns are matched against."""
    return f"{origin.source}/{origin.location}/{origin.name}"


def split_of(origin: Origin, splitting: Splitting) -> str:
    """train, val, test, or "" for what is left out. The same recording is always in the same split."""
    place = place_of(origin)
    for split, patterns in (("", splitting.leave_out), ("test", splitting.test), ("val", splitting.val)):
        if any(fnmatch(place, pattern) for pattern in patterns):
            return split
    digest = hashlib.blake2b(f"{splitting.seed}/{place}".encode(), digest_size=8).digest()
    return "val" if int.from_bytes(digest, "big") / 2.0**64 < splitting.val_share else "train"


class LeakSearch:
    """Takes recordings one by one; the first that has something in common with another split raises InputError."""

    def __init__(self, check: LeakCheck | None = None) -> None:
        self.check = check or LeakCheck()
        self._pieces: dict[int, tuple[int, int]] = {}  # piece: (track, its number in the track)
        self._tracks: list[tuple[str, str]] = []  # (split, name)
        self._recordings: dict[str, str] = {}
        self._locations: dict[str, tuple[str, str]] = {}

    def add(self, recording: Recording, split: str, as_published: bool = False) -> None:
        """A recording of a split; as_published: the split is the data set's own, in which locations may be shared."""
        origin = recording.origin
        place = place_of(origin)
        if place in self._recordings:
            problem = f"occurs twice, for {self._recordings[place]} and {split}"
            raise InputError(place, "recording", problem, "name every recording once")
        self._recordings[place] = split
        if not as_published:
            self._same_location(origin, split)
        if not origin.simulated:  # simulated drivers of one kind drive alike where nothing is in their way
            for track in range(len(recording)):
                self._same_path(recording, track, split)

    def _same_location(self, origin: Origin, split: str) -> None:
        """A location with a recording for the test has no recording for anything else."""
        group = "test" if split == "test" else "train or val"
        location = f"{origin.source}/{origin.location}"
        other = self._locations.setdefault(location, (group, origin.name))
        if other[0] != group:
            problem = f"is for {group} with {origin.name} and for {other[0]} with {other[1]}"
            raise InputError(location, "split", problem, f"give the pattern {location}/* to one of them")

    def _same_path(self, recording: Recording, track: int, split: str) -> None:
        """Tracks of smoothed recordings agree by chance for a moment, but not for long and in the same order."""
        name, number = f"{place_of(recording.origin)}, track {recording.id[track]}", len(self._tracks)
        self._tracks.append((split, name))
        found, enough = pieces(recording, track, self.check)
        agreeing = Counter[tuple[int, int]]()
        for at, piece in found:
            owner, place = self._pieces.setdefault(piece, (number, at))
            agreeing[owner, at - place] += self._tracks[owner][0] != split
        for (owner, _), count in agreeing.items():
            if count >= enough:
                other, its_name = self._tracks[owner]
                problem = f"is {its_name} again, which is for {other} and not {split}"
                raise InputError(name, "split", problem, "give both recordings to one split")


def pieces(recording: Recording, track: int, check: LeakCheck) -> tuple[list[tuple[int, int]], int]:
    """The telling pieces of a track's path, each (its number, a hash of its shape), and how many must agree.

    A shape is the places relative to the first, the last of them straight ahead: no other origin or heading of the map
    and no other clock changes it. Only states that were seen count.
    """
    rows = slice(recording.offset[track], recording.offset[track + 1])
    seen = np.flatnonzero(recording.seen[rows])
    if len(seen) < 2:
        return [], 1
    period_s = float(np.median(np.diff(seen))) * STEP_S
    count = max(round(check.length_s / period_s) + 1, check.least_states)
    enough = max(round(check.same_s / period_s), 2)
    if len(seen) < count:
        return [], enough
    view = np.moveaxis(np.lib.stride_tricks.sliding_window_view(recording.position[rows][seen], count, axis=0), 1, 2)
    steps = np.hypot(*np.moveaxis(np.diff(view, axis=1), -1, 0))
    chord = view[:, -1] - view[:, 0]
    length = np.hypot(chord[:, 0], chord[:, 1])
    telling = (steps.min(axis=1) > check.step_m) & (np.ptp(steps, axis=1) > check.varying_m) & (length > check.step_m)
    number = np.flatnonzero(telling)
    away, ahead = view[number] - view[number, :1], chord[number, None] / length[number, None, None]
    along = (away * ahead).sum(axis=2)
    aside = away[..., 1] * ahead[..., 0] - away[..., 0] * ahead[..., 1]
    shape = np.rint(np.stack([along, aside], axis=2) / check.resolution_m).astype(np.int32)
    return [(int(k), hash(one.tobytes())) for k, one in zip(number, shape, strict=True)], enough
