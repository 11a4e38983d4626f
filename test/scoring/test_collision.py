import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass


def first(bench, agents, drives, **scene):
    verdict = bench.gate("collision").check(bench.scene(**scene), bench.predictions(*agents), bench.candidates(*drives))
    return verdict.value, verdict.passed


def test_time_of_first_contact_with_a_stopped_car(bench):
    # Front bumper at 53.6 + 10 t, rear of the car at 80 - 2.25 = 77.75; nearer than 0.15 m from 10 t > 24.0: t = 2.5 s
    # (at t = 2.4 s the gap is 0.15 m, not below). Braking with 2.5 m/s2 stops after 20 m, bumper at 73.6.
    value, passed = first(bench, [bench.Agent((80.0, 0.0))], [bench.drive(10.0), bench.drive(10.0, -2.5)])
    assert value == pytest.approx([2.5, 5.0])
    assert passed.tolist() == [False, True]


def test_passing_beside_needs_the_margin(bench):
    # Half widths 0.925 + 0.9 = 1.825; the margin is 0.15: contact below 1.975 m of lateral offset.
    value, _ = first(bench, [bench.Agent((70.0, 1.96))], [bench.drive(10.0)])
    assert value[0] < 3.0
    value, passed = first(bench, [bench.Agent((70.0, 1.99))], [bench.drive(10.0)])
    assert value[0] == 5.0 and passed[0]


def test_the_box_is_ahead_of_the_rear_axle(bench):
    # Box of the standing ego: 49.1 to 53.6. A pedestrian (0.6 m) at 54.2 is 0.3 m ahead, one at 48.9 overlaps.
    ahead, behind = (bench.Agent((x, 0.0), yaw=np.pi, kind=AgentClass.PEDESTRIAN) for x in (54.2, 48.9))
    assert first(bench, [ahead], [bench.drive(0.2, -10.0)])[1][0]
    assert not first(bench, [behind], [bench.drive(0.2, -10.0)])[1][0]


def test_oncoming_car(bench):
    # Closing at 20 m/s: 104.0 - 2.25 - 53.6 = 48.15 m; nearer than 0.15 m after 2.4 s: at t = 2.5 s.
    value, passed = first(bench, [bench.Agent((104.0, 0.0), 10.0, np.pi)], [bench.drive(10.0)])
    assert value[0] == pytest.approx(2.5) and not passed[0]


def test_only_oncoming_agents_count_beyond_the_near_time(bench):
    # Oncoming at 20 m/s closing speed: 140 - 2.25 - 53.6 = 84.15 m, nearer than 0.15 m in the step at 4.3 s. Only who
    # is out of its own lane (1.75 m wide to the left; the ego's side at 0.9 + 0.925 = 1.825 m) must be gone by then.
    oncoming = bench.Agent((140.0, 0.0), 10.0, np.pi)
    drives = [bench.drive(10.0, d=0.9), bench.drive(10.0, d=0.8), bench.drive(10.0, -3.0, d=0.9)]
    value, passed = first(bench, [oncoming], drives)
    assert value[:2] == pytest.approx([4.3, 5.0]) and passed[:2].tolist() == [False, True]
    # A stopped car 41.15 m ahead would be met in the step at 4.2 s: it may still be braked for.
    value, passed = first(bench, [bench.Agent((97.0, 0.0))], [bench.drive(10.0, d=0.9)])
    assert value[0] == 5.0 and passed[0]


def test_out_of_the_lane_at_any_step_until_then_counts(bench):
    # On its way back into the lane: at 0.9 m now, at 0.9 (1 - 3 u^2 + 2 u^3) = 0.19 m after 4.2 s (u = 0.7). The gap is
    # 84.15 - 84.0 = 0.15 m then, and less than that at the corner of the ego's box, which is turned a little.
    value, _ = first(bench, [bench.Agent((140.0, 0.0), 10.0, np.pi)], [bench.drive(10.0, d=0.9, d_end=0.0)])
    assert value[0] == pytest.approx(4.2)


def test_improbable_modes_are_left_to_the_chance(bench):
    modes = ((0.9, 10.0, 0.0), (0.1, 0.0, 0.0))
    agent = bench.Agent((70.0, 0.0), modes=modes)
    assert first(bench, [agent], [bench.drive(10.0)])[1][0]
    agent = bench.Agent((70.0, 0.0), modes=((0.8, 10.0, 0.0), (0.2, 0.0, 0.0)))
    assert not first(bench, [agent], [bench.drive(10.0)])[1][0]


def test_the_likeliest_mode_always_counts(bench):
    modes = tuple((0.1, 0.0, 0.0) for _ in range(10))
    assert not first(bench, [bench.Agent((70.0, 0.0), modes=modes)], [bench.drive(10.0)])[1][0]


def test_being_hit_from_behind_in_the_own_lane_is_not_the_egos_fault(bench):
    # The follower at 20 m/s passes straight through the ego: contact from behind, and afterwards its box is ahead.
    assert first(bench, [bench.Agent((35.0, 0.0), 20.0)], [bench.drive(10.0), bench.drive(10.0, -3.0)])[1].all()


def test_cutting_in_front_of_a_follower_is_the_egos_fault(bench):
    # The follower drives in the left lane; the ego moves 3.5 m into it.
    agent = bench.Agent((40.0, 3.5), 15.0)
    drives = [bench.drive(10.0), bench.drive(10.0, d_end=3.5)]
    candidates = bench.candidates(*drives)
    verdict = bench.gate("collision", free_s=6.0).check(bench.scene(), bench.predictions(agent), candidates)
    assert verdict.passed.tolist() == [True, False]


def test_standing_ego_is_not_at_fault_but_one_that_starts_is(bench):
    # A car crosses the road through the place of the ego, at its box from t = 1 s on.
    agent = bench.Agent((51.0, -12.0), 10.0, np.pi / 2)
    value, passed = first(bench, [agent], [bench.drive(0.0), bench.drive(0.0, 0.2)], speed=0.0)
    assert passed.tolist() == [True, False]


def test_ghost_on_the_moving_ego_forbids_all_and_on_the_standing_ego_only_driving(bench):
    ghost = bench.Agent((52.0, 0.0))
    assert not first(bench, [ghost], [bench.drive(10.0), bench.drive(10.0, -8.0)])[1].any()
    assert first(bench, [ghost], [bench.drive(0.0), bench.drive(0.0, 1.0)], speed=0.0)[1].tolist() == [True, False]


def test_what_can_be_driven_over_does_not_count(bench):
    predictions = bench.predictions(bench.Agent((70.0, 0.0)))
    predictions.kind[:] = AgentClass.OVER_DRIVABLE
    assert bench.gate("collision").check(bench.scene(), predictions, bench.candidates(bench.drive())).passed.all()


@pytest.mark.parametrize("name", ["collision", "collision_chance"])
def test_an_agent_without_a_usable_future_forbids_all(bench, name):
    for spoil in ("valid", "position", "covariance"):
        predictions = bench.predictions(bench.Agent((200.0, 50.0)))
        getattr(predictions, spoil)[:] = False if spoil == "valid" else np.nan
        verdict = bench.gate(name).check(bench.scene(), predictions, bench.candidates(bench.drive()))
        assert not verdict.passed.any() and np.isnan(verdict.value).all()
