"""Metrics of predictions against what happened. Displacements in m; an agent without truth at the instant is NaN.

Definitions: minADE_K, minFDE_K, miss rate and brier-minFDE as in the Argoverse 2 motion forecasting benchmark;
coverage is of the highest-density region of the mixture of modes; expected calibration error after Guo et al. 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import Array, Predictions, Scene


@dataclass(frozen=True, eq=False)
class Sample:
    """A scene and what its agents did: future (agent, step, 2) m on the grid, NaN where it is not known."""

    scene: Scene
    future: Float[Array, "agent step 2"]


def likeliest(predictions: Predictions, most: int) -> Bool[Array, "agent mode"]:
    """The `most` likeliest valid modes of each agent; of equal ones the first."""
    order = np.argsort(-predictions.probability, axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    return predictions.valid & (rank < most)


def displacement(predictions: Predictions, future: Float[Array, "agent step 2"]) -> Float[Array, "agent mode step"]:
    """Distance of each mode from the truth at each step, m; NaN where either is not known."""
    return np.hypot(*np.moveaxis(predictions.position - future[:, None], -1, 0))


def min_ade(
    predictions: Predictions, future: Float[Array, "agent step 2"], step: int, most: int
) -> Float[Array, "agent"]:
    """Least mean displacement of the `most` likeliest modes, over the steps 1 to `step` with truth, m."""
    apart = displacement(predictions, future)[:, :, 1 : step + 1]
    known = np.isfinite(apart)
    mean = np.where(known, apart, 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    return _least(np.where(known.any(axis=2), mean, np.nan), likeliest(predictions, most))


def min_fde(
    predictions: Predictions, future: Float[Array, "agent step 2"], step: int, most: int
) -> Float[Array, "agent"]:
    """Least displacement at `step` of the `most` likeliest modes, m."""
    return _least(displacement(predictions, future)[:, :, step], likeliest(predictions, most))


def missed(final: Float[Array, "agent"], limit_m: float = 2.0) -> float:
    """Miss rate: share of the agents with truth whose least final displacement is beyond the limit."""
    known = np.isfinite(final)
    return float((final[known] > limit_m).mean()) if known.any() else float("nan")


def brier_min_fde(
    predictions: Predictions, future: Float[Array, "agent step 2"], step: int, most: int
) -> Float[Array, "agent"]:
    """minFDE + (1 - p)^2, p the probability of the mode that is nearest at `step`, m."""
    apart = np.where(likeliest(predictions, most), displacement(predictions, future)[:, :, step], np.inf)
    apart = np.where(np.isnan(apart), np.inf, apart)
    if apart.shape[1] == 0:
        return np.full(len(apart), np.nan)
    best = apart.argmin(axis=1)[:, None]
    final = np.take_along_axis(apart, best, 1)[:, 0]
    penalty = (1.0 - np.take_along_axis(predictions.probability, best, 1)[:, 0]) ** 2
    return np.where(np.isfinite(final), final + penalty, np.nan)


def negative_log_likelihood(
    predictions: Predictions, future: Float[Array, "agent step 2"], step: int
) -> Float[Array, "agent"]:
    """-log of the density, 1/m^2, that the mixture of the modes' Gaussians gives the truth at `step`."""
    density = _density(predictions, step, future[:, step, None])[:, 0]
    return -np.log(np.maximum(density, np.finfo(float).tiny))


def region_level(
    predictions: Predictions, future: Float[Array, "agent step 2"], step: int, samples: int = 400
) -> Float[Array, "agent"]:
    """Probability of the smallest highest-density region at `step` that holds the truth, in [0, 1].

    For one Gaussian 1 - exp(-m^2 / 2), m the Mahalanobis distance; for a mixture the share of `samples` seeded draws
    with a higher density than the truth. Well calibrated predictions give uniformly distributed levels.
    """
    agents, modes = predictions.valid.shape
    generator = np.random.default_rng(0)
    normal, pick = generator.standard_normal((samples, 2)), (np.arange(samples) + 0.5) / samples
    cumulative = np.cumsum(predictions.probability, axis=1)
    mode = np.minimum((pick[None, :, None] > cumulative[:, None] + 1e-12).sum(axis=2), modes - 1)
    rows = np.arange(agents)[:, None]
    valid = predictions.valid[rows, mode]
    covariance = np.where(valid[..., None, None], predictions.covariance[rows, mode, step], np.eye(2))
    drawn = predictions.position[rows, mode, step] + (np.linalg.cholesky(covariance) @ normal[:, :, None])[..., 0]
    truth = _density(predictions, step, future[:, step, None])
    level = (_density(predictions, step, drawn) > truth).mean(axis=1)
    exact = -np.expm1(-0.5 * _mahalanobis(predictions, step, future[:, step, None])[:, 0, 0])
    level = np.where(predictions.valid.sum(axis=1) == 1, exact, level)
    return np.where(np.isfinite(truth[:, 0]), level, np.nan)


def coverage(level: Float[Array, "agent"], region: float) -> float:
    """Share of the agents with truth inside their region of probability `region`."""
    known = np.isfinite(level)
    return float((level[known] <= region).mean()) if known.any() else float("nan")


def expected_calibration_error(
    probability: Float[Array, "event"], happened: Bool[Array, "event"], bins: int = 10
) -> float:
    """Mean over equal bins of |mean probability - share that happened|, weighted by the events in each bin.

    For modes: an event is a valid mode, it happened if the mode is the nearest to the truth.
    """
    if probability.size == 0:
        return float("nan")
    place = np.minimum((probability * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.bincount(place, probability, bins) - np.bincount(place, happened.astype(float), bins)
    return float(np.abs(gap).sum() / count.sum())


def nearest(predictions: Predictions, future: Float[Array, "agent step 2"], step: int) -> Bool[Array, "agent mode"]:
    """The valid mode nearest to the truth at `step`, of agents with truth."""
    apart = displacement(predictions, future)[:, :, step]
    known = np.isfinite(apart)
    best = np.where(known, apart, np.inf).argmin(axis=1) if apart.shape[1] else np.zeros(len(apart), int)
    return known & (np.arange(apart.shape[1]) == best[:, None])


def _least(values: Array, allowed: Array) -> Array:
    usable = np.where(allowed & np.isfinite(values), values, np.inf)
    least = usable.min(axis=1, initial=np.inf)
    return np.where(np.isfinite(least), least, np.nan)


def _mahalanobis(predictions: Predictions, step: int, points: Float[Array, "agent sample 2"]) -> Array:
    """Squared Mahalanobis distance (agent, sample, mode)."""
    away = points[:, :, None] - predictions.position[:, None, :, step]
    inverse = np.linalg.inv(np.where(predictions.valid[..., None, None], predictions.covariance[:, :, step], np.eye(2)))
    return np.einsum("asmi,amij,asmj->asm", away, inverse, away)


def _density(
    predictions: Predictions, step: int, points: Float[Array, "agent sample 2"]
) -> Float[Array, "agent sample"]:
    """Density of the mixture, 1/m^2; NaN where a point is."""
    covariance = np.where(predictions.valid[..., None, None], predictions.covariance[:, :, step], np.eye(2))
    peak = predictions.probability / (2.0 * np.pi * np.sqrt(np.linalg.det(covariance)))
    each = peak[:, None] * np.exp(-0.5 * _mahalanobis(predictions, step, points))
    total = np.where(predictions.valid[:, None], each, 0.0).sum(axis=2)
    return np.where(np.isfinite(points).all(axis=2), total, np.nan)
