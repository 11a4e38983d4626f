"""The same scene elsewhere: turned by quarters and shifted by whole metres, which is exact for positions.

Which fields are points, vectors or directions is told by name, so that a new field of the datatypes is looked at.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import numpy as np

from behaviors_ros.datatypes import Plan

POINTS = {
    "position", "path", "polygon", "centre", "left_bound", "right_bound", "stop_line", "stop_lines", "areas",
    "occluders",
}  # fmt: skip
VECTORS = {"velocity", "acceleration"}  # where they have two columns
NESTED = {
    "ego", "tracks", "route", "map", "history", "previous", "goal", "alternatives", "stops", "lanes", "crosswalks",
    "trajectory", "stop",
}  # fmt: skip


def moved(value: Any, quarters: int, shift: np.ndarray) -> Any:
    """A noun with its points turned about the origin, then shifted."""
    turn = np.linalg.matrix_power(np.array([[0.0, -1.0], [1.0, 0.0]]), quarters)
    return _moved(value, turn, shift, 0.5 * np.pi * quarters)


def _moved(noun: Any, turn: np.ndarray, shift: np.ndarray, angle: float) -> Any:
    if isinstance(noun, dict):
        return {key: _moved(item, turn, shift, angle) for key, item in noun.items()}
    if isinstance(noun, tuple):
        return tuple(_moved(item, turn, shift, angle) for item in noun)
    if not is_dataclass(noun) or isinstance(noun, Enum):
        return noun
    return replace(noun, **{
        field.name: _field(noun, field.name, getattr(noun, field.name), turn, shift, angle) for field in fields(noun)
    })  # fmt: skip


def _field(noun: Any, name: str, value: Any, turn: np.ndarray, shift: np.ndarray, angle: float) -> Any:
    if value is None:
        return None
    if name in POINTS:
        return _points(value, turn, shift)
    if name in VECTORS and np.ndim(value) == 2 and np.shape(value)[1] == 2:
        return _turned(value, turn)
    if name == "covariance":
        return turn @ value @ turn.T
    if name == "yaw":
        return (value[0] + angle, value[1] + angle) if isinstance(value, tuple) else _wrapped(value + angle)
    if name == "stop" and not isinstance(noun, Plan):
        return value
    return _moved(value, turn, shift, angle) if name in NESTED else value


def _points(value: Any, turn: np.ndarray, shift: np.ndarray) -> Any:
    if isinstance(value, tuple):
        return tuple(_points(item, turn, shift) for item in value)
    if isinstance(value, dict):
        return {key: _points(item, turn, shift) for key, item in value.items()}
    return _turned(value, turn) + shift


def _turned(vectors: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Turned by quarters without sums, in which infinity would become NaN."""
    (cos, _), (sin, _) = turn
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack((cos * x, cos * y) if cos else (-sin * y, sin * x), axis=-1)


def _wrapped(angle: Any) -> Any:
    wrapped = np.remainder(angle + np.pi, 2.0 * np.pi) - np.pi
    return float(wrapped) if np.ndim(wrapped) == 0 else wrapped
