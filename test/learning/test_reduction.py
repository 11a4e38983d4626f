import numpy as np
import pytest

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.learning.reduction import Reduction, reduced


def standing(*places):
    """One window, hypotheses that stay at places for two steps."""
    return np.repeat(np.array(places, float)[None, :, None], 2, axis=2)


def expected(samples, kept):
    """What is made small: least mean and least final displacement, mean over the draws."""
    away = np.linalg.norm(samples[0, :, None] - kept[0][None], axis=3)
    return away.mean(axis=2).min(axis=1).mean() + away[..., -1].min(axis=1).mean()


def test_one_of_three_is_their_median():
    # On a line the geometric median of 0, 1 and 10 is 1, not the mean 11 / 3.
    kept, share = reduced(standing((0, 0), (1, 0), (10, 0)), Reduction(kept=1, rounds=50, soft_m=1e-3))
    assert kept[0, 0] == pytest.approx(np.array([(1, 0), (1, 0)]), abs=0.01)
    assert share.tolist() == [[1.0]]


def test_two_of_two_heaps():
    # Heaps of 3 and 1 draws, 20 m apart: one each, with shares 3/4 and 1/4; the median of (0,0), (1,0), (2,0) is (1,0).
    kept, share = reduced(standing((0, 0), (1, 0), (2, 0), (20, 0)), Reduction(kept=2, rounds=50, soft_m=1e-3))
    order = np.argsort(kept[0, :, 0, 0])
    assert kept[0, order, -1] == pytest.approx(np.array([(1, 0), (20, 0)]), abs=0.01)
    assert share[0, order] == pytest.approx([0.75, 0.25])


def test_moving_the_few_makes_them_better():
    samples = np.cumsum(np.random.default_rng(0).normal(size=(1, 60, 5, 2)), axis=2)
    chosen, _ = reduced(samples, Reduction(kept=6, rounds=0))
    moved, _ = reduced(samples, Reduction(kept=6, rounds=10))
    arbitrary = samples[:, :6]
    assert expected(samples, moved) < expected(samples, chosen) < expected(samples, arbitrary)


def test_all_may_be_kept():
    samples = standing((0, 0), (3, 0), (0, 3))
    kept, _ = reduced(samples, Reduction(kept=3, rounds=5))
    assert expected(samples, kept) == pytest.approx(0.0, abs=1e-9)


def test_too_few_samples():
    with pytest.raises(BehaviorsError, match="2 samples for 3 to keep"):
        reduced(standing((0, 0), (1, 0)), Reduction(kept=3))
