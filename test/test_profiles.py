"""The profiles in config/profiles: each is a good configuration, and its comments are right."""

import re
from pathlib import Path

import pytest
import yaml

from behaviors_ros import pipeline
from behaviors_ros.learning.weights import delay_s

PROFILES = sorted((Path(__file__).resolve().parents[1] / "config" / "profiles").glob("*.yaml"))
NODE = "/behaviors/trajectory_scoring"


def tree(name: str) -> dict:
    path = next(path for path in PROFILES if path.stem == name)
    return yaml.safe_load(path.read_text())[NODE]["ros__parameters"]


def weights(name: str) -> dict[str, float]:
    return {scorer.name: scorer.p.weight for scorer in pipeline.build(tree(name)).scorers}


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_builds_and_gives_every_scorer_its_weight(path):
    given = tree(path.stem)
    built = {scorer.name: scorer for scorer in pipeline.build(given).scorers}
    named = {name: leaf for name, leaf in given.items() if isinstance(leaf, dict)}
    assert set(named) <= set(built)
    for name, values in named.items():
        assert {key: getattr(built[name].p, key) for key in values} == values, name


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_the_delays_beside_the_weights_are_right(path):
    progress = weights(path.stem)["progress"]
    rows = re.findall(r"weight: ([\d.]+)  # ([\d.]+) s$", path.read_text(), re.MULTILINE)
    assert len(rows) == path.read_text().count("weight: ") - 1
    for weight, delay in rows:
        assert float(delay) == pytest.approx(delay_s(0.1, float(weight), progress), abs=0.006)


def test_a_delay_by_hand():
    # 10 m/s for 6 s are 60 m; 1 s later 50 m: root(5 / 6) = 0.9129; 0.0871 of weight 7 is worth 0.61 of weight 1.
    assert delay_s(0.61, 1.0, 7.0) == pytest.approx(1.0, abs=2e-3)
    assert delay_s(1.0, 10.0, 7.0) == 6.0 and delay_s(0.0, 1.0, 7.0) == 0.0


def test_balanced_is_the_default_and_the_others_lean_to_their_sides():
    defaults = {scorer.name: scorer.p.weight for scorer in pipeline.build({}).scorers}
    assert weights("balanced") == defaults
    assert set(weights("comfort")) == {*defaults, "motion_sickness"} and set(weights("assertive")) == set(defaults)
    comfort, assertive = weights("comfort"), weights("assertive")
    assert comfort["comfort"] > defaults["comfort"] > assertive["comfort"]
    assert comfort["occlusion"] > defaults["occlusion"] > assertive["occlusion"] > 0.0
    assert assertive["progress"] > defaults["progress"] == comfort["progress"]
    for name in ("time_to_collision", "collision_risk"):
        assert comfort[name] == defaults[name] == assertive[name]


def test_the_page_tells_what_the_default_weights_are_worth():
    page = (PROFILES[0].parents[2] / "docs" / "weights.md").read_text()
    rows = re.findall(r"^\| (\w+) ([\d.]+) \|.*\| ([\d.]+) \| ([\d.]+) s \|$", page, re.MULTILINE)
    defaults = {scorer.name: scorer.p.weight for scorer in pipeline.build({}).scorers}
    assert len(rows) > 10
    for name, weight, loss, delay in rows:
        assert float(weight) == defaults[name], name
        assert float(delay) == pytest.approx(delay_s(float(loss), defaults[name], defaults["progress"]), rel=0.1), name
