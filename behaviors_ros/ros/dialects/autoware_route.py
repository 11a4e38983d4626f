"""In: autoware_planning_msgs/LaneletRoute -> route."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from behaviors_ros.datatypes import Goal, Lane, LaneMap
from behaviors_ros.errors import InputError
from behaviors_ros.msg import Route as RouteMessage
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.ros.conversion import in_frame, nanoseconds, route_message, yaw_of
from behaviors_ros.ros.dialects.interface import HeardDialect
from behaviors_ros.ros.qos import LATCHED


class AutowareRouteParameters(Parameters):
    """Autoware's route in."""

    topic: str = value("/planning/mission_planning/route", "topic of autoware_planning_msgs/LaneletRoute")
    yaw_tolerance_rad: float = value(0.35, "heading at the goal either side of the goal pose's", low=0.05, high=3.2)


class AutowareRoute(HeardDialect):
    """Lanelet route -> route."""

    name = "autoware_route"
    needs = ("autoware_planning_msgs/msg/LaneletRoute",)

    def begin(self) -> None:
        """Subscribe."""
        self.publisher = self.node.output("route")
        self.node.reads_from(self.types.LaneletRoute, self.p.topic, LATCHED, self.name, self._hear)

    def _hear(self, message: Any) -> None:
        in_frame(self.name, message, self.node.frame)
        self.publisher.publish(route(message, self.node.map, self.node.vehicle, self.p.yaw_tolerance_rad))


def route(message: Any, lane_map: LaneMap | None, vehicle: Vehicle, yaw_tolerance_rad: float) -> RouteMessage:
    """Our route of a message: its preferred lanes, joined on the map where one lies diagonally behind the other.

    The goal pose there is that of the rear axle, ours the box centre's. An empty route raises `InputError`.
    """
    pose, begin = message.goal_pose, message.start_pose.position
    yaw = yaw_of(pose.orientation)
    numbers = (pose.position.x, pose.position.y, yaw, begin.x, begin.y)
    if not all(map(math.isfinite, numbers)):
        raise InputError("autoware_route", "start_pose, goal_pose", "is not finite", "send finite poses")
    offset = vehicle.centre_offset_m * np.array([math.cos(yaw), math.sin(yaw)])
    goal = Goal(
        np.array([pose.position.x, pose.position.y]) + offset, yaw=(yaw - yaw_tolerance_rad, yaw + yaw_tolerance_rad)
    )
    lanes = tuple(_joined(message.segments, lane_map))
    if not lanes:
        raise InputError("autoware_route", "segments", "is empty", "send a route of one segment or more")
    return route_message(nanoseconds(message.header.stamp), lanes, goal, start=np.array([begin.x, begin.y]))


def _joined(segments: Sequence[Any], lane_map: LaneMap | None) -> Iterator[int]:
    """Preferred lanes, with the lane of a segment between two that neither follow each other nor lie side by side."""
    known = lane_map.lanes if lane_map is not None else {}
    before: Any = None
    for segment in segments:
        here = int(segment.preferred_primitive.id)
        if before is not None and before.preferred_primitive.id in known and here in known:
            yield from _between(
                int(before.preferred_primitive.id), here, [*before.primitives, *segment.primitives], known
            )
        yield here
        before = segment


def _between(first: int, last: int, primitives: Sequence[Any], known: dict[int, Lane]) -> tuple[int, ...]:
    """The primitive by which `last` is reached from `first`, where it is not reached at once."""
    if last in _next(known[first]):
        return ()
    beside = (int(primitive.id) for primitive in primitives)
    return next(
        ((way,) for way in beside if way in known and way in _next(known[first]) and last in _next(known[way])), ()
    )


def _next(lane: Lane) -> tuple[int, ...]:
    return tuple(i for i in (*lane.successors, lane.left, lane.right) if i is not None)
