"""In: autoware_perception_msgs/PredictedObjects -> tracks and predictions, in the place of our prediction node.

A path of Autoware's has poses and a confidence, no covariance and no intent. Ours gets: the position's covariance of
the object, growing along and across its heading by a standard deviation a second; intent unknown; the speed between
poses. An object without a usable path goes on with its velocity.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Grid, Intent, Predictions, Scene, Tracks
from behaviors_ros.parameters import value
from behaviors_ros.ros.conversion import in_frame, nanoseconds, tracks_message, yaw_of
from behaviors_ros.ros.dialects.autoware_objects import AVAILABLE, ObjectReading, row_of, tracks_of
from behaviors_ros.ros.dialects.interface import HeardDialect
from behaviors_ros.ros.qos import LATEST
from behaviors_ros.ros.scene import Recent


class AutowarePredictionsParameters(ObjectReading):
    """Autoware's predictions in."""

    topic: str = value("/perception/object_recognition/objects", "topic of autoware_perception_msgs/PredictedObjects")
    modes_max: int = value(6, "most paths of an object; the likeliest are kept", low=1, high=20)
    confidence_min: float = value(0.01, "a path less likely than this is left out", low=0.0, high=0.5)
    deviation_along_mps: float = value(0.5, "standard deviation along the heading, gained a second", low=0.0, high=5.0)
    deviation_across_mps: float = value(0.2, "standard deviation across it, gained a second", low=0.0, high=5.0)


@dataclass(frozen=True, eq=False)
class ReceivedPath:
    """A path: time_s relative to the message's stamp, x, y m, yaw rad without jumps (time, 3), confidence."""

    time_s: Float[np.ndarray, "pose"]
    pose: Float[np.ndarray, "pose 3"]
    confidence: float


class AutowarePredictions(HeardDialect):
    """Predicted objects -> tracks; then, as the predictor of the node, predictions for the tracks that were kept."""

    name = "autoware_predictions"
    needs = ("autoware_perception_msgs/msg/PredictedObjects",)

    def begin(self) -> None:
        """Subscribe."""
        self.publisher = self.node.output("tracks")
        self.paths: Recent[dict[str, list[ReceivedPath]]] = Recent(20)
        self.node.reads_from(self.types.PredictedObjects, self.p.topic, LATEST, self.name, self._hear)

    def _hear(self, message: Any) -> None:
        in_frame(self.name, message, self.node.frame)
        counts: Counter[str] = Counter()
        found = tracks(message, self.p, counts)
        self.paths.add(found.stamp_ns, {
            name: paths(told, self.p, counts) for name, told in zip(found.id, message.objects, strict=True)
        })  # fmt: skip
        self.publisher.publish(tracks_message(found))
        self.node.counted(self.name, counts)

    def predict(self, scene: Scene, grid: Grid) -> Predictions:
        """The predictions that came with the scene's tracks, from the scene's now on."""
        return predictions(scene, grid, self.paths.get(scene.tracks.stamp_ns) or {}, self.p)


def tracks(message: Any, reading: ObjectReading, counts: Counter[str]) -> Tracks:
    """The tracks of a message, unjudged."""
    rows = []
    for found in message.objects:
        k = found.kinematics
        rows.append(row_of(
            found, k.initial_pose_with_covariance, k.initial_twist_with_covariance,
            k.initial_acceleration_with_covariance, AVAILABLE, reading, counts,
        ))  # fmt: skip
    return tracks_of(nanoseconds(message.header.stamp), rows)


def paths(found: Any, parameters: AutowarePredictionsParameters, counts: Counter[str]) -> list[ReceivedPath]:
    """The usable paths of an object, the likeliest first."""
    usable = []
    for told in found.kinematics.predicted_paths:
        step_s = nanoseconds(told.time_step) * 1e-9
        pose = np.array([(p.position.x, p.position.y, yaw_of(p.orientation)) for p in told.path]).reshape(-1, 3)
        if len(pose) < 2 or step_s <= 0.0 or not (np.isfinite(pose).all() and 0.0 <= told.confidence <= 1.0):
            counts["paths that cannot be used"] += 1
        elif told.confidence >= parameters.confidence_min:
            pose[:, 2] = np.unwrap(pose[:, 2])
            usable.append(ReceivedPath(np.arange(len(pose)) * step_s, pose, float(told.confidence)))
    return sorted(usable, key=lambda path: -path.confidence)[: parameters.modes_max]


