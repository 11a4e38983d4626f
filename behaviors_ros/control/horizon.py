"""Linear quadratic problems over a horizon, varying in time: by a Riccati iteration, or within bounds as a programme.

    x[k+1] = A[k] x[k] + B[k] u[k] + d[k],   least sum of |x[k+1] - wanted[k+1]|^2 in weights[k+1] + weight u[k]^2

Source of the iteration: B. D. O. Anderson, J. B. Moore, Optimal Control: Linear Quadratic Methods, 1990, chapter 4 (the
tracking problem). Without bounds that act, both find the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
import piqp
from jaxtyping import Float
from numba import njit

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Horizon:
    """A problem. Rows of wanted and weights, and the bounds on the last state, are those after each step; the input has
    one bound.
    """

    start: Float[Array, "state"]
    transition: Float[Array, "step state state"]
    inlet: Float[Array, "step state"]
    drift: Float[Array, "step state"]
    wanted: Float[Array, "step state"]
    weights: Float[Array, "step state"]
    weight: float
    last_low: float
    last_high: float
    input_max: float


@dataclass(frozen=True, eq=False)
class Solution:
    """Inputs, and the states after each step."""

    inputs: Float[Array, " step"]
    states: Float[Array, "step state"]


def feedback(problem: Horizon) -> Solution:
    """The best inputs without bounds."""
    gains, fixed = riccati(
        problem.transition, problem.inlet, problem.drift, problem.wanted, problem.weights, problem.weight
    )
    return Solution(*rolled_out(problem.start, problem.transition, problem.inlet, problem.drift, gains, fixed))


def bounded(problem: Horizon, iterations: int, precision: float) -> Solution | None:
    """The best inputs within the bounds; None where the solver does not find them.

    States are eliminated, so that a solution needs no equations. Set up afresh each time: see docs/decisions/0009.
    """
    free, response = condensed(problem.start, problem.transition, problem.inlet, problem.drift)
    count, size = problem.wanted.shape
    flat = response.reshape(count * size, count)
    weighted = flat * problem.weights.reshape(-1, 1)
    cost = flat.T @ weighted + problem.weight * np.eye(count)
    slope = weighted.T @ (free - problem.wanted).ravel()
    rows, reach = np.ascontiguousarray(response[:, -1]), free[:, -1]
    most = np.full(count, problem.input_max)
    solver = piqp.DenseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = precision
    solver.settings.max_iter = iterations
    solver.setup(cost, slope, None, None, rows, problem.last_low - reach, problem.last_high - reach, -most, most)
    status = solver.solve()
    inputs = np.array(solver.result.x)
    if status != piqp.PIQP_SOLVED or not np.isfinite(inputs).all():
        return None
    return Solution(inputs, free + (flat @ inputs).reshape(count, size))


@no_type_check
@njit(cache=True)
def riccati(transition, inlet, drift, wanted, weights, weight):
    """Gains (step, state) and fixed parts (step,) of the best inputs u = -gain x - fixed.

    Backwards from the end, with the cost to go x' P x + 2 p' x.
    """
    steps, size = wanted.shape
    gains, fixed = np.zeros((steps, size)), np.zeros(steps)
    big, small = np.zeros((size, size)), np.zeros(size)
    for k in range(steps - 1, -1, -1):
        for i in range(size):
            big[i, i] += weights[k, i]
            small[i] -= weights[k, i] * wanted[k, i]
        a, b, d = transition[k], inlet[k], drift[k]
        cost, after = np.zeros((size, size)), np.zeros(size)  # P A, P d + p
        through = np.zeros(size)  # P B
        for i in range(size):
            after[i] = small[i]
            for j in range(size):
                through[i] += big[i, j] * b[j]
                after[i] += big[i, j] * d[j]
                for m in range(size):
                    cost[i, m] += big[i, j] * a[j, m]
        scale = weight
        for i in range(size):
            scale += b[i] * through[i]
        for i in range(size):
            fixed[k] += b[i] * after[i] / scale
            for j in range(size):
                gains[k, j] += b[i] * cost[i, j] / scale
        big, small = np.zeros((size, size)), np.zeros(size)
        for i in range(size):
            for j in range(size):
                small[i] += a[j, i] * (after[j] - through[j] * fixed[k])
                for m in range(size):
                    big[i, m] += a[j, i] * (cost[j, m] - through[j] * gains[k, m])
    return gains, fixed


@no_type_check
@njit(cache=True)
def rolled_out(start, transition, inlet, drift, gains, fixed):
    """Inputs and states of the feedback law."""
    steps, size = gains.shape
    inputs, states = np.zeros(steps), np.zeros((steps, size))
    state = start.copy()
    for k in range(steps):
        inputs[k] = -fixed[k]
        for i in range(size):
            inputs[k] -= gains[k, i] * state[i]
        for i in range(size):
            states[k, i] = drift[k, i] + inlet[k, i] * inputs[k]
            for j in range(size):
                states[k, i] += transition[k, i, j] * state[j]
        state = states[k].copy()
    return inputs, states


@no_type_check
@njit(cache=True)
def condensed(start, transition, inlet, drift):
    """States (step, state) without inputs, and their response (step, state, step) to the inputs."""
    steps, size = inlet.shape
    free, response = np.zeros((steps, size)), np.zeros((steps, size, steps))
    for k in range(steps):
        for i in range(size):
            free[k, i] = drift[k, i]
            response[k, i, k] = inlet[k, i]
            for j in range(size):
                free[k, i] += transition[k, i, j] * (start[j] if k == 0 else free[k - 1, j])
                for m in range(k):
                    response[k, i, m] += transition[k, i, j] * response[k - 1, j, m]
    return free, response
