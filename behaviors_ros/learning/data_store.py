"""Built data on disk: Parquet shards of tracks in long form, and a manifest of their origins. See docs/data.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from behaviors_ros.datatypes import Array, LaneMap
from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_drives import map_of
from behaviors_ros.learning.data_recording import Origin, Recording

FORMAT = 1
MANIFEST = "manifest.json"
TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema([
    ("source", TEXT), ("recording", TEXT), ("location", TEXT), ("licence", TEXT), ("may_ship", pa.bool_()),
    ("simulated", pa.bool_()), ("split", TEXT), ("track", TEXT), ("kind", pa.int8()), ("step", pa.int32()),
    ("x", pa.float64()), ("y", pa.float64()), ("yaw", pa.float32()), ("speed", pa.float32()), ("vx", pa.float32()),
    ("vy", pa.float32()), ("length", pa.float32()), ("width", pa.float32()), ("quality", pa.float32()),
    ("seen", pa.bool_()),
])  # fmt: skip
Tree = dict[str, Any]


def table_of(recording: Recording, split: str) -> pa.Table:
    """The rows of a recording, one a track and step."""
    origin, track, rows = recording.origin, recording.track_of_row(), len(recording.yaw)
    constant = {
        "source": origin.source, "recording": origin.name, "location": origin.location, "licence": origin.licence,
        "split": split,
    }  # fmt: skip
    columns: Tree = {name: pa.array([text] * rows, pa.string()).dictionary_encode() for name, text in constant.items()}
    columns["may_ship"], columns["simulated"] = np.full(rows, origin.may_ship), np.full(rows, origin.simulated)
    columns["track"] = pa.array([recording.id[k] for k in track], pa.string()).dictionary_encode()
    columns["kind"], columns["step"] = recording.kind[track], recording.step_of_row()
    columns |= {"x": recording.position[:, 0], "y": recording.position[:, 1], "yaw": recording.yaw}
    columns |= {"vx": recording.velocity[:, 0], "vy": recording.velocity[:, 1]}
    columns["speed"] = np.hypot(recording.velocity[:, 0], recording.velocity[:, 1])
    columns |= {"length": recording.length[track], "width": recording.width[track]}
    columns |= {"quality": recording.quality, "seen": recording.seen}
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def write_shard(folder: Path, name: str, tables: list[pa.Table]) -> Tree:
    """Write a shard, a row group a recording; its entry of the manifest."""
    path = folder / name
    try:
        with parquet.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
            for table in tables:
                writer.write_table(table, row_group_size=max(table.num_rows, 1))
    except OSError as error:
        raise InputError(path, "shard", f"cannot be written ({error.strerror or error})", "make room there") from None
    return {"file": name, "rows": sum(table.num_rows for table in tables), "sha256": checksum(path)}


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(path, "file", f"cannot be read ({error.strerror})", "check the path") from None


def read_manifest(folder: Path) -> Tree:
    """The manifest of built data; raises InputError when it is none of ours."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text())
        wrong = manifest["format"] != FORMAT or not isinstance(manifest["recordings"], list)
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(path, "manifest", "cannot be read", "give a folder written by behaviors data build") from None
    if wrong:
        raise InputError(path, "format", f"is {manifest['format']}, not {FORMAT}", "build the data again")
    return dict(manifest)


def is_built(folder: Path) -> bool:
    """Whether a folder holds built data."""
    return (folder / MANIFEST).is_file()


def verify(folder: Path) -> Tree:
    """The manifest, after every shard was compared with its checksum; a difference raises InputError."""
    manifest = read_manifest(folder)
    for shard in manifest["shards"]:
        if checksum(folder / shard["file"]) != shard["sha256"]:
            raise InputError(folder / shard["file"], "sha256", "differs from the manifest's", "build the data again")
    return manifest


def stored(
    folder: Path, splits: Collection[str] = ("train", "val", "test"), sources: Collection[str] | None = None,
    data: Path | None = None, with_maps: bool = True,
) -> Iterator[Recording]:  # fmt: skip
    """The recordings of some splits and sources, in the manifest's order, as they were built.

    data: where the sources lie if not where they did, for the maps. Shards are checked against their checksums.
    """
    manifest = verify(folder)
    root = data or Path(manifest["data"])
    files: dict[str, parquet.ParquetFile] = {}
    for entry in manifest["recordings"]:
        if entry["split"] not in splits or (sources is not None and entry["source"] not in sources):
            continue
        if entry["shard"] not in files:
            files[entry["shard"]] = _opened(folder / entry["shard"])
        table = files[entry["shard"]].read_row_group(entry["row_group"])
        yield recording_of(table, _origin(entry), _map(entry, root) if with_maps else None)


def _opened(path: Path) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(path, "shard", f"cannot be read ({error})", "build the data again") from None


def _origin(entry: Tree) -> Origin:
    names = ("source", "name", "location", "licence", "may_ship", "simulated", "map_path")
    return Origin(**{name: entry[name] for name in names})


def _map(entry: Tree, root: Path) -> LaneMap | None:
    folder = root / entry["folder"]
    if entry["map_sha256"] and checksum(folder / entry["map_path"]) != entry["map_sha256"]:
        raise InputError(folder / entry["map_path"], "sha256", "the map has changed", "build the data again")
    return cached_map(entry["map_path"], folder)


@cache
def cached_map(place: str, folder: Path) -> LaneMap | None:
    """A map, read once."""
    return map_of(place, folder)


def recording_of(table: pa.Table, origin: Origin, lane_map: LaneMap | None) -> Recording:
    """A recording of the rows of one row group."""
    numbers: dict[str, Array] = {
        name: table[name].to_numpy() for name in table.schema.names if not pa.types.is_dictionary(table[name].type)
    }
    names = table["track"].combine_chunks().dictionary_decode().to_pylist() if table.num_rows else []
    first = [0, *(k for k in range(1, len(names)) if names[k] != names[k - 1])] if names else []
    begin = np.array(first, np.int64)
    return Recording(
        origin=origin,
        id=tuple(names[k] for k in first),
        kind=numbers["kind"][begin].astype(np.int64),
        length=numbers["length"][begin].astype(float),
        width=numbers["width"][begin].astype(float),
        start=numbers["step"][begin].astype(np.int64),
        offset=np.append(begin, len(names)),
        position=np.column_stack([numbers["x"], numbers["y"]]),
        yaw=numbers["yaw"].astype(float),
        velocity=np.column_stack([numbers["vx"], numbers["vy"]]).astype(float),
        quality=numbers["quality"].astype(float),
        seen=numbers["seen"].astype(bool),
        lane_map=lane_map,
    )
