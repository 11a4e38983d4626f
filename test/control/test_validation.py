"""What the bridge refuses, each fault by one spoilt trajectory; and what it lets pass."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.control.stop import BridgeStop, own_stop
from behaviors_ros.control.validation import Fault, Limits, continuity, validate, validate_stop
from behaviors_ros.datatypes import AgentClass, EgoState, Predictions, Trajectory
from behaviors_ros.parameters import Vehicle

VEHICLE, LIMITS = Vehicle(), Limits()
TIME = np.arange(41) * 0.1


def straight(speed=10.0, stamp_ns=0):
    """Along x at constant speed."""
    zeros = np.zeros(41)
    return Trajectory(stamp_ns, TIME, np.stack([speed * TIME, zeros], axis=1), zeros, zeros + speed, zeros, zeros)


def at(speed=10.0, stamp_ns=0, x=0.0, y=0.0, yaw=0.0):
    """The vehicle at the origin, along x, unless told otherwise."""
    return EgoState(stamp_ns, np.array([x, y]), yaw, speed)


def circle(curvature, speed):
    """At constant speed on a circle through the origin."""
    yaw = curvature * speed * TIME
    position = np.stack([np.sin(yaw), 1 - np.cos(yaw)], axis=1) / curvature
    return Trajectory(0, TIME, position, yaw, np.full(41, speed), np.zeros(41), np.full(41, curvature))


def car(x, y=0.0, speed=0.0, probability=1.0, length=4.0, kind=AgentClass.CAR):
    """One agent, 4 m x 2 m, going along x."""
    shape = (1, 1, 41)
    position = np.stack([x + speed * TIME, np.full(41, y)], axis=1)[None, None]
    return Predictions(
        0, TIME, ("0" * 32,), np.array([int(kind)]), np.array([length]), np.array([2.0]), np.ones((1, 1), bool),
        np.full((1, 1), probability), np.ones((1, 1), int), position, np.zeros(shape), np.full(shape, speed),
        np.broadcast_to(0.01 * np.eye(2), (*shape, 2, 2)),
    )  # fmt: skip


def fault(trajectory, ego=None, predictions=None):
    """The fault that is found."""
    return validate(trajectory, ego or at(), predictions, VEHICLE, LIMITS).fault


def test_a_good_trajectory_passes():
    found = validate(straight(), at(), car(100.0), VEHICLE, LIMITS)
    assert found.passed and found.reason == ""


@pytest.mark.parametrize("name", ["position", "yaw", "speed", "acceleration", "curvature"])
def test_not_finite(name):
    trajectory = straight()
    getattr(trajectory, name)[7] = np.nan
    assert fault(trajectory) is Fault.NOT_FINITE


def test_time_must_rise():
    time_s = TIME.copy()
    time_s[5] = time_s[4]
    assert fault(replace(straight(), time_s=time_s)) is Fault.TIME_ORDER


def test_too_short():
    short = {
        name: getattr(straight(), name)[:8]
        for name in ("time_s", "position", "yaw", "speed", "acceleration", "curvature")
    }
    assert fault(Trajectory(0, **short)) is Fault.TOO_SHORT


@pytest.mark.parametrize(
    "ego",
    [
        at(x=2.1),
        at(y=-0.9),
        at(yaw=0.4),
        at(speed=12.1),
        at(stamp_ns=9_000_000_000, x=90.0),
        at(stamp_ns=-2_000_000_000),
    ],
)
def test_vehicle_is_not_on_it(ego):
    assert fault(straight(), ego) is Fault.NOT_AT_VEHICLE


def test_vehicle_further_along_is_on_it():
    # After 0.5 s at 10 m/s it is at 5 m.
    assert continuity(straight(), at(x=5.0, stamp_ns=500_000_000), LIMITS).passed


def test_speed_limit_of_the_vehicle():
    assert (
        fault(straight(30.0), at(speed=30.0)) is Fault.NONE
    )  # it drives that fast already: braking must stay possible
    assert fault(straight(24.0), at(speed=22.0)) is Fault.SPEED


def test_reverse_is_refused():
    assert fault(straight(-1.0), at(speed=-1.0)) is Fault.SPEED


def ramp(acceleration, speed=10.0):
    """Constant acceleration from `speed`."""
    v = speed + acceleration * TIME
    x = speed * TIME + 0.5 * acceleration * TIME**2
    zeros = np.zeros(41)
    return Trajectory(0, TIME, np.stack([x, zeros], axis=1), zeros, v, zeros + acceleration, zeros)


def test_acceleration_both_ways():
    # 2.4 * 1.1 + 0.3 = 2.94 m/s^2 is the most that passes, 8 * 1.1 + 0.3 = 9.1 m/s^2 of braking.
    assert fault(ramp(2.9)) is Fault.NONE
    assert fault(ramp(3.0)) is Fault.ACCELERATION
    assert fault(ramp(-9.2, 40.0), at(speed=40.0)) is Fault.ACCELERATION


def test_acceleration_is_derived_from_speed_too():
    assert fault(replace(ramp(3.5, 5.0), acceleration=np.zeros(41)), at(5.0)) is Fault.ACCELERATION


def test_jerk():
    # From 0 to 1.2 m/s^2 within 0.1 s is 12 m/s^3, above 10 * 1.1.
    push = np.where(TIME >= 0.95, 1.2, 0.0)
    v = 10 + np.concatenate([[0.0], np.cumsum(0.05 * (push[1:] + push[:-1]))])
    x = np.concatenate([[0.0], np.cumsum(0.05 * (v[1:] + v[:-1]))])
    trajectory = Trajectory(0, TIME, np.stack([x, 0 * x], axis=1), 0 * x, v, push, 0 * x)
    assert fault(trajectory) is Fault.JERK


def test_curvature():
    # tan(0.6) / 2.7 = 0.2534 1/m; times 1.1 is 0.2787.
    assert fault(circle(0.27, 3.0), at(3.0)) is Fault.NONE
    assert fault(circle(0.29, 3.0), at(3.0)) is Fault.CURVATURE


def test_curvature_is_derived_from_the_heading_too():
    assert fault(replace(circle(0.35, 3.0), curvature=np.zeros(41)), at(3.0)) is Fault.CURVATURE


def test_steering_rate():
    # atan(2.7 * 0.05) = 0.134 rad within 0.1 s is 1.3 rad/s, above 0.6 * 1.1.
    bend = np.where(TIME > 2.0, 0.05, 0.0)
    yaw = np.concatenate([[0.0], np.cumsum(0.05 * (bend[1:] + bend[:-1]) * 5.0)])
    step = 0.5 * np.stack([np.cos(0.5 * (yaw[1:] + yaw[:-1])), np.sin(0.5 * (yaw[1:] + yaw[:-1]))], axis=1)
    position = np.concatenate([np.zeros((1, 2)), np.cumsum(step, axis=0)])
    assert (
        fault(Trajectory(0, TIME, position, yaw, np.full(41, 5.0), np.zeros(41), bend), at(5.0)) is Fault.STEERING_RATE
    )


def test_lateral_acceleration():
    # 4 * 1.1 + 0.3 = 4.7 m/s^2: 10 m/s on 0.05 1/m is 5.
    assert fault(circle(0.04, 10.0)) is Fault.NONE
    assert fault(circle(0.05, 10.0)) is Fault.LATERAL_ACCELERATION


def test_positions_that_do_not_follow_the_speed():
    trajectory = straight()
    trajectory.position[20:, 0] += 3.0
    assert fault(trajectory) is Fault.INCONSISTENT


def test_positions_that_slide_aside():
    trajectory = straight()
    trajectory.position[:, 1] = 0.3 * TIME * 10
    assert fault(trajectory) is Fault.INCONSISTENT


def test_box_in_the_way():
    # Front bumper at 3.6 m, rear of the car at 13 m: hit after 0.94 s, within 1.5 s.
    found = validate(straight(), at(), car(15.0), VEHICLE, LIMITS)
    assert found.fault is Fault.COLLISION and found.time_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    "agent",
    [
        car(30.0),  # hit after 2.4 s: left to the scorers
        car(15.0, y=2.5),  # half widths 0.925 + 1 < 2.5
        car(15.0, probability=0.2),
        car(-8.0, speed=20.0),  # runs into us from behind
        car(8.0, speed=10.0),
        # Its front 0.1 m behind ours, at -0.9 m; 1.9 m nearer a step later, its centre ahead of our rear end by then.
        car(-1.8, speed=29.0, length=1.6),
        car(15.0, kind=AgentClass.OVER_DRIVABLE),
    ],
)
def test_box_that_is_not_in_the_way(agent):
    assert fault(straight(), predictions=agent) is Fault.NONE


def test_standing_vehicle_may_be_touched():
    assert fault(straight(0.0), at(0.0), car(1.0)) is Fault.NONE


def test_a_stop_must_end_standing():
    assert validate_stop(straight(), at(), VEHICLE, LIMITS).fault is Fault.NOT_A_STOP


@given(
    st.floats(0.0, 22.0), st.floats(-6.0, 2.0), st.floats(-0.5, 0.5), st.floats(-3.0, 3.0),
    st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_own_stop_always_passes(speed, acceleration, steering, yaw, place):
    # Within what the tyres hold now: the circle at this speed stays below 4 m/s^2.
    steering = np.sign(steering) * min(abs(steering), np.arctan(2.7 * 4.0 / max(speed, 0.1) ** 2))
    ego = EgoState(5, np.array(place), yaw, speed, acceleration, float(steering))
    stop = own_stop(ego, VEHICLE, BridgeStop())
    found = validate_stop(stop, ego, VEHICLE, LIMITS)
    assert found.passed, found.reason
    assert stop.speed[-1] == 0.0 and np.all(np.diff(stop.speed) <= 1e-9)


def test_own_stop_by_hand():
    # 8 m/s, jerk 10, braking 4: the ramp takes 0.4 s and 0.8 m/s, the rest 7.2 / 4 = 1.8 s: 2.2 s in all.
    # Ramp: 8 * 0.4 - 10 / 6 * 0.4^3 = 3.093 m; the rest 7.2^2 / 8 = 6.48 m.
    stop = own_stop(at(8.0), VEHICLE, BridgeStop())
    assert stop.time_s[np.argmax(stop.speed <= 1e-9)] == pytest.approx(2.2)
    assert stop.position[-1, 0] == pytest.approx(9.573, abs=0.02)


def test_own_stop_on_a_circle_stays_on_it():
    ego = EgoState(0, np.zeros(2), 0.0, 8.0, 0.0, 0.1)
    stop = own_stop(ego, VEHICLE, BridgeStop())
    centre = np.array([0.0, 2.7 / np.tan(0.1)])
    np.testing.assert_allclose(np.hypot(*(stop.position - centre).T), centre[1], rtol=1e-9)


def test_own_stop_backwards():
    stop = own_stop(at(-2.0), VEHICLE, BridgeStop())
    assert stop.speed[-1] == 0.0 and stop.position[-1, 0] < 0.0
