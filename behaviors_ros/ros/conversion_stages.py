"""Messages <-> datatypes: the sets that the stages exchange (predictions, candidates, scores).

Positions travel as float32 offsets from a whole-metre origin. That is exact for values that went through
`datatypes.rounded` within 2 km of the origin: 2^-13 m times 2^24, the integers a float32 holds exactly, is 2048 m.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Candidates, Decisions, Degraded, EgoState, Plan, Predictions, Scores
from behaviors_ros.errors import InputError
from behaviors_ros.msg import CandidateTrajectories, InputStamps, PredictedObjects, StageTimes, TrajectoryScores
from behaviors_ros.ros.conversion import (
    Bounds,
    header,
    identifier_bytes,
    identifiers,
    nanoseconds,
    packed,
    time_message,
    unpacked,
)
from behaviors_ros.scoring.explanation import Lost, why_not

STAGES = ("prediction", "generation", "scoring")


@dataclass(frozen=True)
class Inputs:
    """Stamps of the inputs of one cycle, in ns, 0 where absent; `odometry` is the cycle's now."""

    tracks: int
    odometry: int
    signals: int = 0
    route: int = 0
    previous_plan_id: int = 0


@dataclass(frozen=True)
class Cycle:
    """What every planning message of a cycle carries along: counter, inputs, wall time by stage, degraded modes."""

    number: int
    inputs: Inputs
    times_s: dict[str, float] = field(default_factory=dict)
    degraded: Degraded = Degraded.NONE


def inputs_message(inputs: Inputs) -> InputStamps:
    """Input stamps as a message."""
    return InputStamps(
        tracks=time_message(inputs.tracks),
        odometry=time_message(inputs.odometry),
        signals=time_message(inputs.signals),
        route=time_message(inputs.route),
        previous_plan_id=inputs.previous_plan_id,
    )


def inputs(message: InputStamps) -> Inputs:
    """Input stamps of a message."""
    return Inputs(
        tracks=nanoseconds(message.tracks),
        odometry=nanoseconds(message.odometry),
        signals=nanoseconds(message.signals),
        route=nanoseconds(message.route),
        previous_plan_id=int(message.previous_plan_id),
    )


def times_message(times_s: dict[str, float]) -> StageTimes:
    """Stage times as a message, NaN where a stage has not run."""
    return StageTimes(**{f"{stage}_s": float(times_s.get(stage, math.nan)) for stage in STAGES})


def times(message: StageTimes) -> dict[str, float]:
    """Stage times of a message, only of stages that have run."""
    found = {stage: float(getattr(message, f"{stage}_s")) for stage in STAGES}
    return {stage: seconds for stage, seconds in found.items() if math.isfinite(seconds)}


def plan_number(number: int, bounds: Bounds = Bounds()) -> int:
    """The number of a cycle or plan; one so large that none could follow raises `InputError`."""
    if number > bounds.number_max:
        raise InputError("cycle", "number", f"is {number}", f"count from 1, at most {bounds.number_max}")
    return int(number)


def cycle(message: Any) -> Cycle:
    """What a planning message carries along; the selected trajectory calls its counter `plan_id`."""
    number = plan_number(message.plan_id if hasattr(message, "plan_id") else message.cycle)
    plan_number(message.inputs.previous_plan_id)
    return Cycle(int(number), inputs(message.inputs), times(message.times), Degraded(int(message.degraded)))


def origin_of(ego: EgoState) -> Float[np.ndarray, "2"]:
    """The whole-metre origin that positions of a cycle are offsets from, m."""
    return np.floor(ego.position)


def _carried(of: Cycle, stamp_ns: int) -> dict[str, Any]:
    return {
        "header": header(stamp_ns),
        "cycle": of.number,
        "inputs": inputs_message(of.inputs),
        "times": times_message(of.times_s),
        "degraded": int(of.degraded),
    }


def _grid(time_s: np.ndarray, origin: np.ndarray) -> dict[str, Any]:
    step = float(time_s[1]) if len(time_s) > 1 else 0.0
    return {
        "num_steps": len(time_s), "time_step_s": step, "origin_x": float(origin[0]), "origin_y": float(origin[1]),
    }  # fmt: skip


