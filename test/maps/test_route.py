from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.datatypes import EgoState, Goal, Lane, LaneKind, LaneMap, StopKind, StopPoint
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.polylines import curvatures, headings
from behaviors_ros.geometry.transforms import rotate
from behaviors_ros.maps.derive import completed
from behaviors_ros.maps.reference import Shape, smoothed
from behaviors_ros.maps.route import build_route, mapless_route, route_frame, search
from behaviors_ros.maps.stops import waits_at_stop

START = np.array([40.0, 1.75])


def kinds(route):
    return [stop.kind for stop in route.stops]


def test_straight_route(straight_map):
    route = build_route(straight_map, (1, 11), Goal(np.array([110.0, 1.75])), START)
    # From 30 m before the start to 80 m past the goal: x = 10 to 190.
    np.testing.assert_allclose(route.path[[0, -1]], [[10.0, 1.75], [190.0, 1.75]], atol=0.6)
    np.testing.assert_allclose(route.path[:, 1], 1.75, atol=1e-6)
    np.testing.assert_allclose(np.diff(route.s), 0.5, atol=0.01)
    assert route.goal_s == pytest.approx(100.0, abs=0.6)
    np.testing.assert_allclose(route.speed_limit, 10.0)
    boundary = np.searchsorted(route.path[:, 0], 100.0)
    assert set(route.lane[: boundary - 1]) == {1} and set(route.lane[boundary + 1 :]) == {11}


def test_widths_by_hand(straight_map):
    route = build_route(straight_map, (1, 11), Goal(np.array([110.0, 1.75])), START)
    # The lane is 3.5 m wide, two lanes east-bound, the third (to y = 10.5) oncoming; nothing right of y = 0.
    expected = {
        "left_lane": 1.75, "right_lane": 1.75, "left_same": 5.25, "right_same": 1.75, "left_drivable": 8.75,
        "right_drivable": 1.75,
    }  # fmt: skip
    for name, width in expected.items():
        np.testing.assert_allclose(getattr(route, name), width, atol=1e-6, err_msg=name)


def test_stops_by_hand(straight_map):
    route = build_route(straight_map, (1, 11), Goal(np.array([110.0, 1.75])), START)
    offset = route.path[0, 0]
    signal, walk, goal = route.stops
    assert (signal.kind, signal.signals) == (StopKind.SIGNAL, (50,))
    assert signal.s + offset == pytest.approx(55.0, abs=0.2)
    # No stop line of its own: 2 m before x = 60; left at x = 64.
    assert walk.kind is StopKind.CROSSWALK and walk.id == 90
    assert (walk.s + offset, walk.clear_s + offset) == pytest.approx((58.0, 64.0), abs=1e-3)
    assert goal.kind is StopKind.GOAL and goal.s == pytest.approx(route.goal_s)


def test_goal_region_by_hand(straight_map):
    # The path starts at x = 10: a region from x = 100 to 108 lies from s = 90 to 98, its middle at 94.
    region = np.array([[100.0, 0.0], [108.0, 0.0], [108.0, 3.5], [100.0, 3.5]])
    route = build_route(straight_map, (1, 11), Goal(np.array([101.0, 1.75]), region), START, stamp_ns=7)
    offset = route.path[0, 0]
    assert route.goal_from_s + offset == pytest.approx(100.0, abs=0.51)
    assert route.goal_to_s + offset == pytest.approx(108.0, abs=0.51)
    assert route.goal_s == pytest.approx(0.5 * (route.goal_from_s + route.goal_to_s))
    assert route.stamp_ns == 7


def test_goal_region_beside_the_path_and_mere_position(straight_map):
    beside = np.array([[100.0, 8.0], [108.0, 8.0], [108.0, 10.0], [100.0, 10.0]])
    for polygon in (None, beside):
        route = build_route(straight_map, (1, 11), Goal(np.array([110.0, 1.75]), polygon), START)
        assert route.goal_from_s == route.goal_to_s == route.goal_s == pytest.approx(100.0, abs=0.6)
        assert route.stamp_ns == 0


