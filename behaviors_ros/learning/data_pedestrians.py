"""Recordings of people from above: ETH/UCY (2.5 Hz, standard leave-one-out split), DUT and CITR (24 and 30 Hz)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import AgentClass, Array
from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_recording import Origin, RawRecording, RawTrack
from behaviors_ros.maps.documents import finite, read_bytes

FRAME_S = 0.04  # ETH/UCY: annotated each 10 frames of 0.04 s, by the convention of the standard split
DUT_HZ, CITR_HZ = 23.98, 29.97  # of the videos, as the authors state
PERSON_M = 0.5
VEHICLES_M = {"dut": (4.5, 1.8), "citr": (2.4, 1.2)}  # a car; a golf cart. The data do not say
PLACES = {"biwi_eth": "eth", "biwi_hotel": "hotel", "crowds_zara": "zara", "students": "univ", "uni_examples": "univ"}
COLUMNS = {"ped": ("id", "frame", "x_est", "y_est"), "veh": ("id", "frame", "x_est", "y_est", "psi_est")}


def read_eth_ucy(folder: Path, fold: str) -> Iterator[tuple[RawRecording, str]]:
    """(recording, split) of one fold of the standard leave-one-out split, which `splits.json` of the folder lists."""
    for split, names in _fold(folder, fold).items():
        for name in names:
            yield _crowd(folder / name), split


def _fold(folder: Path, fold: str) -> dict[str, list[str]]:
    path = folder / "splits.json"
    try:
        folds = json.loads(read_bytes(path))["splits"]
        known = ", ".join(folds)
        if fold not in folds:
            raise InputError(path, "fold", f"'{fold}' is unknown", f"known: {known}")
        return {split: list(folds[fold][split]) for split in ("train", "val", "test")}
    except (ValueError, KeyError, TypeError):
        raise InputError(path, "splits", "is not of the known form", "splits: {fold: {train: [file], ...}}") from None


def _crowd(path: Path) -> RawRecording:
    """One text file: frame, person, x, y (m) a line."""
    lines = read_bytes(path).decode(errors="replace").splitlines()
    rows = np.array([_numbers(line.split(), path, number) for number, line in enumerate(lines, 1) if line.strip()])
    name = path.stem
    place = next((place for begin, place in PLACES.items() if name.startswith(begin)), name)
    licence = "none stated" if place in ("eth", "hotel") else "free with credit"
    origin = Origin("eth_ucy", name, place, licence)
    return RawRecording(origin, tuple(_people(rows[:, 1], rows[:, 0] * FRAME_S, rows[:, 2:4])))


def _numbers(words: list[str], path: Path, number: int) -> list[float]:
    if len(words) < 4:
        raise InputError(path, f"line {number}", f"has {len(words)} columns", "give frame, person, x and y a line")
    return [finite(word, path, f"line {number}", 1e7) for word in words[:4]]


def _people(
    who: Float[Array, "row"], time_s: Float[Array, "row"], position: Float[Array, "row 2"], begin: str = ""
) -> Iterator[RawTrack]:
    for person in np.unique(who):
        rows = np.flatnonzero(who == person)
        rows = rows[np.argsort(time_s[rows], kind="stable")]
        yaw = np.full(len(rows), np.nan)
        kind = int(AgentClass.PEDESTRIAN)
        yield RawTrack(f"{begin}{person:g}", kind, PERSON_M, PERSON_M, time_s[rows], position[rows], yaw)


def read_dut(folder: Path) -> Iterator[RawRecording]:
    """The recordings of the DUT data set: a crossing and a roundabout of a campus."""
    yield from _interactions(folder, "dut", DUT_HZ)


def read_citr(folder: Path) -> Iterator[RawRecording]:
    """The recordings of the CITR data set: staged meetings on one square."""
    yield from _interactions(folder, "citr", CITR_HZ)


def _interactions(folder: Path, source: str, rate_hz: float) -> Iterator[RawRecording]:
    paths = sorted(path for path in folder.rglob("*_traj_ped_filtered.csv*"))
    if not paths:
        raise InputError(folder, "*_traj_ped_filtered.csv", "not found", f"give the folder of the {source} data")
    for path in paths:
        name = path.name.partition("_traj_")[0]
        tracks = list(_of_file(path, "ped", source, rate_hz))
        beside = path.with_name(path.name.replace("_ped_", "_veh_"))
        tracks += list(_of_file(beside, "veh", source, rate_hz)) if beside.exists() else []
        location = name.partition("_")[0] if source == "dut" else "square"
        yield RawRecording(Origin(source, name, location, "none stated, cite"), tuple(tracks))


def _of_file(path: Path, label: str, source: str, rate_hz: float) -> Iterator[RawTrack]:
    table = _table(path, COLUMNS[label])
    time_s = table["frame"] / rate_hz
    position = np.column_stack([table["x_est"], table["y_est"]])
    if label == "ped":
        yield from _people(table["id"], time_s, position, "p")
        return
    length, width = VEHICLES_M[source]
    for number in np.unique(table["id"]):
        rows = np.flatnonzero(table["id"] == number)
        rows = rows[np.argsort(time_s[rows], kind="stable")]
        yaw = table["psi_est"][rows]
        yield RawTrack(f"v{number:g}", int(AgentClass.CAR), length, width, time_s[rows], position[rows], yaw)


def _table(path: Path, columns: tuple[str, ...]) -> dict[str, Array]:
    """Columns of numbers of a .csv or .csv.gz file."""
    lines = list(csv.DictReader(io.StringIO(read_bytes(path).decode(errors="replace"))))
    missing = [name for name in columns if not lines or name not in lines[0]]
    if missing:
        raise InputError(path, missing[0], "column is missing", f"columns needed: {', '.join(columns)}")
    return {
        name: np.array(
            [finite(line[name], path, f"line {number}, {name}", 1e9) for number, line in enumerate(lines, 2)]
        )
        for name in columns
    }
