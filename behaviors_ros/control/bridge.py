"""The degradation ladder of the controls bridge, as pure functions of (state, what is seen now).

Rungs, and what is handed on in each:

    STANDBY         nothing before the first plan; while a driver drives, the plan as long as it fits the vehicle
    NOMINAL         the selected trajectory, while it is fresh, within `valid_until` and under the vehicle
    DEGRADED        the same, while the plan was made without one of its inputs, or plans come late
    COMFORT_STOP    the standing safe stop that came with the last accepted plan
    EMERGENCY_STOP  a stop of the bridge's own from odometry, also where the standing stop would hit who braked since
                    and its own would not; or the planner's stop of least harm

Down at once; up only after a least time on the rung and `recover_plans` (COMFORT_STOP) or `emergency_recover_plans`
accepted plans in a row, from DEGRADED after `degraded_exit_s` of plans in time without a degraded mode. Who had to stop
`unsteady_stops` times within `unsteady_window_s` drives on only from standstill.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from behaviors_ros.control.drift import DriftLimits, SpeedDrift, drifted, gaining
from behaviors_ros.control.feedback import ControllerWatch, FeedbackLimits, not_following
from behaviors_ros.control.handover import distance_to, jump
from behaviors_ros.control.stop import BridgeStop, own_stop
from behaviors_ros.control.validation import (
    NS,
    Limits,
    Validation,
    clear,
    continuity,
    validate,
    validate_stop,
)
from behaviors_ros.datatypes import Degraded, EgoState, Mode, Outcome, Plan, Predictions, Trajectory
from behaviors_ros.parameters import Parameters, Vehicle, value

STOPS = (Mode.COMFORT_STOP, Mode.EMERGENCY_STOP)


class Ladder(Parameters):
    """When the bridge goes down the ladder and when up again."""

    silence_max_s: float = value(0.175, "time without a new plan after which the stop is handed on", low=0.02, high=2.0)
    plan_age_max_s: float = value(0.3, "age of a plan's stamp after which the stop is handed on", low=0.05, high=2.0)
    odometry_age_max_s: float = value(
        0.2, "age of odometry after which the vehicle is driven blind to a stop", low=0.02, high=2.0
    )
    predictions_age_max_s: float = value(
        0.3, "a plan is refused whose stamp is further from that of the predictions it is checked against",
        low=0.0, high=2.0,
    )  # fmt: skip
    future_max_s: float = value(0.1, "a plan stamped further ahead of the clock is refused", low=0.0, high=1.0)
    jump_max_m: float = value(
        0.5, "a plan is refused that is further from the one that is followed, and further from the vehicle",
        low=0.05, high=5.0,
    )  # fmt: skip
    recover_plans: int = value(2, "accepted plans in a row that end a comfortable stop", low=1, high=100)
    emergency_recover_plans: int = value(5, "accepted plans in a row that end an emergency stop", low=1, high=100)
    comfort_min_s: float = value(0.3, "least time of a comfortable stop", low=0.0, high=30.0)
    emergency_min_s: float = value(1.0, "least time of an emergency stop", low=0.0, high=30.0)
    unsteady_stops: int = value(3, "stops within the window after which it is driven on from standstill only",
                                low=1, high=100)  # fmt: skip
    unsteady_window_s: float = value(10.0, "window in which stops are counted", low=0.1, high=600.0)
    degraded_exit_s: float = value(1.0, "time without a degraded mode that ends DEGRADED", low=0.0, high=30.0)
    late_plans: int = value(2, "planning periods without a plan, within `degraded_exit_s`, that count as slow",
                            low=1, high=100)  # fmt: skip
    period_s: float = value(0.1, "planning period; a longer gap counts as missed cycles", low=0.02, high=1.0)
    stop: BridgeStop = BridgeStop()
    controller: FeedbackLimits = FeedbackLimits()
    drift: DriftLimits = DriftLimits()


@dataclass(frozen=True, eq=False)
class Seen:
    """What the bridge knows at `now_ns` besides plans; None: not heard yet.

    engaged: the vehicle follows, no driver drives; controller: what the controller reported.
    """

    now_ns: int
    ego: EgoState | None = None
    predictions: Predictions | None = None
    engaged: bool = True
    controller: ControllerWatch = ControllerWatch()


@dataclass(frozen=True, eq=False)
class BridgeState:
    """What the bridge remembers between two calls, a value.

    plan: the last accepted one; arrived_ns: when; streak: plans accepted in a row since the last gap or refusal;
    entered_ns: when the rung was entered; stops_ns: when stops were entered, within the window; late_ns: when plans
    were missed, within `degraded_exit_s`; handed: what was handed on last; stop: the bridge's own stop while it drives
    one; clear_ns: since when plans carry no degraded mode; refused: the latest plan was, for the reason `rejection`;
    drift: the speed that the vehicle gained by itself.
    """

    mode: Mode = Mode.STANDBY
    reason: str = "no plan yet"
    plan: Plan | None = None
    arrived_ns: int = 0
    streak: int = 0
    entered_ns: int = 0
    stops_ns: tuple[int, ...] = ()
    late_ns: tuple[int, ...] = ()
    handed: Trajectory | None = None
    stop: Trajectory | None = None
    clear_ns: int = 0
    cycles: int = 0
    missed: int = 0
    rejected: int = 0
    rejection: str = ""
    refused: bool = False
    drift: SpeedDrift = SpeedDrift()


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
    late = _within((*state.late_ns, *(now_ns,) * min(missed, ladder.late_plans)), now_ns, ladder.degraded_exit_s)
    return replace(
        state, plan=plan, arrived_ns=now_ns, streak=streak, clear_ns=clear, refused=False, late_ns=late,
        missed=state.missed + missed,
    )  # fmt: skip


def _within(stamps_ns: tuple[int, ...], now_ns: int, window_s: float) -> tuple[int, ...]:
    return tuple(stamp for stamp in stamps_ns if 0 <= now_ns - stamp <= window_s * NS)


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


def step(
    state: BridgeState, seen: Seen, ladder: Ladder, vehicle: Vehicle, limits: Limits
) -> tuple[BridgeState, Trajectory | None]:
    """The rung now, and the trajectory to hand on in it (None: nothing). Called at the bridge's rate."""
    plan, ego = state.plan, seen.ego
    state = replace(state, drift=_drift(state, seen, ladder))
    if plan is None or ego is None:
        waiting = "no plan yet" if ego is not None else "no odometry yet"
        after, trajectory = _on(state, Mode.STANDBY, state.rejection or waiting, seen, ladder), None
    elif not seen.engaged:
        after, trajectory = _manual(state, plan, ego, seen, ladder, limits)
    else:
        after, trajectory = _engaged(state, plan, ego, seen, ladder, vehicle, limits)
    return replace(after, handed=trajectory), trajectory


