"""A few mutated messages of every topic and files of every format; the thousands are run by `behaviors fuzz`."""

import random
from collections import Counter

import made_recordings as made
import pytest
import rclpy
from harness import Harness
from nav_msgs.msg import Odometry
from rclpy.serialization import deserialize_message, serialize_message
from rosgraph_msgs.msg import Clock
from troubled import Troubled

from behaviors_ros.msg import TrackedObjects
from behaviors_ros.ros.fuzz.deserialiser import Deserialiser
from behaviors_ros.ros.fuzz.files import FORMATS, FileFuzz
from behaviors_ros.ros.fuzz.finite import not_finite
from behaviors_ros.ros.fuzz.messages import MessageFuzz, fuzzed_topics, wired
from behaviors_ros.ros.fuzz.mutations import mutated, resized
from behaviors_ros.ros.fuzz.supervision import supervised


def test_mutated_messages_of_every_topic():
    wiring = wired()
    try:
        for topic in fuzzed_topics():
            fuzz = MessageFuzz(topic, seed=7, whole_every=13, wiring=wiring)
            found = [failure for index in range(60) for failure in fuzz.step(index)]
            fuzz.deserialiser.close()
            assert not found, (topic, found[0].what, found[0].detail)
    finally:
        wiring.close()
        rclpy.try_shutdown()
    assert wiring.counts["structured"] == 30 * len(fuzzed_topics())
    assert wiring.counts["refused"] > 50 and wiring.counts["published"] > 50


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_mutated_files_of_every_format(name):
    if name.startswith("model"):
        pytest.importorskip("onnxruntime")
    fuzz = FileFuzz(name, seed=7)
    found = [failure for index in range(25) for failure in fuzz.step(index)]
    assert not found, (found[0].what, found[0].detail)
    assert fuzz.counts["refused"] > 0


def test_the_same_seed_gives_the_same_message():
    def one(seed):
        (_, message, _), rng = made.messages(0.1)[3], random.Random(seed)
        mutated(message, rng)
        return repr(message)

    assert one(1) == one(1) and len({one(seed) for seed in range(20)}) > 15


def test_sizes_are_changed_alike():
    message = next(m for topic, m, _ in made.messages(0.1) if isinstance(m, TrackedObjects))
    assert resized(message, 5)  # of 2: 16 bytes of an id and 4 numbers of a covariance each
    assert (message.num, len(message.x), len(message.object_id), len(message.position_covariance_m2)) == (5, 5, 80, 20)


def test_not_finite_names_the_field():
    message = next(m for topic, m, _ in made.messages(0.1) if isinstance(m, TrackedObjects))
    assert list(not_finite(message)) == []
    message.yaw_rad[1] = float("inf")
    assert list(not_finite(message)) == ["yaw_rad"]


def test_what_dies_or_hangs_is_one_failure_and_the_rest_goes_on():
    found = supervised(Troubled, (), range(7), patience_s=1.0)
    assert [(f.index, f.kind) for f in found.failures] == [(2, "crash"), (4, "hang"), (5, "bug")]
    assert "SIGABRT" in found.failures[0].what and "Fatal Python error" in found.failures[0].detail
    assert found.steps == 7


def test_bytes_that_are_no_message_are_refused_in_another_process():
    counts = Counter()
    tried = Deserialiser("odometry", counts)
    good = serialize_message(made.messages(0.1)[1][1])
    taken = tried.whole(good)
    assert deserialize_message(taken, Odometry) == deserialize_message(good, Odometry)
    assert tried.whole(good[:20]) is None
    tried.close()
    assert counts == {"bytes taken": 1, "bytes refused by the middleware": 1}


def test_a_clock_before_zero_does_not_end_a_node():
    with Harness("controls_bridge", "-p", "use_sim_time:=true") as harness:
        clock = harness.node.create_publisher(Clock, "/clock", 1)
        steps = iter(range(1, 100_000))

        def tick(second=10):
            message = Clock()
            message.clock.sec = second
            message.clock.nanosec = 20_000_000 * next(steps)
            clock.publish(message)

        harness.listen("events")
        harness.until(lambda: harness.heard["status"], act=tick, every_s=0.02)
        harness.heard["events"].clear()
        harness.until(lambda: harness.heard["events"], act=lambda: tick(-5))  # the guard reports it
        heard = len(harness.heard["status"])
        harness.until(lambda: len(harness.heard["status"]) > heard, act=tick, every_s=0.02)
