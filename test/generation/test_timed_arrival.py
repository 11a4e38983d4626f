"""Arrivals at the goal's time, place, speed and heading. The box centre is 1.35 m ahead of the rear axle."""

import re
from dataclasses import replace

import numpy as np
import pytest
from generation_scenes import GRID, boxes, scene, straight
from test_generators import check

from behaviors_ros import registry
from behaviors_ros.datatypes import Goal, Grid
from behaviors_ros.generation import interface
from behaviors_ros.parameters import Vehicle

assert interface.Generator  # importing it registers the plugins
VEHICLE = Vehicle()
GENERATOR = registry.create("generator", "timed_arrival", {}, VEHICLE)
SET_NS = 10**9


def arrivals(low=50.0, high=54.0, now_s=0.0, speed=10.0, x=10.0, grid=GRID, stamp_ns=SET_NS, speeds=None, **goal):
    """Candidates of a straight route with its goal's region from `low` to `high`, `now_s` after it was set."""
    middle = 0.5 * (low + high)
    aim = Goal(np.array([middle, 0.0]), speed=speeds, **goal)
    route = replace(straight(), goal=aim, goal_s=middle, goal_from_s=low, goal_to_s=high, stamp_ns=stamp_ns)
    return GENERATOR.generate(scene(route, x=x, speed=speed, stamp_ns=SET_NS + round(now_s * 1e9)), boxes([]), grid)


def test_each_is_there_at_its_time_with_its_speed():
    # From 10 m/s to the region in 3 to 5 s; insets of 0.3 m.
    found = arrivals(time=(3.0, 5.0))
    check(found)
    assert len(found) >= 9
    for row, label in enumerate(found.label):
        time, speed = (float(number) for number in re.match(r"arrive in ([\d.]+) s at ([\d.]+) m/s", label).groups())
        step = round(time / 0.1)
        assert time in (3.0, 4.0, 5.0)
        assert 50.3 - 0.02 <= found.s[row, step] + 1.35 <= 53.7 + 0.02
        assert found.speed[row, step] == pytest.approx(speed, abs=0.06)
        assert found.speed[row, step:] == pytest.approx(found.speed[row, step], abs=1e-5)


def test_steady_where_that_arrives_in_time():
    # The region's middle: 52 - 1.35 - 10.65 = 40 m in 4 s at 10 m/s; the natural speed is 1.5 * 40 / 4 - 0.5 * 10 = 10.
    found = arrivals(x=10.65, time=(4.0, 4.0), speed=10.0)
    steady = np.abs(found.speed - 10.0).max(axis=1) < 1e-4
    assert steady.sum() == 1 and found.label[int(np.argmax(steady))].startswith("arrive in 4.0 s at 10.0 m/s")


def test_the_time_counts_from_when_the_route_was_set():
    assert {label.split(" s ")[0] for label in arrivals(time=(7.0, 7.0), now_s=3.0).label} == {"arrive in 4.0"}


def test_quintic_by_hand():
    # From rest over D in T to rest: half way at half time, at 1.875 D / T; at most 10 / sqrt(3) D / T^2 = 5.77 D / T^2.
    # D = 31.35 - 1.35 - 10 = 20 m in 4 s: 7.2 m/s2, more than the vehicle's 2.4.
    assert len(arrivals(low=31.35, high=31.35, speed=0.0, time=(4.0, 4.0), speeds=(0.0, 0.0))) == 0
    # D = 4 m: 1.44 m/s2.
    (row,) = range(len(found := arrivals(low=15.35, high=15.35, speed=0.0, time=(4.0, 4.0), speeds=(0.0, 0.0))))
    assert found.s[row, [20, 40]] == pytest.approx([12.0, 14.0], abs=1e-3)
    assert found.speed[row, [20, 40]] == pytest.approx([1.875, 0.0], abs=1e-3)
    assert found.acceleration[row].max() == pytest.approx(1.443, abs=0.01)


def test_nothing_to_arrive_at():
    assert len(arrivals()) == 0  # no time
    assert len(arrivals(time=(3.0, 5.0), anywhere=True)) == 0
    assert len(arrivals(time=(3.0, 5.0), now_s=5.0)) == 0  # 0.0 s are left, less than 0.4
    assert len(arrivals(time=(3.0, 5.0), x=60.0)) == 0  # past it
    assert len(arrivals(time=(3.0, 5.0), stamp_ns=0)) == 0  # from when its times count is not known
    assert len(arrivals(time=(3.0, 5.0), low=290.0, high=294.0)) == 0  # 240 m in 5 s are too fast
    assert len(arrivals(low=np.nan, high=np.nan, time=(3.0, 5.0))) == 0


def test_heading_off_the_lanes_is_taken_across_it():
    # 0.2 to 0.4 rad to the left of the lane: a swing of 1 m, steepest at the region's middle, with 0.23 rad.
    found = arrivals(time=(3.0, 5.0), yaw=(0.2, 0.4))
    turned = [row for row, label in enumerate(found.label) if "arrive turned" in label]
    assert turned
    there = np.argmin(np.abs(found.s + 1.35 - 52.0), axis=1)
    heading = found.yaw[turned, there[turned]]
    assert (heading > 0.15).all() and (heading < 0.4).all()
    assert not any("arrive turned" in label for label in arrivals(time=(3.0, 5.0), yaw=(-0.1, 0.1)).label)


def test_beyond_the_horizon():
    # In 8 to 10 s on a grid of 6 s: on the way there.
    found = arrivals(low=90.0, high=94.0, time=(8.0, 10.0), grid=Grid())
    check(found)
    assert len(found) and (found.s[:, -1] + 1.35 < 90.0).all()
