"""A scripted road user: stands, then goes along waypoints once triggered (a pedestrian crosses, a dog dashes)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array
from behaviors_ros.geometry.polylines import arc_length
from behaviors_ros.simulation.traffic import Body, Motion, Surroundings, Trigger


@dataclass(frozen=True, eq=False)
class Script:
    """Waypoints (m, straight between them), the speed wanted from each one on (m/s), and how fast it changes (m/s^2).

    hidden_before, hidden_after: not there before the trigger, after the last waypoint.
    """

    waypoints: Float[Array, "point 2"]
    speeds: Float[Array, "point"]
    acceleration: float = 2.0
    trigger: Trigger = field(default_factory=Trigger)
    hidden_before: bool = False
    hidden_after: bool = False

    @cached_property
    def s(self) -> Float[Array, "point"]:
        """Arc length of each waypoint, m."""
        return arc_length(self.waypoints)

    @property
    def length(self) -> float:
        """Length of the way, m."""
        return float(self.s[-1])


@dataclass(frozen=True, eq=False)
class Scripted:
    """A road user that follows its script and yields to nobody. distance: gone, m; starts_s: None until triggered."""

    body: Body
    script: Script
    distance: float = 0.0
    speed: float = 0.0
    acceleration: float = 0.0
    starts_s: float | None = None
    started: bool = False

    @cached_property
    def motion(self) -> Motion | None:
        """Where the script has brought it."""
        done = self.distance >= self.script.length
        if (not self.started and self.script.hidden_before) or (done and self.script.hidden_after):
            return None
        s, points = self.script.s, self.script.waypoints
        segment = int(np.clip(np.searchsorted(s, self.distance, side="right") - 1, 0, len(s) - 2))
        step = points[segment + 1] - points[segment]
        position = np.array([np.interp(self.distance, s, points[:, axis]) for axis in (0, 1)])
        return Motion(position, math.atan2(step[1], step[0]), self.speed, self.acceleration)

    def step(self, surroundings: Surroundings, dt_s: float) -> Scripted:
        """Ask the trigger, then move with limited acceleration towards the speed of the present waypoint."""
        starts_s = self.starts_s if self.starts_s is not None else self.script.trigger.fired_at(surroundings)
        if starts_s is None or surroundings.time_s < starts_s - 1e-9:
            return replace(self, starts_s=starts_s)
        if self.distance >= self.script.length:
            return replace(self, speed=0.0, acceleration=0.0, starts_s=starts_s, started=True)
        wanted = float(self.script.speeds[int(np.searchsorted(self.script.s, self.distance + 1e-9, side="right") - 1)])
        change = float(np.clip(wanted - self.speed, -self.script.acceleration * dt_s, self.script.acceleration * dt_s))
        speed = wanted if self.script.hidden_before and not self.started else self.speed + change
        distance = min(self.script.length, self.distance + 0.5 * (self.speed + speed) * dt_s)
        return replace(
            self, distance=distance, speed=speed, acceleration=change / dt_s, starts_s=starts_s, started=True
        )
