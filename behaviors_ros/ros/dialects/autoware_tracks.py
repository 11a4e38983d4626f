"""In: autoware_perception_msgs/TrackedObjects -> tracks."""

from __future__ import annotations

from collections import Counter
from typing import Any

from behaviors_ros.datatypes import Tracks
from behaviors_ros.parameters import value
from behaviors_ros.ros.conversion import in_frame, nanoseconds, tracks_message
from behaviors_ros.ros.dialects.autoware_objects import ObjectReading, row_of, tracks_of
from behaviors_ros.ros.dialects.interface import HeardDialect
from behaviors_ros.ros.qos import LATEST


class AutowareTracksParameters(ObjectReading):
    """Autoware's tracks in."""

    topic: str = value(
        "/perception/object_recognition/tracking/objects", "topic of autoware_perception_msgs/TrackedObjects"
    )


class AutowareTracks(HeardDialect):
    """Tracked objects in Autoware's message -> tracks."""

    name = "autoware_tracks"
    needs = ("autoware_perception_msgs/msg/TrackedObjects",)

    def begin(self) -> None:
        """Subscribe."""
        self.publisher = self.node.output("tracks")
        self.node.reads_from(self.types.TrackedObjects, self.p.topic, LATEST, self.name, self._hear)

    def _hear(self, message: Any) -> None:
        in_frame(self.name, message, self.node.frame)
        counts: Counter[str] = Counter()
        self.publisher.publish(tracks_message(tracks(message, self.p, counts)))
        self.node.counted(self.name, counts)


def tracks(message: Any, reading: ObjectReading, counts: Counter[str]) -> Tracks:
    """The tracks of a message, unjudged."""
    rows = []
    for found in message.objects:
        k = found.kinematics
        rows.append(row_of(
            found, k.pose_with_covariance, k.twist_with_covariance, k.acceleration_with_covariance,
            int(k.orientation_availability), reading, counts,
        ))  # fmt: skip
    return tracks_of(nanoseconds(message.header.stamp), rows)
