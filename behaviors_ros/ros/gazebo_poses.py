"""Ways to set the poses of Gazebo's models: gz-transport's Python bindings, else a service of ros_gz_bridge.

The bindings set all poses in one request, `/world/<w>/set_pose_vector`. ros_gz_bridge hands on `/world/<w>/set_pose`
only, a pose a request, and only in releases that know `SetEntityPose`. Both are imported where they are present.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

from behaviors_ros.errors import InputError
from behaviors_ros.ros.conversion import set_yaw

Poses = Mapping[str, tuple[float, float, float, float]]

# gz.transport and gz.msgs of Jetty, Ionic and Harmonic; Jetty's have no number in some packages.
BINDINGS = (("transport13", "msgs10"), ("transport14", "msgs11"), ("transport15", "msgs12"), ("transport", "msgs"))


class PoseSetter(Protocol):
    """Sets the poses of models."""

    def set(self, poses: Poses) -> None:
        """Put each model, by name, at (x, y, z, yaw); `InputError` when Gazebo does not answer."""
        ...


def bindings() -> tuple[Any, Any, Any] | None:
    """(Node, Pose_V, Boolean) of gz-transport's Python bindings, None where there are none."""
    for transport, messages in BINDINGS:
        try:
            return (
                import_module(f"gz.{transport}").Node,
                import_module(f"gz.{messages}.pose_v_pb2").Pose_V,
                import_module(f"gz.{messages}.boolean_pb2").Boolean,
            )
        except ImportError:
            continue
    return None


class VectorSetter:
    """All poses in one request, through gz-transport."""

    def __init__(self, world: str, timeout_s: float, found: tuple[Any, Any, Any]) -> None:
        """found: as `bindings` returns it; timeout_s: longest wait for an answer."""
        node, self._vector, self._boolean = found
        self._node, self._timeout_ms = node(), max(1, math.ceil(1e3 * timeout_s))
        self._service = f"/world/{world}/set_pose_vector"

    def set(self, poses: Poses) -> None:
        """One request."""
        request = self._vector()
        for name, (x, y, z, yaw) in poses.items():
            pose = request.pose.add()
            pose.name = name
            pose.position.x, pose.position.y, pose.position.z = x, y, z
            set_yaw(pose.orientation, yaw)
        answered, _ = self._node.request(self._service, request, self._vector, self._boolean, self._timeout_ms)
        if not answered:
            raise InputError(self._service, "answer", "did not come", "start Gazebo in the same GZ_PARTITION")


class EntitySetter:
    """A request a pose, through ros_gz_bridge; answers are not waited for."""

    def __init__(self, node: Any, world: str, interfaces: Any, services: Any) -> None:
        """interfaces, services: the modules `msg` and `srv` of ros_gz_interfaces."""
        self._interfaces, self._services = interfaces, services
        self._client = node.create_client(services.SetEntityPose, f"/world/{world}/set_pose")

    def set(self, poses: Poses) -> None:
        """As many requests as poses."""
        if not self._client.service_is_ready():
            raise InputError(self._client.srv_name, "service", "is not there", "bridge it with ros_gz_bridge")
        for name, (x, y, z, yaw) in poses.items():
            request = self._services.SetEntityPose.Request()
            request.entity = self._interfaces.Entity(name=name, type=self._interfaces.Entity.MODEL)
            request.pose.position.x, request.pose.position.y, request.pose.position.z = x, y, z
            set_yaw(request.pose.orientation, yaw)
            self._client.call_async(request)


def pose_setter(node: Any, world: str, timeout_s: float) -> PoseSetter | None:
    """The way that this machine has, None where it has none."""
    found = bindings()
    if found is not None:
        return VectorSetter(world, timeout_s, found)
    try:
        interfaces, services = import_module("ros_gz_interfaces.msg"), import_module("ros_gz_interfaces.srv")
    except ImportError:
        return None
    return EntitySetter(node, world, interfaces, services)
