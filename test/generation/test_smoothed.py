"""The best few candidates, smoothed."""

from dataclasses import fields, replace

import numpy as np
import pytest
from generation_scenes import GRID, boxes, scene, straight, turn

from behaviors_ros import registry
from behaviors_ros.datatypes import StopKind, StopPoint
from behaviors_ros.generation import interface
from behaviors_ros.generation.motions import together
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring import interface as scoring

assert interface.Generator and scoring.Gate  # importing them registers the plugins
VEHICLE = Vehicle()
NAMES = ("idm_proposals", "lattice", "minimal_risk_stop", "previous", "smoothed")
ALL = [registry.create("generator", name, {}, VEHICLE) for name in NAMES]
SMOOTHED = ALL[-1]
KINEMATIC = registry.create("gate", "kinematic", {}, VEHICLE)
COLLISION = registry.create("gate", "collision", {}, VEHICLE)
LINE = StopPoint(StopKind.SIGNAL, 12, 40.0, 55.0, (12,))

CASES = {
    "free": (scene(straight(), speed=8.0), boxes([])),
    "standing": (scene(straight()), boxes([])),
    "behind one": (scene(straight(), speed=10.0), boxes([(40.0, 0.0, 0.0, 6.0)])),
    "parked": (scene(straight(), speed=8.0), boxes([(60.0, -1.2, 0.0, 0.0)])),
    "turn": (scene(turn(6.0), speed=5.0), boxes([])),
}


def taken(candidates, rows):
    """Some of the candidates."""
    arrays = {
        item.name: getattr(candidates, item.name)[rows]
        for item in fields(candidates)
        if isinstance(getattr(candidates, item.name), np.ndarray) and item.name != "time_s"
    }
    words = {name: tuple(getattr(candidates, name)[i] for i in rows) for name in ("generator", "label")}
    return replace(candidates, **arrays, **words)


def pairs(candidates):
    """(smoothed, its candidate) by the label; the same label is made with several strengths: the nearest in its end."""
    for index, label in enumerate(candidates.label):
        if candidates.generator[index] == "smoothed":
            same = [i for i, other in enumerate(candidates.label) if f"smoothly: {other}" == label]
            yield index, min(same, key=lambda i: abs(candidates.s[i, -1] - candidates.s[index, -1]))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_smoother_and_as_far(case):
    now, agents = case
    # Not by `generate`, which would keep equal motions under one of their labels.
    groups = [generator.generate(now, agents, GRID) for generator in ALL[:-1]]
    groups.append(SMOOTHED.refine(now, agents, GRID, groups))
    candidates = together([group for group in groups if len(group)])
    found = list(pairs(candidates))
    assert found
    smooth = [index for index, _ in found]
    assert KINEMATIC.check(now, agents, candidates).passed[smooth].all()
    assert COLLISION.check(now, agents, candidates).passed[smooth].all()

    def dose(i):
        jerk = np.diff(candidates.acceleration[i]) / GRID.dt_s
        return (candidates.acceleration[i] ** 2).mean() + (jerk**2).mean()

    for index, seed in found:
        assert dose(index) <= dose(seed) + 0.02
        assert candidates.s[index, -1] >= candidates.s[seed, -1] - 0.35


def test_a_halt_stays_at_its_place():
    now = scene(straight(stops=(LINE,)), speed=6.0)
    groups = [ALL[1].generate(now, boxes([]), GRID)]
    halts = [i for i in np.flatnonzero(groups[0].is_stop) if groups[0].label[i].startswith("stop at signal")]
    smooth = SMOOTHED.refine(now, boxes([]), GRID, [taken(groups[0], halts)])
    assert len(smooth) == 1 and smooth.is_stop.all()
    # bumper 0.8 m before 40 m: rear axle at 40 - 0.8 - 3.6 = 35.6 m, standing
    assert smooth.s[0, -1] == pytest.approx(35.6, abs=0.02)
    assert smooth.speed[0, -1] == 0.0 and smooth.acceleration[0, -1] == 0.0


def test_alone_it_makes_nothing():
    now, agents = CASES["free"]
    assert len(SMOOTHED.generate(now, agents, GRID)) == 0


def test_at_most_as_many_as_asked_for_each_with_its_path():
    now, agents = CASES["parked"]
    one = registry.create("generator", "smoothed", {"best": 1}, VEHICLE)
    groups = [generator.generate(now, agents, GRID) for generator in ALL[:-1]]
    assert len(one.refine(now, agents, GRID, groups)) == 1
    three = SMOOTHED.refine(now, agents, GRID, groups)
    assert len({label.split(",")[0] for label in three.label}) == len(three) == 3


def test_what_cannot_be_smoothed_is_left_out():
    # braking as hard as possible from a place where the start's acceleration is beyond the bounds on jerk
    now = scene(straight(), speed=20.0, acceleration=-7.9)
    strict = registry.create("generator", "smoothed", {"speed": {"jerk_mps3": 0.2}}, VEHICLE)
    groups = [ALL[1].generate(now, boxes([]), GRID)]
    assert len(strict.refine(now, boxes([]), GRID, groups)) == 0
