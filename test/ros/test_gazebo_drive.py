"""The whole graph around the Gazebo adapter, with a stand-in for the server: it drives."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy

from behaviors_ros.ros.environment import environment
from behaviors_ros.ros.graph import NAMESPACE, TOPICS
from behaviors_ros.ros.qos import PROFILES
from behaviors_ros.ros.up import Graph, GraphConfig, checked

SERVER = Path(__file__).with_name("gazebo_server.py")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_stack_drives_the_vehicle_of_gazebo(tmp_path):
    config = checked(
        GraphConfig(groups=("stack", "loopback", "gazebo"), without=("loopback_simulator",)), "test"
    )  # fmt: skip
    server = subprocess.Popen([sys.executable, str(SERVER)], env=environment())
    rclpy.init()
    node = rclpy.create_node("listener", namespace=NAMESPACE)
    driven = []
    topic = TOPICS["odometry"]
    node.create_subscription(topic.message(), topic.name, driven.append, PROFILES[topic.qos])
    try:
        with Graph(config, tmp_path) as graph:
            end = time.monotonic() + 300.0
            while not driven or driven[-1].pose.pose.position.x < 20.0:
                assert time.monotonic() < end, f"drove to {driven[-1].pose.pose.position if driven else 'nowhere'}"
                assert graph.watch() is None
                rclpy.spin_once(node, timeout_sec=0.05)
    finally:
        server.kill()
        server.wait()
        node.destroy_node()
        rclpy.try_shutdown()
    # On its lane all the way, between rest and the limit.
    assert max(abs(found.pose.pose.position.y + 1.75) for found in driven) < 1.0
    assert min(found.twist.twist.linear.x for found in driven) >= 0.0
    assert max(found.twist.twist.linear.x for found in driven) < 14.0
