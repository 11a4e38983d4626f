"""The smooth reference, and paths over it."""

import math

import numpy as np
import pytest
from generation_scenes import line_to, straight, turn
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.datatypes import EgoState
from behaviors_ros.generation.paths import Profile, lateral_paths, lateral_start
from behaviors_ros.generation.pursuit import Turning, pursuit_paths
from behaviors_ros.generation.reference import look, nearest, project, reference_of

TURNING = Turning(1.4, 2.0, 0.42, 2.7)


def reference(route):
    return reference_of(route, 1.5)


def test_reference_of_a_straight_is_itself():
    line = reference(straight(100.0))
    assert np.abs(line.table[:, 1:5]).max() < 1e-9
    assert line.length_m == pytest.approx(100.0, abs=1.1)
    assert line.table[:, 5] == pytest.approx(line.table[:, 0], abs=1e-9)


def test_reference_keeps_a_tight_arc():
    # gain of the smoother on an arc of 6 m at 1.5 m: 1 - (1 - exp(-1.5^2 / 72))^2 = 0.99905, 6 mm of 6 m
    line = reference(turn(6.0, np.pi))
    inside = line.table[(line.table[:, 5] > 26.0) & (line.table[:, 5] < 33.0)]
    assert inside[:, 3] == pytest.approx(1.0 / 6.0, rel=0.02)
    assert np.hypot(inside[:, 0] - 20.0, inside[:, 1] - 6.0) == pytest.approx(6.0, abs=0.03)


def test_reference_takes_the_kinks_out():
    # kinks of 0.1 rad every 5 m; the raw polyline at 0.5 m has curvature 0.2, the mean is 0.02
    heading = np.repeat(0.1 * np.arange(10), 10)
    points = np.cumsum(0.5 * np.column_stack((np.cos(heading), np.sin(heading))), axis=0)
    line = reference(line_to(points))
    middle = line.table[20:-20]
    assert np.abs(middle[:, 3]).max() < 0.05
    assert np.abs(middle[:, 6]).max() < 0.1


def test_route_coordinates_of_a_point_beside_the_reference():
    line = reference(straight(100.0))
    row = np.empty(8)
    index = nearest(line.table, line.spacing_m, 40.2, 3.0, 0.1, 0, len(line.table))
    station, offset = project(line.table, line.spacing_m, 40.2, 3.0, index, row)
    assert (row[5], offset) == pytest.approx((40.2, 3.0))
    look(line.table, line.spacing_m, station + 200.0, row)
    assert row[:2] == pytest.approx([240.2, 0.0], abs=1e-6)


def test_the_heading_tells_passes_of_the_same_place_apart():
    # out along +x and back along it, 1 m beside
    out = np.column_stack((np.arange(0.0, 60.0, 0.5), np.zeros(120)))
    bend = 60.0 + 0.5 * np.sin(np.linspace(0, np.pi, 5)), 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 5))
    back = np.column_stack((np.arange(59.5, 0.0, -0.5), np.ones(119)))
    line = reference(line_to(np.concatenate((out, np.column_stack(bend), back))))
    there = nearest(line.table, line.spacing_m, 30.0, 0.5, 0.0, 0, 10_000)
    home = nearest(line.table, line.spacing_m, 30.0, 0.5, np.pi, 0, 10_000)
    assert line.table[there, 5] == pytest.approx(30.0, abs=1.0)
    assert line.table[home, 5] > 80.0


def sample(route, station, lateral, profile, step=0.1, samples=400):
    line = reference(route)
    paths = lateral_paths(line.table, line.spacing_m, station, lateral, [profile], step, samples)
    assert paths.usable.all()
    return paths.table[0]


@pytest.mark.parametrize("route", [straight(), turn(30.0, 1.0), turn(8.0, 1.5)])
def test_yaw_and_curvature_are_the_derivatives_of_the_positions(route):
    table = sample(route, 5.0, np.array([0.4, 0.05, 0.01]), Profile("", -0.5, 12.0))
    length, x, y, yaw, curvature = table[:, 0], table[:, 2], table[:, 3], table[:, 4], table[:, 5]
    chord = np.hypot(np.diff(x), np.diff(y))
    assert np.diff(length) == pytest.approx(chord, rel=3e-3)
    heading = np.unwrap(np.arctan2(np.diff(y), np.diff(x)))
    assert np.abs(heading - 0.5 * (yaw[1:] + yaw[:-1])).max() < 0.01
    slope = np.convolve(np.gradient(yaw, length), np.ones(9) / 9, mode="valid")
    assert np.abs(slope - np.convolve(curvature, np.ones(9) / 9, mode="valid")).max() < 0.012


