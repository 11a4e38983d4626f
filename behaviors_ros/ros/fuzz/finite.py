"""Which numbers of what a node says are not finite, those apart that say "not known" by the message's definition."""

from __future__ import annotations

import array
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

# NaN is the message's own word for absent, unknown or not computed.
_UNKNOWN = {
    "StageTimes": {"prediction_s", "generation_s", "scoring_s"},
    "StackStatus": {"plan_age_s", "latency_s"},
    "TrafficSignals": {"next_change_s"},
    "Route": {"start_x", "start_y", "goal_yaw_rad", "goal_speed_mps", "goal_time_s"},
    "TrajectoryScores": {"gate_value", "raw"},
    "SelectedTrajectory": {"gate_value", "raw"},
    "ControllerState": {"lateral_error_m", "heading_error_rad", "longitudinal_error_m", "speed_error_mps"},
    "DiagnosticArray": set(),
}
_OF_MODES = {"x": 1, "y": 1, "yaw_rad": 1, "speed_mps": 1, "covariance_m2": 3}


def not_finite(message: Any, place: str = "") -> Iterator[str]:
    """Names of the fields of a message, nested ones as well, that hold a NaN or an infinity."""
    name = type(message).__name__
    fields = message.get_fields_and_field_types()
    for field in fields:
        if field in _UNKNOWN.get(name, ()):
            continue
        found, here = getattr(message, field), f"{place}{field}"
        if name == "PredictedObjects" and field in _OF_MODES:
            if not _modes_finite(message, np.asarray(found), _OF_MODES[field]):
                yield here
        elif hasattr(found, "get_fields_and_field_types"):
            yield from not_finite(found, f"{here}.")
        elif isinstance(found, (list, tuple)) and found and hasattr(found[0], "get_fields_and_field_types"):
            for index, entry in enumerate(found):
                yield from not_finite(entry, f"{here}[{index}].")
        elif not _finite(found):
            yield here


def _finite(found: Any) -> bool:
    if isinstance(found, float):
        return math.isfinite(found)
    if isinstance(found, np.ndarray) or (isinstance(found, array.array) and found.typecode in "fd"):
        return bool(np.isfinite(found).all())
    return True


def _modes_finite(message: Any, found: np.ndarray, width: int) -> bool:
    """Whether every mode that has a probability is finite."""
    modes = message.num_objects * message.num_modes
    probable = np.asarray(message.probability) > 0.0
    return bool(np.isfinite(found.reshape(modes, message.num_steps * width)[probable]).all()) if modes else True
