"""Files that replay parts of one recording, each with its own origin and clock: found, and joined to what was recorded.

Two files are joined where the same sequences of speeds occur in both, all with the same shift of time and place. The
shift is found by voting (Hough 1962); files are joined by the strongest votes first, as a minimum spanning tree.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import Array, LaneMap
from behaviors_ros.learning.data_recording import STEP_S, RawRecording, RawTrack
from behaviors_ros.maps.lane_graph import lanes_at_many
from behaviors_ros.parameters import Parameters, value


class Overlap(Parameters):
    """When two files hold the same traffic."""

    steps: int = value(10, "length of the compared sequences of speeds", low=3, high=100)
    moving_mps: float = value(0.5, "slower road users are not told apart by their speeds", low=0.0, high=10.0)
    varying_mps: float = value(0.1, "sequences that vary less are not told apart", low=0.0, high=10.0)
    speed_digits: int = value(2, "speeds are compared at this many decimal places", low=0, high=6)
    votes: int = value(20, "sequences that must agree on the shift", low=2, high=100000)
    dominance: float = value(3.0, "how many times the votes of the next best shift", low=1.0, high=100.0)
    same_m: float = value(0.5, "tracks with a smaller median distance are one", low=0.01, high=5.0)


@dataclass(frozen=True)
class Shift:
    """How a file lies in another: steps later, m further; found by this many votes."""

    votes: int
    steps: int
    x: float
    y: float

    def inverse(self) -> Shift:
        """The other way round."""
        return Shift(self.votes, -self.steps, -self.x, -self.y)

    def then(self, other: Shift) -> Shift:
        """This shift, and then another."""
        return Shift(min(self.votes, other.votes), self.steps + other.steps, self.x + other.x, self.y + other.y)


Speeds = dict[str, Array]


def joined(
    files: Sequence[RawRecording], speeds: Sequence[Speeds], overlap: Overlap | None = None
) -> list[RawRecording]:
    """The recordings that the files are parts of, every road user once; speeds: of each file's tracks by id, m/s.

    A joined recording has the frame, the name and the map of the file whose map covers most of its states.
    """
    overlap = overlap or Overlap()
    links = shifts(files, speeds, overlap)
    groups = _groups(len(files), links)
    return [_merged([(files[index], shift) for index, shift in group], overlap) for group in groups]


def shifts(files: Sequence[RawRecording], speeds: Sequence[Speeds], overlap: Overlap) -> dict[tuple[int, int], Shift]:
    """The shift between every two files that hold the same traffic: a state at p and step t in the first is at
    p + (x, y) and step t + steps in the second.
    """
    places: dict[bytes, dict[int, tuple[int, float, float]]] = defaultdict(dict)
    for number, (file, known) in enumerate(zip(files, speeds, strict=True)):
        for track in file.tracks:
            for word, at in _words(track, known[track.id], overlap):
                places[word].setdefault(number, at)
    ballots: dict[tuple[int, int], list[tuple[int, float, float]]] = defaultdict(list)
    for found in places.values():
        for (a, at), (b, other) in combinations(sorted(found.items()), 2):
            ballots[a, b].append((other[0] - at[0], other[1] - at[1], other[2] - at[2]))
    elected = {pair: _elected(np.array(votes), overlap) for pair, votes in ballots.items()}
    return {pair: shift for pair, shift in elected.items() if shift is not None}


def _words(
    track: RawTrack, speed: Float[Array, "sample"], overlap: Overlap
) -> list[tuple[bytes, tuple[int, float, float]]]:
    """Sequences of speeds that tell a track from others, and where and when each begins."""
    if len(speed) < overlap.steps:
        return []
    view = np.lib.stride_tricks.sliding_window_view(speed, overlap.steps)
    telling = (view.min(axis=1) >= overlap.moving_mps) & (np.ptp(view, axis=1) >= overlap.varying_mps)
    text = np.rint(view * 10.0**overlap.speed_digits).astype(np.int64)
    step = np.rint(track.time_s / STEP_S).astype(np.int64)
    return [
        (text[k].tobytes(), (int(step[k]), float(track.position[k, 0]), float(track.position[k, 1])))
        for k in np.flatnonzero(telling)
    ]


def _elected(votes: Float[Array, "vote 3"], overlap: Overlap) -> Shift | None:
    """The shift with the most votes, if they are enough; places are counted in cells of 0.5 m and its neighbours."""
    if len(votes) < overlap.votes:
        return None
    cells = Counter(map(tuple, np.rint(votes * [1.0, 2.0, 2.0]).astype(np.int64).tolist()))
    best = cells.most_common(1)[0][0]
    near = (votes[:, 0] == best[0]) & (np.abs(votes[:, 1:] - np.array(best[1:]) / 2.0) <= 0.75).all(axis=1)
    others = Counter(
        {cell: n for cell, n in cells.items() if max(abs(c - b) for c, b in zip(cell, best, strict=True)) > 1}
    )
    rival = others.most_common(1)[0][1] if others else 0
    if near.sum() < overlap.votes or near.sum() < overlap.dominance * rival:
        return None
    x, y = np.median(votes[near, 1:], axis=0)
    return Shift(int(near.sum()), int(best[0]), float(x), float(y))


def _groups(count: int, links: dict[tuple[int, int], Shift]) -> list[list[tuple[int, Shift]]]:
    """Files that belong together, each with its shift into the frame of the group's first."""
    group = {index: [(index, Shift(0, 0, 0.0, 0.0))] for index in range(count)}
    of = list(range(count))
    for (a, b), link in sorted(links.items(), key=lambda item: (-item[1].votes, item[0])):
        ga, gb = of[a], of[b]
        if ga == gb:
            continue
        to_a, to_b = dict(group[ga])[a], dict(group[gb])[b]
        # A member m of b's group: m -> gb's frame -> b -> a -> ga's frame.
        bridge = to_b.inverse().then(link.inverse()).then(to_a)
        moved = [(member, shift.then(bridge)) for member, shift in group.pop(gb)]
        group[ga] += moved
        for member, _ in moved:
            of[member] = ga
    return [group[key] for key in sorted(group)]


