"""Golden scenes: one for each decision, with its score table and its reason; a scene is a JSON file beside this one.

Candidates are given by hand, so that what generators offer changes nothing; the gate `kinematic` is left out, for
their acceleration begins at once.

`pytest test/golden --update-golden` writes what is found into the files: look at the difference before committing it.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from behaviors_ros import pipeline
from behaviors_ros.datatypes import AgentClass, Decision, Manoeuvre, SignalColor, Signals, StopKind, StopPoint
from behaviors_ros.scoring.decision import decide
from behaviors_ros.scoring.explanation import in_words, why_not
from behaviors_ros.scoring.reason import meaning_of
from behaviors_ros.scoring.score import score
from behaviors_ros.scoring.select import select

FILES = sorted(Path(__file__).parent.glob("*.json"))
TOLERANCE = 2e-3


@pytest.fixture(scope="module")
def stages(bench):
    gates = [name for name in pipeline.GATES if name != "kinematic"]
    return pipeline.build({"vehicle": bench.vehicle.model_dump(), "gates": gates})


def scene_of(bench, told):
    """The scene of a file. Distances are along a straight road from its begin, lanes are 3.5 m wide."""
    ego, road = told["ego"], told.get("road", {})
    stops = [
        StopPoint(
            StopKind[s["kind"].upper()], s["id"], float(s["s"]), float(s["clear_s"]), tuple(s.get("signals", ()))
        )
        for s in road.get("stops", ())
    ]  # fmt: skip
    route = bench.route(stops, road.get("limit", 10.0), road.get("goal_s", 300.0), road.get("left_same", 1.75))
    if "right_same" in road:
        right = np.full_like(route.s, road["right_same"])
        route = replace(route, right_same=right, right_drivable=right)
    scene = bench.scene(ego["s"], ego["speed"], ego.get("d", 0.0), route)
    lights = told.get("signals", {})
    colors = np.array([int(SignalColor[color]) for color in lights.values()], dtype=np.int64)
    signals = Signals(scene.stamp_ns, tuple(map(int, lights)), colors, np.full(len(colors), np.nan)) if lights else None
    return replace(scene, signals=signals, previous=previous_of(bench, told.get("previous")))


def previous_of(bench, told):
    """The previous plan, 0.1 s old."""
    if told is None:
        return None
    plan = bench.plan(bench.drive(**told["drive"]))
    agents = {name: tuple(f"{i:032x}" for i in told.get(name, ())) for name in ("before", "behind")}
    subject = told.get("subject", "")
    subject = f"{subject:032x}" if isinstance(subject, int) else subject
    since_ns = plan.stamp_ns + 10**8 - round(told["age_s"] * 1e9)
    return replace(plan, decision=Decision(Manoeuvre[told["manoeuvre"]], subject, since_ns, **agents))


def drive_of(bench, d_end=None, **motion):
    """As `bench.drive`, but the offset changes along the way and not over time."""
    s, d, speed, acceleration = bench.drive(**motion)
    part = (s - s[0]) / max(s[-1] - s[0], 1e-9)
    return s, d + ((d[0] if d_end is None else d_end) - d[0]) * part**2 * (3.0 - 2.0 * part), speed, acceleration


def inputs_of(bench, told):
    """Scene, predictions and candidates of a file."""
    agents = [
        bench.Agent((a["s"], a["d"]), a.get("speed", 0.0), np.radians(a.get("heading_deg", 0.0)),
                    AgentClass[a.get("kind", "CAR")], a.get("deviation_m", 0.2))
        for a in told.get("agents", ())
    ]  # fmt: skip
    ego, rows = told["ego"], told["candidates"]
    start = {"speed": ego["speed"], "s": ego["s"], "d": ego.get("d", 0.0)}
    drives = [drive_of(bench, **(start | c.get("drive", {}))) for c in rows]
    generators = [c.get("generator", "lattice") for c in rows]
    candidates = bench.candidates(*drives, generators=generators, labels=[c["label"] for c in rows])
    return scene_of(bench, told), bench.predictions(*agents), candidates


def found(bench, stages, told):
    """What is decided, as it stands in a file."""
    scene, predictions, candidates = inputs_of(bench, told)
    decisions = decide(scene, predictions, candidates, bench.vehicle, stages.selection.meaning)
    scores = score(scene, predictions, candidates, stages.gates, stages.scorers)
    plan = select(scene, candidates, scores, decisions, stages.selection, bench.vehicle, 1)
    reasons = why_not(candidates, scores, plan.index, plan.outcome)
    rows = [
        {
            "label": candidates.label[i], "means": meaning_of(decisions, i), "total": round(float(scores.total[i]), 3),
            "lost": in_words(scores, reasons, i, plan.index),
            "scores": {n: round(float(s), 3) for n, s in zip(scores.scorers, scores.score[i], strict=True)},
        }
        for i in range(len(candidates))
    ]  # fmt: skip
    return {
        "manoeuvre": plan.decision.manoeuvre.name, "outcome": plan.outcome.name, "selected": plan.label,
        "reason": plan.reason, "table": rows,
    }  # fmt: skip


def same(ours, theirs, where=""):
    """Equal, numbers within a tolerance, also those in words."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            same(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), where
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            same(one, other, f"{where}[{index}]")
    elif isinstance(theirs, str):
        number = r"\d+\.\d+"
        assert re.split(number, ours) == re.split(number, theirs), where
        same([float(x) for x in re.findall(number, ours)], [float(x) for x in re.findall(number, theirs)], where)
    else:
        assert ours == pytest.approx(theirs, abs=TOLERANCE), where


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_golden_scene(bench, stages, file, update):
    told = json.loads(file.read_text())
    decided = found(bench, stages, told)
    if update:
        file.write_text(json.dumps(told | {"expected": decided}, indent=1) + "\n")
    else:
        same(decided, told["expected"])


def test_every_decision_has_a_golden_scene():
    told = {json.loads(file.read_text())["expected"]["manoeuvre"] for file in FILES}
    assert told == {manoeuvre.name for manoeuvre in Manoeuvre}
