"""The commands `evaluate` and `compare` on short scenarios without a map."""

import json
from pathlib import Path

import pytest
import yaml

from behaviors_ros.ros.cli import main


def scenario(folder: Path, name: str, goal_x: float) -> None:
    form = {
        "name": name, "duration_s": 1.5, "start": {"position": [0.0, 0.0], "speed_mps": 8.0},
        "goal": {"position": [goal_x, 0.0]},
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(form))


def run(*arguments: object) -> int:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of two scenarios: one is solved, the other's goal is too far away; and a run of the first."""
    folder = tmp_path_factory.mktemp("evaluate")
    scenario(folder / "set", "far", 60.0)
    scenario(folder / "set", "near", 10.0)
    code = run(
        "evaluate", folder / "set", "--out", folder / "run", "--limit", 1, "--json", folder / "one.json", "--no-report"
    )
    assert code == 0
    return folder


def test_a_set_is_driven_and_told(place, capsys):
    found = json.loads((place / "one.json").read_text())
    assert (found["n"], found["success"], found["timeout"], found["no_plan"]) == (1, 0, 1, 0)
    assert found["plan_ms"]["p50"] > 0.0 and found["realtime_factor"] > 0.0
    assert (place / "run" / "summary.json").exists() and not (place / "run" / "report.html").exists()


def test_an_interrupted_run_goes_on(place):
    described = json.loads((place / "run" / "run.json").read_text())
    described["cases"].append({"name": "near", "source": str(place / "set" / "near.yaml")})
    (place / "run" / "run.json").write_text(json.dumps(described))
    before = (place / "run" / "rows.jsonl").read_text()
    assert run("evaluate", place / "set", "--out", place / "run", "--resume", "--json", place / "both.json") == 0
    assert (place / "run" / "rows.jsonl").read_text().startswith(before)
    found = json.loads((place / "both.json").read_text())
    assert (found["n"], found["success"]) == (2, 1) and (place / "run" / "report.html").stat().st_size > 20_000


def test_another_run_is_not_gone_on_with(place, capsys):
    assert run("evaluate", place / "set", "--out", place / "run", "--resume", "--predictor", "constant_velocity") == 2
    assert "another set or options" in capsys.readouterr().err
    assert run("evaluate", place / "set", "--out", place / "run") == 2
    assert "holds a run already" in capsys.readouterr().err


def test_a_cycle_is_explained(place, capsys):
    assert run("evaluate", "explain", place / "run", "far", "--time", "0.3", "--json", place / "why.json") == 0
    told = json.loads((place / "why.json").read_text())
    assert told["same"] and told["time_s"] == pytest.approx(0.3) and told["candidates"][0]["lost"] == ""
    out = capsys.readouterr().out
    assert "why it lost" in out and "wins" in out
    assert run("evaluate", "explain", place / "run", "nothing") == 2


def test_runs_are_compared(place, capsys):
    code = run(
        "evaluate", place / "set", "--out", place / "other", "--set", "generators=[minimal_risk_stop]", "--no-report"
    )
    assert code == 0
    assert run("compare", place / "run", place / "other", "--json", place / "diff.json") == 0
    found = json.loads((place / "diff.json").read_text())
    assert {d["name"] for d in found["differences"]} >= {"success", "score"}
    assert found["n"] == 2 and (place / "other" / "compare-run.html").exists()
    assert "2 in both" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("benchmark99",), "neither a file nor a known list"),
        (("{set}", "--set", "nonsense=1"), "nonsense"),
        (("{set}", "--predictor", "crystal_ball"), "crystal_ball"),
        (("{set}", "--traffic", "heavy"), "traffic"),
        (("{set}", "--planner", "missing.yaml"), "cannot be read"),
    ],
)
def test_wrong_use_is_one_line(place, tmp_path, capsys, arguments, words):
    given = [argument.format(set=place / "set") for argument in arguments]
    code = run("evaluate", *given, "--out", tmp_path / "run", "--data", place, "--no-report")
    told = capsys.readouterr()
    assert code == 2 and words in told.err and "Traceback" not in told.err and not (tmp_path / "run").exists()
