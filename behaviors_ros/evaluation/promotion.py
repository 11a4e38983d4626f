"""Gates that a candidate model must pass against the active one before it may be promoted: open loop and closed loop.

Open loop: rows of `behaviors test`, one a predictor, class, horizon and K. Closed loop: two runs of the same scenarios.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.compare import FIGURES, Comparison
from behaviors_ros.parameters import Parameters, validated, value
from behaviors_ros.yaml_files import read_mapping

GATES = Path(__file__).with_name("promotion.yaml")
LESS_IS_BETTER = ("minade", "minfde", "miss_rate", "nll", "ece", "cpu_ms")
BETWEEN = ("coverage50", "coverage90")


class OpenGate(Parameters):
    """A figure of the predictions by themselves."""

    figure: str = value("minfde", "column of the rows: minade, minfde, miss_rate, nll, ece, cpu_ms, coverage50, ...")
    kind: str = Field(default="all", alias="class", description="class of road user, as car, or all")
    k: int = value(1, "number of modes that count", low=1, high=100)
    horizon_s: float = value(5.0, "horizon", low=0.1, high=60.0)
    worse: float | None = value(None, "largest loss against A, as a share of A's figure", low=0.0, high=10.0)
    lowest: float | None = value(None, "least value")
    highest: float | None = value(None, "largest value")


class ClosedGate(Parameters):
    """A figure of the drives."""

    figure: str = value("score", "name of a figure of `behaviors compare`")
    worse: float = value(0.0, "largest loss of the mean against A", low=0.0)


class Gates(Parameters):
    """All gates of a file."""

    open_loop: tuple[OpenGate, ...] = value((), "gates of the predictions")
    closed_loop: tuple[ClosedGate, ...] = value((), "gates of the drives")


@dataclass(frozen=True)
class Verdict:
    """One gate: what it asks, the figures of A and B (NaN: there is none), and whether B passes."""

    gate: str
    a: float
    b: float
    passed: bool


def read_gates(path: Path = GATES) -> Gates:
    """The gates of a YAML file; what is none raises InputError."""
    gates = validated(Gates, read_mapping(path, f"give a file as {GATES.name}"), str(path))
    _require_known(path, gates)
    return gates


def _require_known(path: Path, gates: Gates) -> None:
    closed = [name for name, *_ in FIGURES]
    for field, names, known in (
        ("open_loop", [gate.figure for gate in gates.open_loop], (*LESS_IS_BETTER, *BETWEEN)),
        ("closed_loop", [gate.figure for gate in gates.closed_loop], closed),
    ):
        for name in names:
            if name not in known:
                raise InputError(path, field, f"'{name}' is no figure", f"known: {', '.join(known)}")
    for gate in gates.open_loop:
        if gate.figure in BETWEEN and gate.worse is not None:
            raise InputError(path, "open_loop", f"'{gate.figure}' is not better when less", "give lowest and highest")


def open_loop(gates: Gates, a: Iterable[Mapping[str, Any]], b: Iterable[Mapping[str, Any]]) -> list[Verdict]:
    """Verdicts over two sets of rows; a figure that B lacks, or that is compared and A lacks, does not pass."""
    rows_a, rows_b = list(a), list(b)
    return [_open(gate, _figure(rows_a, gate), _figure(rows_b, gate)) for gate in gates.open_loop]


def closed_loop(gates: Gates, found: Comparison) -> list[Verdict]:
    """Verdicts over a comparison of runs; a figure that the runs lack does not pass."""
    more = {name: better for name, _, _, better in FIGURES}
    of = {difference.name: difference for difference in found.differences}
    verdicts = []
    for gate in gates.closed_loop:
        text = f"closed loop: {gate.figure} no more than {gate.worse:g} worse"
        if gate.figure not in of:
            verdicts.append(Verdict(text, math.nan, math.nan, False))
            continue
        pair = of[gate.figure]
        loss = pair.a - pair.b if more[gate.figure] else pair.b - pair.a
        verdicts.append(Verdict(text, pair.a, pair.b, loss <= gate.worse + 1e-12))
    return verdicts


def _open(gate: OpenGate, a: float, b: float) -> Verdict:
    asked = f"open loop: {gate.figure} of {gate.kind}, K = {gate.k} at {gate.horizon_s:g} s"
    passed = math.isfinite(b)
    if gate.worse is not None:
        asked += f", no more than {100.0 * gate.worse:g} % worse"
        passed = passed and math.isfinite(a) and b <= a + gate.worse * abs(a) + 1e-12
    if gate.lowest is not None:
        asked += f", at least {gate.lowest:g}"
        passed = passed and b >= gate.lowest
    if gate.highest is not None:
        asked += f", at most {gate.highest:g}"
        passed = passed and b <= gate.highest
    return Verdict(asked, a, b, passed)


def _figure(rows: list[Mapping[str, Any]], gate: OpenGate) -> float:
    for row in rows:
        same = row.get("class") == gate.kind and row.get("k") == gate.k and row.get("moving", "all") == "all"
        if same and math.isclose(float(row.get("horizon_s", math.nan)), gate.horizon_s):
            found = row.get(gate.figure)
            return math.nan if found is None else float(found)
    return math.nan
