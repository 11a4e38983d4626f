"""The Gazebo adapter as a process: what Gazebo would say in, what it would hear out."""

import math
import signal
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
from harness import Harness, stops_within

from behaviors_ros.datatypes import ControlCommand, EgoState
from behaviors_ros.errors import InputError
from behaviors_ros.msg import Trajectory
from behaviors_ros.ros import conversion, conversion_plan, gazebo_poses
from behaviors_ros.simulation.gazebo.world import origin
from behaviors_ros.simulation.scenario import DEMO, load_scenario
from behaviors_ros.simulation.world import observe, placed, start

STEP_NS = 20_000_000


class Gazebo:
    """Stands in for the server: ground truth at 50 Hz of a vehicle at a steady speed, from a stamp on."""

    def __init__(self, harness, speed=4.0):
        self.harness, self.speed, self.stamp_ns = harness, speed, 0
        self.scenario = load_scenario(DEMO)

    def step(self):
        """The next ground truth; the first has stamp 0, as after a start of the server."""
        x = self.speed * self.stamp_ns * 1e-9
        ego = EgoState(self.stamp_ns, np.array([x, -0.5]), 0.02, self.speed)
        self.harness.send("gazebo/ground_truth", conversion.odometry_message(ego))
        self.stamp_ns += STEP_NS
        return ego

    def command(self, acceleration=1.0, steering=-0.2):
        """A step and the command that a controller would answer with."""
        ego = self.step()
        command = ControlCommand(ego.stamp_ns, steering, 0.0, self.speed, acceleration)
        self.harness.send("control_command", conversion_plan.command_message(command))


@pytest.fixture
def running():
    """The adapter and its server, once the first odometry has come back."""
    with Harness("gazebo_adapter") as harness:
        gazebo = Gazebo(harness)
        harness.until(lambda: harness.heard["odometry"], act=gazebo.step, every_s=0.02)
        yield harness, gazebo


def test_truth_becomes_odometry_in_the_map_and_the_agents_wait(running):
    harness, gazebo = running
    harness.until(lambda: len(harness.heard["tracks"]) >= 5, act=gazebo.step, every_s=0.02)
    at = origin(gazebo.scenario)
    assert all(conversion.nanoseconds(found.header.stamp) > 0 for found in harness.heard["odometry"])
    last = harness.heard["odometry"][-1]
    stamp_s = conversion.nanoseconds(last.header.stamp) * 1e-9
    assert (last.header.frame_id, last.child_frame_id) == ("map", "base_link")
    assert last.pose.pose.position.x == pytest.approx(4.0 * stamp_s + at[0])
    assert last.pose.pose.position.y == pytest.approx(-0.5 + at[1])
    assert conversion.yaw_of(last.pose.pose.orientation) == pytest.approx(0.02)
    assert last.twist.twist.linear.x == 4.0
    # Time goes on while the stack is waited for, the road users do not: all as at the scenario's start.
    first, latest = (conversion.tracks(harness.heard["tracks"][i], conversion.TrackLimits()).tracks for i in (0, -1))
    assert latest.stamp_ns > first.stamp_ns
    places = dict(zip(first.id, first.position.tolist(), strict=True))
    assert len(places) > 3
    assert all(places.get(name, at) == at for name, at in zip(latest.id, latest.position.tolist(), strict=True))
    harness.until(lambda: harness.heard["route"], act=gazebo.step, every_s=0.02)
    assert len(harness.heard["route"]) == 1
    assert tuple(harness.heard["route"][0].lane_id) == gazebo.scenario.route.lanes


def test_commands_become_twists_and_silence_becomes_a_stop(running):
    harness, gazebo = running
    twists = harness.heard["gazebo/cmd_vel"]
    # Before any command: rest, said again and again.
    harness.until(lambda: len(twists) > 2)
    assert all(found.linear.x == 0.0 and found.angular.z == 0.0 for found in twists)
    harness.until(lambda: twists[-1].linear.x > 3.0, act=gazebo.command, every_s=0.02)
    # At 4 m/s the command starts within 1 m/s of the measured speed; the turn is to the right: -v tan(0.2) / 2.7.
    driven = twists[-1]
    assert 3.0 <= driven.linear.x <= 5.0
    assert driven.angular.z == pytest.approx(-driven.linear.x * math.tan(0.2) / 2.7, rel=1e-5)
    # Silence, while the server goes on: slower and slower to rest, which is repeated. 5 / 3 s and 0.3 s.
    count = len(twists)
    harness.until(lambda: twists[-1].linear.x == 0.0, patience_s=10.0, act=gazebo.step, every_s=0.02)
    speeds = [found.linear.x for found in twists[count:]]
    assert speeds == sorted(speeds, reverse=True) and len(speeds) > 10
    count = len(twists)
    harness.until(lambda: len(twists) > count + 3)
    assert twists[-1].linear.x == 0.0 and twists[-1].angular.z == 0.0
    # Told to end while the vehicle drives: the last word is a stop, as nothing else says one any more.
    harness.until(lambda: twists[-1].linear.x > 3.0, act=gazebo.command, every_s=0.02)
    assert stops_within(harness.process, signal.SIGINT) == 0
    harness.spin(0.5)
    assert twists[-1].linear.x == 0.0


