"""Runs cases one after the other on one rig and judges each: reaction, time, outcome, crashes, invalid trajectories."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import behaviors_ros.errors
from behaviors_ros.datatypes import Mode
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.evaluation.collisions import collisions
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.evaluation.metrics import MetricRules, red_lights_run
from behaviors_ros.evaluation.region import outside_m
from behaviors_ros.ros.drive_log import read_drive
from behaviors_ros.ros.faults.case import STOPS, FaultCase, scenario_path
from behaviors_ros.ros.faults.observer import Record
from behaviors_ros.ros.faults.processes import Happening, happening, placed
from behaviors_ros.ros.faults.rig import GraphStuck, Rig
from behaviors_ros.simulation.scenario import load_scenario

PACKAGE = Path(behaviors_ros.errors.__file__).parent
START_S = 1.0  # simulated time at which drives begin
STANDS_MPS = 0.1
PLANS = (Mode.NOMINAL, Mode.DEGRADED)
STEADY_S = 1.0
STILL_S = 0.2  # simulated time that passes without the detours


@dataclass(frozen=True)
class Row:
    """What a fault did. reaction_ms: simulated time, None where no reaction was asked for or none came."""

    fault: str
    expected: str
    observed: str
    reaction_ms: float | None
    outcome: str
    invalid_published: int
    passed: bool
    crashes: int
    why: str


def run_suite(
    cases: Mapping[str, tuple[Path, FaultCase]], rig: Rig, tell: Callable[[Row], None] = lambda row: None
) -> list[Row]:
    """All cases, in their order of parameters, so that nodes are started anew as rarely as can be."""
    rows = []
    for name, (path, case) in sorted(cases.items(), key=lambda item: (repr(sorted(item[1][1].nodes.items())), item[0])):
        try:
            rows.append(_tried(rig, name, path, case))
        except BehaviorsError as error:
            rows.append(Row(name, _expected(case), "not run", None, "not run", 0, False, 0, str(error)))
        tell(rows[-1])
    return sorted(rows, key=lambda row: row.fault)


def _tried(rig: Rig, name: str, path: Path, case: FaultCase) -> Row:
    """One case; once again where the rig failed and not the stack. The row says so."""
    try:
        row = run_case(rig, name, path, case)
        why = _disturbed(rig.observer.record)
        if row.passed or not why:
            return row
    except GraphStuck as stuck:
        rig.restart()
        why = str(stuck).partition(";")[0]  # where the logs are is of this machine
    row = run_case(rig, name, path, case)
    return replace(row, observed=f"{row.observed} (second try; the first: {why})")


def _disturbed(record: Record) -> str:
    """Whether the detours stood still, which is a fault on all topics: a process that is stopped while it holds a lock
    of the shared memory holds up who sends to it.
    """
    return f"the detours stood still for {record.gap_s:.1f} s" if record.gap_s > STILL_S else ""


def run_case(rig: Rig, name: str, path: Path, case: FaultCase) -> Row:
    """One case: drive, inject, watch, judge."""
    folder = rig.folder / name
    shutil.rmtree(folder, ignore_errors=True)  # what a first try left, as a bag, would be in the way
    folder.mkdir(parents=True)
    for file, text in case.files.items():
        (folder / file).write_text(text)
    for file, source in case.copies.items():
        shutil.copyfile(PACKAGE / source, folder / file)
    rig.crashes.clear()
    drives = case.drives
    scenario, log = scenario_path(case, path), folder / "drive.npz"
    log.unlink(missing_ok=True)
    if drives:
        rig.begin_drive(scenario, log, placed(case.nodes, folder))
    else:
        rig.end_drive()
        rig.observer.begin(drives=False)
    marks = {file: file.stat().st_size for file in (rig.folder / "logs").glob("*.log")}
    happenings = [happening(rig, what, folder) for what in case.inject]
    _watch(rig, case, happenings, drives)
    _hear_logs(rig, marks)
    record = rig.observer.record
    if drives:
        rig.end_drive()
    wrong = harm(log, scenario, case) if drives else ""
    return _judged(name, case, record, wrong, tuple(rig.crashes))


def _watch(rig: Rig, case: FaultCase, happenings: list[Happening], drives: bool) -> None:
    """Let the case run its course: begin and end what happens, until it is settled or time is over."""
    waiting = [(found.what.at_s, found) for found in happenings]
    running: list[Happening] = []
    begin_s = START_S if drives else 0.0
    patience_s = 30.0 + 6.0 * case.until_s / rig.speed_factor

    def step() -> bool:
        rig.note_ends()
        now_s = rig.observer.now_s - begin_s if drives else case.until_s
        for entry in [entry for entry in waiting if entry[0] <= now_s]:
            waiting.remove(entry)
            entry[1].begin()
            running.append(entry[1])
        for found in list(running):
            found.tick(now_s)
            if drives and found.what.at_s + found.what.for_s <= now_s:
                found.end()
                running.remove(found)
        if not drives:
            return not waiting
        return now_s >= case.until_s or (not waiting and not running and _settled(case, rig.observer.record, now_s))

    rig.spin(step, patience_s)
    for found in running:
        found.end()


def _since(case: FaultCase) -> float:
    return START_S + case.begin_s if case.drives else 0.0


def _settled(case: FaultCase, record: Record, now_s: float) -> bool:
    """Whether nothing more is to be waited for."""
    if now_s < case.end_s + 1.5:
        return False
    expect, since = case.expect, _since(case)
    if any(record.said(word, since) is None for word in expect.words):
        return False
    steady = [seen.mode for seen in record.status if seen.at_s >= START_S + now_s - STEADY_S]
    drives = bool(steady) and not set(steady) & {*STOPS, Mode.STANDBY}
    speed = record.speeds[-1][1] if record.speeds else 0.0
    lately = [v for at, v in record.speeds if at >= START_S + now_s - STEADY_S]
    stands = max(map(abs, lately), default=1.0) < STANDS_MPS
    if expect.outcome == ("stopped",) or (stands and drives and "waits" in expect.outcome):
        return stands
    return drives and speed >= expect.speed_end_min_mps


def _hear_logs(rig: Rig, marks: Mapping[Path, int]) -> None:
    """What nodes logged since, among the words; a traceback is an error."""
    for file in (rig.folder / "logs").glob("*.log"):
        said = file.read_bytes()[marks.get(file, 0) :].decode(errors="replace")
        for line in said.splitlines():
            if "[WARN]" in line or "[ERROR]" in line:
                rig.observer.tell(f"log {file.stem}: {line}")
        if "Traceback" in said:
            rig.observer.record.errors.append(f"{file.stem} logged a traceback")


def harm(log: Path, scenario: Path, case: FaultCase) -> str:
    """What the vehicle did wrong by the simulator's truth, empty if nothing."""
    try:
        found = read_drive(log, load_scenario(scenario))
    except InputError as error:
        return f"no drive: {error}"
    drive = Drive.of(found)
    rules = MetricRules()
    for hit in collisions(drive, rules.collision):
        if hit.at_fault:
            return f"collision at {hit.time_s:.1f} s ({hit.kind.name.lower()})"
    if red_lights_run(drive):
        return "red light run"
    off = float(outside_m(drive.map, drive.corners).max(initial=0.0)) if drive.map is not None else 0.0
    if off > rules.collision.off_road_m:
        return f"off the road by {off:.2f} m"
    ahead = float(drive.front[:, 0].max())
    return f"front at x {ahead:.1f} m" if ahead > case.expect.x_max_m else ""


