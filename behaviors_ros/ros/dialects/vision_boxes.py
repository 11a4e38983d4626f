"""In: vision_msgs/Detection3DArray -> tracks, from detectors whose boxes keep their id.

A box has no velocity: it is told from how the box of an id moves in the map, smoothed over `smoothing_s`. At first
sight, and after an id has jumped, it is 0.
"""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from behaviors_ros.datatypes import AgentClass, EgoState, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import value
from behaviors_ros.ros.conversion import in_frame, nanoseconds, tracks_message, yaw_of
from behaviors_ros.ros.dialects.autoware_objects import ObjectReading, Row, along, covariance_of, tracks_of
from behaviors_ros.ros.dialects.interface import HeardDialect
from behaviors_ros.ros.qos import SENSOR

NAMES = (
    "car:car", "truck:truck", "bus:bus", "trailer:trailer", "motorcycle:motorcycle", "bicycle:bicycle",
    "pedestrian:pedestrian", "person:pedestrian", "cyclist:bicycle", "animal:animal", "dog:animal",
)  # fmt: skip


class VisionBoxesParameters(ObjectReading):
    """Boxes of a detector in."""

    topic: str = value("/detections", "topic of vision_msgs/Detection3DArray")
    vehicle_frame: str = value("base_link", "frame of the rear axle, also taken; boxes are moved by the odometry")
    classes: tuple[str, ...] = value(NAMES, "class_id:class of ours; others are of unknown class")
    smoothing_s: float = value(0.3, "time constant of the velocity", low=0.0, high=5.0)
    gap_max_s: float = value(0.6, "an id not seen for longer begins anew", low=0.05, high=5.0)
    jump_mps: float = value(60.0, "an id that moves faster has jumped and begins anew", low=5.0, high=200.0)


@dataclass(frozen=True)
class Seen:
    """Where a box was last, m, and its velocity, m/s; None before the second sight."""

    stamp_ns: int
    x: float
    y: float
    velocity: tuple[float, float] | None


class VisionBoxes(HeardDialect):
    """Detected boxes -> tracks."""

    name = "vision_boxes"
    needs = ("vision_msgs/msg/Detection3DArray",)

    def begin(self) -> None:
        """Subscribe."""
        self.publisher = self.node.output("tracks")
        self.classes = class_names(self.p.classes)
        self.seen: dict[str, Seen] = {}
        self.stamp_ns = 0
        self.node.reads_from(self.types.Detection3DArray, self.p.topic, SENSOR, self.name, self._hear)

    def _hear(self, message: Any) -> None:
        from_vehicle = message.header.frame_id == self.p.vehicle_frame
        if not from_vehicle:
            in_frame(self.name, message, self.node.frame)
        stamp = nanoseconds(message.header.stamp)
        if stamp == self.stamp_ns:
            return
        if stamp < self.stamp_ns:  # the clock went back, or two sources
            self.seen = {}
        ego = moved(self.node.ego, stamp) if from_vehicle else None
        counts: Counter[str] = Counter()
        found, self.seen = tracks(message, ego, self.seen, self.classes, self.p, counts)
        self.stamp_ns = stamp
        self.publisher.publish(tracks_message(found))
        self.node.counted(self.name, counts)


def class_names(pairs: Sequence[str]) -> dict[str, int]:
    """Class number by class_id, from `class_id:class`; a class that we do not have raises `InputError`."""
    found = {}
    for pair in pairs:
        name, _, ours = pair.rpartition(":")
        if not name or ours.upper() not in AgentClass.__members__:
            known = ", ".join(kind.name.lower() for kind in AgentClass)
            raise InputError("vision_boxes", "classes", f"'{pair}' is not class_id:class", f"known classes: {known}")
        found[name] = int(AgentClass[ours.upper()])
    return found


