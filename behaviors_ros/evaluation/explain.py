"""One cycle of a run, driven again up to it and told candidate by candidate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Int

from behaviors_ros.datatypes import Array, Candidates, Plan, Scores
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.case import setup
from behaviors_ros.evaluation.folder import Run
from behaviors_ros.evaluation.sets import load
from behaviors_ros.scoring.explanation import in_words, why_not
from behaviors_ros.simulation.rollout import Cycle, drive


@dataclass(frozen=True, eq=False)
class Explained:
    """A cycle made again. time_s since the start; same: every decision up to it is the one that the run recorded."""

    time_s: float
    cycle: Cycle
    same: bool

    @property
    def scorers(self) -> tuple[str, ...]:
        """Names of the scorers, in the order of a line's scores."""
        return self.cycle.plan.scores.scorers if self.cycle.plan.scores is not None else ()


@dataclass(frozen=True)
class Line:
    """A candidate: total in [0, 1], scores in the scorers' order, names of the gates that it breaks, and why it lost in
    words (empty for the winner).
    """

    index: int
    generator: str
    label: str
    total: float
    scores: tuple[float, ...]
    broken: tuple[str, ...]
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
    reasons = why_not(candidates, scores, plan.index, plan.outcome)
    order = [plan.index, *(int(i) for i in _by_total(scores) if i != plan.index)]
    return tuple(
        Line(
            i, candidates.generator[i], candidates.label[i], float(scores.total[i]),
            tuple(float(x) for x in scores.score[i]),
            tuple(gate for gate, passed in zip(scores.gates, scores.passed[i], strict=True) if not passed),
            "" if i == plan.index else in_words(scores, reasons, i, plan.index),
        )
        for i in order
    )  # fmt: skip


def _by_total(scores: Scores) -> Int[Array, "candidate"]:
    rank = np.where(scores.admissible, scores.total, -1.0)
    return np.argsort(-rank, kind="stable")
