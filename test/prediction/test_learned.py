"""The learned predictor: who is the model's, who is left to physics, and what happens when the model fails."""

from dataclasses import replace

import numpy as np
import pytest
from prediction_scenes import mixed_scene, scene, town, tracks
from tiny_model import shared_model, tiny_model

import behaviors_ros.prediction.interface  # noqa: F401
from behaviors_ros import registry
from behaviors_ros.datatypes import Degraded, EgoState, Grid, Tracks
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.agents import agents_now
from behaviors_ros.prediction.learned import nearest_approach
from behaviors_ros.prediction.learned_features import features

GRID = Grid()
BY_AGENT = ("probability", "position", "yaw", "speed", "covariance")


def learned(model=None, **values):
    return registry.create("predictor", "learned", {"model": str(model or shared_model()), **values}, Vehicle())


def physics(the_scene):
    return registry.create("predictor", "class_aware", {}, Vehicle()).predict(the_scene, GRID)


def same(first, second, row):
    """Whether two predictions of an agent are equal, whatever number of modes they have room for."""
    modes = min(first.valid.shape[1], second.valid.shape[1])
    return all(
        np.array_equal(getattr(first, name)[row, :modes], getattr(second, name)[row, :modes], equal_nan=True)
        for name in BY_AGENT
    )


def test_cars_by_the_model_the_unknown_by_physics():
    the_scene = scene(tracks([(1, 0.0, 0.0, 0.0, 8.0), (0, 30.0, 5.0, 0.0, 2.0)]), town())
    found, other = learned().predict(the_scene, GRID), physics(the_scene)
    assert not same(found, other, 0) and same(found, other, 1)
    assert len(found.model_hash) == 64 and found.notes == {"agents by physics: class": 1} and not found.warning
    assert found.degraded == the_scene.degraded


def test_classes_are_those_of_the_contract(tmp_path):
    the_scene = scene(tracks([(1, 0.0, 0.0, 0.0, 8.0), (7, 30.0, 5.0, 0.0, 1.0)]), town())
    found = learned(tiny_model(tmp_path, kinds=("PEDESTRIAN",))).predict(the_scene, GRID)
    other = physics(the_scene)
    assert same(found, other, 0) and not same(found, other, 1)


def test_the_most_relevant_by_the_model():
    # The ego drives along x at 10 m/s. Within 4 s: the one ahead comes to 0 m, the one beside stays at 30 m, the one
    # behind at 20 m falls back to no less than that.
    ego = EgoState(0, np.zeros(2), 0.0, 10.0)
    rows = [(1, 0.0, 30.0, 0.0, 10.0), (1, 40.0, 0.0, 0.0, 0.0), (1, -20.0, 0.0, 0.0, 5.0)]
    the_scene = scene(tracks(rows), town(), ego=ego)
    near = nearest_approach(ego, agents_now(the_scene, Vehicle()), 4.0)
    assert near == pytest.approx([30.0, 0.0, 20.0])
    found, other = learned(max_agents=2).predict(the_scene, GRID), physics(the_scene)
    assert [same(found, other, row) for row in range(3)] == [True, False, False]
    assert found.notes == {"agents by physics: beyond max_agents": 1}


def test_two_thousand_agents_none_dropped():
    the_scene = mixed_scene(2000, town())
    found = learned(max_agents=50).predict(the_scene, GRID)
    known = sum(int((the_scene.tracks.kind == kind).sum()) for kind in range(1, 9) if kind != 4)
    assert len(found) == 2000 and found.valid.any(axis=1).all()
    assert found.notes["agents by physics: beyond max_agents"] == known - 50


@pytest.mark.parametrize("fault", ["nan", "far"])
def test_a_spoilt_answer_is_replaced_for_its_agent_only(tmp_path, fault):
    # The model spoils what it says of agents longer than 10 m.
    agents = tracks([(1, 0.0, 0.0, 0.0, 8.0), (2, 30.0, 0.0, 0.0, 8.0)], length=np.array([4.5, 12.0]))
    the_scene = scene(agents, town())
    found, other = learned(tiny_model(tmp_path, fault=fault)).predict(the_scene, GRID), physics(the_scene)
    assert not same(found, other, 0) and same(found, other, 1)
    assert found.notes == {"agents by physics: answer refused": 1}
    assert "1 of 2 agents" in found.warning and not found.degraded & Degraded.NO_MODEL


