"""A candidate model beside the predictor that drives: it changes nothing, and does not hold anything up."""

import threading
import time

import made_recordings as made
import numpy as np
import pytest
from tiny_model import tiny_model

from behaviors_ros import registry
from behaviors_ros.datatypes import Grid
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros import prediction
from behaviors_ros.ros.drive import write_drive
from behaviors_ros.ros.replay import replay
from behaviors_ros.ros.shadow import Shadow, ShadowParameters
from behaviors_ros.ros.warm import warm_scene

GRID = Grid()
PHYSICS = registry.create("predictor", "constant_velocity", {}, Vehicle())


class Candidate:
    """Predicts as physics does, after it was let go."""

    name = "candidate"

    def __init__(self, broken=False):
        self.go, self.broken = threading.Event(), broken

    def predict(self, scene, grid):
        assert self.go.wait(10.0)
        if self.broken:
            raise ZeroDivisionError("a bug in the candidate")
        return PHYSICS.predict(scene, grid)


def shown(candidate, times, **parameters):
    shadow, scene = Shadow(candidate, GRID, ShadowParameters(model="x", **parameters)), warm_scene(None, Vehicle())
    active = PHYSICS.predict(scene, GRID)
    for _ in range(times):
        shadow.show(scene, active)
    return shadow


def test_a_busy_candidate_is_not_waited_for():
    candidate = Candidate()
    begun = time.monotonic()
    shadow = shown(candidate, 5)
    assert time.monotonic() - begun < 1.0
    candidate.go.set()
    shadow.stop()
    facts = shadow.facts()
    assert facts["shadow scenes"] == "1" and facts["shadow skipped"] == "4"
    # The same predictor twice: nothing apart. Five agents of five classes, and a line for all of them.
    assert facts["shadow all at 6 s"] == "likeliest 0.00 m, mean 0.00 m, n 5" and "shadow car at 1 s" in facts


def test_a_broken_candidate_is_told_and_goes_on():
    candidate = Candidate(broken=True)
    candidate.go.set()
    shadow = shown(candidate, 1)
    while not shadow.collect():
        time.sleep(0.01)
    candidate.broken = False
    shadow.show(warm_scene(None, Vehicle()), PHYSICS.predict(warm_scene(None, Vehicle()), GRID))
    shadow.stop()
    facts = shadow.facts()
    assert facts["shadow failures"] == "1" and "a bug in the candidate" in facts["shadow last failure"]
    assert facts["shadow scenes"] == "1"


def test_every_third_scene():
    candidate = Candidate()
    shadow = shown(candidate, 7, every=3)
    candidate.go.set()
    shadow.stop()
    # Scenes 1, 4 and 7 are meant for it; it still has the first when the others come.
    assert shadow.facts()["shadow skipped"] == "2"


@pytest.fixture
def shadows(monkeypatch):
    """The shadows that nodes make."""
    made_here = []

    class Kept(Shadow):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made_here.append(self)

    monkeypatch.setattr(prediction, "Shadow", Kept)
    return made_here


@pytest.mark.timeout(400)  # two graphs of nodes, which compile where nothing is cached
def test_driving_is_the_same_to_the_last_bit_with_and_without(tmp_path, shadows):
    drive, model = tmp_path / "drive", str(tiny_model(tmp_path, "active"))
    write_drive(made.recording(2.0), drive)
    active = {"predictor": "learned", "learned.model": model}
    candidate = {"shadow.model": str(tiny_model(tmp_path, "candidate", seed=1))}
    alone = replay(drive, None, [], active)
    beside = replay(drive, None, [], active | candidate)
    assert len(shadows) == 1
    shadows[0].stop()
    rows = [row for row in shadows[0].divergence.rows() if row["class"] == "all"]
    shadows[0].collect()
    assert shadows[0].divergence.scenes > 0 and not shadows[0].failures
    assert rows and rows[-1]["mean_m"] > 0.0
    assert len(alone.plans) == len(beside.plans) == 21
    assert alone.decision_hash == beside.decision_hash
    for one, other in zip(alone.plans, beside.plans, strict=True):
        assert np.array_equal(one.trajectory.position, other.trajectory.position)
