"""The policy lets every node do what it does, and nothing else; without a keystore nothing runs in the clear."""

import os
import subprocess
import sys
from xml.etree.ElementTree import fromstring

import pytest
from harness import Harness

from behaviors_ros.errors import InputError
from behaviors_ros.ros.dialects import rights as dialects
from behaviors_ros.ros.environment import environment
from behaviors_ros.ros.graph import NAMESPACE, NODES, entry
from behaviors_ros.ros.security import policy, security_environment
from behaviors_ros.ros.up import Graph, GraphConfig, checked


def rights(text, node):
    """What a policy lets a node do: {publish, subscribe, reply: names}."""
    (profile,) = [found for found in fromstring(text).iter("profile") if found.get("node") == node]
    return {right: {each.text for each in group} for group in profile for right in group.attrib}


@pytest.mark.parametrize("name", ["prediction", "controls_bridge", "blackbox"])
def test_a_node_uses_what_it_may_and_may_what_it_uses(name):
    allowed = rights(policy(), name)
    with Harness(name) as harness:
        harness.active()
        node = harness.node

        def used(kind):
            found = getattr(node, f"get_{kind}_names_and_types_by_node")(name, NAMESPACE)
            return {topic for topic, _ in found}

        harness.until(lambda: len(used("publisher")) >= len(allowed["publish"]) - 1)
        assert used("publisher") <= allowed["publish"]
        assert allowed["publish"] - used("publisher") <= {"/parameter_events"}
        assert used("subscriber") <= allowed["subscribe"]
        assert allowed["subscribe"] - used("subscriber") <= {"/clock", "/parameter_events"}
        assert used("service") == allowed["reply"]


def test_remapped_topics_are_in_the_policy():
    found = rights(policy([entry("prediction")], {"tracks": "/perception/tracks"}), "prediction")
    assert "/perception/tracks" in found["subscribe"] and "/behaviors/tracks" not in found["subscribe"]


def test_what_dialects_use_is_in_the_policy():
    parameters = {
        "controls_bridge": {"outputs": ["nav2_follow_path"]},
        "input_adapter": {"inputs": ["vision_boxes"], "dialects": {"vision_boxes": {"topic": "/boxes"}}},
    }
    text = policy(spoken=dialects.rights(parameters))
    bridge, adapter = rights(text, "controls_bridge"), rights(text, "input_adapter")
    assert {"/speed_limit", "/behaviors/controller_state"} <= bridge["publish"] and bridge["call"] == {"/follow_path"}
    assert "/boxes" in adapter["subscribe"] and "call" not in adapter
    assert "/planning/trajectory" not in text


def test_every_node_and_the_recorder_have_an_enclave_and_none_is_a_wildcard():
    text = policy()
    paths = {found.get("path") for found in fromstring(text).iter("enclave")}
    assert paths == {f"{NAMESPACE}/{found.name}" for found in NODES} | {f"{NAMESPACE}/recorder"}
    assert "*" not in text
    assert "publish" in rights(text, "recorder") and not any(
        topic.startswith(NAMESPACE) for topic in rights(text, "recorder")["publish"]
    )


def test_a_keystore_without_an_enclave_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(InputError, match="no enclave /behaviors/prediction"):
        checked(GraphConfig(security=str(tmp_path)), "up.yaml")
    with pytest.raises(InputError, match="one_process"):
        checked(GraphConfig(security=str(tmp_path), one_process=True), "up.yaml")
    folder = tmp_path / "enclaves" / "behaviors" / "prediction"
    folder.mkdir(parents=True)
    (folder / "permissions.p7s").write_text("signed")
    found = security_environment(tmp_path, ["prediction"])
    assert found["ROS_SECURITY_STRATEGY"] == "Enforce" and found["ROS_SECURITY_ENABLE"] == "true"


def test_a_node_does_not_run_in_the_clear_when_it_should_be_secured(tmp_path):
    """Whether the middleware knows security or not, an enclave that is no enclave ends the node."""
    folder = tmp_path / "enclaves" / "behaviors" / "controls_bridge"
    folder.mkdir(parents=True)
    (folder / "permissions.p7s").write_text("not signed")
    secured = security_environment(tmp_path, ["controls_bridge"])
    command = [sys.executable, "-m", entry("controls_bridge").module, "--ros-args", "--enclave",
               "/behaviors/controls_bridge"]  # fmt: skip
    done = subprocess.run(command, env=environment() | secured | {"HOME": os.environ.get("HOME", "/")},
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode != 0 and "secur" in (done.stdout + done.stderr).lower()


def test_a_graph_hands_every_node_its_enclave(tmp_path, monkeypatch):
    for name in ("prediction", "controls_bridge"):
        folder = tmp_path / "enclaves" / "behaviors" / name
        folder.mkdir(parents=True)
        (folder / "permissions.p7s").write_text("x")
    started = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, env, **_: started.append((command, env)))
    without = ("trajectory_generation", "trajectory_scoring")
    graph = Graph(GraphConfig(security=str(tmp_path), without=without))
    graph.start("prediction")
    ((command, env),) = started
    assert command[command.index("--enclave") + 1] == "/behaviors/prediction"
    assert env["ROS_SECURITY_KEYSTORE"] == str(tmp_path)