def predictions(
    scene: Scene, grid: Grid, told: dict[str, list[ReceivedPath]], parameters: AutowarePredictionsParameters
) -> Predictions:
    """Predictions of the scene's tracks on its grid; after the last pose of a path, and without one, straight on."""
    found = scene.tracks
    ahead_s = (scene.stamp_ns - found.stamp_ns) * 1e-9
    chosen = [told.get(name) or [_straight(found, i)] for i, name in enumerate(found.id)]
    n, k, t = len(found), max((len(some) for some in chosen), default=1), len(grid.time_s)
    pose, probability = np.full((n, k, t, 3), np.nan), np.zeros((n, k))
    for i, some in enumerate(chosen):
        weights = np.array([path.confidence for path in some])
        total = weights.sum()
        probability[i, : len(some)] = weights / total if total > 0.0 else 1.0 / len(some)
        for j, path in enumerate(some):
            pose[i, j] = at_times(path, grid.time_s + ahead_s)
    velocity = np.gradient(pose[..., :2], grid.time_s, axis=2)
    yaw = pose[..., 2]
    return Predictions(
        stamp_ns=scene.stamp_ns, time_s=grid.time_s, id=found.id, kind=found.kind, length=found.length,
        width=found.width, valid=probability > 0.0, probability=probability,
        intent=np.full((n, k), int(Intent.UNKNOWN)), position=np.ascontiguousarray(pose[..., :2]),
        yaw=np.ascontiguousarray(yaw), speed=velocity[..., 0] * np.cos(yaw) + velocity[..., 1] * np.sin(yaw),
        covariance=_grown(found, yaw, grid.time_s + ahead_s, parameters), degraded=scene.degraded,
    )  # fmt: skip


def at_times(path: ReceivedPath, time_s: Float[np.ndarray, "step"]) -> Float[np.ndarray, "step 3"]:
    """x, y, yaw at some times, linear between poses; after the last as between the last two, without turning."""
    pose = np.stack([np.interp(time_s, path.time_s, column) for column in path.pose.T], axis=1)
    over = np.maximum(time_s - path.time_s[-1], 0.0)
    pace = (path.pose[-1, :2] - path.pose[-2, :2]) / (path.time_s[-1] - path.time_s[-2])
    pose[:, :2] += over[:, None] * pace
    return pose


def _straight(found: Tracks, index: int) -> ReceivedPath:
    """On with the velocity of a track."""
    begin = np.array([*found.position[index], found.yaw[index]])
    return ReceivedPath(np.array([0.0, 1.0]), np.stack([begin, begin + [*found.velocity[index], 0.0]]), 1.0)


def _grown(
    found: Tracks, yaw: Float[np.ndarray, "agent mode step"], time_s: Float[np.ndarray, "step"],
    parameters: AutowarePredictionsParameters,
) -> Float[np.ndarray, "agent mode step 2 2"]:  # fmt: skip
    """Covariance of the positions: that of the tracks plus a part that grows along and across the heading."""
    c, s = np.cos(yaw), np.sin(yaw)
    ahead = np.stack([c, s], axis=-1)
    aside = np.stack([-s, c], axis=-1)
    time2 = np.maximum(time_s, 0.0)[:, None, None] ** 2
    spread = parameters.deviation_along_mps**2 * ahead[..., :, None] * ahead[..., None, :]
    spread = spread + parameters.deviation_across_mps**2 * aside[..., :, None] * aside[..., None, :]
    grown: Float[np.ndarray, "agent mode step 2 2"] = found.covariance[:, None, None] + time2 * spread
    return grown
