"""A goal's region that is none is refused."""

import numpy as np
import pytest

from behaviors_ros.datatypes import EgoState, Goal
from behaviors_ros.errors import InputError
from behaviors_ros.maps import route
from behaviors_ros.maps.route import mapless_route

LINE = np.stack([np.arange(0.0, 100.0, 2.0), np.zeros(50)], axis=1)


def test_a_region_that_the_library_cannot_mend_is_one_line(monkeypatch):
    def fails(_):
        raise route.shapely.errors.GEOSException("std::bad_alloc")

    monkeypatch.setattr(route.shapely, "make_valid", fails)
    goal = Goal(np.array([80.0, 0.0]), polygon=np.array([[70.0, -2.0], [90.0, -2.0], [90.0, 2.0]]))
    with pytest.raises(InputError, match="goal_polygon: is no region"):
        mapless_route(LINE, EgoState(0, LINE[0], 0.0, 0.0), goal, 13.9, 1.75)
