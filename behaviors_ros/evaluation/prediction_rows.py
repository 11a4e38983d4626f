"""Predictors side by side on the same agents: figures a class, a horizon and a number of modes, with intervals.

Intervals are of the bootstrap over recordings (Efron 1979; whole recordings are drawn, since what happens in one is
not independent), or over scenes where there are few recordings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import AgentClass, Array, Grid, Predictions
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.prediction_metrics import (
    Sample,
    brier_min_fde,
    coverage,
    expected_calibration_error,
    min_ade,
    min_fde,
    missed,
    nearest,
    negative_log_likelihood,
    region_level,
)
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.interface import Predictor

BASELINES = ("constant_velocity", "lane_following")
THINGS = (AgentClass.HAZARD, AgentClass.OVER_DRIVABLE, AgentClass.UNDER_DRIVABLE)  # no part of class "all"
Row = dict[str, Any]


class Judging(Parameters):
    """What is told of predictors."""

    horizons_s: tuple[float, ...] = value((1.0, 3.0, 5.0), "instants that predictions are judged at")
    modes: tuple[int, ...] = value((1, 6, 20), "numbers K of likeliest modes of which the best counts")
    miss_m: float = value(2.0, "a final displacement beyond this is a miss", low=0.1, high=100.0)
    moving_m: float = value(1.0, "who goes farther within the last horizon moves", low=0.0, high=100.0)
    bootstrap: int = value(1000, "draws of the intervals", low=0, high=100000)
    interval: float = value(0.95, "probability of the intervals", low=0.5, high=0.999)
    least_recordings: int = value(5, "with fewer recordings scenes are drawn instead", low=2, high=1000)
    seed: int = value(0, "of the draws", low=0, high=2**31)


@dataclass(frozen=True, eq=False)
class Case:
    """A sample and the recording that it is of."""

    recording: str
    sample: Sample


@dataclass(eq=False)
class Measures:
    """What one predictor did: a list of columns for each horizon, and the CPU time of each scene, ms."""

    columns: dict[float, list[dict[str, Array]]] = field(default_factory=dict)
    cpu_ms: list[float] = field(default_factory=list)


def measured(
    predictors: Mapping[str, Predictor], cases: Iterable[Case], grid: Grid, judging: Judging,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Measures]:  # fmt: skip
    """What every predictor did in every case. A horizon that is not on the grid raises InputError.

    K = 1 is judged by a predictor's `single(scene, grid)` where it has one, else by its likeliest mode.
    """
    steps = {horizon: _step(horizon, grid) for horizon in judging.horizons_s}
    found = {name: Measures() for name in predictors}
    recordings: dict[str, int] = {}
    for scene, case in enumerate(cases):
        progress(case.recording)
        groups = recordings.setdefault(case.recording, len(recordings)), scene
        moving = _moving(case.sample.future, max(steps.values()), judging.moving_m)
        for name, predictor in predictors.items():
            if scene == 0:
                predictor.predict(case.sample.scene, grid)  # what is loaded and compiled once does not count
            since = time.process_time()
            predictions = predictor.predict(case.sample.scene, grid)
            found[name].cpu_ms.append((time.process_time() - since) * 1e3)
            single = _single(predictor, case.sample, grid, predictions)
            for horizon, step in steps.items():
                columns = _columns(predictions, single, case.sample.future, step, judging)
                known = columns.pop("known")
                columns["moving"] = moving[known]
                columns["recording"], columns["scene"] = (np.full(known.sum(), group) for group in groups)
                found[name].columns.setdefault(horizon, []).append(columns)
    return found


def _step(horizon_s: float, grid: Grid) -> int:
    step = round(horizon_s / grid.dt_s)
    if abs(step * grid.dt_s - horizon_s) > 1e-6 or not 0 < step < grid.steps:
        last = f"{grid.dt_s:g} to {grid.horizon_s:g} s in steps of {grid.dt_s:g} s"
        raise InputError("horizons", f"{horizon_s:g} s", "is not on the grid", f"give instants of {last}")
    return step


def _moving(future: Float[Array, "agent step 2"], last: int, moving_m: float) -> Bool[Array, "agent"]:
    away = np.hypot(*np.moveaxis(future[:, : last + 1] - future[:, :1], -1, 0))
    return np.nan_to_num(away).max(axis=1, initial=0.0) > moving_m


def _single(predictor: Predictor, sample: Sample, grid: Grid, otherwise: Predictions) -> Predictions:
    """What a predictor gives as its one answer."""
    answer = getattr(predictor, "single", None)
    return answer(sample.scene, grid) if callable(answer) else otherwise


def _columns(
    predictions: Predictions, single: Predictions, future: Float[Array, "agent step 2"], step: int, judging: Judging
) -> dict[str, Array]:
    """Figures of the agents with truth at a step; `known` says which these are; modes are padded with NaN."""
    known = np.isfinite(future[:, step]).all(axis=1) & predictions.valid.any(axis=1)
    rows = np.flatnonzero(known)
    future, predictions, single = future[rows], _take(predictions, rows), _take(single, rows)
    out: dict[str, Array] = {"known": known, "kind": predictions.kind}
    for most in judging.modes:
        used = single if most == 1 else predictions
        out[f"ade{most}"], out[f"fde{most}"] = min_ade(used, future, step, most), min_fde(used, future, step, most)
        out[f"brier{most}"] = brier_min_fde(used, future, step, most)
    out["nll"] = negative_log_likelihood(predictions, future, step)
    out["level"] = region_level(predictions, future, step)
    out["probability"] = np.where(predictions.valid, predictions.probability, np.nan)
    out["happened"] = nearest(predictions, future, step)
    return out


def _take(predictions: Predictions, rows: Int[Array, "some"]) -> Predictions:
    names = ("kind", "length", "width", "valid", "probability", "intent", "position", "yaw", "speed", "covariance")
    arrays = {name: getattr(predictions, name)[rows] for name in names}
    return Predictions(predictions.stamp_ns, predictions.time_s, tuple(predictions.id[k] for k in rows), **arrays)


def rows_of(found: Mapping[str, Measures], judging: Judging) -> list[Row]:
    """The figures: one row a predictor, class, motion (all, moving, standing), horizon and K.

    Keys: predictor, class, moving, horizon_s, k, n, minade, minfde, miss_rate, nll, coverage50, coverage90, ece, cpu_ms
    (a scene), brier_minfde, scenes, recordings, modes (most that an agent has), `to_BASELINE` (minfde over the
    baseline's at K = 1), and `_low`, `_high` of what has an interval. NaN: nobody to tell of.
    """
    joined = {name: {h: _joined(parts) for h, parts in each.columns.items()} for name, each in found.items()}
    return [
        row
        for name, horizons in joined.items()
        for horizon, columns in horizons.items()
        for row in _rows(name, horizon, columns, joined, found[name], judging)
    ]


def _joined(parts: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """Columns below each other; those with a mode axis as wide as the widest."""
    wide = max(part["probability"].shape[1] for part in parts)
    for part in parts:
        more = ((0, 0), (0, wide - part["probability"].shape[1]))
        part["probability"] = np.pad(part["probability"], more, constant_values=np.nan)
        part["happened"] = np.pad(part["happened"], more)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _rows(
    name: str, horizon: float, columns: dict[str, Array], joined: Mapping[str, Mapping[float, dict[str, Array]]],
    measures: Measures, judging: Judging,
) -> Iterator[Row]:  # fmt: skip
    kinds = [AgentClass(int(kind)) for kind in np.unique(columns["kind"])]
    about = {"cpu_ms": float(np.mean(measures.cpu_ms)), "scenes": len(measures.cpu_ms)}
    for label, kind in [("all", None), *((kind.name.lower(), kind) for kind in kinds)]:
        of_class = ~np.isin(columns["kind"], THINGS) if kind is None else columns["kind"] == kind
        for motion in ("all", "moving", "standing"):
            mask = of_class & (motion == "all" or columns["moving"] == (motion == "moving"))
            if not mask.any():
                continue
            draws = _Draws(columns, mask, judging)
            for most in judging.modes:
                row = {"predictor": name, "class": label, "moving": motion, "horizon_s": horizon, "k": most}
                yield row | _figures(columns, mask, most, draws, judging) | _compared(
                    columns, mask, most, {base: joined[base][horizon] for base in BASELINES if base in joined}, draws
                ) | about  # fmt: skip


def _figures(columns: dict[str, Array], mask: Array, most: int, draws: _Draws, judging: Judging) -> Row:
    final, level = columns[f"fde{most}"][mask], columns["level"][mask]
    drawn = {
        "minade": columns[f"ade{most}"][mask], "minfde": final, "brier_minfde": columns[f"brier{most}"][mask],
        "nll": columns["nll"][mask], "miss_rate": _share(final > judging.miss_m, final),
        "coverage50": _share(level <= 0.5, level), "coverage90": _share(level <= 0.9, level),
    }  # fmt: skip
    probability, happened = columns["probability"][mask], columns["happened"][mask]
    event = np.isfinite(probability)
    row: Row = {"n": int(np.isfinite(final).sum()), "recordings": len(np.unique(columns["recording"][mask]))}
    for key in ("minade", "minfde", "brier_minfde", "nll"):
        row[key] = float(np.nanmean(drawn[key])) if np.isfinite(drawn[key]).any() else float("nan")
    row["miss_rate"] = missed(final, judging.miss_m)
    row["coverage50"], row["coverage90"] = coverage(level, 0.5), coverage(level, 0.9)
    for key, each in drawn.items():
        row[f"{key}_low"], row[f"{key}_high"] = draws.interval(each)
    row["ece"] = expected_calibration_error(probability[event], happened[event])
    row["modes"] = int(event.sum(axis=1).max(initial=0))
    return row


def _share(what: Bool[Array, "agent"], of: Float[Array, "agent"]) -> Float[Array, "agent"]:
    return np.where(np.isfinite(of), what.astype(float), np.nan)


def _compared(
    columns: dict[str, Array], mask: Array, most: int, baselines: Mapping[str, dict[str, Array]], draws: _Draws
) -> Row:
    """minfde over that of each baseline at K = 1 on the same agents, and its interval, drawn together."""
    row: Row = {}
    for name, other in baselines.items():
        if len(other["kind"]) != len(mask) or "fde1" not in other:
            continue
        own, base = columns[f"fde{most}"][mask], other["fde1"][mask]
        both = np.isfinite(own) & np.isfinite(base)
        ratio = own[both].sum() / base[both].sum() if base[both].sum() > 0.0 else float("nan")
        row[f"to_{name}"] = float(ratio)
        row[f"to_{name}_low"], row[f"to_{name}_high"] = draws.interval(
            np.where(both, own, np.nan), np.where(both, base, np.nan)
        )
    return row


class _Draws:
    """The bootstrap of some agents: how often each recording (or scene) is drawn, the same for all their figures."""

    def __init__(self, columns: dict[str, Array], mask: Bool[Array, "agent"], judging: Judging) -> None:
        recordings = np.unique(columns["recording"][mask], return_inverse=True)
        few = len(recordings[0]) < judging.least_recordings
        names, self.group = np.unique(columns["scene"][mask], return_inverse=True) if few else recordings
        self.count, self.tail = len(names), 0.5 * (1.0 - judging.interval)
        generator = np.random.default_rng(judging.seed)
        share = np.full(self.count, 1.0 / self.count)
        self.times = generator.multinomial(self.count, share, size=judging.bootstrap).astype(float)

    def interval(self, values: Float[Array, "agent"], over: Float[Array, "agent"] | None = None) -> tuple[float, float]:
        """Bounds of the mean of the values, or of their sum over another's; NaN where they cannot be told."""
        known = np.isfinite(values)
        if self.count < 2 or not len(self.times) or not known.any():
            return float("nan"), float("nan")
        weight = np.ones(len(values)) if over is None else over
        total = self.times @ np.bincount(self.group[known], values[known], self.count)
        below = self.times @ np.bincount(self.group[known], weight[known], self.count)
        drawn = total[below > 0.0] / below[below > 0.0]
        if not drawn.size:
            return float("nan"), float("nan")
        low, high = np.quantile(drawn, (self.tail, 1.0 - self.tail))
        return float(low), float(high)
