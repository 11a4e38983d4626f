"""Traffic signals by a fixed-time plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from behaviors_ros.datatypes import SignalColor, Signals


@dataclass(frozen=True)
class SignalGroup:
    """One group: green begins at `offset_s` after the start and then once a cycle: green, amber, red; all in s."""

    id: int
    offset_s: float
    green_s: float
    amber_s: float
    red_s: float

    def at(self, time_s: float) -> tuple[SignalColor, float]:
        """Colour at a time and the seconds until it changes."""
        phase = (time_s - self.offset_s) % (self.green_s + self.amber_s + self.red_s)
        for color, span in ((SignalColor.GREEN, self.green_s), (SignalColor.AMBER, self.amber_s)):
            if phase < span:
                return color, span - phase
            phase -= span
        return SignalColor.RED, self.red_s - phase


def signals_at(groups: tuple[SignalGroup, ...], stamp_ns: int, time_s: float) -> Signals:
    """All groups at one stamp; `time_s` is the time since the start of the plan."""
    states = [group.at(time_s) for group in groups]
    return Signals(
        stamp_ns,
        tuple(group.id for group in groups),
        np.array([int(color) for color, _ in states], dtype=np.int64),
        np.array([change for _, change in states], dtype=np.float64),
    )
