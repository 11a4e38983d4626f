"""The benchmark scripts outside of the package: they compile, the table counts right, the judge sees what happened."""

import ast
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SCRIPTS = [BENCHMARKS / "commonroad_judge.py", *sorted((BENCHMARKS / "peers").glob("*.py"))]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(name).stem, BENCHMARKS / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_compile_and_do_not_need_the_package(path: Path):
    tree = ast.parse(path.read_text())
    compile(tree, str(path), "exec")
    modules = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in modules if name.startswith("behaviors_ros")]


def row(ended: str = "time", error: str = "") -> dict:
    return {"name": "a", "ended": ended, "error": error, "no_plan": ended == "no plan", "plan_ms": [1.0, 3.0]}


def verdict(success=False, goal=False, hit_s=None, left_s=None) -> dict:
    return {
        "success": success, "goal_reached": goal, "collision": hit_s is not None, "collision_time_s": hit_s,
        "collision_class": "front" if hit_s is not None else None, "at_fault": hit_s is not None,
        "off_road": left_s is not None, "off_road_time_s": left_s,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ended", "found", "expected"),
    [
        ("goal", verdict(success=True, goal=True), "success"),
        ("goal", verdict(goal=True, hit_s=2.0), "collision"),
        ("time", verdict(hit_s=2.0, left_s=1.9), "off road"),
        ("time", verdict(hit_s=1.9, left_s=2.0), "collision"),
        ("time", verdict(), "timeout"),
        ("no plan", verdict(), "no plan"),
        ("cpu limit", None, "error"),
    ],
)
def test_what_came_first_is_the_outcome(ended, found, expected):
    assert script("peers/table.py").outcome(row(ended), found) == expected


def test_table_of_a_run(tmp_path: Path):
    rows = [row("goal") | {"name": "a"}, row("time") | {"name": "b"}, row("error", "ValueError: x") | {"name": "c"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in rows))
    verdicts = {"a": verdict(success=True, goal=True), "b": verdict(hit_s=1.0)}
    (tmp_path / "judge.json").write_text(json.dumps(verdicts))
    table = script("peers/table.py")
    found = table.totals(tmp_path)
    counts = [found[name] for name in ("n", "success", "collisions", "at_fault_collisions", "error", "cycles")]
    assert counts == [3, 1, 1, 1, 1, 6]
    assert found["plan_ms"]["p50"] == 2.0  # middle of 1, 1, 1, 3, 3, 3
    assert "| 1/3 (33.3 %) | 1 (1) | 0 | 0 | 0 | 1 | 2.0 / 3.0 |" in table.line(found)


