import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.datatypes import Lane, LaneKind, LaneMap
from behaviors_ros.maps.lane_graph import lane_frame, lanes_at, lanes_at_many, paths_from

COORDINATE = st.floats(-20.0, 220.0)


def test_nearest_lane_first_with_signed_offset(straight_map):
    matches = lanes_at(straight_map, np.array([30.0, 2.25]), 0.1, 4.0)
    # Centre lines at y = 1.75 (lane 1) and 5.25 (lane 2): 0.5 m to the left, 3 m to the right.
    assert [m[0] for m in matches] == [1, 2]
    assert matches[0][1:] == pytest.approx((30.0, 0.5, 0.1))
    assert matches[1][1:] == pytest.approx((30.0, -3.0, 0.1))


def test_opposite_lane_differs_by_half_a_turn(straight_map):
    ((lane_id, s, d, turned),) = lanes_at(straight_map, np.array([30.0, 9.0]), 0.0, 1.0)
    assert lane_id == 3 and s == pytest.approx(70.0) and d == pytest.approx(-0.25)
    assert turned == pytest.approx(np.pi)


def test_crosswalks_only_on_request(straight_map):
    where = np.array([62.0, 1.75])
    assert 90 not in [m[0] for m in lanes_at(straight_map, where, 0.0, 2.0)]
    assert [m[0] for m in lanes_at(straight_map, where, 0.0, 2.0, (LaneKind.CROSSWALK,))] == [90]


def test_nothing_for_nan_and_far_away(straight_map):
    positions = np.array([[np.nan, 0.0], [1e6, 0.0], [30.0, 1.75]])
    found = lanes_at_many(straight_map, positions, np.zeros(3), 1.0)
    assert found[0] == [] and found[1] == [] and len(found[2]) == 1
    assert lanes_at(LaneMap("", {}), np.zeros(2), 0.0, 5.0) == []


def test_more_matches_than_the_first_guess_of_their_number(straight_map):
    found = lanes_at_many(straight_map, np.tile([[50.0, 5.0]], (100, 1)), np.zeros(100), 10.0)
    assert all(len(matches) == len(found[0]) == 3 for matches in found)


@settings(max_examples=50, deadline=None)
@given(COORDINATE, st.floats(-10.0, 20.0), st.floats(-np.pi, np.pi))
def test_agrees_with_the_lane_s_frame(straight_map, x, y, yaw):
    for lane_id, s, d, turned in lanes_at(straight_map, np.array([x, y]), yaw, 8.0):
        frame = lane_frame(straight_map.lanes[lane_id])
        s_frame, d_frame = frame.project(np.array([x, y]))
        assert s == pytest.approx(np.clip(s_frame, 0.0, frame.length), abs=1e-6)
        if 0.0 < s_frame < frame.length:
            assert d == pytest.approx(d_frame, abs=1e-6)
        assert np.cos(turned) == pytest.approx(np.cos(yaw - frame.heading(s)), abs=1e-6)
        assert -np.pi < turned <= np.pi


def test_path_continues_over_the_successor(straight_map):
    ((ids, line),) = paths_from(straight_map, 1, 40.0, 100.0)
    assert ids == (1, 11)
    np.testing.assert_allclose(line[[0, -1]], [[40.0, 1.75], [140.0, 1.75]], atol=1e-9)
    ((ids, line),) = paths_from(straight_map, 1, 40.0, 30.0)
    assert ids == (1,)
    np.testing.assert_allclose(line[[0, -1]], [[40.0, 1.75], [70.0, 1.75]], atol=1e-9)


def test_path_ends_where_the_lanes_end(straight_map):
    ((ids, line),) = paths_from(straight_map, 11, 90.0, 500.0)
    assert ids == (11,) and line[-1, 0] == pytest.approx(200.0)
    ((_, line),) = paths_from(straight_map, 11, 1e9, 500.0)
    assert len(line) >= 2


def test_one_path_a_branch(junction_map):
    paths = paths_from(junction_map, 1, 0.0, 90.0)
    assert sorted(ids for ids, _ in paths) == [(1, 2, 8), (1, 3, 4)]
    # Before the branch is reached there is only one way.
    assert [ids for ids, _ in paths_from(junction_map, 1, 0.0, 30.0)] == [(1,)]


def test_ring_ends_at_the_length_asked_for():
    circle = np.linspace(0.0, 2.0 * np.pi, 40)
    ring = np.column_stack([np.cos(circle), np.sin(circle)])
    lane = Lane(1, LaneKind.ROAD, 20.0 * ring, 18.0 * ring, 22.0 * ring, successors=(1,))
    ((ids, line),) = paths_from(LaneMap("ring", {1: lane}), 1, 0.0, 300.0)
    assert set(ids) == {1}
    assert np.hypot(*np.diff(line, axis=0).T).sum() == pytest.approx(300.0)


def test_frames_are_cached_by_identity(straight_map):
    assert lane_frame(straight_map.lanes[1]) is lane_frame(straight_map.lanes[1])
