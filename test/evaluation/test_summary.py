"""The summary's keys, latency and decision hash."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from made_drives import drive

from behaviors_ros.datatypes import Outcome, Plan, Trajectory
from behaviors_ros.evaluation.metrics import measure
from behaviors_ros.evaluation.summary import decision_hash, latency, summarise


def plan(stamp_ns=5, label="keep lane", index=3, x=1.0):
    trajectory = Trajectory(
        stamp_ns,
        np.array((0.0, 0.1)),
        np.array(((0.0, 0.0), (x, 0.0))),
        np.zeros(2),
        np.ones(2),
        np.zeros(2),
        np.zeros(2),
    )
    return Plan(stamp_ns, 1, trajectory, trajectory, 0, index, 0, "lattice", label, Outcome.SELECTED, "")


def test_keys_and_values(tmp_path):
    found = summarise(measure(drive(np.arange(0.0, 30.0), speed=10.0)), [plan(), plan()], 2.9, [10.0, 20.0, 30.0], 1)
    path = tmp_path / "out" / "summary.json"
    found.write(path)
    tree = json.loads(path.read_text())
    first = ["goal_reached", "collisions", "at_fault_collisions", "red_lights_run", "duration_s", "cycles",
             "missed_cycles", "latency_ms", "decision_hash"]  # fmt: skip
    assert list(tree)[:9] == first
    assert tree["goal_reached"] is False and tree["goal_time_s"] is None and tree["min_ttc_s"] is None
    assert (tree["collisions"], tree["cycles"], tree["missed_cycles"], tree["duration_s"]) == (0, 2, 1, 2.9)
    # p99 between ranks: 20 + 0.98 * 10.
    assert tree["latency_ms"] == {"p50": 20.0, "p99": pytest.approx(29.8), "max": 30.0}
    assert tree["comfort_ok"] is True and tree["distance_m"] == pytest.approx(29.0)


def test_latency_of_nothing():
    assert latency([]).p50 is None


def test_decision_hash():
    # SHA-256 of nothing.
    assert decision_hash([]) == hashlib.sha256(b"").hexdigest()
    base = decision_hash([plan(), plan(6)])
    assert base == decision_hash([plan(), plan(6)])
    others = (
        [plan(7)],
        [plan(), plan(7)],
        [plan(label="x"), plan(6)],
        [plan(index=4), plan(6)],
        [plan(x=1.001), plan(6)],
    )
    assert base not in {decision_hash(other) for other in others}
    # Below the precision of a message nothing changes, nor does the reason count; -0.0 is 0.0.
    assert base == decision_hash([plan(x=1.0 + 1e-6), replace(plan(6), reason="other words")])
    zero = plan()
    negative = replace(zero, trajectory=replace(zero.trajectory, yaw=np.array((-0.0, 0.0))))
    assert decision_hash([zero]) == decision_hash([negative])
