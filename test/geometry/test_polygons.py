"""Points and polygons, by hand and against shapely."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.geometry.polygons import contains, outside

# A square of 4 m with a notch down to (2, 1) in its upper side.
NOTCHED = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.0, 1.0], [0.0, 4.0]])
corner = st.tuples(st.integers(-8, 8), st.integers(-8, 8))


def test_distances_by_hand():
    points = np.array([[1.0, 1.0], [-3.0, 2.0], [7.0, 8.0], [2.0, -0.5], [4.0, 2.0], [2.0, 3.0]])
    # Inside; 3 m left; 3 and 4 m from a corner; below; on an edge; in the notch: 2 m above its ground, its right side
    # through (2, 1) and (4, 4) is |3 (2 - 2) - 2 (3 - 1)| / sqrt(13) = 4 / sqrt(13) away.
    assert outside(NOTCHED, points) == pytest.approx([0.0, 3.0, 5.0, 0.5, 0.0, 4.0 / np.sqrt(13.0)])
    assert contains(NOTCHED, points[[0, 1, 2, 3, 5]]).tolist() == [True, False, False, False, False]


def test_any_shape_of_points_and_a_corner_given_twice():
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    found = outside(square, np.array([[[0.5, 0.5], [3.0, 0.5]], [[0.5, -1.0], [-3.0, -4.0]]]))
    assert found == pytest.approx(np.array([[0.0, 2.0], [1.0, 5.0]]))
    assert outside(square, np.zeros((0, 2))).shape == (0,)


@settings(max_examples=60, deadline=None)
@given(corners=st.lists(corner, min_size=3, max_size=8, unique=True), point=st.tuples(*2 * (st.floats(-12.0, 12.0),)))
def test_as_shapely_has_it(corners, point):
    polygon = shapely.Polygon(corners)
    if polygon.is_valid:
        found = outside(np.array(corners, dtype=float), np.array([point]))
        assert found[0] == pytest.approx(polygon.distance(shapely.Point(point)), abs=1e-9)
