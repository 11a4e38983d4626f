"""`behaviors data build`: recordings of many kinds into one form, divided into splits that have nothing in common."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_drives import GENERATED
from behaviors_ros.learning.data_recording import Recording
from behaviors_ros.learning.data_resample import Resampling, resampled
from behaviors_ros.learning.data_sources import READERS, Reader, Source, resampling_of
from behaviors_ros.learning.data_split import LeakCheck, LeakSearch, Splitting, split_of
from behaviors_ros.learning.data_store import FORMAT, MANIFEST, checksum, table_of, write_shard
from behaviors_ros.parameters import Parameters, validated, value
from behaviors_ros.yaml_files import read_mapping

Tree = dict[str, Any]
Made = TypeVar("Made")
Given = TypeVar("Given")
Part = tuple[Recording, str, bool]  # with its split, and whether that is the data set's own


class Building(Parameters):
    """What is built, and how."""

    sources: tuple[Source, ...] = value((), "what is read")
    splitting: Splitting = Splitting()
    leak_check: LeakCheck = LeakCheck()
    shard_rows: int = value(500_000, "rows of a shard, about", low=1, high=100_000_000)


def read_building(path: Path) -> Building:
    """A build's configuration; a source without resampling of its own has that of its kind."""
    tree = read_mapping(path, "give a file as in config/data")
    if not isinstance(tree.get("sources"), list) or not tree["sources"]:
        raise InputError(path, "sources", "is not a list of sources", "give a file as in config/data")
    for number, source in enumerate(tree["sources"]):
        if not isinstance(source, dict):
            raise InputError(path, f"sources.{number}", "is no source", "give kind and folder of each")
        own = source.get("resampling") or {}
        if not isinstance(own, dict):
            raise InputError(path, f"sources.{number}.resampling", "is no mapping", "give a file as in config/data")
        source["resampling"] = validated(
            Resampling, resampling_of(str(source.get("kind"))).model_dump() | dict(own), f"{path}, sources.{number}"
        ).model_dump()
    return validated(Building, tree, str(path))


def build(
    building: Building, data: Path, out: Path, readers: Mapping[str, Reader] | None = None, workers: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> Tree:  # fmt: skip
    """Read, resample, divide, check and write; gives the manifest, which is written last.

    A recording that has something in common with another split, or a file that cannot be read, raises InputError and
    leaves no manifest. readers: of more kinds. workers: sources read at a time; more than one needs Ray.
    """
    readers = {**READERS, **(readers or {})}
    for source in building.sources:
        if source.kind not in readers:
            raise InputError("sources", "kind", f"'{source.kind}' is unknown", f"known: {', '.join(sorted(readers))}")
    _empty(out)
    search = LeakSearch(building.leak_check)
    shards: list[Tree] = []
    recordings: list[Tree] = []
    waiting: list[pa.Table] = []
    tasks = [(source, data, building.splitting, readers[source.kind]) for source in building.sources]

    def flush() -> None:
        if waiting:
            shards.append(write_shard(out, f"shard-{len(shards):05d}.parquet", waiting))
            waiting.clear()

    read = mapped(_read, tasks, workers) if workers > 1 else (_parts(*task) for task in tasks)
    for task, parts in zip(tasks, read, strict=True):
        for recording, split, as_published in parts:
            progress(f"{recording.origin.source} {recording.origin.name}: {split}")
            search.add(recording, split, as_published)
            entry = {"shard": f"shard-{len(shards):05d}.parquet", "row_group": len(waiting)}
            recordings.append(_entry(recording, split, as_published, task[0], data) | entry)
            waiting.append(table_of(recording, split))
            if sum(table.num_rows for table in waiting) >= building.shard_rows:
                flush()
    flush()
    if not recordings:
        raise InputError("data build", "sources", "give no recording", "give other sources or leave out less")
    manifest = {
        "format": FORMAT, "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "data": str(data.resolve()),
        "building": building.model_dump(mode="json"), "shards": shards, "recordings": recordings,
    }  # fmt: skip
    (out / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def _empty(out: Path) -> None:
    """An empty folder to write to, where data were built before without them; anything else raises InputError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        there = sorted(out.iterdir())
        others = [path.name for path in there if path.name != MANIFEST and not path.match("shard-*.parquet")]
        if others:
            raise InputError(out, "out", f"holds something else ({others[0]})", "give a new folder")
        for path in there:
            path.unlink()
    except OSError as error:
        raise InputError(out, "out", f"cannot be written ({error.strerror})", "give another folder") from None


def _read(task: tuple[Source, Path, Splitting, Reader]) -> list[Part]:
    """All recordings of a source at once, as another process hands them over."""
    return list(_parts(*task))


def _parts(source: Source, data: Path, splitting: Splitting, reader: Reader) -> Iterator[Part]:
    """The recordings of a source on the grid, with their splits."""
    for raw, published in reader(source, data / source.folder):
        split = published or split_of(raw.origin, splitting)
        made = resampled(raw, source.resampling) if split else None
        if made is not None and len(made):
            yield made, split, bool(published)


def mapped(work: Callable[[Given], Made], given: Iterable[Given], workers: int) -> Iterator[Made]:
    """What `work` makes of each, in order, by Ray's pool, here or on its cluster."""
    try:
        from ray.util.multiprocessing import Pool
    except ModuleNotFoundError:
        raise InputError("--workers", "ray", "is not installed", "pip install 'behaviors_ros[scale]', or 1") from None
    with Pool(workers, ray_remote_args={"num_cpus": 1}) as pool:
        yield from pool.imap(work, given, chunksize=1)


def _entry(recording: Recording, split: str, as_published: bool, source: Source, data: Path) -> Tree:
    """What the manifest says of a recording."""
    origin, folder = recording.origin, data / source.folder
    file = folder / origin.map_path
    mapped_file = bool(origin.map_path) and not origin.map_path.startswith(GENERATED)
    kinds, counts = np.unique(recording.kind, return_counts=True)
    return {
        **vars(origin), "folder": source.folder, "map_sha256": checksum(file) if mapped_file else "", "split": split,
        "split_by": "as published" if as_published else "location and recording", "tracks": len(recording),
        "rows": len(recording.yaw), "steps": recording.steps - int(recording.start.min()),
        "seen": round(float(recording.seen.mean()), 4),
        "quality": round(float(recording.quality.mean()), 4), "dropped": recording.dropped,
        "kinds": {str(kind): int(count) for kind, count in zip(kinds, counts, strict=True)},
    }  # fmt: skip
