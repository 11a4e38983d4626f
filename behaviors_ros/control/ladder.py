"""What the bridge's ladder is made of: its numbers, what is seen, what is remembered, and entering a rung."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from behaviors_ros.control.drift import DriftLimits, SpeedDrift
from behaviors_ros.control.feedback import ControllerWatch, FeedbackLimits
from behaviors_ros.control.stop import BridgeStop
from behaviors_ros.control.validation import NS
from behaviors_ros.datatypes import EgoState, Mode, Plan, Predictions, Trajectory
from behaviors_ros.parameters import Parameters, value

STOPS = (Mode.COMFORT_STOP, Mode.EMERGENCY_STOP)


class Ladder(Parameters):
    """When the bridge goes down the ladder and when up again."""

    silence_max_s: float = value(
        0.175, "time without a new plan, new predictions or new candidates after which the stop is handed on",
        low=0.02, high=2.0,
    )  # fmt: skip
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

    engaged: the vehicle follows, no driver drives; controller: what the controller reported; heard_ns: when the latest
    output of each stage before the plan arrived, by name.
    """

    now_ns: int
    ego: EgoState | None = None
    predictions: Predictions | None = None
    engaged: bool = True
    controller: ControllerWatch = ControllerWatch()
    heard_ns: Mapping[str, int] = field(default_factory=dict)


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


def on_rung(state: BridgeState, mode: Mode, reason: str, seen: Seen, ladder: Ladder) -> BridgeState:
    """The state on a rung, with what entering it means."""
    if mode is state.mode:
        return replace(state, reason=reason)
    stops = within(state.stops_ns, seen.now_ns, ladder.unsteady_window_s)
    if mode in STOPS and state.mode not in STOPS:
        stops = (*stops, seen.now_ns)
    return replace(state, mode=mode, reason=reason, entered_ns=seen.now_ns, stops_ns=stops)


def within(stamps_ns: tuple[int, ...], now_ns: int, window_s: float) -> tuple[int, ...]:
    """The stamps of the last `window_s`."""
    return tuple(stamp for stamp in stamps_ns if 0 <= now_ns - stamp <= window_s * NS)
