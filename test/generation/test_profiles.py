"""Stops of constant jerk: hand-computed, and by their properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.generation.profiles import fitted, stop_distance, stop_phases, stop_state, stop_time

WORK = np.empty(5)


def test_stop_with_a_held_braking():
    # 10 m/s, 2 m/s2, 1 m/s3: build-up 2 s (10 -> 8), hold 3 s (8 -> 2), release 2 s (2 -> 0)
    # distance (20 - 8/6) + (24 - 9) + (4 - 4 + 8/6) = 35
    stop_phases(10.0, 0.0, 2.0, 1.0, WORK)
    assert list(WORK) == pytest.approx([2.0, -1.0, 3.0, 2.0, 1.0])
    assert stop_distance(10.0, 0.0, 2.0, 1.0, WORK) == pytest.approx(35.0)
    assert stop_time(10.0, 0.0, 2.0, 1.0, WORK) == pytest.approx(7.0)


def test_stop_too_short_to_hold():
    # 1 m/s at 1 m/s3: peak sqrt(1 * 1) = 1 m/s2 after 1 s, released in 1 s; distance (1 - 1/6) + (1/2 - 1/2 + 1/6) = 1
    assert stop_distance(1.0, 0.0, 2.0, 1.0, WORK) == pytest.approx(1.0)


def test_braking_too_strong_to_be_released_in_time():
    # 1 m/s at -2 m/s2: jerk 4 / 2 = 2 m/s3 reaches both zeros after 1 s; distance 1 - 1 + 2/6 = 1/3
    assert stop_distance(1.0, -2.0, 3.0, 0.5, WORK) == pytest.approx(1.0 / 3.0)


def test_standing_stays():
    stop_phases(0.0, 0.0, 2.0, 1.0, WORK)
    assert stop_state(0.0, 0.0, WORK, 3.0) == (0.0, 0.0, 0.0)


states = st.tuples(st.floats(0.001, 45.0), st.floats(-8.0, 4.0), st.floats(0.3, 9.0), st.floats(0.2, 12.0))


@settings(max_examples=200, deadline=None)
@given(states)
def test_stop_ends_still_and_is_the_integral_of_its_jerk(case):
    speed, acceleration, braking, jerk = case
    stop_phases(speed, acceleration, braking, jerk, WORK)
    phases = WORK.copy()
    end = phases[0] + phases[2] + phases[3]
    time = np.linspace(0.0, end, 2001)
    d, v, a = np.array([stop_state(speed, acceleration, phases, t) for t in time]).T
    assert v[-1] == pytest.approx(0.0, abs=1e-5) and abs(a[-1]) < 2e-3 * max(1.0, jerk, phases[4] * end)
    assert (v >= 0.0).all() and (np.diff(d) >= -1e-9).all()
    assert a.min() >= -max(braking, -acceleration) - 1e-6
    rough = np.concatenate(([0.0], np.cumsum(0.5 * (v[1:] + v[:-1]) * np.diff(time))))
    assert d[-1] == pytest.approx(rough[-1], abs=1e-3 + 1e-3 * d[-1])


@settings(max_examples=200, deadline=None)
@given(st.floats(0.5, 30.0), st.floats(-1.0, 1.5), st.floats(1.05, 3.0))
def test_fitted_stop_ends_at_its_length(speed, acceleration, longer):
    shortest = stop_distance(speed, acceleration, 8.0, 10.0, WORK)
    length = longer * shortest + 0.3
    gentle = stop_distance(speed, acceleration, 0.3, 0.3, WORK)
    assert fitted(speed, acceleration, 1.5, 1.5, length, 8.0, 10.0, WORK)
    if length < gentle:
        assert stop_state(speed, acceleration, WORK, 1e6)[0] == pytest.approx(length, abs=1e-3)


def test_no_stop_within_less_than_the_hardest():
    # 10 m/s at 8 m/s2 takes 100 / 16 = 6.25 m even without any build-up
    assert not fitted(10.0, 0.0, 1.5, 1.5, 6.2, 8.0, 10.0, WORK)