def test_a_region_met_twice_counts_where_its_position_is_met():
    # Out along y = 0 and back along y = 6; the region reaches over both from x = 40 to 44.
    line = np.array([[0.0, 0.0], [60.0, 0.0], [60.0, 6.0], [0.0, 6.0]])
    region = np.array([[40.0, -1.0], [44.0, -1.0], [44.0, 7.0], [40.0, 7.0]])
    ego = EgoState(0, np.zeros(2), 0.0, 0.0)
    for position, first, last in (((42.0, 0.0), 40.0, 44.0), ((42.0, 6.0), 60.0 + 6.0 + 16.0, 60.0 + 6.0 + 20.0)):
        route = mapless_route(line, ego, Goal(np.array(position), region), 10.0, 2.0, stamp_ns=9)
        assert (route.goal_from_s, route.goal_to_s) == pytest.approx((first, last), abs=0.51)
        assert route.stamp_ns == 9


def test_goal_stop_only_where_standing_is_wanted(straight_map):
    for speed, stops in ((None, True), ((0.0, 5.0), True), ((3.0, 9.0), False)):
        route = build_route(straight_map, (1, 11), Goal(np.array([110.0, 1.75]), speed=speed), START)
        assert (StopKind.GOAL in kinds(route)) is stops
    in_time = Goal(np.array([110.0, 1.75]), time=(3.0, 5.0))  # a region to be in at a time is passed through
    assert StopKind.GOAL not in kinds(build_route(straight_map, (1, 11), in_time, START))


def test_who_waits_at_a_stop(straight_map):
    route = build_route(straight_map, (1, 11), Goal(np.array([110.0, 1.75])), START)
    stops = (StopPoint(StopKind.SIGNAL, 1, 50.0, 60.0), StopPoint(StopKind.GOAL, 0, 100.0, 110.0))
    route = replace(route, stops=stops)
    # Reach 30 m before the line at 50, 2 m past it; the goal at 100 makes nobody wait.
    fronts = np.array([19.0, 21.0, 49.0, 51.0, 53.0, 99.0])
    assert waits_at_stop(route, fronts, 30.0).tolist() == [False, True, True, True, False, False]


def test_goal_region(straight_map):
    box = np.array([[120.0, 0.0], [130.0, 0.0], [130.0, 3.5], [120.0, 3.5]])
    route = build_route(straight_map, (1, 11), Goal(np.array([121.0, 1.0]), polygon=box), START)
    x0 = route.path[0, 0]
    assert route.goal_s + x0 == pytest.approx(125.0, abs=0.6), "the middle of the region"
    assert route.stops[-1].s + x0 == pytest.approx(130.0, abs=0.6), "the bumper may go to its end"


def test_lane_change_is_blended(straight_map):
    route = build_route(straight_map, (1, 2, 12), Goal(np.array([180.0, 5.25])), START)
    x, y = route.path.T
    np.testing.assert_allclose(y[x < 38.0], 1.75, atol=0.02)
    # 4 s at 10 m/s: over after 40 m.
    np.testing.assert_allclose(y[x > 82.0], 5.25, atol=0.02)
    assert np.interp(60.0, x, y) == pytest.approx(3.5, abs=0.1)
    assert np.all(np.diff(y) > -3e-3)
    # A quintic over 40 m across 3.5 m bends at most 5.77 * 3.5 / 40^2 = 0.0126.
    assert np.abs(curvatures(route.path)).max() < 0.015
    changing = (x > 45.0) & (x < 75.0)
    np.testing.assert_allclose((route.left_lane + route.right_lane)[changing], 7.0, rtol=0.02)
    assert set(route.lane[x < 55.0]) == {1} and set(route.lane[(x > 65.0) & (x < 99.0)]) == {2}


def test_lane_change_within_the_room_there_is(straight_map):
    route = build_route(straight_map, (1, 2), Goal(np.array([65.0, 5.25])), START)
    assert np.interp(65.0, *route.path.T) == pytest.approx(5.25, abs=0.05)


