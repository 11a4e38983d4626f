"""One scenario of a run: driven in closed loop, measured, and put into a row of figures and arrays to keep."""

from __future__ import annotations

import math
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from behaviors_ros import pipeline, registry
from behaviors_ros.control.pure_pursuit import PurePursuit
from behaviors_ros.datatypes import Array, Outcome, Scene
from behaviors_ros.evaluation.against_traffic import against_traffic_m
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.evaluation.driving_score import DrivingScore, Facts, ScoreRules, driving_score
from behaviors_ros.evaluation.lane_centring import longest_off_centre_s
from behaviors_ros.evaluation.metrics import MetricRules, Metrics, measure
from behaviors_ros.evaluation.options import GROUND_TRUTH, Options
from behaviors_ros.evaluation.oracle import GroundTruth
from behaviors_ros.evaluation.plan_changes import consistency
from behaviors_ros.evaluation.progress import ratio, reference_m
from behaviors_ros.evaluation.region import outside_m
from behaviors_ros.evaluation.sets import Case, Task, load
from behaviors_ros.evaluation.summary import decision_hash
from behaviors_ros.evaluation.unsolved import why
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.rollout import Log, Planner, RolloutParameters, rollout
from behaviors_ros.simulation.scenario import Scenario

_EGO = ("stamp_ns", "position", "yaw", "speed", "acceleration", "steering", "yaw_rate")
_PLAN = ("index", "stop_index", "generator", "label", "reason")


@dataclass(frozen=True, eq=False)
class Result:
    """What a run keeps of a scenario: a row for JSON, and arrays (executed states, decisions) for a file."""

    row: dict[str, Any]
    arrays: dict[str, Array]


@dataclass(frozen=True, eq=False)
class Setup:
    """What drives a scenario."""

    stages: pipeline.Stages
    controller: PurePursuit
    parameters: RolloutParameters
    oracle: GroundTruth | None


class Stopwatch:
    """A planner that keeps the CPU time of each of its cycles, ms; `busy` after an error tells that it was planning."""

    def __init__(self, planner: Planner = pipeline.run) -> None:
        """What plans."""
        self.ms: list[float] = []
        self.busy = False
        self._planner = planner

    def __call__(self, scene: Scene, stages: pipeline.Stages, plan_id: int) -> pipeline.Cycle:
        """One cycle."""
        self.busy, begun = True, time.process_time()
        made = self._planner(scene, stages, plan_id)
        self.ms.append(1e3 * (time.process_time() - begun))
        self.busy = False
        return made


def setup(scenario: Scenario, options: Options) -> Setup:
    """Stages, controller and rollout for a scenario: planned for its vehicle, a plan each of its time steps."""
    stages = stages_of(options, scenario.vehicle)
    oracle = GroundTruth(scenario) if options.predictor == GROUND_TRUTH else None
    if oracle is not None:
        stages = replace(stages, predictor=oracle)
    parameters = RolloutParameters(
        cycle_s=scenario.dt_s,
        control_s=scenario.dt_s / math.ceil(scenario.dt_s / 0.02 - 1e-9),
        perfect_tracking=options.tracking == "perfect",
    )
    controller = registry.create("controller", PurePursuit.name, {}, scenario.vehicle)
    return Setup(stages, controller, parameters, oracle)


def stages_of(options: Options, vehicle: Vehicle) -> pipeline.Stages:
    """The planner of a run for a vehicle; what is wrong with its configuration raises."""
    tree = dict(options.configuration) | {"vehicle": vehicle.model_dump()}
    if options.predictor not in (None, GROUND_TRUTH):
        tree["predictor"] = options.predictor
    return pipeline.build(tree)


def driven(task: Task, options: Options, planner: Planner = pipeline.run, keep_cycles: bool = False) -> Log:
    """The closed-loop drive of a task."""
    made = setup(task.scenario, options)
    see = made.oracle.see if made.oracle is not None else None
    return rollout(task.scenario, made.stages, made.controller, made.parameters, keep_cycles, see, planner)


def run_case(case: Case, options: Options) -> Result:
    """Drive and measure a case. Whatever is raised becomes a row with the error: it never ends a run."""
    watch = Stopwatch()
    with ThreadPoolExecutor(1) as thread:  # keeps what is raised as a value
        attempt = thread.submit(_attempt, case, options, watch)
        error = attempt.exception()
    return attempt.result() if error is None else Result(error_row(case, error, watch), {})


def _attempt(case: Case, options: Options, watch: Stopwatch) -> Result:
    before_s = time.process_time()
    task = load(case, options)
    begun_s = time.process_time()
    log = driven(task, options, watch)
    driven_s = time.process_time()
    row = measured(task, log, case)
    done_s = time.process_time()
    cpu = {"load": begun_s - before_s, "drive": driven_s - begun_s, "plan": sum(watch.ms) * 1e-3,
           "measure": done_s - driven_s}  # fmt: skip
    row |= {"cpu_s": {name: round(spent, 4) for name, spent in cpu.items()},
            "plan_ms": [round(ms, 3) for ms in watch.ms]}  # fmt: skip
    return Result(row, kept(log))


