"""Scorers of the gap to who is beside: felt_clearance, lateral_safety."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.datatypes import AgentClass, StopKind, StopPoint
from behaviors_ros.scoring.beside import braked

PARKED = (80.0, -2.825)  # 1.0 m beside the ego's side at -0.925


def score(bench, name, *drives, agents=(), scene=None, **values):
    scene = scene or bench.scene()
    return bench.scorer(name, **values).score(scene, bench.predictions(*agents), bench.candidates(*drives)).score


def test_felt_clearance_of_a_parked_car(bench):
    # Wished at 15 m/s: 0.3 + 0.5 + 0.02 * 15 = 1.1 m; at 10 m/s 1.0 m. At a halt before a line no door opens: 0.6 m.
    drives = (bench.drive(15.0), bench.drive(10.0), bench.drive(0.0, s=77.0))
    parked = [bench.Agent(PARKED)]
    assert score(bench, "felt_clearance", *drives, agents=parked) == pytest.approx([1.0 / 1.1, 1.0, 1.0])
    line = bench.scene(route=bench.route([StopPoint(StopKind.SIGNAL, 1, 85.0, 95.0, signals=(1,))]))
    assert score(bench, "felt_clearance", bench.drive(15.0), agents=parked, scene=line)[0] == 1.0


def test_felt_clearance_of_oncoming_and_parallel_traffic(bench):
    # Side at 2.175 - 0.9: 0.35 m. Oncoming at 10 m/s: 0.3 + 0.02 * 20 = 0.7 m are wished; along at 10 m/s 0.3 m.
    oncoming, along = bench.Agent((120.0, 2.175), 10.0, np.pi), bench.Agent((55.0, 2.175), 10.0)
    assert score(bench, "felt_clearance", bench.drive(10.0), agents=[oncoming])[0] == pytest.approx(0.5)
    assert score(bench, "felt_clearance", bench.drive(10.0), agents=[along])[0] == 1.0
    # Who is ahead is not beside.
    assert score(bench, "felt_clearance", bench.drive(10.0), agents=[bench.Agent((62.0, 0.0), 10.0)])[0] == 1.0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(50.1, 110.0), st.floats(-4.0, 4.0), st.floats(0.0, 9.0), st.floats(-3.1, 3.1)),
                min_size=1, max_size=4))  # fmt: skip
def test_felt_clearance_agrees_with_every_pair(bench, told):
    """Second derivation: all pairs of boxes at all instants, nothing left out beforehand; nobody is behind the ego."""
    agents = [bench.Agent((x, y), speed, yaw) for x, y, speed, yaw in told]
    drives = [bench.drive(10.0, -1.0, d_end=end) for end in np.linspace(-1.5, 1.5, 12)]
    candidates = bench.candidates(*drives)
    found = score(bench, "felt_clearance", *drives, agents=agents, door_m=0.0)
    least = np.ones(12)
    for agent in agents:
        for step in range(5, 61, 3):
            yaw, t = candidates.yaw[:, step], bench.time_s[step]
            centre = candidates.position[:, step] + 1.35 * np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
            other = np.array(agent.position) + agent.speed * t * np.array([np.cos(agent.yaw), np.sin(agent.yaw)])
            dx, dy = (other - centre).T
            x, y = dx * np.cos(yaw) + dy * np.sin(yaw), dy * np.cos(yaw) - dx * np.sin(yaw)
            cos, sin = np.abs(np.cos(agent.yaw - yaw)), np.abs(np.sin(agent.yaw - yaw))
            gap = np.maximum(np.abs(y) - 0.925 - 2.25 * sin - 0.9 * cos, 0.0)
            speed = candidates.speed[:, step]
            wished = 0.3 + 0.02 * np.abs(speed - agent.speed * np.cos(agent.yaw - yaw))
            counts = (np.abs(x) <= 2.25 + 2.25 * cos + 0.9 * sin) & (speed > 0.05)
            least = np.where(counts, np.minimum(least, gap / wished), least)
    assert found == pytest.approx(least, abs=1e-9)


def test_lateral_safe_distance_of_parallel_traffic(bench):
    # Nobody moves across: the ego 0.1 / 2 * 0.5 + 0.1^2 / 3 = 0.02833, the car 0.025 + 0.01 / 1.6 = 0.03125, and 0.2
    # of margin: 0.25958 m. The car's side is at 1.925 - 0.9 = 1.025, 0.1 m from the ego's.
    beside = bench.Agent((51.35, 1.925), 10.0)
    found = score(bench, "lateral_safety", bench.drive(10.0), agents=[beside])
    assert found[0] == pytest.approx(0.1 / 0.2595833, rel=1e-4)
    assert score(bench, "lateral_safety", bench.drive(10.0), agents=[bench.Agent((51.35, 3.5), 10.0)])[0] == 1.0
    assert score(bench, "lateral_safety", bench.drive(0.0), agents=[bench.Agent((51.35, 1.925))])[0] == 1.0


def test_way_across_until_the_halt():
    # 0.5 m/s with 0.2 m/s2 for 0.5 s: 0.6 m/s; 0.55 * 0.5 = 0.275 m, then 0.36 / 3 = 0.12 m. Moving away at 1 m/s:
    # -0.95 * 0.5 m, no braking.
    assert braked(0.5, 0.5, 0.2, 1.5) == pytest.approx(0.395)
    assert braked(-1.0, 0.5, 0.2, 1.5) == pytest.approx(-0.475)


def test_lateral_distance_by_class_and_direction(bench):
    # A walker 1.0 m beside (from 0.925 + 1.0 + 0.3), coming at 1 m/s across: 1 and 1.5 m/s: 0.625 + 2.25 / 6 = 1.0;
    # with the ego's 0.02833 and margin 0.4: 1.42833 m. When it is passed, 0.5 s from now on, its side has come nearer.
    def walker(yaw, y=2.225):
        return bench.Agent((60.0, y), 1.0, yaw, AgentClass.PEDESTRIAN)

    values = {"start_s": 0.0, "horizon_s": 0.2, "interval_s": 2.0}
    ahead = bench.drive(10.0, s=58.0)
    found = score(bench, "lateral_safety", ahead, agents=[walker(-np.pi / 2)], **values)
    assert found[0] == pytest.approx(1.0 / 1.4283333, rel=1e-4)
    # Walking away: 0.4 + max(0, 0.02833 - 0.375) = 0.4 m.
    assert score(bench, "lateral_safety", ahead, agents=[walker(np.pi / 2)], **values)[0] == 1.0
    found = score(bench, "lateral_safety", ahead, agents=[walker(np.pi / 2, 1.425)], **values)
    assert found[0] == pytest.approx(0.2 / 0.4)


def test_an_ego_that_moves_across_needs_more(bench):
    # d from 0 to 1.5 in 6 s by a smooth step is fastest at 3 s: 0.375 m/s.
    beside = bench.Agent((51.35, 3.0), 10.0)
    straight, across = score(
        bench, "lateral_safety", bench.drive(10.0, d=0.75), bench.drive(10.0, d_end=1.5), agents=[beside],
        start_s=3.0, horizon_s=3.2, interval_s=2.0,
    )  # fmt: skip
    # Gap 3.0 - 0.75 - 0.925 - 0.9 = 0.425, a little less turned.
    assert straight == 1.0 and across < 0.95
