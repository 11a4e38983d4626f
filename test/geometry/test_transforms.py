"""Rigid motions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from behaviors_ros.geometry.transforms import inverse, pose_matrix, rotate, transform

numbers = st.floats(-1e3, 1e3)


def test_a_body_looking_left():
    """A body at (1, 2) heading +y: what is 3 m ahead of it and 1 m to its left lies at (1 - 1, 2 + 3)."""
    map_from_body = pose_matrix(np.array([1.0, 2.0]), np.pi / 2)
    np.testing.assert_allclose(transform(map_from_body, np.array([3.0, 1.0])), [0.0, 5.0], atol=1e-12)
    np.testing.assert_allclose(rotate(np.array([3.0, 1.0]), np.pi / 2), [-1.0, 3.0], atol=1e-12)


def test_leading_axes_broadcast():
    """Two bodies, three points each."""
    matrices = pose_matrix(np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([0.0, np.pi]))
    points = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 1.0]])
    moved = transform(matrices[:, None], points)
    assert moved.shape == (2, 3, 2)
    np.testing.assert_allclose(moved[1], [[9.0, 0.0], [8.0, 0.0], [7.0, -1.0]], atol=1e-12)


@given(numbers, numbers, st.floats(-7.0, 7.0), numbers, numbers)
def test_inverse_takes_back(x, y, yaw, px, py):
    """The inverse undoes the motion, is the matrix inverse, and distances are kept."""
    matrix, point = pose_matrix(np.array([x, y]), yaw), np.array([px, py])
    np.testing.assert_allclose(transform(inverse(matrix), transform(matrix, point)), point, atol=1e-9)
    np.testing.assert_allclose(inverse(matrix), np.linalg.inv(matrix), atol=1e-9)
    moved = transform(matrix, point) - transform(matrix, np.zeros(2))
    np.testing.assert_allclose(moved, rotate(point, yaw), atol=1e-9)
    np.testing.assert_allclose(np.hypot(*moved), np.hypot(px, py), atol=1e-9)
