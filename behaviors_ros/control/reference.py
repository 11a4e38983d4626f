"""A trajectory as the trackers look it up: by time, by the way along it, and nearest to where the vehicle is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import EgoState, Trajectory
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.angles import wrap

Array = np.ndarray
PARTS = 4  # of an interval of the trajectory: 1.4 m at 50 km/h, whose quarter a straight line meets within a millimetre


class Point(NamedTuple):
    """One state of the reference.

    time_s since its stamp; x, y m; yaw rad, not wrapped; speed m/s, signed; acceleration m/s^2; curvature 1/m;
    station m, way travelled; along m, the same counted down where it drives backwards; direction: 1 or -1.
    """

    time_s: float
    x: float
    y: float
    yaw: float
    speed: float
    acceleration: float
    curvature: float
    station: float
    along: float
    direction: float


@dataclass(frozen=True)
class TrackingErrors:
    """The vehicle against the reference at its own stamp.

    lateral_m: + left of the path; heading_rad: + turned left; longitudinal_m: + ahead of where it should be by now, in
    the direction of travel; speed_mps: + faster.
    """

    lateral_m: float = math.nan
    heading_rad: float = math.nan
    longitudinal_m: float = math.nan
    speed_mps: float = math.nan


class Foot(NamedTuple):
    """The point of the reference nearest to a pose, and the pose against it: ahead m (beyond an end only), left m,
    heading rad.
    """

    point: Point
    ahead: float
    left: float
    heading: float


@dataclass(frozen=True, eq=False)
class Reference:
    """A trajectory, sampled finely. table: a row a sample, columns as in `Point`; stretch: for each sample the first
    and last of those around it that are driven in one direction.
    """

    stamp_ns: int
    table: Float[Array, "sample 10"]
    stretch: Int[Array, "sample 2"]

    @property
    def end_s(self) -> float:
        """Last instant, s since the stamp."""
        return float(self.table[-1, 0])

    def at(self, time_s: float) -> Point:
        """The state at a time since its stamp; before and after it the first and last one."""
        return self._between(0, time_s, 0, len(self.table) - 1)[0]

    def at_stamp(self, stamp_ns: int) -> Point:
        """The state at an absolute time."""
        return self.at((stamp_ns - self.stamp_ns) * 1e-9)

    def columns(self, key: str, values: Float[Array, " place"], *names: str) -> list[Float[Array, " place"]]:
        """Columns at many times ("time_s") or stations ("station")."""
        keys = self.table[:, Point._fields.index(key)]
        return [np.interp(values, keys, self.table[:, Point._fields.index(name)]) for name in names]

    def foot(self, x: float, y: float, yaw: float, time_s: float) -> Foot:
        """The nearest point in the stretch of one direction that is driven at `time_s`, sought from there."""
        point, k = self._between(0, time_s, 0, len(self.table) - 1)
        first, last = (int(sample) for sample in self.stretch[k])
        ahead = 0.0
        for _ in range(4):
            ahead = (x - point.x) * math.cos(point.yaw) + (y - point.y) * math.sin(point.yaw)
            point = self._between(7, point.station + point.direction * ahead, first, last)[0]
        cos, sin = math.cos(point.yaw), math.sin(point.yaw)
        dx, dy = x - point.x, y - point.y
        return Foot(point, dx * cos + dy * sin, dy * cos - dx * sin, float(wrap(yaw - point.yaw)))

    def ahead_of(self, point: Point, way_m: float) -> tuple[float, float]:
        """x, y at a way in the direction of travel from a point, straight on beyond the end of its stretch."""
        k = int(np.searchsorted(self.table[:, 0], point.time_s, side="right")) - 1
        first, last = (int(sample) for sample in self.stretch[k])
        found = self._between(7, point.station + way_m, first, last)[0]
        rest = point.direction * (point.station + way_m - found.station)
        return found.x + rest * math.cos(found.yaw), found.y + rest * math.sin(found.yaw)

    def _between(self, key: int, wanted: float, first: int, last: int) -> tuple[Point, int]:
        """The state where a column that never falls is `wanted`, within the samples first to last, and the sample
        before it.
        """
        keys = self.table[first : last + 1, key]
        k = first + max(int(np.searchsorted(keys, wanted, side="right")) - 1, 0)
        after = min(k + 1, last)
        low, high = self.table[k], self.table[after]
        span = high[key] - low[key]
        share = min(max((wanted - low[key]) / span, 0.0), 1.0) if span > 0.0 else 0.0
        found = low + share * (high - low)
        found[9] = self.table[max(k, first), 9]
        return Point(*found.tolist()), k


def reference_of(trajectory: Trajectory) -> Reference:
    """The reference of a trajectory.

    Position is cubic between the points (its rate is known), the rest linear. A trajectory with a number that is not
    finite, or with times that do not rise, raises `InputError`.
    """
    time, yaw = trajectory.time_s, np.unwrap(trajectory.yaw)
    rows = np.column_stack((time, trajectory.position, yaw, trajectory.speed, trajectory.acceleration,
                            trajectory.curvature))  # fmt: skip
    if len(time) == 0 or not np.isfinite(rows).all() or (np.diff(time) <= 0.0).any():
        raise InputError("trajectory", "points", "are none, not finite or not in time order", "send a valid trajectory")
    share = np.append((np.arange(len(time) - 1)[:, None] + np.arange(PARTS) / PARTS).ravel(), len(time) - 1.0)
    fine = np.column_stack([np.interp(share, np.arange(len(time)), column) for column in rows.T])
    fine[:, 1:3] = _cubic(trajectory.position, yaw, trajectory.speed, time, share)
    direction = _direction(fine[:, 4])
    way = np.hypot(*np.diff(fine[:, 1:3], axis=0).T)
    travelled, along = (np.concatenate(([0.0], np.cumsum(each))) for each in (way, way * direction[:-1]))
    turns = np.flatnonzero(np.diff(direction)) + 1
    first, last = np.concatenate(([0], turns)), np.concatenate((turns, [len(fine) - 1]))
    which = np.searchsorted(turns, np.arange(len(fine)), side="right")
    stretch = np.column_stack((first[which], last[which])).astype(np.int64)
    return Reference(trajectory.stamp_ns, np.column_stack((fine, travelled, along, direction)), stretch)


def _cubic(
    position: Float[Array, "step 2"], yaw: Array, speed: Array, time: Array, share: Float[Array, " sample"]
) -> Float[Array, "sample 2"]:
    """Cubic through the positions with their rates, at fractional steps."""
    if len(time) == 1:
        return position
    k = np.minimum(share.astype(np.int64), len(time) - 2)
    u, step = (share - k)[:, None], (time[k + 1] - time[k])[:, None]
    rate = speed[:, None] * np.column_stack((np.cos(yaw), np.sin(yaw)))
    before = (1 + 2 * u) * (1 - u) ** 2 * position[k] + u * (1 - u) ** 2 * step * rate[k]
    return np.asarray(before + u * u * (3 - 2 * u) * position[k + 1] + u * u * (u - 1) * step * rate[k + 1])


def _direction(speed: Float[Array, " sample"]) -> Float[Array, " sample"]:
    """1 forwards, -1 backwards; at standstill that of the motion that follows, or else of the one before."""
    direction, known = np.sign(speed), np.flatnonzero(speed)
    if not len(known):
        return np.ones(len(speed))
    following = np.searchsorted(known, np.arange(len(speed)))
    return np.asarray(direction[known[np.minimum(following, len(known) - 1)]])


def tracking_errors(reference: Reference, ego: EgoState) -> TrackingErrors:
    """How far the vehicle is from the reference at its own stamp."""
    time_s = (ego.stamp_ns - reference.stamp_ns) * 1e-9
    wanted = reference.at(time_s)
    foot = reference.foot(float(ego.position[0]), float(ego.position[1]), ego.yaw, time_s)
    way = foot.point.station + foot.point.direction * foot.ahead - wanted.station
    return TrackingErrors(foot.left, foot.heading, way, wanted.direction * (ego.speed - wanted.speed))
