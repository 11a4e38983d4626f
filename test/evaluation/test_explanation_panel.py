"""What the page tells of decisions."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from behaviors_ros.datatypes import Candidates, Decision, Decisions, Manoeuvre, Outcome, Plan, Scores
from behaviors_ros.evaluation.explanation_panel import decision_of, timeline, told

CAR, SECOND = 28 * "0" + "3fa2", 10**9


def candidates():
    flat = np.zeros((2, 3))
    return Candidates(0, np.arange(3.0), ("a", "a"), ("x", "y"), np.zeros(2, bool), np.zeros((2, 3, 2)), *[flat] * 6)


def plan(at_ns=5 * SECOND, **more):
    decision, drive = (
        Decision(Manoeuvre.YIELD, CAR, at_ns - 1_250_000_000, 0.03125, (), (CAR,)),
        candidates().trajectory(0),
    )
    return Plan(
        at_ns, 1, drive, drive, at_ns, 0, 0, "a", "x", Outcome.SELECTED, "", decision=decision, evaluated=7, **more
    )


def test_the_decision_of_a_cycle():
    assert decision_of(plan()) == {
        "words": "yield to 3fa2", "kind": "YIELD", "held": 1.2, "lead": 0.031, "before": [], "behind": ["3fa2"],
        "evaluated": 7,
    }  # fmt: skip
    assert decision_of(replace(plan(), decision=None)) is None


def test_what_a_candidate_means_and_why_it_lost():
    value, passed = np.array([[5.0], [1.4]]), np.array([[True], [False]])
    score = np.array([[0.5], [0.9]])
    scores = Scores(("collision",), passed, value, np.array([3.0]), ("progress",), score, score, np.ones(1),
                    np.array([0.5, 0.0]), None, ("s",))  # fmt: skip
    order = np.array([[2], [1]])
    meant = Decisions((CAR,), np.array([2, 3]), np.zeros(2, int), np.zeros(2), order, order > 0, order > 3, np.zeros(2))
    made = SimpleNamespace(plan=plan(scores=scores, decisions=meant), candidates=candidates())
    assert told(made, [0, 1]) == [
        {"m": "yield to 3fa2", "l": "selected"}, {"m": "pass before 3fa2", "l": "breaks collision (1.4 s < 3 s)"},
    ]  # fmt: skip
    assert told(SimpleNamespace(plan=plan(), candidates=candidates()), [1]) == [{}]


def test_the_timeline_joins_cycles_of_one_decision():
    def frame(t, words):
        return {"t": t, "decision": {"words": words, "kind": words.upper()} if words else None}

    frames = [frame(0.0, None), frame(0.1, "a"), frame(0.2, "a"), frame(0.3, "b"), frame(0.4, "a")]
    assert timeline(frames) == [
        {"from": 0.1, "to": 0.3, "kind": "A", "words": "a"}, {"from": 0.3, "to": 0.4, "kind": "B", "words": "b"},
        {"from": 0.4, "to": 0.4, "kind": "A", "words": "a"},
    ]  # fmt: skip
