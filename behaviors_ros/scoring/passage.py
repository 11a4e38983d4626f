"""When a candidate passes a stop point of the route, in its arc length."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import Candidates, Route, StopKind, StopPoint
from behaviors_ros.parameters import Vehicle

Array = np.ndarray


def front_s(candidates: Candidates, vehicle: Vehicle) -> Float[Array, "candidate step"]:
    """Arc length of the front bumper, m."""
    return candidates.s + (vehicle.length_m - vehicle.rear_overhang_m)


def rear_s(candidates: Candidates, vehicle: Vehicle) -> Float[Array, "candidate step"]:
    """Arc length of the rear end, m."""
    return candidates.s - vehicle.rear_overhang_m


def first_time(reached: Bool[Array, "candidate step"], time_s: Float[Array, "step"]) -> Float[Array, "candidate"]:
    """Time of the first step at which `reached` holds, s; infinite if at none."""
    return np.where(reached.any(axis=1), time_s[np.argmax(reached, axis=1)], np.inf)


def can_hold(front: Array, speed: Array, line_s: float, deceleration_mps2: float) -> Bool[Array, "candidate"]:
    """Whether a bumper at `front` (m) and `speed` (m/s) halts before `line_s` at the deceleration: v^2 / (2 b)."""
    return speed * speed <= 2.0 * deceleration_mps2 * (line_s - front)


@lru_cache(maxsize=2)
def _swept(candidates: Candidates, vehicle: Vehicle) -> tuple[float, float]:
    """From where to where the ego's box gets along the route in all candidates, m; cached, for many plugins ask."""
    lowest, highest = np.fmin.reduce(candidates.s, axis=None), np.fmax.reduce(candidates.s, axis=None)
    return float(lowest) - vehicle.rear_overhang_m, float(highest) + (vehicle.length_m - vehicle.rear_overhang_m)


def stops_ahead(
    route: Route, kinds: tuple[StopKind, ...], candidates: Candidates, vehicle: Vehicle
) -> Iterator[StopPoint]:
    """Stop points of some kinds that a candidate reaches and the ego has not left behind."""
    if len(candidates) == 0:
        return
    left, reached = _swept(candidates, vehicle)
    for stop in route.stops:
        if stop.kind in kinds and stop.s <= reached and max(stop.clear_s, stop.s) >= left:
            yield stop
