from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import Decision, Manoeuvre, Outcome, Scores, SignalColor, Terms, Verdict
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.scoring.decision import Meaning
from behaviors_ros.scoring.decision import decide as meanings
from behaviors_ros.scoring.score import score
from behaviors_ros.scoring.select import Selection, select


class Fixed:
    """A plugin with a fixed answer."""

    def __init__(self, name, values, weight=1.0):
        self.name, self.values = name, np.array(values, dtype=float)
        self.p = type("P", (), {"weight": weight})()

    def check(self, scene, predictions, candidates):
        return Verdict(self.values <= 1.0, self.values, 1.0)

    def score(self, scene, predictions, candidates):
        return Terms(self.values, self.values)


def table(bench, candidates, gates, scorers, scene=None) -> Scores:
    return score(scene or bench.scene(), bench.predictions(), candidates, gates, scorers)


def three(bench):
    """Going on, a gentle stop, a harsh minimal-risk stop."""
    drives = [bench.drive(10.0), bench.drive(10.0, -2.0), bench.drive(10.0, -5.0)]
    generators = ["lattice", "lattice", "minimal_risk_stop"]
    return bench.candidates(*drives, generators=generators, labels=["go", "stop gently", "stop now"])


def decide(bench, gate, values, scene=None, selection=None, candidates=None):
    candidates, scene = candidates or three(bench), scene or bench.scene()
    scorers = [Fixed("a", values, 3.0), Fixed("b", [0.5] * 3)]
    scores = table(bench, candidates, [Fixed("collision", gate)], scorers, scene)
    return chosen(bench, scene, bench.predictions(), candidates, scores, 42, selection or Selection())


def chosen(bench, scene, predictions, candidates, scores, plan_id=1, selection=Selection()):  # noqa: B008
    meant = meanings(scene, predictions, candidates, bench.vehicle, Meaning())
    return select(scene, candidates, scores, meant, selection, bench.vehicle, plan_id)


def test_total_is_the_weighted_mean_times_the_gates(bench):
    # (3 x 0.8 + 1 x 0.4) / 4 = 0.7.
    scorers = [Fixed("a", [0.8] * 3, 3.0), Fixed("b", [0.4] * 3, 1.0)]
    scores = table(bench, three(bench), [Fixed("g", [0, 2, 0]), Fixed("h", [0, 0, 2])], scorers)
    assert scores.total == pytest.approx([0.7, 0.0, 0.0])
    assert scores.admissible.tolist() == [True, False, False]
    assert [scores.first_reason(i) for i in range(3)] == ["", "g", "h"]


def test_nan_forbids_and_scores_nothing(bench):
    candidates = three(bench)
    candidates.speed[0, 5] = np.nan
    scores = table(bench, candidates, [Fixed("g", [0, np.nan, 0])], [Fixed("a", [1, 1, np.nan])])
    assert scores.passed[:, 0].tolist() == [False, False, True]
    assert scores.total.tolist() == [0.0, 0.0, 0.0] and scores.score[2, 0] == 0.0


def test_wrong_use_is_named(bench):
    with pytest.raises(BehaviorsError, match="short: answer of shape"):
        table(bench, three(bench), [], [Fixed("short", [1.0])])
    empty = three(bench)
    arrays = {name: value[:0] for name, value in vars(empty).items() if getattr(value, "ndim", 0) and name != "time_s"}
    with pytest.raises(BehaviorsError, match="no candidates"):
        table(bench, replace(empty, generator=(), label=(), **arrays), [], [])


def test_the_best_admissible_candidate_is_selected_and_carries_a_stop(bench):
    plan = decide(bench, [0, 0, 0], [0.9, 0.5, 0.1])
    assert (plan.outcome, plan.index, plan.stop_index, plan.plan_id) == (Outcome.SELECTED, 0, 1, 42)
    assert plan.trajectory.speed[-1] == 10.0 and plan.stop.speed[-1] == 0.0
    assert plan.valid_until_ns == plan.stamp_ns + 600_000_000
    # Lead: (3 x 0.9 - 3 x 0.5) / 4 = 0.3.
    assert plan.reason == "keep lane: minimal-risk stop is 0.300 behind, 0.300 by a"
    assert plan.decision.manoeuvre == Manoeuvre.KEEP_LANE and plan.decision.lead == pytest.approx(0.3)
    assert plan.decision.since_ns == plan.stamp_ns


def test_reason_counts_what_is_forbidden(bench):
    assert decide(bench, [2, 0, 2], [0.9, 0.5, 0.1]).reason == (
        "minimal-risk stop: keep lane breaks collision (2 > 1); forbidden of 3: collision 2"
    )


def test_stopping_takes_the_gentlest_minimal_risk_stop(bench):
    drives = [bench.drive(10.0), bench.drive(10.0, -6.0), bench.drive(10.0, -4.0)]
    candidates = bench.candidates(*drives, generators=["lattice", "minimal_risk_stop", "minimal_risk_stop"])
    plan = decide(bench, [2, 0, 0], [0.9, 0.9, 0.1], candidates=candidates)
    assert (plan.outcome, plan.index, plan.stop_index) == (Outcome.STOPPING, 2, 2)
    assert "only minimal-risk stops" in plan.reason
    assert plan.decision.manoeuvre == Manoeuvre.MINIMAL_RISK_STOP


