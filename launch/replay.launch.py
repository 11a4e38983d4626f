"""A recorded bag in, decisions out: the bag is played with its clock, our topics are recorded.

The bag must hold inputs only (tracks, odometry, signals, route): no /clock and no outputs of an earlier run.

ros2 launch behaviors_ros replay.launch.py bag:=drive map:=town.osm output:=decisions
"""

import tempfile
from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)  # fmt: skip
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration

from behaviors_ros.ros.graph import NAMESPACE, entry, nodes
from behaviors_ros.ros.launching import lifecycle_nodes

ARGUMENTS = {
    "bag": (None, "bag to play"),
    "map": ("", "file of the map; empty: mapless mode"),
    "vehicle": ("", "YAML file with the parameters of the vehicle; empty: the defaults"),
    "output": ("decisions", "folder of the bag that is written; empty: nothing is recorded"),
    "rate": ("1.0", "speed of the replay"),
    "delay": ("20.0", "s before the bag is played, for the nodes to start"),
}
# The route is latched in the bag: the player has to publish it latched.
LATCHED = f"{NAMESPACE}/route: {{reliability: reliable, durability: transient_local, history: keep_last, depth: 1}}\n"


def start(context: LaunchContext) -> list:
    """The nodes, the player and the recorder, once the arguments are known."""
    chosen = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    overrides = Path(tempfile.mkdtemp(prefix="behaviors_")) / "qos.yaml"
    overrides.write_text(LATCHED)
    inputs = [f"{NAMESPACE}/{topic}" for topic in entry("prediction").reads if topic != "selected"]
    play = ExecuteProcess(
        cmd=["ros2", "bag", "play", chosen["bag"], "--clock", "50", "--rate", chosen["rate"],
             "--qos-profile-overrides-path", str(overrides), "--topics", *inputs],
        output="screen",
    )  # fmt: skip
    actions = lifecycle_nodes(("stack",), chosen["map"], chosen["vehicle"], "", use_sim_time=True, remap={})
    if chosen["output"]:
        topics = dict.fromkeys(topic for node in nodes(("stack",)) for topic in (*node.reads, *node.writes))
        record = ["ros2", "bag", "record", "--output", chosen["output"], "--topics"]
        actions.append(ExecuteProcess(cmd=[*record, *(f"{NAMESPACE}/{topic}" for topic in topics)], output="screen"))
    actions.append(TimerAction(period=float(chosen["delay"]), actions=[play]))
    actions.append(RegisterEventHandler(OnProcessExit(target_action=play, on_exit=[EmitEvent(event=Shutdown())])))
    return actions


def generate_launch_description() -> LaunchDescription:
    """Arguments and nodes."""
    arguments = [
        DeclareLaunchArgument(name, description=meaning, **({} if default is None else {"default_value": default}))
        for name, (default, meaning) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start)])
