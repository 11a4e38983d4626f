"""The one table of nodes and topics. `behaviors up`, the launch files, the CLI and the nodes themselves read it.

Imports nothing of ROS, so that a launch file reads it at no cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

NAMESPACE = "/behaviors"


@dataclass(frozen=True)
class Topic:
    """A topic: its name below the namespace, its message type, and its quality of service by name (`ros/qos.py`)."""

    name: str
    type: str
    qos: str

    def message(self) -> Any:
        """The message class."""
        package, _, name = self.type.split("/")
        return getattr(import_module(f"{package}.msg"), name)


@dataclass(frozen=True)
class Entry:
    """A node: executable, module and parameter file share its name. `reads` and `writes` are names of topics."""

    name: str
    class_name: str
    group: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    @property
    def module(self) -> str:
        """The module that holds the class and runs as the executable."""
        return f"behaviors_ros.ros.{self.name}"

    @property
    def config(self) -> str:
        """File of the default parameters, in `config/`."""
        return f"{self.name}.yaml"

    def load(self) -> type:
        """The node's class; imports rclpy."""
        found: type = getattr(import_module(self.module), self.class_name)
        return found


_TOPICS = (
    Topic("tracks", "behaviors_ros/msg/TrackedObjects", "cycle"),
    Topic("odometry", "nav_msgs/msg/Odometry", "odometry"),
    Topic("signals", "behaviors_ros/msg/TrafficSignals", "cycle"),
    Topic("route", "behaviors_ros/msg/Route", "latched"),
    Topic("predictions", "behaviors_ros/msg/PredictedObjects", "cycle"),
    Topic("candidates", "behaviors_ros/msg/CandidateTrajectories", "cycle"),
    Topic("scores", "behaviors_ros/msg/TrajectoryScores", "cycle"),
    Topic("selected", "behaviors_ros/msg/SelectedTrajectory", "cycle"),
    Topic("trajectory", "behaviors_ros/msg/Trajectory", "latest"),
    Topic("path", "nav_msgs/msg/Path", "latest"),
    Topic("status", "behaviors_ros/msg/StackStatus", "latest"),
    Topic("control_command", "behaviors_ros/msg/ControlCommand", "latest"),
    Topic("controller_state", "behaviors_ros/msg/ControllerState", "latest"),
    Topic("engagement", "behaviors_ros/msg/Engagement", "latched"),
    Topic("events", "behaviors_ros/msg/StackEvent", "events"),
    Topic("markers", "visualization_msgs/msg/MarkerArray", "latest"),
    Topic("/clock", "rosgraph_msgs/msg/Clock", "clock"),
    Topic("gazebo/cmd_vel", "geometry_msgs/msg/Twist", "latest"),
    Topic("gazebo/ground_truth", "nav_msgs/msg/Odometry", "odometry"),
)
TOPICS = {topic.name: topic for topic in _TOPICS}

# What every node writes besides what its entry names.
EVERY_NODE = ("events",)

_SCENE = ("tracks", "odometry", "signals", "route", "selected")

NODES = (
    Entry("prediction", "PredictionNode", "stack", _SCENE, ("predictions",)),
    Entry("trajectory_generation", "GenerationNode", "stack", (*_SCENE, "predictions"), ("candidates",)),
    Entry("trajectory_scoring", "ScoringNode", "stack", (*_SCENE, "predictions", "candidates"), ("scores", "selected")),
    Entry("controls_bridge", "BridgeNode", "stack",
          ("odometry", "predictions", "candidates", "selected", "controller_state", "engagement"),
          ("trajectory", "path", "status")),
    Entry("loopback_simulator", "LoopbackNode", "loopback", ("control_command", "trajectory"),
          ("tracks", "odometry", "signals", "route", "engagement", "/clock")),
    Entry("tracking_controller", "ControllerNode", "loopback", ("trajectory", "odometry"),
          ("control_command", "controller_state")),
    Entry("gazebo_adapter", "GazeboNode", "gazebo", ("control_command", "trajectory", "gazebo/ground_truth"),
          ("gazebo/cmd_vel", "odometry", "tracks", "signals", "route")),
    Entry("input_adapter", "AdapterNode", "adapters", _SCENE,
          ("tracks", "predictions", "signals", "route", "engagement")),
    Entry("visualisation", "VisualisationNode", "tools",
          ("tracks", "odometry", "route", "predictions", "candidates", "scores", "selected", "status"), ("markers",)),
    Entry("blackbox", "BlackboxNode", "blackbox",
          ("tracks", "odometry", "signals", "route", "predictions", "candidates", "scores", "selected", "trajectory",
           "path", "status", "control_command", "controller_state", "engagement", "gazebo/cmd_vel",
           "gazebo/ground_truth", "events"), ("events",)),
)  # fmt: skip
GROUPS = ("stack", "loopback", "gazebo", "adapters", "tools", "blackbox")


def nodes(groups: tuple[str, ...] = GROUPS) -> tuple[Entry, ...]:
    """The nodes of some groups, in data-path order."""
    return tuple(entry for entry in NODES if entry.group in groups)


def entry(name: str) -> Entry:
    """The node called `name`; an unknown name raises `KeyError`."""
    return {found.name: found for found in NODES}[name]
