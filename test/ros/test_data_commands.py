"""`behaviors data build|check`, and bags as recordings."""

import json

import numpy as np
import pytest
import yaml
from made_recordings import here, recording, refused

from behaviors_ros.errors import InputError
from behaviors_ros.learning.data_resample import resampled
from behaviors_ros.learning.data_sources import Source
from behaviors_ros.ros.bag_recordings import read_bags
from behaviors_ros.ros.drive import write_drive


def test_a_bag_is_a_recording(tmp_path):
    """3 s: a car at 6 m/s, a standing pedestrian, and the ego at 8 m/s, box centre 1.35 m ahead of its rear axle."""
    write_drive(recording(), tmp_path / "bags" / "one")
    ((raw, split),) = read_bags(Source(kind="rosbag2"), tmp_path / "bags")
    made = resampled(raw)
    assert split == "" and made.origin.name == "one" and made.origin.source == "rosbag2"
    names = {name: k for k, name in enumerate(made.id)}
    assert set(names) == {f"{1:032x}", f"{2:032x}", "ego"}
    last = made.offset[1:] - 1
    car, ego = last[names[f"{1:032x}"]], last[names["ego"]]
    assert np.allclose(made.velocity[[car, ego]], [[6.0, 0.0], [8.0, 0.0]], atol=1e-3)
    assert made.position[ego, 0] == pytest.approx(8.0 * made.step_of_row()[ego] * 0.1 + 1.35, abs=0.01)


def test_no_bag_there(tmp_path):
    with pytest.raises(InputError, match="metadata.yaml"):
        list(read_bags(Source(kind="rosbag2"), tmp_path))


def test_build_and_check(tmp_path, capfd):
    write_drive(recording(), tmp_path / "data" / "bags" / "one")
    config = {"sources": [{"kind": "rosbag2", "folder": "bags", "licence": "ours"}], "splitting": {"val_share": 0.0}}
    (tmp_path / "build.yaml").write_text(yaml.safe_dump(config))
    out, figures = tmp_path / "out", tmp_path / "figures.json"
    data = ("--data", tmp_path / "data", "--json", figures)
    assert here(capfd, "data", "build", tmp_path / "build.yaml", out, *data).returncode == 0
    (row,) = json.loads(figures.read_text())
    assert (row["source"], row["split"], row["tracks"], row["may_ship"]) == ("rosbag2", "train", 3, False)
    assert here(capfd, "data", "check", out).returncode == 0
    next(out.glob("*.parquet")).write_bytes(b"")
    refused(here(capfd, "data", "check", out), "sha256")
