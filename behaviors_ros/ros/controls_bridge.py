"""Controls bridge node: hands the selected trajectory, or a stop, to the tracking controller at its own rate."""

from __future__ import annotations

import math
from typing import Any

from behaviors_ros.control.bridge import BridgeState, Ladder, plan_age_s, receive, step
from behaviors_ros.control.stop import own_stop
from behaviors_ros.control.validation import Limits, validate
from behaviors_ros.datatypes import EgoState, Grid, Mode, Predictions, Trajectory
from behaviors_ros.errors import InputError
from behaviors_ros.msg import StackStatus
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros.conversion_stages import predictions, times, times_message
from behaviors_ros.ros.node import ERROR, OK, WARN, LifecycleAdapter
from behaviors_ros.ros.node import main as run_node
from behaviors_ros.ros.scene import SceneParameters, refusal
from behaviors_ros.ros.warm import warm_predictions, warm_scene

_LEVELS = {Mode.STANDBY: OK, Mode.NOMINAL: OK, Mode.DEGRADED: WARN, Mode.COMFORT_STOP: WARN, Mode.EMERGENCY_STOP: ERROR}


class BridgeParameters(Parameters):
    """Parameters of the controls bridge."""

    vehicle: Vehicle = Vehicle()
    ladder: Ladder = Ladder()
    limits: Limits = Limits()
    rate_hz: float = value(50.0, "rate at which the ladder is stepped", low=10.0, high=200.0)
    repeat_s: float = value(0.1, "an unchanged trajectory is published again after this time", low=0.01, high=0.2)
    frame: str = value("map", "frame of odometry and plans")


class BridgeNode(LifecycleAdapter):
    """Selected trajectory -> trajectory and path for the controller, status for all."""

    name = "controls_bridge"
    model = BridgeParameters

    def configure(self, parameters: BridgeParameters) -> None:
        """Start in standby."""
        self.parameters, self.vehicle = parameters, parameters.vehicle
        self.state = BridgeState()
        self.ego: EgoState | None = None
        self.predictions: Predictions | None = None
        self._handed: tuple[Trajectory | None, int] = (None, 0)
        self._times: dict[str, float] = {}
        self._latency_s, self._tracks_ns, self._status_ns = math.nan, 0, 0
        self._admission = SceneParameters(frame=parameters.frame, age_max_s=1.0)
        self._trajectory, self._path, self._status = (self.writes(name) for name in ("trajectory", "path", "status"))
        self.reads("odometry", self._odometry)
        self.reads("predictions", self._predictions)
        self.reads("selected", self._selected)
        self.every(1.0 / parameters.rate_hz, self._tick)
        self._warm_up()

    def _warm_up(self) -> None:
        scene = warm_scene(None, self.vehicle)
        stop = own_stop(scene.ego, self.vehicle, self.parameters.ladder.stop)
        validate(stop, scene.ego, warm_predictions(scene, Grid()), self.vehicle, self.parameters.limits)
        conversion_plan.path_message(stop), conversion_plan.trajectory_message(stop, self.vehicle)

    def _odometry(self, message: Any) -> None:
        if message.header.frame_id != self.parameters.frame:
            raise InputError(
                "odometry", "frame_id", f"is '{message.header.frame_id}'", f"send '{self.parameters.frame}'"
            )
        stamp, now = conversion.nanoseconds(message.header.stamp), self.now_ns
        if now == 0 or (self.ego is not None and stamp == self.ego.stamp_ns):
            return
        last = -1 if self.ego is None or self.ego.stamp_ns > now + conversion.NS else self.ego.stamp_ns
        reason = refusal(stamp, last, now, self._admission)
        if reason:
            raise InputError("odometry", "stamp", reason, "check clocks and transport")
        self.ego = conversion.ego_state(message, self.ego, self.vehicle)

    def _predictions(self, message: Any) -> None:
        self.predictions = predictions(message)

    def _selected(self, message: Any) -> None:
        plan, before = conversion_plan.plan(message), self.state
        self.state = receive(
            before, plan, self.ego, self.predictions, self.now_ns, self.parameters.ladder, self.vehicle,
            self.parameters.limits,
        )  # fmt: skip
        if self.state.rejected > before.rejected:
            self.refuse("selected", self.state.rejection)
            return
        self._times = times(message.times)
        self._tracks_ns = conversion.nanoseconds(message.inputs.tracks)
        self._tick(fresh=True)

    def _tick(self, fresh: bool = False) -> None:
        """Step the ladder; publish what it says when it is another trajectory, or again after a while."""
        now, before = self.now_ns, self.state.mode
        self.state, trajectory = step(
            self.state, self.ego, now, self.parameters.ladder, self.vehicle, self.parameters.limits
        )  # fmt: skip
        if trajectory is not None:
            # A fresh answer is always heard, also of a simulator whose time stands still until it hears one.
            self._hand_on(trajectory, now, again=fresh)
        if fresh:
            self._latency_s = (self.now_ns - self._tracks_ns) / conversion.NS
        if self.state.mode != before:
            self.get_logger().info(f"{before.name} -> {self.state.mode.name}: {self.state.reason}")
        self.report(_LEVELS[self.state.mode], f"{self.state.mode.name}: {self.state.reason}")
        if fresh or trajectory is None or self.state.mode != before or now - self._status_ns >= self._repeat_ns:
            self._publish_status(now)

    def _hand_on(self, trajectory: Trajectory, now: int, again: bool) -> None:
        last, at = self._handed
        if trajectory is last and now - at < self._repeat_ns and not again:
            return
        self._trajectory.publish(conversion_plan.trajectory_message(trajectory, self.vehicle))
        self._path.publish(conversion_plan.path_message(trajectory))
        self._handed = (trajectory, now)

    @property
    def _repeat_ns(self) -> int:
        return round(self.parameters.repeat_s * conversion.NS)

    def _publish_status(self, now: int) -> None:
        state, plan = self.state, self.state.plan
        self._status_ns = now
        self._status.publish(StackStatus(
            header=conversion.header(now), mode=int(state.mode), reason=state.reason,
            degraded=int(plan.degraded) if plan else 0, plan_id=plan.plan_id if plan else 0,
            plan_age_s=plan_age_s(state, now), times=times_message(self._times), latency_s=self._latency_s,
            cycles=state.cycles, missed_cycles=state.missed, rejected=state.rejected, rejection=state.rejection,
        ))  # fmt: skip


def main() -> None:
    """Run the node."""
    run_node(BridgeNode)


if __name__ == "__main__":
    main()
