"""Polylines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.geometry.polylines import (
    arc_length,
    curvatures,
    headings,
    interpolated,
    intersection,
    resample,
    tangents,
    without_duplicates,
)

CORNER = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])


def circle(radius, spacing, angle=2.0):
    """Arc of a left turn from (0, 0) heading +x."""
    turn = np.linspace(0.0, angle, round(radius * angle / spacing) + 1)
    return np.stack([radius * np.sin(turn), radius - radius * np.cos(turn)], axis=-1)


def test_arc_length_by_hand():
    """3 m and 4 m; any leading shape."""
    np.testing.assert_allclose(arc_length(CORNER), [0.0, 3.0, 7.0])
    assert arc_length(np.zeros((2, 5, 4, 2))).shape == (2, 5, 4)


def test_resample_by_hand():
    """7 m at most 2 m apart: 4 steps of 1.75 m. The second sample past the corner lies 3 * 1.75 - 3 = 2.25 m up."""
    samples = resample(CORNER, 2.0)
    np.testing.assert_allclose(samples, [[0, 0], [1.75, 0], [3, 0.5], [3, 2.25], [3, 4]], atol=1e-12)
    assert len(resample(CORNER, 3.5)) == 3  # divides exactly
    assert len(resample(CORNER, 100.0)) == 2
    with pytest.raises(BehaviorsError, match="spacing_m"):
        resample(CORNER, 0.0)


def test_duplicates_go():
    """Repetitions and points within 1 mm of the last one kept go; slow creeping is kept once it adds up to 1 mm."""
    points = np.array([[0.0, 0.0], [0.0, 0.0], [0.0006, 0.0], [0.0012, 0.0], [1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_array_equal(without_duplicates(points), [[0.0, 0.0], [0.0012, 0.0], [1.0, 0.0]])


def test_heading_at_a_corner_is_the_chord():
    """From (0, 0) to (3, 4): atan(4/3). Repeated points share it."""
    doubled = np.repeat(CORNER, 2, axis=0)
    np.testing.assert_allclose(headings(CORNER), [0.0, np.arctan2(4.0, 3.0), np.pi / 2])
    np.testing.assert_allclose(headings(doubled), np.repeat(headings(CORNER), 2))


def test_sharp_turns_keep_a_direction_along_both_legs():
    """10 m out and 1 m back: after a turn of 135 deg the chord (4.3 deg) would point back along the second leg; 89 deg
    from it is 46 deg. A full reversal looks left; out, back and out again looks to the same side twice.
    """
    back = np.array([[0.0, 0.0], [10.0, 0.0], [10.0 - 2**-0.5, 2**-0.5]])
    np.testing.assert_allclose(np.rad2deg(headings(back)[1]), 46.0)
    np.testing.assert_allclose(np.rad2deg(headings(back * [1.0, -1.0])[1]), -46.0)
    np.testing.assert_allclose(tangents(np.array([[0.0, 0], [10, 0], [9, 0]]))[1], [0.0, 1.0], atol=1e-12)
    thrice = tangents(np.array([[0.0, 0], [10, 0], [0, 0], [10, 0]]))
    np.testing.assert_allclose(thrice[1:3], [[0.0, 1.0], [0.0, 1.0]], atol=1e-12)


def test_a_jittering_segment_hardly_turns_its_neighbours():
    """A step of 2 mm at 45 deg between two segments of 10 m: the chord turns by 2 mm / 10 m."""
    points = np.array([[0.0, 0.0], [10.0, 0.0], [10.002, 0.002], [20.0, 0.002]])
    assert np.abs(headings(points)).max() < 2.1e-4


@pytest.mark.parametrize("radius", [8.0, 30.0, -15.0])
def test_curvature_of_a_circle(radius):
    """1 / radius inside; the ends, whose direction is the end segment's, within 10 %."""
    points = circle(abs(radius), 0.5) * [1.0, np.sign(radius)]
    measured = curvatures(points)
    np.testing.assert_allclose(measured[6:-6], 1.0 / radius, rtol=5e-3)
    np.testing.assert_allclose(measured, 1.0 / radius, rtol=0.1)


