"""Launch files: what they name exists, and, where launch_ros is installed, what they start."""

import ast
import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest
import yaml

from behaviors_ros.ros.gazebo_poses import bindings
from behaviors_ros.ros.graph import NODES, TOPICS, entry
from behaviors_ros.simulation.gazebo import vehicle as gazebo_vehicle
from behaviors_ros.simulation.gazebo.world import WORLD

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = sorted((ROOT / "launch").glob("*.launch.py"))
NAMES = {found.name for found in NODES}
# Executables of other packages: ros_gz_sim and ros_gz_bridge.
FOREIGN = {"create", "parameter_bridge"}


def texts(node):
    """String constants below a syntax node."""
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def test_all_four_launch_files_are_there():
    assert [path.name.split(".")[0] for path in LAUNCH] == ["behaviors", "demo", "gazebo", "replay"]


@pytest.mark.parametrize("path", LAUNCH, ids=lambda path: path.name)
def test_executables_nodes_and_topics_named_in_a_launch_file_are_in_the_graph(path):
    tree = ast.parse(path.read_text())
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if "executable" in given and isinstance(given["executable"], ast.Constant):
            assert given["executable"].value in NAMES | FOREIGN
        for field in ("without", "last"):
            if field in given and not isinstance(given[field], ast.Name):
                assert set(texts(given[field])) <= NAMES
        if isinstance(call.func, ast.Name) and call.func.id == "entry":
            assert set(texts(call)) <= NAMES
    for assign in (node for node in ast.walk(tree) if isinstance(node, ast.Assign)):
        if getattr(assign.targets[0], "id", "") == "INPUTS_AND_OUTPUTS":
            assert set(texts(assign.value)) <= set(TOPICS)


@pytest.mark.parametrize("path", LAUNCH, ids=lambda path: path.name)
def test_parameters_named_in_a_launch_file_are_those_of_the_node(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Dict):
            continue
        for key, inner in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value in NAMES and isinstance(inner, ast.Dict):
                model = entry(key.value).load().model
                assert {found.value for found in inner.keys} <= set(model.model_fields)


def test_every_node_of_the_graph_is_an_executable_with_a_file_of_parameters():
    block = re.search(r"set\(executables(.*?)\)", (ROOT / "CMakeLists.txt").read_text(), re.S).group(1)
    built = dict(line.split("=") for line in block.split())
    assert built == {found.name: f"ros.{found.name}" for found in NODES} | {"behaviors": "ros.cli"}
    for found in NODES:
        tree = yaml.safe_load((ROOT / "config" / found.config).read_text())
        assert set(tree) == {f"/behaviors/{found.name}"}


def test_bridge_joins_topics_of_the_graph_with_those_of_the_vehicle_and_the_world():
    lines = yaml.safe_load((ROOT / "config" / "gazebo_bridge.yaml").read_text())
    keys = {"ros_topic_name", "gz_topic_name", "ros_type_name", "gz_type_name", "direction"}
    for line in lines:
        assert set(line) == keys | {"subscriber_queue", "publisher_queue", "lazy"}
    joined = {line["ros_topic_name"]: line for line in lines}
    adapter = entry("gazebo_adapter")
    for name, way in (("gazebo/cmd_vel", "ROS_TO_GZ"), ("gazebo/ground_truth", "GZ_TO_ROS"), ("/clock", "GZ_TO_ROS")):
        line = joined[name if name.startswith("/") else f"/behaviors/{name}"]
        assert (line["ros_type_name"], line["direction"]) == (TOPICS[name].type, way)
        assert name == "/clock" or name in (adapter.writes if way == "ROS_TO_GZ" else adapter.reads)
    assert joined["/behaviors/gazebo/cmd_vel"]["gz_topic_name"] == gazebo_vehicle.TWIST_TOPIC
    assert joined["/behaviors/gazebo/ground_truth"]["gz_topic_name"] == gazebo_vehicle.TRUTH_TOPIC
    assert joined["/behaviors/gazebo/poses"]["gz_topic_name"] == f"/world/{WORLD}/dynamic_pose/info"


# --- with launch_ros -------------------------------------------------------------------------------------------------


def package(prefix, name):
    """An installed package that has nothing but a name and a launch folder."""
    (prefix / "share" / "ament_index" / "resource_index" / "packages").mkdir(parents=True, exist_ok=True)
    (prefix / "share" / "ament_index" / "resource_index" / "packages" / name).touch()
    (prefix / "share" / name / "launch").mkdir(parents=True)
    return prefix / "share" / name


