"""A stage that is late too often sheds work, and takes it up again; what was shed is told and can be replayed."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import Degraded, Grid
from behaviors_ros.generation.generate import generate
from behaviors_ros.parameters import Vehicle
from behaviors_ros.pipeline import build
from behaviors_ros.prediction.predict import NearAgents, predict
from behaviors_ros.ros.overload import Overload, StageBudget
from behaviors_ros.ros.warm import warm_predictions, warm_scene

VEHICLE, GRID = Vehicle(), Grid()


def test_three_late_ones_of_ten_shed_and_five_seconds_in_time_restore():
    overload, told = Overload(StageBudget(budget_s=0.04)), []
    for cycle, seconds in enumerate([0.05, 0.01, 0.05, 0.01, 0.05] + [0.01] * 60):
        if overload.note(seconds, 0.1 * cycle):
            told.append((cycle, overload.shedding))
    # Late at 0, 2 and 4; the last late one was at 0.4 s, so 5 s later is cycle 54.
    assert told == [(4, True), (54, False)] and overload.late == 3


def test_a_single_late_cycle_sheds_nothing():
    overload = Overload(StageBudget(budget_s=0.04))
    assert not any(overload.note(0.05 if cycle % 5 == 0 else 0.01, 0.1 * cycle) for cycle in range(50))
    assert overload.late == 10 and not overload.shedding


def test_far_agents_go_on_as_now_and_none_is_left_out():
    scene = warm_scene(None, VEHICLE)
    predictor, constant = build({}).predictor, build({"predictor": "constant_velocity"}).predictor
    assert len(scene.tracks) >= 3
    shed = replace(scene, degraded=scene.degraded | Degraded.FAR_AGENTS)
    near = NearAgents(near_agents=1)
    found, whole = predict(shed, GRID, predictor, near, VEHICLE), predict(scene, GRID, predictor, near, VEHICLE)
    plain = predict(scene, GRID, constant, near, VEHICLE)
    nearest = int(np.hypot(*(scene.tracks.position - scene.ego.position).T).argmin())
    assert found.id == scene.tracks.id and found.degraded & Degraded.FAR_AGENTS
    for row in range(len(found)):
        other = whole if row == nearest else plain
        modes = int(other.valid[row].sum())
        assert found.valid[row].sum() == modes
        np.testing.assert_array_equal(found.position[row][found.valid[row]], other.position[row][other.valid[row]])


def test_generators_that_have_no_time_are_left_out_but_never_the_last_resort():
    scene, stages = warm_scene(None, VEHICLE), build({})
    predicted = warm_predictions(scene, GRID)
    whole = generate(scene, predicted, GRID, stages.generators)
    hurried = generate(scene, predicted, GRID, stages.generators, lambda: 0.0)
    assert set(hurried.generator) == {"minimal_risk_stop"} and hurried.is_stop.any()
    left = iter([1.0] + [0.0] * 20)
    some = generate(scene, predicted, GRID, stages.generators, lambda: next(left))
    assert "idm_proposals" in some.generator and "lattice" not in some.generator and "lattice" in whole.generator
    # A replay asks those that had time, without a limit: the same candidates in the same order.
    asked = tuple(g for g in stages.generators if g.name in some.generator)
    again = generate(scene, predicted, GRID, asked)
    assert again.label == some.label
    np.testing.assert_array_equal(again.position, some.position)
    assert whole.label == generate(scene, predicted, GRID, stages.generators, lambda: 1.0).label


@pytest.mark.parametrize("late", [1, 10])
def test_limits_of_the_parameters(late):
    overload = Overload(StageBudget(budget_s=0.01, late_of_ten=late))
    for cycle in range(late):
        overload.note(0.02, 0.1 * cycle)
    assert overload.shedding
