"""Tracking controller node: follows the bridge's trajectory, where the vehicle brings no controller of its own."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

import behaviors_ros.control.interface  # noqa: F401  (registers the controllers)
from behaviors_ros import registry
from behaviors_ros.control.admission import Admission, refused
from behaviors_ros.control.delay import reckoned
from behaviors_ros.control.interface import Memory, TrackingErrors
from behaviors_ros.control.odometry import OdometryLimits, OdometryWatch, watched
from behaviors_ros.control.reference import reference_of
from behaviors_ros.control.stop import BridgeStop, own_stop, stop_along
from behaviors_ros.datatypes import ControlCommand, EgoState, Trajectory
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.msg import ControllerState
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros.declare import plugin
from behaviors_ros.ros.dialects.command_outputs import COMMAND_OUTPUTS, CommandDialects
from behaviors_ros.ros.dialects.interface import each, opened
from behaviors_ros.ros.node import ERROR, OK, WARN, LifecycleAdapter
from behaviors_ros.ros.node import main as run_node
from behaviors_ros.ros.scene import SceneParameters, refusal

_LEVELS = {ControllerState.TRACKING: OK, ControllerState.STOPPING: WARN, ControllerState.FAULT: ERROR}


class ControllerParameters(Parameters):
    """Parameters of the tracking controller node, besides those of its controller under the controller's name."""

    vehicle: Vehicle = Vehicle()
    controller: str = value("pure_pursuit", "plugin that tracks the trajectory: pure_pursuit, lqr, mpc")
    plugin_modules: tuple[str, ...] = value((), "further modules to import, for plugins of other packages")
    rate_hz: float = value(50.0, "rate of the commands", low=5.0, high=200.0)
    silence_max_s: float = value(
        0.5, "time without a trajectory after which the controller stops by itself", low=0.1, high=5.0
    )
    odometry_age_max_s: float = value(
        0.3, "age of odometry after which the controller stops by itself, where it reckons to be", low=0.05, high=2.0
    )
    off_path_max_m: float = value(
        1.0, "farther off the path than this it stops on its circle, not along the path", low=0.1, high=10.0
    )
    frame: str = value("map", "frame of odometry and trajectories")
    stop: BridgeStop = BridgeStop()
    odometry: OdometryLimits = OdometryLimits()
    admission: Admission = Admission()
    outputs: tuple[str, ...] = value((), f"dialects besides our command: {', '.join(COMMAND_OUTPUTS)}")
    dialects: CommandDialects = CommandDialects()


