"""Blackbox node: the last seconds of all topics in memory, and as a bag on disk when something went wrong.

A bag is written when the bridge enters an emergency stop, or a node tells an error: `before_s` of messages, and
`after_s` more. What is kept once for late joiners (the route) is written in any case. Oldest bags give way to new ones.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.serialization import deserialize_message

from behaviors_ros.datatypes import Mode
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.msg import StackEvent, StackStatus
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.ros.bags import BagWriter
from behaviors_ros.ros.node import ERROR, OK, LifecycleAdapter
from behaviors_ros.ros.node import main as run_node
from behaviors_ros.ros.qos import PROFILES
from behaviors_ros.ros.recorder import full_name, new_bag_path, recorded_topics

NS = 1_000_000_000
PREFIX = "incident"
Kept = tuple[str, bytes, int]  # topic, serialised message, stamp in ns


class BlackboxParameters(Parameters):
    """How much is kept, and where it goes."""

    folder: str = value("", "folder of the bags; empty: behaviors/ in $ROS_HOME or ~/.ros")
    before_s: float = value(20.0, "time before an incident that is kept", low=1.0, high=600.0)
    after_s: float = value(5.0, "time after it", low=0.0, high=600.0)
    memory_max_mb: int = value(200, "most memory for messages; beyond it the oldest go", low=1, high=100000)
    again_s: float = value(30.0, "least time between two bags", low=0.0, high=3600.0)
    bags_max: int = value(20, "most bags in the folder; beyond it the oldest of them go", low=1, high=100000)


class Ring:
    """The latest messages, bounded in time and in bytes, and the last one of each latched topic."""

    def __init__(self, seconds: float, bytes_max: int) -> None:
        """Empty."""
        self._span_ns, self._bytes_max, self.size = round(seconds * NS), bytes_max, 0
        self._kept: deque[Kept] = deque()
        self._latched: dict[str, Kept] = {}

    def add(self, topic: str, data: bytes, stamp_ns: int, latched: bool) -> None:
        """Remember a message."""
        if latched:
            self._latched[topic] = (topic, data, stamp_ns)
            return
        if self._kept and stamp_ns < self._kept[-1][2]:  # the clock went back
            self._kept.clear()
            self.size = 0
        self._kept.append((topic, data, stamp_ns))
        self.size += len(data)
        while self.size > self._bytes_max or stamp_ns - self._kept[0][2] > self._span_ns:
            self.size -= len(self._kept.popleft()[1])

    def snapshot(self) -> list[Kept]:
        """All of it in the order of time."""
        begin = self._kept[0][2] if self._kept else 0
        latched = [(topic, data, max(stamp, begin)) for topic, data, stamp in self._latched.values()]
        return sorted([*latched, *self._kept], key=lambda kept: kept[2])


class BlackboxNode(LifecycleAdapter):
    """All topics -> a bag of every incident."""

    name = "blackbox"
    model = BlackboxParameters

    def configure(self, parameters: BlackboxParameters) -> None:
        """Listen to everything."""
        self.parameters = parameters
        self.folder = Path(parameters.folder).expanduser() if parameters.folder else default_folder()
        seconds = parameters.before_s + parameters.after_s
        self.ring = Ring(seconds, parameters.memory_max_mb * 1_000_000)
        self.mode, self.incident, self.due_ns, self.last_ns = Mode.STANDBY, "", 0, -(1 << 62)
        self.writing: threading.Thread | None = None
        self._told: deque[tuple[bytes, str]] = deque()
        self.topics = recorded_topics()
        for topic in self.topics:
            keep = self.guarded(topic.name, self._keeper(topic.name, full_name(topic), topic.qos == "latched"))
            made = self.create_subscription(topic.message(), topic.name, keep, PROFILES[topic.qos], raw=True)
            self._made.append((self.destroy_subscription, made))
        self.every(0.2, self._look)

    def _keeper(self, name: str, full: str, latched: bool) -> Callable[[bytes], None]:
        watch = {"status": self._status, "events": self._event}.get(name)

        def keep(data: bytes) -> None:
            self.ring.add(full, data, self.now_ns, latched)
            if watch is not None:
                watch(data)

        return keep

    def _status(self, data: bytes) -> None:
        found: Any = deserialize_message(data, StackStatus)
        entered = found.mode == Mode.EMERGENCY_STOP and self.mode is not Mode.EMERGENCY_STOP
        self.mode = Mode(found.mode) if found.mode in tuple(Mode) else Mode.STANDBY
        if entered:
            self._begin(f"emergency stop: {found.reason}")

    def _event(self, data: bytes) -> None:
        found: Any = deserialize_message(data, StackEvent)
        if found.severity == StackEvent.ERROR and found.kind == "error":
            self._begin(f"{found.node}: {found.reason}")

    def _begin(self, why: str) -> None:
        """An incident: write it once `after_s` have gone by. One at a time, and not too many."""
        now = self.now_ns
        if self.incident or 0 <= now - self.last_ns < self.parameters.again_s * NS:
            self.counts["incidents not written"] += 1
            return
        self.incident, self.due_ns, self.last_ns = why, now + round(self.parameters.after_s * NS), now

    def _look(self) -> None:
        while self._told:
            level, text = self._told.popleft()
            self.report(level, text)
            self.event("blackbox", self.name, text, level)
        busy = self.writing is not None and self.writing.is_alive()
        if self.incident and self.now_ns >= self.due_ns and not busy:
            kept, why, self.incident = self.ring.snapshot(), self.incident, ""
            self.writing = threading.Thread(target=self._write, args=(kept, why), daemon=True)
            self.writing.start()
        elif not self.incident:
            self.report(OK, f"keeping {self.ring.size / 1e6:.0f} MB")

    def _write(self, kept: list[Kept], why: str) -> None:
        """One bag, in a thread of its own: the ring goes on filling."""
        try:
            path = new_bag_path(self.folder, bag_name(kept[-1][2] if kept else 0, why))
            make_room(self.folder, self.parameters.bags_max - 1)
            with BagWriter(path, {"incident": why}) as bag:
                for topic in self.topics:
                    bag.add_topic(full_name(topic), topic.message(), topic.qos == "latched")
                for name, data, stamp_ns in kept:
                    bag.write_raw(name, data, stamp_ns)
        except (BehaviorsError, OSError) as error:
            self._told.append((ERROR, f"the incident is lost: {error}"))
        else:
            self._told.append((OK, f"{why}: written to {path}"))


def default_folder() -> Path:
    """`behaviors/` where ROS keeps its files."""
    return Path(os.environ.get("ROS_HOME") or Path.home() / ".ros") / "behaviors"


def bag_name(stamp_ns: int, why: str) -> str:
    """incident_SECONDS_the_first_words, of what file systems take."""
    words = re.sub(r"[^a-z0-9]+", "_", why.lower()).strip("_")[:40].strip("_")
    return f"{PREFIX}_{stamp_ns // NS}_{words or 'unknown'}"


def make_room(folder: Path, most: int) -> None:
    """Remove the oldest of our bags until at most `most` are left."""
    found = sorted(folder.glob(f"{PREFIX}_*"), key=lambda path: path.stat().st_mtime)
    for path in found[: max(0, len(found) - most)]:
        shutil.rmtree(path, ignore_errors=True)


def main() -> None:
    """Run the node."""
    run_node(BlackboxNode)


if __name__ == "__main__":
    main()
