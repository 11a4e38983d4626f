"""Trajectory, EgoState -> ControlCommand."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from behaviors_ros.control import lqr, mpc, pure_pursuit  # noqa: F401  (registers them)
from behaviors_ros.control.reference import TrackingErrors as TrackingErrors
from behaviors_ros.control.tracking import Memory as Memory
from behaviors_ros.datatypes import ControlCommand, EgoState, Trajectory


@runtime_checkable
class Controller(Protocol):
    """Tracks a trajectory. What persists between steps is `memory`, a value passed in and returned (None at first).

    Where the memory is a `Memory`, its `errors` and `note` are what the controller says of itself.
    """

    name: str

    def control(self, trajectory: Trajectory, ego: EgoState, memory: Any) -> tuple[ControlCommand, Any]:
        """The command now (`ego.stamp_ns`)."""
        ...
