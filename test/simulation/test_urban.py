"""The demo's map and scenario."""

from pathlib import Path

import numpy as np
import pytest

from behaviors_ros.datatypes import LaneKind, StopKind
from behaviors_ros.geometry.boxes import overlap
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polylines import headings
from behaviors_ros.simulation.scenario import DEMO, load_scenario
from behaviors_ros.simulation.world import observe, start
from behaviors_ros.simulation.worlds import make_urban
from behaviors_ros.simulation.worlds.osm import blended_turn, geodetic


@pytest.fixture(scope="module")
def scenario():
    return load_scenario(DEMO)


def test_the_map_file_is_fresh():
    path = Path(make_urban.__file__).with_name("urban.osm")
    assert path.read_text(encoding="utf-8") == make_urban.urban().text()


def test_route_and_rules(scenario):
    stops = {stop.kind: stop for stop in scenario.route.stops}
    assert {StopKind.SIGNAL, StopKind.CROSSWALK, StopKind.YIELD, StopKind.GOAL} <= set(stops)
    frame = FrenetFrame(scenario.route.path)
    start = float(frame.project(scenario.start.position)[0])
    assert 500.0 < scenario.route.goal_s - start < 700.0
    # Stop line of the crossing at 202 - 1.5, of the zebra at 375 - 4; the route is straight until there.
    assert stops[StopKind.SIGNAL].s - start == pytest.approx(200.5, abs=0.01)
    assert stops[StopKind.CROSSWALK].s - start == pytest.approx(371.0, abs=0.01)
    assert stops[StopKind.YIELD].s - start == pytest.approx(437.0 + 3.5, abs=0.05)
    groups = {cycle.id for cycle in scenario.signals}
    assert set(stops[StopKind.SIGNAL].signals) <= groups
    controlled = {group for lane in scenario.map.lanes.values() for group in lane.signals}
    assert controlled == groups


def test_lanes_join_smoothly(scenario):
    for lane in scenario.map.lanes.values():
        for successor in lane.successors if lane.kind is LaneKind.ROAD else ():
            after = scenario.map.lanes[successor].centre
            assert np.hypot(*(after[0] - lane.centre[-1])) < 0.01
            assert abs(np.sin(headings(lane.centre)[-1] - headings(after)[0])) < 0.02


def test_route_radius(scenario):
    frame = FrenetFrame(scenario.route.path)
    curvature = np.abs(frame.curvature(np.arange(0.0, frame.length, 0.5)))
    assert 10.5 < 1.0 / curvature.max() < 13.0


def test_blended_turn_is_symmetric_with_equal_tangents():
    # A right-angled turn with tangents of 12 m ends at (12, 12), and mirrored in the diagonal it is itself.
    turn = blended_turn((0.0, 0.0), 0.0, 0.5 * np.pi, 12.0)
    assert turn.points[-1] == pytest.approx([12.0, 12.0], abs=1e-3)
    assert turn.yaw[-1] == pytest.approx(0.5 * np.pi)
    mirrored = 12.0 - turn.points[::-1, ::-1]
    assert mirrored == pytest.approx(turn.points, abs=0.01)
    assert np.all(np.diff(turn.yaw) >= 0.0)


def test_geodetic_scale():
    # On WGS84 at 49 deg one degree of latitude is 111 209 m and one of longitude 73 170 m.
    latitude, longitude = geodetic(73_170.0, 111_209.0)
    assert latitude == pytest.approx(50.0, abs=1e-4) and longitude == pytest.approx(9.0, abs=1e-4)


def test_agents_start_apart(scenario):
    _, t, _ = observe(start(scenario))
    for i in range(len(t)):
        for j in range(i):
            box = [(t.position[k], t.yaw[k], t.length[k], t.width[k]) for k in (i, j)]
            assert not overlap(*box[0], *box[1])
