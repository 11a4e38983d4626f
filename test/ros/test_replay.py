"""Replay and agreement: the same bag gives the same decisions, with bad messages in it as well."""

import json
import math
import os
import subprocess
import sys
from copy import deepcopy

import made_recordings as made
import pytest

from behaviors_ros.datatypes import Degraded
from behaviors_ros.ros.bags import BagWriter, about, read_bag
from behaviors_ros.ros.conversion import time_message
from behaviors_ros.ros.conversion_stages import cycle
from behaviors_ros.ros.drive import write_drive
from behaviors_ros.ros.recorder import full_name, recorded_topics
from behaviors_ros.ros.replay import replay

MS = 1_000_000


def write(path, messages, about=None):
    """A bag of (topic, message, stamp)."""
    with BagWriter(path, about or {"source": "made", "licence": "made for a test"}) as bag:
        for topic, message, stamp in messages:
            bag.write(topic, message, stamp, latched=topic.endswith("route"))
    return path


def at(messages, name, time_ms):
    """Index of the message of a topic and a time."""
    stamp = made.START_NS + time_ms * MS
    return next(i for i, (topic, _, s) in enumerate(messages) if s == stamp and topic.endswith(name))


def stamped(message, stamp_ns):
    """A copy with another stamp."""
    changed = deepcopy(message)
    changed.header.stamp = time_message(stamp_ns)
    return changed


def disturbed():
    """2 s of messages in which six things are wrong: 21 tracks messages become 24, and 19 of them begin a cycle."""
    messages = made.messages(2.0)
    messages[at(messages, "odometry", 620)][1].pose.pose.position.x = math.nan
    messages[at(messages, "tracks", 700)][1].x[1] = math.nan  # one entry is dropped, the others count
    messages[at(messages, "tracks", 800)][1].header.frame_id = "odom"  # refused
    messages[at(messages, "tracks", 1400)][1].y.pop()  # sizes disagree: refused
    topic, early, _ = messages[at(messages, "tracks", 200)]
    for time_ms, message in (
        (1200, stamped(early, made.START_NS + 9000 * MS)),  # ahead of the clock: refused
        (1000, early),  # late: refused
        (500, messages[at(messages, "tracks", 500)][1]),  # repeated: nothing new is seen, no cycle
    ):
        messages.insert(at(messages, "tracks", time_ms) + 1, (topic, message, made.START_NS + time_ms * MS))
    return messages


