"""Road users: recorded, scripted, reactive, and how they are perceived."""

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, EgoState, Lane, LaneKind, LaneMap, SignalColor, Signals
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.reactive import Idm, Reactive, reactive_path
from behaviors_ros.simulation.recorded import Recorded, RecordedStates
from behaviors_ros.simulation.scripted import Script, Scripted
from behaviors_ros.simulation.traffic import (
    Body,
    Motion,
    Perception,
    Stationary,
    Trigger,
    identity,
    perceive,
    surroundings_of,
)

VEHICLE = Vehicle()
CAR = Body(identity("car"), AgentClass.CAR, 4.0, 1.8)
FAR = EgoState(0, np.array((-500.0, 0.0)), 0.0, 0.0)
LINE = np.stack((np.arange(0.0, 401.0, 1.0), np.zeros(401)), 1)


def seen(time_s=0.0, ego=FAR, agents=(), signals=None):
    return surroundings_of(time_s, ego, VEHICLE, agents, signals)


def driven(agent, seconds, others=(), signals=None, ego=FAR):
    for tick in range(round(seconds * 10)):
        agent = agent.step(seen(tick * 0.1, ego, (agent, *others), signals), 0.1)
    return agent


def reactive(s=10.0, speed=10.0, idm=None, points=LINE, lane_map=None, **rest):
    idm = idm or Idm(desired_speed_mps=10.0)
    return Reactive(CAR, reactive_path(points, idm, lane_map), idm, s, speed, started=True, **rest)


def test_recorded_interpolates_and_is_there_only_while_recorded():
    states = RecordedStates(
        np.array((1.0, 2.0)), np.array(((0.0, 0.0), (4.0, 2.0))), np.array((3.0, -3.0)), np.array((2.0, 6.0))
    )
    agent = Recorded(CAR, states)
    assert agent.motion is None
    motion = agent.step(seen(1.4), 0.1).motion
    # Half way: (2, 1), 4 m/s; from 3 to -3 rad the short way is 0.2832 rad over pi: 3 + 0.1416 = pi.
    assert motion.position == pytest.approx([2.0, 1.0]) and motion.speed == pytest.approx(4.0)
    assert abs(motion.yaw) == pytest.approx(np.pi) and motion.acceleration == pytest.approx(4.0)
    assert agent.step(seen(2.0), 0.1).motion is None


def test_scripted_waits_for_the_ego():
    trigger = Trigger(point=np.array((0.0, 0.0)), ego_within_m=30.0)
    script = Script(np.array(((0.0, -5.0), (0.0, 5.0))), np.array((1.4, 1.4)), 1.4, trigger)
    agent = Scripted(CAR, script)
    # The front bumper is 3.6 m ahead of the rear axle: 30.4 m, then 29.4 m away.
    agent = agent.step(seen(0.0, EgoState(0, np.array((-34.0, 0.0)), 0.0, 10.0)), 0.1)
    assert agent.starts_s is None and agent.motion.speed == 0.0
    near = EgoState(0, np.array((-33.0, 0.0)), 0.0, 10.0)
    for tick in range(1, 31):
        agent = agent.step(seen(tick * 0.1, near), 0.1)
    # 3 s: 1 s at 1.4 m/s^2 is 0.7 m, 2 s at 1.4 m/s are 2.8 m: y = -5 + 3.5.
    assert agent.motion.position == pytest.approx([0.0, -1.5]) and agent.motion.speed == pytest.approx(1.4)
    assert agent.motion.yaw == pytest.approx(np.pi / 2)


def test_scripted_trigger_by_arrival_time_delay_and_hiding():
    trigger = Trigger(point=np.array((0.0, 0.0)), ego_arrival_s=2.0, delay_s=0.5)
    script = Script(
        np.array(((0.0, -1.0), (0.0, 0.0))), np.array((2.0, 2.0)), 50.0, trigger, hidden_before=True, hidden_after=True
    )
    agent = Scripted(CAR, script)
    slow = EgoState(0, np.array((-23.6, 0.0)), 0.0, 9.0)  # 20 m at 9 m/s: 2.2 s
    assert agent.step(seen(0.0, slow), 0.1).starts_s is None
    fast = EgoState(0, np.array((-23.6, 0.0)), 0.0, 10.0)
    agent = agent.step(seen(1.0, fast), 0.1)
    assert agent.starts_s == pytest.approx(1.5) and agent.motion is None
    agent = agent.step(seen(1.5, FAR), 0.1)
    assert agent.motion.speed == 2.0 and agent.motion.position == pytest.approx([0.0, -0.9], abs=0.11)
    for tick in range(16, 25):
        agent = agent.step(seen(tick * 0.1, FAR), 0.1)
    assert agent.motion is None


