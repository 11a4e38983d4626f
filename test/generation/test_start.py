"""Where planning starts: stitched to the previous plan, or measured."""

import math
from dataclasses import replace

import numpy as np
import pytest
from generation_scenes import GRID, scene, straight

from behaviors_ros.datatypes import Outcome, Plan, Trajectory
from behaviors_ros.generation.start import start_state, state_at
from behaviors_ros.parameters import Vehicle

VEHICLE = Vehicle()
ROUTE = straight()


def braking(stamp_ns: int = 0) -> Trajectory:
    """From x = 10 m along +x, 10 m/s, building up braking at 1 m/s3."""
    t = GRID.time_s
    position = np.column_stack((10.0 + 10.0 * t - t**3 / 6.0, np.zeros_like(t)))
    return Trajectory(stamp_ns, t, position, np.zeros_like(t), 10.0 - t**2 / 2.0, -t, np.zeros_like(t))


def plan(trajectory: Trajectory) -> Plan:
    return Plan(0, 1, trajectory, trajectory, 500_000_000, 0, 0, "lattice", "keep lane", Outcome.SELECTED, "best")


def test_state_between_steps():
    # at 0.25 s: x = 10 + 2.5 - 0.015625 / 6 = 12.4973958, v = 10 - 0.03125, a = -0.25
    state = state_at(braking(), 0.25, VEHICLE)
    assert state.position == pytest.approx([12.4973958, 0.0], abs=1e-5)
    assert (state.speed, state.acceleration) == pytest.approx((9.96875, -0.25), abs=1e-6)


def test_curvature_becomes_the_wheel_angle():
    turning = replace(braking(), curvature=np.full(GRID.steps, 0.1))
    assert state_at(turning, 0.1, VEHICLE).steering == pytest.approx(math.atan(0.27))


def test_starts_on_the_plan_while_near_it():
    now = scene(ROUTE, x=11.3, y=0.2, speed=9.6, stamp_ns=100_000_000, previous=plan(braking()))
    state = start_state(now, VEHICLE)
    assert state.position == pytest.approx([11.0 - 0.001 / 6.0, 0.0], abs=1e-6)
    assert state.acceleration == pytest.approx(-0.1)


@pytest.mark.parametrize(
    "change", [{"y": 0.6}, {"x": 13.0}, {"yaw": 0.2}, {"speed": 8.5}, {"stamp_ns": 600_000_000, "x": 16.0}]
)
def test_starts_at_the_ego_when_off_the_plan_or_after_it(change):
    values = {"x": 11.0, "speed": 10.0, "stamp_ns": 100_000_000} | change
    now = scene(ROUTE, previous=plan(braking()), **values)
    state = start_state(now, VEHICLE)
    assert state.position == pytest.approx(now.ego.position)
    assert state.speed == now.ego.speed and state.yaw == now.ego.yaw


def test_rolling_back_and_creeping_noise_are_standstill():
    for speed in (-0.4, 0.01):
        state = start_state(scene(ROUTE, speed=speed, acceleration=-0.5), VEHICLE)
        assert (state.speed, state.acceleration) == (0.0, 0.0)


def test_measured_steering_is_kept_within_the_vehicle():
    assert start_state(scene(ROUTE, steering=0.3), VEHICLE).steering == 0.3
    assert start_state(scene(ROUTE, steering=2.0), VEHICLE).steering == VEHICLE.steering_max_rad
