"""Argoverse 2 sensor logs (Wilson et al. 2021): ego poses, annotated boxes and the log's vector map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import AgentClass, Array, Goal
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.recordings.recording import Boxes, Recording, TrackerModel, ego_states, tracks_from_boxes

CLASSES = {
    "REGULAR_VEHICLE": AgentClass.CAR, "PEDESTRIAN": AgentClass.PEDESTRIAN, "STROLLER": AgentClass.PEDESTRIAN,
    "WHEELCHAIR": AgentClass.PEDESTRIAN, "BICYCLE": AgentClass.BICYCLE, "BICYCLIST": AgentClass.BICYCLE,
    "WHEELED_DEVICE": AgentClass.BICYCLE, "WHEELED_RIDER": AgentClass.BICYCLE, "MOTORCYCLE": AgentClass.MOTORCYCLE,
    "MOTORCYCLIST": AgentClass.MOTORCYCLE, "BUS": AgentClass.BUS, "SCHOOL_BUS": AgentClass.BUS,
    "ARTICULATED_BUS": AgentClass.BUS, "TRUCK": AgentClass.TRUCK, "BOX_TRUCK": AgentClass.TRUCK,
    "TRUCK_CAB": AgentClass.TRUCK, "LARGE_VEHICLE": AgentClass.TRUCK, "VEHICULAR_TRAILER": AgentClass.TRAILER,
    "MESSAGE_BOARD_TRAILER": AgentClass.TRAILER, "TRAFFIC_LIGHT_TRAILER": AgentClass.TRAILER,
    "DOG": AgentClass.ANIMAL, "ANIMAL": AgentClass.ANIMAL, "BOLLARD": AgentClass.HAZARD,
    "CONSTRUCTION_CONE": AgentClass.HAZARD, "CONSTRUCTION_BARREL": AgentClass.HAZARD, "STOP_SIGN": AgentClass.HAZARD,
    "SIGN": AgentClass.HAZARD, "MOBILE_PEDESTRIAN_CROSSING_SIGN": AgentClass.HAZARD,
}  # fmt: skip
ANNOTATIONS = ("annotations_with_ego.feather", "annotations.feather")
BOX_COLUMNS = (
    "timestamp_ns",
    "track_uuid",
    "category",
    "length_m",
    "width_m",
    "qw",
    "qx",
    "qy",
    "qz",
    "tx_m",
    "ty_m",
    "tz_m",
)
POSE_COLUMNS = ("timestamp_ns", "qw", "qx", "qy", "qz", "tx_m", "ty_m", "tz_m")


def _columns(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """Columns of a feather file; a missing or unreadable one raises InputError."""
    import pyarrow
    from pyarrow import feather

    try:
        table = feather.read_table(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise InputError(
            path, "file", f"cannot be read ({type(error).__name__})", "give an Argoverse 2 feather file"
        ) from None
    missing = [name for name in names if name not in table.schema.names]
    if missing:
        raise InputError(path, missing[0], "column is missing", f"columns needed: {', '.join(names)}")
    return {name: table[name].to_numpy(zero_copy_only=False) for name in names}


def rotation(quaternion: Array) -> Array:
    """Rotation matrices (row, 3, 3) of unit quaternions (row, 4) in the order w x y z."""
    w, x, y, z = quaternion.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _poses(columns: dict[str, Array]) -> tuple[Array, Array]:
    """Rotation (row, 3, 3) and translation (row, 3) of pose columns."""
    quaternion = np.stack([columns[n] for n in ("qw", "qx", "qy", "qz")], axis=-1)
    return rotation(quaternion), np.stack([columns[n] for n in ("tx_m", "ty_m", "tz_m")], axis=-1)


def _yaw(matrix: Array) -> Array:
    """Yaw of rotation matrices (row, 3, 3), rad."""
    return np.arctan2(matrix[:, 1, 0], matrix[:, 0, 0])


def _boxes(columns: dict[str, Array], pose_stamp: Array, pose_rotation: Array, pose_translation: Array) -> Boxes:
    """Annotated boxes, given in the ego frame, in the city frame; the ego's own box is left out."""
    keep = columns["category"] != "EGO_VEHICLE"
    columns = {name: array[keep] for name, array in columns.items()}
    nearest = np.clip(np.searchsorted(pose_stamp, columns["timestamp_ns"]), 0, len(pose_stamp) - 1)
    box_rotation, box_translation = _poses(columns)
    city = np.einsum("rij,rj->ri", pose_rotation[nearest], box_translation) + pose_translation[nearest]
    yaw = _yaw(pose_rotation[nearest] @ box_rotation)
    return Boxes(
        columns["timestamp_ns"].astype(np.int64),
        tuple(name.replace("-", "").lower() for name in columns["track_uuid"]),
        np.array([int(CLASSES.get(name, AgentClass.UNKNOWN)) for name in columns["category"]], dtype=np.int64),
        city[:, :2].astype(float), yaw.astype(float), columns["length_m"].astype(float),
        columns["width_m"].astype(float),
    )  # fmt: skip


def read_log(folder: Path, vehicle: Vehicle, model: TrackerModel | None = None, period_s: float = 0.02) -> Recording:
    """One log folder as a recording in the city frame. The ego frame's origin is the rear axle centre.

    Raises InputError naming the file that is missing or wrong.
    """
    folder = Path(folder)
    annotations = next((folder / name for name in ANNOTATIONS if (folder / name).is_file()), None)
    maps = sorted((folder / "map").glob("log_map_archive_*.json"))
    if annotations is None or not maps:
        missing = ANNOTATIONS[1] if annotations is None else "map/log_map_archive_*.json"
        raise InputError(folder, missing, "not found", "give the folder of one Argoverse 2 sensor log")
    poses = _columns(folder / "city_SE3_egovehicle.feather", POSE_COLUMNS)
    stamp = poses["timestamp_ns"].astype(np.int64)
    matrix, translation = _poses(poses)
    boxes = _boxes(_columns(annotations, BOX_COLUMNS), stamp, matrix, translation)
    tracks = tracks_from_boxes(boxes, model or TrackerModel())
    ego = ego_states(stamp, translation[:, :2], _yaw(matrix), vehicle.wheel_base_m, period_s)
    return Recording(folder.name, "CC BY-NC-SA 4.0", ego, tracks, Goal(ego[-1].position), map_path=maps[0])
