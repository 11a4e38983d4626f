"""Candidates -> Scores: every gate and every scorer over every candidate; the table is the explanation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from behaviors_ros.datatypes import Candidates, Predictions, Scene, Scores
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.scoring.footprint import finite
from behaviors_ros.scoring.interface import Gate, Scorer

Array = np.ndarray


def score(
    scene: Scene, predictions: Predictions, candidates: Candidates, gates: Sequence[Gate], scorers: Sequence[Scorer]
) -> Scores:
    """The table. total = all gates x weighted mean of the scores, by the scorers' parameter `weight`.

    A gate's NaN and a candidate that is not finite forbid; a scorer's NaN scores 0. A plugin whose answer has the wrong
    shape, and no candidates at all, raise BehaviorsError.
    """
    count = len(candidates)
    if count == 0:
        raise BehaviorsError("score: no candidates; configure a generator that always offers a stop: minimal_risk_stop")
    verdicts = [gate.check(scene, predictions, candidates) for gate in gates]
    terms = [scorer.score(scene, predictions, candidates) for scorer in scorers]
    value = _columns(gates, [verdict.value for verdict in verdicts], count)
    passed = _columns(gates, [verdict.passed for verdict in verdicts], count).astype(bool)
    passed &= ~np.isnan(value) & finite(candidates)[:, None]
    raw = _columns(scorers, [term.raw for term in terms], count)
    score = np.nan_to_num(_columns(scorers, [term.score for term in terms], count), nan=0.0).clip(0.0, 1.0)
    weight = np.array([scorer.p.weight for scorer in scorers], dtype=np.float64)
    # Row by row: in a matrix product a total would depend on how many candidates are scored at a time.
    mean = (score * (weight / weight.sum())).sum(axis=1) if weight.sum() > 0.0 else np.ones(count)
    return Scores(
        gates=tuple(gate.name for gate in gates),
        passed=passed,
        value=value,
        limit=np.array([verdict.limit for verdict in verdicts], dtype=np.float64),
        scorers=tuple(scorer.name for scorer in scorers),
        raw=raw,
        score=score,
        weight=weight,
        total=np.where(passed.all(axis=1), mean, 0.0),
        units=tuple(getattr(gate, "unit", "") for gate in gates),
    )


def _columns(plugins: Sequence[Gate | Scorer], columns: list[Array], count: int) -> Array:
    """The plugins' answers as columns of one table (candidate, plugin)."""
    for plugin, column in zip(plugins, columns, strict=True):
        if np.shape(column) != (count,):
            raise BehaviorsError(
                f"{plugin.name}: answer of shape {np.shape(column)}; return one value a candidate, ({count},)"
            )
    table = np.empty((count, len(columns)))
    for k, column in enumerate(columns):
        table[:, k] = column
    return table
