"""The second judgement of a run, by the official checker of the benchmark in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation import folder

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "commonroad_judge.py"


def judge(path: Path, python: Path) -> None:
    """Judge a run folder with the interpreter that has the checker, and put the verdicts into the run's rows."""
    if not SCRIPT.exists():
        raise InputError(SCRIPT, "--judge", "is not there", "work in a checkout of the repository")
    try:
        done = subprocess.run([python, SCRIPT, path], capture_output=True, text=True)
    except OSError as error:
        raise InputError(python, "--judge", f"cannot be run ({error.strerror})", "`make judge` says how") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise InputError(python, "--judge", f"failed: {last}", "`make judge` makes an environment that works")
    take_verdicts(path)


def take_verdicts(path: Path) -> None:
    """Put the verdicts of `judge.json` into the rows that they are about."""
    verdicts = json.loads((path / "judge.json").read_text())
    rows = folder.read(path).rows
    folder.rewrite(
        path, tuple(row | {"judge": verdicts[row["name"]]} if row["name"] in verdicts else row for row in rows)
    )


def disagreements(rows: tuple[dict[str, object], ...]) -> tuple[str, ...]:
    """Names of the scenarios that the judge sees otherwise than we do."""
    judged = [(row["name"], row["success"], row.get("judge")) for row in rows]
    return tuple(str(name) for name, own, verdict in judged if isinstance(verdict, dict) and verdict["success"] != own)
