"""Recording of the graph's topics into a bag, message bytes untouched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.parameter import Parameter

from behaviors_ros.ros.bags import BagWriter
from behaviors_ros.ros.graph import EVERY_NODE, NAMESPACE, NODES, TOPICS, Topic
from behaviors_ros.ros.qos import PROFILES

LEFT_OUT = ("/clock", "markers")


def recorded_topics() -> tuple[Topic, ...]:
    """Topics worth recording: all but the clock, which a player makes, and the markers, which are drawn."""
    used = {name for entry in NODES for name in (*entry.reads, *entry.writes, *EVERY_NODE)}
    return tuple(topic for name, topic in TOPICS.items() if name in used and name not in LEFT_OUT)


def full_name(topic: Topic) -> str:
    """Topic name with the namespace."""
    return topic.name if topic.name.startswith("/") else f"{NAMESPACE}/{topic.name}"


class Recorder(Node):
    """Writes every message of the topics to the bag, stamped with the node's clock (simulated time where used)."""

    def __init__(self, bag: BagWriter, topics: Iterable[Topic], sim_time: bool) -> None:
        """Subscribe; `bag` is open."""
        super().__init__(
            "recorder", namespace=NAMESPACE, parameter_overrides=[Parameter("use_sim_time", value=sim_time)]
        )
        self.counts: dict[str, int] = {}
        for topic in topics:
            self._record(bag, topic)

    def _record(self, bag: BagWriter, topic: Topic) -> None:
        name = full_name(topic)
        bag.add_topic(name, topic.message(), latched=topic.qos == "latched")
        self.counts[name] = 0
        self.create_subscription(topic.message(), name, self._keep(bag, name), PROFILES[topic.qos], raw=True)

    def _keep(self, bag: BagWriter, name: str) -> Callable[[Any], None]:
        def keep(data: bytes) -> None:
            bag.write_raw(name, data, self.get_clock().now().nanoseconds)
            self.counts[name] += 1

        return keep


def new_bag_path(folder: Path, name: str) -> Path:
    """`folder/name`, or with the first free number behind it."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{name}_{number}"
    return path