def _on(state: BridgeState, mode: Mode, reason: str, seen: Seen, ladder: Ladder) -> BridgeState:
    """The state on a rung, with what entering it means."""
    if mode is state.mode:
        return replace(state, reason=reason)
    stops = _within(state.stops_ns, seen.now_ns, ladder.unsteady_window_s)
    if mode in STOPS and state.mode not in STOPS:
        stops = (*stops, seen.now_ns)
    return replace(state, mode=mode, reason=reason, entered_ns=seen.now_ns, stops_ns=stops)


def _manual(
    state: BridgeState, plan: Plan, ego: EgoState, seen: Seen, ladder: Ladder, limits: Limits
) -> tuple[BridgeState, Trajectory | None]:
    """A driver drives: what would be followed is shown while it fits, so that engaging finds it under the vehicle."""
    state = replace(_on(state, Mode.STANDBY, "a driver drives", seen, ladder), stop=None, stops_ns=(), late_ns=())
    fits = not _stopping_cause(state, plan, ego, seen, ladder, limits)
    return state, plan.trajectory if fits else None


def _engaged(
    state: BridgeState, plan: Plan, ego: EgoState, seen: Seen, ladder: Ladder, vehicle: Vehicle, limits: Limits
) -> tuple[BridgeState, Trajectory]:
    cause = _stopping_cause(state, plan, ego, seen, ladder, limits)
    cause = cause or not_following(seen.controller, _asked_ns(state, seen), seen.now_ns, ladder.controller)
    cause = cause or gaining(state.drift, ladder.drift)
    if cause:
        return _stopping(replace(state, streak=0), plan, ego, seen, cause, ladder, vehicle, limits)
    if plan.outcome is Outcome.EMERGENCY:
        state = _on(state, Mode.EMERGENCY_STOP, plan.reason, seen, ladder)
        return replace(state, stop=None), plan.trajectory
    cause = _recovering(state, ego, seen, ladder, limits)
    if cause:
        return _stopping(state, plan, ego, seen, cause, ladder, vehicle, limits)
    return _driving(state, plan, seen, ladder), plan.trajectory


