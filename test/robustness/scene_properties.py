"""What holds for every plan, whatever the scene."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from random_scenes import Case

from behaviors_ros import pipeline
from behaviors_ros.control.validation import Limits, validate, validate_stop
from behaviors_ros.datatypes import Outcome, Plan, Trajectory
from behaviors_ros.generation.start import start_state
from behaviors_ros.parameters import Vehicle

LIMITS = Limits()
COLUMNS = ("position", "yaw", "speed", "acceleration", "curvature")


def broken(case: Case, cycle: pipeline.Cycle) -> Iterator[str]:
    """The properties that a cycle breaks, in words."""
    plan, scene, vehicle = cycle.plan, cycle.scene, case.stages.vehicle
    assert isinstance(plan, Plan) and plan.scores is not None
    for name, trajectory in (("trajectory", plan.trajectory), ("stop", plan.stop)):
        yield from (f"{name}: {problem}" for problem in _form(case, trajectory))
    if not plan.reason or plan.decision is None:
        yield "no reason or no decision"
    admissible = plan.scores.admissible
    if plan.outcome == Outcome.EMERGENCY:
        if admissible.any():
            yield "emergency although a candidate is admissible"
        if plan.index != plan.stop_index:
            yield "the emergency is not the stop"
        said = validate_stop(plan.trajectory, scene.ego, vehicle, LIMITS)
        if not said.passed and not said.reason:
            yield "the bridge does not say why it refuses"
    else:
        if not admissible[plan.index]:
            yield f"chosen though {plan.scores.first_reason(plan.index)} forbids it"
        yield from _gates_again(case, cycle)
        said = validate(plan.trajectory, scene.ego, cycle.predictions, vehicle, LIMITS)
        if not said.passed:
            yield f"the bridge refuses what is admissible ({plan.label}): {said.reason}"
    if not _stops(plan.stop, vehicle):
        yield f"the stop ends at {plan.stop.speed[-1]:.2f} m/s braking with {-plan.stop.acceleration[-1]:.2f} m/s2"


def _form(case: Case, trajectory: Trajectory) -> Iterator[str]:
    if not all(np.isfinite(getattr(trajectory, name)).all() for name in COLUMNS):
        yield "not finite"
        return
    if len(trajectory.time_s) != case.stages.grid.steps or trajectory.stamp_ns != case.scene.stamp_ns:
        yield "not on the grid"
    start = start_state(case.scene, case.stages.vehicle)
    away = float(np.hypot(*(trajectory.position[0] - start.position)))
    turned = abs(np.remainder(trajectory.yaw[0] - start.yaw + np.pi, 2.0 * np.pi) - np.pi)
    faster = abs(trajectory.speed[0] - start.speed)
    if away > 1e-3 or turned > 1e-3 or faster > 1e-3:
        yield f"begins {away:.4f} m, {turned:.4f} rad, {faster:.4f} m/s beside the start"
    if trajectory.speed.min() < -1e-6:
        yield "drives backwards"


def _gates_again(case: Case, cycle: pipeline.Cycle) -> Iterator[str]:
    """The chosen candidate alone, before every gate."""
    alone = cycle.candidates.take(np.array([cycle.plan.index]))
    for gate in case.stages.gates:
        if not gate.check(cycle.scene, cycle.predictions, alone).passed[0]:
            yield f"alone, it does not pass {gate.name}"


def _stops(stop: Trajectory, vehicle: Vehicle) -> bool:
    """Stands at the end, or brakes as hard as the vehicle can, or changes its braking as fast as it can."""
    changing = np.abs(np.diff(stop.acceleration)).max() / (stop.time_s[1] - stop.time_s[0])
    braking = -stop.acceleration.min() / vehicle.deceleration_max_mps2
    return bool(stop.speed[-1] <= 0.3 or max(braking, changing / vehicle.jerk_max_mps3) >= 0.8)
