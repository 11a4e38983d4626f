"""Predictors that are not ours: scenes as plain arrays for them to answer, and their answers as one more predictor.

A folder of cases holds a file a recording, `00000.npz`, with rows of agents, those of scene k from `first[k]` to
`first[k + 1]`: `stamp_ns` (scene), `id` (row), `history` (row, 31, 2) m, 0.1 s apart, the last one now, NaN where not
seen, `yaw`, `length`, `width`, `kind` (row); and the map's lanes, whose points are those from `left_first[k]` to
`left_first[k + 1]` of `left` (point, 2) m, likewise `right`, with `beside` (lane, 2): whether a lane lies on the left
and right. A folder of answers holds files of the same names with `position` (row, step, 2) m and `covariance`
(row, step, 2, 2) m^2 at 0.1, 0.2, ... s, NaN where there is none, and `cpu_ms` (scene).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array, Grid, Intent, LaneMap, Predictions, Scene
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.prediction_metrics import Sample
from behaviors_ros.evaluation.prediction_rows import Case, Measures
from behaviors_ros.learning.data_recording import STEP_S

COLUMNS = ("stamp_ns", "first", "id", "history", "yaw", "length", "width", "kind")


def with_cases_written(cases: Iterable[Case], folder: Path) -> Iterator[Case]:
    """Hand the cases on, and write those of each recording to a file when it is over; the folder must be empty."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InputError(folder, "cases", "the folder is not empty", "give a new one")
    recording: list[Case] = []
    number = 0
    for case in cases:
        if recording and recording[0].recording != case.recording:
            _write(folder / f"{number:05d}.npz", recording)
            recording, number = [], number + 1
        recording.append(case)
        yield case
    if recording:
        _write(folder / f"{number:05d}.npz", recording)


def _write(path: Path, cases: list[Case]) -> None:
    scenes = [case.sample.scene for case in cases]
    counts = [len(scene.tracks) for scene in scenes]
    columns: dict[str, Any] = {
        "stamp_ns": np.array([scene.stamp_ns for scene in scenes]), "first": np.cumsum([0, *counts]),
        "id": np.array([name for scene in scenes for name in scene.tracks.id], dtype="U32"),
        "history": np.concatenate([_past(case.sample) for case in cases]),
        **{name: np.concatenate([getattr(scene.tracks, name) for scene in scenes])
           for name in ("yaw", "length", "width", "kind")},
    }  # fmt: skip
    columns |= _lanes(scenes[0].map)
    np.savez_compressed(path, **columns)


def _past(sample: Sample) -> Float[Array, "agent 31 2"]:
    """The last three seconds of the agents that are there."""
    history, count = sample.scene.history, len(sample.scene.tracks)
    past = np.full((count, 31, 2), np.nan)
    if history is not None:
        found = history.position[:count, -31:]
        past[:, 31 - found.shape[1] :] = found
    past[:, -1] = sample.scene.tracks.position
    return past


def _lanes(lane_map: LaneMap | None) -> dict[str, Array]:
    lanes = list(lane_map.lanes.values()) if lane_map is not None else []
    out: dict[str, Array] = {}
    for side in ("left", "right"):
        lines = [getattr(lane, f"{side}_bound") for lane in lanes]
        out[side] = np.concatenate([np.zeros((0, 2)), *lines])
        out[f"{side}_first"] = np.cumsum([0, *(len(line) for line in lines)])
    beside = [(lane.left is not None or lane.oncoming is not None, lane.right is not None) for lane in lanes]
    out["beside"] = np.array(beside, dtype=bool).reshape(-1, 2)
    return out


class Answers:
    """The predictor that gives what another one answered to the written cases."""

    def __init__(self, name: str, cases: Path, answers: Path) -> None:
        """Read both folders; a file of answers that does not fit its cases raises InputError."""
        self.name = name
        self._asked_ms: list[float] = []
        self._found: dict[tuple[int, str], tuple[Array, Array, float]] = {}
        files = sorted(cases.glob("*.npz"))
        if not files:
            raise InputError(cases, "*.npz", "not found", "write the cases first (--write-cases)")
        for path in files:
            self._read(_loaded(path, COLUMNS), _loaded(answers / path.name, ("position", "covariance", "cpu_ms")),
                       answers / path.name)  # fmt: skip

    def _read(self, asked: dict[str, Array], given: dict[str, Array], path: Path) -> None:
        rows, scenes = len(asked["id"]), len(asked["stamp_ns"])
        if len(given["position"]) != rows or len(given["covariance"]) != rows or len(given["cpu_ms"]) != scenes:
            raise InputError(path, "rows", f"are not the {rows} of {scenes} scenes asked for", "answer these cases")
        for k, stamp in enumerate(asked["stamp_ns"].tolist()):
            for row in range(asked["first"][k], asked["first"][k + 1]):
                answer = given["position"][row], given["covariance"][row], float(given["cpu_ms"][k])
                self._found[stamp, str(asked["id"][row])] = answer

    def predict(self, scene: Scene, grid: Grid) -> Predictions:
        """The answers to a scene that was asked; no valid mode for agents without one. The grid must be of 0.1 s."""
        if abs(grid.dt_s - STEP_S) > 1e-9:
            raise InputError(self.name, "grid", f"has steps of {grid.dt_s:g} s", f"answers are at {STEP_S:g} s")
        count, steps = len(scene.tracks), grid.steps
        position, covariance = np.full((count, 1, steps, 2), np.nan), np.full((count, 1, steps, 2, 2), np.nan)
        cpu_ms = 0.0
        for row, name in enumerate(scene.tracks.id):
            found = self._found.get((scene.stamp_ns, name))
            if found is not None:
                till, cpu_ms = min(steps - 1, len(found[0])), found[2]
                position[row, 0, 1 : till + 1], covariance[row, 0, 1 : till + 1] = found[0][:till], found[1][:till]
        self._asked_ms.append(cpu_ms)
        valid = np.isfinite(position[:, :, 1:]).all(axis=(2, 3))
        position[:, 0, 0], covariance[:, 0, 0] = scene.tracks.position, scene.tracks.covariance
        step = np.diff(position, axis=2, append=position[:, :, -1:])
        return Predictions(
            scene.stamp_ns, grid.time_s, scene.tracks.id, scene.tracks.kind, scene.tracks.length, scene.tracks.width,
            valid, valid.astype(float), np.full((count, 1), int(Intent.UNKNOWN)), position,
            np.arctan2(step[..., 1], step[..., 0]), np.hypot(step[..., 0], step[..., 1]) / grid.dt_s, covariance,
        )  # fmt: skip

    def timed(self, measures: Measures) -> None:
        """Put the CPU times of the answers in the place of those of looking them up."""
        measures.cpu_ms = self._asked_ms[len(self._asked_ms) - len(measures.cpu_ms) :]


def _loaded(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """Arrays of an .npz file, which holds nothing but arrays of numbers and text."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        problem = f"cannot be used ({' '.join(str(error).split())})"
        raise InputError(path, "file", problem, f"give an .npz file with {', '.join(names)}") from None
