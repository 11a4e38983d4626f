"""Runs as folders: driven, resumed, totalled, explained, reported, from short scenarios without a map."""

import json

import numpy as np
import pytest
from made_scenarios import parked, write

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation import folder, judgement
from behaviors_ros.evaluation.case import Stopwatch, driven, run_case
from behaviors_ros.evaluation.explain import explain, lines
from behaviors_ros.evaluation.options import GROUND_TRUTH, Options
from behaviors_ros.evaluation.run_report import PageContent, distributions, worst_cases, write_run_report
from behaviors_ros.evaluation.sets import Case, find, load
from behaviors_ros.evaluation.totals import totals
from behaviors_ros.evaluation.workers import evaluate_case, evaluated, mapped

pytestmark = pytest.mark.usefixtures("without_shape_checks")
OPTIONS = Options()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    """A run of three scenarios: solved, run into a wall, not a scenario."""
    place = tmp_path_factory.mktemp("run")
    write(place / "set", "easy")
    write(place / "set", "wall", goal_x=60.0, duration_s=1.5, agents=[parked(9.0)])
    (place / "set" / "broken.yaml").write_text("name: broken\n")
    cases = find(str(place / "set"), place)
    folder.begin(place / "run", "set", OPTIONS, cases, ["behaviors", "evaluate", "set"])
    for result in evaluated(cases, OPTIONS):
        folder.add(place / "run", result.row, result.arrays)
    return folder.read(place / "run")


def test_a_solved_scenario(made):
    row = made.row("easy")
    # 8 m/s, the goal's place at 12 m with 2 m of tolerance, the centre ahead of the axle: between 1 and 1.5 s.
    assert row["success"] and row["goal_reached"] and 1.0 <= row["goal_time_s"] <= 1.5 and row["why"] == ""
    assert row["cycles"] == len(row["plan_ms"]) == round(row["duration_s"] / 0.1) and row["score"] > 0.9
    assert 0.0 < sum(row["plan_ms"]) * 1e-3 <= row["cpu_s"]["drive"] + 1e-3


def test_a_collision_is_no_success_and_scores_zero(made):
    row = made.row("wall")
    # The wall's rear is at 9 - 2.25 m, the front at 3.6 m: 3.15 m at 8 m/s cannot be braked in.
    assert not row["success"] and row["at_fault_collisions"] == 1 and not row["timeout"] and row["score"] == 0.0
    assert row["collisions"][0]["kind"] == "track_stopped" and row["why"].startswith("ran into the standing car")


def test_an_error_is_a_row(made):
    row = made.row("broken")
    assert row["error"].startswith("InputError") and row["why"].startswith("ended by an error") and not row["no_plan"]
    assert "Traceback" in row["traceback"] and row["score"] == 0.0


def test_what_is_raised_while_planning_is_no_plan(tmp_path):
    def fails(scene, stages, plan_id):
        raise ZeroDivisionError("in a scorer")

    watch = Stopwatch(fails)
    with pytest.raises(ZeroDivisionError):
        driven(load(Case("easy", str(write(tmp_path, "easy"))), OPTIONS), OPTIONS, watch)
    assert watch.busy and watch.ms == []


def test_totals_count_scenarios(made):
    found = totals(made.rows)
    assert (found["n"], found["success"], found["collisions"], found["at_fault_collisions"]) == (3, 1, 1, 1)
    assert (found["timeout"], found["off_road"], found["errors"], found["no_plan"]) == (0, 0, 1, 0)
    assert found["score_mean"] == pytest.approx(made.row("easy")["score"] / 3, abs=1e-4)
    cpu = sum(row["cpu_s"]["drive"] + row["cpu_s"]["measure"] for row in made.rows)
    assert found["realtime_factor"] == pytest.approx(sum(row["duration_s"] for row in made.rows) / cpu, rel=1e-3)
    ms = np.concatenate([row["plan_ms"] for row in made.rows])
    assert found["plan_ms"]["p50"] == pytest.approx(np.median(ms), abs=1e-3)
    assert totals(())["n"] == 0 and totals(())["plan_ms"] == {"p50": None, "p99": None}


def test_the_promised_keys_are_there(made):
    counts = ("n", "success", "collisions", "at_fault_collisions", "off_road", "timeout", "no_plan")
    keys = (*counts, "score_mean", "plan_ms", "realtime_factor")
    assert list(totals(made.rows))[: len(keys)] == list(keys)


def test_arrays_hold_one_state_more_than_plans(made):
    found, row = made.arrays("easy"), made.row("easy")
    assert len(found["position"]) == len(found["plan_index"]) + 1 == row["cycles"] + 1
    assert found["box"].tolist() == [4.5, 1.85, 1.35] and np.diff(found["stamp_ns"]).tolist() == [10**8] * row["cycles"]


def test_the_same_options_give_the_same_drive(made):
    again = run_case(made.case("wall"), made.options)
    assert again.row["decision_hash"] == made.row("wall")["decision_hash"]


