"""The fast subset of the fault suite on the live graph, and the suite's own parts."""

import json
import math
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
import yaml

from behaviors_ros.control.stop import BridgeStop, own_stop
from behaviors_ros.datatypes import EgoState
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros.conversion import NS
from behaviors_ros.ros.conversion_plan import trajectory_message
from behaviors_ros.ros.environment import environment
from behaviors_ros.ros.faults import case, suite
from behaviors_ros.ros.faults.between import READERS, remappings
from behaviors_ros.ros.faults.checker import Checker
from behaviors_ros.ros.faults.messages import CHANGES, Context, Truth
from behaviors_ros.ros.faults.observer import Record
from behaviors_ros.ros.faults.processes import HAPPENINGS
from behaviors_ros.ros.faults.rig import GraphStuck, Rig
from behaviors_ros.ros.faults.streams import STREAMS
from behaviors_ros.ros.faults.suite import Row
from behaviors_ros.ros.faults.table import write_table
from behaviors_ros.ros.graph import NAMESPACE

VEHICLE = Vehicle()


def stop(speed=8.0, stamp_s=1.0):
    """A stop from the origin."""
    ego = EgoState(round(stamp_s * NS), np.zeros(2), 0.0, speed)
    return trajectory_message(own_stop(ego, VEHICLE, BridgeStop()), VEHICLE)


def verdict(message, now_s=1.0, ego=(0.0, 0.0, 0.0, 8.0, 1.0)):
    return Checker(VEHICLE).check(message, now_s, ego)


def test_the_checker_lets_a_good_stop_pass_and_counts():
    checker = Checker(VEHICLE)
    assert checker.check(stop(), 1.0, (0.0, 0.0, 0.0, 8.0, 1.0)) == ""
    assert checker.check(stop(), 1.0, (9.0, 0.0, 0.0, 8.0, 1.0)) != ""
    assert checker.checked == 2 and len(checker.faults) == 1


def spoiled(change):
    message = stop()
    change(message)
    return message


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda m: setattr(m.points[3].pose.position, "x", math.nan), "not finite"),
        (lambda m: m.points.reverse(), "times"),
        (lambda m: setattr(m, "points", m.points[:1]), "points"),
        (lambda m: setattr(m.points[5], "longitudinal_velocity_mps", 20.0), "acceleration"),
        (lambda m: setattr(m.points[5].pose.position, "y", 3.0), "step against speed"),
        (lambda m: [setattr(p, "curvature_1pm", 0.5) for p in m.points], "curvature"),
        (lambda m: setattr(m.points[2], "acceleration_mps2", 2.0), "jerk"),
        (lambda m: setattr(m.header.stamp, "sec", 3), "ahead"),
    ],
)
def test_the_checker_finds_what_is_wrong(change, word):
    assert word in verdict(spoiled(change))


def test_the_checker_knows_where_the_vehicle_truly_is():
    # 0.1 s at 8 m/s: 0.8 m along
    assert verdict(stop(), 1.1, (0.8, 0.0, 0.0, 8.0, 1.1)) == ""
    assert "along" in verdict(stop(), 1.1, (4.0, 0.0, 0.0, 8.0, 1.1))
    assert "aside" in verdict(stop(), 1.1, (0.8, 1.2, 0.0, 8.0, 1.1))
    assert "heading" in verdict(stop(), 1.1, (0.8, 0.0, 0.6, 8.0, 1.1))
    assert "speed" in verdict(stop(), 1.1, (0.8, 0.0, 0.0, 2.0, 1.1))


def test_every_case_can_be_read_and_names_faults_that_there_are():
    cases = case.find_cases()
    for name, (path, found) in cases.items():
        for what in found.inject:
            assert what.fault in ((*CHANGES, *STREAMS) if what.topic else HAPPENINGS), (name, what.fault)
            readers = {reader for topic, reader in READERS if topic == what.topic}
            assert not what.topic or readers and set(what.to) <= readers, name
        assert found.inject, name
        assert case.scenario_path(found, path).is_file()
    assert 5 <= len(case.find_cases(fast=True)) <= 12


def test_a_wrong_case_is_one_clear_line(tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"about": "x", "expect": {"outcome": "flies"}}))
    with pytest.raises(InputError, match="expect.outcome"):
        case.find_cases(("mine",), tmp_path)
    with pytest.raises(InputError, match="matches no fault"):
        case.find_cases(("nothing_like_it",))


def test_the_detours_cover_every_reader_but_who_writes_the_topic_itself():
    assert remappings()["prediction:tracks"] == "/behaviors/faulty/prediction/tracks"
    assert remappings()["controls_bridge:/clock"] == "/behaviors/faulty/controls_bridge/clock"
    assert ("selected", "trajectory_scoring") not in READERS and ("selected", "controls_bridge") in READERS


def message_of(objects):
    conversion = pytest.importorskip("behaviors_ros.ros.conversion")
    from behaviors_ros.datatypes import Tracks

    empty = Tracks.empty(NS)
    assert len(empty) == 0
    made = conversion.tracks_message(empty)
    context = Context(Truth((10.0, 0.0, 0.0), NS))
    return CHANGES["crowd"](made, {"count": objects}, context) if objects else made, context


