"""Creeping from a line to where one sees."""

from dataclasses import replace

import numpy as np
import pytest
from generation_scenes import GRID, boxes, scene, straight

from behaviors_ros import registry
from behaviors_ros.datatypes import Lane, LaneKind, LaneMap, StopKind, StopPoint
from behaviors_ros.generation import interface
from behaviors_ros.maps.conflicts import conflict_s
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring import interface as scoring

assert interface.Generator and scoring.Gate  # importing them registers the plugins
VEHICLE = Vehicle()
GENERATOR = registry.create("generator", "creep", {}, VEHICLE)
KINEMATIC = registry.create("gate", "kinematic", {}, VEHICLE)
NOBODY = boxes([])
LINE = StopPoint(StopKind.YIELD, 1, 50.0, 62.0, yields_to=(7,))
ROUTE = straight(200.0, stops=(LINE,))


def crossing(x=57.0):
    """A map with a lane that crosses the route at x."""
    y = np.linspace(-60.0, 60.0, 61)
    column = np.column_stack((np.full(61, x), y))
    left, right = column - [1.75, 0.0], column + [1.75, 0.0]
    return LaneMap("crossing", {7: Lane(7, LaneKind.ROAD, column, left, right)})


def at(bumper, **more):
    """A scene with the front bumper at a place; it is 3.6 m ahead of the rear axle."""
    return replace(scene(ROUTE, x=bumper - 3.6, **more), map=crossing())


def test_the_conflict_begins_where_the_lane_does():
    # its centre at 57 m, half width 1.75 m: from 55.25 m on, found in steps of 0.25 m
    assert conflict_s(ROUTE, crossing(), LINE, 0.925) == pytest.approx(55.25, abs=0.26)
    assert conflict_s(ROUTE, crossing(90.0), LINE, 0.925) is None


@pytest.mark.parametrize("bumper", [46.0, 49.2, 51.5, 53.5])
def test_creeps_to_a_second_halt_before_the_conflict(bumper):
    now = at(bumper)
    candidates = GENERATOR.generate(now, NOBODY, GRID)
    assert len(candidates) and KINEMATIC.check(now, NOBODY, candidates).passed.all()
    assert all(label.startswith("creep") for label in candidates.label)
    assert candidates.speed.max() <= 1.25
    # 0.3 m before the conflict area at 55.25 m
    assert (candidates.s + 3.6).max() <= 54.96
    stops = candidates.is_stop
    if bumper > 51.0:
        assert stops.any() and candidates.s[stops, -1] + 3.6 == pytest.approx(np.full(stops.sum(), 54.95), abs=0.26)


@pytest.mark.parametrize(
    "now",
    [
        at(40.0),  # the line is far
        at(49.0, speed=5.0),  # too fast
        replace(at(49.0), map=None),
        replace(at(49.0), map=crossing(51.5)),  # the conflict area is right before the bumper
        at(60.0),  # in it already
    ],
)
def test_none_elsewhere(now):
    assert len(GENERATOR.generate(now, NOBODY, GRID)) == 0
