"""The hypotheses of several networks to those of one: those whose nearest is expected to be least far from the truth.

Every set of hypotheses (of a network, of a turned or mirrored view) is paired with the first set by linear assignment,
and the pairs' means are where the few begin. Then all hypotheses are taken as draws from what may happen, and the few
move as in Lloyd's algorithm (1982), each to the geometric median of the draws nearest to it (Weiszfeld 1937). So they
make small, over the draws, what minADE and minFDE measure, without any truth. Before that the draws are spread a
little: the best of few lies inside of what may happen, and who learned on other scenes is surer than he should be.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit
from scipy.optimize import linear_sum_assignment

from behaviors_ros.datatypes import Array
from behaviors_ros.parameters import Parameters, value


class Reduction(Parameters):
    """How many sets become one."""

    spread: float = value(1.1, "factor of the draws' distances to their mean", low=0.1, high=10.0)
    rounds: int = value(2, "moves of the few after they are paired", low=0, high=1000)
    soft_m: float = value(0.1, "distances are rounded off below this, so that a median exists", low=1e-6, high=1.0)


def reduced(
    sets: Float[Array, "window set hypothesis step 2"], reduction: Reduction
) -> tuple[Float[Array, "window hypothesis step 2"], Float[Array, "window hypothesis"]]:
    """As many as one set holds, m, and the share of the draws that are nearest to each (mean displacement)."""
    windows, count, each, steps = sets.shape[:4]
    kept, share = np.empty((windows, each, steps, 2)), np.empty((windows, each))
    for k, window in enumerate(sets):
        mean = window.mean(axis=(0, 1), dtype=np.float64)
        spread = mean + reduction.spread * (window - mean)
        draws, centre = spread.reshape(count * each, steps, 2), _paired(spread)
        for _ in range(reduction.rounds):
            centre = _moved(draws, centre, reduction.soft_m)
        kept[k] = centre
        share[k] = np.bincount(_nearest(draws, centre)[0], minlength=each) / len(draws)
    return kept, share


@no_type_check
@njit(cache=True)
def _apart(one, other):
    """Mean plus final displacement between each of one set and each of another."""
    steps = one.shape[1]
    apart = np.zeros((len(one), len(other)))
    for i in range(len(one)):
        for j in range(len(other)):
            total, last = 0.0, 0.0
            for t in range(steps):
                last = np.sqrt((one[i, t, 0] - other[j, t, 0]) ** 2 + (one[i, t, 1] - other[j, t, 1]) ** 2)
                total += last
            apart[i, j] = total / steps + last
    return apart


def _paired(sets: Float[Array, "set hypothesis step 2"]) -> Float[Array, "hypothesis step 2"]:
    """Mean of the first set and of what is paired with it in the others, so that the pairs together are nearest."""
    first = sets[0]
    partners = [linear_sum_assignment(_apart(first, other))[1] for other in sets]
    return np.mean([other[partner] for other, partner in zip(sets, partners, strict=True)], axis=0)


@no_type_check
@njit(cache=True)
def _nearest(draws, centre):
    """For each draw the nearest centre in mean displacement, and in final displacement."""
    count, steps = draws.shape[0], draws.shape[1]
    by_mean, by_last = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for i in range(count):
        least, least_last = np.inf, np.inf
        for k in range(len(centre)):
            total, last = 0.0, 0.0
            for t in range(steps):
                last = np.sqrt((draws[i, t, 0] - centre[k, t, 0]) ** 2 + (draws[i, t, 1] - centre[k, t, 1]) ** 2)
                total += last
            if total < least:
                least, by_mean[i] = total, k
            if last < least_last:
                least_last, by_last[i] = last, k
    return by_mean, by_last


@no_type_check
@njit(cache=True)
def _moved(draws, centre, soft_m):
    """Each centre one step of Weiszfeld's towards the medians of its draws; one without draws stays."""
    count, steps = draws.shape[0], draws.shape[1]
    by_mean, by_last = _nearest(draws, centre)
    total, weight = np.zeros_like(centre), np.zeros(centre.shape[:2])
    for i in range(count):
        for t in range(steps + 1):
            k, step, share = (by_mean[i], t, 1.0 / steps) if t < steps else (by_last[i], steps - 1, 1.0)
            dx, dy = draws[i, step, 0] - centre[k, step, 0], draws[i, step, 1] - centre[k, step, 1]
            pull = share / np.sqrt(dx * dx + dy * dy + soft_m * soft_m)
            total[k, step, 0] += pull * draws[i, step, 0]
            total[k, step, 1] += pull * draws[i, step, 1]
            weight[k, step] += pull
    moved = centre.copy()
    for k in range(len(centre)):
        for t in range(steps):
            if weight[k, t] > 0.0:
                moved[k, t, 0] = total[k, t, 0] / weight[k, t]
                moved[k, t, 1] = total[k, t, 1] / weight[k, t]
    return moved
