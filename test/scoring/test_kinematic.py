from dataclasses import replace

import numpy as np
import pytest


def value(bench, candidates, **values):
    verdict = bench.gate("kinematic", **values).check(bench.scene(), bench.predictions(), candidates)
    assert verdict.limit == pytest.approx(1.01)
    assert (verdict.passed == (verdict.value <= 1.01)).all()
    return verdict.value


def circle(bench, speed, curvature):
    """A circle with constant speed."""
    t, turn = bench.time_s, speed * curvature
    yaw = turn * t
    position = np.stack([np.sin(yaw), 1.0 - np.cos(yaw)], axis=-1) / curvature
    drive = bench.candidates(bench.drive(speed))
    curvatures = np.full((1, 61), curvature)
    return replace(drive, position=position[None], yaw=yaw[None], curvature=curvatures)


def test_straight_and_slow_is_far_from_any_limit(bench):
    # The largest ratio is the speed's: 10 of 22 m/s.
    assert value(bench, bench.candidates(bench.drive(10.0))) == pytest.approx(10.0 / 22.0)


def test_lateral_acceleration(bench):
    # 10^2 x 0.06 = 6 m/s2 of 4. It counts from 0.5 s on, as it is there at the start.
    assert value(bench, circle(bench, 10.0, 0.06)) == pytest.approx(6.0 / 4.0)
    assert value(bench, circle(bench, 10.0, 0.039)) == pytest.approx(3.9 / 4.0)


def test_curvature(bench):
    # Limit tan(0.6) / 2.7 = 0.25338 1/m.
    assert value(bench, circle(bench, 2.0, 0.30)) == pytest.approx(0.30 / (np.tan(0.6) / 2.7))


def test_steering_rate(bench):
    # Curvature rises by 0.1 1/m from 2.0 to 2.1 s at standstill: atan(0.27) = 0.26371 rad in 0.1 s, of 0.6 rad/s.
    candidates = bench.candidates(bench.drive(0.0))
    candidates.curvature[0, 21:] = 0.1
    assert value(bench, candidates) == pytest.approx(np.arctan(0.27) / 0.1 / 0.6)


def test_acceleration_deceleration_and_jerk(bench):
    assert value(bench, bench.candidates(bench.drive(0.0, 2.6)))[0] == pytest.approx(2.6 / 2.4)
    # Braking with 8 m/s2 from the start is at its limit, and ends at 1.0 s by a jump of 8 m/s2: jerk 80 of 10.
    assert value(bench, bench.candidates(bench.drive(8.0, -8.0)))[0] == pytest.approx(8.0)
    smooth = bench.candidates(bench.drive(20.0, -3.0))
    assert value(bench, smooth)[0] == pytest.approx(20.0 / 22.0)


def test_a_start_beyond_a_limit_is_forgiven_for_half_a_second(bench):
    fast = bench.candidates(bench.drive(22.5, -1.0))
    assert value(bench, fast)[0] == pytest.approx(1.0)
    assert value(bench, bench.candidates(bench.drive(22.5)))[0] == pytest.approx(22.5 / 22.0)


def test_driving_backwards(bench):
    assert value(bench, bench.candidates(bench.drive(-1.0)))[0] == pytest.approx(10.0)


def test_position_must_agree_with_speed(bench):
    candidates = bench.candidates(bench.drive(10.0))
    candidates.position[0, 30:] += [0.0, 0.3]
    assert value(bench, candidates)[0] == pytest.approx(0.3 / 0.1)


def test_yaw_must_agree_with_curvature(bench):
    candidates = bench.candidates(bench.drive(0.0))
    candidates.yaw[0, 30:] += 0.09
    assert value(bench, candidates)[0] == pytest.approx(0.09 / 0.03)


def test_a_full_turn_of_yaw_is_no_turn(bench):
    candidates = bench.candidates(bench.drive(10.0))
    candidates.yaw[0, 30:] += 2.0 * np.pi
    assert value(bench, candidates)[0] == pytest.approx(10.0 / 22.0)