def error_row(case: Case, error: BaseException, watch: Stopwatch) -> dict[str, Any]:
    """The row of a scenario that could not be driven to its end."""
    words = f"{type(error).__name__}: {error}".splitlines()[0]
    return {
        "name": case.name, "source": case.source, "success": False, "goal_reached": False, "collisions": [],
        "at_fault_collisions": 0, "off_road": False, "timeout": False, "no_plan": watch.busy, "error": words,
        "traceback": "".join(traceback.format_exception(error)), "why": f"ended by an error: {words}", "score": 0.0,
        "nuplan_score": 0.0, "multipliers": {}, "terms": {}, "duration_s": 0.0,
        "cpu_s": {"load": 0.0, "drive": 0.0, "plan": 0.0, "measure": 0.0},
        "plan_ms": [round(ms, 3) for ms in watch.ms],
    }  # fmt: skip


def measured(task: Task, log: Log, case: Case) -> dict[str, Any]:
    """All figures of a drive. Success: the goal was reached, without any collision and without leaving the road."""
    drive, rules = Drive.of(log), MetricRules()
    metrics = measure(drive, rules)
    # Where the drive begins outside of the drivable area of the map, the map cannot tell what is off road.
    off_road = metrics.off_road and outside_m(drive.map, drive.corners[0]).max() <= rules.collision.off_road_m
    metrics = replace(metrics, off_road=bool(off_road))
    facts = _facts(task, log, drive, metrics)
    clean = not metrics.collisions and not metrics.off_road
    success = metrics.goal_reached and clean
    return {
        "name": case.name, "source": case.source, "success": success, "goal_reached": metrics.goal_reached,
        "collisions": [asdict(hit) | {"kind": hit.kind.name.lower()} for hit in metrics.collisions],
        "at_fault_collisions": len(metrics.at_fault), "off_road": metrics.off_road,
        "timeout": clean and not metrics.goal_reached, "no_plan": False, "error": "",
        "why": why(drive, metrics, success, rules.arrival),
        **_scored(facts, driving_score(facts, ScoreRules())), **_figures(task, log, metrics),
    }  # fmt: skip


def _facts(task: Task, log: Log, drive: Drive, metrics: Metrics) -> Facts:
    rules = ScoreRules()
    expert_m = task.expert.progress_m if task.expert is not None else None
    reference = reference_m(drive, task.scenario.duration_s, expert_m, rules.reference)
    return Facts(
        collisions=metrics.collisions,
        off_road=metrics.off_road,
        against_traffic_m=against_traffic_m(drive, rules.direction),
        progress_ratio=ratio(metrics.progress_m, reference, metrics.goal_reached, rules.reference),
        red_lights_run=metrics.red_lights_run,
        min_ttc_s=metrics.min_ttc_s,
        speed_limit_compliance=metrics.speed_limit_compliance,
        comfortable=not metrics.comfort_violations,
        off_centre_s=longest_off_centre_s(drive, rules.centring),
        plan_consistency=consistency(log.plans, rules.plans),
    )


def _scored(facts: Facts, score: DrivingScore) -> dict[str, Any]:
    return {
        "score": round(score.total, 5), "nuplan_score": round(score.nuplan, 5), "multipliers": score.multipliers,
        "terms": {name: round(term, 5) for name, term in score.terms.items()},
        "against_traffic_m": round(facts.against_traffic_m, 3), "off_centre_s": round(facts.off_centre_s, 2),
        "min_ttc_s": _finite(facts.min_ttc_s), "red_lights_run": facts.red_lights_run,
    }  # fmt: skip


def _figures(task: Task, log: Log, metrics: Metrics) -> dict[str, Any]:
    scenario, felt = task.scenario, metrics.comfort
    outcomes = Counter(plan.outcome.name for plan in log.plans)
    return {
        "provenance": scenario.provenance, "duration_s": round(log.duration_s, 3),
        "time_limit_s": round(scenario.duration_s, 3), "goal_time_s": _finite(metrics.goal_time_s),
        "cycles": len(log.plans), "emergency_cycles": outcomes[Outcome.EMERGENCY.name], "outcomes": dict(outcomes),
        "decision_hash": decision_hash(log.plans), "progress_m": round(metrics.progress_m, 3),
        "distance_m": round(metrics.distance_m, 3), "off_road_m": round(metrics.off_road_m, 3),
        "comfort_violations": list(metrics.comfort_violations),
        "overspeed_max_mps": round(metrics.overspeed_max_mps, 3),
        "acceleration_max_mps2": round(float(felt.acceleration.max(initial=0.0)), 3),
        "deceleration_max_mps2": round(float(-felt.acceleration.min(initial=0.0)), 3),
        "lateral_acceleration_max_mps2": round(float(np.abs(felt.lateral_acceleration).max(initial=0.0)), 3),
        "jerk_max_mps3": round(float(felt.jerk.max(initial=0.0)), 3),
    }  # fmt: skip


def kept(log: Log) -> dict[str, Array]:
    """Executed states (rear axle; one more than there are plans), the box, and each plan's decision."""
    vehicle = log.scenario.vehicle
    states = {name: np.array([getattr(ego, name) for ego in log.ego]) for name in _EGO}
    plans = {f"plan_{name}": np.array([getattr(plan, name) for plan in log.plans]) for name in _PLAN}
    box = np.array((vehicle.length_m, vehicle.width_m, vehicle.centre_offset_m))
    return states | plans | {"plan_outcome": np.array([int(plan.outcome) for plan in log.plans]), "box": box}


def _finite(number: float) -> float | None:
    return round(float(number), 4) if math.isfinite(number) else None
