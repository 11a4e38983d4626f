"""What lies between: every topic reaches every reader over a detour, unchanged but for the faults that are on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message

from behaviors_ros.errors import InputError
from behaviors_ros.ros.conversion import NS, time_message
from behaviors_ros.ros.faults.case import Injection
from behaviors_ros.ros.faults.messages import CHANGES, Context, Truth
from behaviors_ros.ros.faults.streams import Stream, stream
from behaviors_ros.ros.graph import NAMESPACE, TOPICS, Topic, nodes
from behaviors_ros.ros.qos import PROFILES

# A name is remapped for all that a node does with it: what it also writes itself cannot go round.
READERS: tuple[tuple[str, str], ...] = tuple(
    (topic, node.name)
    for node in nodes(("stack", "loopback"))
    for topic in (*node.reads, *(("/clock",) if node.name != "loopback_simulator" else ()))
    if topic not in node.writes and (topic, node.name) != ("trajectory", "loopback_simulator")
)


def detour(topic: str, reader: str) -> str:
    """Name under which a topic reaches a reader."""
    return f"faulty/{reader}/{topic.lstrip('/')}"


def remappings() -> dict[str, str]:
    """What the graph must be remapped by, so that every reader listens to its detour."""
    return {f"{reader}:{topic}": f"{NAMESPACE}/{detour(topic, reader)}" for topic, reader in READERS}


class Link:
    """A topic on its way to one reader; with a fault on it that takes its messages."""

    def __init__(self, node: Node, topic: Topic, reader: str) -> None:
        self.node, self.topic, self.reader = node, topic, reader
        self.fault: Stream | None = None
        self.publisher: Any = None
        self.plug()

    def plug(self) -> None:
        """Connect the reader, if it is not."""
        if self.publisher is None:
            name, profile = detour(self.topic.name, self.reader), PROFILES[self.topic.qos]
            self.publisher = self.node.create_publisher(self.topic.message(), name, profile)

    def unplug(self) -> None:
        """Let go of a reader that is dead: waiting for its answers holds up what goes to the others."""
        if self.publisher is not None:
            self.node.destroy_publisher(self.publisher)
            self.publisher = None

    def send(self, data: bytes) -> None:
        """To the reader."""
        if self.publisher is not None:
            self.publisher.publish(data)

    def take(self, data: bytes, now_s: float) -> None:
        """Hand a message on, or to the fault."""
        if self.fault is None:
            self.send(data)
        else:
            self.fault.take(data, now_s)


class Between:
    """Makes the links on a node."""

    def __init__(self, node: Node, truth: Truth) -> None:
        self.truth, self.last = truth, dict[str, bytes]()
        self.links: dict[str, list[Link]] = {}
        self.active: list[Link] = []
        for name, reader in READERS:
            self.links.setdefault(name, []).append(Link(node, TOPICS[name], reader))
        for name in self.links:
            topic = TOPICS[name]
            node.create_subscription(topic.message(), name, self._pass(name), PROFILES[topic.qos], raw=True)

    @property
    def now_s(self) -> float:
        """Simulated time, s."""
        return self.truth.now_ns / NS

    def _pass(self, name: str) -> Callable[[Any], None]:
        links, latched = self.links[name], TOPICS[name].qos == "latched"

        def take(data: bytes) -> None:
            if latched:
                self.last[name] = data
            for link in links:
                link.take(data, self.now_s)

        return take

    def tick(self) -> None:
        """The clock went on."""
        for link in self.active:
            if link.fault is not None:
                link.fault.tick(self.now_s)

    def begin(self, what: Injection) -> None:
        """Switch a fault on; a latched message is sent again, changed."""
        for link in self._of(what):
            kind = link.topic.message()
            link.fault = stream(what.fault, kind, what.every, self.truth, what.values, link.send)
            self.active.append(link)
            if link.topic.qos == "latched" and what.fault in CHANGES:
                link.send(self._again(link.topic, partial(self._changed, what)))

    def end(self, what: Injection) -> None:
        """Switch it off; the true latched message is sent again."""
        for link in self._of(what):
            if link.fault is None:
                continue
            link.fault.end()
            link.fault = None
            self.active.remove(link)
            if link.topic.qos == "latched":
                link.send(self._again(link.topic, lambda message: message))

    def _changed(self, what: Injection, message: Any) -> Any:
        return CHANGES[what.fault](message, what.values, Context(self.truth))

    def _of(self, what: Injection) -> list[Link]:
        known = self.links.get(what.topic, [])
        chosen = [link for link in known if not what.to or link.reader in what.to]
        if not chosen:
            raise InputError("fault", "topic, to", f"nobody of {what.to or 'all'} reads '{what.topic}'",
                             f"known: {', '.join(f'{topic} to {reader}' for topic, reader in READERS)}")  # fmt: skip
        return chosen

    def _again(self, topic: Topic, change: Callable[[Any], Any]) -> bytes:
        """The last latched message, or a default one where none came, changed and stamped now."""
        kind = topic.message()
        message = deserialize_message(self.last[topic.name], kind) if topic.name in self.last else kind()
        changed = change(message)
        changed.header.stamp = time_message(self.truth.now_ns)
        return bytes(serialize_message(changed))

    def connect(self, reader: str) -> None:
        """Connect a reader anew; what latched topics hold is sent to it."""
        self.disconnect(reader)
        for link in self._to(reader):
            link.plug()
            if link.topic.qos == "latched" and link.topic.name in self.last:
                link.send(self.last[link.topic.name])

    def disconnect(self, reader: str) -> None:
        """Let go of a reader."""
        for link in self._to(reader):
            link.unplug()

    def _to(self, reader: str) -> list[Link]:
        return [link for links in self.links.values() for link in links if link.reader == reader]

    def clear(self) -> None:
        """Switch everything off, without sending what is held; forget latched messages."""
        for link in self.active:
            link.fault = None
        self.active.clear()
        self.last.clear()
