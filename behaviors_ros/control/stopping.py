"""Why the bridge stops, how long it does, and which stop it hands on."""

from __future__ import annotations

from dataclasses import replace

from behaviors_ros.control.ladder import STOPS, BridgeState, Ladder, Seen, on_rung, within
from behaviors_ros.control.stop import own_stop
from behaviors_ros.control.validation import NS, Limits, Validation, clear, continuity, validate_stop
from behaviors_ros.datatypes import EgoState, Mode, Plan, Trajectory
from behaviors_ros.parameters import Vehicle


def stopping_cause(state: BridgeState, plan: Plan, ego: EgoState, seen: Seen, ladder: Ladder, limits: Limits) -> str:
    """Why the selected trajectory may not be followed any more; empty while it may."""
    now_ns = seen.now_ns
    if _blind(ego, now_ns, ladder):
        return f"odometry is {(now_ns - ego.stamp_ns) / NS:.2f} s old"
    silence_s, age_s = (now_ns - state.arrived_ns) / NS, (now_ns - plan.stamp_ns) / NS
    if silence_s < -ladder.future_max_s:
        return f"the clock went back by {-silence_s:.2f} s"
    if silence_s > ladder.silence_max_s:
        return f"no accepted plan for {silence_s:.2f} s" + (f" ({state.rejection})" if state.refused else "")
    # Who dies after its part of a cycle is missed from then on, not from the arrival of the plan that came of it.
    for name, heard_ns in seen.heard_ns.items():
        if (now_ns - heard_ns) / NS > ladder.silence_max_s:
            return f"no {name} for {(now_ns - heard_ns) / NS:.2f} s"
    if age_s > ladder.plan_age_max_s:
        return f"plan is {age_s:.2f} s old"
    if now_ns > plan.valid_until_ns:
        return "plan is past its validity"
    off = continuity(plan.trajectory, ego, limits)
    return "" if off.passed else f"vehicle left the trajectory: {off.reason}"


def recovering(state: BridgeState, ego: EgoState, seen: Seen, ladder: Ladder, limits: Limits) -> str:
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
    stops = len(within(state.stops_ns, seen.now_ns, ladder.unsteady_window_s))
    if stops >= ladder.unsteady_stops and abs(ego.speed) > limits.standing_mps:
        return f"{stops} stops within {ladder.unsteady_window_s:.0f} s: driving on from standstill only"
    return ""


def stopping(
    state: BridgeState, plan: Plan, ego: EgoState, seen: Seen, cause: str, ladder: Ladder, vehicle: Vehicle,
    limits: Limits,
) -> tuple[BridgeState, Trajectory]:  # fmt: skip
    """The standing stop while the vehicle is on it, else a stop of our own; an own stop is kept while it fits."""
    unseen = _blind(ego, seen.now_ns, ladder)
    ends_ns = plan.stamp_ns + round(plan.stop.time_s[-1] * NS)
    fault = validate_stop(plan.stop, ego, vehicle, limits)
    if fault.passed and not unseen:
        fault = _avoidable(plan.stop, ego, seen, ladder, vehicle, limits)
    planned = fault.passed and seen.now_ns <= ends_ns
    if planned and state.stop is None:
        mode = Mode.EMERGENCY_STOP if unseen or state.mode is Mode.EMERGENCY_STOP else Mode.COMFORT_STOP
        return on_rung(state, mode, cause, seen, ladder), plan.stop
    standing = abs(ego.speed) <= limits.standing_mps
    mode = Mode.COMFORT_STOP if standing and state.mode is not Mode.EMERGENCY_STOP else Mode.EMERGENCY_STOP
    own = state.stop
    if unseen and state.mode in STOPS and state.handed is not None:
        # Where the vehicle is now is not known: the stop that it drives ends standing, another would begin elsewhere.
        return on_rung(state, Mode.EMERGENCY_STOP, cause, seen, ladder), state.handed
    if not fault.passed and not standing:
        cause += f"; the standing stop cannot be driven: {fault.reason}"
    if own is None or not continuity(own, ego, limits).passed:
        own = own_stop(ego, vehicle, ladder.stop)
    return replace(on_rung(state, mode, cause, seen, ladder), stop=own), own


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


def _blind(ego: EgoState, now_ns: int, ladder: Ladder) -> bool:
    return now_ns - ego.stamp_ns > ladder.odometry_age_max_s * NS
