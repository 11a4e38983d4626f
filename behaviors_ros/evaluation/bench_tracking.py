"""How closely the trackers follow: the planner's trajectories, driven in closed loop with the delayed vehicle model.

Drives are planned once, with the ego on its plan. Then each tracker drives the vehicle along: it is given the same
plans, one a cycle and as late as they come on the road, and its errors are taken against the plan it has, at every
command while it moves.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from behaviors_ros import pipeline, registry
from behaviors_ros.control.interface import Controller, Memory
from behaviors_ros.datatypes import EgoState, Trajectory
from behaviors_ros.evaluation.options import Options
from behaviors_ros.evaluation.sets import Case, find, load
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.simulation.rollout import RolloutParameters, rollout
from behaviors_ros.simulation.scenario import DEMO, Scenario, load_scenario
from behaviors_ros.simulation.situations import situation
from behaviors_ros.simulation.vehicle import VehicleState, advance

Array = np.ndarray
SITUATIONS = (
    "roundabout", "unprotected_left", "narrow_street", "double_parked", "lead_braking", "signal_red", "merge", "zipper",
    "pull_over", "cyclist_ahead",
)  # fmt: skip
RECORDED = Path("commonroad_benchmark", "benchmark53.txt")  # a list of scenarios below the data folder
OFF = 0.2
FIGURES = (
    "lateral_p50_m", "lateral_p95_m", "lateral_max_m", "speed_p50_mps", "speed_p95_mps", "speed_max_mps",
    "heading_p95_rad", "longitudinal_p95_m", "cpu_p50_ms", "cpu_p99_ms",
)  # fmt: skip


class TrackingRules(Parameters):
    """How the loop is closed, and what is asked for."""

    control_s: float = value(0.02, "time between two commands", low=0.005, high=0.1)
    moving_mps: float = value(0.5, "only commands above this speed are counted", low=0.0, high=5.0)
    plan_latency_s: float = value(0.06, "from a plan's stamp to the tracker", low=0.0, high=0.5)
    lateral_p95_max_m: float = value(0.15, "bar of the lateral error", low=0.0, high=5.0)
    speed_p95_max_mps: float = value(0.3, "bar of the speed error", low=0.0, high=5.0)
    cpu_p99_max_ms: float = value(4.0, "bar of the CPU time of a command", low=0.0, high=100.0)


@dataclass(frozen=True, eq=False)
class Course:
    """A planned drive: the plans' trajectories, in order, and where it starts."""

    name: str
    vehicle: Vehicle
    start: EgoState
    plans: tuple[Trajectory, ...]
    end_ns: int


@dataclass(frozen=True, eq=False)
class Tracked:
    """Errors (command, 4): lateral m, heading rad, longitudinal m, speed m/s; CPU time of each call, ms; notes: calls
    that were not solved; distance m.
    """

    errors: Float[Array, "command 4"]
    cpu_ms: Float[Array, " command"]
    notes: int
    distance_m: float


@dataclass(frozen=True)
class TrackingRow:
    """One tracker on all drives, the vehicle being as it is taken for, or off by a share in some of its parameters."""

    controller: str
    vehicle: str
    lateral_p50_m: float
    lateral_p95_m: float
    lateral_max_m: float
    speed_p50_mps: float
    speed_p95_mps: float
    speed_max_mps: float
    heading_p95_rad: float
    longitudinal_p95_m: float
    cpu_p50_ms: float
    cpu_p99_ms: float
    not_solved: int
    distance_m: float
    passed: bool


def vehicles(vehicle: Vehicle, off: float = OFF) -> dict[str, Vehicle]:
    """The vehicle, and ones whose delay, lags or wheel base are a share more or less."""
    groups = {"delay": ("actuator_delay_s",), "lags": ("steering_lag_s", "acceleration_lag_s"),
              "wheel base": ("wheel_base_m",)}  # fmt: skip
    found = {"as modelled": vehicle}
    for what, names in groups.items() if off else ():
        for sign in (1.0, -1.0):
            changes = {name: getattr(vehicle, name) * (1.0 + sign * off) for name in names}
            found[f"{what} {sign * off:+.0%}"] = vehicle.model_copy(update=changes)
    return found


def scenarios(data: Path | None, recorded: int) -> Iterator[Callable[[], Scenario]]:
    """What builds each scenario: the embedded one, generated situations, and up to `recorded` CommonRoad ones."""
    yield lambda: load_scenario(DEMO)
    for kind in SITUATIONS:
        yield lambda kind=kind: situation(kind, 0)  # type: ignore[misc]
    for case in _recorded(data, recorded):
        yield lambda case=case: load(case, Options()).scenario  # type: ignore[misc]