def test_no_usable_answer_at_all_is_a_degraded_mode(tmp_path):
    the_scene = scene(tracks([(1, 0.0, 0.0, 0.0, 8.0)]), town())
    found = learned(tiny_model(tmp_path, fault="sum")).predict(the_scene, GRID)
    assert same(found, physics(the_scene), 0)
    assert found.degraded & Degraded.NO_MODEL and found.model_hash == "" and found.warning


def test_a_failing_session_is_physics_with_a_warning(monkeypatch):
    the_scene, predictor = mixed_scene(12, town()), learned()
    monkeypatch.setattr(predictor._session, "run", lambda arrays: "out of memory")
    found, other = predictor.predict(the_scene, GRID), physics(the_scene)
    assert all(same(found, other, row) for row in range(12))
    assert "out of memory" in found.warning and found.degraded & Degraded.NO_MODEL and not found.model_hash


def test_nobody_and_nobody_known():
    nobody = learned().predict(scene(Tracks.empty(0), town()), GRID)
    assert len(nobody) == 0 and not nobody.warning and nobody.model_hash == ""
    broken = tracks([(1, np.nan, 0.0, 0.0, 8.0)])
    unknown = learned().predict(scene(broken, town()), GRID)
    assert not unknown.valid.any() and np.isnan(unknown.position).all()


def test_an_ego_that_is_not_known_is_no_obstacle():
    nowhere = EgoState(0, np.full(2, np.nan), 0.0, 0.0)
    the_scene = replace(mixed_scene(100, town()), ego=nowhere)
    found = learned(max_agents=10).predict(the_scene, GRID)
    assert found.valid.any(axis=1).all()


def test_the_one_answer():
    the_scene = scene(tracks([(1, 0.0, 0.0, 0.0, 8.0), (0, 30.0, 5.0, 0.0, 2.0)]), town())
    predictor, other = learned(), physics(the_scene)
    one = predictor.single(the_scene, GRID)
    assert one.valid.tolist() == [[True], [True]] and one.probability.tolist() == [[1.0], [1.0]]
    # The tiny model's one answer is its first mode; of the unknown it is what physics holds for likeliest.
    assert one.position[0, 0] == pytest.approx(predictor.predict(the_scene, GRID).position[0, 0], abs=1e-6)
    assert (one.position[1, 0] == other.position[1, other.probability[1].argmax()]).all()


def test_one_call_leaves_nothing_behind():
    first, second = mixed_scene(30, town(), seed=1), mixed_scene(30, town(), seed=2)
    predictor = learned()
    before = predictor.predict(first, GRID)
    predictor.predict(second, GRID)
    again = predictor.predict(first, GRID)
    assert all(np.array_equal(getattr(before, name), getattr(again, name), equal_nan=True) for name in BY_AGENT)


@pytest.mark.parametrize("huge", [1e12, 1e30, 1e200])
def test_senseless_numbers_of_one_agent_are_its_own_affair(huge):
    good = mixed_scene(24, town())
    velocity, position = good.tracks.velocity.copy(), good.tracks.position.copy()
    velocity[1] = huge
    position[2] = huge
    found = learned().predict(replace(good, tracks=replace(good.tracks, velocity=velocity, position=position)), GRID)
    assert found.valid.any(axis=1).all()
    assert found.model_hash and found.notes["agents by physics: input refused"] == 1
    assert found.notes.get("agents by physics: answer refused", 0) < 12
    others = np.setdiff1d(np.arange(24), [1, 2])
    assert np.isfinite(found.position[others][found.valid[others]]).all()


def test_features_that_are_no_numbers_are_no_question(monkeypatch):
    the_scene, predictor = mixed_scene(12, town()), learned()

    def spoilt(*arguments):
        found = features(*arguments)
        found.arrays["queue"][2] = np.inf
        return found

    monkeypatch.setattr("behaviors_ros.prediction.learned.features", spoilt)
    found, other = predictor.predict(the_scene, GRID), physics(the_scene)
    rows = np.flatnonzero([kind in predictor.contract.classes for kind in the_scene.tracks.kind])
    assert same(found, other, rows[2]) and not same(found, other, rows[1])
    assert found.notes["agents by physics: answer refused"] == 1
