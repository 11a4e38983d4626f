"""Built recordings as the arrays that a network is trained on, made once and kept in a cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import Array, Grid
from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_recording import Recording
from behaviors_ros.learning.data_split import Splitting, place_of, split_of
from behaviors_ros.learning.data_store import MANIFEST, checksum, stored
from behaviors_ros.learning.samples import Windows, samples
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.prediction.learned_features import FeatureSchema, features

Arrays = dict[str, Array]
CODE = (
    "learned_features.py", "learned_kernels.py", "learned_paths.py", "class_aware.py", "lane_following.py",
    "following.py", "lane_modes.py", "leaders.py",
)  # fmt: skip


class Material(Parameters):
    """What is trained on, out of a folder that `behaviors data build` wrote."""

    folder: str = value("", "built data")
    sources: tuple[str, ...] = value(("*",), "patterns of source/location/recording that are used")
    kinds: tuple[int, ...] = value((), "classes of road users that are used; without any: all")
    own_splits: bool = value(True, "the splits are those of the folder; else those of `splitting`")
    splitting: Splitting = Splitting()
    windows: Windows = Windows(least_future_s=2.0)
    cache: str = value("", "folder of made arrays; without one they are made anew")


def recordings(material: Material, split: str) -> Iterator[Recording]:
    """The recordings of a split."""
    for recording in stored(Path(material.folder), (split,) if material.own_splits else ("train", "val", "test")):
        place = place_of(recording.origin)
        own = split if material.own_splits else split_of(recording.origin, material.splitting)
        if own == split and any(fnmatch(place, pattern) for pattern in material.sources):
            yield recording


def arrays_of(recordings: Iterable[Recording], schema: FeatureSchema, material: Material) -> Arrays:
    """All windows of some recordings: the features by name, `truth` (n, step, 2) m in the agents' frames, `known` (n,
    step), `kind` (n,), `recording` (n,).
    """
    grid = Grid(schema.future_dt_s, schema.future_steps + 1)
    parts: list[Arrays] = []
    for number, recording in enumerate(recordings):
        for sample in samples(recording, grid, material.windows):
            known = np.isfinite(sample.future[:, 1:, 0])
            wanted = known.any(axis=1)
            if material.kinds:
                wanted &= np.isin(sample.scene.tracks.kind, material.kinds)
            rows = np.flatnonzero(wanted)
            if rows.size == 0:
                continue
            found = features(sample.scene, rows, schema, Vehicle())
            truth = in_frames(sample.future[rows, 1:], found.origin, found.yaw)
            extra = {"truth": truth, "known": known[rows].astype(np.float32)}
            extra |= {"kind": sample.scene.tracks.kind[rows], "recording": np.full(rows.size, number)}
            parts.append(found.arrays | extra)
    if not parts:
        return {}
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def in_frames(position: Array, origin: Array, yaw: Array) -> Array:
    """Positions (agent, step, 2) of the map in the agents' frames, float32, 0 where not known."""
    away = position - origin[:, None]
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    turned = np.stack([cos * away[..., 0] + sin * away[..., 1], cos * away[..., 1] - sin * away[..., 0]], axis=-1)
    return np.nan_to_num(turned).astype(np.float32)


def dataset(material: Material, schema: FeatureSchema, split: str) -> Arrays:
    """The arrays of a split, from the cache where they are there; raises InputError when there are none."""
    place = _place(material, schema, split)
    if place is not None and place.is_file():
        with np.load(place) as kept:
            return {name: kept[name] for name in kept.files}
    arrays = arrays_of(recordings(material, split), schema, material)
    if not arrays:
        raise InputError(material.folder, split, "has no sample", "check sources, kinds and splitting of the config")
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        # Under another name until it is whole: processes that train together make it at the same time.
        part = place.with_name(f"{place.stem}.{np.random.SeedSequence().entropy:x}.npz")
        np.savez(part, **arrays)  # type: ignore[arg-type]
        part.replace(place)
    return arrays


def _place(material: Material, schema: FeatureSchema, split: str) -> Path | None:
    """File of the cache: its name changes with the data, what is taken of it, the schema and the code."""
    if not material.cache:
        return None
    room = Path(__file__).parents[1] / "prediction"
    told = [material.model_dump_json(exclude={"cache"}), schema.model_dump_json(), split]
    told += [checksum(Path(material.folder) / MANIFEST), *(checksum(room / name) for name in CODE)]
    name = hashlib.blake2b(json.dumps(told).encode(), digest_size=12).hexdigest()
    return Path(material.cache) / f"{split}-{name}.npz"
