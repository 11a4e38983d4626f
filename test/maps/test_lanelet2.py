import re

import numpy as np
import pytest

from behaviors_ros.datatypes import LaneKind, Turn
from behaviors_ros.maps import lanelet2


def test_lanes_have_their_geometry(straight_map):
    lane = straight_map.lanes[1]
    np.testing.assert_allclose(lane.centre[[0, -1]], [[0.0, 1.75], [100.0, 1.75]], atol=1e-9)
    np.testing.assert_allclose(lane.left_bound[0], [0.0, 3.5])
    assert lane.kind is LaneKind.ROAD
    assert np.diff(lane.centre[:, 0]).max() < 1.01


def test_reversed_bound_direction_is_turned_round(straight_map):
    # Lane 3 runs west: its left bound (y = 7) is drawn eastward in the file, its right bound westward.
    lane = straight_map.lanes[3]
    assert lane.left_bound[0, 0] == 100.0 and lane.left_bound[-1, 0] == 0.0
    assert lane.centre[0, 0] > lane.centre[-1, 0]
    np.testing.assert_allclose(lane.centre[:, 1], 8.75)


def test_topology(straight_map):
    lanes = straight_map.lanes
    assert lanes[1].successors == (11,) and lanes[11].predecessors == (1,)
    assert lanes[13].successors == (3,)
    assert lanes[1].left == 2 and lanes[2].right == 1
    assert lanes[2].left is None, "the line to the oncoming lane is solid"
    assert lanes[1].oncoming is None or lanes[1].oncoming == 3
    assert lanes[2].oncoming == 3 and lanes[3].oncoming == 2
    assert not straight_map.left_hand_traffic


def test_speed_limits_in_kmh_unless_the_unit_is_named(straight_map):
    assert straight_map.lanes[1].speed_limit == pytest.approx(10.0)  # 36 km/h
    assert straight_map.lanes[3].speed_limit == pytest.approx(10.0)  # 10 m/s


def test_signals_and_stop_line(straight_map):
    lane = straight_map.lanes[1]
    assert lane.signals == (50,)
    np.testing.assert_allclose(lane.stop_line, [[55.0, 0.0], [55.0, 7.0]])
    assert straight_map.lanes[11].signals == ()


def test_crosswalk_knows_the_lanes_it_crosses(straight_map):
    (walk,) = straight_map.crosswalks
    assert walk.id == 90 and set(walk.lanes) == {1, 2, 3}
    assert straight_map.lanes[90].kind is LaneKind.CROSSWALK


def test_without_local_tags_the_same_map_up_to_projection(make_straight, straight_map, tmp_path):
    other = lanelet2.read_map(make_straight(local=False).write(tmp_path / "geographic.osm"), origin=(0.0, 3.0))
    # UTM at its central meridian (3 E) has scale 0.9996: 100 m become 99.96 m.
    np.testing.assert_allclose(other.lanes[1].centre[-1], [99.96, 1.75], atol=0.02)
    assert other.lanes[1].successors == (11,)


def test_default_origin_is_rounded_to_a_tenth_of_a_degree(make_straight, tmp_path):
    path = make_straight(local=False).write(tmp_path / "geographic.osm")
    np.testing.assert_allclose(
        lanelet2.read_map(path).lanes[1].centre, lanelet2.read_map(path, origin=(0.0, 3.0)).lanes[1].centre
    )


def test_nodes_without_latitude_and_longitude(straight_osm, straight_map, tmp_path):
    path = tmp_path / "a.osm"
    path.write_text(re.sub(r'lat="[^"]*" lon="[^"]*"', 'lat="" lon=""', straight_osm.text()))
    lanes = lanelet2.read_map(path).lanes
    for lane in straight_map.lanes.values():
        if lane.kind is LaneKind.ROAD:
            np.testing.assert_allclose(lanes[lane.id].centre, lane.centre, atol=1e-9)
            assert (lanes[lane.id].successors, lanes[lane.id].left) == (lane.successors, lane.left)


def test_two_way_road_becomes_two_lanes(straight_osm, tmp_path):
    sides = [straight_osm.line([(300.0, y), (340.0, y)]) for y in (0.0, 6.0)]
    straight_osm.lanelet(70, sides[1], sides[0], one_way="no")
    lanes = lanelet2.read_map(straight_osm.write(tmp_path / "a.osm")).lanes
    np.testing.assert_allclose(lanes[-70].centre, lanes[70].centre[::-1], atol=1e-9)
    np.testing.assert_allclose(lanes[-70].left_bound[0], [340.0, 0.0])


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"subtype": "road_shoulder"}, LaneKind.SHOULDER),
        ({"subtype": "bicycle_lane"}, LaneKind.BICYCLE),
        ({"subtype": "walkway"}, LaneKind.WALKWAY),
        ({"subtype": "bus_lane"}, LaneKind.BUS),
        ({"subtype": "road", "participant:pedestrian": "yes"}, LaneKind.WALKWAY),
        ({"subtype": "road", "participant:vehicle": "yes"}, LaneKind.ROAD),
        ({"subtype": "unheard_of"}, LaneKind.WALKWAY),
    ],
)
def test_kinds(straight_osm, tmp_path, tags, kind):
    sides = [straight_osm.line([(300.0, y), (340.0, y)]) for y in (0.0, 3.0)]
    straight_osm.lanelet(70, sides[1], sides[0], **tags)
    assert lanelet2.read_map(straight_osm.write(tmp_path / "a.osm")).lanes[70].kind is kind


