"""A drive as one self-contained HTML page: playback from above, every candidate and why it won or lost, and plots."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import (
    Array,
    Candidates,
    Degraded,
    LaneMap,
    Plan,
    Predictions,
    Scene,
    SignalColor,
    Trajectory,
)
from behaviors_ros.evaluation.explanation_panel import decision_of, timeline, told
from behaviors_ros.parameters import Parameters, Vehicle, value


@runtime_checkable
class Cycle(Protocol):
    """What the page shows of one planning cycle."""

    @property
    def scene(self) -> Scene: ...  # noqa: D102
    @property
    def predictions(self) -> Predictions: ...  # noqa: D102
    @property
    def candidates(self) -> Candidates: ...  # noqa: D102
    @property
    def plan(self) -> Plan: ...  # noqa: D102


class ReportContent(Parameters):
    """How much of each cycle goes into the page."""

    point_every: int = value(5, "every n-th step of a candidate or prediction is drawn", low=1, high=50)
    candidates_max: int = value(40, "candidates drawn and listed a cycle, the best and a share of the forbidden", low=1)
    agents_max: int = value(80, "agents drawn a cycle, the nearest", low=1)
    range_m: float = value(120.0, "agents farther than this from the ego are left out", low=10.0)


def _cm(points: Float[Array, "... 2"], origin: Float[Array, "2"]) -> list[int]:
    """Points as whole centimetres from the origin, flat; invalid ones as zero."""
    return np.rint(np.nan_to_num((points - origin) * 100.0)).astype(int).ravel().tolist()


def _short(name: str) -> str:
    """An agent's id without its leading zeros, at most eight characters."""
    return name.lstrip("0")[:8] or "0"


def _map_layer(lane_map: LaneMap | None, origin: Array) -> dict[str, Any]:
    """Lanes, crosswalks and stop lines to draw."""
    if lane_map is None:
        return {"lanes": [], "crosswalks": [], "stop_lines": []}
    lanes = [
        {"kind": int(lane.kind), "left": _cm(lane.left_bound, origin), "right": _cm(lane.right_bound, origin),
         "signals": list(lane.signals)}
        for lane in lane_map.lanes.values()
    ]  # fmt: skip
    stops = [
        {"line": _cm(lane.stop_line, origin), "signals": list(lane.signals)}
        for lane in lane_map.lanes.values()
        if lane.stop_line is not None
    ]
    return {"lanes": lanes, "crosswalks": [_cm(c.polygon, origin) for c in lane_map.crosswalks], "stop_lines": stops}


def _agents(scene: Scene, predictions: Predictions, origin: Array, content: ReportContent) -> list[dict[str, Any]]:
    """Nearest agents with their box and predicted modes; ellipses are one-sigma half axes and direction."""
    tracks = scene.tracks
    distance = np.hypot(*(tracks.position - scene.ego.position).T) if len(tracks) else np.zeros(0)
    order = [i for i in np.argsort(distance, kind="stable")[: content.agents_max] if distance[i] <= content.range_m]
    row_of = {name: row for row, name in enumerate(predictions.id)}
    agents = []
    for i in order:
        agent = {
            "id": _short(tracks.id[i]), "kind": int(tracks.kind[i]), "p": _cm(tracks.position[i], origin),
            "yaw": round(float(tracks.yaw[i]), 3), "l": round(float(tracks.length[i]), 2),
            "w": round(float(tracks.width[i]), 2), "v": round(float(tracks.speed[i]), 2), "modes": [],
        }  # fmt: skip
        row = row_of.get(tracks.id[i])
        if row is not None:
            agent["modes"] = [
                _mode(predictions, row, int(m), origin, content) for m in np.flatnonzero(predictions.valid[row])
            ]
        agents.append(agent)
    return agents


def _mode(predictions: Predictions, row: int, mode: int, origin: Array, content: ReportContent) -> dict[str, Any]:
    """One predicted future: points, and the covariance ellipse at the last of them."""
    steps = slice(0, None, content.point_every)
    covariance = predictions.covariance[row, mode, steps][-1]
    variance, axes = np.linalg.eigh(np.nan_to_num(covariance))
    return {
        "p": round(float(predictions.probability[row, mode]), 3),
        "xy": _cm(predictions.position[row, mode, steps], origin),
        "e": [round(float(np.sqrt(max(v, 0.0))), 2) for v in variance[::-1]]
        + [round(float(np.arctan2(axes[1, 1], axes[0, 1])), 3)],
    }


