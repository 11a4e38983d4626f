"""What the launch files share: launch_ros nodes from the graph table. Only they import this; it needs launch_ros."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch.actions import EmitEvent, SetEnvironmentVariable
from launch.events import Shutdown
from launch_ros.actions import Node

from behaviors_ros.ros.environment import network
from behaviors_ros.ros.graph import NAMESPACE, Entry
from behaviors_ros.ros.security import enclave, security_environment
from behaviors_ros.ros.up import GraphConfig, checked, node_parameters, parameter_file
from behaviors_ros.yaml_files import read_mapping


def lifecycle_nodes(
    groups: tuple[str, ...],
    map_file: str,
    vehicle_file: str,
    parameters_file: str,
    use_sim_time: bool,
    remap: Mapping[str, str],
    security: str = "",
    nodes: Mapping[str, Mapping[str, Any]] | None = None,
    without: tuple[str, ...] = (),
) -> list[Any]:
    """The nodes of some groups but `without`; "controller" is that of the loopback alone.

    nodes: their parameters. security: a keystore, or empty.
    """
    base: dict[str, Any] = {
        "map": map_file, "vehicle": _vehicle(vehicle_file), "use_sim_time": use_sim_time, "nodes": dict(nodes or {}),
    }  # fmt: skip
    ours = tuple(group for group in groups if group != "controller")
    config = checked(GraphConfig(groups=ours, without=without, **base), "launch arguments")
    found = {entry: tree for entry, tree in _trees(config)}
    if "controller" in groups:
        alone = checked(GraphConfig(groups=("loopback",), without=("loopback_simulator",), **base), "launch arguments")
        found |= {entry: {**tree, "use_sim_time": use_sim_time} for entry, tree in _trees(alone)}
    files = [parameters_file] if parameters_file else []
    secured = security_environment(Path(security), [entry.name for entry in found]) if security else {}
    settings = [SetEnvironmentVariable(name, text) for name, text in secured.items()]
    return settings + [_node(entry, tree, files, remap, secured=bool(security)) for entry, tree in found.items()]


def simulated_nodes(scenario: str, simulator: Mapping[str, Any], without: tuple[str, ...]) -> list[Any]:
    """All nodes around the loopback simulator; the launch ends with it."""
    config = checked(
        GraphConfig(groups=("stack", "loopback", "tools"), without=without, scenario=scenario,
                    nodes={"loopback_simulator": dict(simulator)}),
        "launch arguments",
    )  # fmt: skip
    return graph_nodes(config, "loopback_simulator")


def graph_nodes(config: GraphConfig, last: str) -> list[Any]:
    """The nodes of a configuration; the launch ends with the one called `last`."""
    end = [EmitEvent(event=Shutdown(reason="the drive has ended"))]
    return [_node(entry, tree, [], {}, on_exit=end if entry.name == last else None) for entry, tree in _trees(config)]


def _trees(config: GraphConfig) -> list[tuple[Entry, dict[str, Any]]]:
    trees = node_parameters(config)
    return [(entry, trees[entry.name]) for entry in config.entries]


def _vehicle(path: str) -> dict[str, Any]:
    """Parameters of the vehicle, from a file that has them at its top."""
    if not path:
        return {}
    return read_mapping(Path(path), "give a YAML file with the vehicle's parameters")


def _node(
    entry: Entry,
    tree: dict[str, Any],
    files: list[str],
    remap: Mapping[str, str],
    on_exit: Any = None,
    secured: bool = False,
) -> Node:
    """The defaults of config/, what the launch says, and then the user's own files."""
    folder = Path(tempfile.mkdtemp(prefix="behaviors_"))
    said = folder / entry.config
    said.write_text(parameter_file({f"{NAMESPACE}/{entry.name}": tree}))
    defaults = Path(get_package_share_directory("behaviors_ros")) / "config" / entry.config
    used = {topic: name for topic, name in remap.items() if topic in (*entry.reads, *entry.writes)}
    return Node(
        package="behaviors_ros", executable=entry.name, name=entry.name, namespace=NAMESPACE, output="screen",
        parameters=[str(defaults), str(said), *files], remappings=list(used.items()), on_exit=on_exit,
        ros_arguments=["--enclave", enclave(entry.name)] if secured else None, additional_env=network(),
    )  # fmt: skip
