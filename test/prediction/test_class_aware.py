"""Pedestrians, animals and the dispatch by class."""

import numpy as np
from prediction_scenes import scene, town, tracks

import behaviors_ros.prediction.interface  # noqa: F401
from behaviors_ros import registry
from behaviors_ros.datatypes import AgentClass, EgoState, Grid, Intent
from behaviors_ros.parameters import Vehicle

GRID = Grid()
WALKER, ANIMAL = int(AgentClass.PEDESTRIAN), int(AgentClass.ANIMAL)


def predict(the_scene, name="class_aware", **values):
    return registry.create("predictor", name, values, Vehicle()).predict(the_scene, GRID)


def mode(result, intent, agent=0):
    """Row of the first mode with an intent."""
    return int(np.flatnonzero(result.valid[agent] & (result.intent[agent] == intent))[0])


def test_a_pedestrian_beside_the_crosswalk_may_cross_it():
    """At (150, -6) facing the road: across lane 2 along y = -4 to 4 and on, x stays."""
    result = predict(scene(tracks([(WALKER, 150.0, -6.0, np.pi / 2, 1.4)]), town()))
    cross = result.position[0, mode(result, Intent.CROSS)]
    assert cross[-1, 1] > 1.9 and np.allclose(cross[:, 0], 150.0, atol=0.1)
    assert result.probability[0, mode(result, Intent.CROSS)] > 0.3


def test_crossing_is_likelier_for_who_walks_towards_the_crosswalk():
    share = []
    for yaw in (np.pi / 2, np.pi / 4, -np.pi / 2):
        result = predict(scene(tracks([(WALKER, 150.0, -6.0, yaw, 1.4)]), town()))
        share.append(result.probability[0, result.intent[0] == Intent.CROSS].sum())
    assert share[0] > share[1] > share[2]


def test_a_pedestrian_waits_at_the_kerb():
    """Lane 1's right edge is at y = -1.75. From y = -4 with 1.4 m/s the stop mode ends before it, the other goes on."""
    result = predict(scene(tracks([(WALKER, 50.0, -4.0, np.pi / 2, 1.4)]), town()))
    stop, on = mode(result, Intent.STOP), mode(result, Intent.FREE)
    assert result.position[0, stop, :, 1].max() < -1.75 and result.speed[0, stop, -1] == 0.0
    assert result.position[0, on, -1, 1] > 4.0


def test_who_stands_most_likely_stands_on():
    result = predict(scene(tracks([(WALKER, 150.0, -6.0, np.pi / 2, 0.0)]), town()))
    best = int(result.probability[0].argmax())
    assert result.intent[0, best] == Intent.STOP and np.allclose(result.position[0, best], [150.0, -6.0])
    assert {Intent.CROSS, Intent.FREE} <= set(result.intent[0][result.valid[0]].tolist())


def test_a_turning_pedestrian_has_a_turning_mode():
    agents = tracks([(WALKER, 0.0, 0.0, 0.0, 1.4), (WALKER, 9.0, 0.0, 0.0, 1.4)], yaw_rate=np.array([0.6, 0.0]))
    result = predict(scene(agents))
    assert np.nanmax(result.position[0, :, -1, 1]) > 3.0 and np.nanmax(np.abs(result.position[1, :, -1, 1])) < 0.1
    assert result.valid.sum(axis=1).tolist() == [3, 2]


def test_an_animal_beside_the_road_may_dart_across():
    """At (50, -4) moving along the road: the dart goes to +y, over the lane's far edge at 1.75."""
    result = predict(scene(tracks([(ANIMAL, 50.0, -4.0, 0.0, 1.0)]), town()))
    dart = result.position[0, mode(result, Intent.CROSS)]
    assert dart[-1, 1] > 15.0 and np.allclose(dart[:, 0], 50.0, atol=0.2)
    assert {Intent.CROSS, Intent.STOP, Intent.FREE} <= set(result.intent[0][result.valid[0]].tolist())


def test_without_a_map_it_darts_across_the_egos_line():
    ego = EgoState(0, np.array([0.0, 0.0]), 0.0, 8.0)
    result = predict(scene(tracks([(ANIMAL, 20.0, 5.0, 0.0, 0.0)]), ego=ego))
    assert result.position[0, mode(result, Intent.CROSS), -1, 1] < -5.0


def test_static_things_stay_and_the_unknown_goes_on_widely():
    rows = [
        (int(AgentClass.HAZARD), 50.0, 0.0, 0.0, 3.0),
        (int(AgentClass.UNKNOWN), 50.0, 9.0, 0.0, 3.0),
        (1, 50.0, 60.0, 0.0, 3.0),
    ]
    result = predict(scene(tracks(rows), town()))
    assert np.allclose(result.position[0, 0], [50.0, 0.0]) and result.intent[0, 0] == Intent.STOP
    assert np.allclose(result.position[1, 0, -1], [68.0, 9.0])
    size = np.trace(result.covariance[:, 0, -1], axis1=1, axis2=2)
    assert size[1] > size[2] > size[0]


def test_vehicles_go_as_in_lane_following():
    the_scene = scene(tracks([(1, 80.0, 0.0, 0.0, 8.0), (2, 60.0, 0.0, 0.0, 8.0)]), town())
    ours, theirs = predict(the_scene), predict(the_scene, "lane_following")
    assert np.array_equal(ours.position, theirs.position, equal_nan=True)
    assert np.array_equal(ours.probability, theirs.probability)


def test_likelier_modes_survive_when_few_are_allowed():
    the_scene = scene(tracks([(WALKER, 150.0, -6.0, np.pi / 2, 1.4)]), town())
    many, one = predict(the_scene, max_modes=4), predict(the_scene, max_modes=1)
    assert one.intent[0, 0] == many.intent[0, many.probability[0].argmax()] and one.probability[0, 0] == 1.0