def test_loop_keeps_states_and_errors_and_goes_on_where_it_was(tmp_path: Path, monkeypatch):
    loop = script("peers/closed_loop.py")
    for name in ("one", "two"):
        (tmp_path / f"{name}.xml").touch()
    runs = iter([
        {"position": [[0.0, 1.0]], "yaw": [0.5], "speed": [2.0], "steering": [0.0], "box": [4.5, 1.6, 0.0],
         "plan_ms": [1.0], "predict_ms": [], "ended": "goal", "error": ""},
        {"ended": "error", "error": "ValueError: no route"},
    ])  # fmt: skip
    monkeypatch.setattr(loop, "apart", lambda given, path: next(runs))
    command = ["closed_loop.py", "--peer", "fiss", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--only"]
    monkeypatch.setattr(sys, "argv", [*command, "one.xml"])
    loop.main()
    monkeypatch.setattr(sys, "argv", [*command, "one.xml", "two.xml"])
    loop.main()
    first, second = map(json.loads, (tmp_path / "run" / "rows.jsonl").read_text().splitlines())
    assert (first["name"], first["ended"], first["plan_ms"], "yaw" in first) == ("one", "goal", [1.0], False)
    assert (second["name"], second["error"], second["plan_ms"]) == ("two", "ValueError: no route", [])
    with np.load(tmp_path / "run" / "drives" / "one.npz") as states:
        assert states["position"].tolist() == [[0.0, 1.0]]
    assert not (tmp_path / "run" / "drives" / "two.npz").exists()


def test_error_of_a_driven_process_is_its_exception():
    raised = script("peers/closed_loop.py").raised
    text = 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no route\nnanobind: leaked: 3\n'
    assert raised(text) == "ValueError: no route"
    assert raised("killed") == "killed"
    assert raised("") == "no message"


@pytest.fixture(scope="module")
def street(tmp_path_factory) -> Path:
    """A street along x, 100 m long and 8 m wide, a car standing at x = 50 m, the goal at 60 to 90 m until step 50."""
    pytest.importorskip("commonroad_dc", reason="commonroad-drivability-checker is not installed")
    from commonroad.common.file_writer import CommonRoadFileWriter, OverwriteExistingFile
    from commonroad.common.util import Interval
    from commonroad.geometry.shape import Rectangle
    from commonroad.planning.goal import GoalRegion
    from commonroad.planning.planning_problem import PlanningProblem, PlanningProblemSet
    from commonroad.scenario.lanelet import Lanelet
    from commonroad.scenario.obstacle import ObstacleType, StaticObstacle
    from commonroad.scenario.scenario import Scenario, ScenarioID
    from commonroad.scenario.state import CustomState, InitialState

    x = np.linspace(0.0, 100.0, 21)
    left, middle, right = (np.column_stack([x, np.full(21, y)]) for y in (4.0, 0.0, -4.0))
    scenario = Scenario(0.1, ScenarioID.from_benchmark_id("ZAM_Street-1_1_T-1", "2020a"))
    start = {"time_step": 0, "orientation": 0.0, "velocity": 0.0, "yaw_rate": 0.0, "slip_angle": 0.0}
    state = InitialState(position=np.array([50.0, 0.0]), acceleration=0.0, **start)
    car = StaticObstacle(2, ObstacleType.PARKED_VEHICLE, Rectangle(4.0, 2.0), state)
    scenario.add_objects([Lanelet(left, middle, right, 1), car])
    goal = CustomState(time_step=Interval(0, 50), position=Rectangle(30.0, 8.0, np.array([75.0, 0.0]), 0.0))
    problem = PlanningProblem(3, InitialState(position=np.array([10.0, -2.5]), **start), GoalRegion([goal]))
    path = tmp_path_factory.mktemp("street") / "ZAM_Street-1_1_T-1.xml"
    writer = CommonRoadFileWriter(scenario, PlanningProblemSet([problem]), "", "", "", set())
    writer.write_to_file(str(path), OverwriteExistingFile.ALWAYS)
    return path


# A box of 4 x 2 m, 10 m/s: 1 m a step. The car takes x 48 to 52 and y -1 to 1.
@pytest.mark.parametrize(
    ("positions", "yaw", "speed", "expected"),
    [
        # Beside the car (gap 0.5 m) and on: the goal begins at x = 60, reached by step 50.
        ([(10.0 + k, -2.5) for k in range(53)], 0.0, 10.0, {"success": True, "goal_time_s": 5.0}),
        # Into its rear: the front, 2 m ahead of the centre, meets x = 48 when x passes 46, at step 37.
        ([(9.5 + k, 0.0) for k in range(53)], 0.0, 10.0, {"collision_class": "front", "collision_time_s": 3.7}),
        # Sideways to the left, its front 1 m ahead of the car's: the left side meets y = -1 when y passes -2.
        ([(51.0, -2.55 + 0.2 * k) for k in range(9)], 0.0, 2.0, {"collision_class": "lateral", "at_fault": True}),
        # Backing into it: the car is behind, so it is not at fault by the definition.
        ([(56.5 - k, 0.0) for k in range(9)], 0.0, -10.0, {"collision_class": "rear", "at_fault": False}),
        ([(53.5, 0.0)] * 3, 0.0, 0.0, {"collision_class": "ego_stopped", "at_fault": False}),
        # To the right: the right side meets the edge at y = -4 when y passes -3, at step 5 (y = -3.05).
        ([(10.0 + k, -2.55 - 0.1 * k) for k in range(20)], 0.0, 10.0, {"off_road": True, "off_road_time_s": 0.5}),
        ([(10.0, -2.5)] * 20, 0.0, 0.0, {"success": False, "goal_reached": False, "off_road": False}),
    ],
    ids=["goal", "front", "lateral", "rear", "ego stopped", "off road", "standing"],
)
def test_judge_on_states_made_by_hand(street: Path, tmp_path: Path, positions, yaw, speed, expected):
    count, drive = len(positions), tmp_path / "drive.npz"
    states = {"position": np.array(positions), "yaw": np.full(count, yaw), "speed": np.full(count, speed)}
    np.savez(drive, **states, box=np.array([4.0, 2.0, 0.0]))
    found = script("commonroad_judge.py").judged(street, drive)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("peer", ["fiss", "frenetix", "reactive"])
def test_a_peer_drives_round_the_standing_car_or_stays(street: Path, tmp_path: Path, monkeypatch, peer: str):
    for package in ("frenetix", "fiss_planner", "commonroad_rp"):
        pytest.importorskip(package, reason="make peers installs it")
    monkeypatch.syspath_prepend(str(BENCHMARKS / "peers"))
    loop = script("peers/closed_loop.py")
    run = loop.drive(peer, "ground_truth", street)
    steps = np.diff(run["position"], axis=0)
    assert np.hypot(*steps.T).max() < 2.5  # at most 25 m/s
    assert len(run["yaw"]) == len(run["speed"]) == len(run["steering"]) == len(run["position"])
    row = loop.keep(tmp_path / "drive.npz", run)
    assert row["plan_ms"] and row["ended"] in ("goal", "time", "no plan")
    found = script("commonroad_judge.py").judged(street, tmp_path / "drive.npz")
    assert not found["collision"] and not found["off_road"]
