"""Line of sight, by hand."""

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, EgoState
from behaviors_ros.simulation.occlusion import visible
from behaviors_ros.simulation.traffic import Body, Motion, Perception, Stationary, identity, perceive

CAR, BUS, WALKER = AgentClass.CAR, AgentClass.BUS, AgentClass.PEDESTRIAN
WALL = np.array([[5.0, -1.0], [6.0, -1.0], [6.0, 1.0], [5.0, 1.0]])


def sees(boxes, walls=()):
    """Visibility from the origin; boxes are (x, y, length, width, class), along x."""
    x, y, length, width, kind = (np.array(column) for column in zip(*boxes, strict=True))
    position = np.stack((x, y), axis=1).astype(np.float64)
    sizes = length.astype(np.float64), width.astype(np.float64)
    return visible(np.zeros(2), position, np.zeros(len(x)), *sizes, kind.astype(np.int64), walls).tolist()


def test_a_wall_hides_what_is_in_its_shadow():
    # At x = 12 the shadow of the wall's near edge (5, +-1) reaches to y = 12 / 5 = 2.4.
    assert sees([(12.0, 0.0, 0.5, 0.5, WALKER), (12.0, 2.0, 0.4, 0.4, WALKER)], [WALL]) == [False, False]
    # The corner looked at lies at (11.84, 2.3 + 0.16): above the shadow's 2.37 there. Without the wall all is seen.
    assert sees([(12.0, 2.3, 0.4, 0.4, WALKER)], [WALL]) == [True]
    assert sees([(12.0, 0.0, 0.5, 0.5, WALKER)]) == [True]


def test_vehicles_hide_people_and_cars_but_no_buses_and_never_themselves():
    car, bus_behind = (8.0, 0.0, 4.5, 1.8, CAR), (30.0, 0.0, 12.0, 2.5, BUS)
    assert sees([car, (14.0, 0.0, 0.5, 0.5, WALKER), bus_behind]) == [True, False, True]
    # A bus hides what is behind it, a bus too; a pedestrian hides nothing.
    assert sees([(14.0, 0.0, 12.0, 2.5, BUS), (40.0, 0.0, 12.0, 2.5, BUS)]) == [True, False]
    assert sees([(5.0, 0.0, 0.5, 0.5, WALKER), (10.0, 0.0, 0.5, 0.5, WALKER)]) == [True, True]


def test_only_a_perception_with_occlusion_leaves_out_what_is_hidden():
    def standing(name, x, kind, length):
        return Stationary(Body(identity(name), kind, length, 0.3 * length), Motion(np.array((x, 0.0)), 0.0, 0.0))

    agents = (standing("van", 8.0, AgentClass.TRUCK, 6.0), standing("walker", 15.0, WALKER, 0.5))
    ego = EgoState(0, np.zeros(2), 0.0, 0.0)
    assert len(perceive(0, ego, agents, Perception())) == 2
    assert perceive(0, ego, agents, Perception(occlusion=True)).id == (identity("van"),)
    assert len(perceive(0, ego, agents, Perception(occlusion=True), noise=False)) == 2
    # From an eye 4 m to the left the line to the walker passes the van's rear at y = 4 (15 - 5) / 15 = 2.7 > 0.9.
    beside = perceive(0, ego, agents, Perception(occlusion=True), eye=np.array((0.0, 4.0)))
    assert len(beside) == 2


def test_perception_tells_the_outlines_in_range_where_it_is_occluded():
    ego, far = EgoState(0, np.zeros(2), 0.0, 0.0), WALL + [200.0, 0.0]
    seen = perceive(0, ego, (), Perception(occlusion=True), occluders=(WALL, far))
    assert len(seen.occluders) == 1 and seen.occluders[0] is WALL
    assert perceive(0, ego, (), Perception(), occluders=(WALL,)).occluders == ()
    assert perceive(0, ego, (), Perception(occlusion=True), noise=False, occluders=(WALL,)).occluders == ()
    walker = Stationary(Body(identity("walker"), WALKER, 0.5, 0.5), Motion(np.array((3.0, 0.0)), 0.0, 0.0))
    tracks = perceive(0, ego, (walker,), Perception(occlusion=True), occluders=(WALL,))
    assert len(tracks) == 1 and len(tracks.take(np.zeros(0, int)).occluders) == 1


@pytest.mark.parametrize("turn", [0.3, 1.9, -2.4])
def test_turning_everything_changes_nothing(turn):
    random = np.random.default_rng(3)
    position, yaw = random.uniform(-40.0, 40.0, (30, 2)), random.uniform(-3.0, 3.0, 30)
    length, width = random.uniform(0.5, 8.0, 30), random.uniform(0.5, 2.5, 30)
    kind = random.choice([int(CAR), int(BUS), int(WALKER)], 30)
    cos, sin = np.cos(turn), np.sin(turn)
    turned = np.array(((cos, -sin), (sin, cos)))
    before = visible(np.zeros(2), position, yaw, length, width, kind, [WALL])
    after = visible(np.zeros(2), position @ turned.T, yaw + turn, length, width, kind, [WALL @ turned.T])
    assert 0 < before.sum() < 30
    assert np.array_equal(before, after)
