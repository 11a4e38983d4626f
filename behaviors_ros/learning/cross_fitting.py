"""Each recording held out in turn: all of a small set is learned from, and calibration still sees nothing it learned.

The parts go by speed, so that each network is calibrated on traffic faster or slower than what it was trained on: as
far from it as one location allows, since what is asked for later is another place.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from behaviors_ros.datatypes import Array
from behaviors_ros.prediction.learned_features import AGENT

Arrays = dict[str, Array]


def folds(arrays: Arrays, count: int) -> list[Bool[Array, "row"]]:
    """Which rows are held out in each of `count` parts: whole recordings, in the order of their mean speeds."""
    recordings, row = np.unique(arrays["recording"], return_inverse=True)
    speed = np.bincount(row, arrays["agent"][:, AGENT.index("speed")]) / np.bincount(row)
    parts = np.array_split(np.argsort(speed, kind="stable"), min(count, len(recordings)))
    return [np.isin(row, part) for part in parts]


def divided(arrays: Arrays, count: int) -> Iterator[tuple[Arrays, Arrays]]:
    """What is learned from and what is held out, for each part."""
    for held in folds(arrays, count):
        yield _rows(arrays, ~held), _rows(arrays, held)


def _rows(arrays: Arrays, which: Bool[Array, "row"]) -> Arrays:
    return {name: values[which] for name, values in arrays.items()}
