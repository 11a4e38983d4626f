"""Pure pursuit in closed loop with the delayed vehicle model."""

import math

import numpy as np
import pytest

from behaviors_ros.control.pure_pursuit import PurePursuit, PurePursuitParameters
from behaviors_ros.datatypes import EgoState, Trajectory
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.vehicle import VehicleState, advance

VEHICLE = Vehicle()
DT_NS = 20_000_000


def trajectory(position, speed, acceleration=None, dt_s=0.1, curvature=None):
    """A trajectory from time 0 through `position` with `speed`."""
    count = len(position)
    step = np.gradient(position, axis=0)
    zero = np.zeros(count)
    yaw = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
    acceleration = zero if acceleration is None else acceleration
    return Trajectory(
        0, np.arange(count) * dt_s, position, yaw, speed, acceleration, zero if curvature is None else curvature
    )


def drive(controller, reference, ego, seconds):
    """Ego states every 0.02 s of the closed loop."""
    state, memory, states = VehicleState(ego), None, [ego]
    for _ in range(round(seconds * 50)):
        command, memory = controller.control(reference, state.ego, memory)
        state = advance(state, command, VEHICLE, DT_NS)
        states.append(state.ego)
    return states


def winding(speed, seconds):
    """A path whose heading swings +-30 deg over 120 m: smallest radius 1 / (0.52 * 2 pi / 120) = 36.5 m."""
    s = np.arange(0.0, speed * seconds, 0.05)
    yaw = 0.5236 * np.sin(2.0 * math.pi * s / 120.0)
    fine = np.concatenate((np.zeros((1, 2)), np.cumsum(0.05 * np.stack((np.cos(yaw), np.sin(yaw)), 1), axis=0)))
    at = np.arange(0.0, s[-1], speed * 0.1)
    s = np.append(s, s[-1] + 0.05)
    return np.stack([np.interp(at, s, fine[:, axis]) for axis in (0, 1)], 1)


def test_lateral_error_on_a_curvy_path_at_50_kmh():
    speed = 13.9
    points = winding(speed, 32.0)
    reference = trajectory(points, np.full(len(points), speed))
    controller = PurePursuit(PurePursuitParameters(), VEHICLE)
    states = drive(controller, reference, EgoState(0, np.array((0.0, 0.3)), 0.0, speed), 30.0)
    frame = FrenetFrame(points)
    error = np.abs([float(frame.project(state.position)[1]) for state in states[100:]])
    assert np.percentile(error, 95) <= 0.15
    assert abs(states[-1].speed - speed) < 0.1


def test_stops_at_the_end_and_stands_still():
    # From 8 m/s with 2 m/s^2: 4 s, 8^2 / (2 * 2) = 16 m; then the reference rests for 4 s.
    t = np.arange(0.0, 8.01, 0.1)
    speed = np.maximum(8.0 - 2.0 * t, 0.0)
    x = np.where(t < 4.0, 8.0 * t - t**2, 16.0)
    reference = trajectory(np.stack((x, 0.0 * x), 1), speed, np.where(t < 4.0, -2.0, 0.0))
    controller = PurePursuit(PurePursuitParameters(), VEHICLE)
    states = drive(controller, reference, EgoState(0, np.zeros(2), 0.0, 8.0), 8.0)
    assert states[-1].position[0] == pytest.approx(16.0, abs=0.35)
    assert all(state.speed == 0.0 for state in states[-100:])
    assert states[-1].position[0] == states[-100].position[0]


def test_starts_from_standstill():
    # 1.5 m/s^2 from rest: 0.75 * 4^2 = 12 m and 6 m/s after 4 s.
    t = np.arange(0.0, 6.01, 0.1)
    reference = trajectory(np.stack((0.75 * t**2, 0.0 * t), 1), 1.5 * t, np.full(len(t), 1.5))
    states = drive(PurePursuit(PurePursuitParameters(), VEHICLE), reference, EgoState(0, np.zeros(2), 0.0, 0.0), 4.0)
    assert states[-1].speed == pytest.approx(6.0, abs=0.25)
    assert states[-1].position[0] == pytest.approx(12.0, abs=0.6)


def test_brakes_when_the_trajectory_has_ended():
    points = np.stack((np.arange(0.0, 10.1, 1.0), np.zeros(11)), 1)
    reference = trajectory(points, np.full(11, 10.0))
    states = drive(PurePursuit(PurePursuitParameters(), VEHICLE), reference, EgoState(0, np.zeros(2), 0.0, 10.0), 6.0)
    # 1 s at 10 m/s, then 3 m/s^2 after 0.1 s delay and 0.2 s lag: about 10 + 3 + 10^2 / 6 = 30 m.
    assert states[-1].speed == 0.0
    assert 26.0 < states[-1].position[0] < 32.0


def test_a_trajectory_without_motion_holds_the_vehicle():
    reference = trajectory(np.zeros((11, 2)), np.zeros(11))
    ego = EgoState(0, np.zeros(2), 0.4, 0.0, steering=0.2)
    states = drive(PurePursuit(PurePursuitParameters(), VEHICLE), reference, ego, 1.0)
    assert states[-1].speed == 0.0 and np.all(states[-1].position == 0.0)
    assert states[-1].steering == pytest.approx(0.2)


def test_steering_points_to_the_path_and_memory_is_a_value():
    controller = PurePursuit(PurePursuitParameters(), VEHICLE)
    points = np.stack((np.arange(0.0, 50.0, 1.0), np.zeros(50)), 1)
    reference = trajectory(points, np.full(50, 10.0))
    left, memory = controller.control(reference, EgoState(0, np.array((0.0, 1.0)), 0.0, 10.0), None)
    right, _ = controller.control(reference, EgoState(0, np.array((0.0, -1.0)), 0.0, 10.0), None)
    assert left.steering < 0.0 < right.steering
    assert left.steering == pytest.approx(-right.steering)
    again = [
        controller.control(reference, EgoState(20_000_000, np.array((0.2, 1.0)), 0.0, 10.0), memory)[0] for _ in "ab"
    ]
    assert again[0].steering == again[1].steering and again[0].acceleration == again[1].acceleration