class ControllerNode(LifecycleAdapter):
    """Trajectory, odometry -> control command, controller state."""

    name = "tracking_controller"
    model = ControllerParameters
    plugins = {"controller": "controller"}

    def configure(self, parameters: ControllerParameters) -> None:
        """Construct the controller."""
        registry.load_modules(parameters.plugin_modules)
        self.parameters, self.vehicle = parameters, parameters.vehicle
        self.controller = plugin(self, "controller", parameters.controller, parameters.vehicle)
        self.memory: Any = None
        self.ego: EgoState | None = None
        self.watch = OdometryWatch()
        self.trajectory: Trajectory | None = None
        self._stop: Trajectory | None = None
        self._last: ControlCommand | None = None
        self._arrived_ns, self._told = 0, (-1, "")
        self._admission = SceneParameters(frame=parameters.frame)
        self.commands, self.states = self.writes("control_command"), self.writes("controller_state")
        self._speak = each(self, opened(self, "outputs", parameters.outputs, COMMAND_OUTPUTS, parameters.dialects))
        self.reads("odometry", self._odometry)
        self.reads("trajectory", self._trajectory)
        self.every(1.0 / parameters.rate_hz, self._tick)
        self._warm_up()

    def _warm_up(self) -> None:
        ego = EgoState(0, np.zeros(2), 0.0, 5.0)
        stop = own_stop(ego, self.vehicle, self.parameters.stop)
        self.controller.control(stop, ego, None)
        stop_along(reference_of(stop), ego, self.vehicle, self.parameters.stop, 1.0)

    # --- what is heard -----------------------------------------------------------------------------------------------

    def _odometry(self, message: Any) -> None:
        conversion.in_frame("odometry", message, self.parameters.frame)
        stamp, now, before = conversion.nanoseconds(message.header.stamp), self.now_ns, self.watch.seen
        if now == 0 or (before is not None and stamp == before.stamp_ns):
            return
        early_ns = round(self._admission.future_max_s * conversion.NS)  # beyond it the clock went back
        last = -1 if before is None or before.stamp_ns > now + early_ns else before.stamp_ns
        reason = refusal(stamp, last, now, self._admission)
        if reason:
            raise InputError("odometry", "stamp", reason, "check clocks and transport")
        ego = conversion.ego_state(message, before, self.vehicle)
        self.watch, reason = watched(self.watch, ego, self.parameters.odometry, self.vehicle)
        if reason:
            raise InputError("odometry", "pose", reason, "check localisation")
        self.ego = ego

    def _trajectory(self, message: Any) -> None:
        conversion.in_frame("trajectory", message, self.parameters.frame)
        if len(message.points) > self.parameters.admission.points_max:
            raise InputError("trajectory", "points", f"are {len(message.points)}", "send fewer")
        if self.ego is None:
            return
        found, now = conversion_plan.usable(conversion_plan.trajectory(message), "trajectory"), self.now_ns
        reason = refused(found, self.ego, now, self.parameters.admission)
        if reason:
            raise InputError("trajectory", "points", reason, "send a valid trajectory")
        self.trajectory, self._arrived_ns = found, now

    # --- what is said ------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """One command, and what the controller says of itself."""
        now = self.now_ns
        if self.ego is None or self.trajectory is None:
            self._say(now, ControllerState.STOPPING, "no odometry yet" if self.ego is None else "no trajectory yet")
            return
        cause, followed = self._followed(now, self.ego, self.trajectory)
        state = ControllerState.STOPPING if cause else ControllerState.TRACKING
        try:
            command, self.memory = self.controller.control(followed, self.ego, self.memory)
            if not math.isfinite(command.steering + command.steering_rate + command.speed + command.acceleration):
                raise BehaviorsError("its command is not finite")
        except BehaviorsError as error:
            state, cause, self.memory = ControllerState.FAULT, f"{self.controller.name}: {error}", None
            command = self._braking(now)
        self._last = command
        self.commands.publish(conversion_plan.command_message(command))
        self._speak(command)
        self._say(now, state, cause, followed)

    def _followed(self, now: int, ego: EgoState, trajectory: Trajectory) -> tuple[str, Trajectory]:
        """Why the controller stops by itself (empty: it does not), and the trajectory that it follows.

        Without odometry it moves the vehicle on by its own commands, along the bridge's stop where the bridge still
        tells one: two that brake differently would leave each other.
        """
        cause = ""
        silence_s = abs(now - self._arrived_ns) / conversion.NS
        age_s = abs(now - (self.watch.accepted or ego).stamp_ns) / conversion.NS
        if age_s > self.parameters.odometry_age_max_s:
            cause = f"odometry is {age_s:.2f} s old"
            self.ego = ego = self._reckoned(ego, now)
            if silence_s <= self.parameters.silence_max_s and self._stands_in_the_end(trajectory):
                self._stop = None
                return cause, trajectory
        elif silence_s > self.parameters.silence_max_s:
            cause = f"no trajectory for {silence_s:.2f} s"
        if not cause:
            self._stop = None
            return "", trajectory
        stop = self._stop
        if stop is None or not stop.stamp_ns <= now <= stop.stamp_ns + round(stop.time_s[-1] * conversion.NS):
            path = reference_of(self._stop or trajectory)
            stop = stop_along(path, ego, self.vehicle, self.parameters.stop, self.parameters.off_path_max_m)
        self._stop = stop
        return cause, stop

    def _stands_in_the_end(self, trajectory: Trajectory) -> bool:
        return abs(float(trajectory.speed[-1])) <= self.parameters.admission.standing_mps

    def _reckoned(self, ego: EgoState, now: int) -> EgoState:
        """The vehicle moved on by its commands; where the clock jumped, where it was."""
        if not 0 <= now - ego.stamp_ns <= conversion.NS:
            return replace(ego, stamp_ns=now)
        sent = self.memory.sent if isinstance(self.memory, Memory) else ()
        return reckoned(ego, sent, self.vehicle, now)

    def _braking(self, now: int) -> ControlCommand:
        """Brake with the wheels as they are: what is left when the controller itself fails."""
        steering = self._last.steering if self._last is not None else 0.0
        back = self.ego is not None and self.ego.speed < 0.0
        braking = self.parameters.stop.deceleration_mps2
        return ControlCommand(now, steering, 0.0, 0.0, braking if back else -braking)

    def _say(self, now: int, state: int, reason: str, followed: Trajectory | None = None) -> None:
        memory = self.memory if isinstance(self.memory, Memory) else None
        note = memory.note if memory is not None else ""
        self.report(_LEVELS[state] if not note else WARN, reason or note or "tracking")
        kind = "".join(letter for letter in reason if not letter.isdigit() and letter != ".")
        if (state, kind) != self._told:
            self._told = (state, kind)
            self.event("controller", self.controller.name, reason or "tracking", _LEVELS[state])
        errors = memory.errors if memory is not None and followed is not None else TrackingErrors()
        self.states.publish(ControllerState(
            header=conversion.header(self.ego.stamp_ns if self.ego is not None else now), state=state, reason=reason,
            trajectory=conversion.time_message(followed.stamp_ns if followed is not None else 0),
            lateral_error_m=errors.lateral_m, heading_error_rad=errors.heading_rad,
            longitudinal_error_m=errors.longitudinal_m, speed_error_mps=errors.speed_mps,
        ))  # fmt: skip


def main() -> None:
    """Run the node."""
    run_node(ControllerNode)


if __name__ == "__main__":
    main()
