"""One fault as a YAML file: what happens, where, when, on which drive, and what the stack must then do."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import field_validator

from behaviors_ros.datatypes import Mode
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, validated, value
from behaviors_ros.ros.graph import NODES

CASES = Path(__file__).parent / "cases"
SCENARIOS = Path(__file__).parent / "scenarios"

Outcome = Literal["continued", "resumed", "waits", "stopped", "manual", "refused"]
Rung = Literal["STANDBY", "NOMINAL", "DEGRADED", "COMFORT_STOP", "EMERGENCY_STOP"]
STOPS = (Mode.COMFORT_STOP, Mode.EMERGENCY_STOP)


class Injection(Parameters):
    """One thing that goes wrong: on the way of a `topic`, to a `process`, or, with neither, to the machine."""

    fault: str = value(..., "what goes wrong: a name of `messages`, `streams` or `processes`")
    topic: str = value("", "topic of the graph on whose way to its readers it happens")
    to: tuple[str, ...] = value((), "nodes that are reached by it; empty: all of stack and controller that read it")
    process: str = value("", "node whose process it happens to")
    at_s: float = value(3.0, "when, since the drive began, simulated time", low=0.0, high=600.0)
    for_s: float = value(1.0, "for how long, simulated time", low=0.0, high=600.0)
    every: int = value(1, "of the messages in that time only each so-manieth", low=1, high=1000)
    values: dict[str, Any] = value({}, "what the fault needs to know")


class Expectation(Parameters):
    """What must be seen after the first injection."""

    rung: tuple[Rung, ...] = value((), "one of these is entered; empty: no other rung is asked for")
    within_ms: float = value(300.0, "longest time to that rung, or else to the first of the words", low=0.0)
    words: tuple[str, ...] = value((), "each is in a reason, an event, diagnostics or a line of output; a|b: either")
    never: tuple[Rung, ...] = value((), "rungs that must not be entered")
    outcome: tuple[Outcome, ...] = value(
        ..., "one of these. continued: no stop; resumed: stopped, then drove on; waits: stands as the plan says; "
        "stopped: stands; manual: handed to the driver and back; refused: the process ended with code 2 and one line",
    )  # fmt: skip
    speed_end_min_mps: float = value(1.0, "of continued and resumed: slowest speed at the end that is driving", low=0.0)
    x_max_m: float = value(1e6, "the front bumper stays before this x")

    @field_validator("outcome", mode="before")
    @classmethod
    def _one_is_enough(cls, given: Any) -> Any:
        return (given,) if isinstance(given, str) else given


class FaultCase(Parameters):
    """A fault: injections, the drive they happen on, and what is expected."""

    about: str = value(..., "what happens, in words")
    scenario: str = value("street", "drive: a file beside the case, or a name of the suite's scenarios")
    inject: tuple[Injection, ...] = ()
    expect: Expectation
    nodes: dict[str, dict[str, Any]] = value({}, "parameters of nodes that differ from the defaults")
    files: dict[str, str] = value({}, "files made for it: name and content; `{folder}` in parameters is where")
    copies: dict[str, str] = value({}, "files copied for it: name there, and path in the package")
    may_err: bool = value(False, "a node may report an error of its own: it is what is injected")
    until_s: float = value(12.0, "longest drive, simulated time", low=1.0, high=600.0)
    fast: bool = value(False, "belongs to the fast subset")

    @property
    def drives(self) -> bool:
        """Whether the vehicle is driven."""
        return "refused" not in self.expect.outcome

    @property
    def begin_s(self) -> float:
        """When the first thing goes wrong."""
        return min((found.at_s for found in self.inject), default=0.0)

    @property
    def end_s(self) -> float:
        """When the last thing has ceased to be wrong."""
        return max((found.at_s + found.for_s for found in self.inject), default=0.0)


def read_case(path: Path) -> FaultCase:
    """The case in a file; `InputError` when it cannot be used."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(path, "file", str(error).splitlines()[0], "give a YAML file as docs/faults.md says") from None
    if not isinstance(tree, dict):
        raise InputError(path, "content", "is not a mapping", "give about, inject, expect")
    case = validated(FaultCase, tree, str(path))
    known = {node.name for node in NODES}
    for i, found in enumerate(case.inject):
        if found.topic and found.process:
            raise InputError(path, f"inject.{i}", "is at two places", "give either topic or process")
        wrong = [name for name in (*found.to, found.process) if name and name not in known]
        if wrong:
            raise InputError(path, f"inject.{i}", f"'{wrong[0]}' is no node", f"known: {', '.join(sorted(known))}")
    return case


def find_cases(
    patterns: Sequence[str] = (), folder: Path | None = None, fast: bool = False
) -> dict[str, tuple[Path, FaultCase]]:
    """Cases by name: those of the suite and of `folder` that match one of the patterns (all without a pattern)."""
    paths = [path for place in (CASES, folder) if place is not None for path in sorted(place.glob("*.yaml"))]
    if folder is not None and not any(path.parent == folder for path in paths):
        raise InputError(folder, "folder", "holds no case", "give a folder with NAME.yaml files")
    found = {path.stem: (path, read_case(path)) for path in paths}
    chosen = {
        name: pair
        for name, pair in found.items()
        if (not patterns or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)) and (pair[1].fast or not fast)
    }
    if not chosen:
        raise InputError("faults", "PATTERN", "matches no fault", "`behaviors faults list` shows them all")
    return chosen


def scenario_path(case: FaultCase, beside: Path) -> Path:
    """The file of the case's scenario."""
    for path in (beside.parent / case.scenario, SCENARIOS / f"{case.scenario}.yaml"):
        if path.is_file():
            return path.resolve()
    raise InputError(beside, "scenario", f"'{case.scenario}' is not there", f"give a file, or one of {SCENARIOS.name}")
