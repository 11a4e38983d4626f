"""The degradation ladder of the controls bridge, as pure functions of (state, inputs, now).

Rungs, and what is handed on in each:

    STANDBY         nothing: no plan has been accepted yet
    NOMINAL         the selected trajectory, while it is fresh, within `valid_until` and under the vehicle
    DEGRADED        the same, while the plan was made without one of its inputs
    COMFORT_STOP    the standing safe stop that came with the last accepted plan
    EMERGENCY_STOP  a stop of the bridge's own from odometry, or the stop of least harm where the planner finds no other

Down at once; up only after `recover_plans` (COMFORT_STOP) or `emergency_recover_plans` accepted plans in a row, and
from DEGRADED after `degraded_exit_s` of plans without a degraded mode.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from behaviors_ros.control.stop import BridgeStop, own_stop
from behaviors_ros.control.validation import NS, Limits, continuity, validate, validate_stop
from behaviors_ros.datatypes import Degraded, EgoState, Mode, Outcome, Plan, Predictions, Trajectory
from behaviors_ros.parameters import Parameters, Vehicle, value


class Ladder(Parameters):
    """When the bridge goes down the ladder and when up again."""

    silence_max_s: float = value(0.175, "time without a new plan after which the stop is handed on", low=0.02, high=2.0)
    plan_age_max_s: float = value(0.3, "age of a plan's stamp after which the stop is handed on", low=0.05, high=2.0)
    odometry_age_max_s: float = value(
        0.2, "age of odometry after which the vehicle is driven blind to a stop", low=0.02, high=2.0
    )
    future_max_s: float = value(0.1, "a plan stamped further ahead of the clock is refused", low=0.0, high=1.0)
    recover_plans: int = value(2, "accepted plans in a row that end a comfortable stop", low=1, high=100)
    emergency_recover_plans: int = value(5, "accepted plans in a row that end an emergency stop", low=1, high=100)
    degraded_exit_s: float = value(1.0, "time without a degraded mode that ends DEGRADED", low=0.0, high=30.0)
    period_s: float = value(0.1, "planning period; a longer gap counts as missed cycles", low=0.02, high=1.0)
    stop: BridgeStop = BridgeStop()


@dataclass(frozen=True, eq=False)
class BridgeState:
    """What the bridge remembers between two calls, a value.

    plan: the last accepted one; arrived_ns: when; streak: plans accepted in a row since the last gap or refusal;
    stop: its own stop while it drives one; clear_ns: since when plans carry no degraded mode; refused: the latest plan
    was, for the reason `rejection`.
    """

    mode: Mode = Mode.STANDBY
    reason: str = "no plan yet"
    plan: Plan | None = None
    arrived_ns: int = 0
    streak: int = 0
    stop: Trajectory | None = None
    clear_ns: int = 0
    cycles: int = 0
    missed: int = 0
    rejected: int = 0
    rejection: str = ""
    refused: bool = False


def receive(
    state: BridgeState, plan: Plan, ego: EgoState | None, predictions: Predictions | None, now_ns: int,
    ladder: Ladder, vehicle: Vehicle, limits: Limits,
) -> BridgeState:  # fmt: skip
    """The state after a plan arrived: accepted, or refused, counted, named. A second one of a stamp is passed over."""
    if state.plan is not None and plan.stamp_ns == state.plan.stamp_ns:
        return state
    state = replace(state, cycles=state.cycles + 1)
    refusal = _refusal(state, plan, ego, predictions, now_ns, ladder, vehicle, limits)
    if refusal:
        return replace(
            state, rejected=state.rejected + 1, rejection=f"plan {plan.plan_id}: {refusal}", refused=True, streak=0
        )
    gap_s = (now_ns - state.arrived_ns) / NS
    missed = max(0, round(gap_s / ladder.period_s) - 1) if state.plan is not None else 0
    streak = 0 if plan.outcome is Outcome.EMERGENCY else 1 if gap_s > ladder.silence_max_s else state.streak + 1
    clear = now_ns if plan.degraded or state.plan is None or state.plan.degraded else state.clear_ns
    return replace(
        state, plan=plan, arrived_ns=now_ns, streak=streak, clear_ns=clear, refused=False, missed=state.missed + missed
    )


def _refusal(
    state: BridgeState, plan: Plan, ego: EgoState | None, predictions: Predictions | None, now_ns: int,
    ladder: Ladder, vehicle: Vehicle, limits: Limits,
) -> str:  # fmt: skip
    if ego is None:
        return "no odometry to check it against"
    if plan.stamp_ns > now_ns + ladder.future_max_s * NS:
        return f"stamped {(plan.stamp_ns - now_ns) / NS:.2f} s ahead of the clock"
    backwards = state.plan is not None and plan.stamp_ns <= state.plan.stamp_ns
    if backwards and state.plan is not None and state.plan.stamp_ns <= now_ns + ladder.future_max_s * NS:
        return "not newer than the plan before"
    if plan.outcome is Outcome.EMERGENCY:
        return validate_stop(plan.trajectory, ego, vehicle, limits).reason
    return validate(plan.trajectory, ego, predictions, vehicle, limits).reason


def step(
    state: BridgeState, ego: EgoState | None, now_ns: int, ladder: Ladder, vehicle: Vehicle, limits: Limits
) -> tuple[BridgeState, Trajectory | None]:
    """The rung now, and the trajectory to hand on in it (None in STANDBY). Called at the bridge's rate."""
    plan = state.plan
    if plan is None or ego is None:
        waiting = "no plan yet" if ego is not None else "no odometry yet"
        return replace(state, mode=Mode.STANDBY, reason=state.rejection or waiting), None
    cause = _stopping_cause(state, plan, ego, now_ns, ladder, limits)
    if cause:
        return _stopping(replace(state, streak=0), plan, ego, now_ns, cause, ladder, vehicle, limits)
    if plan.outcome is Outcome.EMERGENCY:
        return replace(state, mode=Mode.EMERGENCY_STOP, reason=plan.reason, stop=None), plan.trajectory
    needed = {Mode.COMFORT_STOP: ladder.recover_plans, Mode.EMERGENCY_STOP: ladder.emergency_recover_plans}
    if state.streak < needed.get(state.mode, 0):
        cause = f"recovering: {state.streak} of {needed[state.mode]} plans"
        return _stopping(state, plan, ego, now_ns, cause, ladder, vehicle, limits)
    return _driving(state, plan, now_ns, ladder), plan.trajectory


