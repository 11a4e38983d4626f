"""Why a candidate drives, in words."""

from __future__ import annotations

from collections import Counter

import numpy as np

from behaviors_ros.datatypes import Candidates, Outcome, Scores


def explain(candidates: Candidates, scores: Scores, index: int, outcome: Outcome) -> str:
    """One line: the choice, what decided, and which gates forbade how many of the others."""
    parts = [_decided(candidates, scores, index, outcome), _forbidden(candidates, scores)]
    return f"{candidates.label[index]}: " + "; ".join(part for part in parts if part)


def _decided(candidates: Candidates, scores: Scores, index: int, outcome: Outcome) -> str:
    """What made the difference."""
    if outcome == Outcome.EMERGENCY:
        return f"nothing is admissible, the stop with the least harm drives (it breaks {_broken(scores, index)})"
    if outcome == Outcome.STOPPING:
        return "only minimal-risk stops are admissible, the gentlest drives"
    if scores.admissible.sum() == 1:
        return "the only admissible candidate"
    # Candidates with the same total drive alike: what was decided shows against the next best that differs.
    others = scores.admissible & ((np.abs(scores.total - scores.total[index]) > 1e-3) | (outcome == Outcome.KEPT))
    others[index] = False
    if not others.any():
        return "as good as every other admissible candidate"
    rival = int(np.argmax(np.where(others, scores.total, -1.0)))
    lead = scores.total[index] - scores.total[rival]
    if outcome == Outcome.KEPT:
        return f"continues the previous plan; '{candidates.label[rival]}' leads by {-lead:.3f}, too little to change"
    weight = scores.weight / max(scores.weight.sum(), 1e-12)
    gains = (scores.score[index] - scores.score[rival]) * weight
    scorer = scores.scorers[int(np.argmax(gains))]
    return f"ahead of '{candidates.label[rival]}' by {lead:.3f}, most by {scorer} ({gains.max():+.3f})"


def _forbidden(candidates: Candidates, scores: Scores) -> str:
    """How many candidates each gate forbids first, the most frequent gate first."""
    reasons = Counter(scores.first_reason(int(i)) for i in np.flatnonzero(~scores.admissible))
    if not reasons:
        return ""
    counts = ", ".join(f"{gate or 'not finite'} {count}" for gate, count in reasons.most_common())
    return f"forbidden of {len(candidates)}: {counts}"


def _broken(scores: Scores, index: int) -> str:
    """Names of the gates a candidate breaks."""
    return ", ".join(np.array(scores.gates)[~scores.passed[index]]) or "none"