def test_curvature_of_a_noisy_line():
    """2 cm of point noise at 0.5 m spacing: plain second differences give about 0.02 * 2.4 / 0.5^2 = 0.2 1/m."""
    noise = np.random.default_rng(1).normal(0.0, 0.02, 400)
    points = np.stack([np.arange(400) * 0.5, noise], axis=-1)
    assert np.std(curvatures(points)) < 0.02
    assert np.std(curvatures(points, smoothing_m=10.0)) < 0.002


def test_curvature_of_two_points_is_zero():
    """A straight line has none."""
    np.testing.assert_allclose(curvatures(np.array([[0.0, 0.0], [1.0, 1.0]])), [0.0, 0.0], atol=1e-15)


def test_intersection_by_hand():
    """The line x = 3.. of CORNER is crossed 1 m up: s_a = 4; b starts 2 m to the left of it: s_b = 2."""
    assert intersection(CORNER, np.array([[1.0, 1.0], [5.0, 1.0]])) == pytest.approx((4.0, 2.0))
    assert intersection(CORNER, np.array([[1.0, 1.0], [2.0, 1.0]])) is None
    assert intersection(CORNER, np.array([[3.0, 4.0], [9.0, 9.0]])) == pytest.approx((7.0, 0.0))  # touching ends


def test_intersection_is_the_first_along_a():
    """b crosses both legs, the second one first: the answer counts along a."""
    line_b = np.array([[4.0, 2.0], [2.0, 2.0], [2.0, -1.0]])
    assert intersection(CORNER, line_b) == pytest.approx((2.0, 4.0))


def test_intersection_of_lines_on_top_of_each_other():
    """b runs back over a from x = 2.5 to x = 1: common from s_a = 1, which is 1.5 m along b."""
    assert intersection(CORNER, np.array([[2.5, 0.0], [1.0, 0.0]])) == pytest.approx((1.0, 1.5))
    assert intersection(CORNER, np.array([[-2.0, 0.0], [-1.0, 0.0]])) is None
    assert intersection(CORNER, np.array([[0.0, 0.1], [2.0, 0.1]])) is None


@pytest.mark.parametrize("points", [[[1.0, 1.0]], [[1.0, 1.0]] * 4, [[0.0, 0.0], [np.nan, 1.0]]])
def test_lines_without_direction_raise(points):
    """One point, one place, NaN."""
    for function in (headings, curvatures, lambda line: resample(line, 1.0), lambda line: intersection(line, CORNER)):
        with pytest.raises(BehaviorsError, match="polyline: points"):
            function(np.array(points))


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=2, max_size=12), st.floats(0.2, 20.0))
def test_resample_keeps_ends_and_spacing(points, spacing):
    """Ends are exact, no step is above the spacing, and no sample is off the line."""
    points = np.array(points)
    if len(without_duplicates(points, 0.0)) < 2:
        return
    samples = resample(points, spacing)
    np.testing.assert_allclose(samples[[0, -1]], points[[0, -1]], atol=1e-9)
    assert np.hypot(*np.diff(samples, axis=0).T).max() <= spacing * (1.0 + 1e-6)


def test_interpolated_by_hand():
    """A quarter of the way from 10 to 20 at 1.25 of [1, 2]; constant beyond both ends; NaN stays."""
    xs, ys = np.array([0.0, 1.0, 2.0]), np.array([0.0, 10.0, 20.0])
    assert [interpolated(x, xs, ys) for x in (-1.0, 1.25, 1.0, 3.0)] == [0.0, 12.5, 10.0, 20.0]
    assert np.isnan(interpolated(np.nan, xs, ys))


@given(st.lists(st.floats(-100.0, 100.0), min_size=1, max_size=9, unique=True), st.floats(-120.0, 120.0))
def test_interpolated_as_numpy_does(places, x):
    """The same number wherever it is asked, also of a single place."""
    xs = np.sort(np.array(places))
    ys = np.cos(xs)
    np.testing.assert_allclose(interpolated(x, xs, ys), np.interp(x, xs, ys), atol=1e-9)
