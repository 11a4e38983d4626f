"""The closed loop of the whole data path, short."""

import numpy as np
import pytest

from behaviors_ros import pipeline
from behaviors_ros.control.pure_pursuit import PurePursuit, PurePursuitParameters
from behaviors_ros.datatypes import Goal, Trajectory
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.arrival import Arrival, arrived
from behaviors_ros.simulation.rollout import RolloutParameters, rollout, state_at
from behaviors_ros.simulation.scenario import load_scenario

OURS = """
name: short
start: {position: [0, 0], speed_mps: 5.0}
goal: {position: [60, 0]}
duration_s: 1.0
agents:
  - {name: box, kind: hazard, behaviour: stationary, position: [40.0, 8.0]}
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    path = tmp_path_factory.mktemp("rollout") / "short.yaml"
    path.write_text(OURS)
    return load_scenario(path)


@pytest.fixture(scope="module")
def stages():
    return pipeline.build({})


def controller():
    return PurePursuit(PurePursuitParameters(), Vehicle())


def test_log_of_a_short_drive(scenario, stages):
    seen = []
    log = rollout(
        scenario, stages, controller(), keep_cycles=True, progress=lambda world, plan: seen.append(plan.plan_id)
    )
    assert seen == list(range(1, 11)) and len(log.plans) == 10 and len(log.ego) == 11 and len(log.tracks) == 11
    assert log.duration_s == pytest.approx(1.0) and not log.arrived
    assert np.diff([ego.stamp_ns for ego in log.ego]).tolist() == [100_000_000] * 10
    # 5 m/s for 1 s, whatever it speeds up or slows down meanwhile.
    assert 2.5 < log.ego[-1].position[0] < 6.5
    first = log.cycles[0]
    assert first.scene.previous is None and log.cycles[1].scene.previous is log.plans[0]
    assert len(first.predictions) == 1 and len(first.candidates) > first.plan.index
    chosen = first.candidates.trajectory(first.plan.index)
    assert np.array_equal(chosen.position, first.plan.trajectory.position)


def test_cycles_are_those_of_the_pipeline(scenario, stages):
    log = rollout(scenario, stages, controller(), keep_cycles=True)
    for cycle in log.cycles[::3]:
        again = pipeline.plan(cycle.scene, stages, cycle.plan.plan_id)
        assert again.index == cycle.plan.index and again.label == cycle.plan.label
        assert np.array_equal(again.trajectory.position, cycle.plan.trajectory.position)


def test_perfect_tracking_puts_the_ego_on_its_trajectory(scenario, stages):
    log = rollout(scenario, stages, controller(), RolloutParameters(perfect_tracking=True))
    for plan, ego in zip(log.plans, log.ego[1:], strict=True):
        assert ego.position == pytest.approx(plan.trajectory.position[1], abs=1e-9)
        assert ego.speed == pytest.approx(plan.trajectory.speed[1])


def test_state_on_a_trajectory():
    time = np.array((0.0, 0.1, 0.2))
    position = np.stack((np.array((0.0, 1.0, 2.1)), np.zeros(3)), 1)
    yaw = np.array((3.1, np.pi, -3.1))
    found = state_at(
        Trajectory(0, time, position, yaw, np.array((10.0, 10.0, 12.0)), np.zeros(3), np.full(3, 0.1)),
        150_000_000,
        Vehicle(),
    )
    # Half way between the last two: x = 1.55, v = 11, yaw rate 11 * 0.1, steering atan(2.7 * 0.1).
    assert found.position == pytest.approx([1.55, 0.0]) and found.speed == pytest.approx(11.0)
    assert found.yaw_rate == pytest.approx(1.1) and found.steering == pytest.approx(np.arctan(0.27))
    assert abs(found.yaw) == pytest.approx(np.pi + 0.5 * (2 * np.pi - 3.1 - np.pi), abs=1e-6)


def test_arrival_ends_the_drive(scenario, stages):
    ego = scenario.start
    # The box centre is 1.35 m ahead of the rear axle.
    assert arrived(Goal(np.array((3.3, 0.0))), ego, 0.0, Vehicle(), Arrival())
    assert not arrived(Goal(np.array((3.4, 0.0))), ego, 0.0, Vehicle(), Arrival())
    assert not arrived(Goal(np.array((3.3, 0.0)), speed=(0.0, 1.0)), ego, 0.0, Vehicle(), Arrival())
