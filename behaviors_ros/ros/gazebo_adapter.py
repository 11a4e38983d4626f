"""Gazebo adapter node: Gazebo drives the vehicle and keeps the clock; signals and other road users are ours.

As in the loopback, the road users stand still until the stack answers with a trajectory and a controller is there. They
move with the stamps of Gazebo's ground truth, so that both simulators share the same traffic.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import rclpy
from geometry_msgs.msg import Twist as TwistMessage
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from behaviors_ros.datatypes import ControlCommand, EgoState
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros.drive_log import DriveLog
from behaviors_ros.ros.gazebo_poses import pose_setter
from behaviors_ros.ros.node import OK, WARN, LifecycleAdapter
from behaviors_ros.ros.node import main as run_node
from behaviors_ros.simulation.arrival import Arrival, arrived
from behaviors_ros.simulation.gazebo.twist import REST, TwistParameters, stopping, twist
from behaviors_ros.simulation.gazebo.world import WORLD, agent_pose, model_name, origin
from behaviors_ros.simulation.scenario import DEMO, load_scenario
from behaviors_ros.simulation.vehicle import VehicleState
from behaviors_ros.simulation.world import World, observe, placed, start


class GazeboParameters(Parameters):
    """Parameters of the Gazebo adapter."""

    scenario: str = value("", "file of the scenario (ours in YAML, or CommonRoad); empty: the embedded urban one")
    traffic: str = value("recorded", "how a CommonRoad scenario's road users move: recorded or reactive")
    world: str = value(WORLD, "name of Gazebo's world")
    perception_s: float = value(0.1, "time between two reports of tracks and signals", low=0.02, high=1.0)
    silence_max_s: float = value(0.3, "wall time without a command until the vehicle is stopped", low=0.05, high=5.0)
    watch_hz: float = value(20.0, "rate at which silence is looked for and the stop is repeated", low=2.0, high=100.0)
    jump_max_s: float = value(5.0, "ground truth further ahead of the last is refused", low=0.1, high=60.0)
    poses_timeout_s: float = value(0.02, "longest wait for Gazebo to take the road users' poses", low=0.001, high=1.0)
    log: str = value("", "file (.npz) for the executed drive; empty: none")
    end_with_drive: bool = value(True, "end the process when the drive has ended")
    twist: TwistParameters = TwistParameters()
    arrival: Arrival = Arrival()


class GazeboNode(LifecycleAdapter):
    """Control command -> twist; ground truth -> odometry, tracks, signals, route, poses of the road users."""

    name = "gazebo_adapter"
    model = GazeboParameters

    def configure(self, parameters: GazeboParameters) -> None:
        """Load the scenario."""
        if parameters.traffic not in ("recorded", "reactive"):
            raise InputError("parameters", "traffic", f"is '{parameters.traffic}'", "known: recorded, reactive")
        self.parameters = parameters
        self.scenario = load_scenario(parameters.scenario or DEMO, traffic=parameters.traffic)  # type: ignore[arg-type]
        self.origin = origin(self.scenario)
        self.world: World | None = None
        self.ego: EgoState | None = None
        self.running, self.ended, self.log = False, False, DriveLog()
        self.command: ControlCommand | None = None
        self.twist, self._reported_ns = REST, 0
        self.wall = Clock(clock_type=ClockType.STEADY_TIME)
        self._heard_ns = 0
        self.setter = pose_setter(self, parameters.world, parameters.poses_timeout_s)
        if self.setter is None:
            self.get_logger().warning(
                "other road users move in our topics only, not in Gazebo: neither gz-transport's Python bindings nor "
                "ros_gz_interfaces is installed (apt install python3-gz-transport13 python3-gz-msgs10)"
            )
        names = ("gazebo/cmd_vel", "odometry", "tracks", "signals", "route")
        self.out = {name: self.writes(name) for name in names}
        self.reads("gazebo/ground_truth", self._truth)
        self.reads("control_command", self._command)
        self.reads("trajectory", self._answered)
        # Wall time: a clock that stands still must not keep the vehicle from being stopped.
        self.every(1.0 / parameters.watch_hz, self._watch, clock=self.wall)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Bring the vehicle to rest while that can still be said."""
        self._send(REST)
        return super().on_deactivate(state)

    def destroy_node(self) -> None:
        """The same when this process is told to end."""
        if self.active and self.context.ok():
            self._send(REST)
        super().destroy_node()

    # --- command -> twist ---------------------------------------------------------------------------------------------

    def _command(self, message: Any) -> None:
        command, before = conversion_plan.command(message), self.command
        if self.ego is None or self.ended:
            return
        dt_s = (command.stamp_ns - before.stamp_ns) / conversion.NS if before is not None else 0.0
        dt_s = min(max(dt_s, 0.0), self.parameters.silence_max_s)
        vehicle = self.scenario.vehicle
        self._send(twist(self.twist, command, self.ego.speed, dt_s, vehicle, self.parameters.twist))
        self.command, self._heard_ns = command, self._wall_ns

    def _watch(self) -> None:
        """Gazebo holds the last twist for ever: without commands it is brought to rest, and rest is repeated."""
        silence_s = (self._wall_ns - self._heard_ns) / conversion.NS
        if silence_s <= self.parameters.silence_max_s and not self.ended:
            return
        if self.command is not None and not self.ended:
            self.report(WARN, "commands have ceased: stopping")
        self.command = None
        self._send(stopping(self.twist, 1.0 / self.parameters.watch_hz, self.scenario.vehicle, self.parameters.twist))

    @property
    def _wall_ns(self) -> int:
        return int(self.wall.now().nanoseconds)

    def _send(self, found: Any) -> None:
        self.twist = found
        message = TwistMessage()
        message.linear.x, message.angular.z = found.speed, found.yaw_rate
        self.out["gazebo/cmd_vel"].publish(message)

    # --- ground truth -> odometry, tracks, signals, route -------------------------------------------------------------

    def _answered(self, _: Any) -> None:
        """The stack plans: begin when a controller is there as well."""
        if not self.running and self.count_publishers(self.resolve_topic_name("control_command")):
            self.running = True
            self.get_logger().info(f"'{self.scenario.name}' begins")

    def _truth(self, message: Any) -> None:
        before, stamp_ns = self.ego, conversion.nanoseconds(message.header.stamp)
        if self.ended or stamp_ns <= (0 if before is None else before.stamp_ns):
            return  # a stamp of zero means "absent" in messages
        if before is not None and stamp_ns > before.stamp_ns + round(self.parameters.jump_max_s * conversion.NS):
            raise InputError("gazebo/ground_truth", "stamp", "jumps ahead", "run Gazebo's clock without jumps")
        ego = conversion.ego_state(message, before, self.scenario.vehicle)
        self.ego = replace(ego, position=ego.position + self.origin)
        first, self.world = self.world is None, self._moved(self.ego)
        if first:
            self._publish_route(self.world)
        self.out["odometry"].publish(conversion.odometry_message(self.ego))
        if stamp_ns - self._reported_ns >= round(self.parameters.perception_s * conversion.NS):
            self._reported_ns = stamp_ns
            self._report(self.world)

    def _moved(self, ego: EgoState) -> World:
        """The world at the ego's stamp; before the drive it begins anew at each."""
        if self.running and self.world is not None:
            return placed(self.world, ego)
        scenario = replace(self.scenario, start=replace(self.scenario.start, stamp_ns=ego.stamp_ns))
        return replace(start(scenario), vehicle=VehicleState(ego))

    def _report(self, world: World) -> None:
        _, tracks, lights = observe(world)
        if lights is not None:
            self.out["signals"].publish(conversion.signals_message(lights))
        self.out["tracks"].publish(conversion.tracks_message(tracks))
        if not self.running:
            self.report(WARN, "waiting for the stack")
        else:
            self.report(OK, f"at {world.time_s:.0f} s of at most {world.scenario.duration_s:.0f} s")
            self._follow(world)
        if self.setter is not None:
            self.setter.set({model_name(agent.body): agent_pose(agent, self.origin) for agent in world.agents})

    def _follow(self, world: World) -> None:
        """Log the drive, and end it at the goal or when its time is up."""
        self.log.add(world)
        if self._has_arrived(world):
            self._end(world, "goal reached")
        elif world.time_s >= world.scenario.duration_s:
            self._end(world, "time is up")

    def _has_arrived(self, world: World) -> bool:
        scenario = world.scenario
        return arrived(scenario.goal, world.ego, world.time_s, scenario.vehicle, self.parameters.arrival)

    def _publish_route(self, world: World) -> None:
        scenario, route = world.scenario, world.scenario.route
        line = None if scenario.map is not None else route.path
        self.out["route"].publish(conversion.route_message(
            world.stamp_ns, route.lanes, route.goal, line, float(route.speed_limit[0]), float(route.left_lane[0]),
            scenario.start.position,
        ))  # fmt: skip

    def _end(self, world: World, why: str) -> None:
        self.ended = True
        self._send(REST)
        self.get_logger().info(f"'{self.scenario.name}' ended after {world.time_s:.1f} s: {why}")
        if self.parameters.log:
            self.log.write(Path(self.parameters.log), self._has_arrived(world), self.scenario.name)
        if self.parameters.end_with_drive:
            rclpy.try_shutdown()


def main() -> None:
    """Run the node."""
    run_node(GazeboNode)


if __name__ == "__main__":
    main()
