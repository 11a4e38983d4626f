"""Traffic signals by fixed-time plans."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import SignalColor, Signals
from behaviors_ros.maps.commonroad_lanes import SignalCycle


def fixed_time(id_: int, offset_s: float, green_s: float, amber_s: float, red_s: float) -> SignalCycle:
    """A plan of green, amber, red; the first green begins at `offset_s`, all in s."""
    return SignalCycle(
        id_, (SignalColor.GREEN, SignalColor.AMBER, SignalColor.RED), (green_s, amber_s, red_s), offset_s
    )


def signals_at(cycles: tuple[SignalCycle, ...], stamp_ns: int, time_s: float) -> Signals:
    """All groups at one stamp; `time_s` is the time since the start of the scenario."""
    states = [cycle.phase(time_s) for cycle in cycles]
    return Signals(
        stamp_ns,
        tuple(cycle.id for cycle in cycles),
        np.array([int(color) for color, _ in states], dtype=np.int64),
        np.array([change for _, change in states], dtype=np.float64),
    )
