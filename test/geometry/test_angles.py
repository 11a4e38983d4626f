"""Angles."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from behaviors_ros.geometry.angles import unwrapped, wrap


def test_wrap_by_hand():
    """Half turns go to +pi; 3/2 pi is -pi/2; NaN stays."""
    given_angles = np.array([0.0, np.pi, -np.pi, 1.5 * np.pi, -1.5 * np.pi, np.nan])
    np.testing.assert_allclose(wrap(given_angles), [0.0, np.pi, np.pi, -np.pi / 2, np.pi / 2, np.nan], atol=1e-15)
    assert wrap(2.0 * np.pi + 0.25).shape == ()


def test_wrap_just_past_half_a_turn_stays_in_the_interval():
    """The next number above pi must not come out as -pi, which lies outside (-pi, pi]."""
    for angle in (np.nextafter(np.pi, 4.0), np.nextafter(-np.pi, -4.0), np.nextafter(-np.pi, 0.0), -1e-300, 3 * np.pi):
        assert -np.pi < wrap(angle) <= np.pi


@given(st.floats(-1e6, 1e6))
def test_wrap_is_the_same_direction(angle):
    """Same sine and cosine, inside the interval, and wrapping again changes nothing."""
    wrapped = wrap(angle)
    assert -np.pi < wrapped <= np.pi
    np.testing.assert_allclose([np.cos(wrapped), np.sin(wrapped)], [np.cos(angle), np.sin(angle)], atol=1e-9)
    assert wrap(wrapped) == wrapped or abs(wrap(wrapped) - wrapped) < 1e-15


def test_unwrapped_by_hand():
    """3.0 to -3.0 is a step of 2 pi - 6 = +0.283 over the half turn, not one of -6."""
    np.testing.assert_allclose(unwrapped(np.array([3.0, -3.0, 3.0])), [3.0, 2.0 * np.pi - 3.0, 3.0], atol=1e-15)
    assert unwrapped(np.array([])).shape == (0,)


@given(st.lists(st.floats(-20.0, 20.0), max_size=20))
def test_unwrapped_as_numpy_does(angles):
    """The same numbers, also where a step is just half a turn."""
    np.testing.assert_allclose(unwrapped(np.array(angles)), np.unwrap(np.array(angles)), atol=1e-12)
