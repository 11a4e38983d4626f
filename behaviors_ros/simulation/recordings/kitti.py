"""KITTI tracking sequences (Geiger et al. 2013): GPS/IMU poses and labelled boxes; there is no map."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import AgentClass, Array, Goal
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.geometry.polylines import resample
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.recordings.recording import Boxes, Recording, TrackerModel, ego_states, tracks_from_boxes

CLASSES = {
    "Car": AgentClass.CAR, "Van": AgentClass.CAR, "Truck": AgentClass.TRUCK, "Tram": AgentClass.BUS,
    "Pedestrian": AgentClass.PEDESTRIAN, "Person": AgentClass.PEDESTRIAN, "Person_sitting": AgentClass.PEDESTRIAN,
    "Cyclist": AgentClass.BICYCLE, "Misc": AgentClass.UNKNOWN,
}  # fmt: skip
EARTH_RADIUS_M = 6378137.0  # of the Mercator projection that the data set's own tools use


def _lines(folder: Path, kind: str, sequence: str) -> list[list[str]]:
    """Words of each line of a sequence's file, plain or gzipped."""
    for path in (folder / kind / f"{sequence}.txt", folder / kind / f"{sequence}.txt.gz"):
        if path.is_file():
            try:
                raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
                return [line.split() for line in raw.decode().splitlines() if line.strip()]
            except (OSError, EOFError, UnicodeDecodeError):
                raise InputError(path, "file", "cannot be read", "give the data set's text file or its gzip") from None
    raise InputError(folder, f"{kind}/{sequence}.txt", "not found", "give the folder with oxts, label and calib")


def _numbers(words: list[str], count: int, source: Path, field: str) -> list[float]:
    """The first `count` words as finite numbers."""
    try:
        values = [float(word) for word in words[:count]]
    except ValueError:
        values = []
    if len(values) < count or not np.all(np.isfinite(values)):
        raise InputError(source, field, f"needs {count} finite numbers", "restore the line from the data set")
    return values


def _imu_from_camera(folder: Path, sequence: str) -> Array:
    """Transform (4, 4) from the rectified camera to the GPS/IMU frame."""
    rows = {words[0].rstrip(":"): words[1:] for words in _lines(folder, "calib", sequence)}
    matrices = {}
    for name, shape in (("R_rect", (3, 3)), ("Tr_velo_cam", (3, 4)), ("Tr_imu_velo", (3, 4))):
        matrix = np.eye(4)
        count = shape[0] * shape[1]
        matrix[: shape[0], : shape[1]] = np.reshape(_numbers(rows.get(name, []), count, folder, f"calib {name}"), shape)
        matrices[name] = matrix
    return np.linalg.inv(matrices["R_rect"] @ matrices["Tr_velo_cam"] @ matrices["Tr_imu_velo"])


def _poses(folder: Path, sequence: str) -> tuple[Array, Array]:
    """Positions (frame, 2) in a local metric plane, m, and yaw (frame,), rad from east."""
    rows = np.array([_numbers(w, 6, folder, f"oxts line {i}") for i, w in enumerate(_lines(folder, "oxts", sequence))])
    scale = np.cos(np.deg2rad(rows[0, 0]))
    x = scale * EARTH_RADIUS_M * np.deg2rad(rows[:, 1])
    y = scale * EARTH_RADIUS_M * np.log(np.tan(np.pi / 4 + np.deg2rad(rows[:, 0]) / 2))
    return np.stack([x - x[0], y - y[0]], axis=-1), rows[:, 5]


def _boxes(folder: Path, sequence: str, position: Array, yaw: Array, period_ns: int) -> Boxes:
    """Labelled boxes in the local plane; regions not labelled are left out."""
    imu_from_camera = _imu_from_camera(folder, sequence)
    columns: list[tuple[int, str, int, float, float, float, float, float]] = []
    for number, words in enumerate(_lines(folder, "label", sequence)):
        if len(words) > 2 and words[2] == "DontCare":
            continue
        frame, track = (int(v) for v in _numbers(words, 2, folder, f"label line {number}"))
        width, length, x, y, z, rotation_y = _numbers(words[11:], 6, folder, f"label line {number}")
        if not 0 <= frame < len(yaw):
            raise InputError(
                folder, f"label line {number}", f"frame {frame} has no pose", "use matching oxts and label"
            )
        centre = imu_from_camera @ np.array([x, y, z, 1.0])
        ahead = imu_from_camera[:3, :3] @ np.array([np.cos(rotation_y), 0.0, -np.sin(rotation_y)])
        c, s = np.cos(yaw[frame]), np.sin(yaw[frame])
        columns.append((
            frame, f"{track:032x}", int(CLASSES.get(words[2], AgentClass.UNKNOWN)),
            position[frame, 0] + c * centre[0] - s * centre[1], position[frame, 1] + s * centre[0] + c * centre[1],
            float(wrap(yaw[frame] + np.arctan2(ahead[1], ahead[0]))), length, width,
        ))  # fmt: skip
    names = tuple(row[1] for row in columns)
    table = np.array([(row[0], *row[2:]) for row in columns], dtype=float).reshape(-1, 7)
    stamp, kind = (table[:, 0] * period_ns).astype(np.int64), table[:, 1].astype(np.int64)
    return Boxes(stamp, names, kind, table[:, 2:4], table[:, 4], table[:, 5], table[:, 6])


def read_sequence(
    folder: Path, sequence: str, vehicle: Vehicle, model: TrackerModel | None = None, period_s: float = 0.02
) -> Recording:
    """One sequence ("0000") as a recording; frames are 0.1 s apart, the centre line is the driven path.

    The GPS/IMU unit stands over the rear axle to within a few centimetres and serves as base_link.
    """
    folder = Path(folder)
    period_ns = 100_000_000
    position, yaw = _poses(folder, sequence)
    tracks = tracks_from_boxes(_boxes(folder, sequence, position, yaw, period_ns), model or TrackerModel())
    stamp = np.arange(len(yaw), dtype=np.int64) * period_ns
    ego = ego_states(stamp, position, yaw, vehicle.wheel_base_m, period_s)
    path = _extended(position, yaw)
    return Recording(f"kitti-{sequence}", "CC BY-NC-SA 3.0", ego, tracks, Goal(position[-1]), centre_line=path)


def _extended(position: Array, yaw: Array, ahead_m: float = 60.0) -> Array:
    """The driven path at 1 m, led on straight so that a plan near its end has somewhere to go."""
    moved = np.hypot(*np.diff(position, axis=0).T)
    distinct = position[np.r_[True, np.cumsum(moved) > 0.05]] if moved.sum() > 1.0 else position[:1]
    kept = [distinct[0]]
    for point in distinct[1:]:
        if np.hypot(*(point - kept[-1])) >= 1.0:
            kept.append(point)
    heading = yaw[-1]
    last = kept[-1] + ahead_m * np.array([np.cos(heading), np.sin(heading)])
    return resample(np.array([*kept, last]), 1.0)
