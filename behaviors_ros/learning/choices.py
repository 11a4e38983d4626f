"""Choices among candidates: what somebody took, or preferred, and how the scorers rated all there was to take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import Array, Candidates, Scores
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, value


class Nearness(Parameters):
    """When a candidate is what a driver did."""

    near_m: float = value(0.3, "mean distance at which a candidate still counts a good half", low=0.001, high=10.0)
    largest_m: float = value(2.0, "a driver farther from every candidate did something else", low=0.01, high=100.0)


@dataclass(frozen=True, eq=False)
class Choice:
    """One choice. score: in [0, 1], higher is better; group: what belongs together (a driver).

    share: of each candidate in the choice, with the sum 1: where several are as near to what was driven, each has its
    part; chosen: the row with the largest. away_m: mean distance of each candidate to what was driven, m; NaN where
    nothing was driven.
    """

    score: Float[Array, "candidate scorer"]
    share: Float[Array, "candidate"]
    away_m: Float[Array, "candidate"]
    group: str

    @property
    def chosen(self) -> int:
        """The row with the largest share."""
        return int(np.argmax(self.share))


@dataclass(frozen=True, eq=False)
class Choices:
    """Choices one below the other: rows of choice k are `first[k]` to `first[k + 1]`. chosen: rows; group: numbers."""

    scorers: tuple[str, ...]
    score: Float[Array, "row scorer"]
    share: Float[Array, "row"]
    first: Int[Array, "choice"]
    chosen: Int[Array, "choice"]
    away_m: Float[Array, "row"]
    group: Int[Array, "choice"]

    def __len__(self) -> int:
        """Number of choices."""
        return len(self.first)

    @property
    def count(self) -> Int[Array, "choice"]:
        """Candidates of each choice."""
        return np.diff(np.append(self.first, len(self.score)))

    def take(self, index: Int[Array, "taken"]) -> Choices:
        """Some choices in that order, repeated where an index is."""
        count = self.count[index]
        first = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64)
        rows = np.repeat(self.first[index] - first, count) + np.arange(int(count.sum()))
        chosen = self.chosen[index] - self.first[index] + first
        group, share = self.group[index], self.share[rows]
        return Choices(self.scorers, self.score[rows], share, first, chosen, self.away_m[rows], group)

    def of_groups(self, groups: Int[Array, "taken"]) -> Choices:
        """The choices of some groups, those of a group named twice twice."""
        return self.take(np.concatenate([np.flatnonzero(self.group == group) for group in groups]))


def stacked(scorers: Sequence[str], choices: Sequence[Choice]) -> Choices:
    """Choices as one table; those between fewer than two candidates say nothing and are left out.

    Raises InputError when none is left, or a table has not one column a scorer.
    """
    kept = [choice for choice in choices if len(choice.score) > 1]
    if not kept:
        raise InputError("choices", "candidates", "there is no choice between two or more", "give more drives or pairs")
    if any(choice.score.shape[1] != len(scorers) for choice in kept):
        raise InputError("choices", "score", "has not one column a scorer", f"scorers: {', '.join(scorers)}")
    first = np.concatenate([[0], np.cumsum([len(choice.score) for choice in kept])[:-1]]).astype(np.int64)
    names = {name: number for number, name in enumerate(dict.fromkeys(choice.group for choice in kept))}
    return Choices(
        scorers=tuple(scorers),
        score=np.concatenate([choice.score for choice in kept]),
        share=np.concatenate([choice.share for choice in kept]),
        first=first,
        chosen=first + np.array([choice.chosen for choice in kept]),
        away_m=np.concatenate([choice.away_m for choice in kept]),
        group=np.array([names[choice.group] for choice in kept]),
    )


def driven(
    scores: Scores, candidates: Candidates, future: Float[Array, "step 2"], group: str, nearness: Nearness
) -> Choice | None:
    """The choice of a driver who went on along `future`: the admissible candidates near it.

    future: rear axle centre at the candidates' instants, m, NaN beyond the record. The share of a candidate that is
    `away` m from it on average is proportional to exp(-away^2 / (2 near^2)). None where not even the nearest is within
    the largest distance: the driver did what the ego could not choose.
    """
    rows = np.flatnonzero(scores.admissible)
    known = np.isfinite(future).all(axis=1)
    if not len(rows) or not known.any():
        return None
    offset = candidates.position[rows][:, known] - future[known]
    away = np.hypot(offset[..., 0], offset[..., 1]).mean(axis=1)
    if away.min() > nearness.largest_m:
        return None
    share = np.exp(-0.5 * (np.square(away) - away.min() ** 2) / nearness.near_m**2)
    return Choice(scores.score[rows], share / share.sum(), away, group)


def preferred(scores: Scores, better: int, worse: int, group: str) -> Choice:
    """The choice of who preferred candidate `better` to `worse`; one that is not in the table raises InputError."""
    for index in (better, worse):
        if not 0 <= index < len(scores.total):
            raise InputError(group, "candidate", f"there is no {index}", f"give 0 to {len(scores.total) - 1}")
    return Choice(scores.score[[better, worse]], np.array([1.0, 0.0]), np.full(2, np.nan), group)
