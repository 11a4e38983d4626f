"""Co-simulation with Gazebo: the world of a scenario, the vehicle, the bridge, the stack, our road users.

    ros2 launch behaviors_ros gazebo.launch.py scenario:=FILE gui:=true

Needs ros_gz (apt: ros-jazzy-ros-gz). Ends with the drive.
"""

import tempfile
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from behaviors_ros.ros.gazebo_poses import bindings
from behaviors_ros.ros.launching import graph_nodes
from behaviors_ros.ros.up import GraphConfig, checked
from behaviors_ros.simulation.gazebo.vehicle import MODEL, Body
from behaviors_ros.simulation.gazebo.world import WORLD, WorldParameters, origin, write_world
from behaviors_ros.simulation.scenario import DEMO, load_scenario

ARGUMENTS = {
    "scenario": (str(DEMO), "scenario, in YAML or CommonRoad form"),
    "folder": ("", "folder for world.sdf and vehicle.sdf; empty: a temporary one"),
    "gui": ("false", "show Gazebo's window"),
    "gz_args": ("", "further arguments of Gazebo"),
    "visualisation": ("true", "publish markers"),
    "log": ("", "file (.npz) for the executed drive"),
}


def generate_launch_description():
    declared = [DeclareLaunchArgument(name, default_value=d, description=text) for name, (d, text) in ARGUMENTS.items()]
    return LaunchDescription([*declared, OpaqueFunction(function=actions)])


def actions(context):
    """Everything to start, once the arguments are known."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    scenario = load_scenario(given["scenario"])
    folder = Path(given["folder"] or tempfile.mkdtemp(prefix="behaviors_gazebo_"))
    world, vehicle = write_world(scenario, folder, WorldParameters(), Body())
    nodes = graph_nodes(graph_config(given), last="gazebo_adapter")
    return [gazebo(world, given), spawn(vehicle, scenario), *bridges(), *nodes]


def graph_config(given):
    """The stack, the tracking controller and the adapter; Gazebo is the simulator."""
    tools = ("tools",) if given["visualisation"].lower() == "true" else ()
    return checked(
        GraphConfig(
            groups=("stack", "loopback", "gazebo", *tools),
            without=("loopback_simulator",),
            scenario=given["scenario"],
            nodes={"gazebo_adapter": {"scenario": given["scenario"], "log": given["log"]}},
        ),
        "gazebo.launch.py",
    )


def share(package):
    """A package's share folder, or one line on how to get the package."""
    try:
        return Path(get_package_share_directory(package))
    except PackageNotFoundError:
        raise RuntimeError(
            f"{package} is not installed; Gazebo needs ros_gz: apt install ros-$ROS_DISTRO-ros-gz"
        ) from None


def gazebo(world, given):
    """Gazebo itself; everything ends when it ends."""
    server = "" if given["gui"].lower() == "true" else "-s "
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share("ros_gz_sim") / "launch" / "gz_sim.launch.py")),
        launch_arguments={
            "gz_args": f"-r {server}-v 2 {given['gz_args']} {world}",
            "on_exit_shutdown": "true",
        }.items(),
    )


def spawn(vehicle, scenario):
    """The vehicle at the scenario's start, which is near Gazebo's origin; a little above the ground."""
    x, y = (scenario.start.position - origin(scenario)).tolist()
    places = {"-x": x, "-y": y, "-z": 0.02, "-Y": scenario.start.yaw}
    options = [text for name, number in places.items() for text in (name, f"{number:.6f}")]
    arguments = ["-world", WORLD, "-file", str(vehicle), "-name", MODEL, *options]
    return Node(package="ros_gz_sim", executable="create", arguments=arguments, output="screen")


def bridges():
    """Our topics; and, where gz-transport's Python bindings are missing, the service that sets a pose."""
    ours = share("behaviors_ros") / "config" / "gazebo_bridge.yaml"
    yield Node(
        package="ros_gz_bridge",
        executable="parameter_bridge",
        name="gazebo_bridge",
        parameters=[{"config_file": str(ours)}],
        output="screen",
    )
    if bindings() is None:
        service = f"/world/{WORLD}/set_pose@ros_gz_interfaces/srv/SetEntityPose"
        yield Node(package="ros_gz_bridge", executable="parameter_bridge", name="pose_bridge", arguments=[service])