def test_twice_the_same_bag_gives_the_same_decisions_and_the_pipeline_agrees(tmp_path):
    write_drive(made.recording(3.0), tmp_path / "drive")
    found = []
    for name in ("first", "second"):
        result = made.behaviors(
            "replay", tmp_path / "drive", "--out", tmp_path / name, "--json", tmp_path / f"{name}.json", "--check"
        )
        assert result.returncode == 0, result.stdout + result.stderr
        found.append(json.loads((tmp_path / f"{name}.json").read_text()))
    first, second = found
    assert list(first) == [
        "tracks", "plans", "unanswered", "decision_hash", "outcomes", "stage_ms", "bag", "report", "agreement",
    ]  # fmt: skip
    assert first["decision_hash"] == second["decision_hash"]
    assert len(first["decision_hash"]) == 64 and first["decision_hash"] in result.stdout
    # 3 s at 10 Hz: 31 tracks, each answered, each recorded whole, each decided by pipeline.plan as by the nodes
    assert (first["tracks"], first["plans"], first["unanswered"]) == (31, 31, 0)
    assert first["agreement"] == {"cycles": 31, "equal": 31}
    assert sum(first["outcomes"].values()) == 31
    assert "[INFO]" not in result.stdout + result.stderr
    assert (tmp_path / "first" / "report.html").stat().st_size > 20_000
    assert about(tmp_path / "first" / "bag") == {"source": "made", "licence": "made for a test", "map": ""}
    # what a replay records is a run: `agree` and another replay read it
    result = made.behaviors("agree", tmp_path / "first" / "bag", "--json", tmp_path / "agree.json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads((tmp_path / "agree.json").read_text()) == {"cycles": 31, "equal": 31, "different": []}
    again = replay(tmp_path / "first" / "bag", None, [], {})
    assert again.decision_hash == first["decision_hash"]


def test_bad_messages_in_a_bag_are_refused_the_same_way_by_nodes_and_pipeline(tmp_path):
    bag = write(tmp_path / "bag", disturbed())
    once = replay(bag, None, [], {}, log_level="error")
    assert (once.tracks, len(once.plans), once.unanswered) == (24, 19, 5)
    result = made.behaviors("replay", bag, "--out", tmp_path / "out", "--check", "--json", tmp_path / "f.json")
    assert result.returncode == 0, result.stdout + result.stderr
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["decision_hash"] == once.decision_hash
    assert figures["agreement"] == {"cycles": 19, "equal": 19}
    assert "refused" in result.stderr + result.stdout  # warnings of the nodes are shown


@pytest.mark.skipif(os.environ.get("ROS_DISTRO") == "humble", reason="has no discovery range")
def test_two_replays_at_once_do_not_disturb_each_other(tmp_path, monkeypatch):
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE")
    environment = made.command_environment()
    del environment["ROS_AUTOMATIC_DISCOVERY_RANGE"]
    found = {}
    for seconds in (1.0, 1.5):
        bag = write(tmp_path / f"bag_{seconds}", made.messages(seconds))
        command = [sys.executable, "-m", "behaviors_ros.ros.cli", "replay", bag, "--out", tmp_path / f"out_{seconds}"]
        found[seconds] = subprocess.Popen(
            [*command, "--json", tmp_path / f"{seconds}.json"], env=environment, stdout=subprocess.DEVNULL
        )
    for seconds, process in found.items():
        assert process.wait(60) == 0
        figures = json.loads((tmp_path / f"{seconds}.json").read_text())
        assert (figures["plans"], figures["unanswered"]) == (round(seconds * 10) + 1, 0)


def test_a_cycle_that_was_short_of_time_is_replayed_with_what_was_scored(tmp_path):
    bag = write(tmp_path / "bag", made.messages(0.5))
    with BagWriter(tmp_path / "out") as out:
        replay(bag, out, [], {})
    types = {full_name(topic): topic.message() for topic in recorded_topics()}
    short = list(read_bag(tmp_path / "out", types))
    third = next(m for topic, m, _ in short if topic.endswith("selected") and cycle(m).number == 3)
    whole, third.evaluated, third.degraded = third.evaluated, 20, third.degraded | int(Degraded.SLOW)
    again = write(tmp_path / "short", short)
    with BagWriter(tmp_path / "again") as out:
        plans = replay(again, out, [], {}).plans
    assert [plan.evaluated for plan in plans if plan.plan_id in (2, 3)][1] == 20 < whole
    assert bool(plans[2].degraded & Degraded.SLOW) and not plans[1].degraded & Degraded.SLOW
    result = made.behaviors("agree", tmp_path / "again")
    assert result.returncode == 0, result.stdout + result.stderr


def test_another_trajectory_is_a_disagreement(tmp_path):
    bag = write(tmp_path / "bag", made.messages(0.5))
    with BagWriter(tmp_path / "out") as out:
        replay(bag, out, [], {})
    types = {full_name(topic): topic.message() for topic in recorded_topics()}
    changed = list(read_bag(tmp_path / "out", types))
    third = next(m for topic, m, _ in changed if topic.endswith("selected") and cycle(m).number == 3)
    third.trajectory.points[10].pose.position.x += 0.01
    write(tmp_path / "changed", changed)
    result = made.behaviors("agree", tmp_path / "changed", "--json", tmp_path / "f.json")
    assert result.returncode == 1, result.stdout + result.stderr
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["different"][0] == 3  # and perhaps 4, which goes on from it
    assert figures["cycles"] == figures["equal"] + len(figures["different"]) == 6


def test_tracks_before_the_other_inputs_wait_for_them(tmp_path):
    messages = made.messages(1.0)
    late = [m for m in messages if m[0].endswith("tracks") or m[2] > made.START_NS + 350 * MS]
    route = messages[0][1]
    late.insert(0, ("/behaviors/route", route, made.START_NS))
    found = replay(write(tmp_path / "bag", late), None, [], {})
    # 0.0 to 0.3 s: four tracks messages without a vehicle state
    assert (found.tracks, len(found.plans), found.unanswered) == (11, 7, 4)


@pytest.mark.parametrize("missing", ["route", "odometry", "tracks"])
def test_a_bag_that_lacks_an_input(tmp_path, capfd, missing):
    write(tmp_path / "bag", [m for m in made.messages(0.2) if not m[0].endswith(missing)])
    out = tmp_path / "out"
    assert made.refused(
        made.here(capfd, "replay", tmp_path / "bag", "--out", out), f"/behaviors/{missing}: is not recorded"
    )
    assert not out.exists()


def test_wrong_use_is_one_line(tmp_path, capfd):
    bag = write(tmp_path / "bag", made.messages(0.2))
    here = lambda *arguments: made.here(capfd, "replay", *arguments)  # noqa: E731
    assert made.refused(here(tmp_path / "none"), "cannot be opened")
    (tmp_path / "out" / "bag").mkdir(parents=True)
    assert made.refused(here(bag, "--out", tmp_path / "out"), "exists already")
    assert made.refused(here(bag, "--out", bag / "metadata.yaml"), "cannot be written")
    assert made.refused(made.here(capfd, "agree", bag), "no whole cycle is recorded")
    assert made.refused(made.here(capfd, "agree", tmp_path / "none"), "cannot be opened")
    (bag / "bag.mcap").write_bytes((bag / "bag.mcap").read_bytes()[:-300])
    assert made.refused(here(bag, "--out", tmp_path / "other"), "cannot be opened")


def test_parameter_files_that_cannot_be_used(tmp_path, capfd):
    bag = write(tmp_path / "bag", made.messages(0.2))
    (tmp_path / "bad.yaml").write_text("a: [")
    for file in ("none.yaml", "bad.yaml"):
        result = made.here(capfd, "replay", bag, "--out", tmp_path / f"out_{file}", "--params", tmp_path / file)
        assert made.refused(result, "--params", file)
        assert not (tmp_path / f"out_{file}").exists()


def test_a_map_that_is_not_there(tmp_path, capfd):
    bag = write(tmp_path / "bag", made.messages(0.2), {"map": "/nowhere/town map: 1.osm"})
    result = made.here(capfd, "replay", bag, "--out", tmp_path / "out")
    assert made.refused(result, "/nowhere/town map: 1.osm: map: no such file")
    assert not (tmp_path / "out").exists()


def test_a_map_that_is_none(tmp_path):
    bag = write(tmp_path / "bag", made.messages(0.2))
    (tmp_path / "town: 1 #2.osm").write_text("no map")
    result = made.behaviors("replay", bag, "--out", tmp_path / "out", "--map", tmp_path / "town: 1 #2.osm")
    assert result.returncode == 2
    assert "Traceback" not in result.stdout + result.stderr
    assert "/town: 1 #2.osm: " in result.stderr.strip().splitlines()[-1]


def test_the_report_names_the_folder_also_for_dots(tmp_path):
    bag = write(tmp_path / "bag", made.messages(0.3))
    result = made.behaviors("replay", ".", cwd=bag)
    assert result.returncode == 0, result.stderr
    assert (bag / "out" / "replay_bag" / "report.html").is_file()
    assert "<title>replay of bag</title>" in (bag / "out" / "replay_bag" / "report.html").read_text()