def moved(ego: EgoState | None, stamp_ns: int) -> EgoState:
    """Where the vehicle is at a stamp near its last odometry."""
    if ego is None or abs(stamp_ns - ego.stamp_ns) > 300_000_000:
        raise InputError("vision_boxes", "stamp", "no odometry within 0.3 s of it", "send odometry, check clocks")
    dt = (stamp_ns - ego.stamp_ns) * 1e-9
    yaw = ego.yaw + 0.5 * dt * ego.yaw_rate
    position = ego.position + dt * ego.speed * np.array([math.cos(yaw), math.sin(yaw)])
    return EgoState(stamp_ns, position, ego.yaw + dt * ego.yaw_rate, ego.speed)


def tracks(
    message: Any, ego: EgoState | None, seen: Mapping[str, Seen], classes: Mapping[str, int],
    parameters: VisionBoxesParameters, counts: Counter[str],
) -> tuple[Tracks, dict[str, Seen]]:  # fmt: skip
    """The tracks of a message, unjudged, and what has been seen with it. `ego`: None for boxes in the map frame."""
    stamp = nanoseconds(message.header.stamp)
    fresh = {name: old for name, old in seen.items() if stamp - old.stamp_ns <= parameters.gap_max_s * 1e9}
    rows = []
    for box in message.detections:
        if not box.id:
            counts["boxes without an id"] += 1
        name = identifier(box.id)
        row = _row(name, box, ego, classes, parameters, counts)
        if box.id and math.isfinite(row.x + row.y):
            fresh[name] = now = _seen(fresh.get(name), stamp, row.x, row.y, parameters, counts)
            velocity = now.velocity or (0.0, 0.0)
            fast = math.hypot(*velocity) >= parameters.moving_min_mps
            row = row._replace(velocity=velocity, yaw=along(row.yaw, velocity) if fast else row.yaw)
        rows.append(row)
    return tracks_of(stamp, rows), fresh


def identifier(text: str) -> str:
    """32 hex digits for an id: itself where it is a UUID, else the UUID of its text (RFC 4122, version 5)."""
    try:
        return uuid.UUID(text).hex
    except ValueError:
        return uuid.uuid5(uuid.NAMESPACE_OID, text).hex


def _row(
    name: str, box: Any, ego: EgoState | None, classes: Mapping[str, int], parameters: VisionBoxesParameters,
    counts: Counter[str],
) -> Row:  # fmt: skip
    best = max(box.results, key=lambda told: _number(told.hypothesis.score), default=None)
    kind = AgentClass.UNKNOWN if best is None else classes.get(best.hypothesis.class_id, AgentClass.UNKNOWN)
    if best is not None and best.hypothesis.class_id not in classes:
        counts["boxes of a class not known"] += 1
    centre, size = box.bbox.center, box.bbox.size
    x, y, yaw = float(centre.position.x), float(centre.position.y), yaw_of(centre.orientation)
    if ego is not None:
        c, s = math.cos(ego.yaw), math.sin(ego.yaw)
        x, y = float(ego.position[0]) + c * x - s * y, float(ego.position[1]) + s * x + c * y
        yaw += ego.yaw
    told = best.pose.covariance if best is not None else [0.0] * 36
    return Row(
        name, int(kind), x if box.id else math.nan, y, yaw, (0.0, 0.0), (0.0, 0.0), 0.0, float(size.x), float(size.y),
        covariance_of(told, parameters.deviation_min_m), 1.0 if best is None else float(best.hypothesis.score),
    )  # fmt: skip


def _number(score: float) -> float:
    return score if math.isfinite(score) else -math.inf


def _seen(
    old: Seen | None, stamp: int, x: float, y: float, parameters: VisionBoxesParameters, counts: Counter[str]
) -> Seen:
    if old is None or stamp <= old.stamp_ns:
        return Seen(stamp, x, y, old.velocity if old is not None else None)
    dt = (stamp - old.stamp_ns) * 1e-9
    now = (x - old.x) / dt, (y - old.y) / dt
    if math.hypot(*now) > parameters.jump_mps:
        counts["boxes that jumped"] += 1
        return Seen(stamp, x, y, None)
    if old.velocity is None or parameters.smoothing_s <= 0.0:
        return Seen(stamp, x, y, now)
    share = -math.expm1(-dt / parameters.smoothing_s)
    vx, vy = (before + share * (after - before) for before, after in zip(old.velocity, now, strict=True))
    return Seen(stamp, x, y, (vx, vy))
