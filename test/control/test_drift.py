"""Speed that a vehicle gains by itself, whatever plans begin anew at it."""

import numpy as np
import pytest

from behaviors_ros.control.drift import DriftLimits, SpeedDrift, drifted, gaining
from behaviors_ros.datatypes import EgoState, Trajectory

LIMITS, MS = DriftLimits(), 1_000_000
TIME = np.arange(41) * 0.1


def at(speed, acceleration, stamp_ns):
    """The vehicle; where it is does not matter."""
    return EgoState(stamp_ns, np.zeros(2), 0.0, speed, acceleration)


def plan(speed, acceleration, stamp_ns):
    """Go on with that acceleration from that speed."""
    none, speeds = np.zeros(41), np.maximum(speed + acceleration * TIME, 0.0)
    return Trajectory(stamp_ns, TIME, np.zeros((41, 2)), none, speeds, none + acceleration, none)


def driven(vehicle_mps2, plan_mps2, seconds, speed=10.0, anew_ms=100):
    """The drift of a vehicle with that acceleration, handed plans that begin anew at its speed."""
    drift, handed = SpeedDrift(), None
    for now in range(1000, 1000 + round(seconds * 1000), 20):
        ego = at(speed, vehicle_mps2, now * MS)
        drift = drifted(drift, ego, handed, LIMITS)
        if now % anew_ms == 0:
            handed = plan(speed, plan_mps2, now * MS)
        speed += 0.02 * vehicle_mps2
    return drift


@pytest.mark.parametrize("acceleration", [0.0, 2.0, -3.0])
def test_who_follows_gains_nothing(acceleration):
    assert abs(driven(acceleration, acceleration, 2.0).gained_mps) < 1e-6


def test_who_accelerates_by_itself_is_found_although_each_plan_begins_at_it():
    assert gaining(driven(1.5, 0.0, 0.6), LIMITS) == ""
    assert "gained" in gaining(driven(1.5, 0.0, 1.4), LIMITS)


def test_who_is_slower_than_planned_is_let_be():
    assert gaining(driven(-2.0, 0.0, 3.0), LIMITS) == ""


def test_braking_that_comes_with_the_lag_of_a_vehicle_is_following():
    drift, speed, acceleration = SpeedDrift(), 15.0, 0.0
    handed = plan(15.0, -6.0, 1000 * MS)
    for now in range(1000, 3000, 20):
        drift = drifted(drift, at(speed, acceleration, now * MS), handed, LIMITS)
        assert gaining(drift, LIMITS) == ""
        acceleration += (-6.0 - acceleration) * (1.0 - np.exp(-0.02 / 0.3))
        speed += 0.02 * acceleration


def test_a_gap_and_a_clock_that_went_back_begin_anew():
    drift = driven(1.5, 0.0, 1.4)
    for later_ms in (-500, 800):
        ego = at(20.0, 0.0, drift.stamp_ns + later_ms * MS)
        assert drifted(drift, ego, plan(20.0, 0.0, ego.stamp_ns), LIMITS).gained_mps == 0.0
