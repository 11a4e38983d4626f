"""Arriving where one halts in a region beside the path: scorer `arrival`."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import Goal, StopKind, StopPoint
from behaviors_ros.scoring.arrival import way_across

RING = np.array([[98.0, -3.2], [102.0, -3.2], [102.0, -2.6], [98.0, -2.6]])


def kerb(bench, **goal):
    """A goal at the kerb: box centre at 100 m, 2.9 m right of the path, whose right edge is at -4.05 m."""
    goal = Goal(np.array([100.0, -2.9]), RING, yaw=(-0.25, 0.25), speed=(0.0, 0.3), **goal)
    stop = StopPoint(StopKind.GOAL, 0, 100.0, 150.0)
    route = replace(bench.route([stop], goal_s=100.0), goal=goal, goal_from_s=98.0, goal_to_s=102.0)
    return bench.scene(route=replace(route, right_drivable=np.full(len(route.s), 4.05)))


def missed(bench, scene, *drives):
    return bench.scorer("arrival").score(scene, bench.predictions(), bench.candidates(*drives)).raw


def test_halting_abreast_of_the_region_misses_it(bench):
    # rear axle at 98.65, box centre at 100: the nearest place in the region, 0.1 m inside its edge, is at d = -2.7
    scene = kerb(bench)
    stop = bench.drive(2.0, -2.0, s=97.65)
    beside = bench.drive(2.0, -2.0, s=97.65, d=-2.75)
    assert missed(bench, scene, stop, beside) == pytest.approx([2.7, 0.0], abs=0.01)


def test_far_before_it_nothing_is_missed_yet_and_near_it_the_way_across_is_too_short(bench):
    # 40 m before the halt the quintic's bend is 5.8 * 2.7 / 40^2 = 0.01 / m; 5 m before it 0.62 / m, more than 0.15
    scene = kerb(bench)
    far, near = missed(bench, scene, bench.drive(2.0, -2.0, s=57.65), bench.drive(2.0, -2.0, s=92.65))
    assert far == 0.0
    assert 1.5 < near < 3.0


def test_who_is_beside_its_lane_far_before_a_goal_in_it_misses_nothing(bench):
    # region over the whole lane: the nearest place in it is 1.7 m left of the path, where the ego's left side is over
    # the lane's edge; that is no swing of its front, and 280 m before the goal nothing is missed
    scene = kerb(bench)
    ring = np.array([[298.0, -1.8], [302.0, -1.8], [302.0, 1.8], [298.0, 1.8]])
    goal = Goal(np.array([300.0, 0.0]), ring, speed=(0.0, 0.3))
    route = replace(
        bench.route([StopPoint(StopKind.GOAL, 0, 300.0, 350.0)]), goal=goal, goal_from_s=298.0, goal_to_s=302.0
    )
    passing = bench.drive(3.0, d=2.9), bench.drive(3.0, d=-2.9)
    assert missed(bench, replace(scene, route=route), *passing).tolist() == [0.0, 0.0]


def test_past_the_region_or_without_a_halt_there_nothing_is_missed(bench):
    scene = kerb(bench)
    assert missed(bench, scene, bench.drive(2.0, s=101.0))[0] == 0.0
    passing = replace(scene, route=replace(scene.route, stops=()))
    assert missed(bench, passing, bench.drive(2.0, -2.0, s=97.65))[0] < 1.5  # the distance to the goal's lane alone


def test_a_way_across_by_hand():
    # Quintic over 10 m by 1 m from straight: curvature 10 / sqrt(3) / 100 = 0.0577 / m at u = 0.21; seen at 0.2:
    # d'' = (60 u - 180 u^2 + 120 u^3) / 100 = 0.0576. At its end it is parallel: nothing swings out without overhang.
    bend, swing = way_across(np.array([1.0]), np.zeros(1), np.array([10.0]), 0.0)
    assert bend[0] == pytest.approx(0.0576, abs=1e-6) and swing[0] == pytest.approx(0.0)
    # 3 m ahead, at u = 0.7: d = 0.83692, d' = 30 u^2 (1 - u)^2 / 10 = 0.1323, sin 0.1312: 0.2304 m beyond 1 m.
    assert way_across(np.array([1.0]), np.zeros(1), np.array([10.0]), 3.0)[1][0] == pytest.approx(0.2304, abs=1e-3)
    assert way_across(np.array([-1.0]), np.zeros(1), np.array([10.0]), 3.0)[1][0] == pytest.approx(0.2304, abs=1e-3)
