import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.errors import InputError
from behaviors_ros.learning.choices import Choice, stacked
from behaviors_ros.learning.weights import Fitting, fit, log_likelihood, precision, quality

NONE = Fitting(prior=0.0, bootstrap=0)
ONE = np.eye(2)


def pairs(better, worse, count, opposite=0, scorers=("a", "b")):
    """`count` times `better` was preferred to `worse`, `opposite` times the other way round."""
    table = np.array([better, worse], dtype=float)
    away = np.full(2, np.nan)
    chosen = [0] * count + [1] * opposite
    return stacked(scorers, [Choice(table, ONE[row], away, str(k)) for k, row in enumerate(chosen)])


def test_two_candidates_in_closed_form():
    # One scorer, scores 1.0 and 0.5; the better one was taken 3 times of 4: ln(3) = 0.5 theta, theta = 2 ln 3.
    choices = pairs([1.0], [0.5], 3, 1, ("a",))
    assert precision(choices, np.ones(1)) == pytest.approx(2.0 * np.log(3.0), rel=1e-3)
    found = fit(choices, np.array([4.0]), NONE)
    assert found.beta == pytest.approx(2.0 * np.log(3.0), rel=1e-3)
    assert found.weight == pytest.approx([4.0])  # the sum of the prior ones
    # ln P = 3 ln(3/4) + ln(1/4) = -0.863 - 1.386 = -2.249.
    assert log_likelihood(choices, np.array([found.beta]))[0] == pytest.approx(-2.249, abs=1e-3)


def test_two_scorers_in_closed_form():
    # Scorer a alone tells the first pair (0.4 apart, 4 of 5 take it: theta_a = ln 4 / 0.4 = 3.466), scorer b alone the
    # second (0.8 apart, 2 of 3: theta_b = ln 2 / 0.8 = 0.866): weights 4 : 1, of the prior sum 10.
    away = np.full(2, np.nan)
    first, second = np.array([[0.9, 0.5], [0.5, 0.5]]), np.array([[0.5, 0.9], [0.5, 0.1]])
    rows = [(first, 0)] * 4 + [(first, 1)] + [(second, 0)] * 2 + [(second, 1)]
    choices = stacked(("a", "b"), [Choice(table, ONE[row], away, str(k)) for k, (table, row) in enumerate(rows)])
    found = fit(choices, np.array([5.0, 5.0]), NONE)
    assert found.weight == pytest.approx([8.0, 2.0], rel=1e-2)
    assert found.beta == pytest.approx(3.466 + 0.866, rel=1e-2)


def test_no_weight_is_negative():
    # Everybody takes what scorer b rates lower.
    found = fit(pairs([0.9, 0.1], [0.5, 0.9], 9, 1), np.array([1.0, 1.0]), NONE)
    assert found.weight == pytest.approx([2.0, 0.0], abs=1e-6)


def test_the_prior_holds_what_the_choices_do_not_tell():
    # Scorer b is the same everywhere. With a strong pull nothing moves.
    choices = pairs([0.9, 0.5], [0.5, 0.5], 9, 1)
    strong = fit(choices, np.array([1.0, 3.0]), Fitting(prior=1e5, bootstrap=0))
    assert strong.weight == pytest.approx([1.0, 3.0], abs=1e-2)
    weak = fit(choices, np.array([1.0, 3.0]), Fitting(prior=1e-3, bootstrap=0))
    assert weak.beta * weak.weight[1] / 4.0 == pytest.approx(weak.beta_prior * 0.75, rel=1e-2)


def test_shares_of_a_choice_in_closed_form():
    # Two candidates, 1 apart in one score, with shares 0.8 and 0.2: theta = ln 4.
    choice = Choice(np.array([[1.0], [0.0]]), np.array([0.8, 0.2]), np.zeros(2), "x")
    found = fit(stacked(("a",), [choice]), np.ones(1), NONE)
    assert found.beta == pytest.approx(np.log(4.0), rel=1e-3)


