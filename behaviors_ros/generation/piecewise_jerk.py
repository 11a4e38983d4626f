"""Motions of piecewise constant jerk as small quadratic programmes: least jerk within bounds.

The state (x, x', x'') at the knots is an exact linear function of the jerks, so a solution needs no equations between
the knots and is exact between them, too (the piecewise-jerk formulation of Apollo: Zhou et al., "DL-IAPS and PJSO: a
path/speed decoupled trajectory optimization and its application in autonomous driving", arXiv 2009.11135).
Solved by PIQP, a proximal interior-point method (Schwan et al., CDC 2023). Every programme is set up afresh: an
interior-point method gains nothing from a warm start, and a kept solver's answer would depend on what it solved before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import piqp
from jaxtyping import Float

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Basis:
    """Response at the knots 1 .. n to unit jerks of n intervals of unit length: value, rate, second rate."""

    value: Float[Array, "knot jerk"]
    rate: Float[Array, "knot jerk"]
    bend: Float[Array, "knot jerk"]


@lru_cache(maxsize=8)
def basis(count: int) -> Basis:
    """The responses to `count` jerks."""
    since = np.arange(1, count + 1)[:, None] - np.arange(count)[None, :]
    within = np.minimum(np.maximum(since, 0.0), 1.0)
    rest = np.maximum(since - 1.0, 0.0)
    bend = within
    rate = 0.5 * within**2 + within * rest
    value = within**3 / 6.0 + 0.5 * within**2 * rest + 0.5 * within * rest**2
    return Basis(value, rate, bend)


@dataclass(frozen=True, eq=False)
class Mixed:
    """Bounds at the knots after the first on a sum of shares of value, rate and second rate."""

    share: Float[Array, "knot 3"]
    low: Float[Array, " knot"]
    high: Float[Array, " knot"]


@dataclass(frozen=True, eq=False)
class Problem:
    """Least weighted squares of the distances from wanted values, within bounds.

    start: value, rate and second rate at the first knot; step: length of an interval. Rows of the others: value, rate,
    second rate at a knot after the first, and the jerk before it; a bound is infinite where there is none. end: the
    state to end in exactly, or None. mixed: further bounds.
    """

    start: Float[Array, "3"]
    step: float
    weights: Float[Array, "knot 4"]
    wanted: Float[Array, "knot 4"]
    low: Float[Array, "knot 4"]
    high: Float[Array, "knot 4"]
    end: Float[Array, "3"] | None = None
    mixed: tuple[Mixed, ...] = ()


def solved(problem: Problem) -> Float[Array, " jerk"] | None:
    """The jerks of the intervals; None where there are none within the bounds, or the solver does not find them."""
    count, h = len(problem.wanted), problem.step
    unit = basis(count)
    response = (h**3 * unit.value, h**2 * unit.rate, h * unit.bend)
    after = h * np.arange(1, count + 1)
    x, v, a = problem.start
    coasting = np.column_stack((x + after * (v + 0.5 * after * a), v + after * a, np.full(count, a)))
    cost = np.diag(problem.weights[:, 3])
    slope = -problem.weights[:, 3] * problem.wanted[:, 3]
    for column, matrix in enumerate(response):
        weighted = matrix.T * problem.weights[:, column]
        cost += weighted @ matrix
        slope += weighted @ (coasting[:, column] - problem.wanted[:, column])
    low, high = problem.low[:, :3] - coasting, problem.high[:, :3] - coasting
    bounded = np.isfinite(low) | np.isfinite(high)
    rows = np.concatenate([matrix[bounded[:, column]] for column, matrix in enumerate(response)])
    bounds = [low.T[bounded.T], high.T[bounded.T], problem.low[:, 3], problem.high[:, 3]]
    for mixed in problem.mixed:
        parts = [mixed.share[:, column, None] * matrix for column, matrix in enumerate(response)]
        rows = np.concatenate((rows, parts[0] + parts[1] + parts[2]))
        free = (mixed.share * coasting).sum(axis=1)
        bounds[:2] = np.concatenate((bounds[0], mixed.low - free)), np.concatenate((bounds[1], mixed.high - free))
    if any((low > high).any() for low, high in (bounds[:2], bounds[2:])):
        return None
    ends, aim = None, None
    if problem.end is not None:
        ends, aim = np.stack([matrix[-1] for matrix in response]), problem.end - coasting[-1]
    solver = piqp.DenseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = 1e-6
    solver.settings.max_iter = 40
    solver.setup(cost, slope, ends, aim, rows, *bounds)
    status = solver.solve()
    found = np.array(solver.result.x)
    return found if status == piqp.PIQP_SOLVED and np.isfinite(found).all() else None


def states(
    start: Float[Array, "3"], step: float, jerks: Float[Array, " jerk"], at: Float[Array, " place"]
) -> Float[Array, "place 3"]:
    """Value, rate and second rate at places from the start; beyond the last interval with the second rate held."""
    unit, count = basis(len(jerks)), len(jerks)
    after = step * np.arange(1, count + 1)
    x, v, a = start
    knots = np.empty((count + 1, 3))
    knots[0] = start
    knots[1:, 0] = x + after * (v + 0.5 * after * a) + step**3 * (unit.value @ jerks)
    knots[1:, 1] = v + after * a + step**2 * (unit.rate @ jerks)
    knots[1:, 2] = a + step * (unit.bend @ jerks)
    k = np.clip((at / step).astype(np.int64), 0, count)
    u, j = at - k * step, np.append(jerks, 0.0)[k]
    x, v, a = knots[k].T
    return np.column_stack((x + u * (v + u * (0.5 * a + u * j / 6.0)), v + u * (a + 0.5 * u * j), a + u * j))