def _drift(state: BridgeState, seen: Seen, ladder: Ladder) -> SpeedDrift:
    """The drift now. A stop begins it anew; who gains speed again and again is held by `unsteady_stops`."""
    settled = seen.now_ns - state.entered_ns >= ladder.drift.settle_s * NS
    followed = state.handed if settled and state.mode in (Mode.NOMINAL, Mode.DEGRADED) else None
    return state.drift if seen.ego is None else drifted(state.drift, seen.ego, followed, ladder.drift)


def _asked_ns(state: BridgeState, seen: Seen) -> int:
    """Since when the controller has been handed what it can follow: in standby from now on, in a stop all the time."""
    return seen.now_ns if state.mode is Mode.STANDBY else 0 if state.mode in STOPS else state.entered_ns


def _stopping_cause(state: BridgeState, plan: Plan, ego: EgoState, seen: Seen, ladder: Ladder, limits: Limits) -> str:
    """Why the selected trajectory may not be followed any more; empty while it may."""
    now_ns = seen.now_ns
    if _blind(ego, now_ns, ladder):
        return f"odometry is {(now_ns - ego.stamp_ns) / NS:.2f} s old"
    silence_s, age_s = (now_ns - state.arrived_ns) / NS, (now_ns - plan.stamp_ns) / NS
    if silence_s < -ladder.future_max_s:
        return f"the clock went back by {-silence_s:.2f} s"
    if silence_s > ladder.silence_max_s:
        return f"no accepted plan for {silence_s:.2f} s" + (f" ({state.rejection})" if state.refused else "")
    if age_s > ladder.plan_age_max_s:
        return f"plan is {age_s:.2f} s old"
    if now_ns > plan.valid_until_ns:
        return "plan is past its validity"
    off = continuity(plan.trajectory, ego, limits)
    return "" if off.passed else f"vehicle left the trajectory: {off.reason}"


def _recovering(state: BridgeState, ego: EgoState, seen: Seen, ladder: Ladder, limits: Limits) -> str:
    """Why a stop goes on although its cause is gone; empty when it ends."""
    if state.mode not in STOPS:
        return ""
    comfort = state.mode is Mode.COMFORT_STOP
    needed = ladder.recover_plans if comfort else ladder.emergency_recover_plans
    least_s = ladder.comfort_min_s if comfort else ladder.emergency_min_s
    if state.streak < needed:
        return f"recovering: {state.streak} of {needed} plans"
    lasted_s = (seen.now_ns - state.entered_ns) / NS
    if 0.0 <= lasted_s < least_s:
        return f"recovering: {lasted_s:.1f} of {least_s:.1f} s"
    stops = len(_within(state.stops_ns, seen.now_ns, ladder.unsteady_window_s))
    if stops >= ladder.unsteady_stops and abs(ego.speed) > limits.standing_mps:
        return f"{stops} stops within {ladder.unsteady_window_s:.0f} s: driving on from standstill only"
    return ""


