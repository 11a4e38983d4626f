"""Weights of the scorers from choices: a conditional logit, known as maximum entropy inverse reinforcement learning.

The probability that candidate i is chosen is exp(beta w . s_i) over the sum of that of all candidates, with scores s,
weights w >= 0 and a precision beta: how surely one takes the best (McFadden 1974; for driving Ziebart et al., "Maximum
entropy inverse reinforcement learning", AAAI 2008, Naumann et al., "Analyzing the suitability of cost functions for
explaining and imitating human driving behavior based on inverse reinforcement learning", ICRA 2020). Decisions depend
on the ratios of the weights alone, so weights are given with the sum of the prior ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize, minimize_scalar

from behaviors_ros.datatypes import Array
from behaviors_ros.errors import InputError
from behaviors_ros.learning.choices import Choices
from behaviors_ros.parameters import Parameters, value


class Fitting(Parameters):
    """How weights are fitted."""

    prior: float = value(
        10.0, "pull to the prior weights: a weight off by their mean costs half of this, in nats", low=0.0, high=1e6
    )
    bootstrap: int = value(100, "repetitions with groups drawn anew, for the intervals", low=0, high=10000)
    share: float = value(0.95, "share of the repetitions inside an interval", low=0.1, high=0.999)
    seed: int = value(0, "seed of the draws", low=0, high=2**31)
    top: int = value(5, "an agreement is the chosen among so many best", low=1, high=1000)


@dataclass(frozen=True, eq=False)
class Fit:
    """What was found. weight: with the sum of the prior ones; beta and beta_prior: precision with either weights.

    low, high: interval of each weight by the bootstrap; the weights themselves without one.
    """

    scorers: tuple[str, ...]
    prior: Float[Array, "scorer"]
    weight: Float[Array, "scorer"]
    low: Float[Array, "scorer"]
    high: Float[Array, "scorer"]
    beta_prior: float
    beta: float


@dataclass(frozen=True)
class Quality:
    """How well weights tell choices. likelihood: mean log-likelihood of a choice, nats; uniform: that of chance.

    best, top: share of choices that are the best, among the best few; away_m: mean distance of the best candidate to
    what was driven, m; nearest_m: that of the chosen one, the least possible.
    """

    choices: int
    likelihood: float
    uniform: float
    best: float
    top: float
    away_m: float
    nearest_m: float


def log_likelihood(choices: Choices, theta: Float[Array, "scorer"]) -> tuple[float, Float[Array, "scorer"]]:
    """Sum over the choices of the mean of ln P by the shares, with theta = beta w, and its gradient.

    The gradient is the mean scores by the shares less those by P.
    """
    utility = choices.score @ theta
    most = np.maximum.reduceat(utility, choices.first)
    chance = np.exp(utility - np.repeat(most, choices.count))
    total = np.add.reduceat(chance, choices.first)
    chance /= np.repeat(total, choices.count)
    likelihood = choices.share @ utility - (most + np.log(total)).sum()
    return float(likelihood), choices.score.T @ (choices.share - chance)


def precision(choices: Choices, weight: Float[Array, "scorer"]) -> float:
    """The beta that makes the choices likeliest with given weights, within 1e-3 to 1e4."""
    found = minimize_scalar(
        lambda log_beta: -log_likelihood(choices, np.exp(log_beta) * weight)[0],
        bounds=(np.log(1e-3), np.log(1e4)), method="bounded", options={"xatol": 1e-4},
    )  # fmt: skip
    return float(np.exp(found.x))


def delay_s(loss: float, weight: float, progress: float, horizon_s: float = 6.0) -> float:
    """What losing `loss` of a score of `weight` is worth in delay, s, against `progress`, the weight of that scorer.

    At the speed limit, where a delay of x of the horizon T costs progress 1 - root((T - x) / T): T (1 - (1 - c)^2) with
    c = loss weight / progress; the whole horizon where no delay outweighs it.
    """
    share = min(loss * weight / progress, 1.0) if progress > 0.0 else 1.0
    return horizon_s * (1.0 - (1.0 - share) ** 2)


def fit(choices: Choices, prior: Float[Array, "scorer"], fitting: Fitting) -> Fit:
    """The weights that make the choices likeliest, less the pull to the prior ones, with intervals.

    Raises InputError for prior weights that are not one a scorer, negative, or all zero.
    """
    if prior.shape != (len(choices.scorers),) or (prior < 0.0).any() or not prior.sum() > 0.0:
        raise InputError("weights", "prior", f"is {prior.tolist()}", "give one a scorer, none below 0 and one above")
    beta_prior = precision(choices, prior / prior.sum())
    theta = _theta(choices, prior, beta_prior, fitting.prior)
    weight = _scaled(theta, prior)
    rng = np.random.default_rng(fitting.seed)
    groups = np.unique(choices.group)
    drawn = []
    for _ in range(fitting.bootstrap):
        again = choices.of_groups(rng.choice(groups, len(groups)))
        drawn.append(_scaled(_theta(again, prior, beta_prior, fitting.prior, theta), prior))
    edges = [0.5 - 0.5 * fitting.share, 0.5 + 0.5 * fitting.share]
    low, high = np.quantile(drawn, edges, axis=0) if drawn else (weight, weight)
    return Fit(choices.scorers, prior, weight, low, high, beta_prior, float(theta.sum()))


def quality(choices: Choices, weight: Float[Array, "scorer"], beta: float, top: int) -> Quality:
    """How well weights, with a precision that was fitted elsewhere, tell these choices."""
    theta = beta * weight / weight.sum()
    utility = choices.score @ theta
    mine = np.repeat(utility[choices.chosen], choices.count)
    better = np.add.reduceat((utility > mine + 1e-12).astype(np.int64), choices.first)
    most = np.maximum.reduceat(utility, choices.first)
    rows = np.flatnonzero(utility >= np.repeat(most, choices.count))
    best = rows[np.searchsorted(rows, choices.first)]
    return Quality(
        choices=len(choices),
        likelihood=log_likelihood(choices, theta)[0] / len(choices),
        uniform=-float(np.log(choices.count).mean()),
        best=float((better == 0).mean()),
        top=float((better < top).mean()),
        away_m=float(choices.away_m[best].mean()),
        nearest_m=float(choices.away_m[choices.chosen].mean()),
    )


def _theta(
    choices: Choices, prior: Array, beta: float, pull: float, start: Float[Array, "scorer"] | None = None
) -> Float[Array, "scorer"]:
    """theta >= 0 with the least negative log-likelihood and pull; the prior theta is beta times the prior shares."""
    home = beta * prior / prior.sum()
    scale = home.mean()

    def cost(theta: Array) -> tuple[float, Array]:
        likelihood, gradient = log_likelihood(choices, theta)
        away = (theta - home) / scale
        return 0.5 * pull * float(away @ away) - likelihood, pull * away / scale - gradient

    bounds = [(0.0, None)] * len(home)
    found = minimize(cost, home if start is None else start, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x)


def _scaled(theta: Float[Array, "scorer"], prior: Float[Array, "scorer"]) -> Float[Array, "scorer"]:
    """Weights in the ratios of theta with the sum of the prior ones; the prior ones where all are zero."""
    total = float(theta.sum())
    return theta * (prior.sum() / total) if total > 0.0 else prior
