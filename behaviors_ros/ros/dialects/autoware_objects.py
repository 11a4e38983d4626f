"""What Autoware's tracked and predicted objects share: classification, shape, and the turn into our message.

An object that cannot be read (no rotation, no outline) is handed on with a position that is not a number: the planning
nodes, which judge all tracks by the same limits, drop it, count it and know that tracks were dropped.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from behaviors_ros.datatypes import AgentClass, Tracks
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.ros.conversion import yaw_of

UNAVAILABLE, SIGN_UNKNOWN, AVAILABLE = 0, 1, 2
BOX, CYLINDER, POLYGON = 0, 1, 2


class ObjectReading(Parameters):
    """How objects of others become tracks."""

    moving_min_mps: float = value(0.5, "from this speed the motion tells an unknown direction", low=0.05, high=5.0)
    deviation_min_m: float = value(0.1, "least standard deviation of a position; fills one not told", low=0.01, high=2)


class Row(NamedTuple):
    """One track: 32 hex digits, class, box centre m, yaw rad, velocity and acceleration in map, size m, certainty."""

    id: str
    kind: int
    x: float
    y: float
    yaw: float
    velocity: tuple[float, float]
    acceleration: tuple[float, float]
    yaw_rate: float
    length: float
    width: float
    covariance: tuple[float, float, float]
    existence: float


def tracks_of(stamp_ns: int, rows: Iterable[Row]) -> Tracks:
    """Rows as tracks."""
    rows = list(rows)
    if not rows:
        return Tracks.empty(stamp_ns)
    xx, xy, yy = np.array([row.covariance for row in rows]).T
    scalars: dict[str, Any] = {name: np.array([getattr(row, name) for row in rows], dtype=np.float64)
               for name in ("yaw", "yaw_rate", "length", "width", "existence")}  # fmt: skip
    return Tracks(
        stamp_ns=stamp_ns,
        id=tuple(row.id for row in rows),
        kind=np.array([row.kind for row in rows], dtype=np.int64),
        position=np.array([(row.x, row.y) for row in rows], dtype=np.float64),
        velocity=np.array([row.velocity for row in rows], dtype=np.float64),
        acceleration=np.array([row.acceleration for row in rows], dtype=np.float64),
        covariance=np.stack([xx, xy, xy, yy], axis=-1).reshape(-1, 2, 2),
        **scalars,
    )


def row_of(
    found: Any,
    pose: Any,
    twist: Any,
    acceleration: Any,
    availability: int,
    reading: ObjectReading,
    counts: Counter[str],
) -> Row:
    """An object as a row; `pose`, `twist`, `acceleration` are its kinematics with covariance.

    Its twist and acceleration are in its own frame. Where its direction is known up to the sign, or not at all, the
    motion tells it.
    """
    turn = pose.pose.orientation
    yaw, known = yaw_of(turn), 0.9 < math.hypot(turn.x, turn.y, turn.z, turn.w) < 1.1
    if availability == UNAVAILABLE and not known:
        yaw = 0.0
    elif not known:
        counts["objects without a rotation"] += 1
        yaw = math.nan
    velocity = _turned(twist.twist.linear, yaw)
    pushed = _turned(acceleration.accel.linear, yaw)
    ahead = _direction(yaw, velocity, availability, reading.moving_min_mps)
    x, y, length, width = _box(found.shape, pose.pose.position, yaw, ahead, counts)
    return Row(
        bytes(found.object_id.uuid).hex(), kind_of(found.classification, counts), x, y, ahead, velocity, pushed,
        float(twist.twist.angular.z), length, width,
        covariance_of(pose.covariance, reading.deviation_min_m), float(found.existence_probability),
    )  # fmt: skip


def kind_of(classification: Sequence[Any], counts: Counter[str]) -> int:
    """The most probable class; unknown where none is told, or one that is not ours."""
    if not len(classification):
        return int(AgentClass.UNKNOWN)
    best = max(classification, key=lambda told: told.probability if math.isfinite(told.probability) else -1.0)
    if best.label >= len(AgentClass):
        counts["objects of a class not known"] += 1
        return int(AgentClass.UNKNOWN)
    return int(best.label)


def covariance_of(told: Sequence[float], least_m: float) -> tuple[float, float, float]:
    """(xx, xy, yy) of a 6 by 6 pose covariance, m^2; a variance below the least is raised, as one of 0 is not told."""
    xx, xy, yy = float(told[0]), 0.5 * (float(told[1]) + float(told[6])), float(told[7])
    if xx < least_m**2 or yy < least_m**2:
        return max(xx, least_m**2), 0.0, max(yy, least_m**2)
    return xx, xy, yy


def _turned(vector: Any, yaw: float) -> tuple[float, float]:
    """A vector of the object's frame in the map's."""
    c, s = math.cos(yaw), math.sin(yaw)
    return c * vector.x - s * vector.y, s * vector.x + c * vector.y


def _direction(yaw: float, velocity: tuple[float, float], availability: int, moving_mps: float) -> float:
    """Where the object heads."""
    if availability == AVAILABLE or not math.hypot(*velocity) >= moving_mps:
        return yaw
    if availability == UNAVAILABLE:
        return math.atan2(velocity[1], velocity[0])
    return along(yaw, velocity)


def along(yaw: float, velocity: tuple[float, float]) -> float:
    """The one of the two directions of a line that a velocity goes in."""
    return yaw if velocity[0] * math.cos(yaw) + velocity[1] * math.sin(yaw) >= 0.0 else yaw + math.pi


def _box(shape: Any, centre: Any, yaw: float, ahead: float, counts: Counter[str]) -> tuple[float, float, float, float]:
    """(x, y, length, width) of the box along `ahead` around a shape; a polygon is given in the frame of the pose."""
    if shape.type == BOX:
        return float(centre.x), float(centre.y), float(shape.dimensions.x), float(shape.dimensions.y)
    if shape.type == CYLINDER:
        return float(centre.x), float(centre.y), float(shape.dimensions.x), float(shape.dimensions.x)
    corners = np.array([(point.x, point.y) for point in shape.footprint.points], dtype=np.float64).reshape(-1, 2)
    if shape.type != POLYGON or len(corners) < 3 or not np.isfinite(corners).all():
        counts["objects without a shape"] += 1
        return math.nan, math.nan, math.nan, math.nan
    c, s = math.cos(ahead - yaw), math.sin(ahead - yaw)
    turned = corners @ np.array([[c, -s], [s, c]])  # into the frame of `ahead`
    low, high = turned.min(axis=0), turned.max(axis=0)
    mid = 0.5 * (low + high)
    c, s = math.cos(ahead), math.sin(ahead)
    x, y = float(centre.x) + c * mid[0] - s * mid[1], float(centre.y) + s * mid[0] + c * mid[1]
    return x, y, float(high[0] - low[0]), float(high[1] - low[1])