def test_reactive_reaches_its_speed_and_stops_behind_what_stands():
    agent = driven(reactive(speed=0.0), 20.0)
    assert agent.speed == pytest.approx(10.0, abs=0.2)
    obstacle = Stationary(Body(identity("box"), AgentClass.HAZARD, 2.0, 2.0), Motion(np.array((120.0, 0.0)), 0.0, 0.0))
    agent = driven(reactive(), 40.0, (obstacle,))
    # Its rear is at 119 m; the gap at rest is gap_min = 2 m.
    assert agent.speed < 0.05 and 119.0 - agent.front == pytest.approx(2.0, abs=0.5)


def test_reactive_does_not_hit_the_ego_and_ignores_the_next_lane():
    stopped = EgoState(0, np.array((80.0, 0.0)), 0.0, 0.0)
    agent = driven(reactive(), 30.0, ego=stopped)
    assert agent.speed < 0.05 and agent.front < 80.0 - VEHICLE.rear_overhang_m
    beside = EgoState(0, np.array((80.0, 3.5)), 0.0, 0.0)
    assert driven(reactive(), 15.0, ego=beside).s > 100.0


def test_reactive_stops_at_red_and_goes_at_green():
    stop = np.array(((60.0, -1.75), (60.0, 1.75)))
    lane = Lane(1, LaneKind.ROAD, LINE, LINE + (0.0, 1.75), LINE - (0.0, 1.75), stop_line=stop, signals=(7,))
    lane_map = LaneMap("line", {1: lane})
    red = Signals(0, (7,), np.array([int(SignalColor.RED)]), np.array([np.nan]))
    agent = driven(reactive(lane_map=lane_map), 20.0, signals=red)
    assert agent.speed < 0.05 and 57.0 < agent.front <= 60.0
    green = Signals(0, (7,), np.array([int(SignalColor.GREEN)]), np.array([np.nan]))
    assert driven(agent, 10.0, signals=green).s > 80.0
    # Too late to stop: 10 m/s and 7 m/s^2 need 7.1 m, only 2 m are left.
    assert driven(reactive(s=56.0, lane_map=lane_map), 3.0, signals=red).s > 80.0


def test_reactive_lets_a_pedestrian_cross():
    walker = Scripted(
        Body(identity("walker"), AgentClass.PEDESTRIAN, 0.5, 0.5),
        Script(np.array(((60.0, -8.0), (60.0, 8.0))), np.array((1.4, 1.4))), speed=1.4, started=True,
    )  # fmt: skip
    agent, closest = reactive(), np.inf
    for tick in range(150):
        around = seen(tick * 0.1, FAR, (agent, walker))
        agent, walker = agent.step(around, 0.1), walker.step(around, 0.1)
        if abs(walker.motion.position[1]) < 0.9 + 0.25:
            closest = min(closest, 60.0 - agent.front)
    assert closest > 0.5 and agent.s > 60.0


def test_reactive_slows_down_in_a_curve():
    # Radius 10 m at 2 m/s^2: sqrt(20) = 4.47 m/s.
    angle = np.linspace(0.0, np.pi / 2, 40)
    arc = np.stack((100.0 + 10.0 * np.sin(angle), 10.0 - 10.0 * np.cos(angle)), 1)
    points = np.concatenate((LINE[:100], arc, arc[-1] + np.stack((np.zeros(50), np.arange(1.0, 51.0)), 1)))
    agent, slowest = reactive(points=points), 10.0
    for tick in range(200):
        agent = agent.step(seen(tick * 0.1, FAR, (agent,)), 0.1)
        if 102.0 < agent.s < 113.0:
            slowest = min(slowest, agent.speed)
            assert agent.speed < 5.2
    assert slowest > 3.5


def test_perception_is_exact_without_noise_and_repeatable_with():
    agent = Stationary(CAR, Motion(np.array((10.0, 5.0)), 0.5, 3.0, 1.0, 0.2))
    ego = EgoState(5, np.zeros(2), 0.0, 0.0)
    exact = perceive(5, ego, (agent,), Perception())
    assert exact.id == (CAR.id,) and len(CAR.id) == 32 and exact.position[0] == pytest.approx([10.0, 5.0])
    assert exact.velocity[0] == pytest.approx([3.0 * np.cos(0.5), 3.0 * np.sin(0.5)])
    # Along 1.0, across 3 * 0.2 = 0.6.
    assert np.hypot(*exact.acceleration[0]) == pytest.approx(np.hypot(1.0, 0.6))
    noisy = Perception(position_sigma_m=0.3, yaw_sigma_rad=0.1, speed_sigma_mps=0.2)
    one, two = (perceive(5, ego, (agent,), noisy) for _ in "ab")
    assert np.array_equal(one.position, two.position) and not np.array_equal(one.position, exact.position)
    assert one.covariance[0] == pytest.approx(0.09 * np.eye(2))
    assert not np.array_equal(perceive(6, ego, (agent,), noisy).position, one.position)
    many = np.array([perceive(stamp, ego, (agent,), noisy).position[0] for stamp in range(400)])
    assert many.std(axis=0) == pytest.approx([0.3, 0.3], rel=0.15)
    assert np.array_equal(perceive(5, ego, (agent,), noisy, noise=False).position, exact.position)
    assert len(perceive(5, ego, (agent,), Perception(range_m=11.0))) == 0
