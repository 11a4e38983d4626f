"""Collisions with their fault, and time to collision, by the definitions of the nuPlan benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import Array, Tracks
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.evaluation.region import outside_m
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.geometry.boxes import overlap
from behaviors_ros.parameters import Parameters, value


class CollisionRules(Parameters):
    """Who is at fault, and which tracks count for the time to collision."""

    stopped_mps: float = value(0.05, "up to this speed one counts as stopped", low=0.0, high=2.0)
    behind_rad: float = value(2.618, "bearing beyond which a track is behind (150 deg)", low=0.0, high=3.1416)
    ahead_rad: float = value(0.5236, "bearing up to which a track is ahead (30 deg)", low=0.0, high=3.1416)
    off_road_m: float = value(0.3, "a corner farther outside is off the drivable area", low=0.0, high=5.0)
    ttc_horizon_s: float = value(3.0, "how far boxes are moved on", low=0.1, high=10.0)
    ttc_step_s: float = value(0.1, "time step of that", low=0.01, high=1.0)


class CollisionKind(IntEnum):
    """How it happened; in the order in which the cases are asked for."""

    EGO_STOPPED = 0
    TRACK_STOPPED = 1
    FROM_BEHIND = 2
    FRONT = 3
    LATERAL = 4


@dataclass(frozen=True)
class Collision:
    """The first contact with one track. agent_class: its class; time_s since the start of the drive."""

    step: int
    time_s: float
    id: str
    agent_class: int
    kind: CollisionKind
    at_fault: bool


def collisions(drive: Drive, rules: CollisionRules) -> tuple[Collision, ...]:
    """First contact of the ego's box with each track's box, in time order."""
    found: dict[str, Collision] = {}
    for step, tracks in enumerate(drive.tracks):
        for index in np.flatnonzero(_contact(drive, step, tracks)):
            if tracks.id[index] not in found:
                found[tracks.id[index]] = _classified(drive, step, int(index), rules)
    return tuple(found.values())


def _contact(drive: Drive, step: int, tracks: Tracks) -> Bool[Array, "agent"]:
    v = drive.vehicle
    ego = (drive.centre[step], drive.yaw[step], v.length_m, v.width_m)
    return np.asarray(overlap(*ego, tracks.position, tracks.yaw, tracks.length, tracks.width)).reshape(len(tracks))


def _classified(drive: Drive, step: int, index: int, rules: CollisionRules) -> Collision:
    tracks = drive.tracks[step]
    if abs(drive.speed[step]) <= rules.stopped_mps:
        kind, fault = CollisionKind.EGO_STOPPED, False
    elif tracks.speed[index] <= rules.stopped_mps:
        kind, fault = CollisionKind.TRACK_STOPPED, True
    elif _bearing(drive, step, tracks)[index] > rules.behind_rad:
        kind, fault = CollisionKind.FROM_BEHIND, False
    elif _bumper_hits(drive, step, index):
        kind, fault = CollisionKind.FRONT, True
    else:
        off = outside_m(drive.map, drive.corners[step]).max() > rules.off_road_m
        kind, fault = CollisionKind.LATERAL, bool(drive.in_several_lanes[step] or off)
    return Collision(step, float(drive.time_s[step]), tracks.id[index], int(tracks.kind[index]), kind, fault)


def _bearing(drive: Drive, step: int, tracks: Tracks) -> Float[Array, "agent"]:
    """Angle between the ego's heading and the line from its rear axle to each track, in [0, pi]."""
    offset = tracks.position - drive.position[step]
    return np.abs(wrap(np.arctan2(offset[:, 1], offset[:, 0]) - drive.yaw[step]))


def _bumper_hits(drive: Drive, step: int, index: int) -> bool:
    """The front bumper, a box without depth, touches the track's box."""
    tracks = drive.tracks[step]
    other = (tracks.position[index], tracks.yaw[index], tracks.length[index], tracks.width[index])
    return bool(overlap(drive.front[step], drive.yaw[step], 1e-3, drive.vehicle.width_m, *other))


def time_to_collision(drive: Drive, rules: CollisionRules) -> Float[Array, "step"]:
    """Least time at each step until the ego's box meets a track's, both at constant speed and heading; inf: none, s.

    Tracks count that are ahead, that cross (heading 30 to 150 deg off the ego's) and are not behind, and all that are
    not behind while the ego is in several lanes. A stopped ego has none; neither has contact, which is a collision.
    """
    return np.array([_step_ttc(drive, step, tracks, rules) for step, tracks in enumerate(drive.tracks)])


def _step_ttc(drive: Drive, step: int, tracks: Tracks, rules: CollisionRules) -> float:
    speed = drive.speed[step]
    if abs(speed) <= rules.stopped_mps or not len(tracks):
        return np.inf
    bearing = _bearing(drive, step, tracks)
    relative = np.abs(wrap(tracks.yaw - drive.yaw[step]))
    crossing = (relative > rules.ahead_rad) & (relative < rules.behind_rad)
    counts = (bearing < rules.ahead_rad) | ((crossing | drive.in_several_lanes[step]) & (bearing < rules.behind_rad))
    reach = (abs(speed) + tracks.speed) * rules.ttc_horizon_s + drive.vehicle.length_m + tracks.length
    counts &= (np.hypot(*(tracks.position - drive.centre[step]).T) < reach) & ~_contact(drive, step, tracks)
    near = tracks.take(np.flatnonzero(counts))
    time = np.arange(1, round(rules.ttc_horizon_s / rules.ttc_step_s) + 1) * rules.ttc_step_s
    along = np.array((np.cos(drive.yaw[step]), np.sin(drive.yaw[step])))
    ego = drive.centre[step] + time[:, None, None] * speed * along
    others = near.position + time[:, None, None] * near.velocity
    v = drive.vehicle
    meets = overlap(ego, drive.yaw[step], v.length_m, v.width_m, others, near.yaw, near.length, near.width)
    hit = np.asarray(meets).reshape(len(time), len(near)).any(axis=1)
    return float(time[np.argmax(hit)]) if hit.any() else np.inf
