"""`behaviors test`: rows of predictors on recordings and on built data."""

import json

import pytest
import yaml
from made_recordings import here, recording, refused

from behaviors_ros.errors import InputError
from behaviors_ros.ros.cli.test import made_predictors
from behaviors_ros.ros.drive import write_drive

ASKED = ("predictor", "class", "horizon_s", "k", "n", "minade", "minfde", "miss_rate", "nll", "coverage50",
         "coverage90", "ece", "cpu_ms")  # fmt: skip


@pytest.fixture(scope="module")
def bags(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bags")
    write_drive(recording(6.0), folder / "one")
    return folder


def test_rows_of_a_folder_never_seen_before(bags, tmp_path, capfd):
    """A car at 6 m/s, a standing pedestrian and the ego at 8 m/s: constant velocity is right about all."""
    figures = tmp_path / "rows.json"
    options = ("--on", bags, "--horizons", "1,3", "--modes", "1,6", "--json", figures)
    result = here(capfd, "test", "constant_turn_rate", *options)
    assert result.returncode == 0 and "all, moving" in result.stdout
    rows = json.loads(figures.read_text())
    assert {row["predictor"] for row in rows} == {"constant_velocity", "lane_following", "constant_turn_rate"}
    assert {row["class"] for row in rows} == {"all", "car", "pedestrian"}
    assert all(set(ASKED) <= set(row) for row in rows)
    sure = [row for row in rows if row["predictor"] == "constant_velocity" and row["class"] == "all"]
    assert max(row["minfde"] for row in sure) < 0.1 and {row["k"] for row in sure} == {1, 6}
    standing = [row for row in rows if row["class"] == "pedestrian"]
    assert {row["moving"] for row in standing} == {"all", "standing"}


def test_rows_of_built_data(bags, tmp_path, capfd):
    config = {"sources": [{"kind": "rosbag2", "folder": ""}], "splitting": {"test": ["*"]}}
    (tmp_path / "build.yaml").write_text(yaml.safe_dump(config))
    assert here(capfd, "data", "build", tmp_path / "build.yaml", tmp_path / "out", "--data", bags).returncode == 0
    figures = tmp_path / "rows.json"
    options = ("--on", tmp_path / "out", "--horizons", "1", "--no-baselines", "--json", figures)
    assert here(capfd, "test", "constant_velocity", *options).returncode == 0
    assert {row["predictor"] for row in json.loads(figures.read_text())} == {"constant_velocity"}
    refused(here(capfd, "test", "constant_velocity", "--on", tmp_path / "out", "--split", "val"), "none that matches")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("telepathy",), ("telepathy", "constant_velocity")),
        (("constant_velocity", "--horizons", "soon"), ("--horizons",)),
        (("constant_velocity", "--horizons", "0.15"), ("0.15 s", "grid")),
        (("constant_velocity", "--modes", "0"), ("--modes",)),
        (("constant_velocity", "--only", "mars/*"), ("mars/*",)),
        (("constant_velocity", "--set", "speed=1"), ("--set",)),
        (("constant_velocity", "--set", "constant_velocity.speed=1"), ("speed",)),
        (("constant_velocity", "--horizons", "60"), ("--horizons",)),
    ],
)
def test_wrong_use(bags, capfd, arguments, words):
    refused(here(capfd, "test", *arguments, "--on", bags), *words)


def test_folders_without_recordings(tmp_path, capfd):
    refused(here(capfd, "test", "constant_velocity", "--on", tmp_path), "no known recordings")
    refused(here(capfd, "test", "constant_velocity", "--on", tmp_path / "away"), "does not exist")


def test_parameters_of_predictors():
    made = made_predictors(["lane_following", "constant_velocity"], ["lane_following.max_modes=2"])
    assert made["lane_following"].values.max_modes == 2
    with pytest.raises(InputError):
        made_predictors(["constant_velocity"], ["constant_velocity.x=1"])
