"""The figures of a run from its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Row = Mapping[str, Any]


def totals(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts of scenarios, mean scores and speed. Keys are stable: some may be added, none renamed.

    success: goal reached, no collision, on the road. collisions, at_fault_collisions, off_road, timeout, no_plan:
    scenarios in which that happened; timeout: nothing else was wrong, the goal was not reached. Errors score 0.
    plan_ms: CPU time of a planning cycle over all cycles. realtime_factor: driven seconds over CPU seconds of driving
    and measuring, without loading.
    """
    count = len(rows)
    plan_ms = np.concatenate([np.asarray(row["plan_ms"], dtype=float) for row in rows]) if rows else np.zeros(0)
    p50, p99 = np.percentile(plan_ms, (50, 99)) if plan_ms.size else (None, None)
    spent = {name: sum(row["cpu_s"][name] for row in rows) for name in ("load", "drive", "plan", "measure")}
    driven_s, working_s = sum(row["duration_s"] for row in rows), spent["drive"] + spent["measure"]
    found = {
        "n": count,
        "success": sum(row["success"] for row in rows),
        "collisions": sum(bool(row["collisions"]) for row in rows),
        "at_fault_collisions": sum(row["at_fault_collisions"] > 0 for row in rows),
        "off_road": sum(row["off_road"] for row in rows),
        "timeout": sum(row["timeout"] for row in rows),
        "no_plan": sum(row["no_plan"] for row in rows),
        "score_mean": _mean(rows, "score"),
        "plan_ms": {"p50": _rounded(p50), "p99": _rounded(p99)},
        "realtime_factor": _rounded(driven_s / working_s) if working_s > 0.0 else None,
    }
    rates = ("success", "collisions", "at_fault_collisions", "off_road", "timeout", "no_plan")
    found |= {f"{name}_rate": _rounded(found[name] / count) if count else None for name in rates}
    found |= {
        "goal_reached": sum(row["goal_reached"] for row in rows),
        "errors": sum(bool(row["error"]) for row in rows),
        "nuplan_score_mean": _mean(rows, "nuplan_score"),
        "emergency_cycles": sum(row.get("emergency_cycles", 0) for row in rows),
        "cycles": int(plan_ms.size),
        "driven_s": _rounded(driven_s),
        "cpu_s": {name: _rounded(seconds) for name, seconds in spent.items()},
    }
    return found | _judged(rows)


def _judged(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts of the second judgement, of the rows that it covers."""
    judged = [row["judge"] for row in rows if row.get("judge")]
    if not judged:
        return {}
    names = ("success", "goal_reached", "collision", "at_fault", "off_road")
    return {"judge": {"n": len(judged)} | {name: sum(bool(row[name]) for row in judged) for name in names}}


def _mean(rows: Sequence[Row], name: str) -> float | None:
    return _rounded(float(np.mean([row[name] for row in rows]))) if rows else None


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(float(number), 4)
