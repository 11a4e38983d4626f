import gzip

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, SignalColor
from behaviors_ros.maps.commonroad import read_document, read_map


@pytest.fixture
def document(make_commonroad, tmp_path):
    path = tmp_path / "small.xml"
    path.write_text(make_commonroad())
    return read_document(path)


def test_map(document):
    lanes = document.lane_map.lanes
    np.testing.assert_allclose(lanes[1].centre[[0, -1]], [[0.0, 2.0], [50.0, 2.0]])
    assert lanes[1].successors == (2,) and lanes[1].left == 3 and lanes[3].right == 1
    assert lanes[1].speed_limit == 8.5 and lanes[1].signals == (8,)
    np.testing.assert_allclose(lanes[1].stop_line, [[50.0, 4.0], [50.0, 0.0]])  # no points: across the lane's end


def test_solid_line_forbids_the_change(make_commonroad, tmp_path):
    path = tmp_path / "small.xml"
    path.write_text(make_commonroad().replace("dashed", "solid"))
    assert read_map(path).lanes[1].left is None


def test_obstacles(document):
    car, box = document.obstacles
    assert (car.id, car.kind, car.role, car.length, car.width) == (30, AgentClass.CAR, "dynamic", 4.0, 2.0)
    np.testing.assert_array_equal(car.time, [0, 1])
    np.testing.assert_allclose(car.position, [[20.0, 2.0], [20.5, 2.0]])
    np.testing.assert_allclose(car.speed, 5.0)
    assert np.isnan(car.acceleration).all()
    assert (box.role, box.length) == ("static", pytest.approx(1.0, abs=0.01))
    assert document.dt_s == 0.1 and document.benchmark_id == "TST_Small-1" and document.skipped == {}


def test_problem_with_a_lanelet_as_goal(document):
    (problem,) = document.problems
    np.testing.assert_allclose(problem.position, [5.0, 2.0])
    assert problem.speed == 8.0 and problem.yaw == 0.0
    (goal,) = problem.goals
    assert goal.time == pytest.approx((3.0, 5.0)) and goal.speed is None
    assert goal.polygon[:, 0].min() == 50.0 and goal.polygon[:, 0].max() == 100.0
    assert 50.0 < goal.position[0] < 100.0


def goal_of(make_commonroad, tmp_path, text):
    path = tmp_path / "small.xml"
    path.write_text(make_commonroad(goal=text))
    return read_document(path).problems[0].goals


def test_goal_rectangle_with_yaw_and_speed(make_commonroad, tmp_path):
    text = (
        "<position><rectangle><length>10</length><width>2</width><orientation>1.5707963267948966</orientation>"
        "<center><x>70</x><y>2</y></center></rectangle></position>"
        "<orientation><intervalStart>-0.2</intervalStart><intervalEnd>0.2</intervalEnd></orientation>"
        "<velocity><intervalStart>3</intervalStart><intervalEnd>9</intervalEnd></velocity>"
    )
    (goal,) = goal_of(make_commonroad, tmp_path, text)
    # Turned by 90 degrees the rectangle spans 2 m in x and 10 m in y.
    np.testing.assert_allclose(goal.polygon.min(axis=0), [69.0, -3.0], atol=1e-9)
    np.testing.assert_allclose(goal.polygon.max(axis=0), [71.0, 7.0], atol=1e-9)
    assert goal.yaw == (-0.2, 0.2) and goal.speed == (3.0, 9.0)


def test_goal_circle_polygon_and_disjoint_lanelets(make_commonroad, tmp_path):
    circle = "<position><circle><radius>3</radius><center><x>70</x><y>2</y></center></circle></position>"
    (goal,) = goal_of(make_commonroad, tmp_path, circle)
    np.testing.assert_allclose(np.hypot(*(goal.polygon - [70.0, 2.0]).T), 3.0)
    corners = "".join(f"<point><x>{x}</x><y>{y}</y></point>" for x, y in [(60, 0), (64, 0), (62, 4)])
    (goal,) = goal_of(make_commonroad, tmp_path, f"<position><polygon>{corners}</polygon></position>")
    assert len(goal.polygon) == 3
    both = goal_of(make_commonroad, tmp_path, '<position><lanelet ref="2"/><lanelet ref="3"/></position>')
    assert len(both) in (1, 2) and sum(len(g.polygon) for g in both) >= 8


def test_goal_without_a_region_lies_out_of_reach(make_commonroad, tmp_path):
    (goal,) = goal_of(make_commonroad, tmp_path, "")
    assert goal.polygon is None and goal.time == pytest.approx((3.0, 5.0))
    np.testing.assert_allclose(goal.position, [97.5, 2.0])  # 5 m + 5 s x 8.5 m/s + 50 m


def test_format_2018b_and_gzip(make_commonroad, tmp_path):
    path = tmp_path / "small.xml.gz"
    path.write_bytes(gzip.compress(make_commonroad(version="2018b").encode()))
    roles = [(o.id, o.role) for o in read_document(path).obstacles]
    assert roles == [(30, "dynamic"), (31, "static")]


