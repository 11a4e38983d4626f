"""Readers of the data sets, on tiny files of their forms and on what there is beside the checkout."""

from pathlib import Path

import numpy as np
import pytest
from made_data import write_crowd, write_dut

from behaviors_ros.datatypes import AgentClass, Grid
from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_drives import read_generated
from behaviors_ros.learning.data_pedestrians import read_dut, read_eth_ucy
from behaviors_ros.learning.data_resample import resampled
from behaviors_ros.learning.data_sources import READERS, Source, resampling_of, sources_in
from behaviors_ros.learning.samples import Windows, samples


def test_eth_ucy_is_read_by_its_own_split(tmp_path: Path):
    found = list(read_eth_ucy(write_crowd(tmp_path), "eth"))
    assert [split for _, split in found] == ["train", "val", "test"]
    assert [each.origin.location for each, _ in found] == ["hotel", "hotel", "eth"]
    person = found[2][0].tracks[0]
    assert person.kind == AgentClass.PEDESTRIAN and np.allclose(np.diff(person.time_s), 0.4)


def test_dut_rate_and_classes(tmp_path: Path):
    """72 frames at 23.98 Hz are 2.96 s from the first to the last."""
    (found,) = read_dut(write_dut(tmp_path))
    person, car = found.tracks
    assert (person.kind, car.kind) == (AgentClass.PEDESTRIAN, AgentClass.CAR)
    assert person.time_s[-1] == pytest.approx(71 / 23.98) and np.allclose(car.yaw, 0.5) and np.isnan(person.yaw).all()


@pytest.mark.parametrize(
    "name, text, field",
    [
        ("all_data/biwi_eth.txt", "0 1.0 2.0\n", "line 1"),
        ("all_data/biwi_eth.txt", "0 1.0 2.0 north\n", "line 1"),
        ("all_data/biwi_eth.txt", "0 1.0 2.0 inf\n", "line 1"),
        ("splits.json", "{}", "splits"),
        ("splits.json", "[", "splits"),
    ],
)
def test_bad_crowd_files(tmp_path: Path, name, text, field):
    (write_crowd(tmp_path) / name).write_text(text)
    with pytest.raises(InputError, match=field) as error:
        list(read_eth_ucy(tmp_path, "eth"))
    assert name.rpartition("/")[2] in str(error.value) and "\n" not in str(error.value)


def test_bad_tables(tmp_path: Path):
    path = tmp_path / "intersection_01_traj_ped_filtered.csv"
    path.write_text("id,frame,x_est\n1,2,3\n")
    with pytest.raises(InputError, match="y_est"):
        list(read_dut(tmp_path))
    path.write_text("id,frame,x_est,y_est\n1,2,3,nan\n1,3,2,4\n")
    with pytest.raises(InputError, match="line 2, y_est"):
        list(read_dut(tmp_path))


def test_unknown_fold(tmp_path: Path):
    with pytest.raises(InputError, match="known: eth"):
        list(read_eth_ucy(write_crowd(tmp_path), "paris"))


def test_generated_situations_are_marked():
    (found,) = read_generated(("animal",), 1)
    assert found.origin.simulated and found.lane_map is not None
    kinds = {track.kind for track in found.tracks}
    assert int(AgentClass.ANIMAL) in kinds and "ego" in {track.id for track in found.tracks}


def test_what_a_folder_holds(tmp_path: Path):
    assert [each.kind for each in sources_in(write_crowd(tmp_path / "a"))] == ["eth_ucy"]
    assert [each.kind for each in sources_in(write_dut(tmp_path / "b"))] == ["dut"]
    with pytest.raises(InputError, match="no known recordings"):
        (tmp_path / "c").mkdir()
        sources_in(tmp_path / "c")


EXPECTED = {"eth": 364, "hotel": 1197, "zara1": 2356}  # windows of 8 + 12 steps that the published split counts


@pytest.mark.parametrize("fold", EXPECTED)
def test_windows_of_the_standard_split(shared_data: Path, fold):
    windows = Windows(every_s=0.4, least_past_s=2.8, least_future_s=4.8)
    count = 0
    for raw, split in READERS["eth_ucy"](Source(fold=fold), shared_data / "eth_ucy"):
        if split == "test":
            made = resampled(raw, resampling_of("eth_ucy"))
            count += sum(np.isfinite(each.future[:, 12, 0]).sum() for each in samples(made, Grid(0.4, 13), windows))
    assert count == EXPECTED[fold]


@pytest.mark.parametrize("kind, folder, kinds", [
    ("kitti", "kitti_tracking", {1, 6, 7}), ("av2", "av2_logs", {1, 3, 6, 7}), ("dut", "dut", {1, 7}),
])  # fmt: skip
def test_recordings_beside_the_checkout(shared_data: Path, kind, folder, kinds):
    raw, split = next(iter(READERS[kind](Source(kind=kind), shared_data / folder)))
    made = resampled(raw, resampling_of(kind))
    assert split == "" and made.seen.mean() > 0.95 and made.origin.licence
    assert (kind == "av2") == (made.lane_map is not None)
    assert {1} <= set(made.kind.tolist()) | kinds
