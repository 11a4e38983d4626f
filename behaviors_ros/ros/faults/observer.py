"""What is seen of the stack while a fault is on: rungs, stops, words, the true vehicle, and invalid trajectories."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from behaviors_ros.datatypes import Mode
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros.conversion import NS, nanoseconds, yaw_of
from behaviors_ros.ros.faults.checker import Checker, is_stop
from behaviors_ros.ros.faults.messages import Truth
from behaviors_ros.ros.graph import TOPICS
from behaviors_ros.ros.qos import DIAGNOSTICS, PROFILES


@dataclass(frozen=True)
class Seen:
    """One status: simulated and wall time, rung, reason, whether the vehicle follows."""

    at_s: float
    wall_s: float
    mode: Mode
    reason: str
    engaged: bool


@dataclass
class Record:
    """All of one drive. words: (simulated time, text); stops: (simulated, wall time, whether it is a stop).

    gap_s: longest simulated time between two clocks that were heard.
    """

    status: list[Seen] = field(default_factory=list)
    stops: list[tuple[float, float, bool]] = field(default_factory=list)
    words: list[tuple[float, str]] = field(default_factory=list)
    speeds: list[tuple[float, float]] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    clocks: int = 0
    gap_s: float = 0.0

    def rungs(self, since_s: float) -> list[Mode]:
        """Rungs since an instant, repetitions left out."""
        found: list[Mode] = []
        for seen in self.status:
            if seen.at_s >= since_s and (not found or found[-1] != seen.mode):
                found.append(seen.mode)
        return found

    def said(self, word: str, since_s: float) -> float | None:
        """When something was first said that holds one of the words (`a|b`), None if it was not."""
        wanted = [part.strip().lower() for part in word.split("|")]
        return next((at for at, text in self.words if at >= since_s and any(w in text for w in wanted)), None)


class Observer:
    """Listens on a node; `record` is of the present drive."""

    def __init__(self, node: Node, truth: Truth, vehicle: Vehicle, on_clock: Callable[[], None]) -> None:
        self.truth, self.checker, self.on_clock = truth, Checker(vehicle), on_clock
        self.record, self._drives = Record(), False
        self._ego: tuple[float, float, float, float, float] | None = None
        self._counts: dict[tuple[str, str], str] = {}
        self._diagnosed: dict[str, str] = {}
        for name, heard in (
            ("/clock", self._clock), ("odometry", self._odometry), ("trajectory", self._trajectory),
            ("status", self._status), ("events", self._event),
        ):  # fmt: skip
            topic = TOPICS[name]
            node.create_subscription(topic.message(), name, heard, PROFILES[topic.qos])
        node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnostics, DIAGNOSTICS)

    def begin(self, drives: bool = True) -> None:
        """A new record; `drives` False: of no vehicle, so that there is none that a trajectory could fit."""
        self.record, self._ego, self._drives = Record(), None, drives

    @property
    def now_s(self) -> float:
        """Simulated time, s; drives begin at 1 s."""
        return self.truth.now_ns / NS

    def tell(self, text: str) -> None:
        """Remember words."""
        self.record.words.append((self.now_s, text.lower()))

    def _clock(self, message: Any) -> None:
        before, self.truth.now_ns = self.truth.now_ns, nanoseconds(message.clock)
        if self.record.clocks:
            self.record.gap_s = max(self.record.gap_s, (self.truth.now_ns - before) / NS)
        self.record.clocks += 1
        self.on_clock()

    def _odometry(self, message: Any) -> None:
        pose, speed = message.pose.pose, message.twist.twist.linear.x
        x, y, yaw = pose.position.x, pose.position.y, yaw_of(pose.orientation)
        self.truth.ego = (x, y, yaw)
        self._ego = (x, y, yaw, speed, nanoseconds(message.header.stamp) / NS)
        self.record.speeds.append((self._ego[4], speed))

    def _trajectory(self, message: Any) -> None:
        if not self._drives:
            return
        self.record.stops.append((self.now_s, time.monotonic(), is_stop(message)))
        why = self.checker.check(message, self.now_s, self._ego)
        if why:
            self.record.invalid.append(f"at {self.now_s:.2f} s: {why}")

    def _status(self, message: Any) -> None:
        seen = Seen(self.now_s, time.monotonic(), Mode(message.mode), message.reason, message.engaged)
        last = self.record.status[-1] if self.record.status else None
        if last is None or (seen.mode, seen.reason) != (last.mode, last.reason):
            self.tell(f"status {seen.mode.name}: {seen.reason} {message.rejection}")
        self.record.status.append(seen)

    def _event(self, message: Any) -> None:
        self.tell(f"event {message.node} {message.kind} {message.subject}: {message.reason}")
        if message.kind == "error":
            self.record.errors.append(f"{message.node} {message.subject}: {message.reason}")

    def _diagnostics(self, message: Any) -> None:
        """Only what is new: a count that grew, a text that changed."""
        for status in message.status:
            if self._diagnosed.get(status.name) != status.message:
                self._diagnosed[status.name] = status.message
                self.tell(f"diagnostics {status.name}: {status.message}")
            for pair in status.values:
                before = self._counts.get((status.name, pair.key))
                if before != pair.value:
                    self._counts[status.name, pair.key] = pair.value
                    self.tell(f"diagnostics {status.name}: {pair.key} from {before or 0} to {pair.value}")
