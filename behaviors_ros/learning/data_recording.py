"""Recorded road users as values: as a reader gives them (`RawRecording`), and on the grid of 0.1 s (`Recording`)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import Array, LaneMap

STEP_S = 0.1  # the past axis of TrackHistory and the grid of predictions by definition


@dataclass(frozen=True)
class Origin:
    """Where a recording comes from, and what may be done with it.

    source: the data set; name: unique in it; location: recordings of one location see the same place or replay the same
    drive, and stay in one split; may_ship: whether weights trained on it may be shipped; simulated: nobody drove it.
    map_path: the file of the map, relative to the data where possible, "" without one.
    """

    source: str
    name: str
    location: str
    licence: str
    may_ship: bool = False
    simulated: bool = False
    map_path: str = ""


@dataclass(frozen=True, eq=False)
class RawTrack:
    """One road user as recorded, at any instants in ascending order. yaw: NaN where the source has none.

    position: box centre, m; length along yaw, width across, m.
    """

    id: str
    kind: int
    length: float
    width: float
    time_s: Float[Array, "sample"]
    position: Float[Array, "sample 2"]
    yaw: Float[Array, "sample"]


@dataclass(frozen=True, eq=False)
class RawRecording:
    """All road users of one recording as recorded, and the map of the place where there is one."""

    origin: Origin
    tracks: tuple[RawTrack, ...]
    lane_map: LaneMap | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """Road users on the grid of 0.1 s, in long form: the rows of track k are `offset[k]` to `offset[k + 1]`, one a
    step from step `start[k]` on; steps in a gap are NaN.

    position: box centre, m; yaw rad; velocity m/s, by differences to states before alone; quality in [0, 1], 0 in a
    gap; seen: the state was observed and not made up between two others, so that it knows nothing of what came after.
    """

    origin: Origin
    id: tuple[str, ...]
    kind: Int[Array, "track"]
    length: Float[Array, "track"]
    width: Float[Array, "track"]
    start: Int[Array, "track"]
    offset: Int[Array, "track_and_one"]
    position: Float[Array, "row 2"]
    yaw: Float[Array, "row"]
    velocity: Float[Array, "row 2"]
    quality: Float[Array, "row"]
    seen: Bool[Array, "row"]
    lane_map: LaneMap | None = None
    dropped: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.id)

    @property
    def count(self) -> Int[Array, "track"]:
        """Rows of each track."""
        return np.diff(self.offset)

    @property
    def steps(self) -> int:
        """Number of steps from step 0 to the last state."""
        return int((self.start + self.count).max(initial=0))

    def rows(self, tracks: Int[Array, "some"], steps: Int[Array, "step"]) -> Int[Array, "some step"]:
        """Row of each track at each step, -1 where it has none."""
        at = steps[None] - self.start[tracks, None]
        inside = (at >= 0) & (at < self.count[tracks, None])
        return np.where(inside, at + self.offset[tracks, None], -1)

    def track_of_row(self) -> Int[Array, "row"]:
        """Index of the track of each row."""
        return np.repeat(np.arange(len(self)), self.count)

    def step_of_row(self) -> Int[Array, "row"]:
        """Step of each row."""
        return np.arange(len(self.yaw)) - np.repeat(self.offset[:-1] - self.start, self.count)
