"""What is handed on begins at the vehicle, and does not jump."""

import numpy as np
import pytest

from behaviors_ros.control.handover import distance_to, from_vehicle, jump
from behaviors_ros.datatypes import EgoState, Trajectory

TIME = np.arange(31) * 0.1
NS = 1_000_000_000


def along_x(stamp_ns=0, speed=10.0, y=0.0):
    """At a speed along x from the origin."""
    zeros = np.zeros(31)
    return Trajectory(stamp_ns, TIME, np.stack([speed * TIME, zeros + y], 1), zeros, zeros + speed, zeros, zeros)


def test_it_begins_a_little_behind_the_vehicle():
    """0.25 s after the stamp, 0.1 s left behind: it begins at 0.15 s, 1.5 m, and then has the points from 0.2 s."""
    found = from_vehicle(along_x(), NS // 4, 0.1)
    assert found.stamp_ns == 0 and len(found.time_s) == 30
    np.testing.assert_allclose(found.time_s[:3], (0.15, 0.2, 0.3), atol=1e-12)
    np.testing.assert_allclose(found.position[:2], [(1.5, 0.0), (2.0, 0.0)], atol=1e-12)


def test_before_its_beginning_it_is_whole():
    whole = along_x()
    assert from_vehicle(whole, 50_000_000, 0.1) is whole


def test_past_its_end_two_points_are_left():
    found = from_vehicle(along_x(), 10 * NS, 0.1)
    np.testing.assert_allclose(found.time_s, (2.9, 3.0))


def test_yaw_is_not_averaged_through_zero():
    """From 179 to -179 deg in 0.1 s: half way it is 180, not 0."""
    turning = along_x()
    yaw = np.where(np.arange(31) < 3, np.deg2rad(179.0), np.deg2rad(-179.0))
    found = from_vehicle(Trajectory(0, TIME, turning.position, yaw, turning.speed, yaw * 0, yaw * 0), NS // 4, 0.0)
    assert abs(found.yaw[0]) == pytest.approx(np.pi)


def test_jump_of_two_trajectories():
    """0.5 s later one is at (5, 0) at 10 m/s, the other, begun 0.1 s later at 8 m/s, at (3.2, 0.4)."""
    apart, faster = jump(along_x(), along_x(NS // 10, 8.0, 0.4), NS // 2)
    assert apart == pytest.approx(np.hypot(1.8, 0.4)) and faster == pytest.approx(-2.0)
    assert np.isnan(jump(along_x(), along_x(), 4 * NS)[0])


def test_distance_to_the_vehicle():
    ego = EgoState(NS, np.array([10.0, 0.3]), 0.0, 10.0)
    assert distance_to(along_x(), ego) == pytest.approx(0.3)
