"""Tracking controller node: follows the bridge's trajectory, where the vehicle brings no controller of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

import behaviors_ros.control.pure_pursuit  # noqa: F401  (registers it)
from behaviors_ros import registry
from behaviors_ros.control.stop import BridgeStop, own_stop
from behaviors_ros.datatypes import EgoState, Trajectory
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros.declare import plugin
from behaviors_ros.ros.dialects.command_outputs import COMMAND_OUTPUTS, CommandDialects
from behaviors_ros.ros.dialects.interface import each, opened
from behaviors_ros.ros.node import OK, WARN, LifecycleAdapter
from behaviors_ros.ros.node import main as run_node


class ControllerParameters(Parameters):
    """Parameters of the tracking controller node, besides those of its controller under the controller's name."""

    vehicle: Vehicle = Vehicle()
    controller: str = value("pure_pursuit", "plugin that tracks the trajectory")
    plugin_modules: tuple[str, ...] = value((), "further modules to import, for plugins of other packages")
    rate_hz: float = value(50.0, "rate of the commands", low=5.0, high=200.0)
    silence_max_s: float = value(
        0.5, "time without a trajectory after which the controller stops by itself", low=0.1, high=5.0
    )
    stop: BridgeStop = BridgeStop()
    outputs: tuple[str, ...] = value((), f"dialects besides our command: {', '.join(COMMAND_OUTPUTS)}")
    dialects: CommandDialects = CommandDialects()


class ControllerNode(LifecycleAdapter):
    """Trajectory, odometry -> control command."""

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
        self.trajectory: Trajectory | None = None
        self._arrived_ns = 0
        self.publisher = self.writes("control_command")
        self._speak = each(self, opened(self, "outputs", parameters.outputs, COMMAND_OUTPUTS, parameters.dialects))
        self.reads("odometry", self._odometry)
        self.reads("trajectory", self._trajectory)
        self.every(1.0 / parameters.rate_hz, self._tick)
        self._warm_up()

    def _warm_up(self) -> None:
        ego = EgoState(0, np.zeros(2), 0.0, 5.0)
        self.controller.control(own_stop(ego, self.vehicle, self.parameters.stop), ego, None)

    def _odometry(self, message: Any) -> None:
        self.ego = conversion.ego_state(message, self.ego, self.vehicle)

    def _trajectory(self, message: Any) -> None:
        self.trajectory, self._arrived_ns = conversion_plan.trajectory(message), self.now_ns

    def _tick(self) -> None:
        """One command; a trajectory that is not renewed any more is replaced by a stop."""
        if self.trajectory is None or self.ego is None:
            return
        silence_s = (self.now_ns - self._arrived_ns) / conversion.NS
        if silence_s > self.parameters.silence_max_s:
            self.trajectory, self._arrived_ns = own_stop(self.ego, self.vehicle, self.parameters.stop), self.now_ns
            self.report(WARN, f"no trajectory for {silence_s:.2f} s: stopping")
        else:
            self.report(OK, "tracking")
        command, self.memory = self.controller.control(self.trajectory, self.ego, self.memory)
        self.publisher.publish(conversion_plan.command_message(command))
        self._speak(command)


def main() -> None:
    """Run the node."""
    run_node(ControllerNode)


if __name__ == "__main__":
    main()