def test_stop_sign(straight_osm, tmp_path):
    sign = straight_osm.line([(180.0, -1.0), (180.0, 0.0)], type="traffic_sign", subtype="stop_sign")
    line = straight_osm.line([(178.0, 0.0), (178.0, 3.5)], type="stop_line")
    straight_osm.rule(51, "traffic_sign", [("way", "refers", sign), ("way", "ref_line", line)])
    sides = [straight_osm.line([(150.0, y), (200.0, y)]) for y in (-4.0, 0.0)]
    straight_osm.lanelet(70, sides[1], sides[0], (51,))
    lane = lanelet2.read_map(straight_osm.write(tmp_path / "a.osm")).lanes[70]
    assert lane.stop
    np.testing.assert_allclose(lane.stop_line, [[178.0, 0.0], [178.0, 3.5]])


def test_autoware_elements_the_library_does_not_know(straight_osm, tmp_path):
    line = straight_osm.line([(57.0, 0.0), (57.0, 7.0)], type="stop_line")
    other = straight_osm.line([(68.0, 7.0), (68.0, 10.5)], type="stop_line")
    straight_osm.rule(52, "crosswalk", [("relation", "refers", 90), ("way", "ref_line", line)])
    straight_osm.rule(55, "crosswalk", [("relation", "refers", 90), ("way", "ref_line", other)])
    marking = straight_osm.line([(195.0, -4.0), (195.0, 0.0)], type="stop_line")
    straight_osm.rule(53, "road_marking", [("way", "refers", marking)])
    sides = [straight_osm.line([(150.0, y), (200.0, y)]) for y in (-4.0, 0.0)]
    straight_osm.lanelet(70, sides[1], sides[0], (53,))
    lane_map = lanelet2.read_map(straight_osm.write(tmp_path / "a.osm"))
    (walk,) = lane_map.crosswalks
    np.testing.assert_allclose(walk.stop_lines[1], [[57.0, 0.0], [57.0, 7.0]])
    assert set(walk.stop_lines) == {1, 2, 3}
    np.testing.assert_allclose(walk.stop_lines[3], [[68.0, 7.0], [68.0, 10.5]])  # of the west-bound lane
    np.testing.assert_allclose(lane_map.lanes[70].stop_line, [[195.0, -4.0], [195.0, 0.0]])


def test_signal_that_no_lanelet_names_goes_by_its_stop_line(straight_osm, tmp_path):
    line = straight_osm.line([(190.0, 0.0), (190.0, 3.4)], type="stop_line")
    light = straight_osm.line([(195.0, 0.0), (195.0, 1.0)], type="traffic_light")
    straight_osm.rule(54, "traffic_light", [("way", "refers", light), ("way", "ref_line", line)])
    lanes = lanelet2.read_map(straight_osm.write(tmp_path / "a.osm")).lanes
    assert lanes[11].signals == (54,) and lanes[12].signals == () and lanes[1].signals == (50,)


def test_turns_from_tags_and_derived_right_of_way(junction_map):
    lanes = junction_map.lanes
    assert lanes[3].turn is Turn.LEFT and lanes[6].turn is Turn.STRAIGHT and lanes[1].turn is Turn.NONE
    assert lanes[3].yields_to == (6,), "a left turn yields to oncoming traffic going straight"
    assert lanes[2].yields_to == () and lanes[6].yields_to == ()


def test_left_hand_traffic_mirrors_the_rule(make_junction, tmp_path):
    lane_map = lanelet2.read_map(make_junction(left_hand=True).write(tmp_path / "a.osm"))
    assert lane_map.left_hand_traffic
    assert lane_map.lanes[3].turn is Turn.RIGHT and lane_map.lanes[3].yields_to == (6,)


def test_explicit_right_of_way_replaces_the_derived(make_junction, tmp_path):
    lane_map = lanelet2.read_map(make_junction(right_of_way=True).write(tmp_path / "a.osm"))
    assert lane_map.lanes[3].yields_to == (2,)


def test_turn_from_geometry(make_junction, tmp_path):
    text = make_junction().text().replace('<tag k="turn_direction" v="left"/>', "")
    path = tmp_path / "a.osm"
    path.write_text(text)
    assert lanelet2.read_map(path).lanes[3].turn is Turn.LEFT
