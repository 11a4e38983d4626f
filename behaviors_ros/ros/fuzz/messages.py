"""Mutated messages of a topic through the nodes that read it, with valid input in between.

A step is one message: every even one has its fields changed, every odd one its serialised bytes. It goes to one of the
topic's readers by turns; every `whole_every`th goes to all, and a whole cycle is run on it. Every `RENEW` steps valid
input must again give a plan.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from geometry_msgs.msg import Twist
from rclpy.serialization import deserialize_message, serialize_message
from rosgraph_msgs.msg import Clock

from behaviors_ros.datatypes import EgoState
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.maps.route import route_frame
from behaviors_ros.msg import ControllerState, Engagement, StackEvent
from behaviors_ros.ros import conversion
from behaviors_ros.ros.environment import adopt
from behaviors_ros.ros.fuzz.deserialiser import Deserialiser
from behaviors_ros.ros.fuzz.mutations import damaged, mutated
from behaviors_ros.ros.fuzz.supervision import Failure
from behaviors_ros.ros.fuzz.wiring import Wiring, initialise
from behaviors_ros.ros.graph import NODES, TOPICS
from behaviors_ros.ros.latency import kept_in_place
from behaviors_ros.simulation.scenario import DEMO, load_scenario
from behaviors_ros.simulation.world import observe, placed, start

STEP_NS, RENEW = 1_000_000, 250
# Of these a whole cycle is run when tracks follow; the others' readers answer at once.
_BEFORE_TRACKS = ("odometry", "signals", "route", "selected", "engagement", "controller_state", "/clock")


def fuzzed_topics() -> tuple[str, ...]:
    """Every topic of the graph that a node of ours reads, and the clock."""
    read = {name for found in NODES for name in found.reads}
    return tuple(name for name in TOPICS if name in read or name == "/clock")


class Situation:
    """A place of the embedded drive: valid messages at any instant. The vehicle stays where it is."""

    def __init__(self, along_m: float = 60.0) -> None:
        """Load the scenario."""
        scenario = load_scenario(DEMO)
        frame, stamp_ns = route_frame(scenario.route), scenario.start.stamp_ns + conversion.NS
        position = np.asarray(frame.cartesian(along_m, 0.0))
        ego = EgoState(stamp_ns, position, float(frame.heading(along_m)), 8.0)
        self.scenario = scenario
        self.ego, self.tracks, self.signals = observe(placed(start(scenario), ego))

    def message(self, topic: str, now_ns: int) -> Any:
        """A valid message of what comes from outside the stack; None of another topic."""
        if topic == "odometry":
            return conversion.odometry_message(replace(self.ego, stamp_ns=now_ns))
        if topic == "tracks":
            return conversion.tracks_message(replace(self.tracks, stamp_ns=now_ns))
        if topic == "signals" and self.signals is not None:
            return conversion.signals_message(replace(self.signals, stamp_ns=now_ns))
        if topic == "route":
            route = self.scenario.route
            return conversion.route_message(now_ns, route.lanes, route.goal, start=self.ego.position)
        if topic == "gazebo/ground_truth":
            return conversion.odometry_message(replace(self.ego, stamp_ns=now_ns, position=np.zeros(2)))
        if topic == "/clock":
            return Clock(clock=conversion.time_message(now_ns))
        if topic == "engagement":
            return Engagement(header=conversion.header(now_ns), engaged=True)
        if topic == "controller_state":
            return ControllerState(header=conversion.header(now_ns), trajectory=conversion.time_message(now_ns))
        if topic == "events":
            return StackEvent(header=conversion.header(now_ns), node="prediction", kind="late", reason="made")
        if topic == "gazebo/cmd_vel":
            return Twist()
        return None


class MessageFuzz:
    """The steps of one topic."""

    def __init__(self, topic: str, seed: int, whole_every: int = 101, wiring: Wiring | None = None) -> None:
        """Start the nodes of the graph in this process, or take those that run in it."""
        self.topic, self.seed, self.whole_every = topic, seed, whole_every
        self.type = TOPICS[topic].message()
        self.situation = Situation()
        self.wiring = wiring or wired()
        self.counts: Counter[str] = self.wiring.counts
        if topic == "/clock":
            self.wiring.read_clock()
        self.deserialiser = Deserialiser(topic, self.counts)
        self._seed_bytes = b""
        self._renew()

    def step(self, index: int) -> list[Failure]:
        """Hand in one mutated message."""
        rng = random.Random(f"{self.seed} {self.topic} {index}")
        wiring = self.wiring
        wiring.now_ns += STEP_NS
        if index % RENEW == 0:
            self._renew()
        whole = index % self.whole_every == 0
        message = self._message(index, rng)
        if message is not None:
            self._hand_in(message, index, whole)
        if index % 20 == 0:
            wiring.tick(() if whole else ("controls_bridge", "tracking_controller", "loopback_simulator"))
            self._begin_again()
        found = [Failure(index, "bug", f"{node}: {what}", detail) for node, what, detail in wiring.bugs]
        wiring.bugs.clear()
        return found

    def _hand_in(self, message: Any, index: int, whole: bool) -> None:
        wiring = self.wiring
        wiring.whole = whole
        if whole and self.topic != "odometry":
            self._give("odometry")
        elif whole:
            # After a gap a vehicle may be anywhere: without one a jump is refused by the difference to the last.
            wiring.now_ns += 600 * STEP_NS
            message.header.stamp = conversion.time_message(wiring.now_ns)
        wiring.hand_in(self.topic, message, None if whole else index)
        if whole and self.topic in _BEFORE_TRACKS:
            self._give("tracks")
        wiring.whole = False

    def _give(self, topic: str) -> None:
        message = self.situation.message(topic, self.wiring.now_ns)
        if message is not None:
            self.wiring.hand_in(topic, message)

    def _message(self, index: int, rng: random.Random) -> Any:
        """The valid message made wrong; None where its bytes are no message any more."""
        message = deserialize_message(self._seed_bytes, self.type)
        self._stamp(message)
        if index % 2 == 0:
            mutated(message, rng)
            self.counts["structured"] += 1
            return message
        self.counts["bytes"] += 1
        data = self.deserialiser.whole(damaged(serialize_message(message), rng))
        return None if data is None else deserialize_message(data, self.type)

    def _stamp(self, message: Any) -> None:
        if hasattr(message, "header"):
            message.header.stamp = conversion.time_message(self.wiring.now_ns)
        elif hasattr(message, "clock"):
            message.clock = conversion.time_message(self.wiring.now_ns)

    def _renew(self) -> None:
        """Valid input until a plan comes of it, which is the seed of the next steps."""
        wiring, since = self.wiring, self.wiring.now_ns
        for _ in range(30):
            wiring.now_ns += 100 * STEP_NS
            wiring.whole, wiring.said, wiring.refused = True, {}, {}
            for topic in ("route", "odometry", "signals", "engagement", "gazebo/ground_truth", "tracks"):
                self._give(topic)
            wiring.tick(("controls_bridge", "tracking_controller"))
            wiring.whole = False
            if {"selected", "scores", "trajectory", "status", "control_command"} <= set(wiring.said):
                break
        else:
            waited = (wiring.now_ns - since) / conversion.NS
            lacking = f"only {', '.join(sorted(wiring.said))}; last refused: {wiring.refused}"
            wiring.bugs.append(("stack", f"valid input gives no plan within {waited:.1f} s", lacking))
        seed = self.situation.message(self.topic, wiring.now_ns) or wiring.said.get(self.topic)
        if seed is not None:
            self._seed_bytes = serialize_message(seed)
        elif not self._seed_bytes:
            raise BehaviorsError(f"fuzz messages: no valid message of {self.topic} to begin with")

    def _begin_again(self) -> None:
        """A simulator whose drive has ended begins it anew."""
        for name in ("loopback_simulator", "gazebo_adapter"):
            node: Any = self.wiring.nodes.get(name)
            if node is not None and node.ended:
                self.wiring.again(name)


def wired() -> Wiring:
    """The nodes of the graph in this process, on the embedded map."""
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "OFF"
    adopt()
    initialise()
    found = Wiring(NODES, _parameters())
    found.now_ns = 1_000 * conversion.NS
    return found


def _parameters() -> dict[str, dict[str, str]]:
    """Parameters of the nodes: the embedded map, simulators that stay, a bridge that lets the vehicle stay."""
    map_file = str(DEMO.parent / "urban.osm")
    found = {
        node: {f"{branch}.{name}": str(number) for branch, leaves in tree.items() for name, number in leaves.items()}
        for node, tree in kept_in_place().items()
    }
    for name in ("prediction", "trajectory_generation", "trajectory_scoring"):
        found[name] |= {"scene.map": map_file}
    found |= {name: {"end_with_drive": "false"} for name in ("loopback_simulator", "gazebo_adapter")}
    found["blackbox"] = {"folder": tempfile.mkdtemp(prefix="behaviors_fuzz_"), "again_s": "3600.0"}
    found["visualisation"] = {"map": map_file}
    return found
