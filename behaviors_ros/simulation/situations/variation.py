"""What varies between the variants of one kind of situation: seeded draws and a grade of difficulty."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from behaviors_ros.simulation.situations.sites import Street

T = TypeVar("T")
SPREAD = 20  # variants over which the grade runs once from easy to hard
STRIDE = 7  # neighbouring variants differ in grade: 7 is coprime to 20, so that each grade comes once


class Variation:
    """Draws of one variant; the same arguments give the same draws. level: its grade, 0 easiest to 1 hardest.

    place: a stretch of a given map to be laid on instead of a road of its own.
    """

    def __init__(self, kind: str, variant: int, seed: int, place: Street | None = None) -> None:
        """Begin the draws of a variant."""
        self.place = place
        self.kind, self.variant, self.seed = kind, variant, seed
        self.level = ((variant * STRIDE) % SPREAD) / (SPREAD - 1)
        self._draws = np.random.default_rng((seed, zlib.crc32(kind.encode()), variant))

    @property
    def name(self) -> str:
        """Name of the situation."""
        return f"{self.kind}_{self.variant:02d}"

    def between(self, low: float, high: float) -> float:
        """A number drawn evenly, to three decimals."""
        return round(float(self._draws.uniform(low, high)), 3)

    def graded(self, easy: float, hard: float) -> float:
        """A number that makes the variant easy or hard, to three decimals."""
        return round(easy + self.level * (hard - easy), 3)

    def one_of(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[int(self._draws.integers(len(items)))]

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self._draws.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """True with a probability."""
        return bool(self._draws.uniform() < probability)

    def turn(self) -> float:
        """How the whole map is turned, rad."""
        return self.between(-3.14, 3.14)


def share(number: float, easy: float, hard: float) -> float:
    """Where a number lies between easy (0) and hard (1)."""
    return float(np.clip((number - easy) / (hard - easy), 0.0, 1.0))
