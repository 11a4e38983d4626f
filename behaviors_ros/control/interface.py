"""Trajectory, EgoState -> ControlCommand."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from behaviors_ros.datatypes import ControlCommand, EgoState, Trajectory


@runtime_checkable
class Controller(Protocol):
    """Tracks a trajectory. What persists between steps is `memory`, a value passed in and returned (None at first)."""

    name: str

    def control(self, trajectory: Trajectory, ego: EgoState, memory: Any) -> tuple[ControlCommand, Any]:
        """The command now (`ego.stamp_ns`)."""
        ...
