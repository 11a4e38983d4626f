"""Nodes in this process, wired by direct calls: what is handed to a topic goes through the nodes' guarded callbacks.

No transport: the callbacks, the conversions, the stages and the publishing code are the nodes' own; only the publisher
and the clock are replaced. Whole cycles are run where asked for, since a stage takes a hundred conversions' time.
"""

from __future__ import annotations

import traceback
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import rclpy
from rclpy.serialization import serialize_message

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.ros import conversion_stages
from behaviors_ros.ros.fuzz.finite import not_finite
from behaviors_ros.ros.graph import Entry
from behaviors_ros.ros.node import LifecycleAdapter

# What these say is looked at, but not handed on: the fuzz feeds vehicle state and tracks itself.
WORLDS = ("loopback_simulator", "gazebo_adapter")


class Wiring:
    """Nodes of the graph and what they say. `bugs`: (node, one line, traceback) of what must not happen."""

    def __init__(self, entries: Sequence[Entry], parameters: dict[str, dict[str, str]]) -> None:
        """Make, configure and activate the nodes; `rclpy.init` has been called."""
        self.now_ns, self.whole = 1_000_000_000, False
        self.readers: dict[str, list[tuple[str, Callable[[Any], None]]]] = defaultdict(list)
        self.timers: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self.said: dict[str, Any] = {}
        self.refused: dict[str, str] = {}
        self.bugs: list[tuple[str, str, str]] = []
        self.counts: Counter[str] = Counter()
        self._queue: deque[tuple[str, Any]] = deque()
        self.nodes: dict[str, LifecycleAdapter] = {}
        for entry in entries:
            self.nodes[entry.name] = self._made(entry, parameters.get(entry.name, {}))

    def _made(self, entry: Entry, parameters: dict[str, str]) -> LifecycleAdapter:
        base = entry.load()
        kind = type(f"Wired{base.__name__}", (_Wired, base), {"wiring": self})
        arguments = [part for name, text in parameters.items() for part in ("-p", f"{name}:={text}")]
        node: LifecycleAdapter = kind(cli_args=["--ros-args", *arguments] if arguments else None)
        if not node.autostart():
            raise BehaviorsError(f"{entry.name}: {node.failure}")
        return node

    def hand_in(self, topic: str, message: Any, only: int | None = None) -> None:
        """Give a message to the readers of a topic (or to one of them, by turns), and hand on what comes of it."""
        readers = self.readers[topic]
        chosen = readers if only is None or not readers else [readers[only % len(readers)]]
        for _, callback in chosen:
            callback(message)
        while self._queue:
            name, said = self._queue.popleft()
            for _, callback in self.readers[name]:
                callback(said)

    def tick(self, names: Sequence[str] = ()) -> None:
        """Call the timers of some nodes once; of all where none is named."""
        for name in names or tuple(self.timers):
            for call in self.timers[name]:
                call()

    def said_by(self, node: str, topic: str, message: Any) -> None:
        """A node publishes: nothing may be infinite or NaN in it. It is handed on in a whole cycle."""
        self.counts["published"] += 1
        wrong = list(not_finite(message))
        if wrong:
            self.bugs.append((node, f"publishes {topic} with a number that is not finite: {', '.join(wrong[:4])}", ""))
        if node not in WORLDS and topic != "markers":
            self.said[topic] = message
            if self.whole:
                self._queue.append((topic, message))

    def again(self, name: str) -> None:
        """Take a node down and up, as a lifecycle manager does."""
        node = self.nodes[name]
        node.trigger_deactivate()
        node.trigger_cleanup()
        for topic, readers in self.readers.items():
            self.readers[topic] = [reader for reader in readers if reader[0] != name]
        self.timers[name] = []
        if not node.autostart():
            raise BehaviorsError(f"{name}: {node.failure}")

    def read_clock(self) -> None:
        """Let the nodes' own clocks be fed as the executor feeds them with use_sim_time."""
        for name, node in self.nodes.items():
            self.readers["/clock"].append((name, node.guarded("executor", node._time_source.clock_callback)))

    def close(self) -> None:
        """Destroy the nodes."""
        for node in self.nodes.values():
            node.destroy_node()


class _Wired:
    """What a wired node does in place of rclpy."""

    wiring: ClassVar[Wiring]
    name: ClassVar[str]
    guarded: Callable[..., Callable[..., None]]

    @property
    def now_ns(self) -> int:
        """The fuzz's clock."""
        return self.wiring.now_ns

    def writes(self, name: str) -> Any:
        """A publisher that tells the wiring."""
        return _Publisher(self.wiring, self.name, name)

    def reads(self, name: str, callback: Callable[[Any], None], raw: bool = False) -> None:
        """The guarded callback, called by the wiring."""
        self.wiring.readers[name].append((self.name, self.guarded(name, callback)))

    def create_subscription(
        self, kind: Any, name: str, callback: Callable[[Any], None], *rest: Any, **more: Any
    ) -> Any:
        """What wants bytes is called by the wiring, too; everything else is rclpy's own."""
        if not more.get("raw"):
            return super().create_subscription(kind, name, callback, *rest, **more)  # type: ignore[misc]
        self.wiring.readers[name].append((self.name, lambda message: callback(serialize_message(message))))
        return None

    def every(self, period_s: float, callback: Callable[[], None], always: bool = False, clock: Any = None) -> None:
        """The guarded callback, called by the wiring."""
        self.wiring.timers[self.name].append(self.guarded("timer", callback))

    def refuse(self, source: str, reason: str) -> None:
        """Bad input was refused."""
        self.wiring.counts["refused"] += 1
        self.wiring.refused[self.name] = f"{source}: {reason}"

    def event(self, kind: str, subject: str, reason: str, *_: object, **__: object) -> None:
        """An exception but `BehaviorsError` came to the guard; one of rclpy's own callbacks is no bug of ours."""
        if kind == "error" and subject == "executor":
            self.wiring.counts["exceptions of rclpy survived"] += 1
        elif kind == "error":
            self.wiring.bugs.append((self.name, f"{subject}: {reason}", traceback.format_exc()))

    def count_publishers(self, topic: str) -> int:
        """A simulator waits for a controller: it is there."""
        return 1

    count_subscribers = count_publishers

    def work(self, scene: Any, of: Any, message: Any) -> None:
        """Run the stage in a whole cycle; else only convert what it would work on."""
        if self.wiring.whole:
            super().work(scene, of, message)  # type: ignore[misc]
        elif self.name == "trajectory_generation":
            conversion_stages.predictions(message)
        elif self.name == "trajectory_scoring":
            conversion_stages.candidates(message)


class _Publisher:
    """Tells the wiring what a node publishes."""

    def __init__(self, wiring: Wiring, node: str, topic: str) -> None:
        self._wiring, self._node, self._topic = wiring, node, topic

    def publish(self, message: Any) -> None:
        """Hand it over."""
        self._wiring.said_by(self._node, self._topic, message)


def initialise() -> None:
    """Start rclpy, silent and cut off from other processes."""
    rclpy.init(args=["--ros-args", "--log-level", "fatal"])
