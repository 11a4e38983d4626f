"""What a drive's page tells of decisions: that of a cycle, what each candidate means and why it lost, a timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from behaviors_ros.datatypes import Candidates, Plan
from behaviors_ros.scoring.explanation import in_words, why_not
from behaviors_ros.scoring.reason import meaning_of, phrase, short


@runtime_checkable
class Decided(Protocol):
    """What is told of one planning cycle."""

    @property
    def candidates(self) -> Candidates: ...  # noqa: D102
    @property
    def plan(self) -> Plan: ...  # noqa: D102


def decision_of(plan: Plan) -> dict[str, Any] | None:
    """A plan's decision in words, its kind, how long it has been held, s, and whom the ego goes before and behind."""
    found = plan.decision
    if found is None:
        return None
    return {
        "words": phrase(found.manoeuvre, found.subject), "kind": found.manoeuvre.name,
        "held": round((plan.stamp_ns - found.since_ns) * 1e-9, 1), "lead": round(found.lead, 3),
        "before": [short(name) for name in found.before], "behind": [short(name) for name in found.behind],
        "evaluated": plan.evaluated,
    }  # fmt: skip


def told(cycle: Decided, rows: Sequence[int]) -> list[dict[str, str]]:
    """Of the candidates `rows` what each means ("m") and why it lost ("l"); what is not known is left out."""
    plan, scores = cycle.plan, cycle.plan.scores
    reasons = why_not(cycle.candidates, scores, plan.index, plan.outcome) if scores is not None else None
    words = []
    for row in rows:
        entry = {} if plan.decisions is None else {"m": meaning_of(plan.decisions, row)}
        if scores is not None and reasons is not None:
            entry["l"] = in_words(scores, reasons, row, plan.index)
        words.append(entry)
    return words


def timeline(frames: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Stretches of one decision over frames of the page: from and to, s, kind and words."""
    stretches: list[dict[str, Any]] = []
    for at, found in ((frame["t"], frame["decision"]) for frame in frames if frame["decision"]):
        if stretches:
            stretches[-1]["to"] = at
        if not stretches or stretches[-1]["words"] != found["words"]:
            stretches.append({"from": at, "to": at, "kind": found["kind"], "words": found["words"]})
    return stretches
