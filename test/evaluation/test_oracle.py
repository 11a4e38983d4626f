"""Ground truth predictions against what the simulation then does."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, EgoState, Goal, Grid, Scene
from behaviors_ros.evaluation.oracle import GroundTruth
from behaviors_ros.maps.route import mapless_route
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.recorded import Recorded, RecordedStates
from behaviors_ros.simulation.scenario import Scenario
from behaviors_ros.simulation.scripted import Script, Scripted
from behaviors_ros.simulation.traffic import Body, Motion, Perception, Stationary
from behaviors_ros.simulation.world import observe, placed, start, truth

GRID = Grid(0.1, 31)


def scenario(*agents):
    ego, goal = EgoState(10**10, np.zeros(2), 0.0, 5.0), Goal(np.array((100.0, 0.0)))
    line = np.array([[-10.0, 0.0], [200.0, 0.0]])
    return Scenario(
        "made", "by hand", None, mapless_route(line, ego, goal, 10.0, 3.5), ego, goal, agents, (), 20.0, Vehicle(),
        Perception(),
    )  # fmt: skip


def body(number):
    return Body(f"{number:032x}", AgentClass.CAR, 4.0, 2.0)


def recorded(seconds=10.0):
    """Along x at 10 m/s from x = 20, turning left after 5 s of it onto y."""
    time_s = np.arange(0.0, seconds + 1e-9, 0.1)
    x, y = 20.0 + 10.0 * np.minimum(time_s, 2.0), 10.0 * np.maximum(time_s - 2.0, 0.0)
    yaw = np.where(time_s > 2.0, 0.5 * np.pi, 0.0)
    return Recorded(body(1), RecordedStates(time_s, np.stack((x, y), 1), yaw, np.full(len(time_s), 10.0)))


def scene(world):
    ego, tracks, _ = observe(world)
    return Scene(world.stamp_ns, ego, tracks, world.scenario.route)


def after(world, steps):
    """Worlds with the ego going straight on at its speed."""
    for _ in range(steps):
        ego = world.ego
        on = ego.position + np.array((0.1 * ego.speed, 0.0))
        world = placed(world, replace(ego, stamp_ns=ego.stamp_ns + 10**8, position=on))
        yield world


def test_recorded_futures_are_those_that_come():
    begin = start(scenario(recorded()))
    oracle = GroundTruth(begin.scenario)
    for world in after(begin, 7):
        oracle.see(world)
    found = oracle.predict(scene(world), GRID)
    real = [truth(later).position[0] for later in after(world, 30)]
    assert found.position[0, 0, 1:] == pytest.approx(np.array(real)) and found.probability.tolist() == [[1.0]]
    # 0.7 s in, it drives on for 1.3 s and turns: 3 s ahead it is at x = 40, y = 17.
    assert found.position[0, 0, -1] == pytest.approx((40.0, 17.0))


def test_after_the_recording_the_velocity_is_held():
    world = start(scenario(recorded(seconds=1.0)))
    found = GroundTruth(world.scenario).predict(scene(world), GRID)
    # Recorded to x = 30 at 1 s, two more seconds at 10 m/s.
    assert found.position[0, 0, -1] == pytest.approx((50.0, 0.0)) and found.speed[0, 0, -1] == 10.0


def test_scripted_agents_are_rolled_out_and_others_stay():
    walk = Script(np.array([[30.0, -5.0], [30.0, 5.0]]), np.array([2.0, 2.0]), acceleration=20.0)
    walker = Scripted(replace(body(2), kind=AgentClass.PEDESTRIAN), walk, speed=2.0, started=True)
    parked = Stationary(body(3), Motion(np.array((50.0, 3.0)), 0.0, 0.0))
    world = start(scenario(walker, parked))
    found = GroundTruth(world.scenario).predict(scene(world), GRID)
    # 3 s at 2 m/s from y = -5.
    assert found.position[0, 0, -1] == pytest.approx((30.0, 1.0), abs=1e-6)
    assert found.position[1, 0] == pytest.approx(np.tile((50.0, 3.0), (31, 1)))


def test_a_track_that_the_world_does_not_know_goes_straight_on():
    world = start(scenario(recorded()))
    seen = scene(world)
    unknown = replace(seen, tracks=replace(seen.tracks, id=("f" * 32,)))
    found = GroundTruth(world.scenario).predict(unknown, GRID)
    assert found.position[0, 0, -1] == pytest.approx((50.0, 0.0))


def test_no_tracks_no_predictions():
    world = start(scenario())
    found = GroundTruth(world.scenario).predict(scene(world), GRID)
    assert len(found) == 0 and found.position.shape == (0, 1, 31, 2)
