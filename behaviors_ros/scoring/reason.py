"""The decision and its reason in words."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Candidates, Decision, Decisions, Manoeuvre, Order, Outcome, Scores
from behaviors_ros.scoring.explanation import in_words, why_not

PHRASES = {
    Manoeuvre.KEEP_LANE: "keep lane",
    Manoeuvre.FOLLOW: "follow {}",
    Manoeuvre.YIELD: "yield to {}",
    Manoeuvre.PASS_BEFORE: "pass before {}",
    Manoeuvre.STOP: "stop for {}",
    Manoeuvre.CHANGE_LEFT: "change to the left lane",
    Manoeuvre.CHANGE_RIGHT: "change to the right lane",
    Manoeuvre.PASS_LEFT: "pass {} on the left",
    Manoeuvre.PASS_RIGHT: "pass {} on the right",
    Manoeuvre.RETURN: "return to the lane",
    Manoeuvre.CREEP: "creep",
    Manoeuvre.PULL_OVER: "pull over",
    Manoeuvre.MINIMAL_RISK_STOP: "minimal-risk stop",
    Manoeuvre.EMERGENCY_STOP: "emergency stop",
}

WAITING = (Manoeuvre.FOLLOW, Manoeuvre.YIELD, Manoeuvre.STOP, Manoeuvre.CREEP, Manoeuvre.MINIMAL_RISK_STOP)


def short(subject: str) -> str:
    """An agent's id (32 hex digits) by its first four that tell it apart, leading zeros left out; a place as it is."""
    return (subject.lstrip("0")[:4] or "0") if len(subject) == 32 and " " not in subject else subject


def phrase(manoeuvre: Manoeuvre, subject: str, order: Order = Order.NEVER) -> str:
    """A decision in words: "yield to 3fa2", "change to the left lane before 12ab"."""
    words = PHRASES[manoeuvre]
    if "{}" in words:
        return words.format(short(subject)) if subject else words.replace(" {}", "")
    if not subject:
        return words
    preposition = "to" if manoeuvre == Manoeuvre.CREEP else "behind" if order == Order.BEHIND else "before"
    return f"{words} {preposition} {short(subject)}"


def meaning_of(decisions: Decisions, index: int) -> str:
    """What a candidate means, in words."""
    subject = int(decisions.subject[index])
    is_agent = 0 <= subject < decisions.order.shape[1]
    order = Order(int(decisions.order[index, subject])) if is_agent else Order.NEVER
    return phrase(Manoeuvre(int(decisions.manoeuvre[index])), decisions.subject_of(index), order)


def explain(
    candidates: Candidates, scores: Scores, decisions: Decisions, index: int, outcome: Outcome, decision: Decision
) -> str:
    """One line: the decision, when its subject is met, and why the best other decision lost; what gates forbade."""
    parts = [_decided(candidates, scores, decisions, index, outcome), _forbidden(candidates, scores)]
    return f"{_titled(decisions, index, decision)}: " + "; ".join(part for part in parts if part)


def _titled(decisions: Decisions, index: int, decision: Decision) -> str:
    """The decision; with the time at which an agent comes into the way, or the ego halts."""
    if decision.manoeuvre != decisions.manoeuvre[index]:
        return phrase(decision.manoeuvre, decision.subject)
    words, at_s = meaning_of(decisions, index), float(decisions.at_s[index])
    verbs = {Manoeuvre.YIELD: "comes", Manoeuvre.PASS_BEFORE: "comes", Manoeuvre.STOP: "halts"}
    verb = verbs.get(decision.manoeuvre)
    return f"{words} ({verb} in {at_s:.1f} s)" if verb and np.isfinite(at_s) and at_s > 0.0 else words


def _decided(candidates: Candidates, scores: Scores, decisions: Decisions, index: int, outcome: Outcome) -> str:
    """What made the difference."""
    if outcome == Outcome.EMERGENCY:
        return f"nothing is admissible, the stop with the least harm drives (it breaks {_broken(scores, index)})"
    if outcome == Outcome.STOPPING:
        return "only minimal-risk stops are admissible, the gentlest drives"
    rival = rival_of(scores, decisions, index)
    if rival < 0:
        return "every candidate means this"
    words = meaning_of(decisions, rival) if other_decision(decisions, index)[rival] else "getting farther"
    return f"{words} {in_words(scores, why_not(candidates, scores, index, outcome), rival, index)}"


def other_decision(decisions: Decisions, index: int) -> np.ndarray:
    """Candidates (candidate,) that mean something else than candidate `index`."""
    return (decisions.manoeuvre != decisions.manoeuvre[index]) | (decisions.subject != decisions.subject[index])


def _waits_for_agent(decisions: Decisions, index: int) -> bool:
    """Whether the subject of a candidate is an agent."""
    return 0 <= int(decisions.subject[index]) < decisions.order.shape[1]


def rival_of(scores: Scores, decisions: Decisions, index: int) -> int:
    """The candidate of another decision that came nearest, -1 without one.

    The best admissible one, else the one that breaks the fewest gates, by the mean of its scores. Where the ego waits,
    one that gets farther is asked for, before the agent if it can be, and of the same decision if there is no other.
    """
    others = other_decision(decisions, index)
    if decisions.manoeuvre[index] in WAITING:
        farther = decisions.travelled > decisions.travelled[index] + 1.0
        agent = int(decisions.subject[index]) if _waits_for_agent(decisions, index) else -1
        before = decisions.order[:, agent] == Order.BEFORE if agent >= 0 else others
        others = next((some for some in (farther & others & before, farther & others, farther) if some.any()), others)
    if scores.evaluated is not None:
        others &= scores.evaluated
    if not others.any():
        return -1
    broken = (~scores.passed).sum(axis=1)
    mean = scores.score @ (scores.weight / max(scores.weight.sum(), 1e-12))
    return int(np.lexsort((-mean, broken, ~others))[0])


def _forbidden(candidates: Candidates, scores: Scores) -> str:
    """How many candidates each gate forbids first, the most frequent gate first."""
    out = ~scores.passed.all(axis=1)
    if scores.evaluated is not None:
        out &= scores.evaluated
    if not out.any():
        return ""
    failed = ~scores.passed[out]
    first = np.where(failed.any(axis=1), np.argmax(failed, axis=1), -1) if failed.shape[1] else np.full(len(failed), -1)
    gates, counts = np.unique(first, return_counts=True)
    listed = sorted(zip(-counts, gates, strict=True))
    words = ", ".join(f"{scores.gates[gate] if gate >= 0 else 'not finite'} {-count}" for count, gate in listed)
    return f"forbidden of {len(candidates)}: {words}"


def _broken(scores: Scores, index: int) -> str:
    """Names of the gates a candidate breaks."""
    return ", ".join(np.array(scores.gates)[~scores.passed[index]]) or "none"
