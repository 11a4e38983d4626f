"""Controls bridge node: hands the selected trajectory, or a stop, to the tracking controller at its own rate."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any

import numpy as np
from rclpy.clock import Clock, ClockType

from behaviors_ros.control.bridge import BridgeState, Ladder, Seen, plan_age_s, receive, step
from behaviors_ros.control.feedback import ControllerWatch, reported
from behaviors_ros.control.handover import from_vehicle
from behaviors_ros.control.odometry import OdometryLimits, OdometryWatch, watched
from behaviors_ros.control.stop import own_stop
from behaviors_ros.control.validation import Limits, validate
from behaviors_ros.datatypes import EgoState, Grid, Mode, Predictions, Trajectory
from behaviors_ros.errors import InputError
from behaviors_ros.msg import StackStatus
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros.conversion_stages import (
    STAGES,
    Inputs,
    inputs,
    inputs_message,
    predictions,
    times,
    times_message,
)
from behaviors_ros.ros.dialects.interface import HandedOn, each, opened
from behaviors_ros.ros.dialects.trajectory_outputs import TRAJECTORY_OUTPUTS, TrajectoryDialects
from behaviors_ros.ros.node import ERROR, OK, WARN, LifecycleAdapter
from behaviors_ros.ros.node import main as run_node
from behaviors_ros.ros.scene import SceneParameters, refusal
from behaviors_ros.ros.warm import warm_predictions, warm_scene

CATCH_UP_NS = 100_000_000  # wall time in which what waited for a process that stood still is heard
_LEVELS = {Mode.STANDBY: OK, Mode.NOMINAL: OK, Mode.DEGRADED: WARN, Mode.COMFORT_STOP: WARN, Mode.EMERGENCY_STOP: ERROR}


class BridgeParameters(Parameters):
    """Parameters of the controls bridge."""

    vehicle: Vehicle = Vehicle()
    ladder: Ladder = Ladder()
    limits: Limits = Limits()
    odometry: OdometryLimits = OdometryLimits()
    rate_hz: float = value(50.0, "rate at which the ladder is stepped", low=10.0, high=200.0)
    repeat_s: float = value(0.1, "a trajectory is published again after this time", low=0.01, high=0.2)
    behind_s: float = value(0.1, "how much of a trajectory is left behind the vehicle", low=0.0, high=1.0)
    stalled_s: float = value(
        0.3, "wall time for which simulated time may stand still before a stop is handed on", low=0.05, high=10.0
    )
    frame: str = value("map", "frame of odometry, predictions and plans")
    outputs: tuple[str, ...] = value((), f"dialects besides our trajectory and path: {', '.join(TRAJECTORY_OUTPUTS)}")
    dialects: TrajectoryDialects = TrajectoryDialects()


class BridgeNode(LifecycleAdapter):
    """Selected trajectory -> trajectory and path for the controller, status for all."""

    name = "controls_bridge"
    model = BridgeParameters

    def configure(self, parameters: BridgeParameters) -> None:
        """Start in standby."""
        self.parameters, self.vehicle = parameters, parameters.vehicle
        self.state = BridgeState()
        self.watch = OdometryWatch()
        self.ego: EgoState | None = None
        self.predictions: Predictions | None = None
        self._heard_ns: dict[str, int] = {}
        self.engaged = True
        self._controller = ControllerWatch()
        self._handed: tuple[Trajectory | None, int] = (None, 0)
        self._times: dict[str, float] = {}
        self._durations = {name: deque[float](maxlen=600) for name in (*STAGES, "latency")}
        self._made_from, self._latency_s, self._status_ns = Inputs(0, 0), math.nan, 0
        self._time_seen = (0, time.monotonic_ns())
        self._ticked_ns = 0
        self._ran_ns, self._woke_ns, self._time_waited, self._unheard = time.monotonic_ns(), 0, 0, False
        self._odometry_age_ns = round(parameters.ladder.odometry_age_max_s * conversion.NS)
        self._admission = SceneParameters(frame=parameters.frame, age_max_s=1.0)
        self._trajectory, self._path, self._status = (self.writes(name) for name in ("trajectory", "path", "status"))
        self._speak = each(self, opened(self, "outputs", parameters.outputs, TRAJECTORY_OUTPUTS, parameters.dialects))
        self.reads("odometry", self._odometry)
        self.reads("predictions", self._predictions)
        self.reads("candidates", self._candidates, raw=True)
        self.reads("selected", self._selected)
        self.reads("controller_state", self._reported)
        self.reads("engagement", self._engagement)
        self.every(1.0 / parameters.rate_hz, self._tick)
        self.every(0.1, self._look_at_the_clock, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._warm_up()

    def _warm_up(self) -> None:
        scene = warm_scene(None, self.vehicle)
        stop = own_stop(scene.ego, self.vehicle, self.parameters.ladder.stop)
        validate(stop, scene.ego, warm_predictions(scene, Grid()), self.vehicle, self.parameters.limits)
        conversion_plan.path_message(stop), conversion_plan.trajectory_message(stop, self.vehicle)

    # --- what is heard -----------------------------------------------------------------------------------------------

    def _odometry(self, message: Any) -> None:
        conversion.in_frame("odometry", message, self.parameters.frame)
        stamp, now = conversion.nanoseconds(message.header.stamp), self.now_ns
        if now == 0 or (self.ego is not None and stamp == self.ego.stamp_ns):
            return
        early_ns = round(self._admission.future_max_s * conversion.NS)  # beyond it the clock went back
        last = -1 if self.ego is None or self.ego.stamp_ns > now + early_ns else self.ego.stamp_ns
        reason = refusal(stamp, last, now, self._admission)
        if reason:
            raise InputError("odometry", "stamp", reason, "check clocks and transport")
        ego = conversion.ego_state(message, self.ego, self.vehicle)
        self.watch, reason = watched(self.watch, ego, self.parameters.odometry, self.vehicle)
        if reason:
            raise InputError("odometry", "pose", reason, "check localisation")
        self.ego = ego

    def _predictions(self, message: Any) -> None:
        self.predictions = None  # of predictions that cannot be read none are left to check a plan against
        conversion.in_frame("predictions", message, self.parameters.frame)
        self.predictions = predictions(message)
        self._heard_ns["predictions"] = self.now_ns

    def _candidates(self, _: bytes) -> None:
        """That there are candidates is a sign of life; what they are is none of the bridge's business."""
        self._heard_ns["candidates"] = self.now_ns

    def _reported(self, message: Any) -> None:
        self._controller = reported(self._controller, conversion_plan.controller_report(message), self.now_ns)

    def _engagement(self, message: Any) -> None:
        if self.engaged != message.engaged:
            self.engaged = bool(message.engaged)
            self.event("engaged", "vehicle", "follows" if self.engaged else "a driver drives")

    def _selected(self, message: Any) -> None:
        for found in (message, message.trajectory, message.stop):
            conversion.in_frame("selected", found, self.parameters.frame)
        plan, before = conversion_plan.plan(message), self.state
        self.state = receive(
            before, plan, self._situation(self.now_ns), self.parameters.ladder, self.vehicle, self.parameters.limits
        )  # fmt: skip
        if self.state.rejected > before.rejected:
            self.refuse("selected", self.state.rejection)
            return
        if self.state.missed > before.missed:
            self.event("late", "selected", f"{self.state.missed - before.missed} periods without a plan", WARN,
                       plan.plan_id)  # fmt: skip
        if self.state is not before:
            self._times, self._made_from = times(message.times), inputs(message.inputs)
        self._tick(fresh=True)

    def _situation(self, now_ns: int) -> Seen:
        return Seen(now_ns, self.ego, self.predictions, self.engaged, self._controller, dict(self._heard_ns))

    # --- what is said ------------------------------------------------------------------------------------------------

    def _tick(self, fresh: bool = False) -> None:
        """Step the ladder; publish what it says when it is another trajectory, or again after a while."""
        now, before = self.now_ns, self.state.mode
        starved, self._ticked_ns = now - self._ticked_ns > self._odometry_age_ns, now
        if (starved or self._catching_up()) and not fresh:
            return  # this process did not run: what has arrived meanwhile is heard first, the next tick is near
        self.state, trajectory = step(
            self.state, self._situation(now), self.parameters.ladder, self.vehicle, self.parameters.limits
        )  # fmt: skip
        if trajectory is not None:
            # A fresh answer is always heard, also of a simulator whose time stands still until it hears one.
            self._hand_on(trajectory, now, again=fresh or self._unheard)
        if fresh:
            self._measure()
        level = _LEVELS[self.state.mode]
        if self.state.mode != before:
            plan_id = self.state.plan.plan_id if self.state.plan else 0
            self.event("rung", self.state.mode.name, self.state.reason, level, plan_id)
            self.get_logger().info(f"{before.name} -> {self.state.mode.name}: {self.state.reason}")
        self.report(level, f"{self.state.mode.name}: {self.state.reason}")
        if fresh or trajectory is None or self.state.mode != before or not 0 <= now - self._status_ns < self._repeat_ns:
            self._publish_status(now)

    def _look_at_the_clock(self) -> None:
        """Where the node's clock stands still the timer does not fire: hand on what the ladder says as time goes on."""
        now, wall = self.now_ns, time.monotonic_ns()
        if self._catching_up():
            return
        if self._unheard:
            self._tick()
        if now != self._time_seen[0] or self.state.mode is Mode.STANDBY:
            self._time_seen = (now, wall)
            return
        stalled_ns = wall - self._time_seen[1]
        if stalled_ns < self.parameters.stalled_s * conversion.NS:
            return
        # The ladder itself stays where it is: once time goes on, the vehicle has not moved.
        _, trajectory = step(
            self.state, self._situation(now + stalled_ns), self.parameters.ladder, self.vehicle, self.parameters.limits
        )  # fmt: skip
        self.report(WARN, f"the clock has stood still for {stalled_ns / conversion.NS:.1f} s")
        if trajectory is not None:
            self._hand_on(trajectory, now, again=True)

    def _catching_up(self) -> bool:
        """Whether this process stood still a moment ago: a simulated clock is then as old as the plans that waited.

        Over once the clock has gone on after what waited was heard, or stands still.
        """
        if not self.get_clock().ros_time_is_active:
            return False
        wall, stalled_ns = time.monotonic_ns(), self.parameters.stalled_s * conversion.NS
        if wall - self._ran_ns > stalled_ns:
            self._woke_ns = wall
        self._ran_ns, awake_ns = wall, wall - self._woke_ns
        if awake_ns < CATCH_UP_NS:
            self._time_waited = self.now_ns
        return awake_ns < CATCH_UP_NS or (awake_ns < stalled_ns and self.now_ns == self._time_waited)

    def _hand_on(self, trajectory: Trajectory, now: int, again: bool) -> None:
        last, at = self._handed
        if trajectory is last and 0 <= now - at < self._repeat_ns and not again:
            return
        begun = trajectory
        if self.ego is not None:
            begun = from_vehicle(trajectory, self.ego.stamp_ns, self.parameters.behind_s)
        message, path = conversion_plan.trajectory_message(begun, self.vehicle), conversion_plan.path_message(begun)
        self._unheard = self._catching_up()
        if self._unheard:
            return
        self._trajectory.publish(message)
        self._path.publish(path)
        self._speak(HandedOn(begun, trajectory, now, self.ego, self.state.plan, self.state.mode, self.state.reason))
        self._handed = (trajectory, now)

    def _measure(self) -> None:
        self._latency_s = (self.now_ns - self._made_from.tracks) / conversion.NS
        for name, seconds in {**self._times, "latency": self._latency_s}.items():
            self._durations[name].append(seconds)

    def facts(self) -> dict[str, str]:
        """Median and 99th percentile of the stages' times and of the latency over the last minute of plans, ms."""
        found = {}
        for name, seconds in self._durations.items():
            if seconds:
                p50, p99 = np.percentile(np.array(seconds) * 1e3, (50, 99))
                found[f"{name} p50, p99"] = f"{p50:.1f}, {p99:.1f} ms"
        return found

    @property
    def _repeat_ns(self) -> int:
        return round(self.parameters.repeat_s * conversion.NS)

    def _publish_status(self, now: int) -> None:
        state, plan = self.state, self.state.plan
        self._status_ns = now
        self._status.publish(StackStatus(
            header=conversion.header(now), mode=int(state.mode), reason=state.reason, engaged=self.engaged,
            degraded=int(plan.degraded) if plan else 0, plan_id=plan.plan_id if plan else 0,
            plan_age_s=plan_age_s(state, now), inputs=inputs_message(self._made_from),
            valid_until=conversion.time_message(plan.valid_until_ns if plan else 0),
            times=times_message(self._times), latency_s=self._latency_s,
            cycles=state.cycles, missed_cycles=state.missed, rejected=state.rejected, rejection=state.rejection,
        ))  # fmt: skip


def main() -> None:
    """Run the node."""
    run_node(BridgeNode)


if __name__ == "__main__":
    main()
