"""The table of nodes, the generated files, `behaviors up` and its configuration."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rclpy
import yaml

from behaviors_ros.errors import InputError
from behaviors_ros.ros.cli import main
from behaviors_ros.ros.documents import documents
from behaviors_ros.ros.drive_log import read_drive
from behaviors_ros.ros.environment import environment
from behaviors_ros.ros.graph import EVERY_NODE, NODES, TOPICS
from behaviors_ros.ros.qos import PROFILES
from behaviors_ros.ros.up import GraphConfig, checked, node_parameters, parameter_file, read_config
from behaviors_ros.simulation.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]


def test_every_topic_has_a_message_and_a_profile():
    for topic in TOPICS.values():
        assert topic.message().__name__ == topic.type.split("/")[-1]
        assert topic.qos in PROFILES


@pytest.mark.parametrize("text", ["nan", "inf", "on", "no", "1e3", "", "null", "a: b"])
def test_a_text_stays_a_text_in_a_parameter_file(text, tmp_path):
    file = tmp_path / "parameters.yaml"
    file.write_text(parameter_file({"/reader": {"how": text, "much": 1e-05, "many": [text, "b"]}}))
    context = rclpy.Context()
    rclpy.init(args=["--ros-args", "--params-file", str(file)], context=context)
    node = rclpy.create_node("reader", context=context, automatically_declare_parameters_from_overrides=True)
    found = {name: node.get_parameter(name).value for name in ("how", "much", "many")}
    node.destroy_node()
    context.try_shutdown()
    assert found == {"how": text, "much": 1e-05, "many": [text, "b"]}


def test_the_table_joins_up():
    written = {topic for entry in NODES for topic in (*entry.writes, *EVERY_NODE)}
    for entry in NODES:
        assert set(entry.reads) | set(entry.writes) <= set(TOPICS), entry.name
        outside = {topic for topic in entry.reads if topic.startswith("gazebo/")}
        assert set(entry.reads) - outside <= written, entry.name
        assert entry.load().name == entry.name


@pytest.mark.parametrize("path", [path.relative_to(ROOT) for path in documents(ROOT)], ids=str)
def test_generated_files_are_fresh(path):
    assert (ROOT / path).read_text() == documents(ROOT)[ROOT / path], "stale: run `behaviors params docs`"


def test_config_files_are_read_back_as_the_defaults():
    for entry in NODES:
        tree = yaml.safe_load((ROOT / "config" / entry.config).read_text())[f"/behaviors/{entry.name}"]
        tree = tree["ros__parameters"]
        defaults = entry.load().model().model_dump(mode="json")
        for name, leaf in defaults.items():
            assert tree[name] == (leaf if leaf != [] else [""]), f"{entry.name}: {name}"


def test_shared_parameters_reach_the_nodes():
    config = GraphConfig(map="town.osm", vehicle={"length_m": 5.0}, nodes={"prediction": {"vehicle": {"width_m": 2.0}}})
    found = node_parameters(config)
    assert found["prediction"]["vehicle"] == {"length_m": 5.0, "width_m": 2.0}
    assert found["prediction"]["scene"]["map"] == "town.osm"
    assert found["controls_bridge"]["vehicle"] == {"length_m": 5.0} and "scene" not in found["controls_bridge"]


def test_simulated_nodes_take_the_map_of_the_scenario_and_the_simulated_time():
    found = node_parameters(GraphConfig(groups=("stack", "loopback")))
    assert found["prediction"]["scene"]["map"].endswith("urban.osm") and found["prediction"]["use_sim_time"]
    assert "use_sim_time" not in found["loopback_simulator"]


@pytest.mark.parametrize(
    ("tree", "named"),
    [
        ({"groups": ["stak"]}, "stak"),
        ({"nodes": {"predicton": {}}}, "predicton"),
        ({"vehicle": {"length_m": -1}}, "length_m"),
        ({"colour": 1}, "colour"),
    ],
)
def test_wrong_configuration_names_what_is_wrong(tmp_path, tree, named):
    path = tmp_path / "up.yaml"
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(InputError, match=named):
        read_config(path)


def test_files_are_relative_to_the_configuration(tmp_path):
    path = tmp_path / "up.yaml"
    path.write_text("map: town.osm\n")
    assert read_config(path).map == str(tmp_path / "town.osm")
    assert checked(GraphConfig(), "here").groups == ("stack",)


@pytest.mark.parametrize("arguments", [["up", "nowhere.yaml"], ["bench", "latency", "--agents", "many"], ["nonsense"]])
def test_wrong_use_is_one_line_and_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.timeout(240)
def test_a_short_drive_in_one_process(tmp_path):
    """The whole stack drives 40 m and stops in the goal; the drive's log says so."""
    scenario = {
        "name": "straight", "duration_s": 40.0, "start": {"position": [0.0, 0.0], "yaw_rad": 0.0, "speed_mps": 4.0},
        "goal": {"position": [40.0, 0.0], "polygon": [[34.0, -3.0], [60.0, -3.0], [60.0, 3.0], [34.0, 3.0]]},
    }  # fmt: skip
    (tmp_path / "straight.yaml").write_text(yaml.safe_dump(scenario))
    log = tmp_path / "drive.npz"
    config = {"groups": ["stack", "loopback"], "scenario": "straight.yaml", "one_process": True,
              "nodes": {"loopback_simulator": {"log": str(log), "speed_factor": 0.5}}}  # fmt: skip
    (tmp_path / "up.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "behaviors_ros.ros.cli", "up", str(tmp_path / "up.yaml")]
    assert subprocess.run(command, env=environment(), timeout=220, check=False).returncode == 0
    drive = read_drive(log, load_scenario(tmp_path / "straight.yaml"))
    assert drive.arrived and drive.ego[-1].position[0] > 30.0
    np.testing.assert_allclose(np.diff([ego.stamp_ns for ego in drive.ego]), 100_000_000)


def test_up_stops_all_within_two_seconds(tmp_path):
    (tmp_path / "up.yaml").write_text("without: [prediction, trajectory_generation, trajectory_scoring]\n")
    command = [sys.executable, "-m", "behaviors_ros.ros.cli", "up", str(tmp_path / "up.yaml"), "--log", str(tmp_path)]
    process = subprocess.Popen(command, env=environment())
    log = tmp_path / "controls_bridge.log"
    deadline = time.monotonic() + 60
    while not (log.exists() and "active" in log.read_text()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(10) == 0
    assert time.monotonic() - began < 4.0