def _stopping_cause(state: BridgeState, plan: Plan, ego: EgoState, now_ns: int, ladder: Ladder, limits: Limits) -> str:
    """Why the selected trajectory may not be followed any more; empty while it may."""
    silence_s, age_s = (now_ns - state.arrived_ns) / NS, (now_ns - plan.stamp_ns) / NS
    if silence_s > ladder.silence_max_s:
        return f"no accepted plan for {silence_s:.2f} s" + (f" ({state.rejection})" if state.refused else "")
    if age_s > ladder.plan_age_max_s:
        return f"plan is {age_s:.2f} s old"
    if now_ns > plan.valid_until_ns:
        return "plan is past its validity"
    if _blind(ego, now_ns, ladder):
        return f"odometry is {(now_ns - ego.stamp_ns) / NS:.2f} s old"
    off = continuity(plan.trajectory, ego, limits)
    return "" if off.passed else f"vehicle left the trajectory: {off.reason}"


def _blind(ego: EgoState, now_ns: int, ladder: Ladder) -> bool:
    return now_ns - ego.stamp_ns > ladder.odometry_age_max_s * NS


def _stopping(
    state: BridgeState,
    plan: Plan,
    ego: EgoState,
    now_ns: int,
    cause: str,
    ladder: Ladder,
    vehicle: Vehicle,
    limits: Limits,
) -> tuple[BridgeState, Trajectory]:
    """The standing stop while the vehicle is on it, else a stop of our own; an own stop is kept while it fits."""
    blind = _blind(ego, now_ns, ladder)
    ends_ns = plan.stamp_ns + round(plan.stop.time_s[-1] * NS)
    fault = validate_stop(plan.stop, ego, vehicle, limits)
    planned = fault.passed and now_ns <= ends_ns
    if planned and state.stop is None:
        mode = Mode.EMERGENCY_STOP if blind or state.mode is Mode.EMERGENCY_STOP else Mode.COMFORT_STOP
        return replace(state, mode=mode, reason=cause), plan.stop
    standing = abs(ego.speed) <= limits.standing_mps
    mode = Mode.COMFORT_STOP if standing and state.mode is not Mode.EMERGENCY_STOP else Mode.EMERGENCY_STOP
    own = state.stop
    if not fault.passed and not standing:
        cause += f"; the standing stop cannot be driven: {fault.reason}"
    if own is None or not continuity(own, ego, limits).passed:
        own = own_stop(ego, vehicle, ladder.stop)
    return replace(state, mode=mode, reason=cause, stop=own), own


def _driving(state: BridgeState, plan: Plan, now_ns: int, ladder: Ladder) -> BridgeState:
    lately = state.mode is Mode.DEGRADED and now_ns - state.clear_ns < ladder.degraded_exit_s * NS
    if plan.degraded or lately:
        names = ", ".join(str(flag.name).lower().replace("_", " ") for flag in Degraded if flag & plan.degraded)
        return replace(state, mode=Mode.DEGRADED, reason=names or "degraded mode ended, waiting", stop=None)
    return replace(state, mode=Mode.NOMINAL, reason=plan.reason, stop=None)


def plan_age_s(state: BridgeState, now_ns: int) -> float:
    """Age of the plan that is handed on, s; NaN without one."""
    return float("nan") if state.plan is None else float(np.float64(now_ns - state.plan.stamp_ns) / NS)
