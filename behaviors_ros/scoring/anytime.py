"""The table of scores within a time budget: what matters most first, and as much of the rest as there is time for.

What was left out has no verdicts, is not admissible and is marked. A row does not depend on the others, so that the
number of evaluated candidates is all a replay needs to come to the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int

from behaviors_ros.datatypes import Candidates, Decision, Decisions, Predictions, Scene, Scores
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.scoring.interface import Gate, Scorer
from behaviors_ros.scoring.score import score

Array = np.ndarray


class Anytime(Parameters):
    """How candidates are taken in when time is short."""

    first: tuple[str, ...] = value(("minimal_risk_stop", "previous"), "generators whose candidates are always scored")
    chunk: int = value(32, "candidates scored between two looks at the time, at least", low=1.0, high=10000.0)
    share: float = value(0.5, "share of the time left that a chunk is expected to take", low=0.05, high=1.0)


def priority(
    candidates: Candidates, decisions: Decisions, previous: Decision | None, anytime: Anytime
) -> tuple[Int[Array, "candidate"], int]:
    """The candidates in the order in which they are scored, and how many of them always are.

    First `anytime.first`, all stops where that is none; then those that mean what the previous plan meant; then the
    rest, of every meaning one in turn.
    """
    always = np.isin(candidates.generator, anytime.first)
    always = always if (always & candidates.is_stop).any() else always | candidates.is_stop
    always = always if always.any() else np.ones(len(candidates), dtype=bool)
    meaning = decisions.manoeuvre * (len(decisions.subjects) + 1) + decisions.subject + 1
    same = np.zeros(len(candidates), dtype=bool)
    if previous is not None:
        kept = decisions.subjects.index(previous.subject) if previous.subject in decisions.subjects else -1
        same = (decisions.manoeuvre == previous.manoeuvre) & (decisions.subject == kept)
    order = np.lexsort((_turn(meaning), ~same, ~always))
    return order, int(always.sum())


def _turn(group: Int[Array, "candidate"]) -> Int[Array, "candidate"]:
    """Of each entry how many of its group come before it."""
    order = np.argsort(group, kind="stable")
    first = np.searchsorted(group[order], group[order])
    turn = np.empty(len(group), dtype=np.int64)
    turn[order] = np.arange(len(group)) - first
    return turn


def score_in_time(
    scene: Scene, predictions: Predictions, candidates: Candidates, decisions: Decisions, gates: Sequence[Gate],
    scorers: Sequence[Scorer], anytime: Anytime, remaining_s: Callable[[], float] | None = None,
    evaluated: int | None = None,
) -> Scores:  # fmt: skip
    """`score`, until `remaining_s` (time left, s; None: no limit) runs out; `evaluated`: just so many, to replay."""
    count = len(candidates)
    if count == 0 or (remaining_s is None and (evaluated is None or evaluated >= count)):
        return score(scene, predictions, candidates, gates, scorers)
    previous = scene.previous.decision if scene.previous is not None else None
    order, done = priority(candidates, decisions, previous, anytime)

    def scored(index: Array) -> Scores:
        return score(scene, predictions, candidates.take(index), gates, scorers)

    if evaluated is not None:
        return _whole(scored(order[:evaluated]), order[:evaluated], count)
    assert remaining_s is not None
    before, parts = remaining_s(), [scored(order[:done])]
    pace = (before - (left := remaining_s())) / done
    while done < count and left > 0.0:
        fits = int(anytime.share * left / max(pace, 1e-9))
        end = min(done + max(fits, anytime.chunk), count)
        parts.append(scored(order[done:end]))
        before, left = left, remaining_s()
        pace, done = (before - left) / (end - done), end
    return _whole(_joined(parts), order[:done], count)


def _joined(parts: list[Scores]) -> Scores:
    """Tables of the same columns as one."""
    rows: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ROWS}
    return replace(parts[0], **rows)


_ROWS = ("passed", "value", "raw", "score", "total")


def _whole(table: Scores, index: Int[Array, "evaluated"], count: int) -> Scores:
    """The table with a row for every candidate, `index` saying whose rows there are: nothing passed in the others."""
    rows: dict[str, Any] = {}
    seen = np.zeros(count, dtype=bool)
    seen[index] = True
    for name in _ROWS:
        part = getattr(table, name)
        empty = np.nan if name in ("value", "raw") else 0
        rows[name] = np.full((count, *part.shape[1:]), empty, dtype=part.dtype)
        rows[name][index] = part
    return replace(table, **rows, evaluated=None if seen.all() else seen)
