"""One cycle of a run, driven again up to it and told candidate by candidate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Int

from behaviors_ros.datatypes import Array, Candidates, Outcome, Plan, Scores
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.case import setup
from behaviors_ros.evaluation.folder import Run
from behaviors_ros.evaluation.sets import load
from behaviors_ros.simulation.rollout import Cycle, drive


@dataclass(frozen=True, eq=False)
class Explained:
    """A cycle made again. time_s since the start; same: every decision up to it is the one that the run recorded."""

    time_s: float
    cycle: Cycle
    same: bool


@dataclass(frozen=True)
class Line:
    """A candidate: total in [0, 1], scores in the scorers' order, and why it lost in words (empty for the winner)."""

    index: int
    generator: str
    label: str
    total: float
    scores: tuple[float, ...]
    lost: str


def explain(run: Run, name: str, time_s: float) -> Explained:
    """The cycle of a scenario at a time since its start (the last one at or before it)."""
    case = run.case(name)
    task = load(case, run.options)
    made = setup(task.scenario, run.options)
    number = int(np.floor(time_s / task.scenario.dt_s + 1e-6)) + 1
    plans: list[Plan] = []
    cycle: Cycle | None = None
    for world, cycle in islice(drive(task.scenario, made.stages, made.controller, made.parameters), max(number, 1)):
        plans.append(cycle.plan)
        if made.oracle is not None:
            made.oracle.see(world)
    if cycle is None or len(plans) < number:
        last_s = (len(plans) - 1) * task.scenario.dt_s
        raise InputError(name, "--time", f"{time_s:g} s is after the drive's end", f"give 0 to {last_s:.1f}")
    return Explained((number - 1) * task.scenario.dt_s, cycle, _same(run, name, plans))


def _same(run: Run, name: str, plans: list[Plan]) -> bool:
    recorded = run.arrays(name)
    pairs = zip(plans, recorded["plan_index"], recorded["plan_label"], strict=False)
    return all(plan.index == index and plan.label == label for plan, index, label in pairs)


def lines(candidates: Candidates, plan: Plan) -> tuple[Line, ...]:
    """All candidates, the winner first, then by total, the forbidden ones last."""
    scores = plan.scores
    if scores is None:
        return ()
    order = [plan.index, *(int(i) for i in _by_total(scores) if i != plan.index)]
    return tuple(
        Line(i, candidates.generator[i], candidates.label[i], float(scores.total[i]),
             tuple(float(x) for x in scores.score[i]), "" if i == plan.index else why_lost(scores, plan, i))
        for i in order
    )  # fmt: skip


def why_lost(scores: Scores, plan: Plan, index: int) -> str:
    """The first reason: the first gate that forbids it, else the term that costs it most against the winner."""
    gate = scores.first_reason(index)
    if gate:
        column = scores.gates.index(gate)
        return f"forbidden by {gate}: {scores.value[index, column]:.3g}, limit {scores.limit[column]:.3g}"
    if not np.isfinite(scores.total[index]):
        return "is not finite"
    weight = scores.weight / max(float(scores.weight.sum()), 1e-12)
    cost = weight * (scores.score[plan.index] - scores.score[index])
    term = int(np.argmax(cost))
    behind = float(scores.total[plan.index] - scores.total[index])
    if plan.outcome is Outcome.KEPT and behind < 0.0:
        return f"better by {-behind:.4f}, too little to change the plan"
    if cost[term] <= 0.0:
        return "is as good; the winner comes first"
    return f"{scores.scorers[term]} costs it {cost[term]:.4f} of {behind:.4f}"


def _by_total(scores: Scores) -> Int[Array, "candidate"]:
    rank = np.where(scores.admissible, scores.total, -1.0)
    return np.argsort(-rank, kind="stable")