def test_a_run_folder_is_not_overwritten_and_can_be_read_when_cut_off(made, tmp_path):
    with pytest.raises(InputError, match="holds a run already"):
        folder.begin(made.path, "set", OPTIONS, made.cases, [])
    folder.begin(tmp_path, "set", OPTIONS, made.cases, [])
    assert folder.read(tmp_path).rows == ()
    (tmp_path / "rows.jsonl").write_text(json.dumps(made.row("easy")) + '\n{"name": "wa')
    assert [row["name"] for row in folder.read(tmp_path).rows] == ["easy"]
    folder.add(tmp_path, made.row("wall"), {})
    assert [row["name"] for row in folder.read(tmp_path).rows] == ["easy", "wall"]
    with pytest.raises(InputError, match="is no scenario of this run"):
        folder.read(tmp_path).row("other")
    with pytest.raises(InputError, match=r"run\.json"):
        folder.read(tmp_path / "nothing")


def test_a_run_says_what_it_was(made):
    assert made.options == OPTIONS and made.facts["machine"]["cores"] >= 1 and "numpy" in made.facts["versions"]


def test_a_cycle_is_explained(made):
    found = explain(made, "easy", 0.52)
    told = lines(found.cycle.candidates, found.cycle.plan)
    assert found.time_s == pytest.approx(0.5) and found.same
    assert len(told) == len(found.cycle.candidates) and told[0].index == found.cycle.plan.index and told[0].lost == ""
    assert all(line.lost for line in told[1:]) and {line.index for line in told} == set(range(len(told)))
    forbidden = [line for line in told if line.broken]
    assert all(line.total == 0.0 or line.broken for line in forbidden) and len(told[0].scores) == len(found.scorers)
    with pytest.raises(InputError, match="after the drive's end"):
        explain(made, "easy", 60.0)


def test_changed_decisions_are_told(made, tmp_path):
    folder.begin(tmp_path, "set", OPTIONS, made.cases, [])
    arrays = made.arrays("easy") | {"plan_label": np.full(len(made.arrays("easy")["plan_label"]), "something else")}
    folder.add(tmp_path, made.row("easy"), arrays)
    assert not explain(folder.read(tmp_path), "easy", 0.2).same


def test_the_page_holds_everything(made, tmp_path):
    page = write_run_report(tmp_path / "report.html", made, content=PageContent(playbacks=1)).read_text()
    assert page.count('class="playback"') == 1 and 'data-name="wall"' in page and "<title>set</title>" in page
    assert "http://" not in page and "https://" not in page and "@DATA@" not in page and "@PLAYER@" not in page


def test_the_worst_come_first_and_errors_are_not_played(made):
    assert [case.name for case in worst_cases(made, 8)] == ["wall", "easy"]


def test_histograms_count_every_scenario(made):
    score, plan_ms, ttc, progress = distributions(made.rows)
    assert sum(score["counts"]) == 3 and sum(progress["counts"]) == 2
    assert sum(plan_ms["counts"]) == sum(len(row["plan_ms"]) for row in made.rows)
    assert sum(ttc["counts"]) == 1 and ttc["note"].startswith("1 without")


def test_ground_truth_drives(tmp_path):
    walker = {"name": "walker", "kind": "pedestrian", "behaviour": "scripted", "waypoints": [[30.0, -4.0], [30.0, 6.0]],
              "speeds_mps": [2.0]}  # fmt: skip
    path = write(tmp_path, "walker", goal_x=40.0, duration_s=1.0, agents=[walker])
    row = run_case(Case("walker", str(path)), Options(predictor=GROUND_TRUTH)).row
    assert row["error"] == "" and row["cycles"] == 10


def test_settings_reach_the_planner(tmp_path):
    case = Case("easy", str(write(tmp_path, "easy", duration_s=0.5)))
    row = run_case(case, Options(configuration={"progress": {"weight": -1.0}})).row
    assert "progress" in row["error"] and "weight" in row["error"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_several_workers_give_the_same(made):
    pytest.importorskip("ray", reason="Ray is the extra 'scale'")
    cases = [case for case in made.cases if case.name != "wall"]
    rows = {result.row["name"]: result.row for result in mapped(evaluate_case, _lost, cases, OPTIONS, workers=2)}
    assert rows["easy"]["decision_hash"] == made.row("easy")["decision_hash"] and rows["broken"]["error"]


def _lost(case, error):
    raise AssertionError(f"{case}: {error}")


def test_verdicts_of_the_judge_get_into_rows_and_totals(made, tmp_path):
    folder.begin(tmp_path, "set", OPTIONS, made.cases, [])
    for row in made.rows:
        folder.add(tmp_path, row, {})
    verdict = {"success": False, "goal_reached": True, "collision": False, "at_fault": False, "off_road": True}
    (tmp_path / "judge.json").write_text(json.dumps({"easy": verdict}))
    judgement.take_verdicts(tmp_path)
    rows = folder.read(tmp_path).rows
    assert {row["name"]: row.get("judge") for row in rows} == {"easy": verdict, "wall": None, "broken": None}
    assert judgement.disagreements(rows) == ("easy",)
    assert totals(rows)["judge"] == {
        "n": 1, "success": 0, "goal_reached": 1, "collision": 0, "at_fault": 0, "off_road": 1
    }  # fmt: skip


def test_a_judge_that_cannot_run_is_one_line(made):
    with pytest.raises(InputError, match="cannot be run"):
        judgement.judge(made.path, made.path / "no-python")