@pytest.fixture
def started(monkeypatch, tmp_path):
    """What a launch file starts: its actions, given arguments; ros_gz_sim is a stand-in."""
    pytest.importorskip("launch_ros", reason="launch_ros is not installed")
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument

    try:
        get_package_share_directory("behaviors_ros")
    except PackageNotFoundError:
        pytest.skip("behaviors_ros is not in AMENT_PREFIX_PATH")
    server = package(tmp_path, "ros_gz_sim") / "launch" / "gz_sim.launch.py"
    server.write_text(
        "from launch import LaunchDescription\ndef generate_launch_description(): return LaunchDescription()"
    )

    monkeypatch.setenv("AMENT_PREFIX_PATH", os.pathsep.join([str(tmp_path), os.environ["AMENT_PREFIX_PATH"]]))

    def start(name, **arguments):
        path = ROOT / "launch" / f"{name}.launch.py"
        spec = importlib.util.spec_from_file_location(f"{name}_launch", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        context = LaunchContext()
        context.launch_configurations.update(arguments)
        found = []
        for action in module.generate_launch_description().entities:
            made = action.visit(context) or []
            found += [] if isinstance(action, DeclareLaunchArgument) else made
        return found, context

    return start


def ours(actions, context):
    """Our nodes among the actions: name -> parameters said by the launch file, after the defaults."""
    from launch_ros.actions import Node

    found = {}
    for action in actions:
        if isinstance(action, Node) and action.node_package == "behaviors_ros":
            action._perform_substitutions(context)
            name = action.node_name.rsplit("/", 1)[1]
            files = [Path(argument) for argument, _ in action._Node__expanded_parameter_arguments]
            assert (
                files[0] == Path(sys.prefix, "share", "behaviors_ros", "config", f"{name}.yaml") or files[0].is_file()
            )
            assert action.node_name == f"/behaviors/{name}"
            found[name] = yaml.safe_load(files[1].read_text())[f"/behaviors/{name}"]["ros__parameters"]
    return found


def test_demo_starts_the_graph_around_the_loopback(started):
    found = ours(*started("demo", speed_factor="2.0"))
    assert set(found) == NAMES - {"gazebo_adapter", "input_adapter", "blackbox"}
    assert found["loopback_simulator"]["speed_factor"] == 2.0
    assert found["prediction"]["scene"]["map"].endswith("urban.osm") and found["prediction"]["use_sim_time"]
    assert "visualisation" not in ours(*started("demo", visualisation="false"))


def test_behaviors_starts_the_stack_with_topics_remapped(started):
    actions, context = started("behaviors", tracks="/perception/tracks", controller="true")
    found = ours(actions, context)
    assert set(found) == {node.name for node in NODES if node.group in ("stack", "tools", "blackbox")} | {
        "tracking_controller"
    }
    assert not found["prediction"]["use_sim_time"]
    remapped = {action.node_name.rsplit("/", 1)[1]: action.expanded_remapping_rules for action in actions}
    assert remapped["prediction"] == [("tracks", "/perception/tracks")]
    assert not remapped["controls_bridge"]  # does not read it


def test_behaviors_hears_and_speaks_dialects(started):
    found = ours(*started("behaviors", inputs="autoware_predictions,autoware_route", outputs="nav2_follow_path",
                          commands="twist_stamped", controller="true"))  # fmt: skip
    assert "prediction" not in found  # the adapter stands in its place
    assert found["input_adapter"]["inputs"] == ["autoware_predictions", "autoware_route"]
    assert found["controls_bridge"]["outputs"] == ["nav2_follow_path"]
    assert found["tracking_controller"]["outputs"] == ["twist_stamped"]
    assert "input_adapter" not in ours(*started("behaviors"))


def test_replay_starts_the_stack_a_player_and_a_recorder(started):
    actions, context = started("replay", bag="drive")
    found = ours(actions, context)
    assert set(found) == {node.name for node in NODES if node.group == "stack"}
    assert all(tree["use_sim_time"] for tree in found.values())


def test_gazebo_starts_server_vehicle_bridge_and_the_graph_around_the_adapter(started, tmp_path):
    from launch.actions import IncludeLaunchDescription
    from launch_ros.actions import Node

    actions, context = started("gazebo", folder=str(tmp_path / "files"))
    found = ours(actions, context)
    assert set(found) == NAMES - {"loopback_simulator", "input_adapter", "blackbox"}
    assert found["gazebo_adapter"]["scenario"].endswith("urban.yaml")
    assert all(tree["use_sim_time"] for tree in found.values())
    server = next(action for action in actions if isinstance(action, IncludeLaunchDescription))
    arguments = dict(server.launch_arguments)
    assert arguments == {"gz_args": f"-r -s -v 2  {tmp_path / 'files' / 'world.sdf'}", "on_exit_shutdown": "true"}
    assert (tmp_path / "files" / "world.sdf").is_file() and (tmp_path / "files" / "vehicle.sdf").is_file()
    foreign = [action for action in actions if isinstance(action, Node) and action.node_package != "behaviors_ros"]
    bridges = 1 if bindings() is not None else 2
    assert [action.node_package for action in foreign] == ["ros_gz_sim"] + ["ros_gz_bridge"] * bridges
    command = [part[0].perform(context) for part in foreign[0].cmd[1:]]
    assert command[command.index("-file") + 1] == str(tmp_path / "files" / "vehicle.sdf")
    assert command[command.index("-world") + 1] == WORLD


def test_gazebo_says_what_is_missing(started, monkeypatch):
    monkeypatch.setenv("AMENT_PREFIX_PATH", sys.prefix)
    with pytest.raises(RuntimeError, match="ros_gz_sim is not installed"):
        started("gazebo")
