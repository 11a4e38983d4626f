"""What a tracker takes, where it stops by itself, and where it reckons to be."""

import math

import numpy as np
import pytest

from behaviors_ros.control.admission import Admission, refused
from behaviors_ros.control.delay import on_the_way, predicted, reckoned
from behaviors_ros.control.reference import reference_of
from behaviors_ros.control.stop import BridgeStop, own_stop, stop_along
from behaviors_ros.datatypes import ControlCommand, EgoState, Trajectory
from behaviors_ros.parameters import Vehicle

NS = 1_000_000_000
EGO = EgoState(10 * NS, np.array((100.0, 50.0)), 0.0, 5.0)


def straight(speed=5.0, seconds=6.0, stamp_ns=10 * NS, **changes):
    t = np.arange(0.0, seconds + 0.01, 0.1)
    one = np.ones(len(t))
    values = {
        "stamp_ns": stamp_ns, "time_s": t, "position": np.stack((100.0 + speed * t, 50.0 * one), 1), "yaw": 0 * one,
        "speed": speed * one, "acceleration": 0 * one, "curvature": 0 * one,
    }  # fmt: skip
    return Trajectory(**{**values, **changes})


def spoilt(name, value, at=7):
    column = np.array(getattr(straight(), name))
    column[at] = value
    return straight(**{name: column})


@pytest.mark.parametrize("name", ["time_s", "position", "yaw", "speed", "acceleration", "curvature"])
@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_numbers_that_no_vehicle_can_follow_are_refused(name, value):
    if (name, value) in (("time_s", 1e30), ("yaw", 1e30)):
        return  # an angle of many turns is one; a late last instant is checked as order
    assert refused(spoilt(name, value), EGO, 10 * NS, Admission())


def test_age_and_order():
    def reason(found, now_s):
        return refused(found, EGO, round(now_s * NS), Admission())

    assert reason(straight(), 10.0) == "" and reason(straight(), 10.5) == ""
    assert reason(straight(), 10.7) == "is 0.70 s old"
    assert reason(straight(), 9.5) == "is stamped 0.50 s ahead of the clock"
    assert reason(straight(), 17.0) == "has ended 1.00 s ago"
    # A stop may be old, until it has ended.
    stop = own_stop(EGO, Vehicle(), BridgeStop())
    assert reason(stop, 12.0) == "" and reason(stop, 20.0).startswith("has ended")
    assert reason(spoilt("time_s", 0.0), 10.0) == "is not in time order"
    assert reason(straight(position=straight().position + 1000.0), 10.0).startswith("has a position")


def test_commands_that_act_until_a_new_one_does():
    def given(ms):
        return ControlCommand(ms * 1_000_000, 0.0, 0.0, 0.0, 0.0)

    sent = tuple(given(ms) for ms in (0, 20, 40, 60, 80, 100, 120))
    # Now 120 ms, delay 50 ms: younger than 70 ms are 80 and 100; 60 acts before them; 120 is given at this instant.
    assert [c.stamp_ns // 1_000_000 for c in on_the_way(sent, 120_000_000, 0.05)] == [60, 80, 100]
    assert [c.stamp_ns // 1_000_000 for c in on_the_way(sent, 120_000_000, 0.0)] == [100]


def test_prediction_moves_by_what_is_under_way():
    vehicle = Vehicle(actuator_delay_s=0.2, steering_lag_s=0.0, acceleration_lag_s=0.0)
    brake = ControlCommand(0, 0.0, 0.0, 0.0, -2.0)
    # At 5 m/s; the command of -0.1 s begins to act at 0.1 s: 0.5 m, then 0.1 s at -2: 0.5 - 0.01 = 0.49 m, 4.8 m/s.
    ego = EgoState(100_000_000, np.zeros(2), 0.0, 5.0)
    ahead = predicted(ego, (brake,), vehicle)
    assert ahead.stamp_ns == 300_000_000
    assert ahead.position[0] == pytest.approx(0.99) and ahead.speed == pytest.approx(4.8)
    # With 0.1 / m beside the wheels: 1 m of way turns it by 0.1 rad.
    turned = reckoned(EgoState(0, np.zeros(2), 0.0, 5.0), (), vehicle, 200_000_000, bend=0.1)
    assert turned.yaw == pytest.approx(0.1)


def test_a_stop_along_the_path_bends_with_it():
    # On a circle of 20 m at 8 m/s, brakes of 4 m/s^2 and jerk 10: about 8^2 / 8 = 8 m and 0.4 s / 2 * 8 = 1.6 m more.
    t = np.arange(0.0, 6.01, 0.1)
    angle, one = 0.4 * t, np.ones(len(t))
    circle = Trajectory(0, t, 20.0 * np.stack((np.sin(angle), 1 - np.cos(angle)), 1), angle, 8 * one, 0 * one, one / 20)
    ego = EgoState(NS, 20.0 * np.array((math.sin(0.4), 1 - math.cos(0.4))), 0.4, 8.0)  # its wheels are straight
    stop = stop_along(reference_of(circle), ego, Vehicle(), BridgeStop(), 1.0)
    assert np.hypot(stop.position[:, 0], stop.position[:, 1] - 20.0) == pytest.approx(np.full(len(stop.time_s), 20.0),
                                                                                      abs=0.01)  # fmt: skip
    assert stop.stamp_ns == NS and stop.speed[-1] == 0.0 and stop.speed[0] == 8.0
    assert 20.0 * (stop.yaw[-1] - stop.yaw[0]) == pytest.approx(9.6, abs=0.1)
    # Off the path, or the other way round, it stops where its wheels lead.
    off = EgoState(NS, ego.position + 3.0, 0.4, 8.0)
    away = stop_along(reference_of(circle), off, Vehicle(), BridgeStop(), 1.0)
    assert np.array_equal(away.position, own_stop(off, Vehicle(), BridgeStop()).position)


def test_a_stop_goes_straight_on_beyond_the_end():
    short = straight(seconds=1.0)  # 5 m
    stop = stop_along(reference_of(short), EGO, Vehicle(), BridgeStop(), 1.0)
    # 5^2 / 8 = 3.1 m, and 0.4 / 2 * 5 = 1 m while the brake comes: within; from 8 m/s it is beyond.
    assert stop.position[-1, 0] - 100.0 == pytest.approx(4.1, abs=0.1)
    fast = EgoState(10 * NS, np.array((100.0, 50.0)), 0.0, 8.0)
    far = stop_along(reference_of(short), fast, Vehicle(), BridgeStop(), 1.0)
    assert far.position[-1] == pytest.approx((109.6, 50.0), abs=0.1)
