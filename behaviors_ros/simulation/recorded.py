"""A recorded road user: replays its states by time and is there only while it was recorded."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array
from behaviors_ros.simulation.traffic import Body, Motion, Surroundings


@dataclass(frozen=True, eq=False)
class RecordedStates:
    """States over time: time_s since the start, increasing; position of the box centre, m; yaw, rad; speed, m/s."""

    time_s: Float[Array, "past"]
    position: Float[Array, "past 2"]
    yaw: Float[Array, "past"]
    speed: Float[Array, "past"]

    @cached_property
    def _rows(self) -> tuple[tuple[float, ...], list[tuple[float, float, float, float]]]:
        """Times, and (x, y, yaw, speed) of each, as plain numbers: many times faster to read one by one."""
        return tuple(self.time_s.tolist()), list(
            zip(*self.position.T.tolist(), self.yaw.tolist(), self.speed.tolist(), strict=True)
        )

    def at(self, time_s: float) -> Motion | None:
        """The state at a time, linear between records; None before the first and after the last."""
        times, rows = self._rows
        if not times[0] - 1e-9 <= time_s <= times[-1] + 1e-9:
            return None
        i = max(min(bisect_right(times, time_s) - 1, len(times) - 2), 0)
        j = min(i + 1, len(times) - 1)
        (x, y, yaw, speed), (next_x, next_y, next_yaw, next_speed) = rows[i], rows[j]
        span = times[j] - times[i]
        share = min(max((time_s - times[i]) / span, 0.0), 1.0) if span > 0.0 else 0.0
        turn, gain = _wrapped(next_yaw - yaw), next_speed - speed
        return Motion(
            np.array(((1.0 - share) * x + share * next_x, (1.0 - share) * y + share * next_y)),
            _wrapped(yaw + share * turn),
            speed + share * gain,
            gain / span if span > 0.0 else 0.0,
            turn / span if span > 0.0 else 0.0,
        )


def _wrapped(angle: float) -> float:
    """`geometry.angles.wrap` of one number."""
    wrapped = math.pi - (math.pi - angle) % math.tau
    return math.pi if wrapped <= -math.pi else wrapped


@dataclass(frozen=True, eq=False)
class Recorded:
    """A road user that repeats a recording, whatever the ego does."""

    body: Body
    recording: RecordedStates
    time_s: float = 0.0

    @cached_property
    def motion(self) -> Motion | None:
        """The recorded state now."""
        return self.recording.at(self.time_s)

    def step(self, surroundings: Surroundings, dt_s: float) -> Recorded:
        """The same recording `dt_s` later."""
        return Recorded(self.body, self.recording, surroundings.time_s + dt_s)
