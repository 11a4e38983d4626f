import json

import numpy as np
import pytest

from behaviors_ros.datatypes import LaneKind
from behaviors_ros.maps.argoverse import read_map


def line(points):
    return [{"x": x, "y": y, "z": 1.5} for x, y in points]


def segment(id_, y, kind="VEHICLE", mark="DASHED_WHITE", west=False, **links):
    ends = [(50.0, y), (0.0, y)] if west else [(0.0, y), (50.0, y)]
    width = -3.0 if west else 3.0
    left = [(x, at + 0.5 * width) for x, at in ends]
    right = [(x, at - 0.5 * width) for x, at in ends]
    rest = {"successors": [], "predecessors": [], "left_neighbor_id": None, "right_neighbor_id": None}
    marks = {"left_lane_mark_type": mark, "right_lane_mark_type": mark}
    bounds = {"left_lane_boundary": line(left), "right_lane_boundary": line(right)}
    return {"id": id_, "lane_type": kind, "is_intersection": False, **bounds, **marks, **rest, **links}


@pytest.fixture
def path(tmp_path):
    lanes = [
        segment(1, 0.0, left_neighbor_id=2, successors=[999]),
        segment(2, 3.0, left_neighbor_id=3, right_neighbor_id=1, mark="SOLID_WHITE"),
        segment(3, 6.0, west=True, left_neighbor_id=2),
        segment(4, -3.0, kind="BIKE"),
    ]
    crossing = {"id": 7, "edge1": line([(20, -2), (20, 8)]), "edge2": line([(23, -2), (23, 8)])}
    area = {"id": 8, "area_boundary": line([(-1, -5), (51, -5), (51, 9), (-1, 9)])}
    parts = {
        "lane_segments": {str(lane["id"]): lane for lane in lanes},
        "pedestrian_crossings": {"7": crossing},
        "drivable_areas": {"8": area},
    }
    file = tmp_path / "log_map_archive_test.json"
    file.write_text(json.dumps(parts))
    return file


def test_read(path):
    lane_map = read_map(path)
    lanes = lane_map.lanes
    assert lanes[1].left == 2, "dashed"
    assert lanes[2].right is None, "solid"
    assert lanes[2].oncoming == 3 and lanes[2].left is None
    assert lanes[1].successors == (), "lanes beyond the file's edge are dropped"
    assert lanes[4].kind is LaneKind.BICYCLE
    np.testing.assert_allclose(lanes[3].centre[[0, -1]], [[50.0, 6.0], [0.0, 6.0]])
    assert not lane_map.left_hand_traffic
    (walk,) = lane_map.crosswalks
    assert set(walk.lanes) == {1, 2, 3}
    np.testing.assert_allclose(walk.polygon, [[20, -2], [20, 8], [23, 8], [23, -2]])
    assert len(lane_map.areas) == 1
