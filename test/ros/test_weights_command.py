"""`behaviors weights fit`, and the profiles as parameters of the scoring node."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
import yaml

from behaviors_ros import pipeline
from behaviors_ros.datatypes import Degraded, EgoState, Goal, Scene, Scores, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.maps.route import mapless_route
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros.cli import main, weights
from behaviors_ros.ros.declare import plugin
from behaviors_ros.simulation.recordings.experts import Expert

PROFILES = Path(__file__).resolve().parents[2] / "config" / "profiles"
NODE = "/behaviors/trajectory_scoring"
START_NS = 10**9


def expert(number: int, speed: float) -> Expert:
    """A driver who on a straight road of 10 m/s goes on at its speed."""
    ego = EgoState(START_NS, np.array([50.0, 0.0]), 0.0, speed)
    line = np.stack([np.arange(0.0, 400.0), np.zeros(400)], axis=1)
    route = mapless_route(line, ego, Goal(line[-1]), 10.0, 1.75)
    scene = Scene(START_NS, ego, Tracks.empty(START_NS), route, degraded=Degraded.NO_MAP)
    future = np.stack([50.0 + speed * 0.1 * np.arange(61), np.zeros(61)], axis=1)
    return Expert(f"driver {number}", Vehicle(), scene, future)


def test_drives_become_a_profile_that_builds(tmp_path, monkeypatch):
    made = [expert(k, 5.0 + 0.3 * k) for k in range(8)]
    monkeypatch.setattr(weights, "experts", lambda paths, most: iter(made))
    out, figures = tmp_path / "mine.yaml", tmp_path / "figures.json"
    arguments = ["--drives", "x.xml", "--out", str(out), "--bootstrap", "2", "--json", str(figures), "--prior", "1"]
    with pytest.raises(SystemExit) as end:
        main(["weights", "fit", *arguments])
    assert end.value.code == 0
    found = json.loads(figures.read_text())
    assert found["scorers"] == list(pipeline.SCORERS) and found["after"]["choices"] == 2
    # They do not speed up to the limit as the defaults would: progress is worth less than before.
    progress = found["scorers"].index("progress")
    assert found["weight"][progress] < found["prior"][progress]
    tree = yaml.safe_load(out.read_text())[NODE]["ros__parameters"]
    built = {scorer.name: scorer.p.weight for scorer in pipeline.build(tree).scorers}
    assert list(built.values()) == pytest.approx(found["weight"], abs=1e-3)
    # The profile is what the next fit can begin with.
    assert weights.weights_of(weights.parameters_of(out))[1] == pytest.approx(found["weight"], abs=1e-3)


def table(names) -> Scores:
    score = np.linspace(0.0, 1.0, 3 * len(names)).reshape(3, len(names))
    admitted = np.ones((3, 1), dtype=bool)
    return Scores(("g",), admitted, np.zeros((3, 1)), np.zeros(1), names, score, score, np.ones(2), np.zeros(3))


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_preferences_of_a_run(tmp_path, monkeypatch, kind):
    asked = []

    def explain(run, name, time_s):
        asked.append((run, name, time_s))
        return SimpleNamespace(cycle=SimpleNamespace(plan=SimpleNamespace(scores=table(("a", "b")))))

    monkeypatch.setattr(weights, "read", lambda path: path.name)
    monkeypatch.setattr(weights, "explain", explain)
    rows = [
        {"run": "runs/1", "scenario": "left", "time_s": 2.0, "preferred": p, "other": o} for p, o in ((2, 0), (1, 2))
    ]
    file = tmp_path / f"pairs.{kind}"
    lines = [",".join(weights.COLUMNS), *(",".join(str(leaf) for leaf in row.values()) for row in rows)]
    file.write_text("\n".join(lines) if kind == "csv" else json.dumps(rows))
    found = weights.preferences_of(file, ("a", "b"))
    assert asked == [("1", "left", 2.0)]  # driven again once for both
    assert np.array_equal(found[0].score, table(("a", "b")).score[[2, 0]]) and found[0].chosen == 0
    assert np.array_equal(found[1].score, table(("a", "b")).score[[1, 2]])
    with pytest.raises(InputError, match="other scorers"):
        weights.preferences_of(file, ("a", "c"))


def test_what_cannot_be_used_is_said(tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text("run,scenario,time_s,preferred,other\nr,s,soon,1,2\n")
    with pytest.raises(InputError, match="is no preference"):
        weights.preferences_of(file, ("a",))
    with pytest.raises(InputError, match="does not exist"):
        weights.recordings_of(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is not a mapping"):
        weights.parameters_of(file)


def test_a_real_recording_gives_choices(shared_data):
    file = shared_data / "commonroad_ngsim" / "US101" / "USA_US101-3_1_T-1.xml.gz"
    found, _ = weights.gathered([file], {}, 4)
    assert 0 < len(found) <= 4
    for choice in found:
        assert choice.score.shape[1] == len(pipeline.SCORERS)
        assert choice.away_m[choice.chosen] == choice.away_m.min() <= 2.0


@pytest.mark.parametrize("name", ["comfort", "balanced", "assertive"])
def test_a_profile_is_a_parameter_file_of_the_node(name):
    file = PROFILES / f"{name}.yaml"
    given = yaml.safe_load(file.read_text())[NODE]["ros__parameters"]
    rclpy.init()
    try:
        arguments = ["--ros-args", "--params-file", str(file)]
        node = rclpy.create_node("trajectory_scoring", namespace="/behaviors", cli_args=arguments)
        for scorer, values in given.items():
            if isinstance(values, dict):
                made = plugin(node, "scorer", scorer, Vehicle())
                assert {key: getattr(made.p, key) for key in values} == values
        node.destroy_node()
    finally:
        rclpy.shutdown()
