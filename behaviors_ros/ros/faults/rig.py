"""The running graph that faults are injected into: started once, set back to the beginning of a drive before each."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParameters
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.parameter import Parameter

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.msg import StackEvent
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros.environment import adopt
from behaviors_ros.ros.faults.between import Between, remappings
from behaviors_ros.ros.faults.messages import Truth
from behaviors_ros.ros.faults.observer import Observer
from behaviors_ros.ros.graph import NAMESPACE
from behaviors_ros.ros.qos import EVENTS
from behaviors_ros.ros.up import Graph, GraphConfig

Tree = Mapping[str, Any]
SIMULATOR = "loopback_simulator"
# Set back before every drive; the planning nodes forget by themselves when the clock goes back.
SET_BACK = ("controls_bridge", "tracking_controller")
START_S = 180.0  # wall time for a node to start on a busy machine, compiling included
DISCOVERY_S = 1.5  # wall time in which nodes of others are found
BEGIN_S = 45.0  # wall time for an answer of a node that runs, and for a drive to begin
BEGUN_S = 1.01  # simulated time from which on it drives: a waiting simulator gets on by microseconds only


class GraphStuck(BehaviorsError):
    """The graph does not do what it must before a drive; it may after it was started anew."""


class Rig:
    """Graph, detours and observer. Use as a context manager."""

    def __init__(self, scenario: Path, folder: Path, speed_factor: float = 1.0, faulty: bool = True) -> None:
        """`folder`: logs and drives go there. `faulty` False: no detours, nothing between the nodes."""
        self.folder, self.speed_factor, self.faulty = folder.resolve(), speed_factor, faulty
        simulator = {"autostart": False, "end_with_drive": False, "speed_factor": speed_factor}
        self.config = GraphConfig(
            groups=("stack", "loopback"), scenario=str(scenario), nodes={SIMULATOR: simulator},
            remap=remappings() if faulty else {},
        )  # fmt: skip
        self.truth = Truth()
        self.told: set[str] = set()
        self.crashes: list[str] = []
        self.over: dict[str, Tree] = {}
        self._activated: dict[str, int] = {}
        self._prepared: set[str] = set()
        self._driving = False

    def __enter__(self) -> Rig:
        """Start everything and wait until it is active."""
        adopt()
        rclpy.init()
        self.node = rclpy.create_node("faults", namespace=NAMESPACE)
        self.node.create_subscription(StackEvent, "events", self._lifecycle, EVENTS)
        self.between = Between(self.node, self.truth) if self.faulty else None
        self.observer = Observer(self.node, self.truth, Vehicle(), self._on_clock)
        self.executor = EventsExecutor()
        self.executor.add_node(self.node)
        self.names = [entry.name for entry in self.config.entries]
        self._clients = {name: self._client(name, ChangeState, "change_state") for name in self.names}
        self._setters = {name: self._client(name, SetParameters, "set_parameters") for name in self.names}
        self.graph = Graph(self.config, self.folder / "logs")
        with ExitStack() as undone:
            undone.callback(self._end)
            self._alone()
            self.graph.__enter__()
            self._ready()
            undone.pop_all()
        return self

    def _alone(self) -> None:
        """Refuse to begin beside a graph that a run which was killed has left: it would take part in every drive."""
        self.spin(lambda: False, DISCOVERY_S)
        others = sorted(set(self.node.get_node_names()) & set(self.names))
        if others:
            raise BehaviorsError(f"{', '.join(others)} already run in this ROS_DOMAIN_ID; end them, or choose another")

    def _ready(self) -> None:
        """Wait until all is there; configured once, the simulator's parameters are declared and can be set."""
        self.await_active(name for name in self.names if name != SIMULATOR)
        self.change(SIMULATOR, Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP)

    def restart(self) -> None:
        """Start the whole graph anew, whatever state it is in."""
        self._driving = False
        if self.between is not None:
            self.between.clear()
        self.told.update(self.names)
        for name in self.names:
            self.start(name)
        self._ready()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop everything."""
        self._end()

    def _end(self) -> None:
        for process in self.graph.processes.values():
            process.send_signal(signal.SIGCONT)
        self.graph.__exit__()
        self.executor.remove_node(self.node)
        self.node.destroy_node()
        rclpy.try_shutdown()

    def _client(self, node: str, kind: Any, service: str) -> Any:
        return self.node.create_client(kind, f"{NAMESPACE}/{node}/{service}")

    def _on_clock(self) -> None:
        if self.between is not None:
            self.between.tick()

    def _lifecycle(self, message: Any) -> None:
        if message.kind == "lifecycle" and message.reason == "active":
            self._activated[message.node] = self._activated.get(message.node, 0) + 1

    # --- time, services ----------------------------------------------------------------------------------------------

    def spin(self, until: Callable[[], bool], patience_s: float) -> bool:
        """Let everything run until something holds; False when the patience, wall time, is over."""
        end = time.monotonic() + patience_s
        while not until():
            if time.monotonic() > end:
                return False
            self.executor.spin_once(timeout_sec=0.02)
        return True

    def _call(self, client: Any, request: Any, again_s: float = BEGIN_S) -> Any:
        """The answer to a request, which is sent again after a time: one that a killed process still drew is lost."""
        if not self.spin(client.service_is_ready, BEGIN_S):
            raise GraphStuck(f"{client.srv_name} is not there; see the logs in {self.folder / 'logs'}")
        end = time.monotonic() + BEGIN_S
        asked = []
        while time.monotonic() < end:
            asked.append(client.call_async(request))
            if self.spin(lambda: any(answer.done() for answer in asked), again_s):
                return next(answer.result() for answer in asked if answer.done())
        raise GraphStuck(f"{client.srv_name} does not answer; see the logs in {self.folder / 'logs'}")

    def change(self, name: str, *transitions: int) -> None:
        """Take a node through lifecycle transitions."""
        for number in transitions:
            answer = self._call(self._clients[name], ChangeState.Request(transition=Transition(id=number)))
            if not answer.success:
                raise GraphStuck(f"{name} cannot make transition {number}; see the logs in {self.folder / 'logs'}")

    def set_parameter(self, name: str, key: str, value: Any) -> tuple[bool, str]:
        """Ask a node to change a parameter: whether it did, and its reason."""
        request = SetParameters.Request(parameters=[Parameter(key, value=value).to_parameter_msg()])
        found = self._call(self._setters[name], request).results[0]
        return bool(found.successful), str(found.reason)

    # --- processes ---------------------------------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """SIGKILL: the process is gone without a word."""
        self.told.add(name)
        self.graph.processes[name].kill()
        if self.between is not None:
            self.between.disconnect(name)

    def start(self, name: str, over: Tree | None = None) -> None:
        """Start a node's process anew, whatever it did before; `over`: parameters that differ."""
        process = self.graph.processes[name]
        if process.poll() is None:
            process.kill()
        process.wait()
        self.over[name] = dict(over or {})
        if self.between is not None:
            self.between.connect(name)
        self._activated[name] = 0
        self._prepared.discard(name)
        self.graph.start(name, dict(over) if over else None)
        self.told.discard(name)

    def prepare(self, name: str) -> None:
        """Start a node's process anew but leave it inactive until the next drive begins: loading takes seconds."""
        self.start(name, {"autostart": False})
        self.over[name] = {}
        configure = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
        self._call(self._clients[name], configure, again_s=0.5)
        self._prepared.add(name)

    def await_active(self, names: Any) -> None:
        """Wait until nodes have said that they are active."""
        waited = list(names)
        if not self.spin(lambda: self.note_ends() or all(self._activated.get(name) for name in waited), START_S):
            late = [name for name in waited if not self._activated.get(name)]
            raise GraphStuck(f"{', '.join(late)} did not start; see the logs in {self.folder / 'logs'}")

    def note_ends(self) -> bool:
        """Count processes that ended without being told; False, so that it can stand in a condition."""
        for name, process in self.graph.processes.items():
            if process.poll() is not None and name not in self.told:
                self.told.add(name)
                self.crashes.append(f"{name} ended with code {process.poll()}")
        return False

    def code(self, name: str) -> int | None:
        """Exit code of a node's process, None while it runs."""
        process: subprocess.Popen[bytes] = self.graph.processes[name]
        return process.poll()

    # --- drives ------------------------------------------------------------------------------------------------------

    def begin_drive(self, scenario: Path, log: Path, over: Mapping[str, Tree]) -> None:
        """Set everything back and begin the drive of a scenario; its truth is written to `log` when it ends."""
        self.end_drive()
        fresh = self._renewed(over)
        for name in SET_BACK:
            if name not in fresh:
                self.change(name, Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP,
                            Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)  # fmt: skip
        for key, text in (("scenario", scenario), ("log", log)):
            self.set_parameter(SIMULATOR, key, str(text))
        self.observer.begin()
        self.change(SIMULATOR, Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
        self._driving = True
        if not self.spin(lambda: self.observer.record.clocks > 0 and self.observer.now_s > BEGUN_S, BEGIN_S):
            raise GraphStuck(f"the drive did not begin; see the logs in {self.folder / 'logs'}")

    def _renewed(self, over: Mapping[str, Tree]) -> set[str]:
        """Start again what has ended or has other parameters than wanted, activate what is prepared; the names."""
        fresh = {
            name for name in self.names
            if name != SIMULATOR and (self.code(name) is not None or self.over.get(name, {}) != over.get(name, {}))
        }  # fmt: skip
        for name in fresh:
            self.start(name, over.get(name))
        for name in self._prepared:
            self.change(name, Transition.TRANSITION_ACTIVATE)
        fresh, self._prepared = fresh | self._prepared, set()
        self.await_active(fresh)
        return fresh

    def end_drive(self) -> None:
        """End the drive, if there is one; its log is written then."""
        if self.between is not None:
            self.between.clear()
        for process in self.graph.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
        if self._driving:
            self._driving = False
            self.change(SIMULATOR, Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
