"""The report page: its numbers from a cycle made by hand, and that it opens in a browser without the network."""

import base64
import gzip
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, replace

import made_drives as made
import numpy as np
import pytest

from behaviors_ros.datatypes import (
    Candidates,
    Degraded,
    EgoState,
    Outcome,
    Plan,
    Predictions,
    Scene,
    Scores,
    SignalColor,
    Signals,
)
from behaviors_ros.evaluation.report import ReportContent, page_data, write_report

STEPS = np.arange(11) * 0.5
EVERY_STEP = ReportContent(point_every=5)


@dataclass
class Cycle:
    scene: Scene
    predictions: Predictions
    candidates: Candidates
    plan: Plan


def candidates():
    """From (10.25, 2.5): on at 10 m/s; to a stop at 20 m; a copy of the first."""
    x = np.stack([10.25 + 10.0 * STEPS, 10.25 + np.minimum(8.0 * STEPS, 20.0), 10.25 + 10.0 * STEPS])
    speed = np.stack([np.full(11, 10.0), np.where(STEPS < 2.5, 8.0, 0.0), np.full(11, 10.0)])
    flat = np.zeros((3, 11))
    return Candidates(
        made_ns(0), STEPS, ("lattice", "minimal_risk_stop", "lattice"), ("keep lane", "stop <now>", "too fast"),
        np.array([False, True, False]), np.stack([x, np.full((3, 11), 2.5)], -1), flat, speed, flat, flat, x, flat,
    )  # fmt: skip


def made_ns(i):
    return 5_000_000_000 + i * 100_000_000


def scores():
    """The third breaks the collision gate by 0.3; totals 0.8, 0.4, 0."""
    return Scores(
        gates=("kinematic", "collision"), passed=np.array([[True, True], [True, True], [True, False]]),
        value=np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 0.30004]]), limit=np.array([1.0, 0.5]),
        scorers=("progress", "time_to_collision"), raw=np.array([[10.0, np.inf], [2.0, 3.0], [10.0, 0.1]]),
        score=np.array([[1.0, 0.6], [0.2, 0.6], [1.0, 0.0]]), weight=np.array([1.0, 1.0]),
        total=np.array([0.8, 0.4, 0.0]),
    )  # fmt: skip


def predictions(scene):
    """The car drives on along x, with a second mode that is not valid; sigma at the end 2 m along, 1 m across."""
    count = len(scene.tracks)
    position = np.full((count, 2, 11, 2), np.nan)
    covariance = np.full((count, 2, 11, 2, 2), np.nan)
    for row in range(count):
        position[row, 0] = scene.tracks.position[row] + np.stack([5.0 * STEPS, 0.0 * STEPS], -1)
        covariance[row, 0] = np.diag([4.0, 1.0])
    valid = np.tile([True, False], (count, 1))
    return Predictions(
        scene.stamp_ns, STEPS, scene.tracks.id, scene.tracks.kind, scene.tracks.length, scene.tracks.width, valid,
        np.where(valid, 1.0, 0.0), np.ones((count, 2), int), position, _steps(valid, 0.0), _steps(valid, 5.0),
        covariance,
    )  # fmt: skip


def _steps(valid, number):
    """The number at every step of the valid modes, NaN elsewhere."""
    return np.repeat(np.where(valid, number, np.nan)[..., None], len(STEPS), axis=-1)


def cycle(i=0, agents=(("0" * 30 + "4f", 30.25, 2.5, 0.0, 5.0), ("far", 400.0, 0.0, 0.0, 0.0))):
    """One cycle at 5 s + 0.1 s i, the vehicle at (10.25, 2.5) with 10 m/s."""
    ego = EgoState(made_ns(i), np.array([10.25, 2.5]), 0.25, 10.0, 0.5, 0.01, 0.125)
    signals = Signals(made_ns(i), (7,), np.array([int(SignalColor.RED)]), np.array([np.nan]))
    on = made.lane_map(stop_line=np.array([[50.0, -2.0], [50.0, 2.0]]), signals=(7,))
    scene = Scene(made_ns(i), ego, made.tracks(made_ns(i), *agents), made.route(), on, signals)
    offered = candidates()
    plan = Plan(
        made_ns(i), 40 + i, offered.trajectory(0), offered.trajectory(1), made_ns(i + 5), 0, 1, "lattice", "keep lane",
        Outcome.SELECTED, "ahead of 'stop' by 0.4", Degraded.NO_SIGNALS | Degraded.SLOW, scores(),
    )  # fmt: skip
    return Cycle(scene, predictions(scene), offered, plan)


def data(*cycles, content=EVERY_STEP):
    return page_data(cycles or [cycle()], made.VEHICLE, "a drive", {"collisions": 0}, content)


def test_the_frame_of_a_cycle():
    page = data(cycle(0), cycle(3))
    frame = page["frames"][0]
    # the origin is floor(10.25, 2.5) = (10, 2); positions are whole centimetres from there
    assert frame["ego"] == {"p": [25, 50], "yaw": 0.25, "v": 10.0, "a": 0.5, "w": 0.125, "d": 0.01}
    assert [f["t"] for f in page["frames"]] == [0.0, 0.3]
    assert (frame["id"], frame["index"], frame["count"], frame["admissible"]) == (40, 0, 3, 2)
    assert (frame["outcome"], frame["reason"]) == ("SELECTED", "ahead of 'stop' by 0.4")
    assert frame["degraded"] == "no signals, slow"
    assert frame["signals"] == {"7": int(SignalColor.RED)}
    # every second step of the plan: 0, 1, 2 s.. at 10 m/s from 0.25 m: 25, 1025, 2025 cm
    assert frame["plan"]["xy"][:6] == [25, 50, 1025, 50, 2025, 50]
    assert frame["plan"]["v"] == [10.0] * 6
    # every fifth step of the stop: 0, 2.5, 5 s: 0.25 m, 20.25 m, 20.25 m
    assert frame["stop"]["xy"] == [25, 50, 2025, 50, 2025, 50]


