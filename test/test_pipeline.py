"""The data path as one function, on hand-made mapless scenes with the default configuration."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros import pipeline
from behaviors_ros.datatypes import AgentClass, Degraded, EgoState, Goal, Manoeuvre, Outcome, Scene, Tracks
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.maps.route import mapless_route

STAMP_NS = 3_000_000_000


def tracks(*agents) -> Tracks:
    """Agents as (x, y, vx, kind)."""
    count = len(agents)
    x, y, vx, kind = (np.array(column, dtype=float) for column in zip(*agents, strict=True))
    return Tracks(
        stamp_ns=STAMP_NS, id=tuple(f"{i:032x}" for i in range(count)), kind=kind.astype(np.int64),
        position=np.stack([x, y], axis=1), yaw=np.zeros(count), velocity=np.stack([vx, 0.0 * vx], axis=1),
        acceleration=np.zeros((count, 2)), yaw_rate=np.zeros(count), length=np.full(count, 4.5),
        width=np.full(count, 1.8), covariance=np.tile(0.01 * np.eye(2), (count, 1, 1)), existence=np.ones(count),
    )  # fmt: skip


def road(speed=8.0, agents=()) -> Scene:
    """A straight road of 3.5 m width, limit 10 m/s, the ego at x = 50."""
    ego = EgoState(STAMP_NS, np.array([50.0, 0.0]), 0.0, speed)
    line = np.stack([np.arange(0.0, 400.0), np.zeros(400)], axis=1)
    route = mapless_route(line, ego, Goal(line[-1]), 10.0, 1.75)
    return Scene(STAMP_NS, ego, tracks(*agents) if agents else Tracks.empty(STAMP_NS), route, degraded=Degraded.NO_MAP)


@pytest.fixture(scope="module")
def stages() -> pipeline.Stages:
    return pipeline.build({})


def test_drives_on_an_empty_road(stages):
    plan = pipeline.plan(road(), stages, 7)
    assert plan.plan_id == 7 and plan.stamp_ns == STAMP_NS
    assert plan.outcome == Outcome.SELECTED and plan.scores.admissible[plan.index]
    assert 8.0 < plan.trajectory.speed[-1] <= 10.1
    assert abs(plan.stop.speed[-1]) < 0.05 and plan.scores.admissible[plan.stop_index]
    assert plan.degraded & Degraded.NO_MAP
    assert plan.decision.manoeuvre == Manoeuvre.KEEP_LANE and plan.reason.startswith("keep lane: ")
    assert plan.evaluated == len(plan.scores.total)


def test_stops_behind_a_stopped_car(stages):
    plan = pipeline.plan(road(8.0, [(85.0, 0.0, 0.0, AgentClass.CAR)]), stages, 1)
    # Bumper 3.6 m ahead of the axle, rear of the car at 82.75.
    assert plan.trajectory.position[:, 0].max() + 3.6 < 82.75
    assert plan.outcome in (Outcome.SELECTED, Outcome.KEPT)


def test_an_unavoidable_car_is_an_emergency_that_brakes(stages):
    plan = pipeline.plan(road(10.0, [(57.0, 0.0, 0.0, AgentClass.CAR)]), stages, 1)
    assert plan.outcome == Outcome.EMERGENCY
    assert plan.trajectory.acceleration.min() < -4.0 and abs(plan.trajectory.speed[-1]) < 0.05


def test_the_same_scene_gives_the_same_plan(stages):
    scene = road(8.0, [(90.0, 0.5, 3.0, AgentClass.BICYCLE), (70.0, 3.0, 0.5, AgentClass.PEDESTRIAN)])
    first, second = pipeline.plan(scene, stages, 1), pipeline.plan(scene, pipeline.build({}), 1)
    assert first.index == second.index and np.array_equal(first.scores.total, second.scores.total)
    assert np.array_equal(first.trajectory.position, second.trajectory.position)


def test_keeps_its_choice_in_the_next_cycle(stages):
    scene = road()
    first = pipeline.plan(scene, stages, 1)
    now = first.trajectory
    yaw, speed, acceleration = float(now.yaw[1]), float(now.speed[1]), float(now.acceleration[1])
    ego = EgoState(STAMP_NS + 10**8, now.position[1], yaw, speed, acceleration)
    again = replace(scene, stamp_ns=ego.stamp_ns, ego=ego, tracks=Tracks.empty(ego.stamp_ns), previous=first)
    second = pipeline.plan(again, stages, 2)
    assert np.abs(second.trajectory.speed[:-1] - now.speed[1:]).max() < 0.5


def test_configuration_names_what_is_wrong():
    with pytest.raises(InputError, match="speling"):
        pipeline.build({"speling": 1})
    with pytest.raises(InputError, match="free_s"):
        pipeline.build({"collision": {"free_s": -1.0}})
    with pytest.raises(BehaviorsError, match="nonsense.*known: .*comfort"):
        pipeline.build({"scorers": ["nonsense"]})


def test_defaults_are_a_configuration_that_builds():
    tree = pipeline.defaults()
    assert tree["collision"]["free_s"] == 3.0 and tree["grid"] == {"dt_s": 0.1, "steps": 61}
    built = pipeline.build(tree)
    assert [gate.name for gate in built.gates] == list(pipeline.GATES)
    assert [scorer.name for scorer in built.scorers] == list(pipeline.SCORERS)
    comfort = pipeline.SCORERS.index("comfort")
    assert pipeline.build({"comfort": {"weight": 7.0}}).scorers[comfort].p.weight == 7.0
