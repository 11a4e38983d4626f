"""What happened in a recorded run: stops and slow-downs with their cause, and everything told around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from behaviors_ros.datatypes import Mode
from behaviors_ros.errors import InputError
from behaviors_ros.ros.bags import read_bag
from behaviors_ros.ros.conversion import NS, nanoseconds
from behaviors_ros.ros.graph import TOPICS
from behaviors_ros.ros.recorder import full_name

_READ = ("status", "events", "odometry", "trajectory", "selected")
_SEVERITY = ("", "warning", "error")


@dataclass(frozen=True)
class Happening:
    """One line of the log: when (ns), who says it, of what kind, about what, why, and which plan it belongs to."""

    stamp_ns: int
    node: str
    kind: str
    subject: str
    reason: str
    plan_id: int = 0
    severity: str = ""


@dataclass
class Incident:
    """A time on a stop rung. lasted_s None: it did not end. speeds in m/s at its beginning and end; plan_age_s and
    latency_s of the last plan before it; log: what was told from `before_s` before it until it ended.
    """

    stamp_ns: int
    rung: str
    cause: str
    plan_id: int
    plan_age_s: float
    latency_s: float
    speed_mps: float
    lasted_s: float | None = None
    end_speed_mps: float | None = None
    log: list[Happening] = field(default_factory=list)


@dataclass
class _Reading:
    """Where the reader stands."""

    mode: int = int(Mode.STANDBY)
    reason: str = ""
    speed: float = 0.0
    meaning: tuple[int, str] = (255, "")
    told: set[tuple[Any, ...]] = field(default_factory=set)


def happenings(bag: Path) -> Iterator[tuple[Happening, Any, float]]:
    """Events, changes of rung and of decision in order, each with the status message (or None) and the ego's speed.

    A bag that cannot be read raises InputError.
    """
    types = {full_name(TOPICS[name]): TOPICS[name].message() for name in _READ}
    names = {full_name(TOPICS[name]): name for name in _READ}
    at = _Reading()
    for topic, message, stamp_ns in read_bag(bag, types):
        name = names[topic]
        if name == "odometry":
            at.speed = float(message.twist.twist.linear.x)
        elif name == "events":
            found = Happening(
                nanoseconds(message.header.stamp), message.node, message.kind, message.subject, message.reason,
                int(message.plan_id), _SEVERITY[min(int(message.severity), 2)],
            )  # fmt: skip
            # Events are kept for late joiners: a recorder may be told an old one, or one twice.
            if found.kind not in ("rung", "decision") and (key := _key(found)) not in at.told:
                at.told.add(key)
                yield found, None, at.speed
        elif name == "status":
            yield from _status(at, message, stamp_ns)
        elif name == "selected":
            meaning = (int(message.manoeuvre), message.subject)
            if meaning != at.meaning:
                at.meaning = meaning
                yield Happening(stamp_ns, "trajectory_scoring", "decision", message.label, message.reason,
                                int(message.plan_id)), None, at.speed  # fmt: skip


def _key(found: Happening) -> tuple[Any, ...]:
    return found.stamp_ns, found.node, found.kind, found.subject, found.reason


def _status(at: _Reading, message: Any, stamp_ns: int) -> Iterator[tuple[Happening, Any, float]]:
    if message.mode != at.mode:
        at.mode = int(message.mode)
        level = {Mode.EMERGENCY_STOP: "error", Mode.COMFORT_STOP: "warning", Mode.DEGRADED: "warning"}
        known = Mode(at.mode) if at.mode in tuple(Mode) else None
        name = known.name if known is not None else str(at.mode)
        severity = level.get(known, "") if known is not None else ""
        found = Happening(stamp_ns, "controls_bridge", "rung", name, message.reason, int(message.plan_id), severity)
        yield found, message, at.speed


def incidents(bag: Path, before_s: float = 5.0) -> tuple[list[Incident], list[Happening]]:
    """The stops of a recorded run with what led to them, and the whole log.

    Raises InputError for a bag that cannot be read or in which the bridge's status was not recorded.
    """
    log: list[Happening] = []
    found: list[Incident] = []
    stopped = (Mode.COMFORT_STOP, Mode.EMERGENCY_STOP)
    status_seen = False
    for happening, status, speed in happenings(bag):
        log.append(happening)
        if status is None:
            continue
        status_seen = True
        running = found[-1] if found and found[-1].lasted_s is None else None
        if running is not None:
            running.lasted_s = (happening.stamp_ns - running.stamp_ns) / NS
            running.end_speed_mps = speed
        if status.mode in stopped:
            found.append(Incident(
                happening.stamp_ns, happening.subject, happening.reason, happening.plan_id,
                float(status.plan_age_s), float(status.latency_s), speed,
            ))  # fmt: skip
    if not status_seen:
        raise InputError(bag, "status", "is not recorded or never changed", "record the topics of the bridge as well")
    for incident in found:
        end_ns = incident.stamp_ns + round((incident.lasted_s or 60.0) * NS)
        incident.log = [h for h in log if incident.stamp_ns - before_s * NS <= h.stamp_ns <= end_ns]
    return found, log