def test_agents_with_their_predictions():
    (agent,) = data()["frames"][0]["agents"]  # the other is farther than 120 m
    assert (agent["id"], agent["kind"], agent["p"], agent["v"]) == ("4f", 1, [2025, 50], 5.0)
    assert (agent["l"], agent["w"]) == (4.0, 2.0)
    (mode,) = agent["modes"]  # the mode that is not valid is left out
    # 5 m/s at 0, 2.5, 5 s: 0, 12.5, 25 m further
    assert mode["xy"] == [2025, 50, 3275, 50, 4525, 50]
    # covariance diag(4, 1): half axes 2 and 1 m, the longer along x (a direction, so 0 or pi)
    assert mode["e"][:2] == [2.0, 1.0]
    assert abs(np.sin(mode["e"][2])) < 1e-3
    assert mode["p"] == 1.0


def test_candidates_say_why_they_lost():
    rows = data()["frames"][0]["candidates"]
    assert [row["i"] for row in rows] == [0, 1, 2]  # the chosen, the stop, the forbidden
    assert [row["t"] for row in rows] == [0.8, 0.4, 0.0]
    assert [row["why"] for row in rows] == [[], [], [["collision", 0.3]]]
    assert rows[0]["s"] == [1.0, 0.6]
    assert rows[0]["r"] == [10.0, None]  # infinite time to collision has no number in JSON
    assert data()["scorers"] == ["progress", "time_to_collision"]


def test_the_list_of_candidates_is_thinned_but_keeps_the_chosen_and_the_stop():
    rows = data(content=ReportContent(candidates_max=1))["frames"][0]["candidates"]
    assert {0, 1} <= {row["i"] for row in rows} and len(rows) < 3


def test_only_the_nearest_agents_are_drawn():
    near = cycle(agents=[(f"{i:032x}", 20.0 + i, 2.5, 0.0, 1.0) for i in range(6)])
    agents = data(near, content=ReportContent(agents_max=2))["frames"][0]["agents"]
    assert [agent["p"][0] for agent in agents] == [1000, 1100]


def test_map_and_route():
    page = data()
    assert [lane["kind"] for lane in page["map"]["lanes"]] == [0, 0]
    # the lane's left bound begins at (-50, 2): -60 m, 0 m from the origin
    assert page["map"]["lanes"][0]["left"][:2] == [-6000, 0]
    assert page["map"]["stop_lines"] == [{"line": [4000, -400, 4000, 0], "signals": [7]}]
    assert page["route"][:2] == [-6000, -200]
    assert page["vehicle"] == {"length": 4.0, "width": 2.0, "centre": 1.0}


def test_without_map_signals_agents_and_scores():
    bare = cycle(agents=())
    bare.scene = replace(bare.scene, map=None, signals=None)
    bare.plan = replace(bare.plan, scores=None, degraded=Degraded.NONE)
    page = data(bare)
    frame = page["frames"][0]
    assert page["map"] == {"lanes": [], "crosswalks": [], "stop_lines": []}
    assert (frame["agents"], frame["signals"], frame["admissible"], frame["degraded"]) == ([], {}, 0, "")
    assert [row["i"] for row in frame["candidates"]] == [0]
    assert json.loads(json.dumps(page, allow_nan=False)) is not None


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(tmp_path):
    cycles = [cycle(i) for i in range(3)]
    return write_report(tmp_path / "new" / "report.html", cycles, made.VEHICLE, "left & <right>", {"collisions": 0})


def test_the_page_holds_its_data_and_needs_no_network(page):
    text = page.read_text()
    packed = re.search(r'<script id="data"[^>]*>([^<]*)</script>', text).group(1)
    inside = json.loads(gzip.decompress(base64.b64decode(packed)))
    assert inside["title"] == "left & <right>" and len(inside["frames"]) == 3
    assert "<title>left &amp; &lt;right&gt;</title>" in text
    assert "@TITLE@" not in text and "@DATA@" not in text
    without = text.replace(packed, "")
    assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]|\bsrc\s*=|<link|@import|url\(|fetch\(|XMLHttp", without)


def test_the_same_drive_gives_the_same_page(page, tmp_path):
    cycles = [cycle(i) for i in range(3)]
    again = write_report(tmp_path / "b.html", cycles, made.VEHICLE, "left & <right>", {"collisions": 0})
    assert again.read_bytes() == page.read_bytes()


@pytest.mark.parametrize("number", [0, 2])
def test_the_page_opens_in_a_browser(page, tmp_path, number):
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no chromium on this machine")
    opened = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000", "--dump-dom",
         f"file://{page}#frame={number}"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    dom = opened.stdout
    assert re.search(r"<body[^>]*data-ready=\"yes\"", dom), opened.stderr[-2000:]
    # the third frame is 0.2 s after the first, its plan is 42
    assert f"{0.1 * number:.1f} s  #{40 + number}" in dom
    assert "no signals, slow" in dom and "2 of 3 admissible" in dom and "36 km/h" in dom
    assert "stop &lt;now&gt;" in dom and "breaks collision (0.3 &lt; 0.5)" in dom and "time to collision" in dom
