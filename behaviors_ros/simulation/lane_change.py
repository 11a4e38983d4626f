"""A reactive road user's lane change: once triggered, its path moves aside from where it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.simulation.traffic import Surroundings, Trigger


@dataclass(frozen=True, eq=False)
class LaneChange:
    """Moves `offset_m` to the left within `duration_s` once the trigger holds and the ego is near enough behind.

    ego_gap_m: (least, largest) distance from the ego's front bumper to the own rear along the path; None: any.
    """

    offset_m: float
    duration_s: float
    trigger: Trigger = field(default_factory=Trigger)
    ego_gap_m: tuple[float, float] | None = None

    def begins(self, frame: FrenetFrame, rear_s: float, surroundings: Surroundings) -> bool:
        """Whether it begins now, the own rear at `rear_s` (m) on the path."""
        if self.trigger.fired_at(surroundings) is None:
            return False
        gap = rear_s - float(frame.project(surroundings.ego_front)[0])
        return self.ego_gap_m is None or self.ego_gap_m[0] <= gap <= self.ego_gap_m[1]

    def path(self, frame: FrenetFrame, s: float, speed: float) -> Float[Array, "point 2"]:
        """The path that moves aside from `s` on: d = offset (10 u^3 - 15 u^4 + 6 u^5), no jump in curvature."""
        at = np.append(np.arange(0.0, frame.length, 1.0), frame.length)
        u = np.clip((at - s) / max(self.duration_s * speed, 8.0), 0.0, 1.0)
        return frame.cartesian(at, self.offset_m * u**3 * (10.0 - 15.0 * u + 6.0 * u**2))
