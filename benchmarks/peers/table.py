"""A row of the table for each judged run, of a peer or of ours, as Markdown or as JSON.

Reads `rows.jsonl` and `judge.json` (written by `benchmarks/commonroad_judge.py`) of each folder. What came first
decides a scenario: a collision, leaving the road, or the goal; without them it is a timeout, no plan or an error.

    python table.py RUN_FOLDER [RUN_FOLDER ...] [--json]
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

HEAD = """\
| run | success | collisions (at fault) | off road | timeout | no plan | errors | cycle CPU ms, p50 / p99 |
|---|---|---|---|---|---|---|---|"""


def outcome(row: dict[str, Any], verdict: dict[str, Any] | None) -> str:
    """What became of a scenario: success, collision, off road, timeout, no plan or error."""
    if verdict is None or (row["error"] and not verdict["goal_reached"]):
        return "error"
    if verdict["success"]:
        return "success"
    hit, left = at(verdict["collision_time_s"]), at(verdict["off_road_time_s"])
    if min(hit, left) < math.inf:
        return "collision" if hit <= left else "off road"
    return "no plan" if row["no_plan"] else "timeout"


def at(time_s: float | None) -> float:
    """A time, infinite where there is none."""
    return math.inf if time_s is None else time_s


def totals(folder: Path) -> dict[str, Any]:
    """The figures of a run."""
    rows = {row["name"]: row for row in map(json.loads, (folder / "rows.jsonl").read_text().splitlines())}
    verdicts = json.loads((folder / "judge.json").read_text())
    found = {name: outcome(row, verdicts.get(name)) for name, row in rows.items()}
    hits = [verdicts[name] for name, result in found.items() if result == "collision"]
    counts, plan_ms = Counter(found.values()), [ms for row in rows.values() for ms in row["plan_ms"]]
    p50, p99 = np.percentile(plan_ms, (50, 99)).round(2).tolist() if plan_ms else (None, None)
    return {
        "run": folder.name, "n": len(rows), "success": counts["success"], "collisions": counts["collision"],
        "at_fault_collisions": sum(hit["at_fault"] for hit in hits), "off_road": counts["off road"],
        "collision_classes": dict(Counter(hit["collision_class"] for hit in hits)), "timeout": counts["timeout"],
        "no_plan": counts["no plan"], "error": counts["error"], "cycles": len(plan_ms),
        "plan_ms": {"p50": p50, "p99": p99}, "solved": sorted(name for name in found if found[name] == "success"),
    }  # fmt: skip


def line(found: dict[str, Any]) -> str:
    """The Markdown row of a run."""
    plan = found["plan_ms"]
    share = f"{found['success']}/{found['n']} ({100 * found['success'] / found['n']:.1f} %)"
    cells = [found["run"], share, f"{found['collisions']} ({found['at_fault_collisions']})", found["off_road"],
             found["timeout"], found["no_plan"], found["error"], f"{plan['p50']} / {plan['p99']}"]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    given = parser.parse_args()
    found = [totals(folder) for folder in given.folders]
    print("\n".join(map(json.dumps, found)) if given.json else "\n".join([HEAD, *map(line, found)]))


if __name__ == "__main__":
    main()
