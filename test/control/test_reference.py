"""Lookups of a trajectory: by time, by station, the nearest point; errors against it."""

import math

import numpy as np
import pytest

from behaviors_ros.control.reference import reference_of, tracking_errors
from behaviors_ros.datatypes import EgoState, Trajectory
from behaviors_ros.errors import InputError


def circle(radius=20.0, speed=5.0, seconds=4.0, stamp_ns=0):
    """Left turn from the origin, heading along x."""
    t = np.arange(0.0, seconds + 0.01, 0.1)
    angle = speed * t / radius
    position = radius * np.stack((np.sin(angle), 1.0 - np.cos(angle)), 1)
    one = np.ones(len(t))
    return Trajectory(stamp_ns, t, position, angle, speed * one, 0.0 * one, one / radius)


def there_and_back():
    """5 m forwards in 2 s, then 5 m back: speed 5 (1 - t) ... a triangle of +-5 m/s peaks, at rest at 2 s and 4 s."""
    t = np.arange(0.0, 4.01, 0.1)
    speed = np.where(t < 1, 5 * t, np.where(t < 3, 5 * (2 - t), 5 * (t - 4)))
    x = np.concatenate(([0.0], np.cumsum(0.05 * (speed[1:] + speed[:-1]))))
    zero = np.zeros(len(t))
    return Trajectory(0, t, np.stack((x, zero), 1), zero, speed, np.gradient(speed, t), zero)


def test_between_its_points_it_is_on_the_circle():
    reference = reference_of(circle())
    for time_s in (0.033, 1.37, 2.51):
        point = reference.at(time_s)
        assert math.hypot(point.x, point.y - 20.0) == pytest.approx(20.0, abs=1e-4)
        assert point.station == pytest.approx(5.0 * time_s, abs=2e-3)
    assert reference.at(-1.0).station == 0.0
    assert reference.at(99.0).station == pytest.approx(20.0, abs=2e-3)


def test_errors_on_a_circle():
    # At 2 s the reference has gone 10 m, 0.5 rad. The vehicle: at 0.45 rad (1 m behind), 0.3 m inside the turn (left),
    # turned 0.02 rad to the left of the path, 0.4 m/s faster.
    position = (20.0 - 0.3) * np.array((math.sin(0.45), -math.cos(0.45))) + (0.0, 20.0)
    ego = EgoState(2_000_000_000, position, 0.45 + 0.02, 5.4)
    errors = tracking_errors(reference_of(circle()), ego)
    assert errors.lateral_m == pytest.approx(0.3, abs=1e-3)
    assert errors.heading_rad == pytest.approx(0.02, abs=1e-3)
    assert errors.longitudinal_m == pytest.approx(-1.0, abs=1e-2)
    assert errors.speed_mps == pytest.approx(0.4)


def test_the_foot_is_found_far_behind():
    # The reference is 20 m ahead on a circle of 20 m, 1 rad; the vehicle is at its beginning.
    reference = reference_of(circle())
    foot = reference.foot(0.0, -0.2, 0.0, 4.0)
    assert foot.point.station == pytest.approx(0.0, abs=0.02) and foot.left == pytest.approx(-0.2, abs=1e-3)


def test_forth_and_back_are_two_stretches():
    reference = reference_of(there_and_back())
    # At 1 s and at 3 s it is at 2.5 m and 7.5 m of way; both are x = 2.5 m.
    forth, back = reference.foot(2.5, 0.1, 0.0, 1.0), reference.foot(2.5, 0.1, 0.0, 3.0)
    assert (forth.point.direction, back.point.direction) == (1.0, -1.0)
    assert forth.point.station == pytest.approx(2.5, abs=0.01)
    assert back.point.station == pytest.approx(7.5, abs=0.01)
    assert back.point.along == pytest.approx(2.5, abs=0.01)  # counted down again
    assert forth.left == pytest.approx(0.1) and back.left == pytest.approx(0.1)
    # Backwards and 0.5 m farther along the way (x = 2.0) at 3 s: ahead; at -4.5 m/s instead of -5: slower.
    errors = tracking_errors(reference, EgoState(3_000_000_000, np.array((2.0, 0.0)), 0.0, -4.5))
    assert errors.longitudinal_m == pytest.approx(0.5, abs=0.01)
    assert errors.speed_mps == pytest.approx(-0.5)


def test_straight_on_beyond_the_end():
    reference = reference_of(circle(seconds=0.0 + math.pi * 20.0 / 2.0 / 5.0))
    end = reference.at(99.0)
    x, y = reference.ahead_of(end, 3.0)
    assert (x - end.x, y - end.y) == pytest.approx((3.0 * math.cos(end.yaw), 3.0 * math.sin(end.yaw)))


@pytest.mark.parametrize("field, value", [("speed", math.nan), ("yaw", math.inf), ("time_s", 0.0)])
def test_what_is_no_trajectory_is_refused(field, value):
    found = circle()
    column = np.array(getattr(found, field))
    column[7] = value
    with pytest.raises(InputError):
        reference_of(Trajectory(**{**vars(found), field: column}))
