"""Recorded drives: causal motion estimates, and the readers on files written here and on real recordings."""

import gzip

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.recordings.argoverse import read_log
from behaviors_ros.simulation.recordings.commonroad import read_scenario
from behaviors_ros.simulation.recordings.kitti import read_sequence
from behaviors_ros.simulation.recordings.recording import (
    Boxes,
    TrackerModel,
    ego_states,
    line_fit_velocity,
    tracks_from_boxes,
)


def test_line_fit_velocity():
    # x = 0, 1, 3 at t = 0, 1, 2: slope = sum((t - 1)(x - 4/3)) / sum((t - 1)^2) = (4/3 + 5/3) / 2 = 1.5
    velocity = line_fit_velocity(np.array([0.0, 1.0, 2.0]), np.array([[0.0, 5.0], [1.0, 5.0], [3.0, 5.0]]))
    np.testing.assert_allclose(velocity, [1.5, 0.0])
    np.testing.assert_allclose(line_fit_velocity(np.array([0.0]), np.array([[1.0, 2.0]])), [0.0, 0.0])


def _boxes(position):
    count = len(position)
    return Boxes(
        np.arange(count, dtype=np.int64) * 100_000_000, ("0" * 31 + "1",) * count, np.full(count, 1), position,
        np.zeros(count), np.full(count, 4.0), np.full(count, 2.0),
    )  # fmt: skip


def test_motion_does_not_look_ahead():
    line = np.stack([np.arange(20) * 0.5, np.zeros(20)], axis=-1)  # 5 m/s
    bent = line.copy()
    bent[11:, 1] = 7.0
    straight, changed = (tracks_from_boxes(_boxes(p), TrackerModel()) for p in (line, bent))
    np.testing.assert_allclose(straight[10].velocity, [[5.0, 0.0]], atol=1e-9)
    np.testing.assert_array_equal(changed[10].velocity, straight[10].velocity)
    assert abs(changed[12].velocity[0, 1]) > 1.0


def test_ego_states_on_a_circle():
    # radius 20 m at 10 m/s: yaw rate 0.5 rad/s, steering atan(2.7 * 0.5 / 10) = 0.1342 rad
    time = np.arange(0.0, 4.0, 0.01)
    yaw = 0.5 * time + np.pi / 2
    position = 20.0 * np.stack([np.cos(0.5 * time), np.sin(0.5 * time)], axis=-1)
    states = ego_states((time * 1e9).astype(np.int64), position, yaw, 2.7, 0.02)
    last = states[-1]
    assert last.speed == pytest.approx(10.0, abs=0.05)
    assert last.yaw_rate == pytest.approx(0.5, abs=1e-6)
    assert last.steering == pytest.approx(0.1342, abs=1e-3)
    assert abs(last.acceleration) < 0.01


def _write_kitti(folder, label):
    identity = "1 0 0 0 0 1 0 0 0 0 1 0"
    # camera axes: x right, y down, z ahead; the GPS/IMU frame: x ahead, y left, z up
    camera = "0 -1 0 0 0 0 -1 0 1 0 0 0"
    files = {
        "calib": f"R_rect 1 0 0 0 1 0 0 0 1\nTr_velo_cam {camera}\nTr_imu_velo {identity}\n",
        "oxts": "\n".join(f"49.0 {8.0 + i * 1e-5} 100 0 0 0 0" for i in range(5)),
        "label": label,
    }
    for kind, text in files.items():
        (folder / kind).mkdir(parents=True)
        (folder / kind / "0000.txt.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def test_kitti_box_in_the_plane(tmp_path):
    # a pedestrian 10 m ahead and 2 m to the right, facing right in the camera (rotation_y 0 is the camera's x)
    label = "0 7 Pedestrian 0 0 0 0 0 0 0 1.8 0.6 0.5 2.0 1.0 10.0 0.0\n1 -1 DontCare -1 -1 0 0 0 0 0 0 0 0 0 0 0 0\n"
    recording = read_sequence(_write_kitti(tmp_path / "k", label), "0000", Vehicle())
    tracks = recording.tracks[0]
    np.testing.assert_allclose(tracks.position, [[10.0, -2.0]], atol=1e-6)
    assert tracks.yaw[0] == pytest.approx(-np.pi / 2)
    assert tracks.kind[0] == AgentClass.PEDESTRIAN
    assert (tracks.length[0], tracks.width[0]) == (0.5, 0.6)
    # 1e-5 deg of longitude at 49 deg: 6378137 cos(49 deg) 1e-5 pi/180 = 0.7303 m a frame, 7.3 m/s
    assert recording.ego[-1].speed == pytest.approx(7.303, abs=0.01)
    assert recording.map_path is None
    assert len(recording.centre_line) > 50


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("0 1 Car 0 0", "label line 0"),
        ("99 1 Car 0 0 0 0 0 0 0 1 1 1 1 1 1 0", "frame 99"),
        ("0 1 Car a", "label line 0"),
    ],
)
def test_kitti_bad_label_is_one_clear_line(tmp_path, label, field):
    with pytest.raises(InputError, match=field) as caught:
        read_sequence(_write_kitti(tmp_path / "k", label), "0000", Vehicle())
    assert "\n" not in str(caught.value)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(InputError, match="oxts/0000.txt"):
        read_sequence(tmp_path, "0000", Vehicle())
    with pytest.raises(InputError, match="annotations.feather"):
        read_log(tmp_path, Vehicle())


@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_argoverse_log(shared_data, number):
    recording = read_log(sorted((shared_data / "av2_logs").iterdir())[number], Vehicle())
    assert recording.map_path.is_file()
    assert len(recording.tracks) > 150
    travelled = sum(
        np.hypot(*(b.position - a.position)) for a, b in zip(recording.ego, recording.ego[1:], strict=False)
    )
    by_speed = sum(abs(e.speed) * 0.02 for e in recording.ego)
    assert by_speed == pytest.approx(travelled, rel=0.05, abs=0.5)


def test_kitti_and_commonroad_recordings(shared_data):
    kitti = read_sequence(shared_data / "kitti_tracking", "0013", Vehicle())
    assert len(kitti.tracks) == 340
    path = shared_data / "commonroad_ngsim" / "Lankershim" / "USA_Lanker-1_1_T-1.xml.gz"
    recording = read_scenario(path, Vehicle())
    assert len(recording.ego) > 100
    with pytest.raises(InputError, match="choose of"):
        read_scenario(path, Vehicle(), ego_id=-5)
