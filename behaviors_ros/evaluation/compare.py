"""Two runs side by side, scenario by scenario: what got better and worse, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.folder import Run
from behaviors_ros.parameters import Parameters, value

Row = dict[str, Any]


class ComparisonRules(Parameters):
    """How differences are judged."""

    resamples: int = value(10_000, "bootstrap resamples of the scenarios", low=100, high=1_000_000)
    confidence: float = value(0.95, "probability mass of the intervals", low=0.5, high=0.999)
    seed: int = value(0, "seed of the resampling", low=0)
    score_margin: float = value(0.02, "a change of the score up to this is none", low=0.0, high=1.0)


@dataclass(frozen=True)
class Difference:
    """One figure over the paired scenarios: means, mean of b - a, its interval, and which direction is better.

    count: pairs in which both have the figure. better: b is better (True), worse (False), or it cannot be told (None).
    """

    name: str
    unit: str
    count: int
    a: float
    b: float
    difference: float
    low: float
    high: float
    better: bool | None


@dataclass(frozen=True)
class Change:
    """One scenario in both runs."""

    name: str
    success_a: bool
    success_b: bool
    score_a: float
    score_b: float
    why_a: str
    why_b: str


@dataclass(frozen=True)
class Comparison:
    """Run b against run a. better, worse: scenarios solved in one only, or with a changed score. settings: options and
    parameters that differ, as (dotted name, in a, in b).
    """

    a: str
    b: str
    n: int
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    differences: tuple[Difference, ...]
    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    equal: int
    pairs: tuple[Change, ...]
    settings: tuple[tuple[str, Any, Any], ...]

    def json(self) -> dict[str, Any]:
        """As a tree for JSON, without the unchanged scenarios."""
        return {name: part for name, part in asdict(self).items() if name != "pairs"}


def _median_ms(row: Row) -> float | None:
    return float(np.median(row["plan_ms"])) if row["plan_ms"] else None


# name, unit, value of a row (None: it has none), whether more is better
FIGURES: tuple[tuple[str, str, Callable[[Row], float | None], bool], ...] = (
    ("success", "share", lambda row: float(row["success"]), True),
    ("at-fault collision", "share", lambda row: float(row["at_fault_collisions"] > 0), False),
    ("collision", "share", lambda row: float(bool(row["collisions"])), False),
    ("off road", "share", lambda row: float(row["off_road"]), False),
    ("timeout", "share", lambda row: float(row["timeout"]), False),
    ("score", "", lambda row: row["score"], True),
    ("nuPlan's part of the score", "", lambda row: row["nuplan_score"], True),
    ("progress", "share", lambda row: row["terms"].get("progress"), True),
    ("comfort", "share", lambda row: row["terms"].get("comfort"), True),
    ("lane keeping", "share", lambda row: row["terms"].get("lane_keeping"), True),
    ("consistency", "share", lambda row: row["terms"].get("consistency"), True),
    ("least time to collision", "s", lambda row: row.get("min_ttc_s"), True),
    ("largest deceleration", "m/s2", lambda row: row.get("deceleration_max_mps2"), False),
    ("plan, median of a scenario", "ms", _median_ms, False),
)


def compare(a: Run, b: Run, rules: ComparisonRules | None = None) -> Comparison:
    """Pair the runs by scenario; runs without a common scenario raise `InputError`."""
    rules = rules or ComparisonRules()
    rows_a, rows_b = ({row["name"]: row for row in run.rows} for run in (a, b))
    names = [name for name in rows_a if name in rows_b]
    if not names:
        raise InputError(b.path, "rows", f"no scenario is also in {a.path}", "compare runs of the same set")
    pairs = [(rows_a[name], rows_b[name]) for name in names]
    changes = [_change(*pair) for pair in pairs]
    better = [change for change in changes if _gain(change, rules.score_margin) > 0]
    worse = [change for change in changes if _gain(change, rules.score_margin) < 0]
    better.sort(key=lambda c: (c.success_a - c.success_b, c.score_a - c.score_b))
    worse.sort(key=lambda c: (c.success_b - c.success_a, c.score_b - c.score_a))
    found = (_difference(pairs, *figure, rules) for figure in FIGURES)
    return Comparison(
        a=str(a.path), b=str(b.path), n=len(names),
        only_a=tuple(name for name in rows_a if name not in rows_b),
        only_b=tuple(name for name in rows_b if name not in rows_a),
        differences=tuple(difference for difference in found if difference is not None),
        better=tuple(better), worse=tuple(worse), equal=len(names) - len(better) - len(worse), pairs=tuple(changes),
        settings=settings(a, b),
    )  # fmt: skip


def settings(a: Run, b: Run) -> tuple[tuple[str, Any, Any], ...]:
    """Options of the runs and parameters of the planner that are not the same."""
    of_a, of_b = ({**dict(_leaves(run.options.model_dump(mode="json", exclude={"configuration"}))),
                   **dict(_leaves(run.facts.get("configuration") or {}))} for run in (a, b))  # fmt: skip
    names = sorted(of_a.keys() | of_b.keys())
    return tuple((n, of_a.get(n), of_b.get(n)) for n in names if of_a.get(n) != of_b.get(n))


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, leaf in tree.items():
        if isinstance(leaf, Mapping):
            yield from _leaves(leaf, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", leaf


def interval(differences: Float[Array, "pair"], rules: ComparisonRules) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean (Efron 1979): resample the pairs with replacement, seeded."""
    draw = np.random.default_rng(rules.seed)
    count = len(differences)
    means = np.concatenate([
        differences[draw.integers(0, count, (size, count))].mean(axis=1) for size in _chunks(rules.resamples, count)
    ])  # fmt: skip
    tail = 0.5 * (1.0 - rules.confidence)
    low, high = np.quantile(means, (tail, 1.0 - tail))
    return float(low), float(high)


def _chunks(total: int, count: int, cells: int = 2_000_000) -> list[int]:
    """Sizes that sum to `total`, each so that size x count stays below `cells`."""
    size = max(1, cells // count)
    return [size] * (total // size) + ([total % size] if total % size else [])


def _difference(
    pairs: Sequence[tuple[Row, Row]], name: str, unit: str, figure: Callable[[Row], float | None], more: bool,
    rules: ComparisonRules,
) -> Difference | None:  # fmt: skip
    both = [(x, y) for x, y in ((figure(a), figure(b)) for a, b in pairs) if x is not None and y is not None]
    if not both:
        return None
    a, b = np.array(both, dtype=float).T
    low, high = interval(b - a, rules)
    better = None if low <= 0.0 <= high else bool((low > 0.0) == more)
    return Difference(name, unit, len(both), float(a.mean()), float(b.mean()), float((b - a).mean()), low, high, better)


def _change(a: Row, b: Row) -> Change:
    return Change(a["name"], a["success"], b["success"], a["score"], b["score"], a["why"], b["why"])


def _gain(change: Change, margin: float) -> int:
    """1 better, -1 worse, 0 neither: solved counts first, then the score."""
    if change.success_a != change.success_b:
        return 1 if change.success_b else -1
    gained = change.score_b - change.score_a
    return 0 if abs(gained) <= margin else 1 if gained > 0.0 else -1
