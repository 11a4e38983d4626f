"""Bags: what is written is read again, and everything that can be wrong with one is one clear line."""

import resource
import shutil
from pathlib import Path

import made_recordings as made
import numpy as np
import pytest
import yaml
from nav_msgs.msg import Odometry
from rclpy.serialization import serialize_message
from std_msgs.msg import String

from behaviors_ros.errors import InputError
from behaviors_ros.maps.load import load_map
from behaviors_ros.msg import Route, TrackedObjects
from behaviors_ros.ros.bags import BagWriter, about, count_messages, read_bag
from behaviors_ros.ros.conversion import nanoseconds
from behaviors_ros.ros.drive import write_drive
from behaviors_ros.ros.recorder import new_bag_path
from behaviors_ros.simulation.recordings.recording import Recording

TYPES = {"/behaviors/odometry": Odometry, "/behaviors/tracks": TrackedObjects, "/behaviors/route": Route}
URBAN = Path(__file__).resolve().parents[2] / "behaviors_ros" / "simulation" / "worlds" / "urban.osm"


@pytest.fixture
def bag(tmp_path):
    """One second of the drive made by hand."""
    write_drive(made.recording(1.0), tmp_path / "drive")
    return tmp_path / "drive"


def one_line(error):
    text = str(error.value)
    assert "\n" not in text and "Traceback" not in text
    return text


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_drive_is_written_whole_and_in_order(bag):
    read = list(read_bag(bag, TYPES))
    # 1 s: 50 + 1 vehicle states, 10 + 1 tracks, 1 route
    assert count_messages(bag, TYPES) == {"/behaviors/odometry": 51, "/behaviors/tracks": 11, "/behaviors/route": 1}
    assert len(read) == 63
    assert read[0][0] == "/behaviors/route"
    stamps = [stamp for _, _, stamp in read]
    assert stamps == sorted(stamps)
    assert (stamps[0], stamps[-1]) == (made.START_NS, made.START_NS + made.NS)
    assert all(nanoseconds(message.header.stamp) == stamp for topic, message, stamp in read)
    # at 0.5 s: the car ahead is at 30 + 6 * 0.5 = 33 m; the vehicle state of an instant comes before its tracks
    half = [(topic, message) for topic, message, stamp in read if stamp == made.START_NS + made.NS // 2]
    assert [topic for topic, _ in half] == ["/behaviors/odometry", "/behaviors/tracks"]
    assert half[0][1].pose.pose.position.x == pytest.approx(4.0)
    assert np.asarray(half[1][1].x)[0] == pytest.approx(33.0, abs=1e-3)


def test_the_metadata_say_whose_data_it_is(bag):
    assert about(bag) == {"source": "made", "licence": "made for a test"}
    read = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert read["storage_identifier"] == "mcap"


def test_a_drive_on_a_map_names_its_map_and_lanes(tmp_path):
    lane_map = load_map(URBAN)
    lane = next(lane for lane in lane_map.lanes.values() if len(lane.centre) > 2)
    first, last = lane.centre[0], lane.centre[-1]
    yaw = float(np.arctan2(*(lane.centre[1] - first)[::-1]))
    states = tuple(
        made.EgoState(made.START_NS + i * 20_000_000, first + (last - first) * i / 10, yaw, 5.0) for i in range(11)
    )
    drive = Recording("on a map", "ours", states, (made.tracks(0.0),), made.Goal(last), map_path=URBAN)
    contents = write_drive(drive, tmp_path / "bag")
    assert contents.route == "1 lanes"
    assert about(tmp_path / "bag")["map"] == str(URBAN)
    route = next(message for _, message, _ in read_bag(tmp_path / "bag", {"/behaviors/route": Route}))
    assert list(route.lane_id) == [lane.id]


def test_a_drive_that_begins_at_zero_is_moved_by_a_second(tmp_path):
    # A stamp of zero means "absent" in messages: the first tracks would be lost.
    contents = write_drive(made.recording(0.2, start_ns=0), tmp_path / "bag")
    stamps = [stamp for _, _, stamp in read_bag(tmp_path / "bag", TYPES)]
    assert (stamps[0], stamps[-1]) == (made.NS, made.NS + made.NS // 5)
    assert contents.duration_s == pytest.approx(0.2)
    tracks = next(m for topic, m, _ in read_bag(tmp_path / "bag", TYPES) if topic == "/behaviors/tracks")
    assert nanoseconds(tracks.header.stamp) == made.NS


def test_the_route_without_lanes_is_the_driven_line(tmp_path):
    whole = made.recording(2.0)
    drive = Recording(whole.name, whole.licence, whole.ego, whole.tracks, whole.goal)
    write_drive(drive, tmp_path / "bag")
    route = next(message for _, message, _ in read_bag(tmp_path / "bag", {"/behaviors/route": Route}))
    line = np.asarray(route.centre_line).reshape(-1, 2)
    # driven from 0 to 16 m, then 60 m on: 16 + 60 = 76 m
    assert line[0] == pytest.approx([0.0, 0.0])
    assert line[-1] == pytest.approx([76.0, 0.0], abs=1.0)


def test_new_names_do_not_collide(tmp_path):
    assert new_bag_path(tmp_path, "a") == tmp_path / "a"
    (tmp_path / "a").mkdir()
    (tmp_path / "a_2").mkdir()
    assert new_bag_path(tmp_path, "a") == tmp_path / "a_3"


# --- what is wrong ---------------------------------------------------------------------------------------------------


def test_an_existing_bag_is_never_overwritten(bag):
    before = (bag / "drive.mcap").read_bytes()
    with pytest.raises(InputError, match="exists already") as error:
        write_drive(made.recording(0.2), bag)
    assert one_line(error)
    assert (bag / "drive.mcap").read_bytes() == before


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written") as error:
        BagWriter(tmp_path / "file" / "bag")
    assert one_line(error)


def test_a_full_disk_is_one_line_and_the_bag_so_far_stays(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    message = serialize_message(String(data="".join(map(chr, np.random.default_rng(0).integers(32, 127, 100_000)))))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
        with pytest.raises(InputError, match="cannot be written") as error, BagWriter(tmp_path / "bag") as bag:
            bag.add_topic("/text", String)
            for i in range(100):
                bag.write_raw("/text", message, i)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert one_line(error)
    assert (tmp_path / "bag" / "bag.mcap").stat().st_size > 1_000_000


def damage(bag, data):
    (bag / "drive.mcap").write_bytes(data)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_truncated_bag(bag, share):
    data = (bag / "drive.mcap").read_bytes()
    damage(bag, data[: int(len(data) * share)])
    with pytest.raises(InputError) as error:
        list(read_bag(bag, TYPES))
    assert str(bag) in one_line(error)


def test_damaged_bytes_are_refused_or_read_and_never_a_traceback(bag):
    data, random, refused = (bag / "drive.mcap").read_bytes(), np.random.default_rng(1), 0
    for _ in range(60):
        damaged = np.frombuffer(data, np.uint8).copy()
        damaged[random.integers(0, len(data), 30)] = random.integers(0, 256, 30)
        damage(bag, damaged.tobytes())
        try:
            list(read_bag(bag, TYPES))
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 10


@pytest.mark.parametrize("text", ["", "a: [", "just text", "rosbag2_bagfile_information: {version: 9}", "\x1d"])
def test_bad_metadata(bag, text):
    (bag / "metadata.yaml").write_text(text)
    with pytest.raises(InputError, match="cannot be opened") as error:
        about(bag)
    assert one_line(error)


def test_a_bag_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        about(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="cannot be opened"):
        about(tmp_path / "empty")
    shutil.rmtree(tmp_path / "empty")


def test_a_topic_of_another_type(tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        bag.write("/behaviors/tracks", String(data="no tracks"), made.START_NS)
    for read in (lambda: list(read_bag(tmp_path / "bag", TYPES)), lambda: count_messages(tmp_path / "bag", TYPES)):
        with pytest.raises(InputError, match="/behaviors/tracks: is std_msgs/msg/String") as error:
            read()
        assert "behaviors_ros/msg/TrackedObjects" in one_line(error)


def test_a_message_that_is_no_message(tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        bag.add_topic("/behaviors/tracks", TrackedObjects)
        bag.write_raw("/behaviors/tracks", b"\x00\x01\x00\x00" + b"\xff" * 40, made.START_NS)
    with pytest.raises(InputError, match="is damaged") as error:
        list(read_bag(tmp_path / "bag", TYPES))
    assert one_line(error)


# --- the command -----------------------------------------------------------------------------------------------------


def test_from_kitti_and_its_refusals(tmp_path, shared_data, capfd):
    data, out = shared_data / "kitti_tracking", tmp_path / "bag"
    result = made.here(capfd, "bag", "from-kitti", data, "0013", out, "--json", tmp_path / "made" / "figures.json")
    assert result.returncode == 0, result.stderr
    figures = yaml.safe_load((tmp_path / "made" / "figures.json").read_text())
    assert list(figures) == ["path", "odometry", "tracks", "agents", "duration_s", "route"]
    assert (figures["path"], figures["tracks"], figures["route"]) == (str(out), 340, "centre line")
    assert about(out) == {"source": "kitti-0013", "licence": "CC BY-NC-SA 3.0"}
    assert made.refused(made.here(capfd, "bag", "from-kitti", data, "0013", out), "exists already")
    assert made.refused(made.here(capfd, "bag", "from-kitti", data, "9999", tmp_path / "no"), "oxts/9999.txt")


@pytest.mark.parametrize(("command", "words"), [
    (("from-av2", "none"), ("none",)),
    (("from-kitti", "none", "0013"), ("none", "oxts")),
    (("from-commonroad", "none.xml"), ("none.xml",)),
])  # fmt: skip
def test_sources_that_are_not_there(tmp_path, capfd, monkeypatch, command, words):
    monkeypatch.chdir(tmp_path)
    assert made.refused(made.here(capfd, "bag", *command, "bag"), *words)
    assert not (tmp_path / "bag").exists()


def test_figures_that_cannot_be_written_are_refused_before_the_work(tmp_path, capfd):
    assert made.refused(
        made.here(capfd, "bag", "from-av2", tmp_path, tmp_path / "bag", "--json", tmp_path),
        "--json",
        "cannot be written",
    )


def test_a_full_disk_under_the_figures(capfd):
    assert made.refused(made.here(capfd, "plugins", "--json", "/dev/full"), "--json", "No space left")


@pytest.mark.parametrize("command", ["demo", "replay", "agree", "record", "bag"])
def test_bad_options_are_said_without_a_traceback(command, capfd):
    result = made.here(capfd, command, "--no-such-option")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "--no-such-option" in result.stderr
