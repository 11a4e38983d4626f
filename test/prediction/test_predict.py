"""What a predictor says that cannot be is not driven with, whichever predictor it is."""

from dataclasses import replace

import numpy as np
import pytest
from prediction_scenes import scene, tracks

from behaviors_ros.datatypes import AgentClass, Degraded, Grid
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.constant_velocity import ConstantVelocity, ConstantVelocityParameters
from behaviors_ros.prediction.predict import NearAgents, predict

VEHICLE, GRID, NEAR = Vehicle(), Grid(), NearAgents()
CAR, WALKER = int(AgentClass.CAR), int(AgentClass.PEDESTRIAN)
SCENE = scene(tracks([(CAR, 20.0, 0.0, 0.0, 8.0), (WALKER, 30.0, 5.0, 1.0, 1.0), (CAR, -30.0, 3.5, 0.0, 40.0)]))


class Wrong:
    """Constant velocity, wrong for some agents."""

    name = "wrong"

    def __init__(self, change, rows):
        self.change, self.rows = change, rows

    def predict(self, scene, grid):
        found = ConstantVelocity(ConstantVelocityParameters(), VEHICLE).predict(scene, grid)
        names = ("position", "yaw", "speed", "probability", "covariance")
        arrays = {name: getattr(found, name).copy() for name in names}
        arrays["position"][:, :, :, 1] += 1.0
        for row in self.rows:
            self.change(arrays, row)
        return replace(found, **arrays)


def put(name, number, index=...):
    def change(arrays, row):
        arrays[name][row][index] = number

    return change


def predicted(change, rows):
    return predict(SCENE, GRID, Wrong(change, rows), NEAR, VEHICLE)


WRONG = {
    "not a number": put("position", np.nan),
    "one step not a number": put("position", np.nan, (0, 40, 1)),
    "out of reach": put("position", 1e7),
    "heading": put("yaw", np.inf),
    "speed": put("speed", np.nan),
    "no distribution": put("probability", 3.0),
    "negative": put("probability", -1.0),
    "uncertainty": put("covariance", np.nan),
    "variance below zero": put("covariance", -1.0, (0, 5, 0, 0)),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_one_agent_goes_on_as_now_and_the_others_keep_their_predictions(change):
    right = predicted(None, ())
    found = predicted(change, (1,))
    plain = ConstantVelocity(ConstantVelocityParameters(), VEHICLE).predict(SCENE, GRID)
    assert found.id == SCENE.tracks.id and "1 of 3 agents" in found.warning
    assert not found.degraded & Degraded.NO_MODEL
    for row, expected in ((0, right), (1, plain), (2, right)):
        modes = expected.valid[row]
        np.testing.assert_allclose(found.position[row][found.valid[row]], expected.position[row][modes], atol=1e-3)
        assert found.probability[row][found.valid[row]].sum() == pytest.approx(1.0)


def test_all_wrong_is_all_by_physics_and_said():
    found = predicted(WRONG["not a number"], (0, 1, 2))
    assert found.degraded & Degraded.NO_MODEL and np.isfinite(found.position[found.valid]).all()
    assert found.valid.any(axis=1).all() and found.notes["agents as now: prediction refused"] == 3


def test_what_is_right_is_left_alone():
    found = predicted(None, ())
    assert not found.warning and not found.notes and found.degraded == Degraded.NONE


def test_a_track_without_a_place_is_nobodys_fault():
    before = SCENE.tracks
    place = before.position.copy()
    place[0] = np.nan
    lost = replace(SCENE, tracks=replace(before, position=place))
    found = predict(lost, GRID, Wrong(None, ()), NEAR, VEHICLE)
    assert not found.warning and not found.valid[0].any() and found.valid[1].any()
