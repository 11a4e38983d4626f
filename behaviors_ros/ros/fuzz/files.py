"""Mutated files of every format through their readers: each is read, or refused in one line that names the file."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy

from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.evaluation import options, promotion
from behaviors_ros.learning.data_build import read_building
from behaviors_ros.maps.load import load_map
from behaviors_ros.prediction.inference import Session
from behaviors_ros.prediction.model_contract import read_model, sha256
from behaviors_ros.ros import bags, drive_log, up
from behaviors_ros.ros.controls_bridge import BridgeParameters
from behaviors_ros.ros.fuzz import seeds
from behaviors_ros.ros.fuzz.mutations import damaged
from behaviors_ros.ros.fuzz.supervision import Failure
from behaviors_ros.ros.fuzz.texts import mutated_text
from behaviors_ros.ros.graph import TOPICS
from behaviors_ros.ros.recorder import full_name, recorded_topics
from behaviors_ros.ros.replay import require_parameters
from behaviors_ros.simulation.scenario import load_scenario

_TYPES = {full_name(topic): TOPICS[topic.name].message() for topic in recorded_topics()}


@dataclass(frozen=True)
class Format:
    """A format: how a valid file or folder is made, what reads it, and which of its files are spoilt, as what.

    spoilt: file name to kind of text, "bytes" for a file that is none.
    """

    make: Callable[[Path], None]
    read: Callable[[Path], Any]
    spoilt: dict[str, str]
    target: str


def _text(name: str, content: Callable[[], str], read: Callable[[Path], Any], kind: str) -> Format:
    return Format(lambda folder: _write(folder / name, content()), read, {name: kind}, name)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _read_bag(path: Path) -> None:
    bags.about(path)
    bags.count_messages(path, _TYPES)
    for _ in bags.read_bag(path, _TYPES):
        pass


def _read_model(path: Path) -> None:
    """The model as the learned predictor takes it: held to its contract, loaded, asked."""
    model = read_model(path)
    session = Session(model, "cpu", 1)
    shapes = {tensor.name: (2, *tensor.shape) for tensor in model.contract.inputs}
    session.run({name: np.zeros(shape, np.float32) for name, shape in shapes.items()})


def _signed(path: Path) -> None:
    """Read a model whose contract has the checksum of the spoilt bytes: the graph itself is judged."""
    file = path.with_suffix(".json")
    contract = json.loads(file.read_text())
    contract["model_sha256"], contract["model_bytes"] = sha256(path.read_bytes()), path.stat().st_size
    file.write_text(json.dumps(contract))
    _read_model(path)


def _read_node_parameters(path: Path) -> None:
    """A node's parameter file as the node's process and `behaviors replay` take it."""
    require_parameters([path])
    context = rclpy.Context()
    try:
        rclpy.init(args=["--ros-args", "--params-file", str(path)], context=context)
    except RuntimeError as error:
        raise InputError(path, "parameters", " ".join(str(error).split())[:200], "give files as in config/") from None
    else:
        context.try_shutdown()


def _drive(folder: Path) -> None:
    _write(folder / "small.yaml", seeds.scenario())
    seeds.write_drive(folder / "drive.npz", folder / "small.yaml")


def _building() -> str:
    return "sources:\n  - {kind: eth_ucy, folder: eth_ucy, fold: eth, licence: none}\nsplitting: {}\nshard_rows: 1000\n"


def _gz(folder: Path) -> None:
    (folder / "small.xml.gz").write_bytes(gzip.compress(seeds.commonroad().encode()))


_BRIDGE = "controls_bridge"
FORMATS: dict[str, Format] = {
    "lanelet2": _text("small.osm", seeds.osm, load_map, "osm"),
    "commonroad": _text("small.xml", seeds.commonroad, load_scenario, "commonRoad"),
    "commonroad_gz": Format(_gz, load_scenario, {"small.xml.gz": "gz"}, "small.xml.gz"),
    "argoverse": _text("log_map_archive_small.json", seeds.argoverse, load_map, "json"),
    "scenario": _text("small.yaml", seeds.scenario, load_scenario, "yaml"),
    "parameters": _text(
        "node.yaml", lambda: seeds.node_parameters(BridgeParameters, _BRIDGE), _read_node_parameters, "yaml"
    ),
    "up": _text("up.yaml", seeds.up_config, lambda path: up.node_parameters(up.read_config(path)), "yaml"),
    "vehicle": _text("vehicle.yaml", lambda: "length_m: 4.2\nwidth_m: 1.8\n", options.vehicle_of, "yaml"),
    "gates": _text("gates.yaml", promotion.GATES.read_text, promotion.read_gates, "yaml"),
    "data": _text("data.yaml", _building, read_building, "yaml"),
    "bag_mcap": Format(
        lambda folder: seeds.write_bag(folder / "bag", sqlite=False), _read_bag,
        {"bag/bag.mcap": "bytes", "bag/metadata.yaml": "yaml"}, "bag",
    ),
    "bag_sqlite": Format(
        lambda folder: seeds.write_bag(folder / "bag", sqlite=True), _read_bag,
        {"bag/bag.db3": "bytes", "bag/metadata.yaml": "yaml"}, "bag",
    ),
    "model": Format(
        seeds.write_model, _read_model, {"model.onnx": "bytes", "model.json": "json"}, "model.onnx",
    ),
    "model_graph": Format(seeds.write_model, _signed, {"model.onnx": "bytes"}, "model.onnx"),
    "drive": Format(_drive, lambda path: drive_log.read_drive(path, load_scenario(path.parent / "small.yaml")),
                    {"drive.npz": "bytes"}, "drive.npz"),
}  # fmt: skip


class FileFuzz:
    """The steps of one format."""

    def __init__(self, name: str, seed: int) -> None:
        """Make the valid files and read them once."""
        self.name, self.seed, self.format = name, seed, FORMATS[name]
        self.counts: Counter[str] = Counter()
        self._folder = tempfile.TemporaryDirectory(prefix="behaviors_fuzz_")
        self.valid = Path(self._folder.name) / "valid"
        self.valid.mkdir()
        self.format.make(self.valid)
        self.format.read(self.valid / self.format.target)

    def step(self, index: int) -> list[Failure]:
        """Spoil one file and read it."""
        rng = random.Random(f"{self.seed} {self.name} {index}")
        folder = Path(self._folder.name) / "spoilt"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.valid, folder)
        name = rng.choice(list(self.format.spoilt))
        spoil(folder / name, self.format.spoilt[name], rng)
        target = folder / self.format.target
        try:
            self.format.read(target)
        except BehaviorsError as refused:
            self.counts["refused"] += 1
            return self._judged(index, str(refused), target)
        except Exception as error:  # noqa: BLE001
            what = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            return [Failure(index, "bug", what, traceback.format_exc())]
        self.counts["read"] += 1
        return []

    def _judged(self, index: int, line: str, target: Path) -> list[Failure]:
        """What is refused is refused in one line of a length that can be read, which names the file."""
        if "\n" in line or len(line) > 1000:
            return [Failure(index, "message", f"is not one line: {line[:200]!r}")]
        if target.stem not in line:
            return [Failure(index, "message", f"does not name the file: {line[:200]!r}")]
        return []


def spoil(path: Path, kind: str, rng: random.Random) -> None:
    """Make a file wrong in place."""
    content = path.read_bytes()
    if kind == "gz":
        if rng.random() < 0.005:
            path.write_bytes(gzip.compress(bytes(300_000_000), 1))
        elif rng.random() < 0.5:
            path.write_bytes(damaged(content, rng))
        else:
            path.write_bytes(gzip.compress(mutated_text(gzip.decompress(content), "commonRoad", rng), 1))
    elif kind == "bytes" or rng.random() < 0.15:
        path.write_bytes(damaged(content, rng))
    else:
        path.write_bytes(mutated_text(content, kind, rng))