def _recorded(data: Path | None, most: int) -> Sequence[Case]:
    """Cases spread over the list of recorded scenarios; none where the data is not there."""
    if data is None or not (data / RECORDED).is_file():
        return ()
    cases = find(str(data / RECORDED), data)
    return [cases[k] for k in np.linspace(0, len(cases) - 1, min(most, len(cases))).astype(int)]


def course(scenario: Scenario) -> Course:
    """Plan a drive, with the ego on its plan."""
    stages = pipeline.build({"vehicle": scenario.vehicle.model_dump()})
    controller = registry.create("controller", "pure_pursuit", {}, scenario.vehicle)
    log = rollout(scenario, stages, controller, RolloutParameters(perfect_tracking=True))
    plans = tuple(plan.trajectory for plan in log.plans)
    return Course(scenario.name, scenario.vehicle, log.ego[0], plans, log.ego[-1].stamp_ns)


def tracked(drive: Course, controller: Controller, vehicle: Vehicle, rules: TrackingRules) -> Tracked:
    """Drive a vehicle along a course."""
    step_ns, latency_ns = round(rules.control_s * 1e9), round(rules.plan_latency_s * 1e9)
    state, memory, plan = VehicleState(drive.start), None, 0
    rows, spent, notes, way = [], [], 0, 0.0
    while state.ego.stamp_ns < drive.end_ns:
        while plan + 1 < len(drive.plans) and drive.plans[plan + 1].stamp_ns + latency_ns <= state.ego.stamp_ns:
            plan += 1
        begin = time.process_time()
        command, memory = controller.control(drive.plans[plan], state.ego, memory)
        spent.append(1e3 * (time.process_time() - begin))
        rows += [_errors(memory)] if abs(state.ego.speed) > rules.moving_mps else []
        notes += isinstance(memory, Memory) and bool(memory.note)
        state = advance(state, command, vehicle, step_ns)
        way += abs(state.ego.speed) * rules.control_s
    return Tracked(np.array(rows).reshape(-1, 4), np.array(spent), notes, way)


def _errors(memory: Any) -> tuple[float, float, float, float]:
    errors = memory.errors if isinstance(memory, Memory) else None
    if errors is None:
        return math.nan, math.nan, math.nan, math.nan
    return errors.lateral_m, errors.heading_rad, errors.longitudinal_m, errors.speed_mps


def compared(
    controllers: Iterable[str], courses: Sequence[Course], rules: TrackingRules, off: float = OFF
) -> Iterator[TrackingRow]:
    """A row a tracker and vehicle; off 0: only the vehicle as it is modelled."""
    gc.collect()
    gc.freeze()  # as a node does once it is active
    for name in controllers:
        _warm(name, courses[0], rules)
        for variation in vehicles(courses[0].vehicle, off):
            yield _row(name, variation, courses, rules, off)
    gc.unfreeze()


def _warm(name: str, drive: Course, rules: TrackingRules) -> None:
    """Once before it counts: what is compiled is compiled."""
    short = Course(drive.name, drive.vehicle, drive.start, drive.plans[:2], drive.start.stamp_ns + 200_000_000)
    tracked(short, registry.create("controller", name, {}, drive.vehicle), drive.vehicle, rules)


def _row(name: str, variation: str, courses: Sequence[Course], rules: TrackingRules, off: float) -> TrackingRow:
    found = [
        tracked(drive, registry.create("controller", name, {}, drive.vehicle),
                vehicles(drive.vehicle, off)[variation], rules)
        for drive in courses
    ]  # fmt: skip
    errors = np.abs(np.concatenate([each.errors for each in found]))
    lateral, heading, longitudinal, speed = errors.T
    cpu = np.concatenate([each.cpu_ms for each in found])
    rounded = [
        round(float(number), 4) for number in (
            *np.percentile(lateral, (50, 95)), lateral.max(), *np.percentile(speed, (50, 95)), speed.max(),
            np.percentile(heading, 95), np.percentile(longitudinal, 95), *np.percentile(cpu, (50, 99)),
        )
    ]  # fmt: skip
    figures: dict[str, Any] = dict(zip(FIGURES, rounded, strict=True))
    passed = (
        figures["lateral_p95_m"] <= rules.lateral_p95_max_m
        and figures["speed_p95_mps"] <= rules.speed_p95_max_mps
        and figures["cpu_p99_ms"] < rules.cpu_p99_max_ms
    )
    notes, way = sum(each.notes for each in found), sum(each.distance_m for each in found)
    return TrackingRow(name, variation, **figures, not_solved=notes, distance_m=round(way, 1), passed=passed)
