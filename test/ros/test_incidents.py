"""The blackbox keeps what led to an emergency stop; the log tells what happened from the bag alone."""

import json
import subprocess
import sys
import time

import made_recordings as made
import pytest
from harness import Harness

from behaviors_ros.datatypes import Mode
from behaviors_ros.msg import StackEvent, StackStatus
from behaviors_ros.ros import conversion
from behaviors_ros.ros.bags import BagWriter, about
from behaviors_ros.ros.blackbox import Ring, bag_name, make_room
from behaviors_ros.ros.incidents import incidents

NS = 1_000_000_000


def status(stamp_s, mode, reason, plan_id=7):
    """What the bridge says."""
    return StackStatus(header=conversion.header(round(stamp_s * NS)), mode=int(mode), reason=reason, plan_id=plan_id,
                       plan_age_s=0.2, latency_s=0.03)  # fmt: skip


def event(stamp_s, node, kind, reason, severity=0):
    """What a node tells."""
    return StackEvent(header=conversion.header(round(stamp_s * NS)), node=node, kind=kind, subject="tracks",
                      reason=reason, severity=severity)  # fmt: skip


def test_the_ring_is_bounded_in_time_and_bytes_and_keeps_the_route():
    ring = Ring(2.0, 1000)
    ring.add("route", b"way", 0, latched=True)
    for k in range(100):
        ring.add("odometry", bytes(10), k * NS // 10, latched=False)
    kept = ring.snapshot()
    assert kept[0] == ("route", b"way", 79 * NS // 10) and len(kept) == 22  # 7.9 to 9.9 s, and the route
    ring.add("tracks", bytes(990), 10 * NS, latched=False)
    assert ring.size <= 1000 and len(ring.snapshot()) == 3
    ring.add("odometry", bytes(10), 5 * NS, latched=False)  # the clock went back
    assert [name for name, _, _ in ring.snapshot()] == ["route", "odometry"] and ring.size == 10


def test_names_and_room(tmp_path):
    assert bag_name(12 * NS, "emergency stop: no plan, 0.2 s!") == "incident_12_emergency_stop_no_plan_0_2_s"
    for k in range(5):
        (tmp_path / f"incident_{k}_x").mkdir()
        time.sleep(0.01)
    (tmp_path / "other").mkdir()
    make_room(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["incident_3_x", "incident_4_x", "other"]


def test_stops_are_told_with_what_led_to_them(tmp_path):
    path = tmp_path / "run"
    with BagWriter(path) as bag:
        for stamp, name, message in (
            (1.0, "status", status(1.0, Mode.NOMINAL, "follow")),
            (7.0, "events", event(7.0, "prediction", "refused", "tracks: is 0.60 s old", 1)),
            (7.1, "events", event(7.0, "prediction", "refused", "tracks: is 0.60 s old", 1)),  # told twice
            (8.0, "status", status(8.0, Mode.COMFORT_STOP, "no accepted plan for 0.18 s", 70)),
            (8.5, "status", status(8.5, Mode.COMFORT_STOP, "no accepted plan for 0.68 s", 70)),
            (9.5, "status", status(9.5, Mode.NOMINAL, "follow", 81)),
            (20.0, "status", status(20.0, Mode.EMERGENCY_STOP, "odometry is 0.21 s old", 190)),
        ):
            bag.write(f"/behaviors/{name}", message, round(stamp * NS))
    found, log = incidents(path, before_s=2.0)
    first, second = found
    assert (first.rung, first.plan_id, first.lasted_s) == ("COMFORT_STOP", 70, 1.5)
    assert [h.kind for h in first.log] == ["refused", "rung", "rung"] and first.cause.startswith("no accepted plan")
    assert second.lasted_s is None and second.rung == "EMERGENCY_STOP"
    assert len(log) == 5
    answer = tmp_path / "answer.json"
    command = [sys.executable, "-m", "behaviors_ros.ros.cli", "incidents", str(path), "--json", str(answer)]
    done = subprocess.run(command, env=made.command_environment(), capture_output=True, text=True)
    assert done.returncode == 0 and "no accepted plan" in done.stdout
    assert len(json.loads(answer.read_text())["incidents"]) == 2


def test_a_bag_without_status_is_one_line(tmp_path):
    with BagWriter(tmp_path / "run") as bag:
        bag.write("/behaviors/events", event(1.0, "prediction", "lifecycle", "active"), NS)
    with pytest.raises(Exception, match="status: is not recorded"):
        incidents(tmp_path / "run")


def test_an_emergency_stop_is_written(tmp_path):
    with Harness("blackbox", "-p", f"folder:={tmp_path}", "-p", "after_s:=0.5") as harness:
        harness.active()

        def act(mode):
            harness.send("odometry", conversion.odometry_message(harness.ego()))
            harness.send("status", status(time.time(), mode, "odometry is 0.3 s old"))

        for _ in range(10):
            act(Mode.NOMINAL)
            harness.spin(0.05)
        harness.until(lambda: any(e.kind == "blackbox" for e in harness.heard["events"]), patience_s=20.0,
                      act=lambda: act(Mode.EMERGENCY_STOP))  # fmt: skip
        (path,) = tmp_path.glob("incident_*")
        assert "odometry_is" in path.name and about(path)["incident"].startswith("emergency stop")
        (stop,), _ = incidents(path)
        assert stop.rung == "EMERGENCY_STOP" and stop.cause == "odometry is 0.3 s old"


def test_a_folder_that_cannot_be_written_is_told_and_the_node_goes_on(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with Harness("blackbox", "-p", f"folder:={blocked}", "-p", "after_s:=0.0") as harness:
        harness.active()
        harness.until(lambda: any(e.kind == "blackbox" and e.severity == 2 for e in harness.heard["events"]),
                      patience_s=20.0,
                      act=lambda: harness.send("status", status(time.time(), Mode.EMERGENCY_STOP, "x")))  # fmt: skip
        assert harness.process.poll() is None