def test_there_and_back():
    table = sample(straight(), 5.0, np.array([0.0, 0.0, 0.0]), Profile("", 2.0, 10.0, 20.0, 0.0, 10.0))
    d = np.interp([5.0 + 10.0, 5.0 + 20.0, 5.0 + 30.0], table[:, 1], table[:, 7])
    assert d == pytest.approx([2.0, 2.0, 0.0], abs=1e-6)
    # quintic half way: half the offset
    assert np.interp(10.0, table[:, 1], table[:, 7]) == pytest.approx(1.0)


@settings(max_examples=60, deadline=None)
@given(st.floats(-2.0, 2.0), st.floats(-0.9, 0.9), st.floats(-0.2, 0.2), st.floats(3.0, 60.0))
def test_start_pose_and_curvature_are_kept(offset, turned, curvature, along):
    line = reference(turn(15.0, 1.2))
    row = np.empty(8)
    look(line.table, line.spacing_m, along, row)
    yaw = row[2] + turned
    lateral = lateral_start(row, offset, yaw, curvature)
    assert lateral is not None
    paths = lateral_paths(line.table, line.spacing_m, along, lateral, [Profile("", 0.0, 20.0)], 0.25, 50)
    first = paths.table[0, 0]
    assert first[4] == pytest.approx(yaw, abs=1e-9) and first[5] == pytest.approx(curvature, abs=1e-9)
    place = row[:2] + offset * np.array([-np.sin(row[2]), np.cos(row[2])])
    assert first[2:4] == pytest.approx(place, abs=1e-9)


def test_a_profile_that_folds_is_not_usable():
    line = reference(turn(6.0, np.pi))
    paths = lateral_paths(
        line.table, line.spacing_m, 5.0, np.array([0.0, 0.0, 0.0]), [Profile("", 5.8, 10.0)], 0.25, 150
    )
    assert not paths.usable[0]


@settings(max_examples=40, deadline=None)
@given(st.floats(-20.0, 20.0), st.floats(-math.pi, math.pi), st.floats(-0.2, 0.2))
def test_pursuit_returns_to_the_lane_within_the_limits(y, yaw, curvature):
    line = reference(straight(300.0))
    state = EgoState(0, np.array([100.0, y]), yaw, 0.0)
    index = nearest(line.table, line.spacing_m, 100.0, y, yaw, 0, 10_000)
    paths = pursuit_paths(line.table, line.spacing_m, index, state, curvature, {"": 0.0}, 0.25, 500, 0.22, TURNING)
    table = paths.table[0]
    assert np.isfinite(table).all()
    assert np.abs(table[:, 5]).max() <= 0.22 + 1e-9
    assert np.abs(np.diff(table[:, 5])).max() <= 0.05 * 0.25 + 1e-9
    assert abs(table[-1, 7]) < 0.3 and math.cos(table[-1, 4]) > 0.99
    # the poses follow the curvature
    assert np.diff(table[:, 4]) == pytest.approx(0.125 * (table[1:, 5] + table[:-1, 5]), abs=1e-9)


@pytest.mark.parametrize("speed", [3.0, 8.0, 15.0])
def test_pursuit_at_speed_turns_no_more_than_tyres_and_steering_allow(speed):
    line = reference(straight(300.0))
    state = EgoState(0, np.array([100.0, 4.0]), 2.0, speed)
    paths = pursuit_paths(line.table, line.spacing_m, 400, state, 0.0, {"": 0.0}, 0.25, 300, 0.22, TURNING)
    curvature = np.abs(paths.table[0, :, 5])
    # braking at 1.4 m/s2 from the start leaves v^2 = v0^2 - 2.8 x; lateral acceleration at most 2 m/s2
    there = np.sqrt(np.maximum(speed**2 - 2.8 * 0.25 * np.arange(300), 0.25))
    assert (curvature * there**2 <= 2.0 + 1e-6).all()
    # the wheel at most 0.42 rad/s: atan(2.7 k) changes by at most 2.7 dk
    assert (np.diff(np.arctan(2.7 * curvature)) * there[:-1] / 0.25 <= 0.42 + 1e-6).all()
