"""Comparisons of runs by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.compare import ComparisonRules, compare, interval
from behaviors_ros.evaluation.compare_report import write_compare_report
from behaviors_ros.evaluation.folder import Run
from behaviors_ros.evaluation.options import Options

RULES = ComparisonRules(resamples=2000)


def row(name, success=True, score=1.0, ttc=None, ms=(10.0,)):
    return {
        "name": name, "success": success, "score": score, "nuplan_score": score, "at_fault_collisions": 0,
        "collisions": [], "off_road": False, "timeout": not success, "terms": {"progress": score}, "min_ttc_s": ttc,
        "plan_ms": list(ms), "why": "" if success else "why not",
    }  # fmt: skip


def run(name, *rows):
    return Run(Path(name), "set", Options(), (), {}, rows)


def figure(found, name):
    return next(difference for difference in found.differences if difference.name == name)


def test_scenarios_are_paired_by_name():
    a = run("a", row("x", score=0.5), row("y", score=0.8), row("only a"))
    b = run("b", row("y", score=0.9), row("only b"), row("x", score=0.7))
    found = compare(a, b, RULES)
    assert found.n == 2 and found.only_a == ("only a",) and found.only_b == ("only b",)
    # (0.7 - 0.5 + 0.9 - 0.8) / 2 = 0.15; resampled means lie between 0.1 and 0.2, all above zero.
    score = figure(found, "score")
    assert (score.a, score.b, score.difference) == pytest.approx((0.65, 0.8, 0.15))
    assert (score.low, score.high) == pytest.approx((0.1, 0.2)) and score.better is True


def test_what_cannot_be_told_is_said():
    a = run("a", *(row(str(i), score=0.5) for i in range(10)))
    b = run("b", *(row(str(i), score=0.5 + 0.1 * (-1) ** i) for i in range(10)))
    score = figure(compare(a, b, RULES), "score")
    assert score.low < 0.0 < score.high and score.better is None


def test_less_is_better_where_it_is():
    a = run("a", row("x", ms=(10.0, 20.0, 30.0)), row("y", ms=(10.0,)))
    b = run("b", row("x", ms=(25.0,)), row("y", ms=(12.0,)))
    # Medians 20 and 10 against 25 and 12: +3.5 ms, never below +2.
    plan = figure(compare(a, b, RULES), "plan, median of a scenario")
    assert plan.difference == pytest.approx(3.5) and plan.better is False


def test_only_pairs_that_have_the_figure_count():
    a, b = run("a", row("x", ttc=1.0), row("y")), run("b", row("x", ttc=1.5), row("y", ttc=2.0))
    ttc = figure(compare(a, b, RULES), "least time to collision")
    assert ttc.count == 1 and ttc.difference == pytest.approx(0.5)
    assert not [d for d in compare(a, run("b", row("y")), RULES).differences if d.name == "least time to collision"]


def test_changes_are_sorted_by_how_grave_they_are():
    names = ("lost", "won", "lower", "higher", "same")
    a = run("a", *(row(n, success=n != "won", score=0.5) for n in names))
    scores = {"lost": 0.9, "won": 0.1, "lower": 0.3, "higher": 0.7, "same": 0.51}
    b = run("b", *(row(n, success=n != "lost", score=scores[n]) for n in names))
    found = compare(a, b, RULES)
    assert [change.name for change in found.worse] == ["lost", "lower"]
    assert [change.name for change in found.better] == ["won", "higher"] and found.equal == 1


def test_the_interval_is_seeded_and_covers_the_mean_of_a_normal_sample():
    sample = np.random.default_rng(1).normal(0.3, 1.0, 400)
    low, high = interval(sample, ComparisonRules())
    # Standard error 1 / sqrt(400) = 0.05: the interval is about mean -+ 0.098.
    assert (low, high) == interval(sample, ComparisonRules())
    assert low == pytest.approx(sample.mean() - 0.098, abs=0.015) and high == pytest.approx(
        sample.mean() + 0.098, abs=0.015
    )


def test_settings_that_differ_are_told():
    a, b = run("a", row("x")), run("b", row("x"))
    assert compare(a, b, RULES).settings == ()
    tree = {"progress": {"weight": 5.0, "other": 1}, "scorers": ["progress"]}
    other = {"progress": {"weight": 6.0, "other": 1}, "scorers": ["progress"]}
    a, b = replace(a, facts={"configuration": tree}), replace(b, facts={"configuration": other})
    b = replace(b, options=Options(predictor="constant_velocity"))
    assert compare(a, b, RULES).settings == (
        ("predictor", None, "constant_velocity"), ("progress.weight", 5.0, 6.0)
    )  # fmt: skip


def test_runs_without_a_common_scenario_are_refused():
    with pytest.raises(InputError, match="no scenario is also in"):
        compare(run("a", row("x")), run("b", row("y")), RULES)


def test_the_page_and_json(tmp_path):
    found = compare(run("a", row("x", score=0.5)), run("b", row("x", score=0.9)), RULES)
    page = write_compare_report(tmp_path / "page.html", found).read_text()
    assert "<title>a and b</title>" in page and "@DATA@" not in page and "http://" not in page
    assert found.json()["better"][0]["name"] == "x" and "pairs" not in found.json()