def test_road_users_move_with_the_stamps_of_the_truth_as_in_the_loopback(running):
    harness, gazebo = running
    harness.until(lambda: harness.heard["tracks"], act=gazebo.step, every_s=0.02)

    def planned():
        gazebo.command(0.0, 0.0)
        harness.send("trajectory", Trajectory())

    waiting = harness.heard["tracks"][-1]
    harness.until(lambda: moved(waiting, harness.heard["tracks"][-1]), act=planned, every_s=0.02)
    # From here on the same world, stepped by the same stamps, holds the same agents.
    truths = harness.heard["odometry"]
    tracks = conversion.tracks(harness.heard["tracks"][-1], conversion.TrackLimits()).tracks
    egos = [conversion.ego_state(found, None, gazebo.scenario.vehicle) for found in truths]
    found = [count for count in range(len(egos)) if same(gazebo.scenario, egos, count, tracks)]
    assert found, "no start of the drive gives the tracks that were published"


def moved(first, last):
    """Whether some road user is elsewhere by more than 0.2 m."""
    before = conversion.tracks(first, conversion.TrackLimits()).tracks
    after = conversion.tracks(last, conversion.TrackLimits()).tracks
    places = dict(zip(before.id, before.position, strict=True))
    both = [(at, places[name]) for name, at in zip(after.id, after.position, strict=True) if name in places]
    return any(np.hypot(*(at - before)) > 0.2 for at, before in both)


def same(scenario, egos, begin, tracks):
    """Whether a drive that began at one of the vehicle's states leads to these tracks."""
    ego = egos[begin]
    if ego.stamp_ns >= tracks.stamp_ns:
        return False
    world = start(replace(scenario, start=replace(scenario.start, stamp_ns=ego.stamp_ns)))
    for ego in egos[begin + 1 :]:
        if ego.stamp_ns > tracks.stamp_ns:
            break
        world = placed(world, ego)
    seen = observe(world)[1]
    return seen.id == tracks.id and bool(np.allclose(seen.position, tracks.position, atol=0.05))


# --- poses of the road users ------------------------------------------------------------


class Record:
    """A message of any fields."""

    def __init__(self):
        self.pose, self.position, self.orientation, self.name = (
            Adding(),
            types.SimpleNamespace(),
            types.SimpleNamespace(),
            "",
        )


class Adding(list):
    """A repeated field."""

    def add(self):
        """A new entry."""
        self.append(Record())
        return self[-1]


def test_all_poses_go_in_one_request(monkeypatch):
    asked = []

    class Node:
        def request(self, service, request, request_type, response_type, timeout_ms):
            asked.append((service, request, timeout_ms))
            return len(asked) == 1, None

    for name, attribute, value in (
        ("gz.transport13", "Node", Node), ("gz.msgs10.pose_v_pb2", "Pose_V", Record),
        ("gz.msgs10.boolean_pb2", "Boolean", Record),
    ):  # fmt: skip
        module = types.ModuleType(name)
        setattr(module, attribute, value)
        monkeypatch.setitem(sys.modules, name, module)
    for package in ("gz", "gz.msgs10"):
        monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
    setter = gazebo_poses.pose_setter(None, "behaviors", 0.02)
    setter.set({"agent_a": (1.0, 2.0, 0.0, math.pi), "agent_b": (0.0, 0.0, -100.0, 0.0)})
    service, request, timeout_ms = asked[0]
    assert (service, timeout_ms) == ("/world/behaviors/set_pose_vector", 20)
    assert [pose.name for pose in request.pose] == ["agent_a", "agent_b"]
    assert (request.pose[0].position.x, request.pose[0].position.y, request.pose[1].position.z) == (1.0, 2.0, -100.0)
    assert request.pose[0].orientation.z == pytest.approx(1.0)
    with pytest.raises(InputError, match="did not come"):
        setter.set({})
