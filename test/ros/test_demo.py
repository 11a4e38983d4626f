"""The main job on a short drive: through the nodes over ROS, with everything that it leaves behind."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import made_recordings as made
import pytest

from behaviors_ros.evaluation.summary import Summary
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros.bags import about
from behaviors_ros.ros.demo import header_stamp_ns, latencies_ms, missed
from behaviors_ros.ros.recorded_cycles import recorded_cycles
from behaviors_ros.ros.scene import SceneParameters

URBAN = Path(__file__).resolve().parents[2] / "behaviors_ros" / "simulation" / "worlds" / "urban.osm"
# Keys that a demo is judged by, in their order; further ones follow.
KEYS = [
    "goal_reached", "collisions", "at_fault_collisions", "red_lights_run", "duration_s", "cycles", "missed_cycles",
    "latency_ms", "decision_hash",
]  # fmt: skip
SHORT = f"""
name: short
provenance: written for a test
map: {URBAN}
duration_s: 9.0
start: {{position: [0.0, -1.75], yaw_rad: 0.0, speed_mps: 5.0}}
goal:
  position: [45.0, -1.75]
  polygon: [[40.0, -4.0], [60.0, -4.0], [60.0, 0.5], [40.0, 0.5]]
agents:
  - name: oncoming
    behaviour: reactive
    position: [90.0, 1.75]
    yaw_rad: 3.14159
    destination: [-28.0, 1.75]
    speed_mps: 8.0
    driver: {{desired_speed_mps: 8.0}}
"""


@pytest.fixture
def short(tmp_path):
    """A drive of 45 m on the urban map, of at most 9 s."""
    (tmp_path / "short.yaml").write_text(SHORT)
    return tmp_path / "short.yaml"


def test_a_short_drive_and_what_it_leaves(tmp_path, short):
    out = tmp_path / "out" / "short"
    result = made.behaviors("demo", "--scenario", short, "--json", tmp_path / "figures.json", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    summary = json.loads((out / "summary.json").read_text())
    assert list(summary) == [field.name for field in fields(Summary)]
    assert list(summary)[: len(KEYS)] == KEYS
    assert list(summary["latency_ms"]) == ["p50", "p99", "max"]
    assert json.loads((tmp_path / "figures.json").read_text()) == summary
    assert summary["goal_reached"] is True
    assert (summary["collisions"], summary["red_lights_run"], summary["off_road"]) == (0, 0, False)
    # 40 m to the goal's edge, less the front overhang, at 5 m/s and more, within 9 s
    assert 2.0 < summary["duration_s"] <= 9.0 and 30.0 < summary["distance_m"] < 60.0
    # 10 Hz, of which a busy machine may miss many
    assert 0.3 * 10.0 * summary["duration_s"] < summary["cycles"] <= 10.0 * summary["duration_s"] + 2
    assert summary["latency_ms"]["p50"] > 0.0
    # what is printed: the whole hash, the files
    assert summary["decision_hash"] in result.stdout and "out/short/report.html" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    # what is written
    assert (out / "report.html").stat().st_size > 50_000
    assert {path.stem for path in (out / "logs").iterdir()} == {
        "prediction", "trajectory_generation", "trajectory_scoring", "controls_bridge", "loopback_simulator",
        "tracking_controller",
    }  # fmt: skip
    assert about(out / "bag") == {"source": "short.yaml", "licence": "written for a test", "map": str(URBAN)}
    cycles = list(recorded_cycles(out / "bag", SceneParameters(map=str(URBAN)), Vehicle()))
    assert len(cycles) == summary["cycles"]
    # the pipeline decides what the nodes decided
    result = made.behaviors("agree", out / "bag", "--json", tmp_path / "agree.json")
    assert result.returncode == 0, result.stdout + result.stderr
    agreed = json.loads((tmp_path / "agree.json").read_text())
    assert agreed["equal"] == agreed["cycles"] == summary["cycles"]


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_all_nodes(tmp_path, short, which):
    process = subprocess.Popen(
        [sys.executable, "-m", "behaviors_ros.ros.cli", "demo", "--scenario", short, "--out", tmp_path / "out"],
        env=made.command_environment() | {"DRIVE": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    end = time.monotonic() + 60.0
    while not all(list((tmp_path / "out" / "logs").glob(f"{name}.log")) for name in ("prediction", "controls_bridge")):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    code, out, err = made.interrupted(process, after_s=1.0, which=which)
    assert code in (1, 130), out + err  # which of them depends on what the interrupt met
    assert "Traceback" not in out + err
    assert about(tmp_path / "out" / "bag")["source"] == "short.yaml"  # whole
    left = [p for p in Path("/proc").glob("[0-9]*/environ") if _mine(p, f"DRIVE={tmp_path}")]
    assert not left


def _mine(environ, entry):
    try:
        return entry.encode() in environ.read_bytes().split(b"\0")
    except OSError:
        return False


def test_wrong_use_is_one_line(tmp_path, short, capfd):
    here = lambda *arguments: made.here(capfd, "demo", *arguments)  # noqa: E731
    out = tmp_path / "out"
    assert made.refused(here("--scenario", tmp_path / "none.yaml", "--out", out), "none.yaml", "does not exist")
    (tmp_path / "bad.yaml").write_text("a: [")
    assert made.refused(here("--scenario", tmp_path / "bad.yaml", "--out", out), "is not YAML")
    assert made.refused(here("--scenario", short, "--out", out, "--traffic", "wild"), "--traffic", "recorded, reactive")
    assert not out.exists()
    assert made.refused(here("--scenario", short, "--out", short / "out"), "Not a directory")
    assert made.refused(here("--scenario", short, "--out", out, "--json", short / "x"), "--json")
    assert here("--speed-factor", "1000").returncode == 2


def test_what_is_not_of_a_former_drive_is_not_removed(tmp_path, short, capfd):
    bag = tmp_path / "mine" / "bag"
    bag.mkdir(parents=True)
    (bag / "precious").write_text("data")
    assert made.refused(made.here(capfd, "demo", "--scenario", short, "--out", bag.parent), "not of a former drive")
    assert (bag / "precious").read_text() == "data"


def test_stamp_of_a_serialised_message():
    # little endian: encapsulation 00 01 00 00, then 7 s, 5 ns; big endian: 00 00 00 00
    assert header_stamp_ns(bytes((0, 1, 0, 0, 7, 0, 0, 0, 5, 0, 0, 0))) == 7_000_000_005
    assert header_stamp_ns(bytes((0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 5))) == 7_000_000_005


class Said:
    """A recorded cycle of tracks at one stamp and a plan of another."""

    def __init__(self, tracks_ns, plan_ns):
        self.of = type("Cycle", (), {"inputs": type("Inputs", (), {"tracks": tracks_ns})})
        self.plan = type("Plan", (), {"stamp_ns": plan_ns})


def test_latency_is_from_tracks_to_the_trajectory_handed_on():
    arrivals = {"tracks": {10: 1.000, 20: 1.100, 30: 1.2}, "trajectory": {11: 1.030, 21: 1.250}}
    # 1.030 - 1.000 = 30 ms, 1.250 - 1.100 = 150 ms; the third cycle's plan was not handed on
    cycles = [Said(10, 11), Said(20, 21), Said(30, 31)]
    assert latencies_ms(cycles, arrivals) == pytest.approx([30.0, 150.0])
    # 0.4 s ask for 4 plans: two were not handed on, one came later than 100 ms
    log = type("Log", (), {"duration_s": 0.4})
    assert missed(log, [30.0, 150.0], 2) == 3
    assert missed(log, [30.0, 40.0, 50.0, 60.0], 4) == 0