def _merged(parts: list[tuple[RawRecording, Shift]], overlap: Overlap) -> RawRecording:
    """One recording of the parts, in the frame of the part whose map covers most states."""
    if len(parts) == 1:
        return parts[0][0]
    states = np.concatenate([track.position + (s.x, s.y) for file, s in parts for track in file.tracks])
    share = [_covered(file.lane_map, states - (s.x, s.y)) for file, s in parts]
    anchor, into = parts[int(np.argmax(share))]
    back = into.inverse()
    table = _Table(overlap.same_m)
    earliest = min(shift.then(back).steps for _, shift in parts)
    for file, shift in sorted(parts, key=lambda part: -len(part[0].tracks)):
        whole = shift.then(back)
        # A part with the anchor's own clock and frame may name the same road user by the same id.
        table.add([_shifted(track, whole, earliest) for track in file.tracks])
    return replace(anchor, tracks=table.tracks(), origin=replace(anchor.origin, name=_name(parts)))


def _name(parts: list[tuple[RawRecording, Shift]]) -> str:
    """Name of a joined recording: the first file's, and how many more."""
    names = sorted(file.origin.name for file, _ in parts)
    return f"{names[0]}+{len(names) - 1}"


def _covered(lane_map: LaneMap | None, states: Float[Array, "state 2"], most: int = 2000) -> float:
    """Share of some of the states that lie on a lane of a map."""
    if lane_map is None:
        return -1.0
    some = states[:: max(len(states) // most, 1)]
    found = lanes_at_many(lane_map, some, np.zeros(len(some)), 3.0)
    return float(np.mean([bool(lanes) for lanes in found]))


def _shifted(track: RawTrack, shift: Shift, earliest: int) -> RawTrack:
    time_s = track.time_s + (shift.steps - earliest) * STEP_S
    return replace(track, time_s=time_s, position=track.position + (shift.x, shift.y))


class _Table:
    """Tracks by step, each road user once."""

    def __init__(self, same_m: float) -> None:
        self.same_m = same_m
        self.found: list[tuple[RawTrack, dict[int, tuple[float, float, float]]]] = []

    def add(self, tracks: Sequence[RawTrack]) -> None:
        """Add the tracks of one file; those that are known lengthen the known ones."""
        known = len(self.found)
        for track in tracks:
            steps = np.rint(track.time_s / STEP_S).astype(np.int64)
            states = np.column_stack([track.position, track.yaw])
            into = self._same(steps, states, known)
            if into < 0:
                self.found.append((track, {}))
                into = len(self.found) - 1
            mine = self.found[into][1]
            for step, state in zip(steps.tolist(), states, strict=True):
                mine.setdefault(step, tuple(state.tolist()))

    def _same(self, steps: Int[Array, "step"], states: Float[Array, "step 3"], known: int) -> int:
        for index, (_, mine) in enumerate(self.found[:known]):
            both = [k for k, step in enumerate(steps.tolist()) if step in mine]
            if both:
                other = np.array([mine[int(steps[k])][:2] for k in both])
                if np.median(np.hypot(*(states[both, :2] - other).T)) < self.same_m:
                    return index
        return -1

    def tracks(self) -> tuple[RawTrack, ...]:
        """All tracks, numbered."""
        out = []
        for number, (track, mine) in enumerate(self.found):
            steps = np.array(sorted(mine))
            states = np.array([mine[int(step)] for step in steps])
            out.append(replace(track, id=str(number), time_s=steps * STEP_S, position=states[:, :2], yaw=states[:, 2]))
        return tuple(out)
