"""The stack in the loopback simulator; the launch ends with the drive.

ros2 launch behaviors_ros demo.launch.py scenario:=file speed_factor:=1.0 log:=drive.npz
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration

from behaviors_ros.ros.launching import simulated_nodes

ARGUMENTS = {
    "scenario": ("", "scenario file (ours in YAML, or CommonRoad); empty: the embedded urban one"),
    "speed_factor": ("1.0", "simulated seconds a second of wall time"),
    "log": ("", "file (.npz) for the executed drive; empty: none"),
    "visualisation": ("true", "start the visualisation node"),
}


def start(context: LaunchContext) -> list:
    """The nodes, once the arguments are known."""
    chosen = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    simulator = {"speed_factor": float(chosen["speed_factor"]), "log": chosen["log"]}
    without = () if chosen["visualisation"] == "true" else ("visualisation",)
    return simulated_nodes(chosen["scenario"], simulator, without)


def generate_launch_description() -> LaunchDescription:
    """Arguments and nodes."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=meaning)
        for name, (default, meaning) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start)])
