"""A recorded road user: replays its states by time and is there only while it was recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.simulation.traffic import Body, Motion, Surroundings


@dataclass(frozen=True, eq=False)
class RecordedStates:
    """States over time: time_s since the start, increasing; position of the box centre, m; yaw, rad; speed, m/s."""

    time_s: Float[Array, "past"]
    position: Float[Array, "past 2"]
    yaw: Float[Array, "past"]
    speed: Float[Array, "past"]

    def at(self, time_s: float) -> Motion | None:
        """The state at a time, linear between records; None before the first and after the last."""
        if not self.time_s[0] - 1e-9 <= time_s <= self.time_s[-1] + 1e-9:
            return None
        i = int(np.clip(np.searchsorted(self.time_s, time_s, side="right") - 1, 0, max(len(self.time_s) - 2, 0)))
        j = min(i + 1, len(self.time_s) - 1)
        span = float(self.time_s[j] - self.time_s[i])
        share = float(np.clip((time_s - self.time_s[i]) / span, 0.0, 1.0)) if span > 0.0 else 0.0
        turn = float(wrap(self.yaw[j] - self.yaw[i]))
        gain = float(self.speed[j] - self.speed[i])
        return Motion(
            (1.0 - share) * self.position[i] + share * self.position[j],
            float(wrap(self.yaw[i] + share * turn)),
            float(self.speed[i] + share * gain),
            gain / span if span > 0.0 else 0.0,
            turn / span if span > 0.0 else 0.0,
        )


@dataclass(frozen=True, eq=False)
class Recorded:
    """A road user that repeats a recording, whatever the ego does."""

    body: Body
    recording: RecordedStates
    time_s: float = 0.0

    @property
    def motion(self) -> Motion | None:
        """The recorded state now."""
        return self.recording.at(self.time_s)

    def step(self, surroundings: Surroundings, dt_s: float) -> Recorded:
        """The same recording `dt_s` later."""
        return replace(self, time_s=surroundings.time_s + dt_s)
