"""Perception stamp to controls output over ROS: a feeder and an ear around the four nodes, one process each."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from behaviors_ros.datatypes import LaneMap, Scene, Tracks
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.maps.load import load_map
from behaviors_ros.msg import SelectedTrajectory, StackEvent, Trajectory
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros import conversion
from behaviors_ros.ros.environment import adopt
from behaviors_ros.ros.graph import NAMESPACE, TOPICS, nodes
from behaviors_ros.ros.qos import PROFILES
from behaviors_ros.ros.up import Graph, GraphConfig
from behaviors_ros.ros.warm import warm_scene
from behaviors_ros.simulation.scenario import DEMO


@dataclass(frozen=True)
class Latency:
    """Figures of one number of agents: ms from the tracks' stamp to the trajectory on the controller's topic."""

    agents: int
    cycles: int
    answered: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    prediction_ms: float
    generation_ms: float
    scoring_ms: float


class Feeder(Node):
    """Publishes odometry at 50 Hz and tracks at 10 Hz, and remembers when which trajectory came back."""

    def __init__(self, scene: Scene) -> None:
        """Prepare to publish one scene."""
        super().__init__("latency_feeder", namespace=NAMESPACE)
        self.scene, self.started_ns, self.ticks = scene, 0, 0
        self.sent: list[int] = []
        self.tracks_of: dict[int, tuple[int, tuple[float, float, float]]] = {}
        self.arrived: dict[int, int] = {}
        self.out = {name: self._publisher(name) for name in ("odometry", "tracks", "route")}
        for name, kind, callback in (
            ("selected", SelectedTrajectory, self._selected), ("trajectory", Trajectory, self._trajectory),
        ):  # fmt: skip
            self.create_subscription(kind, name, callback, PROFILES[TOPICS[name].qos])
        self.active: set[str] = set()
        self.create_subscription(StackEvent, "events", self._event, PROFILES["events"])

    def _publisher(self, name: str) -> Any:
        topic = TOPICS[name]
        return self.create_publisher(topic.message(), topic.name, PROFILES[topic.qos])

    def _selected(self, message: SelectedTrajectory) -> None:
        times = (message.times.prediction_s, message.times.generation_s, message.times.scoring_s)
        self.tracks_of[conversion.nanoseconds(message.header.stamp)] = (
            conversion.nanoseconds(message.inputs.tracks),
            times,
        )

    def _trajectory(self, message: Trajectory) -> None:
        self.arrived.setdefault(conversion.nanoseconds(message.header.stamp), time.time_ns())

    def _event(self, message: StackEvent) -> None:
        if message.kind == "lifecycle" and message.reason == "active":
            self.active.add(message.node)

    def begin(self) -> None:
        """Send the route, and from now on odometry and tracks."""
        route, ego = self.scene.route, self.scene.ego
        line = None if self.scene.map is not None else route.path
        self.out["route"].publish(
            conversion.route_message(time.time_ns(), route.lanes, route.goal, line, 13.9, 1.75, ego.position)
        )
        self.started_ns = time.time_ns()
        self.create_timer(0.02, self._tick)

    def _tick(self) -> None:
        """The same instant again and again with new stamps: every cycle is as hard as the others."""
        ego = replace(self.scene.ego, stamp_ns=time.time_ns())
        self.out["odometry"].publish(conversion.odometry_message(ego))
        if self.ticks % 5 == 0:
            tracks = replace(self.scene.tracks, stamp_ns=time.time_ns())
            self.out["tracks"].publish(conversion.tracks_message(tracks))
            self.sent.append(tracks.stamp_ns)
        self.ticks += 1


def dense(scene: Scene, agents: int) -> Scene:
    """The scene with that many agents, spread along and beside the route."""
    found = warm_scene(scene.map, Vehicle(), max(agents, 1)).tracks
    return replace(scene, tracks=found if agents else Tracks.empty(0))


def kept_in_place() -> dict[str, dict[str, dict[str, float]]]:
    """Parameters of nodes whose ego stays in its place at speed, while each plan goes on from the one before."""
    found = {each.name: {"odometry": {"frozen_s": 600.0, "jump_max_m": 10.0}} for each in nodes(("stack",))}
    found["controls_bridge"] |= {"limits": {"ahead_max_m": 10.0}, "ladder": {"jump_max_m": 5.0}}
    return found


def measure(agents: int, seconds: float, map_file: Path | None, logs: Path | None) -> Latency:
    """Run the stack on a fed scene with so many agents.

    The first three seconds, in which route and map are taken up, are left out.
    """
    lane_map: LaneMap | None = load_map(map_file) if map_file else None
    scene = dense(warm_scene(lane_map, Vehicle(), speed=5.0), agents)
    config = GraphConfig(groups=("stack",), map=str(map_file) if map_file else "", nodes=kept_in_place())
    with Graph(config, logs) as graph:
        adopt()
        rclpy.init()
        feeder, executor = Feeder(scene), SingleThreadedExecutor()
        executor.add_node(feeder)
        try:
            _feed(feeder, executor, graph, seconds)
        finally:
            executor.shutdown()
            feeder.destroy_node()
            rclpy.try_shutdown()
    return _figures(feeder, agents)


def ready(feeder: Feeder, executor: SingleThreadedExecutor, graph: Graph) -> None:
    """Wait until the stack is active and listens; one that does not start raises `BehaviorsError`."""
    deadline, names = time.monotonic() + 180.0, {entry.name for entry in nodes(("stack",))}
    while not (names <= feeder.active and feeder.count_publishers(f"{NAMESPACE}/selected") and _listening(feeder)):
        executor.spin_once(timeout_sec=0.1)
        if graph.watch() is not None or time.monotonic() > deadline:
            raise BehaviorsError("the stack did not start; run with --log FOLDER to see why")


def _feed(feeder: Feeder, executor: SingleThreadedExecutor, graph: Graph, seconds: float) -> None:
    ready(feeder, executor, graph)
    feeder.begin()
    end = time.monotonic() + seconds + 3.0
    while time.monotonic() < end:
        executor.spin_once(timeout_sec=0.05)


def _listening(feeder: Feeder) -> bool:
    """All three planning nodes have subscribed to the tracks."""
    return feeder.count_subscribers(f"{NAMESPACE}/tracks") >= 3


def _figures(feeder: Feeder, agents: int) -> Latency:
    begin = feeder.started_ns + 3_000_000_000
    rows = [
        ((feeder.arrived[stamp] - tracks) * 1e-6, times)
        for stamp, (tracks, times) in feeder.tracks_of.items()
        if stamp in feeder.arrived and tracks >= begin
    ]
    if not rows:
        raise BehaviorsError(
            f"bench latency: no trajectory came back with {agents} agents; run with --log FOLDER to see why"
        )
    delays = np.array([row[0] for row in rows])
    stages = np.median(np.array([row[1] for row in rows]), axis=0) * 1e3
    p50, p99 = np.percentile(delays, (50, 99))
    sent = sum(begin <= stamp < feeder.sent[-1] for stamp in feeder.sent)
    return Latency(agents, sent, len(rows), float(p50), float(p99), float(delays.max()), *map(float, stages))


def default_map() -> Path:
    """The embedded urban map."""
    return DEMO.parent / "urban.osm"