def _time(message: Any, source: str, bounds: Bounds = Bounds()) -> Float[np.ndarray, "step"]:
    """The time grid of a set, s; one that is no grid raises `InputError`, and so does an origin beyond the bounds."""
    if not (2 <= message.num_steps <= bounds.steps_max and 0.0 < message.time_step_s <= bounds.time_step_max_s):
        raise InputError(
            source, "num_steps, time_step_s", f"are {message.num_steps}, {message.time_step_s:g}", "send a time grid"
        )
    if not all(abs(origin) <= bounds.position_max_m for origin in (message.origin_x, message.origin_y)):
        raise InputError(source, "origin_x, origin_y", "is not finite or too far", "send it in the map frame, in m")
    return np.arange(int(message.num_steps)) * float(message.time_step_s)


def _position(message: Any, source: str, shape: tuple[int, ...]) -> np.ndarray:
    x = unpacked(source, "x", message.x, shape) + message.origin_x
    y = unpacked(source, "y", message.y, shape) + message.origin_y
    return np.stack([x, y], axis=-1)


# --- predictions -----------------------------------------------------------------------------------------------------


def predictions_message(found: Predictions, of: Cycle, predictor: str, origin: np.ndarray) -> PredictedObjects:
    """Predictions as a message."""
    covariance = found.covariance[..., [0, 0, 1], [0, 1, 1]]
    return PredictedObjects(
        **_carried(of, found.stamp_ns),
        **_grid(found.time_s, origin),
        predictor=predictor,
        model_hash=found.model_hash,
        num_objects=len(found),
        num_modes=found.valid.shape[1],
        object_id=identifier_bytes(found.id),
        classification=packed("B", found.kind),
        length_m=packed("f", found.length),
        width_m=packed("f", found.width),
        probability=packed("f", np.where(found.valid, found.probability, 0.0)),
        intent=packed("B", found.intent),
        x=packed("f", found.position[..., 0] - origin[0]),
        y=packed("f", found.position[..., 1] - origin[1]),
        yaw_rad=packed("f", found.yaw),
        speed_mps=packed("f", found.speed),
        covariance_m2=packed("f", covariance),
    )


def predictions(message: PredictedObjects, bounds: Bounds = Bounds()) -> Predictions:
    """Predictions of a message; a mode is valid where its probability is positive and its numbers within the bounds."""
    n, k, t = int(message.num_objects), int(message.num_modes), int(message.num_steps)

    def read(name: str, *shape: int) -> np.ndarray:
        return unpacked("predictions", name, getattr(message, name), shape)

    time_s, position = _time(message, "predictions"), _position(message, "predictions", (n, k, t))
    probability, covariance = read("probability", n, k), read("covariance_m2", n, k, t, 3)
    yaw, speed = read("yaw_rad", n, k, t), read("speed_mps", n, k, t)
    valid = probability > 0.0
    for numbers in (position, yaw, speed, covariance):
        valid &= (np.abs(numbers) <= bounds.position_max_m).all(axis=tuple(range(2, numbers.ndim)))
    return Predictions(
        stamp_ns=nanoseconds(message.header.stamp),
        time_s=time_s,
        id=identifiers("predictions", message.object_id, n),
        kind=read("classification", n),
        length=read("length_m", n),
        width=read("width_m", n),
        valid=valid,
        probability=probability,
        intent=read("intent", n, k),
        position=position,
        yaw=yaw,
        speed=speed,
        covariance=np.ascontiguousarray(covariance[..., [0, 1, 1, 2]]).reshape(n, k, t, 2, 2),
        model_hash=message.model_hash,
        degraded=Degraded(int(message.degraded)),
    )


# --- candidates ------------------------------------------------------------------------------------------------------

_CANDIDATE_FIELDS = (
    ("yaw", "yaw_rad"), ("speed", "speed_mps"), ("acceleration", "acceleration_mps2"), ("curvature", "curvature_1pm"),
    ("s", "s_m"), ("d", "d_m"),
)  # fmt: skip


