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

from dataclasses import replace

import numpy as np

from behaviors_ros.control.acceptance import receive
from behaviors_ros.control.drift import SpeedDrift, drifted, gaining
from behaviors_ros.control.feedback import not_following
from behaviors_ros.control.ladder import STOPS, BridgeState, Ladder, Seen, on_rung, within
from behaviors_ros.control.stopping import recovering, stopping, stopping_cause
from behaviors_ros.control.validation import NS, Limits
from behaviors_ros.datatypes import Degraded, EgoState, Mode, Outcome, Plan, Trajectory
from behaviors_ros.parameters import Vehicle

__all__ = ["BridgeState", "Ladder", "Seen", "plan_age_s", "receive", "step"]


def step(
    state: BridgeState, seen: Seen, ladder: Ladder, vehicle: Vehicle, limits: Limits
) -> tuple[BridgeState, Trajectory | None]:
    """The rung now, and the trajectory to hand on in it (None: nothing). Called at the bridge's rate."""
    plan, ego = state.plan, seen.ego
    state = replace(state, drift=_drift(state, seen, ladder))
    if plan is None or ego is None:
        waiting = "no plan yet" if ego is not None else "no odometry yet"
        after, trajectory = on_rung(state, Mode.STANDBY, state.rejection or waiting, seen, ladder), None
    elif not seen.engaged:
        after, trajectory = _manual(state, plan, ego, seen, ladder, limits)
    else:
        after, trajectory = _engaged(state, plan, ego, seen, ladder, vehicle, limits)
    return replace(after, handed=trajectory), trajectory


def _manual(
    state: BridgeState, plan: Plan, ego: EgoState, seen: Seen, ladder: Ladder, limits: Limits
) -> tuple[BridgeState, Trajectory | None]:
    """A driver drives: what would be followed is shown while it fits, so that engaging finds it under the vehicle."""
    state = replace(on_rung(state, Mode.STANDBY, "a driver drives", seen, ladder), stop=None, stops_ns=(), late_ns=())
    fits = not stopping_cause(state, plan, ego, seen, ladder, limits)
    return state, plan.trajectory if fits else None


def _engaged(
    state: BridgeState, plan: Plan, ego: EgoState, seen: Seen, ladder: Ladder, vehicle: Vehicle, limits: Limits
) -> tuple[BridgeState, Trajectory]:
    cause = stopping_cause(state, plan, ego, seen, ladder, limits)
    cause = cause or not_following(seen.controller, _asked_ns(state, seen), seen.now_ns, ladder.controller)
    cause = cause or gaining(state.drift, ladder.drift)
    if cause:
        return stopping(replace(state, streak=0), plan, ego, seen, cause, ladder, vehicle, limits)
    if plan.outcome is Outcome.EMERGENCY:
        state = on_rung(state, Mode.EMERGENCY_STOP, plan.reason, seen, ladder)
        return replace(state, stop=None), plan.trajectory
    cause = recovering(state, ego, seen, ladder, limits)
    if cause:
        return stopping(state, plan, ego, seen, cause, ladder, vehicle, limits)
    return _driving(state, plan, seen, ladder), plan.trajectory


def _drift(state: BridgeState, seen: Seen, ladder: Ladder) -> SpeedDrift:
    """The drift now. A stop begins it anew; who gains speed again and again is held by `unsteady_stops`."""
    settled = seen.now_ns - state.entered_ns >= ladder.drift.settle_s * NS
    followed = state.handed if settled and state.mode in (Mode.NOMINAL, Mode.DEGRADED) else None
    return state.drift if seen.ego is None else drifted(state.drift, seen.ego, followed, ladder.drift)


def _asked_ns(state: BridgeState, seen: Seen) -> int:
    """Since when the controller has been handed what it can follow: in standby from now on, in a stop all the time."""
    return seen.now_ns if state.mode is Mode.STANDBY else 0 if state.mode in STOPS else state.entered_ns


def _driving(state: BridgeState, plan: Plan, seen: Seen, ladder: Ladder) -> BridgeState:
    late = within(state.late_ns, seen.now_ns, ladder.degraded_exit_s)
    slow = len(late) >= ladder.late_plans
    lately = state.mode is Mode.DEGRADED and (late or 0 <= seen.now_ns - state.clear_ns < ladder.degraded_exit_s * NS)
    if not (plan.degraded or slow or lately):
        return replace(on_rung(state, Mode.NOMINAL, plan.reason, seen, ladder), stop=None)
    names = [str(flag.name).lower().replace("_", " ") for flag in Degraded if flag & plan.degraded]
    names += [f"{len(late)} planning periods without a plan"] if slow else []
    reason = ", ".join(names) or "degraded mode ended, waiting"
    return replace(on_rung(state, Mode.DEGRADED, reason, seen, ladder), stop=None)


def plan_age_s(state: BridgeState, now_ns: int) -> float:
    """Age of the plan that is handed on, s; NaN without one."""
    return float("nan") if state.plan is None else float(np.float64(now_ns - state.plan.stamp_ns) / NS)