def test_goal_that_is_passed_twice_counts_the_second_time():
    # Ring of radius 20 m; from a quarter round to the goal at an eighth: seven eighths of 125.7 m on.
    lanes, quarter = {}, np.linspace(0.0, 0.5 * np.pi, 32)
    for i in range(4):
        unit = np.column_stack([np.cos(quarter + i * np.pi / 2), np.sin(quarter + i * np.pi / 2)])
        links = {"successors": ((i + 1) % 4,), "predecessors": ((i - 1) % 4,)}
        lanes[i] = Lane(i, LaneKind.ROAD, 20.0 * unit, 18.0 * unit, 22.0 * unit, **links)
    ring = LaneMap("ring", lanes)
    start, goal = lanes[1].centre[0], Goal(lanes[0].centre[16])
    lane_ids = search(ring, start, np.pi, goal)
    assert lane_ids in ((1, 2, 3, 0), (0, 1, 2, 3, 0))
    route = build_route(ring, lane_ids, goal, start)
    begin = float(route_frame(route).project_near(start, 30.0, 10.0)[0])
    assert route.goal_s - begin == pytest.approx(7 / 8 * 40.0 * np.pi, abs=1.5)


def test_turn_is_drivable_and_inside_its_lane(junction_map):
    start = np.array([2.0, -40.0])
    goal = Goal(np.array([-40.0, 2.0]))
    route = build_route(junction_map, search(junction_map, start, np.pi / 2, goal), goal, start)
    assert np.abs(curvatures(route.path)).max() < 0.1, "a turn of 12 m radius"
    turning = route.lane == 3
    np.testing.assert_allclose(np.hypot(*(route.path[turning] + [10.0, 10.0]).T), 12.0, atol=0.15)
    assert (route.left_lane > 1.5).all() and (route.right_lane > 1.5).all()


def test_unprotected_turn_yields_before_the_oncoming_lane(junction_map):
    start, goal = np.array([2.0, -40.0]), Goal(np.array([-40.0, 2.0]))
    route = build_route(junction_map, (1, 3, 4), goal, start)
    (stop,) = [s for s in route.stops if s.kind is StopKind.YIELD]
    assert stop.yields_to == (6,)
    frame = route_frame(route)
    # Oncoming lane: -4 < x < 0. The path, radius 12 about (-10, -10), enters it at y = -10 + sqrt(144 - 100) = -3.37.
    where = frame.point(stop.s + 1.5)
    np.testing.assert_allclose(where, [0.0, -3.37], atol=0.15)
    np.testing.assert_allclose(frame.point(stop.clear_s)[0], -4.0, atol=0.15)
    straight = build_route(junction_map, (1, 2, 8), Goal(np.array([2.0, 40.0])), start)
    assert StopKind.YIELD not in kinds(straight)


def test_stop_sign(straight_map):
    lanes = dict(straight_map.lanes)
    lanes[1] = replace(lanes[1], stop=True, signals=(), stop_line=np.array([[98.0, 0.0], [98.0, 3.5]]))
    route = build_route(replace(straight_map, lanes=lanes), (1, 11), Goal(np.array([150.0, 1.75])), START)
    (stop,) = [s for s in route.stops if s.kind is StopKind.STOP_SIGN]
    assert stop.s + route.path[0, 0] == pytest.approx(98.0, abs=0.2) and stop.id == 1


def test_signal_before_a_junction_clears_at_its_end(junction_map):
    lanes = dict(junction_map.lanes)
    lanes[1] = replace(lanes[1], signals=(77,))
    lane_map = replace(junction_map, lanes=lanes)
    route = build_route(lane_map, (1, 2, 8), Goal(np.array([2.0, 40.0])), np.array([2.0, -40.0]))
    (stop,) = [s for s in route.stops if s.kind is StopKind.SIGNAL]
    y = route_frame(route).point(np.array([stop.s, stop.clear_s]))[:, 1]
    np.testing.assert_allclose(y, [-10.0, 10.0], atol=0.6)


def test_signal_of_the_junction_lane_itself(junction_map):
    # Autoware's way: the lane inside the junction has the signal; the line is where that lane begins.
    lanes = dict(junction_map.lanes)
    lanes[2] = replace(lanes[2], signals=(77,))
    lanes[1] = replace(lanes[1], signals=(77, 78))
    route = build_route(
        replace(junction_map, lanes=lanes), (1, 2, 8), Goal(np.array([2.0, 40.0])), np.array([2.0, -40.0])
    )
    (stop,) = [s for s in route.stops if s.kind is StopKind.SIGNAL]
    assert set(stop.signals) == {77, 78}, "one stop for the approach and the junction lane"
    y = route_frame(route).point(np.array([stop.s, stop.clear_s]))[:, 1]
    np.testing.assert_allclose(y, [-10.0, 10.0], atol=0.6)


