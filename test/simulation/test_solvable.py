"""The demo can be driven: a simple driver, which knows where to shift and where to wait, reaches its goal.

It follows the route by the intelligent driver model, 1.2 m to the left past the cyclist and 1.7 m past the van, where
it waits for oncoming traffic. No part of the planning stack is involved.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, EgoState
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.evaluation.metrics import measure
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.simulation.reactive import Idm, Reactive, reactive_path
from behaviors_ros.simulation.scenario import DEMO, load_scenario
from behaviors_ros.simulation.traffic import EGO, Body, surroundings_of
from behaviors_ros.simulation.world import placed, signals, start, truth

DT = 0.1


def bump(x, begin, end, height):
    """From 0 to `height` and back, each within 15 m."""
    rise = np.clip((x - begin) / 15.0, 0.0, 1.0) * np.clip((end - x) / 15.0, 0.0, 1.0)
    return height * 0.5 * (1.0 - np.cos(np.pi * np.clip(rise, 0.0, 1.0)))


def driver_of(scenario):
    route = FrenetFrame(scenario.route.path)
    at = np.arange(float(route.project(scenario.start.position)[0]), route.length, 0.5)
    x = route.point(at)[:, 0]
    straight = route.point(at)[:, 1] < 0.0
    shift = np.where(straight, bump(x, 50.0, 150.0, 1.2) + bump(x, 286.0, 326.0, 1.7), 0.0)
    idm = Idm(
        desired_speed_mps=12.5,
        acceleration_mps2=2.0,
        lateral_acceleration_mps2=2.5,
        clearance_m=0.2,
        braking_max_mps2=4.0,
    )
    path = reactive_path(route.cartesian(at, shift), idm, scenario.map)
    limit = np.interp(path.frame.point(path.s)[:, 0], (0.0, 330.0, 340.0), (13.0, 13.0, 8.2))
    path = replace(path, speed=np.minimum(path.speed, limit))
    vehicle = scenario.vehicle
    body = Body(EGO, AgentClass.CAR, vehicle.length_m, vehicle.width_m)
    return Reactive(body, path, idm, vehicle.centre_offset_m, 0.0, started=True)


def must_wait(world, t, driver):
    """In front of the van, or of the left turn, while someone comes the other way."""
    x = world.ego.position[0]
    coming = (np.cos(t.yaw) < -0.9) & (np.abs(t.position[:, 1] - 1.75) < 1.0) & (t.speed > 0.5)
    ahead = coming & (t.position[:, 0] > x - 3.0)
    van = 262.0 < x < 290.0 and bool((ahead & (t.position[:, 0] < x + 110.0)).any())
    turn = 418.0 < x < 437.0 and world.ego.position[1] < 0.0 and bool((ahead & (t.position[:, 0] < x + 70.0)).any())
    return van or turn


@pytest.fixture(scope="module")
def drive(without_shape_checks):
    scenario = load_scenario(DEMO)
    world, driver = start(scenario), driver_of(scenario)
    rows = [(world.ego, truth(world), signals(world))]
    while world.time_s < 135.0 and driver.s < scenario.route.goal_s - 30.0:
        around = surroundings_of(world.time_s, world.ego, scenario.vehicle, world.agents, signals(world))
        following = driver.step(around, DT)
        if must_wait(world, rows[-1][1], driver):
            speed = max(0.0, min(following.speed, driver.speed - 2.5 * DT))
            following = replace(following, s=driver.s + 0.5 * (driver.speed + speed) * DT, speed=speed)
        driver = following
        motion = driver.motion
        back = scenario.vehicle.centre_offset_m * np.array((math.cos(motion.yaw), math.sin(motion.yaw)))
        stamp_ns = world.stamp_ns + round(DT * 1e9)
        world = placed(world, EgoState(stamp_ns, motion.position - back, motion.yaw, motion.speed, motion.acceleration))
        rows.append((world.ego, truth(world), signals(world)))
    ego, tracks, lights = zip(*rows, strict=True)
    goal = replace(scenario.goal, speed=None)
    return Drive(ego, tracks, lights, scenario.route, scenario.map, goal, scenario.vehicle)


def test_a_simple_driver_reaches_the_goal_in_time(drive):
    found = measure(drive)
    assert found.goal_reached and 60.0 < found.goal_time_s < 130.0
    assert found.collisions == () and found.red_lights_run == 0 and not found.off_road
    assert found.comfort.acceleration.min() > -4.05


def test_everything_in_the_scenario_happens(drive):
    waits = drive.position[np.abs(drive.speed) < 0.1]
    # It stands at the red signal, behind or at the line at x = 200.5.
    assert ((waits[:, 0] > 180.0) & (waits[:, 0] < 200.0)).any()
    assert sum(len(t) for t in drive.tracks) / len(drive.tracks) > 5.0
    places = {int(kind) for t in drive.tracks for kind in t.kind}
    assert {AgentClass.CAR, AgentClass.BUS, AgentClass.BICYCLE, AgentClass.PEDESTRIAN, AgentClass.ANIMAL} <= places