def _judged(name: str, case: FaultCase, record: Record, wrong: str, crashes: tuple[str, ...]) -> Row:
    expect, since = case.expect, _since(case)
    rungs = record.rungs(since)
    reached = next((seen for seen in record.status if seen.at_s >= since and seen.mode.name in expect.rung), None)
    heard = {word: record.said(word, since) for word in expect.words}
    first = reached.at_s if reached else min((at for at in heard.values() if at is not None), default=None)
    reaction = None if first is None or not (expect.rung or expect.words) else 1e3 * (first - since)
    outcome = _outcome(case, record, since)
    why = [f"'{word}' was not said" for word, at in heard.items() if at is None]
    if expect.rung and reached is None:
        why.append(f"none of {', '.join(expect.rung)} was entered")
    if reached is not None and reached.mode in STOPS and not _stop_handed_on(record, reached.at_s):
        why.append("no stop on the controller's topic")
    if reaction is not None and reaction > expect.within_ms and case.drives:
        why.append(f"reaction after {reaction:.0f} ms")
    why += [f"{mode.name} was entered" for mode in dict.fromkeys(rungs) if mode.name in expect.never]
    if outcome not in expect.outcome:
        why.append(f"outcome is {outcome}")
    why += [f"{len(record.invalid)} invalid trajectories ({record.invalid[0]})"] if record.invalid else []
    why += [*([wrong] if wrong else []), *crashes, *([] if case.may_err else record.errors[:2])]
    causes = dict.fromkeys(seen.reason for seen in record.status if seen.at_s >= since and seen.mode in STOPS)
    observed = " > ".join(mode.name for mode in rungs) + (f" ({next(iter(causes))})" if causes else "")
    return Row(
        name, _expected(case), observed or outcome, None if reaction is None else round(reaction, 1),
        outcome, len(record.invalid), not why, len(crashes), "; ".join(why),
    )  # fmt: skip


def _expected(case: FaultCase) -> str:
    """The expectation in words."""
    expect = case.expect
    parts = [" or ".join(expect.rung)] if expect.rung else []
    parts += [f"'{word}'" for word in expect.words]
    within = f" within {expect.within_ms:.0f} ms" if parts and case.drives else ""
    return f"{', '.join(parts)}{within}{'; ' if parts else ''}{' or '.join(expect.outcome)}"


def _stop_handed_on(record: Record, at_s: float) -> bool:
    """Whether the trajectories about an instant are stops."""
    near = [stop for at, _, stop in record.stops if at_s - 0.05 <= at <= at_s + 0.25]
    return any(near)


def _alive(record: Record) -> bool:
    """Whether the bridge still spoke at the end."""
    return bool(record.status and record.speeds) and record.status[-1].at_s > record.speeds[-1][0] - 0.5 * STEADY_S


def _outcome(case: FaultCase, record: Record, since: float) -> str:
    if not case.drives:
        return "refused" if any("ended with code 2" in text for _, text in record.words) else "not refused"
    after = [seen for seen in record.status if seen.at_s >= since]
    fell, driver = any(seen.mode in STOPS for seen in after), any(not seen.engaged for seen in after)
    last_s = record.speeds[-1][0] if record.speeds else 0.0
    lately = [abs(v) for at, v in record.speeds if at >= last_s - 0.5 * STEADY_S]
    stands, plans = max(lately, default=1.0) < STANDS_MPS, bool(after) and after[-1].mode in PLANS
    if stands and (not _alive(record) or not plans):
        return "stopped"
    if stands and plans and "waits" in case.expect.outcome:
        return "waits"
    if not (plans and lately and lately[-1] >= case.expect.speed_end_min_mps):
        return "not recovered"
    if driver and "manual" in case.expect.outcome:
        return "manual"
    return "resumed" if fell else "continued"