def test_yield_at_a_stop_line_unless_it_is_a_signal_s(junction_map):
    goal, start = Goal(np.array([-40.0, 2.0])), np.array([2.0, -40.0])
    line = np.array([[0.0, -9.5], [4.0, -9.5]])
    for signals, y in (((), -9.5), ((5,), -4.8)):
        lanes = dict(junction_map.lanes)
        lanes[3] = replace(lanes[3], stop_line=line, signals=signals)
        route = build_route(replace(junction_map, lanes=lanes), (1, 3, 4), goal, start)
        (stop,) = [s for s in route.stops if s.kind is StopKind.YIELD]
        assert route_frame(route).point(stop.s)[1] == pytest.approx(y, abs=0.3)


def test_crosswalk_with_a_stop_line(straight_map):
    (walk,) = straight_map.crosswalks
    line = np.array([[52.0, 0.0], [52.0, 7.0]])
    lane_map = replace(straight_map, crosswalks=(replace(walk, stop_lines={1: line, 2: line}),))
    route = build_route(lane_map, (1, 11), Goal(np.array([110.0, 1.75])), START)
    (stop,) = [s for s in route.stops if s.kind is StopKind.CROSSWALK]
    assert stop.s + route.path[0, 0] == pytest.approx(52.0, abs=0.1)


def test_wrong_lanes(straight_map):
    goal = Goal(np.array([110.0, 1.75]))
    for lanes, says in (((), "has no lanes"), ((1, 999), "lane 999 is not on the map"), ((1, 12), "neither follows")):
        with pytest.raises(InputError, match=says):
            build_route(straight_map, lanes, goal, START)


def random_map(seed: int) -> tuple[LaneMap, Goal]:
    """Four lanes of random bends and widths in a row, with kinks of up to 0.1 rad where they join."""
    random = np.random.default_rng(seed)
    lanes, point, yaw = {}, np.zeros(2), float(random.uniform(-np.pi, np.pi))
    widths = random.uniform(2.8, 4.5, 5)
    for i in range(4):
        n, bend = 30, random.uniform(-0.05, 0.05)
        angles = yaw + bend * np.arange(n)
        centre = point + np.vstack([[0.0, 0.0], np.cumsum(np.column_stack([np.cos(angles), np.sin(angles)]), axis=0)])
        normal = np.column_stack([-np.sin(np.append(angles, angles[-1])), np.cos(np.append(angles, angles[-1]))])
        half = 0.5 * np.linspace(widths[i], widths[i + 1], n + 1)[:, None]
        links = {"successors": (i + 1,) if i < 3 else (), "predecessors": (i - 1,) if i else ()}
        lanes[i] = Lane(i, LaneKind.ROAD, centre, centre + half * normal, centre - half * normal, **links)
        point, yaw = centre[-1], float(angles[-1] + random.uniform(-0.1, 0.1))
    return completed(LaneMap("random", lanes), {}), Goal(lanes[2].centre[15])


def moved(lane_map: LaneMap, goal: Goal, turn: float, shift) -> tuple[LaneMap, Goal]:
    def move(points):
        return rotate(points, turn) + np.asarray(shift)

    lanes = {
        i: replace(lane, centre=move(lane.centre), left_bound=move(lane.left_bound), right_bound=move(lane.right_bound))
        for i, lane in lane_map.lanes.items()
    }
    return replace(lane_map, lanes=lanes), replace(goal, position=move(goal.position))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_route_properties(seed):
    lane_map, goal = random_map(seed)
    route = build_route(lane_map, (0, 1, 2, 3), goal, lane_map.lanes[0].centre[10])
    assert np.all(np.diff(route.s) > 0.3) and np.all(np.diff(route.s) < 0.6)
    for side in ("left", "right"):
        own, same, drivable = (getattr(route, f"{side}_{what}") for what in ("lane", "same", "drivable"))
        assert (own > 1.0).all() and (own <= same + 1e-9).all() and (same <= drivable + 1e-9).all()
        assert (drivable <= 30.0).all()
    centre = np.vstack([lane.centre for lane in lane_map.lanes.values()])
    nearest = np.hypot(*(route.path[:, None] - centre[None]).transpose(2, 0, 1)).min(axis=1)
    assert nearest.max() < 0.65, "within 0.1 m of a centre line whose points are 1 m apart"
    assert np.abs(curvatures(route.path)).max() < 0.2
    assert np.abs(np.diff(headings(route.path))[np.abs(np.diff(headings(route.path))) < np.pi]).max() < 0.1
    assert list(route.stops) == sorted(route.stops, key=lambda stop: stop.s)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(-3.0, 3.0), st.floats(-500.0, 500.0), st.floats(-500.0, 500.0))
