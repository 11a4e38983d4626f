"""The Riccati iteration against closed forms, the programme against the iteration, and its bounds."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.control.horizon import Horizon, bounded, feedback, riccati
from behaviors_ros.control.motion import chained


def problem(start, transition, inlet, steps, weights, weight, wanted=None, low=-1e9, high=1e9, most=1e9, drift=None):
    """A problem that is the same at every step."""
    size = len(start)
    zero = np.zeros((steps, size))
    return Horizon(
        np.array(start, float), np.tile(np.array(transition, float), (steps, 1, 1)),
        np.tile(np.array(inlet, float), (steps, 1)), zero if drift is None else drift,
        zero if wanted is None else wanted, np.tile(np.array(weights, float), (steps, 1)), weight, low, high, most,
    )  # fmt: skip


def gain(found):
    gains, _ = riccati(found.transition, found.inlet, found.drift, found.wanted, found.weights, found.weight)
    return gains[0]


def test_gain_of_an_integrator_is_the_golden_ratio_less_one():
    # x+ = x + u, weights 1 and 1: P = 1 + P - P^2 / (1 + P), so P^2 = 1 + P with P after the state's own cost,
    # P = (1 + sqrt 5) / 2; gain P / (1 + P) = 1 / P = 0.618.
    assert gain(problem([1.0], [[1.0]], [1.0], 60, [1.0], 1.0))[0] == pytest.approx(0.5 * (math.sqrt(5.0) - 1.0))


def test_gain_of_a_double_integrator_is_that_of_the_closed_form():
    # x'' = u, cost x^2 / 4 + x'^2 / 9 + u^2: gains sqrt(1/4) = 0.5 and sqrt(1/9 + 2 * 0.5) = 1.05409 (continuous time).
    # In steps of h the cost of the states counts h times, that of the input as well.
    h = 0.002
    found = gain(problem([1.0, 0.0], [[1.0, h], [0.0, 1.0]], [0.5 * h * h, h], 10_000, [0.25, 1.0 / 9.0], 1.0))
    assert found == pytest.approx([0.5, 1.0540926], rel=3e-3)


def test_the_chain_is_its_differential_equation():
    # Integrated in 20 000 steps of Euler: p' = 7 q, q' = 2 (y - 0.1), y' = (c - y) / 0.15, c' = 0.3 over 0.1 s.
    a, b, d = chained(0.1, 0.15, np.array([7.0]), np.array([2.0]), np.array([0.1]))
    start, count = np.array((0.2, -0.1, 0.05, 0.12)), 20_000
    p, q, y, c = start
    for _ in range(count):
        h = 0.1 / count
        p, q, y, c = p + 7.0 * q * h, q + 2.0 * (y - 0.1) * h, y + (c - y) / 0.15 * h, c + 0.3 * h
    assert a[0] @ start + 0.3 * b[0] + d[0] == pytest.approx([p, q, y, c], abs=2e-5)


def test_a_chain_without_lag_follows_at_once():
    a, b, _ = chained(0.1, 0.0, np.array([1.0]), np.array([1.0]), np.array([0.0]))
    # y = c + u h at the end; q gains c h + u h^2 / 2 = 0.1 c + 0.005 u.
    assert a[0, 2].tolist() == [0.0, 0.0, 0.0, 1.0] and b[0, 2] == pytest.approx(0.1)
    assert a[0, 1, 2:].tolist() == pytest.approx([0.0, 0.1]) and b[0, 1] == pytest.approx(0.005)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_without_acting_bounds_the_programme_is_the_regulator(seed):
    draw = np.random.default_rng(seed)
    steps = 12
    matrices = chained(
        0.1, draw.uniform(0.0, 0.4), draw.uniform(-15, 15, steps), draw.uniform(-5, 5, steps),
        draw.uniform(-0.3, 0.3, steps),
    )  # fmt: skip
    found = Horizon(
        draw.uniform(-0.5, 0.5, 4), *matrices, draw.uniform(-0.3, 0.3, (steps, 4)),
        np.tile((100.0, 50.0, 4.0, 0.0), (steps, 1)), 4.0, -1e3, 1e3, 1e3,
    )  # fmt: skip
    free, held = feedback(found), bounded(found, 100, 1e-9)
    assert held is not None
    assert held.inputs == pytest.approx(free.inputs, abs=1e-4)
    assert held.states == pytest.approx(free.states, abs=1e-4)


def test_bounds_hold():
    # A step of 5 m with at most 1 m/s^3 and 0.4 m/s^2: the regulator asks for more, the programme does not.
    matrices = chained(0.1, 0.2, np.ones(20), np.ones(20), np.zeros(20))
    found = Horizon(
        np.zeros(4), *matrices, np.tile((5.0, 0.0, 0.0, 0.0), (20, 1)), np.tile((4.0, 1.0, 1.0, 0.0), (20, 1)), 0.1,
        -0.4, 0.4, 1.0,
    )  # fmt: skip
    assert np.abs(feedback(found).inputs).max() > 1.0
    held = bounded(found, 60, 1e-6)
    assert held is not None
    assert np.abs(held.inputs).max() <= 1.0 + 1e-5 and np.abs(held.states[:, 3]).max() <= 0.4 + 1e-5
    assert held.states[:, 3].max() == pytest.approx(0.4, abs=1e-4)


def test_what_cannot_be_solved_is_none():
    matrices = chained(0.1, 0.2, np.ones(5), np.ones(5), np.zeros(5))
    # The command starts at 2, must be at most 0.4 after the first step, and falls by 0.1 a step at most.
    start, none = np.array((0.0, 0.0, 0.0, 2.0)), np.zeros((5, 4))
    assert bounded(Horizon(start, *matrices, none, none + 1.0, 1.0, -0.4, 0.4, 1.0), 60, 1e-6) is None
    assert bounded(Horizon(start, *matrices, none, none + 1.0, 1.0, -4.0, 4.0, 1.0), 1, 1e-6) is None  # 1 iteration
