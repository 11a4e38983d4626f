"""Recorded drivers in the ego's place: the scene of the instant, nothing of what came after, and where it drove on."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, Grid, Lane, LaneKind, LaneMap
from behaviors_ros.maps.commonroad import CommonRoadDocument
from behaviors_ros.maps.commonroad_traffic import RecordedObstacle
from behaviors_ros.simulation.recordings.experts import ExpertSampling, scenario_experts

GRID = Grid()
SAMPLING = ExpertSampling(every_s=2.0, past_s=0.5, future_s=4.0)


def driver(number, x, speed, y=0.0, steps=71):
    time = np.arange(steps)
    position = np.stack([x + speed * 0.1 * time, np.full(steps, y)], axis=-1)
    flat = np.zeros(steps)
    return RecordedObstacle(number, AgentClass.CAR, "dynamic", 5.0, 2.0, time, position, flat, flat + speed, flat)


def document(*obstacles):
    x = np.arange(-50.0, 401.0)
    lanes = {}
    for number, y in ((1, 0.0), (2, 3.5)):
        line = np.stack([x, np.full(len(x), y)], axis=-1)
        lanes[number] = Lane(number, LaneKind.ROAD, line, line + [0.0, 1.75], line - [0.0, 1.75])
    return CommonRoadDocument("TEST", LaneMap("test", lanes), 0.1, obstacles, (), (), {})


def of(found, number):
    return [expert for expert in found if expert.group == f"TEST {number}"]


def test_scene_and_future_of_a_driver():
    first, second = driver(1, 0.0, 10.0), driver(2, 40.0, 8.0, 3.5)
    found = list(scenario_experts(document(first, second), GRID, SAMPLING, set()))
    # Records of 7 s: 0.5 s before and 4 s after leave 0.5 and 2.5 s.
    mine = of(found, 1)
    assert len(mine) == len(of(found, 2)) == 2
    # The axles of a 5 m long car are 1 m from its ends: the rear one 1.5 m behind the centre.
    scene = mine[1].scene
    assert mine[1].vehicle.wheel_base_m == 3.0 and mine[1].vehicle.length_m == 5.0
    assert scene.ego.position == pytest.approx([25.0 - 1.5, 0.0]) and scene.ego.speed == 10.0
    assert scene.ego.acceleration == pytest.approx(0.0) and scene.ego.steering == pytest.approx(0.0)
    # The other is where it is at 2.5 s; the driver itself is no track.
    assert scene.tracks.position == pytest.approx(np.array([[60.0, 3.5]]))
    assert scene.tracks.speed == pytest.approx([8.0])
    # It drives on until 7 s: 4.5 s from now.
    assert mine[1].future[40] == pytest.approx([23.5 + 40.0, 0.0])
    assert np.isfinite(mine[1].future[45]).all() and np.isnan(mine[1].future[46:]).all()
    assert scene.route.lanes == (1,) and scene.route.stops == ()


def test_nothing_of_what_comes_after_enters_the_scene():
    def scenes(later_speed):
        other = driver(2, 40.0, 8.0, 3.5)
        position = other.position.copy()
        position[30:, 0] = position[29, 0] + later_speed * 0.1 * np.arange(1, 42)
        other = replace(other, position=position, speed=np.where(np.arange(71) < 30, 8.0, later_speed))
        found = scenario_experts(document(driver(1, 0.0, 10.0), other), GRID, SAMPLING, set())
        return [expert.scene for expert in of(found, 1)]

    for before, after in zip(scenes(8.0), scenes(1.0), strict=True):
        assert np.array_equal(before.tracks.position, after.tracks.position)
        assert np.array_equal(before.tracks.velocity, after.tracks.velocity)


def test_who_stands_and_who_was_seen_before_is_left_out():
    standing, seen = driver(1, 0.0, 0.0), set()
    assert not list(scenario_experts(document(standing), GRID, SAMPLING, seen))
    first = document(driver(3, 0.0, 10.0))
    assert len(list(scenario_experts(first, GRID, SAMPLING, seen))) == 2
    # The same record, cut out two seconds later under another number.
    again = driver(9, 20.0, 10.0)
    assert not list(scenario_experts(document(again), GRID, SAMPLING, seen))


def test_so_many_drivers_of_one_scenario():
    many = [driver(k, 15.0 * k, 10.0) for k in range(1, 8)]
    found = list(scenario_experts(document(*many), GRID, SAMPLING.model_copy(update={"drivers": 3}), set()))
    assert {expert.group for expert in found} == {"TEST 1", "TEST 4", "TEST 7"}
