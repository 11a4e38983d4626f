"""Odometry that is no motion of a vehicle is refused."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from behaviors_ros.control.odometry import OdometryLimits, OdometryWatch, watched
from behaviors_ros.datatypes import EgoState
from behaviors_ros.parameters import Vehicle

LIMITS, VEHICLE, STEP_NS = OdometryLimits(), Vehicle(), 20_000_000


def at(step, speed=10.0, x=None, yaw=0.0):
    """At a speed along x, 50 times a second."""
    place = speed * step * 0.02 if x is None else x
    return EgoState((step + 1) * STEP_NS, np.array([place, 0.0]), yaw, speed)


def fed(states, watch=None):
    """The watch after some states, and why each was refused."""
    watch, reasons = watch or OdometryWatch(), []
    for ego in states:
        watch, reason = watched(watch, ego, LIMITS, VEHICLE)
        reasons.append(reason)
    return watch, reasons


def test_a_drive_is_taken():
    watch, reasons = fed([at(step) for step in range(100)])
    assert not any(reasons) and watch.accepted.stamp_ns == 100 * STEP_NS


def test_a_teleport_is_refused_and_its_place_taken_after_two_seconds_that_fit():
    """0.2 m are explained at 10 m/s, 0.5 m allowed; 50.2 m are not, nor 50 m by what 10 m/s explain in 2 s."""
    _, reasons = fed(
        [*(at(step) for step in range(10)), *(replace(at(s), position=at(s).position + 50.0) for s in range(10, 115))]
    )
    assert not any(reasons[:10]) and reasons[10].startswith("jumps by") and all(reasons[10:110])
    assert not any(reasons[110:])


def test_a_teleport_for_a_second_is_never_taken_and_its_end_at_once():
    there = [replace(at(s), position=at(s).position + 30.0) for s in range(10, 60)]
    _, reasons = fed([*(at(s) for s in range(10)), *there, *(at(s) for s in range(60, 70))])
    assert all(reasons[10:60]) and not any(reasons[60:])


def test_a_jump_to_the_side_is_refused_also_where_messages_were_lost():
    """The way of 0.2 s at 10 m/s lies ahead; it does not explain a metre to the side."""
    aside = replace(at(12), position=at(12).position + [0.0, 1.0])
    _, reasons = fed([at(0), at(1), at(2), aside])
    assert reasons[3].startswith("jumps by 1.00 m")
    assert not any(fed([at(0), at(1), at(2), at(12)])[1])


def test_a_jump_of_a_metre_is_not_taken_as_the_vehicle_goes_on():
    """Where it was last believed lies farther back with every message; the metre to the side stays one."""
    there = [replace(at(s), position=at(s).position + [0.0, 1.0]) for s in range(10, 85)]
    _, reasons = fed([*(at(s) for s in range(10)), *there, *(at(s) for s in range(85, 90))])
    assert all(reasons[10:85]) and not any(reasons[85:])


def test_a_single_outlier_leaves_no_trace():
    _, reasons = fed([at(0), at(1), at(2, x=50.0), at(3), at(4)])
    assert [bool(reason) for reason in reasons] == [False, False, True, False, False]


def test_frozen_at_speed():
    """150 ms without moving at 10 m/s; standing at 0.3 m/s is no fault."""
    states = [at(0), at(1), *(at(step, x=0.2) for step in range(2, 12))]
    _, reasons = fed(states)
    first = next(k for k, reason in enumerate(reasons) if reason)
    assert "has not moved" in reasons[first] and first == 9  # stamp 10 is 160 ms after stamp 2, where it last moved
    _, reasons = fed([at(step, speed=0.3, x=0.0) for step in range(50)])
    assert not any(reasons)


def test_turns_and_speeds_that_no_vehicle_does():
    _, reasons = fed([at(0), replace(at(1), yaw=1.0)])
    assert reasons[1].startswith("turns by 1.00 rad")
    _, reasons = fed([at(0, speed=5.0), at(1, speed=9.0, x=0.1)])
    assert reasons[1].startswith("changes speed by 4.00 m/s")


def test_after_silence_it_may_be_where_it_can_have_driven():
    """1.2 s at 10 m/s explain 12 m, not 90 m."""
    assert not any(fed([at(0), at(60)])[1])
    assert fed([at(0), at(60, x=90.0)])[1][1].startswith("jumps by")


@given(st.floats(-5.0, 25.0), st.floats(-0.4, 0.4), st.floats(-4.0, 2.0))
def test_what_a_vehicle_does_is_taken(speed, wheel, push):
    """Whatever the steering and acceleration: exact circles at 50 Hz."""
    states, yaw, place, v = [], 3.0, np.zeros(2), speed
    for step in range(50):
        states.append(EgoState((step + 1) * STEP_NS, place.copy(), float(np.arctan2(np.sin(yaw), np.cos(yaw))), v))
        way = v * 0.02
        place = place + way * np.array([np.cos(yaw), np.sin(yaw)])
        yaw, v = yaw + way * np.tan(wheel) / VEHICLE.wheel_base_m, v + push * 0.02
    assert not any(fed(states)[1])
