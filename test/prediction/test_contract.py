"""What every registered predictor promises."""

from dataclasses import replace

import numpy as np
import pytest
from prediction_scenes import mixed_scene, scene, town, tracks
from tiny_model import shared_model

import behaviors_ros.prediction.interface  # noqa: F401
from behaviors_ros import registry
from behaviors_ros.datatypes import Crosswalk, Grid, LaneMap, Tracks
from behaviors_ros.parameters import Vehicle

GRID = Grid()
NAMES = registry.names("predictor")
ARRAYS = ("valid", "probability", "intent", "position", "yaw", "speed", "covariance")


def predictor(name, **values):
    if name == "learned":
        values["model"] = str(shared_model())
    return registry.create("predictor", name, values, Vehicle())


def check(result, agents, grid=GRID):
    """Shapes, probabilities, NaN where invalid and only there, covariances."""
    n, modes = result.valid.shape
    assert len(result) == n == len(agents) and result.id == agents.id
    assert result.position.shape == (n, modes, grid.steps, 2) and result.covariance.shape == (
        n,
        modes,
        grid.steps,
        2,
        2,
    )
    assert result.yaw.shape == result.speed.shape == (n, modes, grid.steps)
    known = np.isfinite(agents.position).all(axis=1)
    assert (result.valid.any(axis=1) == known).all()
    assert np.allclose(result.probability.sum(axis=1), known)
    assert (result.probability[~result.valid] == 0.0).all() and (result.probability[result.valid] > 0.0).all()
    for name in ("position", "yaw", "speed", "covariance"):
        array = getattr(result, name)
        assert np.isfinite(array[result.valid]).all() and np.isnan(array[~result.valid]).all()
    covariance = result.covariance[result.valid]
    assert np.allclose(covariance, np.swapaxes(covariance, -1, -2))
    assert (np.linalg.eigvalsh(covariance) > 0.0).all()
    assert (np.diff(np.trace(covariance, axis1=-2, axis2=-1), axis=1) >= -1e-9).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lane_map", [None, town()], ids=["mapless", "town"])
@pytest.mark.parametrize("count", [0, 1, 50])
def test_shapes_probabilities_covariances(name, lane_map, count):
    the_scene = mixed_scene(count, lane_map)
    result = predictor(name).predict(the_scene, GRID)
    check(result, the_scene.tracks)
    now = result.position[:, :, 0]
    assert np.allclose(now[result.valid], np.broadcast_to(the_scene.tracks.position[:, None], now.shape)[result.valid])


@pytest.mark.parametrize("name", NAMES)
def test_two_thousand_agents(name):
    the_scene = mixed_scene(2000, town())
    check(predictor(name).predict(the_scene, GRID), the_scene.tracks)


@pytest.mark.parametrize("name", NAMES)
def test_same_scene_same_result(name):
    first, second = (predictor(name).predict(mixed_scene(40, town()), GRID) for _ in range(2))
    for array in ARRAYS:
        assert np.array_equal(getattr(first, array), getattr(second, array), equal_nan=array not in ("valid", "intent"))


@pytest.mark.parametrize("name", NAMES)
def test_the_scene_is_left_as_it_was(name):
    the_scene = mixed_scene(20, town())
    before = {key: array.copy() for key, array in vars(the_scene.tracks).items() if isinstance(array, np.ndarray)}
    predictor(name).predict(the_scene, GRID)
    assert all(np.array_equal(array, getattr(the_scene.tracks, key)) for key, array in before.items())


