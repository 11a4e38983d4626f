"""The generated messages travel over rclpy."""

import time
from pathlib import Path

import numpy as np
import rclpy
import rclpy.executors

import behaviors_ros.msg as messages

FOLDER = Path(__file__).resolve().parents[2] / "msg"


def test_every_message_file_is_generated():
    assert {path.stem for path in FOLDER.glob("*.msg")} <= set(dir(messages))


def test_a_set_of_tracks_arrives_as_it_was_sent():
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("tracks", context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    received = []
    node.create_subscription(messages.TrackedObjects, "tracks", received.append, 1)
    publisher = node.create_publisher(messages.TrackedObjects, "tracks", 1)
    sent = messages.TrackedObjects(num=2)
    sent.x.frombytes(np.array([1.5, -2.25]).tobytes())
    sent.yaw_rad.frombytes(np.array([0.5, np.nan], dtype=np.float32).tobytes())
    end = time.monotonic() + 20.0
    while not received and time.monotonic() < end:
        publisher.publish(sent)
        executor.spin_once(timeout_sec=0.1)
    node.destroy_node()
    rclpy.shutdown(context=context)
    assert received[0].num == 2
    assert received[0].x.tolist() == [1.5, -2.25]
    np.testing.assert_array_equal(received[0].yaw_rad, sent.yaw_rad)
