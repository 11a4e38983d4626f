"""Scenes as arrays for predictors that are not ours, and their answers judged as one of ours."""

from dataclasses import replace

import numpy as np
import pytest
from made_data import made, wandering

from behaviors_ros.datatypes import Grid, Lane, LaneKind, LaneMap
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.prediction_rows import Judging, measured, rows_of
from behaviors_ros.learning.peer_cases import Answers, with_cases_written
from behaviors_ros.learning.prediction_test import cases_of
from behaviors_ros.learning.samples import Windows
from behaviors_ros.parameters import Vehicle
from behaviors_ros.registry import create

GRID = Grid(0.1, 11)
JUDGING = Judging(horizons_s=(1.0,), modes=(1,), bootstrap=0)


def recordings():
    return [made("one", wandering(1), wandering(2, 60)), made("two", wandering(3))]


@pytest.fixture
def folders(tmp_path):
    """Cases of two recordings, and answers: everybody goes on as in the last 0.1 s."""
    cases = list(with_cases_written(cases_of(recordings(), GRID, Windows()), tmp_path / "cases"))
    (tmp_path / "answers").mkdir()
    for path in sorted((tmp_path / "cases").glob("*.npz")):
        asked = np.load(path)
        step = asked["history"][:, -1] - asked["history"][:, -2]
        place = asked["history"][:, -1, None] + step[:, None] * np.arange(1, 51)[None, :, None]
        spread = np.tile(np.eye(2), (len(place), 50, 1, 1))
        cpu_ms = np.full(len(asked["stamp_ns"]), 7.0)
        np.savez(tmp_path / "answers" / path.name, position=place, covariance=spread, cpu_ms=cpu_ms)
    return tmp_path, cases


def test_answers_are_judged_like_a_predictor(folders):
    """Going on at the last step's velocity is constant velocity here: the same displacements, the peer's own time."""
    tmp_path, cases = folders
    peer = Answers("peer", tmp_path / "cases", tmp_path / "answers")
    ours = create("predictor", "constant_velocity", {}, Vehicle())
    found = measured({"constant_velocity": ours, "peer": peer}, cases, GRID, JUDGING)
    peer.timed(found["peer"])
    rows = {row["predictor"]: row for row in rows_of(found, JUDGING) if row["class"] == row["moving"] == "all"}
    assert rows["peer"]["n"] == rows["constant_velocity"]["n"] > 10 and rows["peer"]["cpu_ms"] == 7.0
    assert rows["peer"]["minfde"] == pytest.approx(rows["constant_velocity"]["minfde"], abs=1e-6)


def test_what_is_written(folders):
    tmp_path, cases = folders
    file = np.load(tmp_path / "cases" / "00001.npz")
    scene = next(case.sample.scene for case in cases if case.recording.endswith("two"))
    assert file["first"].tolist()[:2] == [0, 1] and str(file["id"][0]) == scene.tracks.id[0]
    assert np.array_equal(file["history"][0, -1], scene.tracks.position[0])
    assert np.isnan(file["history"][0, :20]).all() and np.isfinite(file["history"][0, 20:]).all()
    assert len(file["beside"]) == 0


def test_lanes_of_the_map(tmp_path):
    line = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]])
    lanes = {k: Lane(k, LaneKind.ROAD, line, line + (0, 1.75), line - (0, 1.75), left=2 if k == 1 else None)
             for k in (1, 2)}  # fmt: skip
    (one, _) = recordings()
    recording = replace(one, lane_map=LaneMap("two lanes", lanes))
    list(with_cases_written(cases_of([recording], GRID, Windows()), tmp_path))
    file = np.load(tmp_path / "00000.npz")
    assert file["left_first"].tolist() == [0, 3, 6] and file["beside"].tolist() == [[True, False], [False, False]]
    assert np.allclose(file["right"][:3, 1], -1.75)


def test_agents_without_an_answer_do_not_count(folders):
    tmp_path, cases = folders
    path = tmp_path / "answers" / "00001.npz"
    given = dict(np.load(path))
    given["position"][:] = np.nan
    np.savez(path, **given)
    peer = Answers("peer", tmp_path / "cases", tmp_path / "answers")
    rows = rows_of(measured({"peer": peer}, cases, GRID, JUDGING), JUDGING)
    assert {row["recordings"] for row in rows} == {1}


def test_cases_are_written_to_an_empty_folder(folders):
    tmp_path, cases = folders
    with pytest.raises(InputError, match="not empty"):
        list(with_cases_written(iter(cases), tmp_path / "cases"))


def test_bad_answers(folders):
    tmp_path, _ = folders
    path = tmp_path / "answers" / "00001.npz"
    given = dict(np.load(path))
    np.savez(path, **(given | {"position": given["position"][1:]}))
    with pytest.raises(InputError, match="rows"):
        Answers("peer", tmp_path / "cases", tmp_path / "answers")
    np.savez(path, position=np.array([object()]), covariance=0, cpu_ms=0)
    with pytest.raises(InputError, match="cannot be used"):  # objects would be unpickled
        Answers("peer", tmp_path / "cases", tmp_path / "answers")
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match="00001.npz"):
        Answers("peer", tmp_path / "cases", tmp_path / "answers")
    with pytest.raises(InputError, match="write the cases"):
        Answers("peer", tmp_path / "nothing", tmp_path / "answers")