def test_what_tracks_can_suffer():
    made, context = message_of(3)
    assert made.num == 3 and len(made.object_id) == 48 and len(made.position_covariance_m2) == 12
    ids = bytes(made.object_id)
    assert bytes(CHANGES["new_ids"](made, {}, context).object_id) != ids
    assert bytes(CHANGES["one_id"](made, {}, context).object_id[16:32]) == bytes(made.object_id[:16])
    ghost = CHANGES["ghost"](made, {"ahead_m": 5.0}, context)
    assert ghost.num == 4 and ghost.x[3] == 15.0
    assert math.isnan(CHANGES["set"](ghost, {"x[0]": math.nan}, context).x[0])
    assert len(CHANGES["cut"](ghost, {"y": 1}, context).y) == 1
    assert CHANGES["empty"](ghost, {}, context).num == 0


def test_streams_delay_swap_and_gather():
    sent = []
    delay = STREAMS["delay"]({"by_s": 0.5}, sent.append)
    delay.take(b"a", 1.0)
    delay.tick(1.4)
    assert sent == []
    delay.tick(1.5)
    assert sent == [b"a"]
    swap = STREAMS["reorder"]({}, sent.append)
    swap.take(b"b", 2.0), swap.take(b"c", 2.1)
    assert sent[1:] == [b"c", b"b"]
    burst = STREAMS["burst"]({"gap_s": 1.0}, sent.append)
    burst.take(b"d", 3.0), burst.take(b"e", 3.5), burst.tick(3.9)
    assert len(sent) == 3
    burst.tick(4.0)
    assert sent[3:] == [b"d", b"e"]


def test_the_table_is_put_between_the_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- faults: begin -->\nold\n<!-- faults: end -->\nafter\n")
    row = Row("x", "stop", "NOMINAL > COMFORT_STOP", 120.0, "stopped", 0, True, 0, "")
    cases = {"x": (page, SimpleNamespace(about="it breaks"))}
    write_table(page, [row], cases, 7)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "1 of 1 faults" in text and "| x | it breaks | stop | NOMINAL > COMFORT_STOP | 120 ms | stopped |  |" in text


def test_a_stuck_graph_is_started_anew_and_the_row_says_so(monkeypatch, tmp_path):
    tries, restarts = [], []
    good = Row("x", "stop", "NOMINAL", None, "continued", 0, True, 0, "")

    def run_case(*_):
        tries.append(1)
        if len(tries) == 1:
            raise GraphStuck("the drive did not begin")
        return good

    monkeypatch.setattr(suite, "run_case", run_case)
    record = Record()
    rig = SimpleNamespace(restart=lambda: restarts.append(1), observer=SimpleNamespace(record=record))
    (row,) = suite.run_suite({"x": (tmp_path, SimpleNamespace(nodes={}))}, rig)
    assert row.passed and restarts == [1] and "second try; the first: the drive did not begin" in row.observed


def test_a_case_is_tried_again_where_the_detours_stood_still_and_it_failed(monkeypatch, tmp_path):
    rows = [Row("x", "stop", "NOMINAL", None, "continued", 0, passed, 0, "") for passed in (False, True)]
    record = Record(gap_s=1.2)
    rig = SimpleNamespace(observer=SimpleNamespace(record=record))
    cases = {"x": (tmp_path, SimpleNamespace(nodes={}))}
    left = list(rows)
    monkeypatch.setattr(suite, "run_case", lambda *_: left.pop(0))
    (row,) = suite.run_suite(cases, rig)
    assert row.passed and "stood still for 1.2 s" in row.observed
    left, record.gap_s = list(rows), 0.02
    assert not suite.run_suite(cases, rig)[0].passed


@pytest.mark.parametrize(
    ("fault", "values", "waits"), [("command", {}, [5.0]), ("start", {"await_s": 0.2}, [0.2, 5.0])]
)
def test_a_process_is_waited_for_while_the_detours_go_on(monkeypatch, tmp_path, fault, values, waits):
    spun, said = [], []

    def spin(until, patience_s):
        spun.append(patience_s)
        end = time.monotonic() + patience_s
        while not until() and time.monotonic() < end:
            time.sleep(0.01)

    rig = SimpleNamespace(spin=spin, observer=SimpleNamespace(tell=said.append, record=Record()))
    endless = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(HAPPENINGS[fault], "command", lambda self: endless)
    begun = HAPPENINGS[fault](rig, case.Injection(fault=fault, values=values), tmp_path)
    begun.begin()
    begun.end()
    assert spun == waits and len(said) == 1 and "ended with code -15" in said[0]


def test_beside_another_graph_no_fault_is_injected(tmp_path):
    context = rclpy.Context()
    context.init()
    other = rclpy.create_node("controls_bridge", context=context, namespace=NAMESPACE)
    with (
        pytest.raises(BehaviorsError, match="controls_bridge already run"),
        Rig(case.SCENARIOS / "street.yaml", tmp_path),
    ):
        pass
    other.destroy_node()
    context.shutdown()


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_the_fast_subset_reacts_as_it_must(tmp_path):
    rows = tmp_path / "rows.json"
    command = [sys.executable, "-m", "behaviors_ros.ros.cli", "faults", "run", "--subset", "fast", "--json", str(rows),
               "--speed-factor", "0.8", "--out", str(tmp_path / "out")]  # fmt: skip
    result = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=580)
    assert rows.exists(), result.stdout + result.stderr
    found = json.loads(rows.read_text())
    assert len(found) == len(case.find_cases(fast=True))
    assert all(row["passed"] for row in found), [row for row in found if not row["passed"]]
    assert result.returncode == 0
