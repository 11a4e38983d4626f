"""Whether the bridge takes a plan: fresh, newer, valid under the vehicle, clear of who is predicted, and no jump."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from behaviors_ros.control.handover import distance_to, jump
from behaviors_ros.control.ladder import BridgeState, Ladder, Seen, within
from behaviors_ros.control.validation import NS, Limits, validate, validate_stop
from behaviors_ros.datatypes import EgoState, Mode, Outcome, Plan, Trajectory
from behaviors_ros.parameters import Vehicle


def receive(
    state: BridgeState, plan: Plan, seen: Seen, ladder: Ladder, vehicle: Vehicle, limits: Limits
) -> BridgeState:
    """The state after a plan arrived: accepted, or refused, counted, named. A second one of a stamp is passed over."""
    if state.plan is not None and plan.stamp_ns == state.plan.stamp_ns:
        return state
    state, now_ns = replace(state, cycles=state.cycles + 1), seen.now_ns
    refusal = _refusal(state, plan, seen, ladder, vehicle, limits)
    if refusal:
        reason = f"plan {plan.plan_id}: {refusal}"
        return replace(state, rejected=state.rejected + 1, rejection=reason, refused=True, streak=0)
    gap_s = (now_ns - state.arrived_ns) / NS
    missed = max(0, round(gap_s / ladder.period_s) - 1) if state.plan is not None else 0
    streak = 0 if plan.outcome is Outcome.EMERGENCY else 1 if gap_s > ladder.silence_max_s else state.streak + 1
    clear = now_ns if plan.degraded or state.plan is None or state.plan.degraded else state.clear_ns
    late = within((*state.late_ns, *(now_ns,) * min(missed, ladder.late_plans)), now_ns, ladder.degraded_exit_s)
    return replace(
        state, plan=plan, arrived_ns=now_ns, streak=streak, clear_ns=clear, refused=False, late_ns=late,
        missed=state.missed + missed,
    )  # fmt: skip


def _refusal(state: BridgeState, plan: Plan, seen: Seen, ladder: Ladder, vehicle: Vehicle, limits: Limits) -> str:
    now_ns, last = seen.now_ns, state.plan
    if seen.ego is None:
        return "no odometry to check it against"
    if plan.stamp_ns > now_ns + ladder.future_max_s * NS:
        return f"stamped {(plan.stamp_ns - now_ns) / NS:.2f} s ahead of the clock"
    if last is not None and plan.stamp_ns <= last.stamp_ns <= now_ns + ladder.future_max_s * NS:
        return "not newer than the plan before"
    wrong_stop = _form_of_stop(plan)
    if wrong_stop:
        return wrong_stop
    if plan.outcome is Outcome.EMERGENCY:
        return validate_stop(plan.trajectory, seen.ego, vehicle, limits).reason
    if seen.predictions is None:
        return "no predictions to check it against"
    apart_s = abs(plan.stamp_ns - seen.predictions.stamp_ns) / NS
    if apart_s > ladder.predictions_age_max_s:
        return f"the predictions to check it against are {apart_s:.2f} s away"
    found = validate(plan.trajectory, seen.ego, seen.predictions, vehicle, limits).reason
    return found or _jump(state, plan.trajectory, seen.ego, now_ns, ladder)


def _form_of_stop(plan: Plan) -> str:
    """Whether the standing stop is no trajectory at all; where it goes is judged when it is needed."""
    stop = plan.stop
    finite = all(np.isfinite(a).all() for a in (stop.time_s, stop.position, stop.yaw, stop.speed, stop.curvature))
    return "" if finite and len(stop.time_s) > 1 and (np.diff(stop.time_s) > 0.0).all() else "its stop is not one"


def _jump(state: BridgeState, trajectory: Trajectory, ego: EgoState, now_ns: int, ladder: Ladder) -> str:
    """Whether it leaves what is followed, and the vehicle as well. A plan that begins anew at the vehicle may jump."""
    if state.handed is None or state.mode not in (Mode.NOMINAL, Mode.DEGRADED):
        return ""
    apart_m, _ = jump(state.handed, trajectory, now_ns)
    away = distance_to(trajectory, ego) > distance_to(state.handed, ego) + 1e-3
    return f"jumps by {apart_m:.2f} m, away from the vehicle" if away and apart_m > ladder.jump_max_m else ""