def moved(the_scene, angle, shift):
    """The scene turned by `angle` and shifted."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def points(array):
        return array @ turn.T + shift

    old = the_scene.tracks
    agents = replace(
        old, position=points(old.position), yaw=old.yaw + angle, velocity=old.velocity @ turn.T,
        acceleration=old.acceleration @ turn.T, covariance=turn @ old.covariance @ turn.T,
    )  # fmt: skip
    lane_map = the_scene.map
    if lane_map is not None:
        lines = ("centre", "left_bound", "right_bound", "stop_line")
        lanes = {
            number: replace(
                each, **{key: points(getattr(each, key)) for key in lines if getattr(each, key) is not None}
            )
            for number, each in lane_map.lanes.items()
        }
        walks = tuple(Crosswalk(walk.id, points(walk.polygon), walk.lanes) for walk in lane_map.crosswalks)
        lane_map = LaneMap(lane_map.name, lanes, walks)
    ego = replace(the_scene.ego, position=points(the_scene.ego.position), yaw=the_scene.ego.yaw + angle)
    return replace(the_scene, tracks=agents, map=lane_map, ego=ego), points, turn


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lane_map", [None, town()], ids=["mapless", "town"])
@pytest.mark.parametrize(("angle", "shift"), [(0.7, (1000.0, -300.0)), (3.0, (-50.0, 20.0)), (-1.6, (7.3, 9.1))])
def test_moves_with_the_scene(name, lane_map, angle, shift):
    here = mixed_scene(60, lane_map)
    there, points, turn = moved(here, angle, np.array(shift))
    first, second = predictor(name).predict(here, GRID), predictor(name).predict(there, GRID)
    assert np.array_equal(first.valid, second.valid) and np.array_equal(first.intent, second.intent)
    assert np.allclose(first.probability, second.probability, atol=1e-6)
    assert np.allclose(points(first.position), second.position, atol=1e-5, equal_nan=True)
    assert np.allclose(first.speed, second.speed, atol=1e-6, equal_nan=True)
    assert np.allclose(turn @ first.covariance @ turn.T, second.covariance, atol=1e-5, equal_nan=True)
    difference = second.yaw - first.yaw - angle
    assert np.allclose(np.cos(difference[first.valid]), 1.0, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_broken_fields(name):
    the_scene = mixed_scene(12, town())
    good = the_scene.tracks
    arrays = {key: getattr(good, key).copy() for key in vars(good) if isinstance(getattr(good, key), np.ndarray)}
    arrays["position"][0, 1] = np.nan
    arrays["velocity"][1] = np.inf
    arrays["yaw"][2] = np.nan
    arrays["yaw_rate"][3], arrays["acceleration"][3] = np.nan, np.nan
    arrays["length"][4], arrays["width"][4] = np.nan, -1.0
    arrays["covariance"][5] = np.nan
    arrays["covariance"][6] = -np.eye(2)
    arrays["kind"][7] = 99
    broken = Tracks(good.stamp_ns, good.id, **arrays)
    result = predictor(name).predict(replace(the_scene, tracks=broken), GRID)
    check(result, broken)
    assert np.isfinite(result.length).all() and (result.width > 0.0).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lane_map", [None, town()], ids=["mapless", "town"])
def test_old_tracks_are_moved_to_now(name, lane_map):
    late = scene(tracks([(1, 20.0, 0.0, 0.0, 10.0)], stamp_ns=0), lane_map, stamp_ns=300_000_000)
    result = predictor(name).predict(late, GRID)
    assert result.stamp_ns == 300_000_000
    assert np.allclose(result.position[0, 0, 0], [23.0, 0.0])  # 20 m + 10 m/s x 0.3 s
    fresh = predictor(name).predict(replace(late, stamp_ns=0), GRID)
    assert np.trace(result.covariance[0, 0, 0]) > np.trace(fresh.covariance[0, 0, 0])


@pytest.mark.parametrize("name", NAMES)
def test_other_grids(name):
    for grid in (Grid(0.2, 11), Grid(0.1, 1), Grid(0.05, 100)):
        the_scene = mixed_scene(24, town())
        check(predictor(name).predict(the_scene, grid), the_scene.tracks, grid)


@pytest.mark.parametrize("name", ["lane_following", "class_aware"])
@pytest.mark.parametrize("most", [1, 2, 3, 6])
def test_number_of_modes(name, most):
    the_scene = mixed_scene(48, town())
    result = predictor(name, max_modes=most).predict(the_scene, GRID)
    check(result, the_scene.tracks)
    assert result.valid.shape[1] == most
