from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import Goal
from behaviors_ros.errors import InputError
from behaviors_ros.maps.search import SearchCosts, search


def at(x, y, **rest):
    return Goal(np.array([x, y]), **rest)


def test_straight_on(straight_map):
    assert search(straight_map, np.array([10.0, 1.75]), 0.0, at(150.0, 1.75)) == (1, 11)


def test_lane_change_as_soon_as_possible(straight_map):
    # 2 is beside 1; changing at once costs the same distance as changing on 11, and is preferred.
    assert search(straight_map, np.array([10.0, 1.75]), 0.0, at(150.0, 5.25)) == (1, 2, 12)


def test_goal_beside_the_start_needs_a_change(straight_map):
    assert search(straight_map, np.array([10.0, 1.75]), 0.0, at(60.0, 5.25)) == (1, 2)


def test_heading_picks_the_lane_of_travel(straight_map):
    assert search(straight_map, np.array([150.0, 7.2]), np.pi, at(20.0, 8.75)) == (13, 3)
    assert search(straight_map, np.array([50.0, 6.8]), 0.0, at(150.0, 5.25)) == (2, 12)


def test_branch_that_leads_to_the_goal(junction_map):
    start = np.array([2.0, -40.0])
    assert search(junction_map, start, np.pi / 2, at(-40.0, 2.0)) == (1, 3, 4)
    assert search(junction_map, start, np.pi / 2, at(2.0, 40.0)) == (1, 2, 8)


def test_overlapping_lanes_at_the_start_are_told_apart_by_the_goal(junction_map):
    # 1 m into the junction lanes 2 and 3 lie on top of each other.
    start = np.array([2.0, -9.0])
    assert search(junction_map, start, np.pi / 2, at(-40.0, 2.0)) == (3, 4)
    assert search(junction_map, start, np.pi / 2, at(2.0, 40.0)) == (2, 8)


def test_region_and_yaw_choose_the_goal_lane(straight_map):
    box = np.array([[140.0, 4.0], [160.0, 4.0], [160.0, 6.5], [140.0, 6.5]])
    goal = at(150.0, 3.0, polygon=box, yaw=(-0.2, 0.2))
    assert search(straight_map, np.array([10.0, 1.75]), 0.0, goal)[-1] == 12
    wide = np.array([[140.0, 0.0], [160.0, 0.0], [160.0, 10.5], [140.0, 10.5]])
    goal = at(150.0, 5.0, polygon=wide, yaw=(-0.2, 0.2))
    assert search(straight_map, np.array([10.0, 5.25]), 0.0, goal) == (2, 12)


def test_region_round_the_start_is_reached(straight_map):
    box = np.array([[0.0, 0.0], [90.0, 0.0], [90.0, 3.5], [0.0, 3.5]])
    assert search(straight_map, np.array([80.0, 1.75]), 0.0, at(45.0, 1.75, polygon=box)) == (1,)


def test_goal_behind_on_the_same_lane_goes_round_the_ring(straight_map):
    lanes = dict(straight_map.lanes)
    lanes[11] = replace(lanes[11], successors=(1,))
    ring = replace(straight_map, lanes=lanes)
    assert search(ring, np.array([50.0, 1.75]), 0.0, at(20.0, 1.75)) == (1, 11, 1)


def test_unreachable_goal_and_off_map_ends(straight_map):
    with pytest.raises(InputError, match="cannot be reached over the lanes"):
        search(straight_map, np.array([50.0, 1.75]), 0.0, at(20.0, 1.75))
    with pytest.raises(InputError, match="start: .* is more than 8 m from every lane"):
        search(straight_map, np.array([50.0, 300.0]), 0.0, at(150.0, 1.75))
    with pytest.raises(InputError, match="goal: .* is more than 8 m from every lane"):
        search(straight_map, np.array([50.0, 1.75]), 0.0, at(150.0, -500.0))
    with pytest.raises(InputError, match="start: is"):
        search(straight_map, np.array([np.nan, 1.75]), 0.0, at(150.0, 1.75))
    with pytest.raises(InputError, match="goal: is"):
        search(straight_map, np.array([50.0, 1.75]), 0.0, at(np.inf, 1.75))


def test_a_dear_lane_change_is_avoided_for_a_detour(junction_map, straight_map):
    # Two lanes both lead on; only a change reaches the goal, however dear it is.
    costs = SearchCosts(lane_change_m=1000.0)
    assert search(straight_map, np.array([10.0, 1.75]), 0.0, at(150.0, 5.25), costs) == (1, 2, 12)