def simulated(weight, beta, count, seed, candidates=20):
    """Choices drawn from the model."""
    rng = np.random.default_rng(seed)
    made = []
    for k in range(count):
        score = rng.uniform(0.0, 1.0, (candidates, len(weight)))
        utility = beta * (score @ weight) / weight.sum()
        share = np.exp(utility - utility.max())
        chosen = int(rng.choice(candidates, p=share / share.sum()))
        away = np.abs(np.arange(candidates) - chosen).astype(float)
        made.append(Choice(score, np.eye(candidates)[chosen], away, f"driver {k // 5}"))
    return stacked(tuple("abcd"), made)


def test_known_weights_are_recovered_and_lie_in_their_intervals():
    truth, prior = np.array([6.0, 3.0, 1.0, 0.0]), np.full(4, 2.5)
    choices, held_out = simulated(truth, 30.0, 1500, 1), simulated(truth, 30.0, 500, 2)
    found = fit(choices, prior, Fitting(prior=1.0, bootstrap=20))
    assert found.weight == pytest.approx(truth, abs=0.25)
    assert found.beta == pytest.approx(30.0, rel=0.1)
    assert (found.low <= found.weight + 1e-9).all() and (found.weight <= found.high + 1e-9).all()
    assert (found.low - 0.2 <= truth).all() and (truth <= found.high + 0.2).all() and found.high.max() < 7.0
    before = quality(held_out, found.prior, found.beta_prior, 3)
    after = quality(held_out, found.weight, found.beta, 3)
    assert after.likelihood > before.likelihood + 0.1 > before.uniform
    assert after.best > before.best and after.top > before.top and after.away_m < before.away_m
    assert before.uniform == pytest.approx(-np.log(20.0)) and after.nearest_m == 0.0


def test_quality_by_hand():
    # Weights 1 : 1. First choice: totals 0.9, 0.5, 0.7, chosen the third: second best; the best is 2 m away. Second:
    # totals 0.2, 0.6, chosen the best.
    first = Choice(np.array([[0.9, 0.9], [0.5, 0.5], [0.7, 0.7]]), np.eye(3)[2], np.array([2.0, 4.0, 0.5]), "x")
    second = Choice(np.array([[0.2, 0.2], [0.6, 0.6]]), ONE[1], np.array([3.0, 1.0]), "y")
    found = quality(stacked(("a", "b"), [first, second]), np.array([3.0, 3.0]), 2.0, 2)
    assert (found.best, found.top, found.away_m, found.nearest_m) == (0.5, 1.0, 1.5, 0.75)
    # exp(1.4) / (exp(1.8) + exp(1.0) + exp(1.4)) = 0.3163; 1 / (1 + exp(-0.8)) = 0.69.
    assert found.likelihood == pytest.approx(0.5 * (np.log(0.3163) + np.log(0.69)), abs=1e-3)
    assert found.uniform == pytest.approx(-0.5 * np.log(6.0))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.0, 20.0), min_size=4, max_size=4), st.integers(0, 1000))
def test_the_gradient_is_that_of_finite_differences(theta, seed):
    choices, theta = simulated(np.ones(4), 5.0, 6, seed, 5), np.array(theta)
    _, gradient = log_likelihood(choices, theta)
    for k in range(4):
        step = 1e-5 * np.eye(4)[k]
        rise = log_likelihood(choices, theta + step)[0] - log_likelihood(choices, theta - step)[0]
        assert gradient[k] == pytest.approx(rise / 2e-5, abs=1e-4)


def test_taking_choices_again():
    choices = simulated(np.ones(4), 5.0, 12, 3, 4)
    again = choices.take(np.array([7, 2, 7]))
    assert np.array_equal(again.score[4:8], choices.score[8:12]) and len(again) == 3
    assert np.array_equal(again.score[again.chosen], choices.score[choices.chosen[[7, 2, 7]]])
    assert set(choices.of_groups(np.array([1])).group) == {1}


def test_what_cannot_be_fitted_is_said():
    with pytest.raises(InputError, match="no choice"):
        stacked(("a",), [Choice(np.ones((1, 1)), np.ones(1), np.zeros(1), "x")])
    with pytest.raises(InputError, match="column"):
        stacked(("a",), [Choice(np.ones((2, 2)), ONE[0], np.zeros(2), "x")])
    with pytest.raises(InputError, match="prior"):
        fit(pairs([0.9, 0.1], [0.5, 0.9], 2), np.zeros(2), NONE)
