"""Scene, Predictions -> Candidates: all generators together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import cast, no_type_check

import numpy as np
from jaxtyping import Int
from numba import njit

from behaviors_ros.datatypes import Array, Candidates, Grid, Predictions, Scene, rounded
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.generation.interface import Generator, Refiner
from behaviors_ros.generation.minimal_risk_stop import MinimalRiskStop
from behaviors_ros.generation.motions import together

ALWAYS = ("minimal_risk_stop", "previous")


def generate(
    scene: Scene, predictions: Predictions, grid: Grid, generators: Sequence[Generator],
    remaining_s: Callable[[], float] | None = None,
) -> Candidates:  # fmt: skip
    """The candidates of all generators in their order, with the precision of a message; of equal ones one.

    remaining_s: tells the time left, s; when it is used up, the generators not yet asked are left out, but for those of
    ALWAYS, which are asked first then. Raises `BehaviorsError` when no generator made any: `minimal_risk_stop` always
    does and belongs in the list.
    """
    order = list(range(len(generators)))
    if remaining_s is not None:
        order.sort(key=lambda k: generators[k].name not in ALWAYS)
    made_by: dict[int, Candidates] = {}
    for k in order:
        generator = generators[k]
        if remaining_s is not None and generator.name not in ALWAYS and remaining_s() <= 0.0:
            break
        # Asking by name: isinstance of a protocol costs as much as a generator's own work.
        if hasattr(generator, "refine"):
            before = [made_by[i] for i in sorted(made_by) if i < k]
            made_by[k] = cast(Refiner, generator).refine(scene, predictions, grid, before)
        else:
            made_by[k] = generator.generate(scene, predictions, grid)
    groups = [made_by[k] for k in sorted(made_by) if len(made_by[k])]
    if not groups:
        raise BehaviorsError("no generator made a candidate; add minimal_risk_stop to generators")
    made = together(groups)
    made = rounded(made.take(distinct(made)))
    assert isinstance(made, Candidates)
    return made


def distinct(candidates: Candidates, instants: int = 7, quantum: float = 1e-3) -> Int[Array, "chosen"]:
    """One of each set of equal motions: the same position and speed to a `quantum` (m, m/s) at some instants.

    A limit, a leader or a halt often makes motions equal that were meant to differ. The generator and path that make
    a motion first keep it, with the last of their labels: that of the highest speed aimed at. What others make too is
    no stop of minimal risk.
    """
    numbers: dict[tuple[str, str], int] = {}
    paths = (label.partition(",")[0] for label in candidates.label)
    made_by = zip(candidates.generator, paths, strict=True)
    origin = np.array([numbers.setdefault(each, len(numbers)) for each in made_by], dtype=np.int64)
    last_resort = [name == MinimalRiskStop.name for name in candidates.generator]
    order = np.argsort(last_resort, kind="stable")
    steps = _instants(len(candidates.time_s), instants)
    kept = np.empty(len(candidates), dtype=np.int64)
    count = _first_of_each(candidates.position, candidates.speed, steps, quantum, origin, order, kept)
    return np.sort(kept[:count])


@cache
def _instants(steps: int, instants: int) -> Int[Array, "instant"]:
    """So many steps but the first one, spread over the grid."""
    return np.unique(np.linspace(0, steps - 1, min(instants, steps)).round().astype(np.int64))[1:]


@no_type_check
@njit(cache=True)
def _first_of_each(position, speed, steps, quantum, origin, order, kept):  # pragma: no cover (compiled)
    """Fill `kept` with a row of each motion and return how many there are."""
    keys, count = np.empty((len(order), 3 * len(steps))), 0
    for row in order:
        for k in range(len(steps)):
            at = 3 * k
            keys[count, at] = np.rint(position[row, steps[k], 0] / quantum)
            keys[count, at + 1] = np.rint(position[row, steps[k], 1] / quantum)
            keys[count, at + 2] = np.rint(speed[row, steps[k]] / quantum)
        same = -1
        for other in range(count):
            different = False
            for at in range(keys.shape[1] - 1, -1, -1):  # motions differ at their ends
                if keys[other, at] != keys[count, at]:
                    different = True
                    break
            if not different:
                same = other
                break
        if same < 0:
            kept[count] = row
            count += 1
        elif origin[kept[same]] == origin[row]:
            kept[same] = row
    return count
