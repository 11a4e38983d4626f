import numpy as np
import pytest

from behaviors_ros.datatypes import Candidates, Scores
from behaviors_ros.errors import InputError
from behaviors_ros.learning.choices import Nearness, driven, preferred

TIME_S = np.arange(3) * 0.1


def candidates(offsets) -> Candidates:
    """Straight along x, beside the axis."""
    offsets = np.asarray(offsets, dtype=float)
    x, d = np.broadcast_arrays(TIME_S * 10.0, offsets[:, None])
    flat, count = np.zeros(x.shape), len(offsets)
    return Candidates(
        0, TIME_S, ("g",) * count, ("l",) * count, np.zeros(count, dtype=bool), np.stack([x, d], axis=-1), flat,
        flat + 10.0, flat, flat, x, d,
    )  # fmt: skip


def scores(admitted) -> Scores:
    passed = np.array(admitted)[:, None]
    score = np.arange(2.0 * len(admitted)).reshape(-1, 2) / 10.0
    total = np.where(passed[:, 0], score.mean(axis=1), 0.0)
    return Scores(("g",), passed, np.zeros(passed.shape), np.zeros(1), ("a", "b"), score, score, np.ones(2), total)


FUTURE = np.stack([TIME_S * 10.0, np.full(3, 0.3)], axis=-1)


def test_the_nearest_admissible_candidates_share_the_choice():
    # Driven at 0.3 m beside: 0.3, 0.2 (forbidden), 0.6 m away. Shares exp(-0.5) and exp(-2) with near 0.3 m:
    # 1 : exp(-1.5), 0.818 and 0.182.
    found = driven(scores([True, False, True]), candidates([0.0, 0.1, 0.9]), FUTURE, "x", Nearness(near_m=0.3))
    assert found.away_m == pytest.approx([0.3, 0.6]) and found.chosen == 0
    assert found.share == pytest.approx([0.8176, 0.1824], abs=1e-4)
    assert np.array_equal(found.score, [[0.0, 0.1], [0.4, 0.5]])


def test_beyond_the_record_nothing_is_compared():
    future = FUTURE.copy()
    future[2] = np.nan
    offered = candidates([0.0, 0.6])
    offered.position[0, 2] = 99.0
    assert driven(scores([True, True]), offered, future, "x", Nearness()).away_m == pytest.approx([0.3, 0.3])


def test_what_the_ego_could_not_choose_is_no_choice():
    assert driven(scores([True, True]), candidates([3.0, 4.0]), FUTURE, "x", Nearness(largest_m=2.0)) is None
    assert driven(scores([False, False]), candidates([0.3, 0.4]), FUTURE, "x", Nearness()) is None
    assert driven(scores([True, True]), candidates([0.3, 0.4]), np.full((3, 2), np.nan), "x", Nearness()) is None


def test_a_preference_is_a_choice_of_two():
    found = preferred(scores([True, False, True]), 2, 1, "run left")
    assert np.array_equal(found.score, [[0.4, 0.5], [0.2, 0.3]]) and found.chosen == 0
    with pytest.raises(InputError, match="there is no 3"):
        preferred(scores([True, False, True]), 3, 1, "run left")
