"""Recorded drives (Argoverse 2 logs, KITTI sequences, bags) and generated ones as recordings; the ego is one of all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import AgentClass, EgoState, LaneMap, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_recording import STEP_S, Origin, RawRecording, RawTrack
from behaviors_ros.maps.load import load_map
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation import situations
from behaviors_ros.simulation.recordings.argoverse import read_log
from behaviors_ros.simulation.recordings.kitti import read_sequence
from behaviors_ros.simulation.recordings.recording import Recording as Drive
from behaviors_ros.simulation.situations.careful import drive
from behaviors_ros.simulation.world import placed, start, truth

POSES = "city_SE3_egovehicle.feather"
EGO = "ego"
Row = tuple[float, float, float, float]


def as_recording(
    frames: Sequence[Tracks], egos: Sequence[EgoState], vehicle: Vehicle, origin: Origin, lane_map: LaneMap | None
) -> RawRecording:
    """Tracks and ego states as recorded; time 0 is the first frame. Every track keeps the box that it had last."""
    if not frames:
        raise InputError(origin.name, "tracks", "there are none", "give a recording with tracked road users")
    zero = frames[0].stamp_ns
    rows: dict[str, list[Row]] = defaultdict(list)
    boxes: dict[str, tuple[int, float, float]] = {}
    for frame in frames:
        time_s = (frame.stamp_ns - zero) * 1e-9
        for k, name in enumerate(frame.id):
            rows[name].append((time_s, *frame.position[k], frame.yaw[k]))
            boxes[name] = int(frame.kind[k]), float(frame.length[k]), float(frame.width[k])
    for ego in egos[:: max(round(STEP_S / _period(egos)), 1)]:
        ahead = vehicle.centre_offset_m * np.array([np.cos(ego.yaw), np.sin(ego.yaw)])
        rows[EGO].append(((ego.stamp_ns - zero) * 1e-9, *(ego.position + ahead), ego.yaw))
        boxes[EGO] = int(AgentClass.CAR), vehicle.length_m, vehicle.width_m
    tracks = []
    for name, states in rows.items():
        table = np.array(states, dtype=float)
        tracks.append(RawTrack(name, *boxes[name], table[:, 0], table[:, 1:3], table[:, 3]))
    return RawRecording(origin, tuple(tracks), lane_map)


def _period(egos: Sequence[EgoState]) -> float:
    return (egos[-1].stamp_ns - egos[0].stamp_ns) * 1e-9 / (len(egos) - 1) if len(egos) > 1 else STEP_S


def read_av2(folder: Path) -> Iterator[RawRecording]:
    """Argoverse 2 sensor logs below a folder; a log's place is the city in its map's name."""
    logs = sorted(path.parent for path in folder.rglob(POSES))
    if not logs:
        raise InputError(folder, POSES, "not found", "give a folder of Argoverse 2 sensor logs")
    for log in logs:
        found = read_log(log, Vehicle())
        assert found.map_path is not None
        city = found.map_path.stem.partition("____")[2].partition("_city")[0] or log.name
        place = str(found.map_path.relative_to(folder))
        origin = Origin("av2", log.name, city, found.licence, map_path=place)
        yield _of_drive(found, origin, load_map(found.map_path))


def read_kitti(folder: Path) -> Iterator[RawRecording]:
    """KITTI tracking sequences; each is a place of its own."""
    labels = sorted((folder / "label").glob("*.txt*"))
    if not labels:
        raise InputError(folder, "label/*.txt", "not found", "give the folder with oxts, label and calib")
    for path in labels:
        sequence = path.name.partition(".")[0]
        found = read_sequence(folder, sequence, Vehicle())
        yield _of_drive(found, Origin("kitti", sequence, f"kitti-{sequence}", found.licence), None)


def _of_drive(found: Drive, origin: Origin, lane_map: LaneMap | None) -> RawRecording:
    return as_recording(found.tracks, found.ego, Vehicle(), origin, lane_map)


def read_generated(kinds: Sequence[str] = (), variants: int = 6, seed: int = 0) -> Iterator[RawRecording]:
    """Generated situations as a careful driver drives them: simulated, for what no recording has."""
    for kind in kinds or situations.kinds():
        for variant in range(variants):
            drafted = situations.drafted(kind, variant, seed)
            scenario = drafted.scenario()
            driven = drive(scenario, drafted.careful)
            world = start(scenario)
            frames = [truth(world)]
            for ego in driven.ego[1:]:
                world = placed(world, ego)
                frames.append(truth(world))
            place = f"{GENERATED}{kind}#{variant}#{seed}"
            name = scenario.name
            origin = Origin("generated", name, kind, "ours, Apache-2.0", True, True, place)
            yield as_recording(frames, driven.ego, scenario.vehicle, origin, scenario.map)


GENERATED = "generated#"


def map_of(place: str, folder: Path) -> LaneMap | None:
    """The map that an origin's `map_path` names, below its source's folder; None for ""."""
    if place.startswith(GENERATED):
        kind, variant, seed = place.removeprefix(GENERATED).split("#")
        return situations.situation(kind, int(variant), int(seed)).map
    return load_map(folder / place) if place else None
