"""Oriented boxes, checked by hand and against shapely."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from shapely.geometry import Polygon

from behaviors_ros.geometry.boxes import box_distance, box_overlap, corners, distance, overlap

places = st.floats(-8.0, 8.0)
yaws = st.floats(-7.0, 7.0)
sizes = st.floats(0.1, 8.0)
boxes = st.tuples(places, places, yaws, sizes, sizes)
CAR = (0.0, 4.0, 2.0)


def arguments(box):
    """Centre, yaw, length, width."""
    return np.array(box[:2]), *box[2:]


def test_corner_order():
    """Box 4 x 2 at (10, 0) heading +y: front left is up and to the left, (10 - 1, 0 + 2)."""
    expected = [[9.0, 2.0], [11.0, 2.0], [11.0, -2.0], [9.0, -2.0]]
    np.testing.assert_allclose(corners(np.array([10.0, 0.0]), np.pi / 2, 4.0, 2.0), expected, atol=1e-12)
    assert corners(np.zeros((3, 5, 2)), np.zeros(5), 4.0, np.ones((3, 1))).shape == (3, 5, 4, 2)


@pytest.mark.parametrize(
    ("offset", "yaw", "meets", "gap"),
    [
        ((3.9, 0.0), 0.0, True, 0.0),
        ((4.0, 0.0), 0.0, True, 0.0),  # touching
        ((4.5, 0.0), 0.0, False, 0.5),  # 4.5 - 2 - 2
        ((7.0, 6.0), 0.0, False, 5.0),  # 7 - 4 = 3 ahead, 6 - 2 = 4 aside
        ((3.5, 0.0), np.pi / 2, False, 0.5),  # 3.5 - 2 - 1: the other one stands across
    ],
)
def test_by_hand(offset, yaw, meets, gap):
    """Two cars of 4 x 2 m, the first at the origin heading +x."""
    pair = (np.zeros(2), *CAR, np.array(offset), yaw, 4.0, 2.0)
    assert bool(overlap(*pair)) is meets
    assert distance(*pair) == pytest.approx(gap, abs=1e-12)


def test_diagonal_neighbour():
    """A car at (3, 3) turned by 45 deg: its rear end lies at 6/sqrt 2 - 2 = 2.243 along the diagonal, where the corner
    (2, 1) reaches 3/sqrt 2 = 2.121. The gap is 0.121, though all axis-aligned bounds overlap.
    """
    pair = (np.zeros(2), *CAR, np.array([3.0, 3.0]), np.pi / 4, 4.0, 2.0)
    assert not overlap(*pair)
    assert distance(*pair) == pytest.approx(3.0 / 2**0.5 - 2.0)


def test_a_box_inside_another():
    """No corner of the outer one is near: still overlap, distance 0."""
    pair = (np.zeros(2), 0.3, 20.0, 10.0, np.array([1.0, 1.0]), 1.0, 1.0, 1.0)
    assert overlap(*pair) and overlap(*pair[4:], *pair[:4])
    assert distance(*pair) == 0.0


def test_nan_meets_nothing():
    """Each invalid argument: no overlap, distance NaN."""
    for i in range(10):
        values = [0.0, 0.0, 0.0, 4.0, 2.0, 1.0, 0.0, 0.0, 4.0, 2.0]
        values[i] = np.nan
        assert not box_overlap(*values)
        assert np.isnan(box_distance(*values))
        pair = (np.array(values[:2]), *values[2:5], np.array(values[5:7]), *values[7:])
        assert not overlap(*pair) and np.isnan(distance(*pair))


def test_broadcast():
    """One ego box over 7 steps against 3 agents over 7 steps."""
    ego, agents = np.zeros((7, 2)), np.full((3, 7, 2), 5.0)
    agents[1] = 0.5
    result = overlap(ego, np.zeros(7), 4.0, 2.0, agents, np.zeros((3, 7)), np.full((3, 1), 4.0), 2.0)
    assert result.shape == (3, 7) and result.dtype == bool
    np.testing.assert_array_equal(result.all(axis=1), [False, True, False])
    assert distance(ego, 0.0, 4.0, 2.0, agents, 0.0, 4.0, 2.0).shape == (3, 7)


@given(boxes, boxes)
def test_against_shapely(a, b):
    """Overlap and distance equal those of shapely's polygons, and do not depend on the order."""
    one, two = (Polygon(corners(*arguments(box))) for box in (a, b))
    gap = distance(*arguments(a), *arguments(b))
    assert gap == pytest.approx(one.distance(two), abs=1e-9)
    assert gap == pytest.approx(distance(*arguments(b), *arguments(a)), abs=1e-9)
    meets = bool(overlap(*arguments(a), *arguments(b)))
    assert meets == bool(overlap(*arguments(b), *arguments(a))) or gap < 1e-9
    if abs(one.distance(two)) > 1e-9 or one.intersection(two).area > 1e-9:
        assert meets is one.intersects(two)


@given(boxes, boxes, st.floats(-500.0, 500.0), st.floats(-500.0, 500.0), yaws)
def test_rigid_motion_changes_nothing(a, b, x, y, turn):
    """Distance is the same after both boxes are turned and moved."""
    cos, sin = np.cos(turn), np.sin(turn)
    moved = [(x + cos * c[0] - sin * c[1], y + sin * c[0] + cos * c[1], c[2] + turn, *c[3:]) for c in (a, b)]
    expected = distance(*arguments(a), *arguments(b))
    assert distance(*arguments(moved[0]), *arguments(moved[1])) == pytest.approx(expected, abs=1e-8)


def test_scalar_kernels_run_inside_other_kernels():
    """A caller compiled by numba gets the same answers."""

    @njit
    def both(gap):
        box = (0.0, 4.0, 2.0)
        return (
            box_overlap(0.0, 0.0, box[0], box[1], box[2], 4.0 + gap, 0.0, box[0], box[1], box[2]),
            box_distance(0.0, 0.0, box[0], box[1], box[2], 4.0 + gap, 0.0, box[0], box[1], box[2]),
        )

    assert both(-1.0) == (True, 0.0)
    assert both(1.5) == (False, 1.5)
