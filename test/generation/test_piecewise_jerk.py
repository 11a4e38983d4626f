"""Least-jerk motions as quadratic programmes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.generation.piecewise_jerk import Problem, basis, solved, states


def problem(count, step, start=(0.0, 0.0, 0.0), end=None, weights=(0.0, 0.0, 0.0, 1.0), wanted=(0.0, 0.0, 0.0), **more):
    """A problem with the same weights, wanted values and bounds at all knots."""
    signs = {"low": -1.0, "high": 1.0}
    bounds = {
        name: np.tile((*more.get(name, (sign * np.inf,) * 3), sign * more.get("jerk", 1e4)), (count, 1))
        for name, sign in signs.items()
    }
    return Problem(
        np.array(start), step, np.tile(weights, (count, 1)), np.tile((*wanted, 0.0), (count, 1)), **bounds,
        end=None if end is None else np.array(end),
    )  # fmt: skip


def test_basis_of_two_intervals():
    # jerk 1 in the first of two unit intervals: after it 1/6, 1/2, 1; coasting on, 1/6 + 1/2 + 1/2, 1/2 + 1, 1
    unit = basis(2)
    assert unit.value == pytest.approx(np.array([[1 / 6, 0], [7 / 6, 1 / 6]]))
    assert unit.rate == pytest.approx(np.array([[0.5, 0], [1.5, 0.5]]))
    assert unit.bend == pytest.approx(np.array([[1.0, 0], [1.0, 1.0]]))


def test_least_jerk_from_rest_to_rest_is_the_quintic():
    # 8 m in 4 s: s = 8 (10 u^3 - 15 u^4 + 6 u^5): 0.828 m after 1 s, 4 m after 2 s at 1.875 x 8 / 4 = 3.75 m/s
    jerks = solved(problem(40, 0.1, end=(8.0, 0.0, 0.0)))
    out = states(np.zeros(3), 0.1, jerks, np.array([0.0, 1.0, 2.0, 3.0, 4.0]))
    assert out[:, 0] == pytest.approx([0.0, 0.828, 4.0, 7.172, 8.0], abs=0.003)
    assert out[2, 1] == pytest.approx(3.75, abs=0.01)
    assert out[-1] == pytest.approx([8.0, 0.0, 0.0], abs=1e-6)


def test_a_bound_on_speed_is_met_and_touched():
    # unbounded the speed reaches 3.75 m/s; 8 m in 4 s need 2 m/s on average
    bounded = problem(20, 0.2, end=(8.0, 0.0, 0.0), high=(np.inf, 3.0, np.inf))
    out = states(np.zeros(3), 0.2, solved(bounded), np.arange(0.0, 4.01, 0.2))
    assert out[:, 1].max() == pytest.approx(3.0, abs=1e-4)
    assert out[-1, 0] == pytest.approx(8.0, abs=1e-6)


def test_a_place_that_may_not_be_passed():
    # at 10 m/s with 5 m/s2 at most one stands after 10 m at the least: before 12 m it must brake, before 9 m it cannot
    wanted, weights = (0.0, 10.0, 0.0), (0.0, 1.0, 0.1, 0.1)
    for place, possible in ((16.0, True), (9.0, False)):
        given_up = problem(
            20, 0.3, (0.0, 10.0, 0.0), None, weights, wanted,
            low=(-np.inf, 0.0, -5.0), high=(place, 13.0, 2.0), jerk=20.0,
        )  # fmt: skip
        jerks = solved(given_up)
        assert (jerks is not None) is possible
        if jerks is not None:
            assert states(given_up.start, 0.3, jerks, np.array([6.0]))[0, 0] <= place + 1e-4


def test_impossible_bounds_are_no_answer():
    assert solved(problem(10, 0.3, (0.0, 5.0, 0.0), low=(np.inf, 0.0, 0.0), high=(1.0, 1.0, 1.0))) is None


def test_the_answer_depends_on_the_problem_alone():
    first, other = problem(15, 0.4, end=(20.0, 3.0, 0.0)), problem(15, 0.4, (0.0, 9.0, 1.0), end=(30.0, 0.0, 0.0))
    once = solved(first)
    solved(other)
    assert np.array_equal(once, solved(first))


@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 15.0), st.floats(-2.0, 1.5), st.floats(0.0, 15.0), st.integers(4, 20))
def test_bounds_hold_and_states_are_integrals(speed, acceleration, wanted, count):
    step = 6.0 / count
    limited = problem(
        count, step, (0.0, speed, acceleration), None, (0.0, 0.5, 1.0, 1.0), (0.0, wanted, 0.0),
        low=(-np.inf, 0.0, -4.0), high=(np.inf, 16.0, 2.0), jerk=6.0,
    )  # fmt: skip
    jerks = solved(limited)
    if jerks is None:
        return
    assert np.abs(jerks).max() <= 6.0 + 1e-4
    knots = states(limited.start, step, jerks, step * np.arange(1, count + 1))
    assert knots[:, 1].min() >= -1e-4 and knots[:, 1].max() <= 16.0 + 1e-4
    assert knots[:, 2].min() >= -4.0 - 1e-4 and knots[:, 2].max() <= 2.0 + 1e-4
    fine = np.linspace(0.0, 6.0, 1201)
    x, v, a = states(limited.start, step, jerks, fine).T
    assert x == pytest.approx(np.concatenate(([0.0], np.cumsum(0.0025 * (v[1:] + v[:-1])))), abs=1e-3)
    assert v == pytest.approx(speed + np.concatenate(([0.0], np.cumsum(0.0025 * (a[1:] + a[:-1])))), abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.0, 12.0), st.floats(3.0, 40.0), st.floats(2.0, 6.0))
def test_nothing_in_its_neighbourhood_is_smoother(speed, distance, duration):
    ends = problem(12, duration / 12, (0.0, speed, 0.0), end=(distance, 0.0, 0.0))
    jerks = solved(ends)
    assert jerks is not None
    unit, h = basis(12), duration / 12
    fixed = np.stack((h**3 * unit.value[-1], h**2 * unit.rate[-1], h * unit.bend[-1]))
    _, _, rows = np.linalg.svd(fixed)
    for direction in rows[3:]:  # changes that keep the end
        assert (jerks**2).sum() <= ((jerks + 0.1 * direction) ** 2).sum() + 1e-6
