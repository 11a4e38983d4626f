"""A run as a folder: `run.json` says what it is, `rows.jsonl` holds a row a scenario, `drives/` what was driven."""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from behaviors_ros import pipeline
from behaviors_ros.datatypes import Array
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.options import Options
from behaviors_ros.evaluation.sets import Case
from behaviors_ros.parameters import merged, validated

PACKAGES = ("behaviors_ros", "numpy", "numba", "scipy", "shapely", "pydantic", "ray")


@dataclass(frozen=True)
class Run:
    """What a run folder holds. facts: command, versions, revision, machine, the planner's configuration with what was
    its default then; rows in the order in which they ended.
    """

    path: Path
    set_name: str
    options: Options
    cases: tuple[Case, ...]
    facts: dict[str, Any]
    rows: tuple[dict[str, Any], ...]

    def row(self, name: str) -> dict[str, Any]:
        """The row of a scenario."""
        found = [row for row in self.rows if row["name"] == name]
        if not found:
            known = ", ".join(row["name"] for row in self.rows[:8])
            raise InputError(self.path, name, "is no scenario of this run", f"known: {known}, ...")
        return found[0]

    def case(self, name: str) -> Case:
        """The case of a scenario."""
        row = self.row(name)
        return Case(row["name"], row["source"])

    def arrays(self, name: str) -> dict[str, Array]:
        """Executed states and decisions of a scenario (`case.kept`)."""
        try:
            with np.load(drive_file(self.path, name), allow_pickle=False) as found:
                return dict(found)
        except (OSError, ValueError) as error:
            raise InputError(
                drive_file(self.path, name), "drive", f"cannot be read ({error})", "run it again"
            ) from None


def drive_file(folder: Path, name: str) -> Path:
    """Where a scenario's arrays are."""
    return folder / "drives" / f"{name.replace('/', '_')}.npz"


def begin(path: Path, set_name: str, options: Options, cases: tuple[Case, ...], command: list[str]) -> None:
    """Write a new run folder's `run.json`. A folder that holds a run already raises `InputError`."""
    if (path / "run.json").exists():
        raise InputError(path, "--out", "holds a run already", "give --resume to go on with it, or another folder")
    (path / "drives").mkdir(parents=True, exist_ok=True)
    described = {
        "set": set_name, "options": options.model_dump(mode="json"), "command": command,
        "configuration": merged(pipeline.defaults(), options.configuration),
        "cases": [asdict(case) for case in cases], "versions": versions(), "revision": revision(),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
    }  # fmt: skip
    (path / "run.json").write_text(json.dumps(described, indent=1) + "\n")


def read(path: Path) -> Run:
    """A run folder; what is none raises `InputError`. A last line that was cut off in the writing is left out."""
    try:
        described = json.loads((path / "run.json").read_text())
    except (OSError, ValueError):
        raise InputError(path, "run.json", "cannot be read", "give the folder of `behaviors evaluate`") from None
    lines = (path / "rows.jsonl").read_text().splitlines() if (path / "rows.jsonl").exists() else []
    rows = [row for row in map(_row, lines) if row is not None]
    latest = {row["name"]: row for row in rows}
    options = validated(Options, described["options"], str(path / "run.json"))
    cases = tuple(Case(**case) for case in described["cases"])
    facts = {name: described.get(name) for name in ("command", "versions", "revision", "machine", "configuration")}
    return Run(path, described["set"], options, cases, facts, tuple(latest.values()))


def add(path: Path, row: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Append a finished scenario; the arrays first, so that a row always has them."""
    if arrays:
        packed = io.BytesIO()
        np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
        drive_file(path, row["name"]).write_bytes(packed.getvalue())
    with (path / "rows.jsonl").open("a+b") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
        cut_off = file.read() not in (b"", b"\n")  # a line that was cut off stays one of its own
        file.write((b"\n" if cut_off else b"") + json.dumps(row).encode() + b"\n")


def rewrite(path: Path, rows: tuple[dict[str, Any], ...]) -> None:
    """Replace all rows at once."""
    new = path / "rows.jsonl.new"
    new.write_text("".join(json.dumps(row) + "\n" for row in rows))
    new.replace(path / "rows.jsonl")


def versions() -> dict[str, str]:
    """Versions of the packages that decide a result; those not installed are left out."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def revision() -> str | None:
    """Git revision of the checkout, with `+` when files differ from it; None outside of a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
        dirty = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=root, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")


def command_line() -> list[str]:
    """The command as it was given."""
    return ["behaviors", *sys.argv[1:]]


def _row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