def _blind(ego: EgoState, now_ns: int, ladder: Ladder) -> bool:
    return now_ns - ego.stamp_ns > ladder.odometry_age_max_s * NS


def _stopping(
    state: BridgeState, plan: Plan, ego: EgoState, seen: Seen, cause: str, ladder: Ladder, vehicle: Vehicle,
    limits: Limits,
) -> tuple[BridgeState, Trajectory]:  # fmt: skip
    """The standing stop while the vehicle is on it, else a stop of our own; an own stop is kept while it fits."""
    blind = _blind(ego, seen.now_ns, ladder)
    ends_ns = plan.stamp_ns + round(plan.stop.time_s[-1] * NS)
    fault = validate_stop(plan.stop, ego, vehicle, limits)
    if fault.passed and not blind:
        fault = _avoidable(plan.stop, ego, seen, ladder, vehicle, limits)
    planned = fault.passed and seen.now_ns <= ends_ns
    if planned and state.stop is None:
        mode = Mode.EMERGENCY_STOP if blind or state.mode is Mode.EMERGENCY_STOP else Mode.COMFORT_STOP
        return _on(state, mode, cause, seen, ladder), plan.stop
    standing = abs(ego.speed) <= limits.standing_mps
    mode = Mode.COMFORT_STOP if standing and state.mode is not Mode.EMERGENCY_STOP else Mode.EMERGENCY_STOP
    own = state.stop
    if blind and state.mode in STOPS and state.handed is not None:
        # Where the vehicle is now is not known: the stop that it drives ends standing, another would begin elsewhere.
        return _on(state, Mode.EMERGENCY_STOP, cause, seen, ladder), state.handed
    if not fault.passed and not standing:
        cause += f"; the standing stop cannot be driven: {fault.reason}"
    if own is None or not continuity(own, ego, limits).passed:
        own = own_stop(ego, vehicle, ladder.stop)
    return replace(_on(state, mode, cause, seen, ladder), stop=own), own


def _avoidable(
    stop: Trajectory, ego: EgoState, seen: Seen, ladder: Ladder, vehicle: Vehicle, limits: Limits
) -> Validation:
    """A contact that the standing stop would have and one of our own would not: a car ahead has braked since."""
    predicted = seen.predictions
    if predicted is None or abs(seen.now_ns - predicted.stamp_ns) > ladder.predictions_age_max_s * NS:
        return Validation()
    contact = clear(stop, ego, predicted, vehicle, limits)
    harder = own_stop(ego, vehicle, ladder.stop)
    avoidable = not contact.passed and clear(harder, ego, predicted, vehicle, limits).passed
    return contact if avoidable else Validation()


def _driving(state: BridgeState, plan: Plan, seen: Seen, ladder: Ladder) -> BridgeState:
    late = _within(state.late_ns, seen.now_ns, ladder.degraded_exit_s)
    slow = len(late) >= ladder.late_plans
    lately = state.mode is Mode.DEGRADED and (late or 0 <= seen.now_ns - state.clear_ns < ladder.degraded_exit_s * NS)
    if not (plan.degraded or slow or lately):
        return replace(_on(state, Mode.NOMINAL, plan.reason, seen, ladder), stop=None)
    names = [str(flag.name).lower().replace("_", " ") for flag in Degraded if flag & plan.degraded]
    names += [f"{len(late)} planning periods without a plan"] if slow else []
    reason = ", ".join(names) or "degraded mode ended, waiting"
    return replace(_on(state, Mode.DEGRADED, reason, seen, ladder), stop=None)


def plan_age_s(state: BridgeState, now_ns: int) -> float:
    """Age of the plan that is handed on, s; NaN without one."""
    return float("nan") if state.plan is None else float(np.float64(now_ns - state.plan.stamp_ns) / NS)
