"""The page of a run: figures, distributions, every scenario, and playback of the worst ones. One HTML file."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from behaviors_ros.evaluation.case import setup
from behaviors_ros.evaluation.folder import Run
from behaviors_ros.evaluation.options import Options
from behaviors_ros.evaluation.report import ReportContent, packed, page_data, template
from behaviors_ros.evaluation.sets import Case, load
from behaviors_ros.evaluation.totals import totals
from behaviors_ros.evaluation.workers import mapped
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.simulation.rollout import Cycle, drive
from behaviors_ros.simulation.scenario import Scenario

ROW = (
    "name", "source", "success", "goal_reached", "at_fault_collisions", "off_road", "timeout", "no_plan", "error",
    "why", "score", "nuplan_score", "multipliers", "terms", "min_ttc_s", "progress_m", "duration_s", "emergency_cycles",
    "comfort_violations", "against_traffic_m", "off_centre_s", "red_lights_run", "judge",
)  # fmt: skip


class PageContent(Parameters):
    """How much goes into the page of a run."""

    playbacks: int = value(8, "worst scenarios whose playback is embedded", low=0, high=50)
    frames_max: int = value(80, "cycles of a playback; of longer drives every n-th", low=2, high=2000)
    cycle: ReportContent = ReportContent(point_every=6, candidates_max=20, agents_max=40)
    playback_bytes: int = value(1_400_000, "a larger playback is thinned out once more", low=10_000)


def write_run_report(
    path: Path, run: Run, workers: int = 1, address: str | None = None, content: PageContent | None = None
) -> Path:
    """Write the page; the worst scenarios are driven again for their playback. Returns `path`."""
    content = content or PageContent()
    worst = worst_cases(run, content.playbacks)
    made = mapped(playback, _no_playback, worst, run.options, workers, address)
    playbacks = {name: packed_data for name, packed_data in made if packed_data}
    shown = [case.name for case in worst if case.name in playbacks]
    data: dict[str, Any] = {
        "title": run.set_name, "folder": str(run.path), "totals": totals(run.rows), "facts": run.facts,
        "options": run.options.model_dump(mode="json"), "distributions": distributions(run.rows),
        "rows": [_shown(row) for row in run.rows],
        "worst": shown,
    }  # fmt: skip
    page = template("run_report.html").replace("@TITLE@", html.escape(run.set_name))
    page = page.replace("@PLAYER@", packed(template("report.html"))).replace("@DATA@", packed(data))
    scripts = "\n".join(_script(name, playbacks[name]) for name in shown)
    path.write_text(page.replace("@PLAYBACKS@", scripts))
    return path


def worst_cases(run: Run, count: int) -> tuple[Case, ...]:
    """The unsolved and then the lowest scores; scenarios that ended by an error cannot be played back."""
    rows = [row for row in run.rows if not row["error"]]
    rows.sort(key=lambda row: (row["success"], -row["at_fault_collisions"], row["score"], row["name"]))
    return tuple(Case(row["name"], row["source"]) for row in rows[:count])


def playback(case: Case, options: Options) -> tuple[str, str]:
    """(name, packed page data) of a scenario, driven again; thinned out until it is small enough."""
    content, scenario = PageContent(), load(case, options).scenario
    every = math.ceil(scenario.duration_s / scenario.dt_s / content.frames_max)
    shown = islice(_cycles(scenario, options), 0, None, every)
    data = page_data(shown, scenario.vehicle, case.name, {}, content.cycle)
    found = packed(data)
    while len(found) > content.playback_bytes and len(data["frames"]) > 2:
        data["frames"] = data["frames"][::2]
        found = packed(data)
    return case.name, found


def _no_playback(case: Case, _: BaseException) -> tuple[str, str]:
    return case.name, ""


def _cycles(scenario: Scenario, options: Options) -> Iterator[Cycle]:
    """The cycles of a drive, one at a time."""
    made = setup(scenario, options)
    for world, cycle in drive(scenario, made.stages, made.controller, made.parameters):
        if made.oracle is not None:
            made.oracle.see(world)
        yield cycle


def distributions(rows: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """Histograms: score, planning time of all cycles, least time to collision, progress ratio."""
    driven = [row for row in rows if not row["error"]]
    plan_ms = np.concatenate([np.asarray(row["plan_ms"]) for row in rows]) if rows else np.zeros(0)
    top = float(np.percentile(plan_ms, 99.5)) if plan_ms.size else 1.0
    ttc = [row["min_ttc_s"] for row in driven]
    return [
        _histogram("score", "", [row["score"] for row in rows], np.linspace(0.0, 1.0, 21)),
        _histogram("planning time of a cycle", "ms CPU", plan_ms, np.linspace(0.0, max(top, 1.0), 31)),
        _histogram("least time to collision", "s", [t for t in ttc if t is not None], np.arange(0.0, 3.01, 0.15),
                   f"{sum(t is None for t in ttc)} without any conflict within 3 s"),
        _histogram("progress, share of the reference", "", [row["terms"]["progress"] for row in driven],
                   np.linspace(0.0, 1.0, 21)),
    ]  # fmt: skip


def _histogram(title: str, unit: str, values: Any, edges: np.ndarray, note: str = "") -> dict[str, Any]:
    """Counts between edges; what is beyond the last one counts in the last bin."""
    counts, _ = np.histogram(np.clip(np.asarray(values, dtype=float), edges[0], edges[-1]), edges)
    return {"title": title, "unit": unit, "edges": np.round(edges, 4).tolist(), "counts": counts.tolist(), "note": note}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """What the table shows of a row."""
    ms = row["plan_ms"]
    found = {name: row[name] for name in ROW if name in row}
    return found | {"collisions": len(row["collisions"]), "plan_p99_ms": float(np.percentile(ms, 99)) if ms else None}


def _script(name: str, data: str) -> str:
    return f'<script type="application/octet-stream" class="playback" data-name="{html.escape(name)}">{data}</script>'
