"""The graph without launch_ros: starts one process a node (or one for all), watches them, stops them all."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.parameters import Parameters, Vehicle, merged, validated, value
from behaviors_ros.ros.environment import environment
from behaviors_ros.ros.graph import GROUPS, NAMESPACE, NODES, Entry, nodes
from behaviors_ros.ros.security import enclave, security_environment
from behaviors_ros.simulation.forms import read_form
from behaviors_ros.simulation.scenario import DEMO
from behaviors_ros.yaml_files import read_mapping

Tree = dict[str, Any]


class GraphConfig(Parameters):
    """What `behaviors up` runs. `nodes` maps a node's name to its parameters, as in the node's file in config/."""

    groups: tuple[str, ...] = value(
        ("stack",), "which nodes: stack (planning), loopback (simulator, controller), adapters, tools, blackbox"
    )
    without: tuple[str, ...] = value((), "nodes of those groups that are left out")
    map: str = value("", "file of the map, relative to this file; empty: the scenario's, or mapless")
    scenario: str = value("", "file of the loopback's scenario, relative to this file; empty: the embedded one")
    vehicle: Tree = value({}, "parameters of the vehicle, for all nodes; empty: the scenario's, or the default")
    nodes: dict[str, Tree] = value({}, "parameters by node")
    remap: dict[str, str] = value({}, "other names of topics: {tracks: /perception/tracks}")
    use_sim_time: bool = value(False, "nodes take their time from /clock; always so with the loopback group")
    one_process: bool = value(False, "all nodes in one process")
    respawn: bool = value(False, "start a node again that ended by itself")
    security: str = value("", "SROS2 keystore to run under, with enforcement; empty: none")

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The nodes to run."""
        return tuple(found for found in nodes(self.groups) if found.name not in self.without)


def read_config(path: Path) -> GraphConfig:
    """The configuration of a YAML file; files in it are relative to it."""
    tree = read_mapping(path, "give a YAML file as `behaviors up` documents, with keys such as groups, map, nodes")
    for key in ("map", "scenario", "security"):
        if tree.get(key):
            tree[key] = str((path.parent / str(tree[key])).resolve())
    return checked(validated(GraphConfig, tree, str(path)), str(path))


def checked(config: GraphConfig, source: str) -> GraphConfig:
    """The configuration, if it names groups and nodes that there are."""
    known = {found.name for found in NODES}
    for field, names, right in (
        ("groups", config.groups, set(GROUPS)), ("without", config.without, known), ("nodes", config.nodes, known),
    ):  # fmt: skip
        wrong = sorted(set(names) - right)
        if wrong:
            raise InputError(source, field, f"'{wrong[0]}' is unknown", f"known: {', '.join(sorted(right))}")
    validated(Vehicle, config.vehicle, f"{source}: vehicle")
    if config.security and config.one_process:
        raise InputError(source, "one_process", "has no enclave a node", "leave it out with security")
    if config.security:
        security_environment(Path(config.security), [found.name for found in config.entries])
    return config


def node_parameters(config: GraphConfig) -> dict[str, Tree]:
    """The parameters of every node to run, by node: what the configuration says once is given to all it concerns."""
    scenario = Path(config.scenario) if config.scenario else DEMO
    simulated = "loopback" in config.groups
    vehicle, map_file = dict(config.vehicle), config.map
    if simulated and scenario.suffix in (".yaml", ".yml"):
        form = read_form(scenario)
        vehicle = vehicle or form.vehicle.model_dump(mode="json")
        map_file = map_file or (str(scenario.parent / form.map) if form.map else "")
    elif simulated:
        map_file = map_file or str(scenario)
    found: dict[str, Tree] = {}
    for node in config.entries:
        tree = merged({}, config.nodes.get(node.name, {}))
        if node.name == "loopback_simulator":
            tree = merged({"scenario": str(scenario)}, tree)
        else:
            tree = merged({"vehicle": vehicle} if vehicle and node.name != "blackbox" else {}, tree)
            tree.setdefault("use_sim_time", config.use_sim_time or simulated)
        if node.name in ("prediction", "trajectory_generation", "trajectory_scoring", "input_adapter"):
            tree = merged({"scene": {"map": map_file}}, tree)
        elif node.name == "visualisation":
            tree = merged({"map": map_file}, tree)
        found[node.name] = tree
    return found


