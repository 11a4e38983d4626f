"""Transports of the nodes: ours where the user has chosen nothing."""

import os
import subprocess
import sys

import pytest
import rclpy.utilities

from behaviors_ros.ros import environment
from behaviors_ros.ros.environment import PROFILE, REACH, TRANSPORTS

FAST = rclpy.utilities.get_rmw_implementation_identifier().startswith("rmw_fastrtps")
OPEN = """
import rclpy
rclpy.init()
node = rclpy.create_node("looks")
print([line.split()[-1] for line in open("/proc/self/maps") if "/dev/shm/fastdds" in line])
import os, socket
for number in os.listdir("/proc/self/fd"):
    try:
        found = socket.socket(fileno=os.dup(int(number)))
    except OSError:
        continue
    if found.type == socket.SOCK_DGRAM and found.family == socket.AF_INET:
        print(found.getsockname())
"""


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    for name in (*TRANSPORTS, *REACH):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(not FAST, reason="another middleware")
def test_no_shared_memory_and_no_interface_but_loopback():
    found = environment.environment()
    done = subprocess.run([sys.executable, "-c", OPEN], env=found, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "[]"
    bound = [line for line in done.stdout.splitlines()[1:] if ", 0)" not in line]
    assert bound and all("127.0.0.1" in line for line in bound)


@pytest.mark.skipif(not FAST, reason="another middleware")
@pytest.mark.parametrize("name", TRANSPORTS)
def test_who_has_chosen_transports_is_left_alone(monkeypatch, name):
    monkeypatch.setenv(name, "DEFAULT")
    found = environment.environment()
    assert found[name] == "DEFAULT" and found["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert {key for key in TRANSPORTS if key in found} == {name} and environment.network() == {}


def test_who_has_chosen_how_far_is_heard_that_far(monkeypatch):
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    found = environment.environment()
    assert found["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SUBNET"
    assert environment.loopback() == {} and found.get(PROFILE) == environment.network().get(PROFILE)


def test_another_middleware_stays_local(monkeypatch):
    monkeypatch.setattr(environment, "get_rmw_implementation_identifier", lambda: "rmw_cyclonedds_cpp")
    assert environment.environment()["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST" and environment.network() == {}


def test_the_profiles_are_there():
    for found in (environment.loopback(), environment.network()):
        assert not FAST or os.path.isfile(found[PROFILE])
