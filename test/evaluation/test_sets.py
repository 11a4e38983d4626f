"""Sets of scenarios, options and vehicles by name."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from made_scenarios import write

from behaviors_ros.datatypes import AgentClass, EgoState, Goal, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.options import BMW_320I, Options, configuration, setting, vehicle_of
from behaviors_ros.evaluation.recorded_drive import scenario_of
from behaviors_ros.evaluation.sets import Case, chosen, data_folder, find, load, stem
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.recordings.recording import Recording

ROOT = Path(__file__).resolve().parents[2]


def test_the_bmw_of_the_file_is_the_one_of_the_code():
    assert vehicle_of(ROOT / "config" / "vehicles" / "bmw_320i.yaml") == BMW_320I
    # CommonRoad's vehicle 2: the rear axle is 1.4227 m behind the middle of the box.
    assert BMW_320I.centre_offset_m == pytest.approx(1.4227)


def test_settings_are_dotted_yaml(tmp_path):
    assert setting("progress.weight=3") == ("progress.weight", 3)
    assert setting("scorers=[comfort, progress]") == ("scorers", ["comfort", "progress"])
    for wrong in ("progress", "=3", "a=[1"):
        with pytest.raises(InputError, match="--set"):
            setting(wrong)
    assert configuration("behaviors", {"progress.weight": 3}) == {"progress": {"weight": 3}}
    (tmp_path / "mine.yaml").write_text("progress: {weight: 2, other: 1}\npredictor: constant_velocity\n")
    merged = configuration(str(tmp_path / "mine.yaml"), {"progress.weight": 3})
    assert merged == {"progress": {"weight": 3, "other": 1}, "predictor": "constant_velocity"}
    with pytest.raises(InputError, match="cannot be read"):
        configuration(str(tmp_path / "nothing.yaml"), {})


def test_a_file_is_a_set(tmp_path):
    path = write(tmp_path, "one")
    assert find(str(path), tmp_path) == (Case("one", str(path)),)
    assert stem(Path("a/USA_Lanker-1_1_T-1.xml.gz")) == "USA_Lanker-1_1_T-1"


def test_a_folder_is_searched_and_names_are_unique(tmp_path):
    for place in ("a", "b"):
        write(tmp_path / place, "same")
    write(tmp_path, "other")
    assert [case.name for case in find(str(tmp_path), tmp_path)] == ["a-same", "b-same", "other"]
    with pytest.raises(InputError, match="holds no scenario"):
        find(str(tmp_path / "empty" if (tmp_path / "empty").mkdir() is None else ""), tmp_path)


def test_a_list_names_files_below_the_data(tmp_path):
    write(tmp_path / "deep" / "down", "first")
    write(tmp_path, "second")
    (tmp_path / "mine.txt").write_text("second.yaml\n\nfirst.yaml  # a comment\n")
    by_path, by_name = find(str(tmp_path / "mine.txt"), tmp_path), find("mine", tmp_path)
    assert by_path == by_name and [case.name for case in by_path] == ["second", "first"]


def test_gzipped_files_are_found_by_their_plain_name(tmp_path):
    (tmp_path / "mine.txt").write_text("road.xml\n")
    (tmp_path / "road.xml.gz").touch()
    assert find("mine", tmp_path) == (Case("road", str(tmp_path / "road.xml.gz")),)


def test_a_cross_section_of_a_set_is_chosen_by_names(tmp_path):
    """21 kinds of 20 variants: one variant of each, two variants, one kind."""
    cases = find("generated", tmp_path)
    assert len(cases) == 420 and chosen(cases, None) == cases
    assert len(chosen(cases, ["*_04"])) == 21 and len(chosen(cases, ["*_04", "*_11"])) == 42
    assert [case.name for case in chosen(cases, ["roundabout_*"])] == [f"roundabout_{k:02d}" for k in range(20)]
    with pytest.raises(InputError, match=r"--only: \*_99 fits no scenario .* some names: unprotected_left_00"):
        chosen(cases, ["*_99"])


def test_what_cannot_be_found_is_one_line(tmp_path):
    with pytest.raises(InputError, match="neither a file nor a known list"):
        find("benchmark99", tmp_path)
    (tmp_path / "mine.txt").write_text("missing.xml\n")
    with pytest.raises(InputError, match=r"missing\.xml"):
        find("mine", tmp_path)
    (tmp_path / "twice.txt").write_text("a.yaml\na.yaml\n")
    write(tmp_path / "data", "a")
    with pytest.raises(InputError, match="twice"):
        find(str(tmp_path / "twice.txt"), tmp_path / "data")


def test_the_data_folder_is_given_or_in_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("BEHAVIORS_DATA", str(tmp_path / "a"))
    assert data_folder() == tmp_path / "a" and data_folder(tmp_path / "b") == tmp_path / "b"


def test_the_benchmark_is_whole(shared_data):
    cases = find("benchmark53", shared_data)
    assert len(cases) == 53
    scenario = load(cases[0], Options()).scenario
    assert scenario.vehicle == BMW_320I and scenario.dt_s == pytest.approx(0.1)
    assert load(cases[0], Options(vehicle=Vehicle())).scenario.vehicle == Vehicle()


def test_our_form_keeps_its_own_vehicle(tmp_path):
    path = write(tmp_path, "one")
    form = yaml.safe_load(path.read_text()) | {"vehicle": {"length_m": 5.0}}
    path.write_text(yaml.safe_dump(form))
    assert load(Case("one", str(path)), Options()).scenario.vehicle.length_m == 5.0
    assert load(Case("one", str(path)), Options(vehicle=BMW_320I)).scenario.vehicle == BMW_320I


def recording(seconds=3.0):
    """10 m/s along x; a car 20 m ahead at 8 m/s that is seen until 2 s."""
    ego = tuple(EgoState(i * 20_000_000, np.array((0.2 * i, 0.0)), 0.0, 10.0) for i in range(round(seconds / 0.02) + 1))
    one = np.ones(1)
    tracks = tuple(
        Tracks(
            i * 100_000_000, ("a" * 32,), np.full(1, int(AgentClass.CAR)), np.array([[20.0 + 0.8 * i, 0.0]]), 0.0 * one,
            np.array([[8.0, 0.0]]), np.zeros((1, 2)), 0.0 * one, 4.0 * one, 2.0 * one, np.zeros((1, 2, 2)), one,
        )
        for i in range(21)
    )  # fmt: skip
    return Recording("made", "none", ego, tracks, Goal(ego[-1].position))


def test_a_recorded_drive_becomes_a_scenario_with_its_driver():
    scenario, expert = scenario_of(recording(), Vehicle())
    assert scenario.map is None and scenario.duration_s == pytest.approx(3.0) and scenario.start.speed == 10.0
    assert expert.progress_m == pytest.approx(30.0) and expert.position[-1] == pytest.approx((30.0, 0.0))
    agent = scenario.agents[0].recording
    # Seen from 0 to 2 s, then gone.
    assert agent.at(1.0).position == pytest.approx((28.0, 0.0)) and agent.at(1.0).speed == 8.0 and agent.at(2.1) is None


def test_recorded_logs_have_no_reactive_traffic(tmp_path):
    with pytest.raises(InputError, match="--traffic"):
        load(Case("kitti-0000", f"{tmp_path}#0000"), Options(traffic="reactive"))


def test_logs_of_both_kinds_are_sets(shared_data):
    assert len(find(str(shared_data / "av2_logs"), shared_data)) == 2
    kitti = find(str(shared_data / "kitti_tracking"), shared_data)
    assert len(kitti) == 21 and kitti[0].source.endswith("#0000")
    task = load(kitti[0], Options())
    assert task.expert is not None and task.expert.progress_m > 10.0 and task.scenario.map is None
