"""Scene, Predictions -> Candidates: all generators together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from jaxtyping import Int

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
    last = len(candidates.time_s) - 1
    steps = np.unique(np.linspace(0, last, min(instants, last + 1)).round().astype(np.int64))[1:]
    columns = (candidates.position[:, steps, 0], candidates.position[:, steps, 1], candidates.speed[:, steps])
    keys = np.ascontiguousarray(np.round(np.concatenate(columns, axis=1) / quantum))
    last_resort = [name == MinimalRiskStop.name for name in candidates.generator]
    paths = (label.partition(",")[0] for label in candidates.label)
    origin = list(zip(candidates.generator, paths, strict=True))
    seen: dict[bytes, int] = {}
    for row in np.argsort(last_resort, kind="stable").tolist():
        key = keys[row].tobytes()
        kept = seen.setdefault(key, row)
        if origin[kept] == origin[row]:
            seen[key] = row
    return np.array(sorted(seen.values()), dtype=np.int64)
