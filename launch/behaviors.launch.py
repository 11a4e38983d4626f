"""The stack on a vehicle or a rig: topics are remapped by arguments, the vehicle and the map are files.

ros2 launch behaviors_ros behaviors.launch.py map:=town.osm vehicle:=vehicle.yaml tracks:=/perception/tracks
ros2 launch behaviors_ros behaviors.launch.py map:=town.osm inputs:=autoware_tracks outputs:=autoware_trajectory
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration

from behaviors_ros.ros.graph import TOPICS
from behaviors_ros.ros.launching import lifecycle_nodes

INPUTS_AND_OUTPUTS = ("tracks", "odometry", "signals", "route", "trajectory", "path", "status", "control_command")


def start(context: LaunchContext) -> list:
    """The nodes, once the arguments are known."""
    chosen = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    remap = {topic: chosen[topic] for topic in INPUTS_AND_OUTPUTS if chosen[topic] != topic}
    inputs, outputs, commands = (
        [name for name in chosen[argument].split(",") if name] for argument in ("inputs", "outputs", "commands")
    )
    groups = ["stack"] + [
        group
        for name, group in (("controller", "controller"), ("visualisation", "tools"), ("blackbox", "blackbox"))
        if chosen[name] == "true"
    ]
    replaced = ("prediction",) if "autoware_predictions" in inputs else ()
    return lifecycle_nodes(
        groups=(*groups, "adapters") if inputs else tuple(groups),
        without=replaced,
        nodes={
            "input_adapter": {"inputs": inputs},
            "controls_bridge": {"outputs": outputs},
            "tracking_controller": {"outputs": commands},
        },
        map_file=chosen["map"],
        vehicle_file=chosen["vehicle"],
        parameters_file=chosen["parameters"],
        use_sim_time=chosen["use_sim_time"] == "true",
        remap=remap,
        security=chosen["security"],
    )


ARGUMENTS = {
    "map": ("", "file of the map; empty: mapless mode"),
    "vehicle": ("", "YAML file with the parameters of the vehicle; empty: the defaults"),
    "parameters": ("", "ROS parameter file that is read after config/*.yaml; empty: none"),
    "use_sim_time": ("false", "take the time from /clock"),
    "controller": ("false", "start our tracking controller as well"),
    "inputs": (
        "",
        "messages of others to hear, with commas between: autoware_tracks,autoware_signals; empty: ours only",
    ),
    "outputs": ("", "messages of others the bridge speaks besides ours: autoware_trajectory; empty: none"),
    "commands": ("", "messages of others the controller speaks besides ours: ackermann_drive; empty: none"),
    "visualisation": ("true", "start the visualisation node"),
    "blackbox": ("true", "keep the last seconds of all topics, and write them as a bag on an emergency stop"),
    "security": ("", "SROS2 keystore to run under, with enforcement; empty: none"),
    **{name: (name, f"topic of {TOPICS[name].type}") for name in INPUTS_AND_OUTPUTS},
}


def generate_launch_description() -> LaunchDescription:
    """Arguments and nodes."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=meaning)
        for name, (default, meaning) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start)])