def test_route_moves_with_the_map(seed, turn, x, y):
    lane_map, goal = random_map(seed)
    route = build_route(lane_map, (0, 1, 2, 3), goal, lane_map.lanes[0].centre[10])
    other_map, other_goal = moved(lane_map, goal, turn, (x, y))
    other = build_route(other_map, (0, 1, 2, 3), other_goal, other_map.lanes[0].centre[10])
    np.testing.assert_allclose(other.path, rotate(route.path, turn) + [x, y], atol=1e-4)
    np.testing.assert_allclose(other.left_lane, route.left_lane, atol=1e-3)
    np.testing.assert_allclose(other.right_drivable, route.right_drivable, atol=1e-3)
    assert other.goal_s == pytest.approx(route.goal_s, abs=1e-3)


def test_smoothing_rounds_a_kink_and_stays_near():
    legs = np.vstack([np.column_stack([np.arange(0.0, 20.0, 0.5), np.zeros(40)]), [[20.0, 0.0]]])
    turn = 0.15
    path = np.vstack(
        [legs, 20.0 * np.array([1.0, 0.0]) + np.arange(0.5, 20.0, 0.5)[:, None] * [np.cos(turn), np.sin(turn)]]
    )
    result = smoothed(path, Shape())
    assert np.hypot(*(result - path).T).max() <= 0.1 + 1e-6
    assert np.abs(curvatures(result, 0.5)).max() < 0.5 * np.abs(curvatures(path, 0.5)).max()
    np.testing.assert_allclose(result[[0, -1]], path[[0, -1]], atol=1e-3)


def test_a_corner_sharper_than_a_car_can_drive_is_cut():
    x = np.arange(0.0, 20.0, 0.5)
    path = np.vstack([np.column_stack([x, np.zeros(40)]), np.column_stack([np.full(40, 20.0), x])])
    assert np.abs(curvatures(path)).max() > 0.35
    # A circle of radius R rounds it at a distance of 0.41 R from the corner: 1 m allow R = 2.4 m, 2 m allow 4.8 m.
    for allowed, curvature in ((1.0, 0.36), (2.0, 0.26)):
        result = smoothed(path, Shape(deviation_tight_m=allowed))
        assert np.hypot(*(result - path).T).max() <= allowed + 0.05
        assert np.abs(curvatures(result)).max() < curvature


def test_mapless_ahead_of_the_ego():
    ego = EgoState(0, np.array([10.0, 20.0]), np.pi / 2, 5.0)
    route = mapless_route(None, ego, None, 8.0, 3.0)
    np.testing.assert_allclose(route.path[[0, -1]], [[10.0, -10.0], [10.0, 220.0]], atol=1e-9)
    assert set(route.lane) == {-1} and route.lanes == () and route.stops == ()
    assert (route.left_drivable == 3.0).all() and (route.speed_limit == 8.0).all()
    assert route.goal_s == pytest.approx(230.0)


def test_mapless_along_a_line_to_a_goal():
    ego = EgoState(0, np.zeros(2), 0.0, 5.0)
    line = np.array([[0.0, 0.0], [30.0, 0.0], [30.0, 40.0]])
    route = mapless_route(line, ego, Goal(np.array([31.0, 20.0])), 8.0, 2.0)
    assert route.goal_s == pytest.approx(50.0)
    assert kinds(route) == [StopKind.GOAL]
    with pytest.raises(InputError, match="give values above 0"):
        mapless_route(line, ego, None, 0.0, 2.0)


def test_frame_is_cached_by_identity(straight_map):
    route = build_route(straight_map, (1, 11), Goal(np.array([110.0, 1.75])), START)
    assert route_frame(route) is route_frame(route)
