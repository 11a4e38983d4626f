"""CommonRoad scenarios as recorded drives: one of the recorded vehicles takes the part of the ego."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import VEHICLES, Array, Goal
from behaviors_ros.errors import InputError
from behaviors_ros.maps.commonroad import CommonRoadDocument, RecordedObstacle, read_document
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.recordings.recording import Boxes, Recording, TrackerModel, ego_states, tracks_from_boxes


def _stamp(document: CommonRoadDocument, time: Array) -> Array:
    """Time steps as ns."""
    return np.rint(time * document.dt_s * 1e9).astype(np.int64)


def _chosen(document: CommonRoadDocument, path: Path, ego_id: int | None) -> RecordedObstacle:
    """The recorded vehicle asked for, or the one that covers the longest way."""
    moving = [o for o in document.obstacles if o.kind in VEHICLES and len(o.time) >= 20]
    if ego_id is not None:
        found = next((o for o in moving if o.id == ego_id), None)
        if found is None:
            known = ", ".join(str(o.id) for o in moving[:20]) or "none"
            raise InputError(path, f"ego {ego_id}", "is no vehicle recorded for 2 s or more", f"choose of: {known}")
        return found
    if not moving:
        raise InputError(path, "dynamicObstacle", "no vehicle is recorded for 2 s or more", "give another scenario")
    return max(moving, key=lambda o: float(np.hypot(*np.diff(o.position, axis=0).T).sum()))


def _boxes(document: CommonRoadDocument, ego: RecordedObstacle) -> Boxes:
    """Every other road user's boxes while the ego is there; standing ones are repeated at each step."""
    steps = np.arange(ego.time[0], ego.time[-1] + 1)
    stamps, ids, kinds, positions, yaws, lengths, widths = [], [], [], [], [], [], []
    for other in document.obstacles:
        if other.id == ego.id:
            continue
        static = other.role == "static"
        time = steps if static else other.time
        rows = np.zeros(len(steps), dtype=int) if static else np.arange(len(other.time))
        keep = (time >= steps[0]) & (time <= steps[-1])
        count = int(keep.sum())
        stamps.append(_stamp(document, time[keep]))
        ids.extend([f"{other.id:032x}"] * count)
        kinds.append(np.full(count, int(other.kind)))
        positions.append(other.position[rows[keep]])
        yaws.append(other.yaw[rows[keep]])
        lengths.append(np.full(count, other.length))
        widths.append(np.full(count, other.width))
    join = lambda parts, empty: np.concatenate(parts) if parts else empty  # noqa: E731
    return Boxes(
        join(stamps, np.zeros(0, np.int64)), tuple(ids), join(kinds, np.zeros(0, np.int64)),
        join(positions, np.zeros((0, 2))), join(yaws, np.zeros(0)), join(lengths, np.zeros(0)),
        join(widths, np.zeros(0)),
    )  # fmt: skip


def read_scenario(
    path: Path, vehicle: Vehicle, ego_id: int | None = None, model: TrackerModel | None = None, period_s: float = 0.02
) -> Recording:
    """A scenario as a recording; the ego is vehicle `ego_id` or the one that drives farthest. Raises InputError."""
    path = Path(path)
    document = read_document(path)
    ego = _chosen(document, path, ego_id)
    ahead = np.stack([np.cos(ego.yaw), np.sin(ego.yaw)], axis=-1)
    rear_axle = ego.position - vehicle.centre_offset_m * ahead
    states = ego_states(_stamp(document, ego.time), rear_axle, ego.yaw, vehicle.wheel_base_m, period_s)
    tracks = tracks_from_boxes(_boxes(document, ego), model or TrackerModel())
    return Recording(
        document.benchmark_id or path.name, "see the scenario", states, tracks, Goal(states[-1].position), path
    )
