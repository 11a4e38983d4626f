"""What speed the vehicle has gained beyond what was handed on, whatever plans have begun anew meanwhile.

A plan that the vehicle does not follow begins anew at the vehicle, so the error that a controller reports is soon gone
although the vehicle goes on as it likes. What it gained against each trajectory while that was in force is not.
Only gains are judged: trackers brake a little harder than planned, and who is slower endangers nobody ahead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from behaviors_ros.datatypes import EgoState, Trajectory
from behaviors_ros.parameters import Parameters, value

NS = 1_000_000_000
GAP_S = 0.5  # longer between two vehicle states is a gap, of which nothing can be said


class DriftLimits(Parameters):
    """When the vehicle drives at a speed of its own."""

    gain_max_mps: float = value(0.9, "largest speed gained beyond what was handed on", low=0.1, high=10.0)
    lag_s: float = value(0.3, "time constant with which a vehicle does what was handed on", low=0.01, high=2.0)
    settle_s: float = value(
        1.0, "time after it was told to drive in which a vehicle may leave a stop as it can", low=0.0, high=10.0
    )
    memory_s: float = value(2.0, "time constant with which a gain is forgotten", low=0.1, high=60.0)


@dataclass(frozen=True)
class SpeedDrift:
    """Speed gained up to the vehicle state of `stamp_ns` beyond the acceleration that was to be expected."""

    stamp_ns: int = 0
    speed: float = 0.0
    expected_mps2: float = 0.0
    gained_mps: float = 0.0


def drifted(before: SpeedDrift, ego: EgoState, handed: Trajectory | None, limits: DriftLimits) -> SpeedDrift:
    """The drift at a vehicle state; `handed`: what has been in force since the state before, None: nothing."""
    dt = (ego.stamp_ns - before.stamp_ns) / NS
    if dt == 0.0:
        return before
    if handed is None or not 0.0 < dt < GAP_S:
        return SpeedDrift(ego.stamp_ns, ego.speed, ego.acceleration)
    times = (before.stamp_ns - handed.stamp_ns) / NS, (ego.stamp_ns - handed.stamp_ns) / NS
    begin, end = np.interp(times, handed.time_s, handed.speed)
    stays = math.exp(-dt / limits.lag_s)
    expected = stays * before.expected_mps2 + (1.0 - stays) * float(end - begin) / dt
    gained = math.exp(-dt / limits.memory_s) * before.gained_mps + ego.speed - before.speed - expected * dt
    return SpeedDrift(ego.stamp_ns, ego.speed, expected, gained)


def gaining(drift: SpeedDrift, limits: DriftLimits) -> str:
    """Why the vehicle is faster than it was told to be; empty when it is not."""
    if drift.gained_mps <= limits.gain_max_mps:
        return ""
    return f"the controller does not follow: the vehicle gained {drift.gained_mps:.2f} m/s beyond the plans"
