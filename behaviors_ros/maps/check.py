"""Load many maps and say of each what it holds or why it cannot be used."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from behaviors_ros.datatypes import LaneKind, LaneMap
from behaviors_ros.errors import InputError
from behaviors_ros.maps.lanes import length_of
from behaviors_ros.maps.load import load_map, map_kind


@dataclass(frozen=True)
class Row:
    """One file. lanes: for vehicles; length_km: of their centre lines; error: '' when the file loads."""

    file: str
    kind: str = ""
    lanes: int = 0
    crosswalks: int = 0
    signals: int = 0
    stop_lines: int = 0
    length_km: float = 0.0
    seconds: float = 0.0
    error: str = ""


def check(paths: Iterable[str | Path]) -> list[Row]:
    """A row for each file, in order; a file that cannot be used has its error and no counts."""
    rows = []
    for path in paths:
        begin = time.perf_counter()
        try:
            kind, lane_map = map_kind(path), load_map(path)
        except InputError as error:
            rows.append(Row(str(path), seconds=time.perf_counter() - begin, error=str(error)))
            continue
        rows.append(_row(str(path), kind, lane_map, time.perf_counter() - begin))
    return rows


def _row(file: str, kind: str, lane_map: LaneMap, seconds: float) -> Row:
    lanes = [lane for lane in lane_map.lanes.values() if lane.kind in (LaneKind.ROAD, LaneKind.BUS)]
    lines = {lane.stop_line.tobytes() for lane in lanes if lane.stop_line is not None}
    lines |= {line.tobytes() for walk in lane_map.crosswalks for line in walk.stop_lines.values()}
    return Row(
        file, kind, len(lanes), len(lane_map.crosswalks), len({i for lane in lanes for i in lane.signals}), len(lines),
        sum(length_of(lane.centre) for lane in lanes) / 1000.0, seconds,
    )  # fmt: skip
