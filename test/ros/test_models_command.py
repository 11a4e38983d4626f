"""`behaviors models`: what is there, is it sound, is it better, and what it would have said."""

import json

import made_recordings as made
import pytest
from tiny_model import tiny_model

from behaviors_ros.evaluation import bench_predict
from behaviors_ros.ros.drive import write_drive


@pytest.fixture
def folder(tmp_path):
    """Two models; the second one's figures are better."""
    for seed, name in enumerate(("one", "two")):
        tiny_model(tmp_path / "models", name, seed=seed)
        figures = [
            {"predictor": name, "class": "all", "k": k, "horizon_s": horizon_s, "minfde": 2.0 - 0.1 * seed,
             "miss_rate": 0.1, "ece": 0.02, "coverage50": 0.5, "coverage90": 0.9}
            for k in (1, 6) for horizon_s in (3.0, 5.0)
        ]  # fmt: skip
        (tmp_path / "models" / f"{name}.metrics.json").write_text(json.dumps(figures))
    (tmp_path / "models" / "one.md").write_text("# The first model\n")
    return tmp_path / "models"


def run_folder(path, score):
    """A run of two scenarios with made-up figures."""
    path.mkdir()
    row = {
        "source": "made", "success": True, "goal_reached": True, "collisions": [], "at_fault_collisions": 0,
        "off_road": False, "timeout": False, "no_plan": False, "error": "", "why": "", "score": score,
        "nuplan_score": score, "terms": {}, "plan_ms": [1.0],
    }  # fmt: skip
    cases = [{"name": name, "source": "made"} for name in ("a", "b")]
    (path / "run.json").write_text(json.dumps({"set": "made", "options": {}, "cases": cases}))
    (path / "rows.jsonl").write_text("".join(json.dumps(row | {"name": case["name"]}) + "\n" for case in cases))
    return path


def test_list_show_verify(folder, tmp_path, capfd):
    figures = tmp_path / "figures.json"
    made.here(capfd, "models", "list", "--folder", folder, "--json", figures)
    assert [(row["name"], row["active"], row["problem"]) for row in json.loads(figures.read_text())] == [
        ("one", False, ""), ("two", False, "")]  # fmt: skip
    shown = made.here(capfd, "models", "show", "one", "--folder", folder, "--json", figures)
    assert "The first model" in shown.stdout
    assert json.loads(figures.read_text())["metrics"][0]["minfde"] == 2.0
    (folder / "two.onnx").write_bytes(b"swapped")
    result = made.here(capfd, "models", "verify", "--folder", folder, "--json", figures)
    assert result.returncode == 1
    problems = {row["name"]: row["problem"] for row in json.loads(figures.read_text())}
    assert not problems["one"] and "checksum" in problems["two"]
    made.refused(made.here(capfd, "models", "show", "two", "--folder", folder), "checksum")
    made.refused(made.here(capfd, "models", "show", "three", "--folder", folder), "known in")


def test_compare_and_promote(folder, tmp_path, capfd):
    figures, run_a, run_b = tmp_path / "c.json", run_folder(tmp_path / "a", 0.80), run_folder(tmp_path / "b", 0.81)
    runs = ("--run-a", run_a, "--run-b", run_b)
    assert made.here(capfd, "models", "promote", "one", "--folder", folder, "--first").returncode == 0
    made.refused(made.here(capfd, "models", "promote", "two", "--folder", folder, "--first"), "'one' is active")
    made.refused(made.here(capfd, "models", "promote", "two", "--folder", folder), "--comparison")
    # Open loop alone does not promote.
    made.here(capfd, "models", "compare", "one", "two", "--folder", folder, "--json", figures)
    promotion = ("models", "promote", "two", "--folder", folder, "--comparison", figures)
    made.refused(made.here(capfd, *promotion), "--closed SET")
    # A worse score: the gate says so.
    swapped = ("--run-a", run_b, "--run-b", run_a)
    result = made.here(capfd, "models", "compare", "one", "two", "--folder", folder, *swapped, "--json", figures)
    assert result.returncode == 1 and "NOT PASSED" in result.stdout
    made.refused(made.here(capfd, *promotion), "score no more than")
    # The other way round is another candidate.
    made.here(capfd, "models", "compare", "two", "one", "--folder", folder, *runs, "--json", figures)
    made.refused(made.here(capfd, *promotion), "not two with one")
    result = made.here(capfd, "models", "compare", "one", "two", "--folder", folder, *runs, "--json", figures)
    assert result.returncode == 0, result.stdout
    changed = json.loads(figures.read_text())
    (tmp_path / "old.json").write_text(json.dumps(changed | {"model_sha256": "0" * 64}))
    made.refused(made.here(capfd, *promotion[:-1], tmp_path / "old.json"), "model_sha256")
    assert made.here(capfd, *promotion).returncode == 0
    active = json.loads((folder / "active.json").read_text())
    assert (active["name"], active["before"]) == ("two", "one") and active["comparison"]["passed"]


def test_shadow_on_a_bag(folder, tmp_path, capfd):
    write_drive(made.recording(1.0), tmp_path / "drive")
    figures = tmp_path / "shadow.json"
    result = made.here(
        capfd, "models", "shadow", tmp_path / "drive", "--candidate", "two", "--active", "one", "--folder", folder,
        "--json", figures,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads(figures.read_text())
    # 1 s at 10 Hz: the scene of every tracks message.
    assert found["scenes"] == 11 and found["warnings"] == 0
    assert {row["class"] for row in found["rows"]} > {"all"}
    assert all(row["mean_m"] > 0.0 for row in found["rows"] if row["class"] == "car")


def test_closed_loop_drives_both(folder, tmp_path, capfd):
    figures = tmp_path / "c.json"
    result = made.here(
        capfd, "models", "compare", "class_aware", "two", "--folder", folder, "--closed", "generated", "--limit", "1",
        "--out", tmp_path / "runs", "--json", figures,
    )  # fmt: skip
    found = json.loads(figures.read_text())
    assert result.returncode == 1 and found["closed_loop"] and found["differences"]
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_the_benchmark_asks_the_model_for_all(folder, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(bench_predict, "PLACES_M", (120.0, 290.0))
    figures = tmp_path / "figures.json"
    made.here(capfd, "bench", "predict", "--agents", "0,70", "--repeats", "1", "--model", folder / "one.onnx",
              "--json", figures)  # fmt: skip
    rows = json.loads(figures.read_text())
    # More than the default of 64 agents, and all by the model.
    assert [(row["agents"], row["by_model"], row["calls"]) for row in rows] == [(0, 0, 2), (70, 70, 2)]
