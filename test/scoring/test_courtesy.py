"""The braking that others need because of a candidate, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass


def moves_over(bench, speed=10.0, at_s=1.0, offset=3.5):
    """Along the lane at 50 m and `speed`, and from `at_s` on `offset` m to the left, all at once."""
    s, _, along, acceleration = bench.drive(speed)
    d = np.where(bench.time_s >= at_s - 1e-9, offset, 0.0)
    made = bench.candidates((s, d, along, acceleration), bench.drive(speed))
    return replace(made, yaw=np.zeros_like(made.yaw))


def both(bench, *agents, **scene):
    candidates, predictions = moves_over(bench), bench.predictions(*agents)
    verdict = bench.gate("imposed_braking").check(bench.scene(**scene), predictions, candidates)
    terms = bench.scorer("courtesy").score(bench.scene(**scene), predictions, candidates)
    return verdict, terms


def test_a_follower_in_the_other_lane_brakes_for_who_moves_in_front(bench):
    # Rear bumper at 1 s: 50 + 10 - 0.9 = 59.1. The follower: centre 30 + 15 t, front bumper 47.25 at 1 s: 11.85 m.
    # tau seconds later 11.85 - 5 tau; 2 m are kept, 0.8 s pass before it brakes: b = 2 (5 tau - 9.85) / (tau - 0.8)^2,
    # largest at tau = 3.14, on the grid at 3.1: 2 x 5.65 / 2.3^2 = 2.1361.
    verdict, terms = both(bench, bench.Agent((30.0, 3.5), 15.0))
    assert verdict.value == pytest.approx([2.1361, 0.0], abs=1e-4) and verdict.passed.all()
    # Score: 1 - 2.1361 / 3.
    assert terms.raw[0] == pytest.approx(2.1361, abs=1e-4)
    assert terms.score == pytest.approx([0.2880, 1.0], abs=1e-4)


def test_a_fast_follower_forbids_it(bench):
    # 17 m/s from 28 m: 59.1 - 28 - 17 - 2.25 = 11.85 m again, closing at 7: b = 2 (7 tau - 9.85) / (tau - 0.8)^2,
    # largest where 7 (tau - 0.8) = 2 (7 tau - 9.85), tau = 2.014, at 2.0: 2 x 4.15 / 1.2^2 = 5.7639.
    verdict, terms = both(bench, bench.Agent((28.0, 3.5), 17.0))
    assert verdict.value[0] == pytest.approx(5.7639, abs=1e-4) and not verdict.passed[0] and verdict.passed[1]
    assert terms.score[0] == 0.0


def test_a_slower_one_or_one_far_behind_need_not_brake(bench):
    for agent in (bench.Agent((30.0, 3.5), 9.0), bench.Agent((-40.0, 3.5), 15.0)):
        verdict, terms = both(bench, agent)
        assert verdict.value == pytest.approx([0.0, 0.0]) and terms.score == pytest.approx([1.0, 1.0])


def test_who_follows_in_the_own_lane_is_not_imposed_upon(bench):
    verdict, terms = both(bench, bench.Agent((30.0, 0.0), 15.0))
    assert verdict.value[1] == 0.0 and terms.score[1] == 1.0


def test_an_oncoming_agent_brakes_too(bench):
    # Oncoming at 10 m/s, 140 m at 0 s: at 1 s its front bumper is at 127.75, the ego's at 63.6: 64.15 m, closing at 20.
    # b = 2 (2 - 64.15 + 20 tau) / (tau - 0.8)^2: tau at most 5 s: largest there, 2 x 37.85 / 4.2^2 = 4.2914.
    verdict, _ = both(bench, bench.Agent((140.0, 3.5), 10.0, np.pi))
    assert verdict.value[0] == pytest.approx(4.2914, abs=1e-3)


def test_going_before_in_the_own_lane_is_scored_and_not_forbidden(bench):
    # A car that comes in from the right across the lane at 5 m/s: the ego, not moving aside, is in its way.
    crossing = bench.Agent((85.0, -15.0), 5.0, np.pi / 2, AgentClass.CAR)
    verdict, terms = both(bench, crossing)
    assert verdict.value[1] == 0.0
    # In its way (half length 2.25 + 0.925 wide) when the ego's front 53.6 + 10 t passes 85 - 0.9: 3.05 s, step 3.1.
    # Its front bumper is then 15 - 2.25 - 15.5 = -2.75 m past the lane's middle: beside it already: nothing is asked.
    assert terms.raw[1] == 0.0
    early = bench.Agent((75.0, -15.0), 5.0, np.pi / 2, AgentClass.CAR)
    # Front passes 75 - 0.9 at 2.05 s, step 2.1: 15 - 2.25 - 10.5 - 0.925 = 1.325 m to go. The rear end 49.1 + 10 t
    # leaves its way at 75.9: 2.68 s, last step 2.6: room 1.325 - 5 x 0.5 = -1.175, 0.5 s are less than the reaction.
    assert both(bench, early)[1].raw[1] == 10.0