def test_occupancy_sets_become_bounding_boxes(make_commonroad, tmp_path):
    def occupancy(t, x):
        corners = [(x, 0), (x + 6, 0), (x + 6, 2), (x, 2)]
        ring = "".join(f"<point><x>{a}</x><y>{b}</y></point>" for a, b in corners)
        return f"<occupancy><shape><polygon>{ring}</polygon></shape><time><exact>{t}</exact></time></occupancy>"

    sets = f"<occupancySet>{occupancy(1, 10)}{occupancy(2, 9)}</occupancySet>"
    extra = f'<dynamicObstacle id="32"><type>truck</type>{sets}</dynamicObstacle><dynamicObstacle id="33"/>'
    path = tmp_path / "small.xml"
    path.write_text(make_commonroad(extra=extra))
    document = read_document(path)
    truck = next(o for o in document.obstacles if o.id == 32)
    np.testing.assert_allclose(truck.position, [[13.0, 1.0], [12.0, 1.0]])
    assert (truck.length, truck.width) == (pytest.approx(6.0), pytest.approx(2.0))
    np.testing.assert_allclose(np.abs(truck.yaw), np.pi)  # it moves to the west: 1 m in 0.1 s
    np.testing.assert_allclose(truck.speed, 10.0)
    assert document.skipped == {"obstacle without shape or occupancy": 1}


def test_shape_beside_the_reference_point_moves_the_box_centre(make_commonroad, tmp_path):
    text = make_commonroad().replace("<width>2.0</width>", "<width>2.0</width><center><x>1.5</x><y>0</y></center>")
    path = tmp_path / "small.xml"
    path.write_text(text)
    np.testing.assert_allclose(read_document(path).obstacles[0].position[0], [21.5, 2.0])


def test_signal_cycle(document):
    (cycle,) = document.signals
    # Offset 1 s; red 3 s, red and yellow 0.5 s (still no passage), green 2 s, yellow 1 s: a cycle of 6.5 s.
    expected = {1.0: ("RED", 3.0), 3.9: ("RED", 0.1), 4.2: ("RED", 0.3), 5.0: ("GREEN", 1.5), 7.0: ("AMBER", 0.5)}
    for time, (color, rest) in expected.items():
        assert cycle.phase(time)[0] is SignalColor[color]
        assert cycle.phase(time)[1] == pytest.approx(rest)
    assert cycle.phase(1.0 + 6.5) == (SignalColor.RED, pytest.approx(3.0))
    assert cycle.phase(0.0) == (SignalColor.AMBER, pytest.approx(1.0))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_agrees_with_the_library_of_the_format_on_recordings(shared_data, tmp_path):
    reader = pytest.importorskip("commonroad.common.file_reader", reason="commonroad-io serves as a second reader only")
    for path in sorted(shared_data.glob("commonroad_*/*/*.gz"))[::9]:
        plain = tmp_path / "plain.xml"
        plain.write_bytes(gzip.decompress(path.read_bytes()))
        scenario, problems = reader.CommonRoadFileReader(str(plain)).open()
        ours = read_document(path)
        compare_lanes(ours.lane_map, scenario.lanelet_network)
        compare_obstacles(ours.obstacles, scenario)
        for problem in ours.problems:
            initial = problems.planning_problem_dict[problem.id].initial_state
            np.testing.assert_allclose(problem.position, initial.position)
            assert problem.speed == pytest.approx(initial.velocity)


def compare_lanes(lane_map, network) -> None:
    assert {lane.lanelet_id for lane in network.lanelets} == set(lane_map.lanes)
    for lanelet in network.lanelets:
        lane = lane_map.lanes[lanelet.lanelet_id]
        assert set(lanelet.successor) == set(lane.successors)
        assert set(lanelet.predecessor) == set(lane.predecessors)
        assert lane.left is None or (lanelet.adj_left == lane.left and lanelet.adj_left_same_direction)
        assert set(lanelet.traffic_lights) <= set(lane.signals)


def compare_obstacles(obstacles, scenario) -> None:
    assert len(scenario.obstacles) == len(obstacles)
    for obstacle in obstacles:
        other = scenario.obstacle_by_id(obstacle.id)
        if not hasattr(other.obstacle_shape, "length") or not hasattr(other.prediction, "trajectory"):
            continue
        shape = other.obstacle_shape
        assert (obstacle.length, obstacle.width) == pytest.approx((shape.length, shape.width))
        for i in (0, len(obstacle.time) // 2, -1):
            state = other.state_at_time(int(obstacle.time[i]))
            np.testing.assert_allclose(obstacle.position[i], state.position, atol=1e-6)
            assert obstacle.yaw[i] == pytest.approx(state.orientation)
            assert obstacle.speed[i] == pytest.approx(state.velocity)
