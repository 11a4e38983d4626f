"""The executed drive of the loopback simulator as a file: true ego, agents and signals at even instants."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from behaviors_ros.datatypes import EgoState, Signals, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.simulation.rollout import Log
from behaviors_ros.simulation.scenario import Scenario
from behaviors_ros.simulation.world import World, signals, truth

_EGO = ("yaw", "speed", "acceleration", "steering", "yaw_rate")
_TRACK = (
    "kind",
    "position",
    "yaw",
    "velocity",
    "acceleration",
    "yaw_rate",
    "length",
    "width",
    "covariance",
    "existence",
)


class DriveLog:
    """Collects the world at even instants and writes it as one .npz file."""

    def __init__(self) -> None:
        """Start empty."""
        self._ego: list[EgoState] = []
        self._tracks: list[Tracks] = []
        self._signals: list[Signals | None] = []

    def add(self, world: World) -> None:
        """Remember the world as it is."""
        self._ego.append(world.ego)
        self._tracks.append(truth(world))
        self._signals.append(signals(world))

    def write(self, path: Path, arrived: bool, scenario: str) -> None:
        """Write the file; agents and signals of all instants one after the other, with their numbers."""
        path.parent.mkdir(parents=True, exist_ok=True)
        columns: dict[str, np.ndarray] = {
            "arrived": np.array(arrived),
            "scenario": np.array(scenario),
            "stamp_ns": np.array([ego.stamp_ns for ego in self._ego], dtype=np.int64),
            "ego_position": np.array([ego.position for ego in self._ego]),
            "track_number": np.array([len(tracks) for tracks in self._tracks]),
            "track_id": np.array([name for tracks in self._tracks for name in tracks.id], dtype="U32"),
            "signal_number": np.array([-1 if found is None else len(found.id) for found in self._signals]),
        }
        seen = [found for found in self._signals if found is not None]
        columns["signal_id"] = np.array([group for found in seen for group in found.id], dtype=np.int64)
        for name in ("color", "next_change_s"):
            columns[f"signal_{name}"] = np.concatenate([np.zeros(0), *(getattr(found, name) for found in seen)])
        columns |= {f"ego_{name}": np.array([getattr(ego, name) for ego in self._ego]) for name in _EGO}
        columns |= {f"track_{name}": np.concatenate([getattr(t, name) for t in self._tracks]) for name in _TRACK}
        np.savez_compressed(path, **columns)  # type: ignore[arg-type]


def read_drive(path: Path, scenario: Scenario) -> Log:
    """The drive of a file, as the log of a rollout of its scenario (without plans); `InputError` when it cannot be."""
    try:
        data = _columns(path)
        ego = _ego(data)
        tracks, lights = _tracks(data), _signals(data)
        arrived = bool(data["arrived"])
    except (OSError, ValueError, KeyError, IndexError, TypeError, OverflowError, RuntimeError, EOFError,
            zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
        raise InputError(path, "drive", f"cannot be read ({error})", "give the .npz that the simulator wrote") from None
    return Log(scenario, ego, tracks, lights, (), (), arrived)


def _columns(path: Path, largest_mb: float = 500.0) -> dict[str, np.ndarray]:
    """The arrays of a file; one that unpacks to more raises `ValueError`."""
    with zipfile.ZipFile(path) as packed:
        size = sum(part.file_size for part in packed.infolist())
    if size > largest_mb * 1e6:
        raise ValueError(f"unpacks to {size / 1e6:.0f} MB")
    with np.load(path, allow_pickle=False) as found:
        return dict(found)


def _ego(data: dict[str, np.ndarray]) -> tuple[EgoState, ...]:
    rows = zip(data["stamp_ns"], data["ego_position"], *(data[f"ego_{name}"] for name in _EGO), strict=True)
    return tuple(EgoState(int(stamp), position, *map(float, rest)) for stamp, position, *rest in rows)


def _tracks(data: dict[str, np.ndarray]) -> tuple[Tracks, ...]:
    ends = np.concatenate([[0], np.cumsum(data["track_number"])])
    found = []
    for stamp, low, high in zip(data["stamp_ns"], ends[:-1], ends[1:], strict=True):
        columns: dict[str, Any] = {name: data[f"track_{name}"][low:high] for name in _TRACK}
        found.append(Tracks(int(stamp), tuple(map(str, data["track_id"][low:high])), **columns))
    return tuple(found)


def _signals(data: dict[str, np.ndarray]) -> tuple[Signals | None, ...]:
    found: list[Signals | None] = []
    low = 0
    for stamp, number in zip(data["stamp_ns"], data["signal_number"], strict=True):
        span = slice(low, low + max(int(number), 0))
        low = span.stop
        ids = tuple(map(int, data["signal_id"][span]))
        color, change = data["signal_color"][span].astype(np.int64), data["signal_next_change_s"][span]
        found.append(None if number < 0 else Signals(int(stamp), ids, color, change))
    return tuple(found)
