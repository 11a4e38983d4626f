import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.maps.drivable import Widths, drivable_region, region, side_widths


def test_hole_and_reach():
    area = shapely.box(0, 0, 100, 50).difference(shapely.box(40, 30, 60, 35))
    left, right = side_widths(np.array([[10.0, 25.0], [50.0, 25.0], [-5.0, 25.0]]), np.zeros(3), area, 20.0)
    np.testing.assert_allclose(left, [20.0, 5.0, 0.0])  # 25 m capped at 20 m; the hole; outside
    np.testing.assert_allclose(right, [20.0, 20.0, 0.0])


@settings(max_examples=40, deadline=None)
@given(st.floats(-9.0, 9.0), st.floats(-4.0, 4.0), st.floats(-3.1, 3.1))
def test_agrees_with_shapely(x, y, yaw):
    area = shapely.box(-10, -5, 10, 5).union(shapely.Point(10, 0).buffer(4.0))
    left, right = side_widths(np.array([[x, y]]), np.array([yaw]), area, 30.0)
    for side, width in ((1.0, left[0]), (-1.0, right[0])):
        end = np.array([x, y]) + side * 30.0 * np.array([-np.sin(yaw), np.cos(yaw)])
        ray = shapely.LineString([[x, y], end])
        assert abs(ray.intersection(area.boundary).distance(shapely.Point(x, y)) - width) < 1e-9


def test_gap_between_lanes_is_closed(straight_map):
    joined = region(straight_map, (1, 11), Widths())
    assert joined.geom_type == "Polygon" and abs(joined.area - 700.0) < 0.01


def test_crosswalks_are_no_road(straight_map):
    area = drivable_region(straight_map, straight_map.lanes[1].centre, Widths())
    assert not area.contains(shapely.Point(62.0, -0.5)) and not area.contains(shapely.Point(62.0, 11.0))
    assert area.contains(shapely.Point(62.0, 9.0))
