"""Scoring within a time budget: what is scored first, and that it is scored the same."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros import pipeline
from behaviors_ros.datatypes import Decision, Degraded, Manoeuvre, Outcome
from behaviors_ros.generation.generate import generate
from behaviors_ros.scoring.anytime import Anytime, priority, score_in_time
from behaviors_ros.scoring.decision import Meaning, decide
from behaviors_ros.scoring.score import score
from behaviors_ros.scoring.select import select

WALKER = f"{1:032x}"


class Clock:
    """A clock that runs out after so many looks; every look takes a second."""

    def __init__(self, looks):
        self.left = float(looks)

    def __call__(self):
        self.left -= 1.0
        return max(self.left, 0.0)


@pytest.fixture(scope="module")
def world(bench):
    """A scene with a leader, one who crosses and a parked car; real candidates, gates and scorers."""
    stages = pipeline.build({"vehicle": bench.vehicle.model_dump()})
    agents = bench.predictions(
        bench.Agent((90.0, 0.2), 5.0, deviation=0.3), bench.Agent((85.0, -9.0), 1.5, np.pi / 2, deviation=0.3),
        bench.Agent((110.0, 1.5)), bench.Agent((40.0, 3.5), 13.0),
    )  # fmt: skip
    plan = bench.plan(bench.drive(9.5, -0.5, s=49.0))
    plan = replace(plan, decision=Decision(Manoeuvre.FOLLOW, f"{0:032x}", plan.stamp_ns))
    scene = bench.scene(route=bench.route(left_same=5.25), previous=plan)
    candidates = generate(scene, agents, stages.grid, stages.generators)
    decisions = decide(scene, agents, candidates, bench.vehicle, Meaning())
    whole = score(scene, agents, candidates, stages.gates, stages.scorers)
    return stages, scene, agents, candidates, decisions, whole


def scored(world, remaining_s=None, evaluated=None, anytime=None):
    stages, scene, agents, candidates, decisions, _ = world
    anytime = anytime or Anytime()
    return score_in_time(
        scene, agents, candidates, decisions, stages.gates, stages.scorers, anytime, remaining_s, evaluated
    )


def same_rows(part, whole, rows):
    for name in ("passed", "value", "raw", "score", "total"):
        np.testing.assert_array_equal(getattr(part, name)[rows], getattr(whole, name)[rows], err_msg=name)


def test_what_is_scored_first(world):
    _, scene, _, candidates, decisions, _ = world
    order, always = priority(candidates, decisions, scene.previous.decision, Anytime())
    assert sorted(order) == list(range(len(candidates)))
    first = {candidates.generator[i] for i in order[:always]}
    assert first == {"minimal_risk_stop", "previous"}
    rest = order[always:]
    follows = (decisions.manoeuvre[rest] == Manoeuvre.FOLLOW) & (decisions.subject[rest] == 0)
    assert follows[: follows.sum()].all()  # what the previous plan meant
    # Then one of every other meaning before a second of any.
    others = rest[follows.sum() :]
    meanings = [(int(decisions.manoeuvre[i]), int(decisions.subject[i])) for i in others]
    assert len(set(meanings[: len(set(meanings))])) == len(set(meanings))


def test_without_minimal_risk_stops_all_stops_are_scored_first(bench):
    candidates = bench.candidates(bench.drive(10.0), bench.drive(10.0, -2.0), bench.drive(10.0, -3.0))
    decisions = decide(bench.scene(), bench.predictions(), candidates, bench.vehicle, Meaning())
    order, always = priority(candidates, decisions, None, Anytime())
    assert set(order[:always]) == {1, 2}


def test_enough_time_scores_everything(world):
    table = scored(world, lambda: 10.0)
    assert table.evaluated is None
    same_rows(table, world[-1], slice(None))


@pytest.mark.parametrize("looks", range(1, 7))
def test_when_time_runs_out_rows_are_those_of_the_whole_table(bench, world, looks):
    stages, scene, agents, candidates, decisions, whole = world
    table = scored(world, Clock(looks), anytime=Anytime(chunk=16, share=0.05))
    seen = np.ones(len(candidates), bool) if table.evaluated is None else table.evaluated
    assert not seen.all() or looks > 4
    same_rows(table, whole, seen)
    assert not table.admissible[~seen].any() and (table.total[~seen] == 0.0).all()
    plan = select(scene, candidates, table, decisions, stages.selection, bench.vehicle, 1)
    assert seen[plan.index] and seen[plan.stop_index] and table.admissible[plan.index]
    assert plan.outcome in (Outcome.SELECTED, Outcome.KEPT, Outcome.STOPPING)
    assert plan.evaluated == seen.sum() and bool(plan.degraded & Degraded.SLOW) == (not seen.all())
    # The number is all that is needed to come to the same table, and the same plan, to the bit.
    again = scored(world, evaluated=plan.evaluated)
    same_rows(again, table, slice(None))
    replayed = select(scene, candidates, again, decisions, stages.selection, bench.vehicle, 1)
    assert (replayed.index, replayed.reason) == (plan.index, plan.reason)


def test_without_any_time_stops_and_the_previous_plan_are_scored(world):
    table = scored(world, lambda: 0.0)
    generators = np.array(world[3].generator)
    assert set(generators[table.evaluated]) == {"minimal_risk_stop", "previous"}
    assert table.evaluated.sum() == np.isin(generators, ("minimal_risk_stop", "previous")).sum()


def test_the_next_chunk_is_as_large_as_fits(world):
    # The first chunk takes 1 s for `always` candidates; half of the 20 s left fit 10 times as many.
    looks = iter([21.0, 20.0, 0.0])
    candidates, decisions = world[3], world[4]
    _, always = priority(candidates, decisions, world[1].previous.decision, Anytime())
    table = scored(world, lambda: next(looks), anytime=Anytime(chunk=1))
    seen = len(candidates) if table.evaluated is None else int(table.evaluated.sum())
    assert seen == min(11 * always, len(candidates))


def test_the_pipeline_takes_a_budget_and_replays_it(world):
    stages, scene = world[0], world[1]
    looks = iter([3.0, 1e-6, 0.0])
    short = pipeline.run(scene, stages, 1, lambda: next(looks)).plan
    assert 0 < short.evaluated < len(short.scores.total) and short.degraded & Degraded.SLOW
    again = pipeline.plan(scene, stages, 1, evaluated=short.evaluated)
    assert again.index == short.index and np.array_equal(again.scores.total, short.scores.total)
    assert pipeline.plan(scene, stages, 1).evaluated == len(short.scores.total)
