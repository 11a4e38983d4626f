"""The path that swings wide where the lane bends more tightly than the vehicle does."""

import math

import numpy as np
import pytest
from generation_scenes import GRID, boxes, scene, straight, turn

from behaviors_ros import registry
from behaviors_ros.datatypes import Grid
from behaviors_ros.generation import interface
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.generate import generate
from behaviors_ros.generation.situation import situation_of
from behaviors_ros.generation.smooth_path import Wide, _curvature, wide_path
from behaviors_ros.generation.start import Stitching
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring import interface as scoring

assert interface.Generator and scoring.Gate  # importing them registers the plugins
VEHICLE = Vehicle()
ALL = [registry.create("generator", name, {}, VEHICLE) for name in ("idm_proposals", "lattice", "minimal_risk_stop")]
GATES = [registry.create("gate", name, {}, VEHICLE) for name in ("kinematic", "drivable_area")]
NOBODY = boxes([])


SETUP = (GRID, VEHICLE, Driving(), Stitching())


def wide(now):
    """The path of a scene."""
    return wide_path(situation_of(now, NOBODY, *SETUP), Wide())


def test_curvature_to_first_order():
    # Beside an arc of 0.2 1/m, 1 m towards its centre: 1 / (5 - 1) = 0.25 1/m; d'' counts by 1 / q^2 = 1 / 0.8^2
    rows = np.array([[0, 0, 0, 0.2, 0, 0, 0, 0]], float)
    curvature, share = _curvature(rows, np.array([[1.0, 0.0, 0.0]]))
    assert curvature[0] == pytest.approx(0.25)
    assert share[0] == pytest.approx([0.25**2, 0.0, 1.0 / 0.64], abs=1e-3)


# The rear axle's least radius is 2.7 / tan(0.6) = 3.95 m.
@pytest.mark.parametrize("radius", [3.95, 4.2, 5.0])
def test_a_right_angle_is_driven_with_less_curvature_than_the_lane_has(radius):
    paths = wide(scene(turn(radius), x=12.0, speed=3.0))
    assert paths.label == ("keep lane",) and paths.usable.all()
    table = paths.table[0]
    assert np.abs(table[:, 5]).max() < 0.9 / radius
    # it leaves the start as it is, and its poses follow its curvature
    assert table[0, 2:6] == pytest.approx([12.0, 0.0, 0.0, 0.0], abs=1e-3)
    turned = 0.5 * (table[1:, 5] + table[:-1, 5]) * np.diff(table[:, 0])
    assert np.diff(table[:, 4]) == pytest.approx(turned, abs=2e-3)


@pytest.mark.parametrize("angle", [math.pi / 2, math.pi])
def test_a_u_turn_stays_within_the_vehicle(angle):
    curvature = wide(scene(turn(4.5, angle=angle), x=12.0, speed=3.0)).table[0, :, 5]
    assert np.abs(curvature).max() <= VEHICLE.curvature_max_1pm


@pytest.mark.parametrize("radius", [3.95, 4.2, 4.5])
@pytest.mark.parametrize("speed", [0.0, 3.0])
def test_candidates_through_it_are_admitted(radius, speed):
    now = scene(turn(radius), x=13.0, speed=speed)
    candidates = generate(now, NOBODY, GRID, ALL)
    good = np.all([gate.check(now, NOBODY, candidates).passed for gate in GATES], axis=0)
    # through the turn, which begins at 20 m
    assert (candidates.s[good, -1] > 25.0).any()


def test_ordinary_lanes_have_none():
    for now in (scene(straight(), speed=5.0), scene(turn(8.0), x=12.0, speed=5.0)):
        assert len(wide(now)) == 0


def test_without_room_there_is_none():
    route = turn(3.95, angle=math.pi)
    for name in ("left_drivable", "right_drivable"):
        getattr(route, name)[:] = 1.2
    assert len(wide(scene(route, x=12.0, speed=3.0))) == 0


SLALOM = boxes([(40.0, -1.3, 0.0, 0.0), (58.0, 1.3, 0.0, 0.0)])


def test_between_parked_ones_on_both_sides():
    # Their inner sides are at -0.35 and 0.35 m: the middle line goes to 1.075 m, then to 0.35 - 0.5 - 0.925 = -1.075 m
    route = straight()
    for name in ("left_drivable", "right_drivable"):
        getattr(route, name)[:] = 2.5
    now, long = scene(route, x=26.0, speed=6.0), Grid(steps=91)  # half a metre beside them it is slow
    parked = boxes([(40.0, -1.3, 0.0, 0.0), (58.0, 1.3, 0.0, 0.0)], grid=long)
    candidates = generate(now, parked, long, ALL)
    weaving = [i for i, label in enumerate(candidates.label) if label.startswith("pass 2 parked ones")]
    assert weaving
    collision = registry.create("gate", "collision", {"free_s": 6.0}, VEHICLE)
    past = [i for i in weaving if candidates.s[i, -1] > 56.0]
    assert past
    for gate in (*GATES, collision):
        assert gate.check(now, parked, candidates).passed[past].all(), gate.name
    beside = (candidates.s[past] > 53.0) & (candidates.s[past] < 60.0)
    assert beside.any() and candidates.d[past][beside].max() < -0.9


def test_one_parked_agent_is_left_to_ordinary_passing():
    now, one = scene(straight(), x=24.0, speed=6.0), boxes([(40.0, -1.3, 0.0, 0.0)])
    assert len(wide_path(situation_of(now, one, *SETUP), Wide())) == 0
