"""A node around the node under test: it feeds, listens and waits. The node under test is a process of its own."""

import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import replace

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor

from behaviors_ros.datatypes import EgoState, Grid
from behaviors_ros.generation.generate import generate
from behaviors_ros.parameters import Vehicle
from behaviors_ros.pipeline import build
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros import conversion_stages as stages
from behaviors_ros.ros.environment import environment
from behaviors_ros.ros.graph import NAMESPACE, TOPICS, entry, nodes
from behaviors_ros.ros.qos import PROFILES
from behaviors_ros.ros.warm import warm_predictions, warm_scene
from behaviors_ros.scoring.decision import decide
from behaviors_ros.scoring.score import score
from behaviors_ros.scoring.select import select

VEHICLE = Vehicle()
STACK = [found.name for found in nodes(("stack",))]
START_S = 60.0  # patience for a node to start on a busy machine, compiling included


class Harness:
    """Starts a node and talks to it. Use as a context manager."""

    def __init__(self, name, *arguments):
        self.name = name
        # What is fed is a vehicle at speed that stays where it is.
        believes = ("-p", "odometry.frozen_s:=600.0") if "odometry" in entry(name).reads and name in STACK else ()
        command = [sys.executable, "-m", entry(name).module, "--ros-args", *believes, *arguments]
        self.process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        rclpy.init()
        self.node = rclpy.create_node("harness", namespace=NAMESPACE)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.heard = defaultdict(list)
        self.publishers = {topic: self._publisher(topic) for topic in entry(name).reads}
        for topic in entry(name).writes:
            self.listen(topic)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self.heard["diagnostics"].append, 10)
        self.scene = warm_scene(None, VEHICLE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown()

    def _publisher(self, name):
        topic = TOPICS[name]
        return self.node.create_publisher(topic.message(), topic.name, PROFILES[topic.qos])

    def listen(self, name):
        """Keep what arrives on a topic."""
        topic = TOPICS[name]
        self.node.create_subscription(topic.message(), topic.name, self.heard[name].append, PROFILES[topic.qos])

    def until(self, condition, patience_s=START_S, every_s=0.1, act=None):
        """Spin until something holds, doing `act` now and then; fails when the patience is over or the node is gone."""
        end, due = time.monotonic() + patience_s, 0.0
        while not condition():
            assert self.process.poll() is None, f"{self.name} ended: {self.process.stdout.read()}"
            assert time.monotonic() < end, (
                f"{self.name} did not answer; heard { ({k: len(v) for k, v in self.heard.items()}) }"
            )
            if act is not None and time.monotonic() >= due:
                act()
                due = time.monotonic() + every_s
            self.executor.spin_once(timeout_sec=0.02)

    def spin(self, seconds):
        """Let time pass."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.02)

    def active(self):
        """Wait until the node says on /diagnostics that it is active."""
        self.until(lambda: any(s.message not in ("starting",) for m in self.heard["diagnostics"] for s in m.status))

    def send(self, topic, message):
        """Publish."""
        self.publishers[topic].publish(message)

    # --- what it is fed ----------------------------------------------------------------------------------------------

    def ego(self, stamp_ns=None):
        """The vehicle of the warm scene at 8 m/s, now; it goes on, because odometry that does not is refused."""
        ego, stamp_ns = self.scene.ego, time.time_ns() if stamp_ns is None else stamp_ns
        self.begun_ns = getattr(self, "begun_ns", stamp_ns)
        way_m = ego.speed * (stamp_ns - self.begun_ns) * 1e-9
        position = ego.position + way_m * np.array([np.cos(ego.yaw), np.sin(ego.yaw)])
        return EgoState(stamp_ns, position, ego.yaw, ego.speed)

    def route(self):
        """The route of the warm scene."""
        route = self.scene.route
        return conversion.route_message(1, (), route.goal, route.path, 13.9, 1.75)

    def tracks(self, stamp_ns):
        """The tracks of the warm scene."""
        return conversion.tracks_message(replace(self.scene.tracks, stamp_ns=stamp_ns))

    def feed(self, before=lambda ego: None):
        """Route, odometry, `before(ego)`, tracks, all of now; the vehicle state that was sent."""
        ego = self.ego()
        self.send("route", self.route())
        self.send("odometry", conversion.odometry_message(ego))
        before(ego)
        self.send("tracks", self.tracks(ego.stamp_ns))
        return ego

    def cycle(self, ego, number=1):
        """The cycle of one vehicle state."""
        return stages.Cycle(number, stages.Inputs(ego.stamp_ns, ego.stamp_ns, route=1))

    def scene_of(self, ego):
        """The scene that the nodes build from what was fed."""
        return replace(
            self.scene, stamp_ns=ego.stamp_ns, ego=ego, tracks=replace(self.scene.tracks, stamp_ns=ego.stamp_ns)
        )


class Stages:
    """What the stages make of a scene, as messages."""

    def __init__(self, scene, number=1):
        self.stages = build({})
        grid, ego = Grid(), scene.ego
        self.cycle = stages.Cycle(number, stages.Inputs(ego.stamp_ns, ego.stamp_ns, route=1))
        origin = np.floor(ego.position)
        predictions = warm_predictions(scene, grid)
        self.predictions = stages.predictions_message(predictions, self.cycle, "test", origin)
        self.offered = generate(scene, predictions, grid, self.stages.generators)
        self.candidates = stages.candidates_message(self.offered, self.cycle, origin)
        scores = score(scene, predictions, self.offered, self.stages.gates, self.stages.scorers)
        self.scores = scores
        selection = self.stages.selection
        meant = decide(scene, predictions, self.offered, VEHICLE, selection.meaning)
        self.plan = select(scene, self.offered, scores, meant, selection, VEHICLE, number)
        self.selected = conversion_plan.plan_message(self.plan, self.cycle, VEHICLE)


def stops_within(process, sig=signal.SIGTERM, seconds=5.0):
    """Whether a process ends by itself after a signal, and how."""
    process.send_signal(sig)
    return process.wait(seconds)
