"""CommonRoad scenarios as recordings; NGSIM's, which replay a few recordings, joined to these."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import Array
from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_overlap import Overlap, joined
from behaviors_ros.learning.data_recording import Origin, RawRecording, RawTrack
from behaviors_ros.maps.commonroad import CommonRoadDocument, read_document
from behaviors_ros.maps.commonroad_traffic import RecordedObstacle

NGSIM = re.compile(r"USA_(US101|Lanker)-")
LOCATIONS = {"US101": "US101", "Lanker": "Lankershim"}


def read_ngsim(
    folder: Path, location: str | None = None, overlap: Overlap | None = None, least_s: float = 4.0
) -> list[RawRecording]:
    """NGSIM recordings from the CommonRoad files below a folder, every vehicle once; location: US101 or Lankershim.

    Those shorter than `least_s` are left out: besides first and last seconds of recordings these are variants whose
    vehicles were moved to make a scenario critical, which nobody drove. The tracks are US DOT open data, the maps
    OpenStreetMap (ODbL). A folder without such files raises InputError.
    """
    found: list[RawRecording] = []
    for place in LOCATIONS.values():
        files = [path for path in commonroad_files(folder) if ngsim_location(path) == place]
        if location in (None, place) and files:
            found += [each for each in _joined(files, folder, place, overlap) if _lasts(each) >= least_s]
    if not found:
        what = f"USA_US101-*.xml, USA_Lanker-*.xml{f' ({location})' if location else ''}"
        raise InputError(
            folder, what, "not found", f"give the folder of the scenarios; locations: {list(LOCATIONS.values())}"
        )
    return found


def commonroad_files(folder: Path) -> list[Path]:
    """The CommonRoad files below a folder, or the one given."""
    if folder.is_file():
        return [folder]
    files = (path for path in folder.rglob("*") if path.name.endswith((".xml", ".xml.gz")) and path.is_file())
    return sorted(path for path in files if _looks_like_one(path))


def _looks_like_one(path: Path) -> bool:
    """Whether the beginning of a file names the format; one that cannot be read is for its reader to tell of."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            return b"commonRoad" in stream.read(4096)
    except (OSError, EOFError, zlib.error):
        return True


def ngsim_location(path: Path) -> str:
    """Where an NGSIM scenario was recorded, by its name; "" for other files."""
    found = NGSIM.match(path.name)
    return LOCATIONS[found.group(1)] if found else ""


def _lasts(recording: RawRecording) -> float:
    """From the first state to the last, s."""
    return max(track.time_s[-1] for track in recording.tracks) - min(track.time_s[0] for track in recording.tracks)


def _joined(files: list[Path], folder: Path, location: str, overlap: Overlap | None) -> list[RawRecording]:
    read, speeds = [], []
    for path in files:
        document = read_document(path)
        origin = Origin(
            "ngsim", _stem(path), location, "open data (tracks), ODbL (maps)", True, False, _place(path, folder)
        )
        read.append(as_recording(document, origin))
        speeds.append({str(each.id): each.speed for each in document.obstacles})
    return joined(read, speeds, overlap)


def read_scenario(path: Path, folder: Path) -> RawRecording:
    """Any CommonRoad scenario; the place is the name's first two parts (DEU_Muc-2), as CommonRoad names maps."""
    document = read_document(path)
    location = ngsim_location(path) or "_".join(_stem(path).split("_")[:2])
    origin = Origin(
        "commonroad", _stem(path), location, "CommonRoad", False, "_T-" not in path.name, _place(path, folder)
    )
    return as_recording(document, origin)


def as_recording(document: CommonRoadDocument, origin: Origin) -> RawRecording:
    """The road users of a scenario; those that stand for good are there all the time."""
    moving = [each for each in document.obstacles if each.role == "dynamic"]
    last = max((int(each.time.max()) for each in moving if len(each.time)), default=0)
    standing = [each for each in document.obstacles if each.role == "static"]
    tracks = [_track(each, each.time * document.dt_s) for each in moving if len(each.time)]
    tracks += [_track(each, np.arange(last + 1) * document.dt_s) for each in standing]
    return RawRecording(origin, tuple(tracks), document.lane_map)


def _track(each: RecordedObstacle, time_s: Array) -> RawTrack:
    rows = np.arange(len(time_s)) if len(each.time) == len(time_s) else np.zeros(len(time_s), dtype=np.int64)
    return RawTrack(str(each.id), int(each.kind), each.length, each.width, time_s, each.position[rows], each.yaw[rows])


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".xml")


def _place(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) and path != folder else path.name
