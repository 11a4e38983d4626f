"""Gate: hold at red, at amber where a comfortable halt is possible, and at stop signs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import (
    Candidates,
    Outcome,
    Predictions,
    Scene,
    SignalColor,
    StopKind,
    StopPoint,
    Verdict,
)
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_most
from behaviors_ros.scoring.passage import can_hold, first_time, front_s, stops_ahead

Array = np.ndarray


class SignalsParameters(Parameters):
    """How signals and stop lines are read."""

    overrun_m: float = value(
        0.1, "distance of the bumper beyond the place to hold that still counts", low=0.0, high=5.0
    )
    hold_m: float = value(0.3, "the place to hold lies this far before a line", low=0.0, high=3.0)
    over_m: float = value(1.0, "a bumper farther beyond the line has passed it", low=0.0, high=5.0)
    over_mps: float = value(1.0, "who is over the line and slower than this goes no farther", low=0.0, high=5.0)
    amber_deceleration_mps2: float = value(3.0, "braking up to which amber obliges to halt", low=0.5, high=8.0)
    amber_s: float = value(3.0, "duration of amber after an announced end of green", low=0.0, high=10.0)
    green_margin_s: float = value(
        0.5, "time after an announced end of red before the line may be passed", low=0.0, high=5.0
    )
    age_max_s: float = value(1.0, "signals older than this are unknown", low=0.05, high=60.0)
    unknown_is_red: bool = value(True, "hold where the colour is not known")
    halt_window_m: float = value(
        1.5, "distance before a stop sign's line within which a halt counts", low=0.1, high=10.0
    )
    halt_speed_mps: float = value(0.1, "speed up to which the ego has halted", low=0.0, high=1.0)


@register("gate", "signals")
class Signals:
    """Value: how far the front bumper gets beyond a line that must be held, m; for who has come to stand just over it,
    how much farther it gets. Past it already: no duty to hold.
    """

    parameters = SignalsParameters
    unit = "m"

    def __init__(self, parameters: SignalsParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate."""
        front = front_s(candidates, self.vehicle)
        beyond = np.zeros(len(candidates))
        for stop in stops_ahead(scene.route, (StopKind.SIGNAL, StopKind.STOP_SIGN), candidates, self.vehicle):
            place = stop.s - self.p.hold_m
            line = place + self.p.overrun_m
            passing_s = first_time(front > line, candidates.time_s)
            over = (front[:, 0] > line) & (front[:, 0] <= stop.s + self.p.over_m)
            over &= np.abs(candidates.speed[:, 0]) <= self.p.over_mps
            permitted = self._permitted(scene, candidates, stop, front, passing_s) | ((front[:, 0] > line) & ~over)
            held = np.where(over, front[:, 0], place)
            beyond = np.maximum(beyond, np.where(permitted, 0.0, front.max(axis=1) - held))
        return at_most(beyond, self.p.overrun_m, candidates)

    def _permitted(
        self, scene: Scene, candidates: Candidates, stop: StopPoint, front: Array, passing_s: Array
    ) -> Bool[Array, "candidate"]:
        """Whether the line may be passed when each candidate passes it."""
        if stop.kind == StopKind.STOP_SIGN:
            return self._halted(candidates, stop, front) | self._halted_before(scene, candidates, stop)
        holds = can_hold(front[:, 0], candidates.speed[:, 0], stop.s + self.p.overrun_m, self.p.amber_deceleration_mps2)
        permitted = np.ones(len(candidates), dtype=bool)
        for group in stop.signals or (stop.id,):
            permitted &= self._open(*self._state(scene, group), passing_s, holds)
        return permitted

    def _state(self, scene: Scene, group: int) -> tuple[SignalColor, float]:
        """Colour of a group, and the time from now until it changes (s, infinite when not announced)."""
        signals = scene.signals
        age_s = np.inf if signals is None else abs(scene.stamp_ns - signals.stamp_ns) * 1e-9
        if signals is None or age_s > self.p.age_max_s or group not in signals.id:
            return SignalColor.UNKNOWN, np.inf
        change_s = float(signals.next_change_s[signals.id.index(group)])
        return signals.color_of(group), np.inf if np.isnan(change_s) else max(change_s - age_s, 0.0)

    def _open(self, color: SignalColor, change_s: float, passing_s: Array, holds: Array) -> Bool[Array, "candidate"]:
        """Whether the line may be passed at `passing_s`; `holds`: a comfortable halt is possible."""
        if color == SignalColor.GREEN:
            return passing_s < change_s + self.p.amber_s
        if color == SignalColor.AMBER:
            return ~holds & (passing_s < change_s)
        if color == SignalColor.RED:
            return (passing_s >= change_s + self.p.green_margin_s) & np.isfinite(passing_s)
        return np.full(len(passing_s), not self.p.unknown_is_red)

    def _halted(self, candidates: Candidates, stop: StopPoint, front: Float[Array, "candidate step"]) -> Array:
        """Candidates that stand in the window before the line, now or before they pass it."""
        window = (front > stop.s - self.p.halt_window_m) & (front <= stop.s + self.p.overrun_m)
        return (window & (np.abs(candidates.speed) <= self.p.halt_speed_mps)).any(axis=1)

    def _halted_before(self, scene: Scene, candidates: Candidates, stop: StopPoint) -> bool:
        """Whether the ego halted in an earlier cycle.

        The previous plan was admitted, so when it passes the line without a halt from now on, the halt is in the past.
        """
        previous = scene.previous
        if previous is None or previous.outcome not in (Outcome.SELECTED, Outcome.KEPT) or len(candidates) == 0:
            return False
        trajectory = previous.trajectory
        now_s = (scene.stamp_ns - trajectory.stamp_ns) * 1e-9
        ahead = trajectory.time_s > now_s + 1e-6
        s, _ = route_frame(scene.route).project_near(trajectory.position[ahead], candidates.s[0, 0], 100.0)
        front = s + self.vehicle.length_m - self.vehicle.rear_overhang_m
        before = front <= stop.s + self.p.overrun_m
        halts = before & (np.abs(trajectory.speed[ahead]) <= self.p.halt_speed_mps)
        return bool((~before).any() and not halts.any())
