"""Why each candidate lost: one code and one number of a plugin a candidate, in words on demand."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import Candidates, Outcome, Scores
from behaviors_ros.scoring.footprint import finite

Array = np.ndarray


class Lost(IntEnum):
    """Why a candidate does not drive."""

    SELECTED = 0  # it drives
    GATE = 1  # it breaks a gate, the first one is named
    SCORER = 2  # it has a lower total; the scorer that costs it most against the selected one is named
    HYSTERESIS = 3  # it has a higher total, but not by enough to leave the previous decision
    GENTLER = 4  # the selected stop is gentler or does less harm
    NOT_FINITE = 5  # it has an entry that is not a number
    NOT_EVALUATED = 6  # there was no time to score it
    WAITED = 7  # it has a higher total, but the ego has waited for long and the selected one gets farther


class Reasons(NamedTuple):
    """code: `Lost`; which: index of the gate or scorer, -1 none; behind: total of the selected one less its own."""

    code: Int[Array, "candidate"]
    which: Int[Array, "candidate"]
    behind: Float[Array, "candidate"]


def why_not(candidates: Candidates, scores: Scores, index: int, outcome: Outcome) -> Reasons:
    """For every candidate why not it but `index` was selected, with what outcome."""
    count = len(candidates)
    failed = ~scores.passed
    weight = scores.weight / max(scores.weight.sum(), 1e-12)
    loss = (scores.score[index] - scores.score) * weight
    broken = failed.any(axis=1)
    which = np.argmax(failed, axis=1) if failed.shape[1] else np.full(count, -1)
    costliest = np.argmax(loss, axis=1) if loss.shape[1] else np.full(count, -1)
    behind = scores.total[index] - scores.total
    kept = Lost.WAITED if outcome == Outcome.SELECTED else Lost.HYSTERESIS
    code = np.where(broken, Lost.GATE, np.where(behind < 0.0, kept, Lost.SCORER))
    if outcome in (Outcome.STOPPING, Outcome.EMERGENCY):
        code = np.where(broken & scores.admissible[index], code, Lost.GENTLER)
    code[~finite(candidates)] = Lost.NOT_FINITE
    if scores.evaluated is not None:
        code[~scores.evaluated] = Lost.NOT_EVALUATED
    code[index] = Lost.SELECTED
    which = np.where(broken & (code != Lost.NOT_FINITE), which, costliest)
    named = (code == Lost.GATE) | (code == Lost.SCORER) | ((code == Lost.GENTLER) & broken)
    return Reasons(code, np.where(named, which, -1), behind)


def in_words(scores: Scores, reasons: Reasons, index: int, selected: int) -> str:
    """Why candidate `index` lost to `selected`: "breaks collision (1.4 s < 3 s)", "is 0.03 behind, 0.02 by comfort"."""
    code, which = Lost(int(reasons.code[index])), int(reasons.which[index])
    if code == Lost.GATE or (code == Lost.GENTLER and which >= 0):
        return broken_gate(scores, index, which)
    if code == Lost.SCORER and which < 0:
        return f"is {reasons.behind[index]:.3f} behind"
    if code == Lost.SCORER:
        weight = scores.weight[which] / scores.weight.sum()
        part = (scores.score[selected, which] - scores.score[index, which]) * weight
        return f"is {reasons.behind[index]:.3f} behind, {part:.3f} by {scores.scorers[which]}"
    if code == Lost.HYSTERESIS:
        return f"leads by {-reasons.behind[index]:.3f}, too little to change"
    if code == Lost.WAITED:
        return f"leads by {-reasons.behind[index]:.3f}, but the ego has waited for long"
    if code == Lost.GENTLER:
        return "is less gentle"
    return {Lost.NOT_FINITE: "not finite", Lost.NOT_EVALUATED: "not evaluated", Lost.SELECTED: "selected"}[code]


def broken_gate(scores: Scores, index: int, gate: int) -> str:
    """A broken gate with what was compared: "breaks signals (4.2 m > 0.5 m)"."""
    value, limit = scores.value[index, gate], scores.limit[gate]
    unit = f" {scores.units[gate]}" if scores.units and scores.units[gate] else ""
    if np.isnan(value):
        return f"breaks {scores.gates[gate]} (unknown)"
    sign = "<" if value < limit else ">"
    return f"breaks {scores.gates[gate]} ({value:.3g}{unit} {sign} {limit:.3g}{unit})"
