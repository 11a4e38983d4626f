"""Constant velocity, constant turn rate, growth of the covariance."""

import math

import numpy as np
import pytest
from prediction_scenes import scene, tracks

import behaviors_ros.prediction.interface  # noqa: F401
from behaviors_ros import registry
from behaviors_ros.datatypes import AgentClass, Grid, Tracks
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.uncertainty import ClassNoise, Noise, spreads

GRID = Grid()


def predict(name, agents, **values):
    return registry.create("predictor", name, values, Vehicle()).predict(scene(agents), GRID)


def test_constant_velocity():
    """10 m/s along 30 degrees for 6 s: 60 (cos 30, sin 30) = (51.962, 30)."""
    result = predict("constant_velocity", tracks([(1, 0.0, 0.0, math.radians(30.0), 10.0)]))
    assert np.allclose(result.position[0, 0, -1], [51.9615, 30.0], atol=1e-3)
    assert np.allclose(result.speed, 10.0) and np.allclose(result.yaw, math.radians(30.0))


def test_a_reversing_vehicle_keeps_its_yaw():
    result = predict("constant_velocity", tracks([(1, 0.0, 0.0, 0.0, -2.0)]))
    assert np.allclose(result.position[0, 0, -1], [-12.0, 0.0])
    assert np.allclose(result.yaw, 0.0) and np.allclose(result.speed, -2.0)


def test_a_pedestrian_faces_where_it_walks():
    agents = tracks([(int(AgentClass.PEDESTRIAN), 0.0, 0.0, 0.0, 0.0)], velocity=np.array([[0.0, 1.5]]))
    result = predict("constant_velocity", agents)
    assert np.allclose(result.yaw, math.pi / 2) and np.allclose(result.speed, 1.5)


def test_static_things_stay():
    agents = tracks([(int(kind), 0.0, 0.0, 0.0, 5.0) for kind in (9, 10, 11)])
    result = predict("constant_velocity", agents)
    assert np.allclose(result.position, 0.0) and np.allclose(result.speed, 0.0)


def test_constant_turn_rate_is_a_circle_without_decay():
    """10 m/s at 0.2 rad/s: radius 50 m, after 6 s (50 sin 1.2, 50 (1 - cos 1.2)) = (46.602, 31.882)."""
    turning = {"yaw_rate_decay_s": 100.0, "lateral_acceleration_mps2": 12.0}
    agents = tracks([(1, 0.0, 0.0, 0.0, 10.0)], yaw_rate=np.array([0.2]))
    result = predict("constant_turn_rate", agents, **turning)
    angle = 0.2 * 100.0 * (1.0 - math.exp(-0.06))  # 1.165 rad: a decay of 100 s leaves that much of 1.2
    assert result.yaw[0, 0, -1] == pytest.approx(angle)
    assert np.hypot(*(result.position[0, 0, -1] - [46.602, 31.882])) < 1.5
    steps = np.hypot(*np.diff(result.position[0, 0], axis=0).T)
    assert np.allclose(steps, 1.0)


def test_the_turn_fades():
    """In the limit the angle is w0 x decay = 0.2 x 1.5 = 0.3 rad; after 6 s 0.3 (1 - exp(-4)) = 0.2945."""
    agents = tracks([(1, 0.0, 0.0, 0.0, 10.0)], yaw_rate=np.array([0.2]))
    result = predict("constant_turn_rate", agents, yaw_rate_decay_s=1.5)
    assert result.yaw[0, 0, -1] == pytest.approx(0.3 * (1.0 - math.exp(-4.0)))


def test_the_turn_is_bounded():
    """At 20 m/s and 3 m/s^2 at most 0.15 rad/s; who stands does not turn."""
    agents = tracks([(1, 0.0, 0.0, 0.0, 20.0), (1, 0.0, 9.0, 0.0, 0.0)], yaw_rate=np.array([-2.0, 2.0]))
    result = predict("constant_turn_rate", agents, lateral_acceleration_mps2=3.0, yaw_rate_decay_s=1.5)
    assert result.yaw[0, 0, -1] == pytest.approx(-0.15 * 1.5 * (1.0 - math.exp(-4.0)))
    assert np.allclose(result.yaw[1], 0.0)


def test_growth_of_the_variance():
    """floor 0.1, speed error 0.5, q 0.3, t 2: 0.01 + 0.25 x 4 + 0.3 x 8 / 3 = 1.81; at rest a quarter of the growth."""
    row = Noise(
        floor_m=0.1, speed_along_mps=0.5, noise_along_m2ps3=0.3, speed_across_mps=0.0, noise_across_m2ps3=0.0,
        standing_share=0.5, moving_mps=2.0,
    )  # fmt: skip
    along, across = spreads(ClassNoise(vehicle=row), np.array([1, 1]), np.array([5.0, 0.0]), np.array([0.0, 2.0]))
    assert along[0] == pytest.approx([0.01, 1.81]) and across[0] == pytest.approx([0.01, 0.01])
    assert along[1] == pytest.approx([0.01, 0.01 + 0.25 * 1.8])


def test_the_covariance_lies_along_the_motion_and_holds_the_tracks_own():
    agents = tracks([(1, 0.0, 0.0, math.pi / 2, 10.0)], covariance=np.array([[[2.0, 0.5], [0.5, 3.0]]]))
    row = Noise(floor_m=0.01, speed_along_mps=1.0, noise_along_m2ps3=0.0, speed_across_mps=0.0, noise_across_m2ps3=0.0)
    result = predict("constant_velocity", agents, noise=ClassNoise(vehicle=row))
    # after 6 s, along y: 3 + 0.0001 + 36; across: 2 + 0.0001
    assert np.allclose(result.covariance[0, 0, -1], [[2.0001, 0.5], [0.5, 39.0001]])


def test_static_things_have_no_growth_and_animals_are_isotropic():
    agents = tracks([(int(AgentClass.HAZARD), 0.0, 0.0, 0.0, 0.0), (int(AgentClass.ANIMAL), 9.0, 0.0, 0.7, 3.0)])
    result = predict("constant_velocity", agents)
    assert np.allclose(result.covariance[0, 0, 0], result.covariance[0, 0, -1])
    last = result.covariance[1, 0, -1]
    assert last[0, 0] == pytest.approx(last[1, 1]) and abs(last[0, 1]) < 1e-9 and last[0, 0] > 9.0


def test_no_agents():
    assert (
        len(registry.create("predictor", "constant_velocity", {}, Vehicle()).predict(scene(Tracks.empty(0)), GRID)) == 0
    )


def test_who_has_stood_for_two_seconds_stays_where_it_is():
    # at rest the growth is 0.3 of that of moving, one that has stood 0.3 x 0.2: variances in the ratio 0.04
    kind, speed, time_s = np.array([1, 1, 1]), np.array([0.0, 0.0, 10.0]), np.array([0.0, 3.0])
    along, _ = spreads(ClassNoise(), kind, speed, time_s, np.array([0.0, 1.0, 1.0]))
    grown = along[:, 1] - along[:, 0]
    assert grown[1] == pytest.approx(0.04 * grown[0])
    assert grown[2] == pytest.approx(grown[0] / 0.3**2)  # who moves steadily is no surer