def _shown(plan: Plan, count: int, limit: int) -> list[int]:
    """Candidates to list: the chosen and the stop, the best by total, and evenly chosen forbidden ones."""
    if plan.scores is None:
        return [plan.index]
    order = np.argsort(-plan.scores.total, kind="stable")
    good = [int(i) for i in order if plan.scores.total[i] > 0.0][: max(limit * 2 // 3, 1)]
    forbidden = [int(i) for i in order if plan.scores.total[i] <= 0.0]
    room = max(limit - len(good), 0)
    thinned = [forbidden[int(k)] for k in np.linspace(0, len(forbidden) - 1, min(room, len(forbidden)))]
    return [i for i in dict.fromkeys([plan.index, plan.stop_index, *good, *thinned]) if 0 <= i < count]


def _candidates(cycle: Cycle, origin: Array, content: ReportContent) -> list[dict[str, Any]]:
    """Candidates with their path, verdicts and terms."""
    candidates, scores = cycle.candidates, cycle.plan.scores
    rows, shown = [], _shown(cycle.plan, len(candidates), content.candidates_max)
    for i, words in zip(shown, told(cycle, shown), strict=True):
        row: dict[str, Any] = words | {
            "i": i, "g": candidates.generator[i], "n": candidates.label[i],
            "xy": _cm(candidates.position[i, :: content.point_every], origin),
        }  # fmt: skip
        if scores is not None:
            row["t"] = round(float(scores.total[i]), 4)
            row["why"] = [[scores.gates[g], _number(scores.value[i, g])] for g in np.flatnonzero(~scores.passed[i])]
            row["s"] = [round(float(x), 3) for x in scores.score[i]]
            row["r"] = [_number(x) for x in scores.raw[i]]
        rows.append(row)
    return rows


def _number(x: float) -> float | None:
    """A figure for JSON, three decimals; not finite becomes null."""
    return round(float(x), 3) if np.isfinite(x) else None


def _path(trajectory: Trajectory, origin: Array, every: int) -> dict[str, Any]:
    """A trajectory to draw and plot."""
    return {
        "xy": _cm(trajectory.position[::every], origin),
        "v": [round(float(v), 2) for v in trajectory.speed[::every]],
    }


def _lacking(degraded: Degraded) -> str:
    """What the stack drives without, in words; empty for nothing."""
    return ", ".join(str(mode.name).lower().replace("_", " ") for mode in Degraded if mode & degraded)


def _frame(cycle: Cycle, start_ns: int, origin: Array, content: ReportContent) -> dict[str, Any]:
    """One cycle of the playback."""
    scene, plan, ego = cycle.scene, cycle.plan, cycle.scene.ego
    signals = scene.signals
    return {
        "t": round((scene.stamp_ns - start_ns) * 1e-9, 3),
        "ego": {"p": _cm(ego.position, origin), "yaw": round(ego.yaw, 4), "v": round(ego.speed, 3),
                "a": round(ego.acceleration, 3), "w": round(ego.yaw_rate, 4), "d": round(ego.steering, 4)},
        "signals": {str(i): int(c) for i, c in zip(signals.id, signals.color, strict=True)} if signals else {},
        "agents": _agents(scene, cycle.predictions, origin, content),
        "candidates": _candidates(cycle, origin, content),
        "count": len(cycle.candidates),
        "admissible": int(plan.scores.admissible.sum()) if plan.scores is not None else 0,
        "plan": _path(plan.trajectory, origin, 2),
        "stop": _path(plan.stop, origin, content.point_every),
        "generator": plan.generator, "label": plan.label, "reason": plan.reason, "outcome": plan.outcome.name,
        "degraded": _lacking(plan.degraded), "id": plan.plan_id, "index": plan.index, "decision": decision_of(plan),
    }  # fmt: skip


def page_data(
    cycles: Iterable[Cycle], vehicle: Vehicle, title: str, summary: Mapping[str, Any], content: ReportContent
) -> dict[str, Any]:
    """Everything the page draws, as plain numbers and strings. At least one cycle is needed."""
    shown = iter(cycles)
    begin = next(shown)
    first = begin.scene
    origin = np.floor(first.ego.position)
    scores = begin.plan.scores
    frames = [_frame(begin, first.stamp_ns, origin, content)]
    for cycle in shown:  # one at a time: a whole drive with all its candidates would not fit into memory
        scores = scores or cycle.plan.scores
        frames.append(_frame(cycle, first.stamp_ns, origin, content))
    return {
        "title": title,
        "summary": dict(summary),
        "vehicle": {"length": vehicle.length_m, "width": vehicle.width_m, "centre": vehicle.centre_offset_m},
        "map": _map_layer(first.map, origin),
        "route": _cm(first.route.path, origin),
        "scorers": list(scores.scorers) if scores is not None else [],
        "weights": [round(float(w), 3) for w in scores.weight] if scores is not None else [],
        "colors": {int(c): c.name.lower() for c in SignalColor},
        "timeline": timeline(frames),
        "frames": frames,
    }


def packed(data: Any) -> str:
    """Data for a page: JSON, compressed, in base64."""
    return base64.b64encode(gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 6, mtime=0)).decode()


def template(name: str) -> str:
    """A page of this room before its data is filled in."""
    return resources.files("behaviors_ros.evaluation").joinpath(name).read_text()


def write_report(
    path: Path,
    cycles: Iterable[Cycle],
    vehicle: Vehicle,
    title: str,
    summary: Mapping[str, Any],
    content: ReportContent | None = None,
) -> Path:
    """Write the page; it needs no other file and no network. Returns `path`."""
    data = page_data(cycles, vehicle, title, summary, content or ReportContent())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(template("report.html").replace("@TITLE@", html.escape(title)).replace("@DATA@", packed(data)))
    return path
