"""Every node up and down again and again: what it made it gives up, and after that it still works."""

import gc
import os
from pathlib import Path

import pytest
import rclpy
from rclpy.lifecycle import TransitionCallbackReturn

from behaviors_ros.ros.graph import NODES
from behaviors_ros.ros.processes import usage

SUCCESS = TransitionCallbackReturn.SUCCESS
# Each takes up the embedded scenario, or runs the embedded drive to compile, in every configuring.
SLOW = ("prediction", "trajectory_generation", "trajectory_scoring")


@pytest.fixture
def silent():
    rclpy.init(args=["--ros-args", "--log-level", "fatal"])
    yield
    rclpy.try_shutdown()


def held(node):
    """Numbers of what a node holds in the middleware."""
    return {kind: len(list(getattr(node, kind))) for kind in ("publishers", "subscriptions", "timers", "services",
                                                              "clients", "guards", "waitables")}  # fmt: skip


def cycle(node):
    for step in ("configure", "activate", "deactivate", "cleanup"):
        assert getattr(node, f"trigger_{step}")() == SUCCESS, (step, node.failure)


def cycled(entry, times, monkeypatch, tmp_path):
    """Run cycles; the node must hold after the last what it held after the first, and work once more."""
    monkeypatch.setenv("ROS_HOME", str(tmp_path))
    if times > 10 and entry.name in SLOW:  # what compiles is warm after the first cycle; the drive need not be run anew
        monkeypatch.setattr(f"{entry.module}.warm_up", lambda *_, **__: None)
    node = entry.load()(cli_args=["--ros-args", "-p", "autostart:=false"])
    try:
        cycle(node)
        after_first = held(node)
        for _ in range(min(times // 10, 10)):
            cycle(node)
        gc.collect()
        before = usage(os.getpid())
        for _ in range(times):
            cycle(node)
        gc.collect()
        assert held(node) == after_first
        after = usage(os.getpid())
        assert after.descriptors <= before.descriptors + 2 and after.threads <= before.threads
        assert node.trigger_configure() == SUCCESS and node.trigger_activate() == SUCCESS and node.active
        return after.rss_mb - before.rss_mb
    finally:
        node.destroy_node()


@pytest.mark.parametrize("entry", NODES, ids=lambda entry: entry.name)
def test_three_cycles(entry, silent, monkeypatch, tmp_path):
    if entry.name in SLOW:
        monkeypatch.setattr(f"{entry.module}.warm_up", lambda *_, **__: None)
    cycled(entry, 2, monkeypatch, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("entry", NODES, ids=lambda entry: entry.name)
def test_two_hundred_cycles(entry, silent, monkeypatch, tmp_path):
    grown_mb = cycled(entry, 200, monkeypatch, tmp_path)
    assert grown_mb < 10.0, f"{grown_mb:.1f} MB in 200 cycles"
    assert not list(Path(tmp_path).rglob("*.mcap"))
