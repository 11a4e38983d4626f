"""Why each candidate lost, and the line that says so."""

import numpy as np
import pytest

from behaviors_ros.datatypes import Manoeuvre, Order, Outcome, Scores
from behaviors_ros.scoring.decision import Meaning, decide
from behaviors_ros.scoring.explanation import Lost, in_words, why_not
from behaviors_ros.scoring.reason import phrase, short


def table(passed, value, score, evaluated=None, total=None):
    """Two gates (limits 3 s at least, 0.5 m at most), scorers progress and comfort with weights 3 and 1."""
    passed, score = np.array(passed, dtype=bool), np.array(score, dtype=float)
    mean = score @ np.array([0.75, 0.25])
    return Scores(
        ("collision", "signals"), passed, np.array(value, dtype=float), np.array([3.0, 0.5]),
        ("progress", "comfort"), score, score, np.array([3.0, 1.0]),
        np.where(passed.all(axis=1), mean, 0.0) if total is None else np.array(total),
        None if evaluated is None else np.array(evaluated, dtype=bool), ("s", "m"),
    )  # fmt: skip


def candidates(bench, count):
    return bench.candidates(*[bench.drive(10.0 - i) for i in range(count)])


def test_each_loser_has_its_first_reason(bench):
    scores = table(
        [[1, 1], [0, 0], [1, 0], [1, 1], [1, 1], [0, 0], [0, 0]],
        [[5, 0], [1.4, 4], [5, 4.21], [5, 0], [5, 0], [np.nan, 0], [np.nan, np.nan]],
        [[0.8, 0.8], [0.9, 0.9], [0.9, 0.9], [0.8, 0.4], [0.9, 0.8], [0.1, 0.1], [0.0, 0.0]],
        [1, 1, 1, 1, 1, 1, 0],
    )
    made = candidates(bench, 7)
    reasons = why_not(made, scores, 0, Outcome.KEPT)
    assert reasons.code.tolist() == [
        Lost.SELECTED, Lost.GATE, Lost.GATE, Lost.SCORER, Lost.HYSTERESIS, Lost.GATE, Lost.NOT_EVALUATED,
    ]  # fmt: skip
    assert reasons.which.tolist() == [-1, 0, 1, 1, -1, 0, -1]
    words = [in_words(scores, reasons, i, 0) for i in range(7)]
    # 0.25 x 0.4 = 0.1 by comfort alone; 0.75 x 0.1 = 0.075 ahead.
    assert words == [
        "selected", "breaks collision (1.4 s < 3 s)", "breaks signals (4.21 m > 0.5 m)",
        "is 0.100 behind, 0.100 by comfort", "leads by 0.075, too little to change", "breaks collision (unknown)",
        "not evaluated",
    ]  # fmt: skip
    waited = why_not(made, scores, 0, Outcome.SELECTED)
    assert "waited" in in_words(scores, waited, 4, 0)


def test_what_is_not_finite_says_so(bench):
    made = candidates(bench, 2)
    made.speed[1, 3] = np.nan
    reasons = why_not(made, table([[1, 1], [0, 0]], [[5, 0], [np.nan] * 2], [[1, 1], [0, 0]]), 0, Outcome.SELECTED)
    assert reasons.code[1] == Lost.NOT_FINITE and reasons.which[1] == -1


def test_where_nothing_is_admissible_the_gate_of_each_is_told(bench):
    scores = table([[0, 1], [0, 1]], [[2.0, 0], [1.0, 0]], [[0.5, 0.5], [0.9, 0.9]])
    reasons = why_not(candidates(bench, 2), scores, 0, Outcome.EMERGENCY)
    assert reasons.code.tolist() == [Lost.SELECTED, Lost.GENTLER]
    assert in_words(scores, reasons, 1, 0) == "breaks collision (1 s < 3 s)"


def test_no_gates_and_no_scorers(bench):
    none = np.zeros((2, 0))
    scores = Scores((), none.astype(bool), none, np.zeros(0), (), none, none, np.zeros(0), np.array([1.0, 1.0]))
    reasons = why_not(candidates(bench, 2), scores, 0, Outcome.SELECTED)
    assert reasons.code.tolist() == [Lost.SELECTED, Lost.SCORER]
    assert in_words(scores, reasons, 1, 0) == "is 0.000 behind"


def test_the_line_says_why_the_ego_does_not_go_first(bench):
    # As in test_decision: 1 goes before, and hits the one who crosses.
    from behaviors_ros.scoring.score import score
    from behaviors_ros.scoring.select import Selection, select

    scene, agents = bench.scene(), bench.predictions(bench.Agent((84.0, -22.0), 6.0, np.pi / 2))
    made = bench.candidates(bench.drive(10.0, -2.0), bench.drive(10.0, 0.5), bench.drive(10.0, -3.0))
    meant = decide(scene, agents, made, bench.vehicle, Meaning())
    assert meant.order[:, 0].tolist() == [Order.BEHIND, Order.BEFORE, Order.BEHIND]
    scores = score(scene, agents, made, [bench.gate("collision", free_s=4.0)], [bench.scorer("progress")])
    plan = select(scene, made, scores, meant, Selection(), bench.vehicle, 1)
    assert plan.reason.startswith("yield to 0 (comes in 3.3 s): pass before 0 breaks collision (3.")
    assert plan.reason.endswith("forbidden of 3: collision 1")


@pytest.mark.parametrize(
    ("manoeuvre", "subject", "order", "words"),
    [
        (Manoeuvre.KEEP_LANE, "", Order.NEVER, "keep lane"),
        (Manoeuvre.FOLLOW, "3fa2" + 28 * "0", Order.BEHIND, "follow 3fa2"),
        (Manoeuvre.STOP, "signal 12", Order.NEVER, "stop for signal 12"),
        (Manoeuvre.CHANGE_LEFT, "12ab" + 28 * "0", Order.BEFORE, "change to the left lane before 12ab"),
        (Manoeuvre.CHANGE_RIGHT, "12ab" + 28 * "0", Order.BEHIND, "change to the right lane behind 12ab"),
        (Manoeuvre.PASS_LEFT, "", Order.NEVER, "pass on the left"),
        (Manoeuvre.CREEP, "yield line 3", Order.NEVER, "creep to yield line 3"),
        (Manoeuvre.EMERGENCY_STOP, "", Order.NEVER, "emergency stop"),
    ],
)  # fmt: skip
def test_phrases(manoeuvre, subject, order, words):
    assert phrase(manoeuvre, subject, order) == words


def test_ids_are_short():
    assert short(f"{10:032x}") == "a" and short("0" * 32) == "0" and short("the goal") == "the goal"
