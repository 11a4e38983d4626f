import json
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation import bench_plan, bench_plot, bench_throughput
from behaviors_ros.simulation.scenario import DEMO, load_scenario


def row(agents, candidates, p50):
    return bench_plan.PlanCost(agents, candidates, candidates, p50, 2.0 * p50, 1.0, 1.0, 1.0, 16)


def test_a_plan_is_measured_with_as_many_candidates_as_asked(monkeypatch):
    monkeypatch.setattr(bench_plan, "PLACES_M", (120.0,))
    found = bench_plan.measure(3, 300, 1)
    assert found.agents == 3 and found.candidates >= 300 > found.scored > 0 and found.cycles == 2
    assert 0.0 < found.p50_ms <= found.p99_ms
    assert found.predict_ms + found.generate_ms + found.score_ms <= 1.01 * found.p99_ms


def test_more_than_can_be_made_is_refused(monkeypatch):
    monkeypatch.setattr(bench_plan, "_cycles", lambda *_: iter([(10, 10, 1.0, 0.1, 0.1, 0.1)]))
    with pytest.raises(InputError, match="never reached"):
        bench_plan.measure(0, 20, 1)


def test_agents_are_around_the_ego_and_the_same_each_time():
    scenario = load_scenario(DEMO)
    scenes = [bench_plan._scene(scenario, 120.0, 40, 3, step) for step in (0, 0, 1)]
    first, again, later = (scene.tracks for scene in scenes)
    away = np.hypot(*(first.position - scenes[0].ego.position).T)
    assert len(first) == 40 and (away > 8.0).all() and (away < 80.0).all()
    assert (first.position == again.position).all()
    # A tenth of a second later each is a tenth of its velocity farther.
    assert later.position == pytest.approx(first.position + 0.1 * first.velocity)
    assert len(bench_plan._scene(scenario, 120.0, 0, 3, 0).tracks) == 0


def test_the_picture_shows_every_row():
    rows = [row(0, 1000, 5.0), row(50, 1000, 10.0)]
    tree = ElementTree.fromstring(bench_plot.picture(rows, rows[1:]))
    circles = [element for element in tree.iter() if element.tag.endswith("circle")]
    assert len(circles) == 2 * (2 + 1)
    # p99 of 20 ms of the last row is at the top of the axis, which ends at 20: 270 - 220 = 50.
    assert min(float(circle.get("cy")) for circle in circles) == pytest.approx(50.0)


def test_throughput_beside_peers(tmp_path):
    (tmp_path / "throughput_quick.py").write_text(
        "import json\n"
        "for threads in (1, 2):\n"
        "    for cost, rate in (('none', 900), ('boxes', 100 * threads)):\n"
        "        print(json.dumps({'peer': 'quick', 'threads': threads, 'per_s': rate, 'obstacle_cost': cost}))\n"
    )
    (tmp_path / "throughput_broken.py").write_text("raise SystemExit('not installed')\n")
    found = bench_throughput.compared(1, tmp_path, sys.executable)
    one, two = found["threads"]
    assert one["ours_per_s"] > 0 and two["threads"] == 2
    assert (one["quick_per_s"], two["quick_per_s"]) == (100, 200)
    assert one["broken_per_s"] is None and found["reasons"] == {"broken": "not installed"}
    assert found["ours"][0]["feasible"] > 1000 and json.dumps(found)


def test_an_interpreter_that_is_not_there_is_a_reason(tmp_path):
    (tmp_path / "throughput_any.py").write_text("")
    assert "FileNotFoundError" in bench_throughput.peer_rows(tmp_path / "throughput_any.py", "/no/python", 5.0)[1]
