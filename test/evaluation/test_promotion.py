import pytest

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.compare import Comparison, Difference
from behaviors_ros.evaluation.promotion import closed_loop, open_loop, read_gates

GATES = """
open_loop:
  - {figure: minfde, class: all, k: 1, horizon_s: 5.0, worse: 0.02}
  - {figure: ece, class: car, k: 6, horizon_s: 5.0, highest: 0.05}
closed_loop:
  - {figure: score, worse: 0.01}
  - {figure: collision, worse: 0.0}
"""


@pytest.fixture
def gates(tmp_path):
    (tmp_path / "gates.yaml").write_text(GATES)
    return read_gates(tmp_path / "gates.yaml")


def rows(minfde, ece):
    base = {"predictor": "learned", "horizon_s": 5.0}
    moving = base | {"class": "all", "k": 1, "moving": "moving", "minfde": 100.0}  # not what is asked for
    return [
        moving,
        base | {"class": "all", "k": 1, "moving": "all", "minfde": minfde},
        base | {"class": "car", "k": 6, "ece": ece},
    ]


@pytest.mark.parametrize(
    ("minfde", "ece", "passed"),
    # A has 4.0 m: 2 % more is 4.08 m.
    [(4.0, 0.05, [True, True]), (4.08, 0.0, [True, True]), (4.09, 0.051, [False, False]), (None, None, [False, False])],
)
def test_open_loop(gates, minfde, ece, passed):
    found = open_loop(gates, rows(4.0, 0.01), rows(minfde, ece))
    assert [verdict.passed for verdict in found] == passed
    assert "minfde of all, K = 1 at 5 s, no more than 2 % worse" in found[0].gate


@pytest.mark.parametrize(("share", "passed"), [(0.84, False), (0.85, True), (0.95, True), (0.96, False)])
def test_a_figure_that_should_lie_between(tmp_path, share, passed):
    gate = "open_loop: [{figure: coverage90, k: 6, horizon_s: 5.0, lowest: 0.85, highest: 0.95}]"
    (tmp_path / "gates.yaml").write_text(gate)
    found = open_loop(read_gates(tmp_path / "gates.yaml"), [], [
        {"class": "all", "k": 6, "horizon_s": 5.0, "coverage90": share}])  # fmt: skip
    assert [verdict.passed for verdict in found] == [passed]


def test_without_figures_of_a_only_the_limit_can_be_held(gates):
    assert [verdict.passed for verdict in open_loop(gates, [], rows(1.0, 0.01))] == [False, True]


@pytest.mark.parametrize(
    ("score", "collision", "passed"),
    [(0.80, 0.10, [True, True]), (0.79, 0.09, [True, True]), (0.78, 0.11, [False, False])],
)
def test_closed_loop(gates, score, collision, passed):
    differences = (
        Difference("score", "", 10, 0.8, score, score - 0.8, 0.0, 0.0, None),
        Difference("collision", "share", 10, 0.1, collision, collision - 0.1, 0.0, 0.0, None),
    )
    found = Comparison("a", "b", 10, (), (), differences, (), (), 10, (), ())
    assert [verdict.passed for verdict in closed_loop(gates, found)] == passed
    nothing = Comparison("a", "b", 10, (), (), (), (), (), 10, (), ())
    assert not any(verdict.passed for verdict in closed_loop(gates, nothing))


def test_the_shipped_gates_are_gates():
    found = read_gates()
    assert found.open_loop and found.closed_loop


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("- 1", "mapping"), ("{", "is not YAML"), ("open_loop: [{figure: beauty}]", "beauty"),
        ("closed_loop: [{figure: beauty}]", "beauty"), ("open_loop: [{colour: red}]", "colour"),
        ("open_loop: [{figure: coverage50, worse: 0.1}]", "lowest and highest"),
    ],
)  # fmt: skip
def test_wrong_gates(tmp_path, text, match):
    (tmp_path / "gates.yaml").write_text(text)
    with pytest.raises(InputError, match=match):
        read_gates(tmp_path / "gates.yaml")
