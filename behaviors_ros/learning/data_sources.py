"""The kinds of recordings that data can be built of, and what there is in a folder nobody told us about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_commonroad import commonroad_files, ngsim_location, read_ngsim, read_scenario
from behaviors_ros.learning.data_drives import POSES, read_av2, read_generated, read_kitti
from behaviors_ros.learning.data_pedestrians import read_citr, read_dut, read_eth_ucy
from behaviors_ros.learning.data_recording import RawRecording
from behaviors_ros.learning.data_resample import Resampling
from behaviors_ros.parameters import Parameters, value

Found = Iterator[tuple[RawRecording, str]]  # with its split, "" where that is ours to choose


class Source(Parameters):
    """One source of a data build."""

    kind: str = value("", "what is read: ngsim, commonroad, eth_ucy, dut, citr, av2, kitti, rosbag2, generated")
    folder: str = value("", "where it lies, relative to the data folder")
    location: str = value("", "ngsim: only US101 or Lankershim")
    fold: str = value("eth", "eth_ucy: the scene that is left out for the test")
    kinds: tuple[str, ...] = value((), "generated: kinds of situations; none: all")
    variants: int = value(6, "generated: variants of each kind", low=1, high=1000)
    seed: int = value(0, "generated: seed", low=0, high=2**31)
    map: str = value("", "rosbag2: map file, relative to the folder, where the bag names none")
    licence: str = value("", "rosbag2: licence of the drives, where the bag names none")
    may_ship: bool = value(False, "rosbag2: whether weights trained on the drives may be shipped")
    resampling: Resampling = Resampling()


Reader = Callable[[Source, Path], Found]


def _each(read: Callable[[Path], Iterator[RawRecording]]) -> Reader:
    return lambda source, folder: ((each, "") for each in read(folder))


def _ngsim(source: Source, folder: Path) -> Found:
    return ((each, "") for each in read_ngsim(folder, source.location or None))


def _commonroad(source: Source, folder: Path) -> Found:
    files = [path for path in commonroad_files(folder) if not ngsim_location(path)]
    if not files:
        raise InputError(folder, "*.xml", "not found", "give a folder of CommonRoad scenarios (NGSIM's: kind ngsim)")
    return ((read_scenario(path, folder), "") for path in files)


def _eth_ucy(source: Source, folder: Path) -> Found:
    return read_eth_ucy(folder, source.fold)


def _generated(source: Source, folder: Path) -> Found:
    return ((each, "") for each in read_generated(source.kinds, source.variants, source.seed))


READERS: Mapping[str, Reader] = {
    "ngsim": _ngsim, "commonroad": _commonroad, "eth_ucy": _eth_ucy, "dut": _each(read_dut), "citr": _each(read_citr),
    "av2": _each(read_av2), "kitti": _each(read_kitti), "generated": _generated,
}  # fmt: skip

# Smoothed tracks tell their speed within a step; boxes drawn by hand or by a tracker need longer.
SPEED_WINDOW_S = {"ngsim": 0.1, "commonroad": 0.1, "generated": 0.1, "eth_ucy": 0.4, "dut": 0.3, "citr": 0.3}


def sources_in(folder: Path, fold: str = "eth") -> list[Source]:
    """What a folder holds, by the files in it, as sources relative to the folder; nothing known raises InputError."""
    if not folder.exists():
        raise InputError(folder, "folder", "does not exist", "give a folder of recordings or scenarios")
    found = [kind for kind, there in _SIGNS.items() if there(folder)]
    if not found:
        raise InputError(folder, "folder", "holds no known recordings", f"known kinds: {', '.join(READERS)}, rosbag2")
    return [Source(kind=kind, folder=".", fold=fold, resampling=resampling_of(kind)) for kind in found]


def resampling_of(kind: str) -> Resampling:
    """How a kind of recordings is resampled by default."""
    return Resampling(speed_window_s=SPEED_WINDOW_S.get(kind, 0.5))


def _has(pattern: str) -> Callable[[Path], bool]:
    return lambda folder: folder.is_dir() and next(folder.rglob(pattern), None) is not None


_SIGNS: Mapping[str, Callable[[Path], bool]] = {
    "ngsim": lambda folder: any(ngsim_location(path) for path in commonroad_files(folder)),
    "commonroad": lambda folder: any(_is_scenario(path) for path in commonroad_files(folder)),
    "eth_ucy": lambda folder: (folder / "splits.json").is_file(),
    "dut": _has("intersection_*_traj_ped_filtered.csv*"),
    "citr": _has("*direction*_traj_ped_filtered.csv*"),
    "av2": _has(POSES),
    "kitti": lambda folder: (folder / "oxts").is_dir() and (folder / "label").is_dir(),
    "rosbag2": _has("metadata.yaml"),
}


def _is_scenario(path: Path) -> bool:
    return path.name.endswith((".xml", ".xml.gz")) and not ngsim_location(path)
