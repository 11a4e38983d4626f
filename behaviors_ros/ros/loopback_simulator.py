"""Loopback simulator node: a vehicle, road users and signals where there is no vehicle; it keeps the clock.

Time stands still, and the first instant is published again and again, until the stack answers with a trajectory and a
controller is there. Then it runs, `speed_factor` times as fast as the wall clock, to the goal or the scenario's end.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rosgraph_msgs.msg import Clock as ClockMessage

from behaviors_ros.datatypes import ControlCommand
from behaviors_ros.errors import InputError
from behaviors_ros.msg import Engagement
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros.drive_log import DriveLog
from behaviors_ros.ros.node import OK, WARN, LifecycleAdapter
from behaviors_ros.ros.node import main as run_node
from behaviors_ros.simulation.arrival import Arrival, arrived
from behaviors_ros.simulation.scenario import DEMO, Scenario, load_scenario
from behaviors_ros.simulation.world import observe, placed, start, step

WAITED_NS = 1000  # time that passes from one word to a stack that is waited for to the next


class LoopbackParameters(Parameters):
    """Parameters of the loopback simulator."""

    scenario: str = value("", "file of the scenario (ours in YAML, or CommonRoad); empty: the embedded urban one")
    traffic: str = value("recorded", "how a CommonRoad scenario's road users move: recorded or reactive")
    speed_factor: float = value(1.0, "simulated seconds a second of wall time", low=0.05, high=20.0)
    step_s: float = value(0.02, "time of one step; odometry and /clock are published at each", low=0.005, high=0.05)
    perception_steps: int = value(
        5, "steps between two reports of tracks and signals, and two entries of the log", low=1, high=100
    )
    ready_timeout_s: float = value(120.0, "wall time to wait for the stack before giving up", low=1.0, high=3600.0)
    log: str = value("", "file (.npz) for the executed drive; empty: none")
    end_with_drive: bool = value(True, "end the process when the drive has ended")
    command_age_max_s: float = value(
        0.5, "simulated time without a command after which the vehicle brakes by itself", low=0.05, high=60.0
    )
    command_loss_braking_mps2: float = value(3.0, "how it brakes then", low=0.1, high=12.0)
    arrival: Arrival = Arrival()


class LoopbackNode(LifecycleAdapter):
    """Control command -> world -> odometry, tracks, signals, /clock."""

    name = "loopback_simulator"
    model = LoopbackParameters

    def configure(self, parameters: LoopbackParameters) -> None:
        """Load the scenario."""
        if parameters.traffic not in ("recorded", "reactive"):
            raise InputError("parameters", "traffic", f"is '{parameters.traffic}'", "known: recorded, reactive")
        self.parameters = parameters
        scenario = load_scenario(parameters.scenario or DEMO, traffic=parameters.traffic)  # type: ignore[arg-type]
        # A stamp of zero means "absent" in messages: the drive begins at one second.
        self.scenario = replace(scenario, start=replace(scenario.start, stamp_ns=conversion.NS))
        self.world = start(self.scenario)
        self.command: ControlCommand | None = None
        self.commanded_ns = self.world.stamp_ns
        self.log, self.steps, self.running, self.ended, self.waited = DriveLog(), 0, False, False, 0
        self.out = {
            name: self.writes(name) for name in ("/clock", "odometry", "tracks", "signals", "route", "engagement")
        }
        self.reads("control_command", self._command)
        self.reads("trajectory", self._answered)
        # The simulator is the clock: its own timer counts wall time, whatever use_sim_time says.
        self.every(
            parameters.step_s / parameters.speed_factor, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the drive; it is written."""
        if not self.ended:
            self.ended = True
            self._write_log()
        return super().on_deactivate(state)

    def _command(self, message: Any) -> None:
        self.command, self.commanded_ns = conversion_plan.command(message), self.world.stamp_ns

    def _answered(self, message: Any) -> None:
        """The stack plans: begin when a controller is there as well. An answer to a former drive is none."""
        if conversion.nanoseconds(message.header.stamp) > self.world.stamp_ns:
            return
        if not self.running and self.count_publishers(self._topic("control_command")):
            self.running = True
            self.log.add(self.world)
            begun = conversion.header(self.world.stamp_ns, "base_link")
            self.out["engagement"].publish(Engagement(header=begun, engaged=True))
            self.get_logger().info(f"'{self.scenario.name}' begins")

    def _topic(self, name: str) -> str:
        return self.resolve_topic_name(name)

    def _tick(self) -> None:
        if self.ended:
            return
        if self.running:
            self._drive()
        else:
            self._wait()

    def _wait(self) -> None:
        period_s = self.parameters.step_s / self.parameters.speed_factor
        if self.waited % max(1, round(0.2 / period_s)) == 0:
            if self.waited == 0 or not self.count_subscribers(self._topic("route")):
                self.report(WARN, "waiting for the stack")
            self._publish_route(self.scenario)
            # Of the same tracks nobody plans again, and of the first ones not everybody was there to hear.
            if self.waited:
                later = replace(self.world.ego, stamp_ns=self.world.stamp_ns + WAITED_NS)
                self.world = placed(self.world, later)
            self._publish(perception=True)
        self.waited += 1
        if self.waited * period_s > self.parameters.ready_timeout_s:
            self._end(f"the stack did not answer within {self.parameters.ready_timeout_s:g} s")

    def _drive(self) -> None:
        self.world = step(self.world, self.command or self._without_command(), self.parameters.step_s)
        self.command = None
        self.steps += 1
        perception = self.steps % self.parameters.perception_steps == 0
        self._publish(perception)
        self.report(OK, f"at {self.world.time_s:.0f} s of at most {self.scenario.duration_s:.0f} s")
        if perception:
            self.log.add(self.world)
            if self._has_arrived():
                self._end("goal reached")
            elif self.world.time_s >= self.scenario.duration_s:
                self._end("time is up")

    def _without_command(self) -> ControlCommand | None:
        """What the actuators do without a command: hold the last one for a while, then brake."""
        ego, silence_s = self.world.ego, (self.world.stamp_ns - self.commanded_ns) / conversion.NS
        if silence_s <= self.parameters.command_age_max_s:
            return None
        return ControlCommand(ego.stamp_ns, ego.steering, 0.0, 0.0, -self.parameters.command_loss_braking_mps2)

    def _has_arrived(self) -> bool:
        scenario, world = self.scenario, self.world
        return arrived(scenario.goal, world.ego, world.time_s, scenario.vehicle, self.parameters.arrival)

    def _publish(self, perception: bool) -> None:
        """Clock first: a message is never ahead of it."""
        self.out["/clock"].publish(ClockMessage(clock=conversion.time_message(self.world.stamp_ns)))
        self.out["odometry"].publish(conversion.odometry_message(self.world.ego))
        if perception:
            _, tracks, lights = observe(self.world)
            if lights is not None:
                self.out["signals"].publish(conversion.signals_message(lights))
            self.out["tracks"].publish(conversion.tracks_message(tracks))

    def _publish_route(self, scenario: Scenario) -> None:
        route, begin = scenario.route, scenario.start
        line = None if scenario.map is not None else route.path
        width = float(route.left_lane[0])
        self.out["route"].publish(conversion.route_message(
            begin.stamp_ns, route.lanes, route.goal, line, float(route.speed_limit[0]), width, begin.position
        ))  # fmt: skip

    def _end(self, why: str) -> None:
        self.ended = True
        self.get_logger().info(f"'{self.scenario.name}' ended after {self.world.time_s:.1f} s: {why}")
        self._write_log()
        if self.parameters.end_with_drive:
            rclpy.try_shutdown()

    def _write_log(self) -> None:
        if self.parameters.log and self.running:
            try:
                self.log.write(Path(self.parameters.log), self._has_arrived(), self.scenario.name)
            except OSError as error:
                self.get_logger().error(f"the drive cannot be written: {error}")


def main() -> None:
    """Run the node."""
    run_node(LoopbackNode)


if __name__ == "__main__":
    main()
