"""Closed loop of the whole pipeline: the ego waits while it must, and never for longer."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros import pipeline
from behaviors_ros.datatypes import AgentClass, EgoState, Goal, Manoeuvre, Scene, Tracks
from behaviors_ros.maps.route import mapless_route
from behaviors_ros.prediction.history import updated
from behaviors_ros.simulation.rollout import state_at

CYCLE_S = 0.2
SIZES = {AgentClass.CAR: (4.5, 1.8), AgentClass.PEDESTRIAN: (0.6, 0.6)}


@pytest.fixture(scope="module")
def stages() -> pipeline.Stages:
    return pipeline.build({})


def tracks(stamp_ns, agents, t) -> Tracks:
    """Agents are (class, x, y, yaw, speed) as functions of the time."""
    rows = [agent(t) for agent in agents]
    if not rows:
        return Tracks.empty(stamp_ns)
    kind, x, y, yaw, speed = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    size, n = np.array([SIZES[row[0]] for row in rows]), len(rows)
    return Tracks(
        stamp_ns=stamp_ns, id=tuple(f"{i + 1:032x}" for i in range(n)), kind=kind.astype(np.int64),
        position=np.stack([x, y], axis=1), yaw=yaw, velocity=speed[:, None] * np.stack([np.cos(yaw), np.sin(yaw)], 1),
        acceleration=np.zeros((n, 2)), yaw_rate=np.zeros(n), length=size[:, 0], width=size[:, 1],
        covariance=np.tile(0.01 * np.eye(2), (n, 1, 1)), existence=np.ones(n),
    )  # fmt: skip


def drive(stages, agents, seconds, speed=8.0, wide=1.75):
    """Plans and ego states of a drive along +x from 50 m on a lane of 3.5 m; `wide`: drivable to the left, m."""
    ego, plans, states, history = EgoState(10**9, np.array([50.0, 0.0]), 0.0, speed), [], [], None
    line = np.stack([np.arange(0.0, 400.0), np.zeros(400)], axis=1)
    route = mapless_route(line, ego, Goal(line[-1]), 10.0, 1.75)
    route = replace(route, left_drivable=np.full_like(route.s, wide))
    for k in range(round(seconds / CYCLE_S)):
        seen = tracks(ego.stamp_ns, agents, k * CYCLE_S)
        history = updated(history, seen, 31)
        scene = Scene(ego.stamp_ns, ego, seen, route, history=history, previous=plans[-1] if plans else None)
        plans.append(pipeline.plan(scene, stages, k + 1))
        states.append(ego)
        ego = state_at(plans[-1].trajectory, ego.stamp_ns + round(CYCLE_S * 1e9), stages.vehicle)
    return plans, states


def changes(plans):
    """The manoeuvres in order, without repetitions."""
    found = [plan.decision.manoeuvre for plan in plans]
    return [m for before, m in zip([None, *found], found, strict=False) if m != before]


def test_yields_to_one_who_crosses_and_then_goes(stages):
    # In the way (|y| < 1.5) from 2.5 s to 5.5 s; at 8 m/s the ego would be there after 3.4 s.
    walker = lambda t: (AgentClass.PEDESTRIAN, 82.0, -4.0 + 1.0 * t, np.pi / 2, 1.0)  # noqa: E731
    plans, states = drive(stages, [walker], 16.0)
    assert Manoeuvre.YIELD in changes(plans)
    first, again = min(s.speed for s in states), states[-1].speed
    assert first < 5.0 and again > 7.0, (first, again)
    at_walker = next(k for k, s in enumerate(states) if s.position[0] + 3.6 > 81.7)
    assert at_walker * CYCLE_S > 4.8  # it is past the ego's side by then
    assert len(changes(plans)) <= 6


def test_starts_off_behind_one_who_stood(stages):
    # Stands at 80 m for 8 s, then drives off with 1 m/s2 up to 8 m/s.
    def lead(t):
        going = max(t - 8.0, 0.0)
        speed = min(going, 8.0)
        return AgentClass.CAR, 80.0 + (0.5 * going**2 if going < 8.0 else 32.0 + 8.0 * (going - 8.0)), 0.0, 0.0, speed

    plans, states = drive(stages, [lead], 20.0)
    assert min(s.speed for s in states) < 0.3
    assert states[-1].speed > 4.0
    assert len(changes(plans)) <= 8


def test_passes_one_who_is_parked_where_there_is_room(stages):
    plans, states = drive(stages, [lambda t: (AgentClass.CAR, 90.0, -0.4, 0.0, 0.0)], 24.0, wide=5.25)
    assert states[-1].position[0] > 110.0
    assert Manoeuvre.PASS_LEFT in changes(plans)


def test_waits_for_oncoming_traffic_and_then_passes(stages):
    # Cars come towards the ego in the other lane until the last one, which starts at 190 m, has gone by.
    oncoming = [lambda t, x=x: (AgentClass.CAR, x - 8.0 * t, 3.5, np.pi, 8.0) for x in (115.0, 135.0, 155.0, 190.0)]
    parked = lambda t: (AgentClass.CAR, 90.0, -0.4, 0.0, 0.0)  # noqa: E731
    plans, states = drive(stages, [parked, *oncoming], 36.0, wide=5.25)
    assert states[-1].position[0] > 105.0
    beside = [k for k, s in enumerate(states) if 84.0 < s.position[0] < 93.0]
    # The last one is at 95 m, past the ego's way out, after (190 - 95) / 8 = 11.9 s.
    assert beside[0] * CYCLE_S > 10.5
