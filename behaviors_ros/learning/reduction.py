"""Many hypotheses to few: those whose nearest one is expected to be least far from what will happen.

The many (of several networks, of mirrored inputs) are taken as draws from what may happen. The few minimise, over these
draws, the mean of the least mean displacement and the least final displacement: what minADE and minFDE measure, without
any truth. A first choice among the draws is greedy (Nemhauser et al. 1978); then the few move as in Lloyd's algorithm,
each to the geometric median of the draws nearest to it (Weiszfeld 1937).
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.parameters import Parameters, value


class Reduction(Parameters):
    """How many are kept and how they are found."""

    kept: int = value(20, "hypotheses kept", low=1, high=1000)
    rounds: int = value(8, "moves of those kept", low=0, high=1000)
    soft_m: float = value(0.03, "distances are rounded off below this, so that a median exists", low=1e-6, high=1.0)


def reduced(
    samples: Float[Array, "window sample step 2"], reduction: Reduction
) -> tuple[Float[Array, "window kept step 2"], Float[Array, "window kept"]]:
    """The few, m, and the share of the draws that are nearest to each (mean displacement).

    Raises where there are fewer samples than are to be kept.
    """
    if samples.shape[1] < reduction.kept:
        raise BehaviorsError(f"reduction: {samples.shape[1]} samples for {reduction.kept} to keep; give more samples")
    kept = np.empty((len(samples), reduction.kept, *samples.shape[2:]))
    share = np.empty((len(samples), reduction.kept))
    for k, window in enumerate(samples):
        draws = window.astype(np.float64)
        centre = draws[_greedy(_apart(draws), reduction.kept)]
        for _ in range(reduction.rounds):
            centre = _moved(draws, centre, reduction.soft_m)
        kept[k] = centre
        share[k] = np.bincount(_nearest(draws, centre)[0], minlength=reduction.kept) / len(draws)
    return kept, share


@no_type_check
@njit(cache=True)
def _apart(draws):
    """Mean plus final displacement between every two draws."""
    count, steps = draws.shape[0], draws.shape[1]
    apart = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            total, last = 0.0, 0.0
            for t in range(steps):
                last = np.sqrt((draws[i, t, 0] - draws[j, t, 0]) ** 2 + (draws[i, t, 1] - draws[j, t, 1]) ** 2)
                total += last
            apart[i, j] = apart[j, i] = total / steps + last
    return apart


@no_type_check
@njit(cache=True)
def _greedy(apart, kept):
    """Rows of the draws chosen one after the other, each for the largest gain."""
    count = len(apart)
    least = np.full(count, np.inf)
    chosen = np.zeros(kept, np.int64)
    for k in range(kept):
        best = np.inf
        for j in range(count):
            total = 0.0
            for i in range(count):
                total += min(least[i], apart[j, i])
            if total < best:
                best, chosen[k] = total, j
        for i in range(count):
            least[i] = min(least[i], apart[chosen[k], i])
    return chosen


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
