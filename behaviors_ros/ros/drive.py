"""A recorded drive as the bag that perception and localisation would have left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import EgoState, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.maps.load import load_map
from behaviors_ros.maps.route import search
from behaviors_ros.ros.bags import BagWriter
from behaviors_ros.ros.conversion import NS, odometry_message, route_message, tracks_message
from behaviors_ros.ros.graph import NAMESPACE
from behaviors_ros.simulation.recordings.recording import Recording


@dataclass(frozen=True)
class BagContents:
    """What was written: counts, duration in s, and whether the route follows lanes of a map or a centre line."""

    path: Path
    odometry: int
    tracks: int
    agents: int
    duration_s: float
    route: str


def _lanes(recording: Recording) -> tuple[int, ...]:
    """Lanes from where the drive began to where it ended; none without a map or where the map does not lead there."""
    if recording.map_path is None:
        return ()
    start = recording.ego[0]
    try:
        return search(load_map(recording.map_path), start.position, start.yaw, recording.goal)
    except InputError:
        return ()


def _driven_line(recording: Recording, spacing_m: float = 1.0) -> np.ndarray:
    """The driven path, (point, 2), led on straight by 60 m."""
    points = [recording.ego[0].position]
    for ego in recording.ego:
        if np.hypot(*(ego.position - points[-1])) >= spacing_m:
            points.append(ego.position)
    last = recording.ego[-1]
    return np.array([*points, points[-1] + 60.0 * np.array([np.cos(last.yaw), np.sin(last.yaw)])])


def _from_one_second(recording: Recording) -> Recording:
    """A recording that begins at 0 moved by 1 s: in messages a stamp of zero means "absent"."""
    if recording.ego[0].stamp_ns > 0:
        return recording
    shift_ns = NS - recording.ego[0].stamp_ns
    return replace(
        recording,
        ego=tuple(replace(ego, stamp_ns=ego.stamp_ns + shift_ns) for ego in recording.ego),
        tracks=tuple(replace(tracks, stamp_ns=tracks.stamp_ns + shift_ns) for tracks in recording.tracks),
    )


def write_drive(recording: Recording, path: Path) -> BagContents:
    """Write a recording as a bag: odometry, tracks and the latched route, each at its own stamp."""
    lanes = _lanes(recording)
    line = None if lanes else recording.centre_line if recording.centre_line is not None else _driven_line(recording)
    about = {"source": recording.name, "licence": recording.licence}
    if lanes and recording.map_path is not None:
        about["map"] = str(recording.map_path.resolve())
    recording = _from_one_second(recording)
    start_ns = recording.ego[0].stamp_ns
    end_ns = recording.ego[-1].stamp_ns
    frames = [t for t in recording.tracks if start_ns <= t.stamp_ns <= end_ns]
    with BagWriter(path, about) as bag:
        bag.write(
            f"{NAMESPACE}/route",
            route_message(start_ns, lanes, recording.goal, line, start=recording.ego[0].position),
            start_ns,
            latched=True,
        )
        messages: list[EgoState | Tracks] = [*recording.ego, *frames]
        for found in sorted(messages, key=lambda f: (f.stamp_ns, isinstance(f, Tracks))):
            if isinstance(found, Tracks):
                bag.write(f"{NAMESPACE}/tracks", tracks_message(found), found.stamp_ns)
            else:
                bag.write(f"{NAMESPACE}/odometry", odometry_message(found), found.stamp_ns)
    agents = len({name for t in frames for name in t.id})
    route = f"{len(lanes)} lanes" if lanes else "centre line"
    return BagContents(Path(path), len(recording.ego), len(frames), agents, (end_ns - start_ns) * 1e-9, route)
