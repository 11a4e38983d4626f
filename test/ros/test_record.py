"""Recording: what is published comes into the bag byte by byte, and the bag is whole whenever the recording ends."""

import json
import resource
import signal
import subprocess
import sys
import time

import made_recordings as made
import pytest
import rclpy
from nav_msgs.msg import Odometry

from behaviors_ros.msg import Route, TrackedObjects
from behaviors_ros.ros.bags import read_bag
from behaviors_ros.ros.graph import NAMESPACE, TOPICS
from behaviors_ros.ros.qos import PROFILES

TYPES = {"/behaviors/odometry": Odometry, "/behaviors/tracks": TrackedObjects, "/behaviors/route": Route}
PATIENCE_S = 40.0


@pytest.fixture
def publisher():
    """Publishes messages of the drive made by hand: `publish(name, message)`."""
    rclpy.init()
    node = rclpy.create_node("publisher", namespace=NAMESPACE)
    publishers = {
        name: node.create_publisher(TOPICS[name].message(), name, PROFILES[TOPICS[name].qos])
        for name in ("route", "odometry", "tracks")
    }
    yield publishers
    node.destroy_node()
    rclpy.try_shutdown()


def recorder(*arguments, **more):
    """`behaviors record` as a running process."""
    return subprocess.Popen(
        [sys.executable, "-m", "behaviors_ros.ros.cli", "record", *map(str, arguments)],
        env=made.command_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
    )  # fmt: skip


def connected(process, publishers):
    """Wait until the recorder listens."""
    end = time.monotonic() + PATIENCE_S
    while not all(each.get_subscription_count() for each in publishers.values()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "the recorder does not listen"
        time.sleep(0.05)


def publish_all(publishers, messages):
    """In order, each taken before the next."""
    for topic, message, _ in messages:
        publishers[topic.rsplit("/", 1)[1]].publish(message)
        time.sleep(0.02)
    time.sleep(0.5)


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_closes_the_bag_whole(tmp_path, publisher, which):
    messages = made.messages(1.0)
    publisher["route"].publish(messages[0][1])  # before the recorder is there: it is latched
    process = recorder(tmp_path / "bag", "--json", tmp_path / "figures.json")
    connected(process, publisher)
    publish_all(publisher, messages[1:])
    code, out, err = made.interrupted(process, which=which)
    assert code == 0, out + err
    assert f"recording into {tmp_path / 'bag'}" in out
    figures = json.loads((tmp_path / "figures.json").read_text())
    # 1 s: 51 vehicle states, 11 tracks, 1 route
    assert [figures[topic] for topic in TYPES] == [51, 11, 1]
    assert figures["/behaviors/selected"] == 0
    read = list(read_bag(tmp_path / "bag", TYPES))
    assert len(read) == 63
    assert [m for topic, m, _ in read if topic.endswith("tracks")] == [
        m for topic, m, _ in messages if topic.endswith("tracks")
    ]
    stamps = [stamp for _, _, stamp in read]
    assert stamps == sorted(stamps) and abs(stamps[-1] - time.time_ns()) < 60 * made.NS


def test_a_recording_of_a_fixed_time_ends_by_itself(tmp_path):
    result = made.behaviors("record", "--duration", "0.3", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert list(read_bag(tmp_path / "out" / "recording", TYPES)) == []
    assert made.behaviors("record", "--duration", "0.3", cwd=tmp_path).returncode == 0
    assert (tmp_path / "out" / "recording_2" / "metadata.yaml").is_file()


def test_a_full_disk_ends_the_recording_with_one_line(tmp_path, publisher):
    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))

    process = recorder(tmp_path / "bag", preexec_fn=little_room)
    connected(process, publisher)
    message = made.messages(0.0)[0][1]
    message.centre_line = [float(i) * 0.37 for i in range(40_000)]
    end = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < end:
        publisher["route"].publish(message)
        time.sleep(0.05)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 2, out + err
    assert "Traceback" not in err
    assert "cannot be written" in err.strip().splitlines()[-1]


def test_wrong_use_is_one_line(tmp_path, capfd):
    (tmp_path / "bag").mkdir()
    (tmp_path / "file").write_text("")
    assert made.refused(made.here(capfd, "record", tmp_path / "bag"), "exists already")
    assert made.refused(made.here(capfd, "record", tmp_path / "file" / "bag"), "cannot be written")
    assert made.here(capfd, "record", "--duration", "-1").returncode == 2
    assert not rclpy.ok()