def test_a_stop_for_what_was_stopped_for_keeps_its_name(bench):
    scene, agents = bench.scene(), bench.predictions(bench.Agent((80.0, 0.0)))
    candidates = bench.candidates(bench.drive(10.0), bench.drive(10.0, -2.5), generators=["a", "minimal_risk_stop"])
    scores = table(bench, candidates, [Fixed("collision", [2, 0])], [Fixed("a", [0.9, 0.9])])
    for subject, manoeuvre in ((0, Manoeuvre.STOP), (1, Manoeuvre.MINIMAL_RISK_STOP)):
        before = bench.plan(bench.drive(10.0, -2.5, s=49.0))
        before = replace(before, decision=Decision(Manoeuvre.STOP, f"{subject:032x}", 1))
        plan = chosen(bench, replace(scene, previous=before), agents, candidates, scores)
        assert (plan.outcome, plan.decision.manoeuvre) == (Outcome.STOPPING, manoeuvre)
        assert (plan.decision.since_ns == 1) == (subject == 0)


def test_holding_still_is_an_ordinary_selection(bench):
    scene = replace(bench.signal(SignalColor.RED, s=54.0), ego=bench.scene(speed=0.0).ego)
    candidates = bench.candidates(bench.drive(0.0, 1.0), bench.drive(0.0))
    scores = table(bench, candidates, [bench.gate("signals")], [bench.scorer("progress")], scene)
    plan = chosen(bench, scene, bench.predictions(), candidates, scores)
    assert (plan.outcome, plan.index) == (Outcome.SELECTED, 1)
    assert plan.decision.manoeuvre == Manoeuvre.STOP and plan.decision.subject == "signal 7"
    assert "signals 1" in plan.reason


def test_emergency_takes_the_stop_with_the_latest_contact(bench):
    # Rear of a car at 61.2 - 2.25 = 58.95, 5.35 m ahead of the bumper; contact where less than 0.15 m is left, after
    # 5.2 m: 10 t at 0.52 s, 10 t - t^2 at 0.55 s, 10 t - 2.5 t^2 at 0.615 s; in the steps at 0.6, 0.6 and 0.7 s.
    predictions, candidates = bench.predictions(bench.Agent((61.2, 0.0))), three(bench)
    gates = [bench.gate("collision"), bench.gate("collision_chance")]
    scores = score(bench.scene(), predictions, candidates, gates, [])
    assert scores.value[:, 0] == pytest.approx([0.6, 0.6, 0.7])
    plan = chosen(bench, bench.scene(), predictions, candidates, scores)
    assert plan.decision.manoeuvre == Manoeuvre.EMERGENCY_STOP
    assert (plan.outcome, plan.index, plan.stop_index) == (Outcome.EMERGENCY, 2, 2)
    assert "collision" in plan.reason


def test_hysteresis(bench):
    # 'stop gently' continues the previous plan. The best leads by 0.75 x 0.012 = 0.009 < 0.01: kept; by 0.015: not.
    scene = bench.scene(previous=bench.plan(bench.drive(10.2, -2.0, s=50.0 - 1.01), age_s=0.1))
    kept = decide(bench, [0, 0, 0], [0.612, 0.6, 0.1], scene=scene)
    assert (kept.outcome, kept.index) == (Outcome.KEPT, 1)
    assert kept.reason.startswith("minimal-risk stop: keep lane leads by 0.009, too little to change")
    assert decide(bench, [0, 0, 0], [0.62, 0.6, 0.1], scene=scene).outcome == Outcome.SELECTED
    assert decide(bench, [0, 0, 0], [0.612, 0.6, 0.1]).index == 0
    # Forbidden, the continuation is not kept.
    assert decide(bench, [0, 2, 0], [0.612, 0.6, 0.6115], scene=scene).index == 0


def test_small_improvements_need_no_margin(bench):
    # The second is the same choice as the previous plan, and a little better than continuing it exactly.
    scene = bench.scene(previous=bench.plan(bench.drive(10.0, s=49.0), age_s=0.1))
    candidates = bench.candidates(bench.drive(10.0), bench.drive(10.2), bench.drive(5.0))
    plan = decide(bench, [0, 0, 0], [0.600, 0.601, 0.1], scene=scene, candidates=candidates)
    assert (plan.outcome, plan.index) == (Outcome.SELECTED, 1)


def test_a_set_without_stops_still_gets_one(bench):
    candidates = bench.candidates(bench.drive(10.0), bench.drive(10.0, -0.5), bench.drive(11.0))
    plan = decide(bench, [0, 0, 0], [0.9, 0.5, 0.1], candidates=candidates)
    assert plan.stop_index == 1  # travels least
