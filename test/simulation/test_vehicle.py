"""The bicycle model against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.datatypes import ControlCommand, EgoState
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.vehicle import VehicleState, advance

IDEAL = Vehicle(actuator_delay_s=0.0, steering_lag_s=0.0, acceleration_lag_s=0.0)
S = 1_000_000_000


def state(speed=0.0, steering=0.0, yaw=0.0):
    return VehicleState(EgoState(0, np.zeros(2), yaw, speed, steering=steering))


def command(steering=0.0, acceleration=0.0, speed=1.0):
    return ControlCommand(0, steering, 0.0, speed, acceleration)


def test_circle_is_exact():
    # tan(0.3) / 2.7 = 0.11457 1/m; 10 m/s for 1 s turns by 1.1457 rad on a circle of 8.7283 m radius.
    after = advance(state(10.0, 0.3), command(0.3, 0.0), IDEAL, S).ego
    turn = 10.0 * math.tan(0.3) / 2.7
    radius = 10.0 / turn
    assert after.yaw == pytest.approx(turn, abs=1e-9)
    assert after.position == pytest.approx([radius * math.sin(turn), radius * (1.0 - math.cos(turn))], abs=1e-6)
    assert after.yaw_rate == pytest.approx(turn, abs=1e-9)


def test_speed_and_distance_of_constant_acceleration():
    # 5 + 2 * 3 = 11 m/s; 5 * 3 + 0.5 * 2 * 9 = 24 m.
    after = advance(state(5.0), command(0.0, 2.0), IDEAL, 3 * S).ego
    assert after.speed == pytest.approx(11.0)
    assert after.position == pytest.approx([24.0, 0.0])
    assert after.stamp_ns == 3 * S


def test_delay_then_lag():
    # Nothing for 0.1 s; then a = 2 (1 - exp(-t / 0.2)): after 0.2 s more 2 (1 - 1/e) = 1.2642.
    vehicle = Vehicle(actuator_delay_s=0.1, acceleration_lag_s=0.2)
    moved = advance(state(5.0), command(0.0, 2.0), vehicle, S // 10)
    assert moved.ego.acceleration == 0.0 and len(moved.pending) == 1
    moved = advance(moved, None, vehicle, S // 5)
    assert moved.ego.acceleration == pytest.approx(2.0 * (1.0 - math.exp(-1.0)), abs=1e-9)
    assert moved.pending == ()


def test_steering_rate_and_range_are_limited():
    # 0.6 rad/s for 0.5 s is 0.3 rad; then the range ends at 0.6 rad.
    half = advance(state(1.0), command(1.0), IDEAL, S // 2).ego
    assert half.steering == pytest.approx(0.3)
    assert advance(state(1.0), command(1.0), IDEAL, 3 * S).ego.steering == pytest.approx(0.6)


def test_braking_ends_at_standstill():
    # 4^2 / (2 * 2) = 4 m, and then it stays there.
    after = advance(state(4.0), command(0.0, -2.0, 0.0), IDEAL, 10 * S).ego
    assert after.speed == 0.0 and after.acceleration == 0.0
    assert after.position == pytest.approx([4.0, 0.0], abs=1e-9)
    stands = advance(VehicleState(after), command(0.4, -2.0, 0.0), IDEAL, 2 * S).ego
    assert np.array_equal(stands.position, after.position) and stands.yaw == after.yaw


def test_reverses_only_when_commanded():
    assert advance(state(), command(0.0, -1.0, 0.0), IDEAL, S).ego.speed == 0.0
    back = advance(state(), command(0.0, -1.0, -1.0), IDEAL, S).ego
    assert back.speed == pytest.approx(-1.0) and back.position[0] == pytest.approx(-0.5)


def test_braking_is_limited_by_the_vehicle():
    after = advance(state(20.0), command(0.0, -50.0, 0.0), IDEAL, S).ego
    assert after.speed == pytest.approx(20.0 - IDEAL.deceleration_max_mps2)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.floats(-0.5, 0.5), st.floats(-3.0, 2.0))
def test_splitting_the_time_changes_nothing(parts, steering, acceleration):
    vehicle = Vehicle()
    whole = advance(state(8.0), command(steering, acceleration, 0.0), vehicle, parts * 10_000_000).ego
    split = advance(state(8.0), command(steering, acceleration, 0.0), vehicle, 10_000_000)
    for _ in range(parts - 1):
        split = advance(split, None, vehicle, 10_000_000)
    assert np.array_equal(whole.position, split.ego.position) and whole.speed == split.ego.speed


def test_a_command_that_is_not_finite_is_refused():
    with pytest.raises(InputError, match="steering: is not finite"):
        advance(state(), command(float("nan")), IDEAL, S)
