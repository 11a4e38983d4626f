import numpy as np
import pytest

from behaviors_ros.learning.reduction import Reduction, reduced

PLAIN = {"spread": 1.0, "soft_m": 1e-3}


def standing(*sets):
    """One window, sets of hypotheses that stay at places for two steps."""
    return np.repeat(np.array(sets, float)[None, :, :, None], 2, axis=3)


def expected(sets, kept):
    """What is made small: least mean and least final displacement, mean over the draws."""
    draws = sets[0].reshape(-1, *sets.shape[3:])
    away = np.linalg.norm(draws[:, None] - kept[0][None], axis=3)
    return away.mean(axis=2).min(axis=1).mean() + away[..., -1].min(axis=1).mean()


def test_pairs_are_averaged_whatever_their_order():
    # (0, 0) with (0, 2), (10, 0) with (12, 0): means (0, 1) and (11, 0).
    kept, share = reduced(standing([(0, 0), (10, 0)], [(12, 0), (0, 2)]), Reduction(rounds=0, **PLAIN))
    assert kept[0, :, 0] == pytest.approx(np.array([(0, 1), (11, 0)]))
    assert share[0].tolist() == [0.5, 0.5]


def test_pairs_together_are_nearest():
    # Nearest first would pair (1, 0) with (1, 1), 1 apart, and leave (0, 0) and (3, 0), 3 apart: 4 together. The other
    # way round it is 1.41 and 2: 3.41.
    kept, _ = reduced(standing([(0, 0), (1, 0)], [(1, 1), (3, 0)]), Reduction(rounds=0, **PLAIN))
    assert kept[0, :, 0] == pytest.approx(np.array([(0.5, 0.5), (2.0, 0.0)]))


def test_one_moves_to_the_median():
    # On a line the geometric median of 0, 1 and 11 is 1, not the mean 4.
    kept, share = reduced(standing([(0, 0)], [(1, 0)], [(11, 0)]), Reduction(rounds=200, **PLAIN))
    assert kept[0, 0] == pytest.approx(np.array([(1, 0), (1, 0)]), abs=0.01)
    assert share.tolist() == [[1.0]]


def test_spread_is_about_the_mean():
    # Mean (5, 0): 0 and 10 become -5 and 15.
    kept, _ = reduced(standing([(0, 0), (10, 0)]), Reduction(rounds=0, spread=2.0))
    assert kept[0, :, 0] == pytest.approx(np.array([(-5, 0), (15, 0)]))


def test_moving_the_few_makes_them_better():
    sets = np.cumsum(np.random.default_rng(0).normal(size=(1, 10, 6, 5, 2)), axis=3)
    paired, _ = reduced(sets, Reduction(rounds=0, **PLAIN))
    moved, share = reduced(sets, Reduction(rounds=10, **PLAIN))
    assert expected(sets, moved) < expected(sets, paired)
    assert share.sum() == pytest.approx(1.0)


def test_one_set_stays_as_it_is():
    sets = np.random.default_rng(1).normal(size=(2, 1, 4, 3, 2))
    kept, _ = reduced(sets, Reduction(rounds=3, **PLAIN))
    assert kept == pytest.approx(sets[:, 0], abs=1e-6)