class Graph:
    """The running processes of a configuration. Use as a context manager: leaving it stops them all."""

    def __init__(self, config: GraphConfig, log_folder: Path | None = None) -> None:
        """Prepare parameter files. `log_folder`: a file a process there instead of this terminal."""
        self._config, self._logs = config, log_folder
        self._folder = tempfile.TemporaryDirectory(prefix="behaviors_")
        parameters = node_parameters(config)
        self._file = Path(self._folder.name) / "parameters.yaml"
        self._file.write_text(parameter_file({f"{NAMESPACE}/{name}": tree for name, tree in parameters.items()}))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Graph:
        """Start all."""
        for name in self._commands():
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all."""
        self.stop()
        self._folder.cleanup()

    def _commands(self) -> dict[str, list[str]]:
        names = [found.name for found in self._config.entries]
        if self._config.one_process:
            return {"behaviors": ["behaviors_ros.ros.compose", *names]}
        return {found.name: [found.module] for found in self._config.entries}

    def start(self, name: str, over: Tree | None = None) -> None:
        """Start a process, or start it again; `over`: parameters instead of those of the configuration."""
        arguments = ["--ros-args", "--params-file", str(self._file)]
        if over:
            other = Path(self._folder.name) / f"{name}.yaml"
            other.write_text(parameter_file({f"{NAMESPACE}/{name}": over}))
            arguments += ["--params-file", str(other)]
        for ours, theirs in self._config.remap.items():
            arguments += ["-r", f"{ours}:={theirs}"]
        secured: dict[str, str] = {}
        if self._config.security:
            arguments += ["--enclave", enclave(name)]
            secured = security_environment(Path(self._config.security), [name])
        output: Any = None
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
            output = (self._logs / f"{name}.log").open("ab")
        # A session of its own: an interrupt from the terminal reaches the nodes through `stop` only, once.
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", *self._commands()[name], *arguments],
            env=environment() | secured, start_new_session=True, stdout=output,
            stderr=subprocess.STDOUT if output else None,
        )  # fmt: skip

    def watch(self) -> int | None:
        """Look once: the exit code when the graph has ended, None while it runs.

        It ends with the simulator, when a node cannot be configured (2), and when no node is left. A planning node that
        ends otherwise is left to the bridge, which stops the vehicle; with `respawn` it is started again.
        """
        for name, process in list(self.processes.items()):
            code = process.poll()
            if code is None:
                continue
            del self.processes[name]
            if code == 2 or name in ("loopback_simulator", "behaviors"):
                return code
            print(f"behaviors up: {name} ended with code {code}", file=sys.stderr, flush=True)
            if self._config.respawn:
                self.start(name)
        return None if self.processes else 1

    def run(self) -> int:
        """Watch until the graph ends or this process is told to; the exit code."""
        told: list[int] = []
        before = {
            sig: signal.signal(sig, lambda number, _: told.append(number)) for sig in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            while not told:
                code = self.watch()
                if code is not None:
                    return code
                time.sleep(0.05)
            return 0
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def stop(self, patience_s: float = 2.0) -> None:
        """Ask all to end, wait, and kill what has not ended."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        for process in self.processes.values():
            try:
                process.wait(max(deadline - time.monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = {}


class _Quoted(yaml.SafeDumper):
    """Texts in quotes: ROS takes a bare nan, inf, on or no for a number or a truth value where PyYAML does not."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """A text whatever is in it."""
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Quoted.add_representer(str, _Quoted.represent_text)


def parameter_file(trees: Mapping[str, Any]) -> str:
    """A ROS parameter file of parameter trees by full node name. A null in one raises BehaviorsError."""
    nodes = {name: {"ros__parameters": _ros_tree(tree)} for name, tree in trees.items()}
    return str(yaml.dump(nodes, Dumper=_Quoted))


def _ros_tree(values: Any) -> Any:
    """A parameter tree as ROS takes it: an empty list of strings is `[""]`; null has no meaning there."""
    if isinstance(values, Mapping):
        return {str(key): _ros_tree(leaf) for key, leaf in values.items()}
    if isinstance(values, (list, tuple)):
        return list(values) or [""]
    if values is None:
        raise BehaviorsError("a parameter is null; leave it out to take its default")
    return values
