"""Death of a planning node to the first stop on the controller's topic, measured on the wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from behaviors_ros.ros.faults.case import SCENARIOS, STOPS, Expectation, FaultCase
from behaviors_ros.ros.faults.rig import GraphStuck, Rig
from behaviors_ros.ros.faults.suite import harm

PLANNING = ("prediction", "trajectory_generation", "trajectory_scoring")
DRIVEN_S = 2.0  # simulated time at which a node dies at the earliest; drives begin at 1 s


@dataclass(frozen=True)
class KillFigures:
    """Figures of one node's deaths; times in ms of wall time."""

    node: str
    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    stopped: int
    invalid_published: int


@dataclass(frozen=True)
class Death:
    """One death: time to the first stop (NaN: none came), whether the car stood unharmed, and why not."""

    reaction_ms: float
    stopped: bool
    invalid: int
    why: str


def measure(
    names: tuple[str, ...], count: int, seed: int, folder: Path, tell: Callable[[str, Death], None]
) -> list[KillFigures]:  # fmt: skip
    """Kill each node so many times, at instants of a planning period drawn by `seed`."""
    scenario = SCENARIOS / "street.yaml"
    random = np.random.default_rng(seed)
    with Rig(scenario, folder, faulty=False) as rig:
        return [_figures(name, list(_deaths(rig, scenario, name, count, random, tell))) for name in names]


def _deaths(
    rig: Rig, scenario: Path, name: str, count: int, random: np.random.Generator, tell: Callable[[str, Death], None]
) -> Iterator[Death]:
    for _ in range(count):
        phase_s = float(random.uniform(0.0, 0.1))
        log = rig.folder / f"{name}.npz"
        log.unlink(missing_ok=True)
        try:
            rig.begin_drive(scenario, log, {})
        except GraphStuck:
            rig.restart()
            rig.begin_drive(scenario, log, {})
        found = _death(rig, scenario, name, phase_s, log)
        tell(name, found)
        yield found


def _death(rig: Rig, scenario: Path, name: str, phase_s: float, log: Path) -> Death:
    observer = rig.observer
    rig.spin(lambda: observer.now_s > DRIVEN_S and not _in_stop(rig), 30.0)
    wait_until = time.monotonic() + phase_s
    rig.spin(lambda: time.monotonic() >= wait_until, 1.0)
    rig.kill(name)
    died_s = time.monotonic()
    rig.spin(lambda: _first_stop(rig, died_s) is not None, 5.0)
    first = _first_stop(rig, died_s)
    rig.prepare(name)  # for the next drive, while the car stops
    stands = rig.spin(lambda: _stands(rig), 30.0)
    record = observer.record
    rig.end_drive()
    why = harm(log, scenario, FaultCase(about="", expect=Expectation(outcome=("stopped",))))
    why = why or ("" if stands else "does not stand")
    reaction = float("nan") if first is None else 1e3 * (first - died_s)
    return Death(reaction, stands and not why, len(record.invalid), why)


def _in_stop(rig: Rig) -> bool:
    """Whether what is handed on ends standing already, without anybody's death."""
    record = rig.observer.record
    return not record.stops or record.stops[-1][2] or record.status[-1].mode in STOPS


def _first_stop(rig: Rig, since_s: float) -> float | None:
    return next((wall for _, wall, stop in rig.observer.record.stops if wall > since_s and stop), None)


def _stands(rig: Rig) -> bool:
    lately = [abs(speed) for _, speed in rig.observer.record.speeds[-25:]]
    return max(lately, default=1.0) < 0.05


def _figures(name: str, deaths: list[Death]) -> KillFigures:
    times = np.array([found.reaction_ms for found in deaths])
    p50, p99 = np.percentile(times, (50, 99))
    return KillFigures(
        name, len(deaths), round(float(p50), 1), round(float(p99), 1), round(float(times.max()), 1),
        sum(found.stopped for found in deaths), sum(found.invalid for found in deaths),
    )  # fmt: skip