def candidates_message(found: Candidates, of: Cycle, origin: np.ndarray) -> CandidateTrajectories:
    """Candidates as a message."""
    return CandidateTrajectories(
        **_carried(of, found.stamp_ns),
        **_grid(found.time_s, origin),
        num_candidates=len(found),
        generator=list(found.generator),
        label=list(found.label),
        is_stop=found.is_stop.tolist(),
        x=packed("f", found.position[..., 0] - origin[0]),
        y=packed("f", found.position[..., 1] - origin[1]),
        **{name: packed("f", getattr(found, ours)) for ours, name in _CANDIDATE_FIELDS},
    )


def candidates(message: CandidateTrajectories) -> Candidates:
    """Candidates of a message; sizes that disagree and numbers that are not finite raise `InputError`."""
    n, t = int(message.num_candidates), int(message.num_steps)
    fields = {ours: unpacked("candidates", name, getattr(message, name), (n, t)) for ours, name in _CANDIDATE_FIELDS}
    position = _position(message, "candidates", (n, t))
    if len(message.generator) != n or len(message.label) != n:
        raise InputError("candidates", "generator, label", "have other sizes than num_candidates", "send one each")
    if not n or not all(np.isfinite(numbers).all() for numbers in (position, *fields.values())):
        raise InputError("candidates", "values", "are not finite", "send candidates that can be driven")
    return Candidates(
        stamp_ns=nanoseconds(message.header.stamp),
        time_s=_time(message, "candidates"),
        generator=tuple(message.generator),
        label=tuple(message.label),
        is_stop=unpacked("candidates", "is_stop", message.is_stop, (n,)).astype(bool),
        position=position,
        **fields,
    )


# --- scores ----------------------------------------------------------------------------------------------------------


def scores_message(found: Scores, offered: Candidates, plan: Plan, of: Cycle) -> TrajectoryScores:
    """The score table of a cycle, with what each row means and why it lost."""
    reasons = why_not(offered, found, plan.index, plan.outcome)
    message = TrajectoryScores(
        **_carried(of, plan.stamp_ns),
        num_candidates=len(offered),
        gates=list(found.gates),
        passed=found.passed.ravel().tolist(),
        gate_value=packed("f", found.value),
        gate_limit=packed("f", found.limit),
        gate_unit=list(found.units or [""] * len(found.gates)),
        scorers=list(found.scorers),
        raw=packed("f", found.raw),
        score=packed("f", found.score),
        weight=packed("f", found.weight),
        total=packed("f", found.total),
        selected=plan.index,
        generator=list(offered.generator),
        label=list(offered.label),
        lost=packed("B", reasons.code),
        lost_by=packed("h", reasons.which),
    )
    if plan.decisions is not None:
        message.subjects = list(plan.decisions.subjects)
        message.manoeuvre, message.subject = packed("B", plan.decisions.manoeuvre), packed("h", plan.decisions.subject)
    return message


def scores(message: TrajectoryScores) -> Scores:
    """The score table of a message."""
    n, g, m = int(message.num_candidates), len(message.gates), len(message.scorers)

    def read(name: str, *shape: int) -> np.ndarray:
        return unpacked("scores", name, getattr(message, name), shape)

    evaluated = read("lost", n) != Lost.NOT_EVALUATED
    return Scores(
        gates=tuple(message.gates),
        passed=read("passed", n, g).astype(bool),
        value=read("gate_value", n, g),
        limit=read("gate_limit", g),
        scorers=tuple(message.scorers),
        raw=read("raw", n, m),
        score=read("score", n, m),
        weight=read("weight", m),
        total=read("total", n),
        evaluated=None if evaluated.all() else evaluated,
        units=tuple(message.gate_unit),
    )


def decisions(message: TrajectoryScores) -> Decisions | None:
    """What every candidate of a score table means, without its order with the agents; None where it is not told."""
    n = int(message.num_candidates)
    if not message.manoeuvre:
        return None
    order = np.zeros((n, 0), dtype=np.int64)
    return Decisions(
        tuple(message.subjects), unpacked("scores", "manoeuvre", message.manoeuvre, (n,)),
        unpacked("scores", "subject", message.subject, (n,)), np.full(n, np.nan), order, order > 0, order > 0,
        np.full(n, np.nan),
    )  # fmt: skip
