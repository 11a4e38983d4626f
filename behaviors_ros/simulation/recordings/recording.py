"""A recorded drive, and the causal estimation of motion from recorded boxes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import Array, EgoState, Goal, Tracks
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.parameters import Parameters, value


class TrackerModel(Parameters):
    """How track motion is estimated from recorded boxes: as a live tracker must, from the past alone."""

    window_s: float = value(0.5, "past over which a straight line is fitted to get the velocity", low=0.1, high=3.0)
    position_sigma_m: float = value(0.15, "standard deviation stated for a position", low=0.01, high=5.0)
    moving_mps: float = value(0.3, "speed below which an agent counts as standing", low=0.0, high=3.0)


@dataclass(frozen=True, eq=False)
class Recording:
    """A drive: ego states and tracks over absolute time. map_path None: no map, `centre_line` (point, 2) leads."""

    name: str
    licence: str
    ego: tuple[EgoState, ...]
    tracks: tuple[Tracks, ...]
    goal: Goal
    map_path: Path | None = None
    centre_line: Float[Array, "point 2"] | None = None


@dataclass(frozen=True, eq=False)
class Boxes:
    """All boxes of a recording as columns, one row a box; position of the box centre in the map frame, m."""

    stamp_ns: Int[Array, "row"]
    id: tuple[str, ...]
    kind: Int[Array, "row"]
    position: Float[Array, "row 2"]
    yaw: Float[Array, "row"]
    length: Float[Array, "row"]
    width: Float[Array, "row"]


def line_fit_velocity(time_s: Float[Array, "past"], position: Float[Array, "past 2"]) -> Float[Array, "2"]:
    """Slope of the least-squares line through past positions, m/s; zero for a single point."""
    if len(time_s) < 2:
        return np.zeros(2)
    centred = time_s - time_s.mean()
    spread = float(centred @ centred)
    return centred @ (position - position.mean(axis=0)) / spread if spread > 0.0 else np.zeros(2)


def _motion(boxes: Boxes, model: TrackerModel) -> tuple[Array, Array]:
    """Velocity (row, 2) m/s and yaw rate (row,) rad/s of every box from its own past."""
    velocity, yaw_rate = np.zeros((len(boxes.id), 2)), np.zeros(len(boxes.id))
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row in np.argsort(boxes.stamp_ns, kind="stable"):
        past = rows_of[boxes.id[row]]
        past.append(int(row))
        window = [r for r in past if boxes.stamp_ns[row] - boxes.stamp_ns[r] <= model.window_s * 1e9 + 1]
        time_s = (boxes.stamp_ns[window] - boxes.stamp_ns[row]) * 1e-9
        velocity[row] = line_fit_velocity(time_s, boxes.position[window])
        if np.hypot(*velocity[row]) < model.moving_mps:
            velocity[row] = 0.0
        else:
            turned = wrap(boxes.yaw[window] - boxes.yaw[row])
            yaw_rate[row] = line_fit_velocity(time_s, np.stack([turned, turned], axis=-1))[0]
    return velocity, yaw_rate


def tracks_from_boxes(boxes: Boxes, model: TrackerModel) -> tuple[Tracks, ...]:
    """One Tracks a stamp, in time order."""
    velocity, yaw_rate = _motion(boxes, model)
    frames = []
    for stamp in np.unique(boxes.stamp_ns):
        rows = np.flatnonzero(boxes.stamp_ns == stamp)
        count = len(rows)
        frames.append(
            Tracks(
                stamp_ns=int(stamp), id=tuple(boxes.id[r] for r in rows), kind=boxes.kind[rows],
                position=boxes.position[rows], yaw=boxes.yaw[rows], velocity=velocity[rows],
                acceleration=np.zeros((count, 2)), yaw_rate=yaw_rate[rows], length=boxes.length[rows],
                width=boxes.width[rows], covariance=np.tile(np.eye(2) * model.position_sigma_m**2, (count, 1, 1)),
                existence=np.ones(count),
            )
        )  # fmt: skip
    return tuple(frames)


def ego_states(
    stamp_ns: Int[Array, "pose"], position: Float[Array, "pose 2"], yaw: Float[Array, "pose"],
    wheel_base_m: float, period_s: float, window_s: float = 0.3,
) -> tuple[EgoState, ...]:  # fmt: skip
    """Ego states every `period_s` from recorded poses of the rear axle.

    Poses are interpolated; speed, yaw rate and acceleration are slopes over the past `window_s`, as localisation would
    publish them. Steering is atan(wheel_base yaw_rate / speed), the kinematic bicycle's (Rajamani 2012, section 2.2).
    """
    time_s = (stamp_ns - stamp_ns[0]) * 1e-9
    at = np.arange(0.0, time_s[-1] + 1e-9, period_s)
    unwrapped = np.interp(at, time_s, np.unwrap(yaw))
    points = np.stack([np.interp(at, time_s, position[:, i]) for i in (0, 1)], axis=-1)
    back = max(int(round(window_s / period_s)), 1)
    forward = np.stack([np.cos(unwrapped), np.sin(unwrapped)], axis=-1)
    past = np.maximum(np.arange(len(at)) - back, 0)
    span = np.maximum(at - at[past], period_s)
    speed = np.einsum("ij,ij->i", points - points[past], forward) / span
    speed[:2] = speed[2] if len(speed) > 2 else speed[:2]
    yaw_rate = (unwrapped - unwrapped[past]) / span
    acceleration = (speed - speed[past]) / span
    moving = np.abs(speed) > 0.5
    steering = np.where(moving, np.arctan2(wheel_base_m * yaw_rate, np.where(moving, speed, 1.0)), 0.0)
    return tuple(
        EgoState(
            int(stamp_ns[0] + round(t * 1e9)), points[i], float(wrap(unwrapped[i])), float(speed[i]),
            float(acceleration[i]), float(steering[i]), float(yaw_rate[i]),
        )
        for i, t in enumerate(at)
    )  # fmt: skip
