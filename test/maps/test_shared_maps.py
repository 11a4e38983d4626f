"""Every map and scenario of the development data loads, and a route is found in every scenario."""

import time

import lanelet2
import numpy as np
import pytest

from behaviors_ros.datatypes import Goal, LaneKind
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.polylines import curvatures
from behaviors_ros.maps.check import check
from behaviors_ros.maps.commonroad import read_document
from behaviors_ros.maps.lane_graph import lanes_at_many
from behaviors_ros.maps.load import load_map
from behaviors_ros.maps.route import build_route, route_frame, search

WITHOUT_LANES = "mapping_example-debug.osm"  # a routing graph drawn as ways: it has no lanelets


def test_small_lanelet2_and_argoverse_maps(shared_data):
    check_maps([path for path in map_files(shared_data) if path.stat().st_size < 200_000])


@pytest.mark.slow
def test_large_maps(shared_data):
    check_maps([path for path in map_files(shared_data) if path.stat().st_size >= 200_000])


def map_files(folder) -> list:
    files = [*sorted(folder.glob("maps/**/*.osm")), *sorted(folder.glob("av2_logs/*/map/log_map_*.json"))]
    assert len(files) >= 15
    return files


def check_maps(files) -> None:
    for row in check(files):
        if row.file.endswith(WITHOUT_LANES):
            assert "no lanelet for vehicles" in row.error
            continue
        assert row.error == "" and row.lanes > 0 and row.length_km > 0.1, row


def test_links_agree_with_the_library_s_routing_graph(shared_data):
    rules = lanelet2.traffic_rules.create(
        lanelet2.traffic_rules.Locations.Germany, lanelet2.traffic_rules.Participants.Vehicle
    )
    for name in ("lanelet2_example/mapping_example.osm", "kashiwanoha/lanelet2_map.osm"):
        path = shared_data / "maps" / name
        origin = (49.0, 8.4) if "example" in name else (35.9, 139.9)
        raw = lanelet2.io.load(str(path), lanelet2.projection.UtmProjector(lanelet2.io.Origin(*origin)))
        graph, lanes = lanelet2.routing.RoutingGraph(raw, rules), load_map(path).lanes
        for lanelet in raw.laneletLayer:
            for after in graph.following(lanelet):
                id_ = -after.id if after.inverted() else after.id  # the way back of a two-way road
                assert id_ in lanes[lanelet.id].successors, (name, lanelet.id, after.id)
            for side in ("left", "right"):
                beside = getattr(graph, side)(lanelet)
                assert beside is None or getattr(lanes[lanelet.id], side) in (beside.id, -beside.id)


def test_intersection_map(shared_data):
    lane_map = load_map(shared_data / "maps/autoware_test_maps/intersection/lanelet2_map.osm")
    assert lane_map.left_hand_traffic, "a Japanese map"
    lanes = [lane for lane in lane_map.lanes.values() if lane.signals and lane.kind is LaneKind.ROAD]
    assert len(lanes) > 10 and all(lane.stop_line is not None for lane in lanes)
    assert len(lane_map.crosswalks) == 8
    assert {lane_map.lanes[i].id for i in lane_map.lanes[1300].yields_to} >= {3100, 3101, 3102, 3103}
    position, yaw = lane_map.lanes[1013].centre[-20], np.pi / 2
    goal = Goal(lane_map.lanes[4500].centre[20])
    assert search(lane_map, position, yaw, goal) == (1013, 1300, 4500)


def test_fifty_agents_are_placed_within_a_millisecond(shared_data):
    lane_map = load_map(shared_data / "maps/autoware_test_maps/intersection/lanelet2_map.osm")
    lanes = list(lane_map.lanes.values())[:50]
    positions, yaws = np.array([lane.centre[len(lane.centre) // 2] for lane in lanes]), np.zeros(50)
    lanes_at_many(lane_map, positions, yaws, 3.0)
    best = np.inf
    for _ in range(30):
        begin = time.perf_counter()
        lanes_at_many(lane_map, positions, yaws, 3.0)
        best = min(best, time.perf_counter() - begin)
    assert best < 1e-3


def test_some_scenarios(shared_data):
    for path in sorted(shared_data.glob("commonroad_*/*/*.gz"))[5::80]:
        check_scenario(path)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_scenarios(shared_data):
    files = sorted(shared_data.glob("commonroad_*/*/*.gz"))
    assert len(files) >= 250
    for path in files:
        check_scenario(path)


def check_scenario(path) -> None:
    document = read_document(path)
    assert document.lane_map.lanes and document.problems and not document.skipped
    for problem in document.problems:
        lane_ids, goal = None, None
        for goal in problem.goals:
            try:
                lane_ids = search(document.lane_map, problem.position, problem.yaw, goal)
                break
            except InputError:
                continue
        assert lane_ids is not None, path
        route = build_route(document.lane_map, lane_ids, goal, problem.position)
        s, d = route_frame(route).project(problem.position)
        assert -0.5 <= s <= 31.0 and abs(d) < 4.0, path
        assert np.all(np.diff(route.s) > 0.2) and np.all(np.diff(route.s) < 0.7), path
        assert np.abs(curvatures(route.path)).max() < 0.22, path
        inside = (route.left_drivable > 0.3) & (route.right_drivable > 0.3)
        assert inside.all(), path
