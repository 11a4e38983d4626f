from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.datatypes import AgentClass, StopKind, StopPoint


def terms(bench, name, *drives, agents=(), scene=None, **values):
    scene = scene or bench.scene()
    return bench.scorer(name, **values).score(scene, bench.predictions(*agents), bench.candidates(*drives))


def test_progress_at_the_limit(bench):
    # At the limit already: 60 m in 6 s are possible; a quarter would score one half. Faster than possible scores 1.
    found = terms(bench, "progress", bench.drive(10.0), bench.drive(10.0, -2.0), bench.drive(12.0))
    assert found.raw == pytest.approx([60.0, 25.0, 72.0])
    assert found.score == pytest.approx([1.0, np.sqrt(25.0 / 60.0), 1.0])


def test_progress_from_standstill(bench):
    # 1.5 m/s2 for 6 s: 27 m are possible; with 1 m/s2 18 m.
    found = terms(bench, "progress", bench.drive(0.0, 1.0), bench.drive(0.0))
    assert found.score == pytest.approx(np.sqrt([18.0 / 27.0, 0.1 / 27.0]))


def test_progress_ends_at_the_goal(bench):
    halt = (StopPoint(StopKind.GOAL, 0, 70.0, 400.0),)
    scene = bench.scene(route=bench.route(stops=halt, goal_s=70.0))
    found = terms(bench, "progress", bench.drive(10.0), bench.drive(10.0, -2.5), scene=scene)
    assert found.raw == pytest.approx([20.0, 20.0])
    assert found.score == pytest.approx([1.0, 1.0])
    assert terms(bench, "progress", bench.drive(0.0, s=70.0), scene=scene).score[0] == 1.0
    # A goal to pass through: 60 m are driven of 60 m possible, braking 20 m.
    scene = bench.scene(route=bench.route(goal_s=70.0))
    found = terms(bench, "progress", bench.drive(10.0), bench.drive(10.0, -2.5), scene=scene)
    assert found.score == pytest.approx([1.0, np.sqrt(1.0 / 3.0)])


def test_time_to_collision_with_a_stopped_car(bench):
    # Rear of the car at 120 - 2.25 = 117.75; bumper at 53.6: 64.15 m at 10 m/s; after 4 s 24.15 m are left: 2.415 s.
    found = terms(
        bench, "time_to_collision", bench.drive(10.0), agents=[bench.Agent((120.0, 0.0))], interval_s=0.2, safe_s=3.0
    )
    assert found.raw[0] == pytest.approx(2.415)
    assert found.score[0] == pytest.approx((2.415 - 0.95) / (3.0 - 0.95))


def test_time_to_collision_of_crossing_and_of_parallel_traffic(bench):
    # From below at 5 m/s, centre at x = 70: its front reaches the ego's side (-0.925) from y = -15 after
    # (15 - 3.175) / 5 = 2.365 s and has left above after 3.635 s. The ego's bumper reaches its side (69.1) at 1.55 s,
    # the rear leaves 70.9 after 2.18 s: no contact. From y = -10: 1.365 to 2.635 s: contact from 1.55 s on, so the time
    # to collision is 0.15 s at t = 1.4 s.
    crossing = bench.Agent((70.0, -15.0), 5.0, np.pi / 2)
    assert (
        terms(bench, "time_to_collision", bench.drive(10.0), agents=[crossing], horizon_s=1.5, safe_s=3.0).raw[0] == 3.0
    )
    crossing = bench.Agent((70.0, -10.0), 5.0, np.pi / 2)
    found = terms(
        bench, "time_to_collision", bench.drive(10.0), agents=[crossing], horizon_s=1.5, interval_s=0.2, safe_s=3.0
    )
    assert found.raw[0] == pytest.approx(0.15) and found.score[0] == 0.0
    oncoming = bench.Agent((120.0, 3.5), 10.0, np.pi)
    assert terms(bench, "time_to_collision", bench.drive(10.0), agents=[oncoming]).score[0] == 1.0


def test_time_to_collision_leaves_out_followers_and_a_standing_ego(bench):
    follower, ahead = bench.Agent((30.0, 0.0), 20.0), bench.Agent((58.0, 0.0), 3.0, np.pi)
    assert (
        terms(bench, "time_to_collision", bench.drive(10.0), agents=[follower], horizon_s=0.5, safe_s=3.0).raw[0] == 3.0
    )
    assert terms(bench, "time_to_collision", bench.drive(0.0), agents=[ahead], safe_s=3.0).raw[0] == 3.0


@settings(max_examples=40, deadline=None)
@given(st.floats(2.0, 40.0), st.floats(-15.0, 15.0), st.floats(-3.1, 3.1), st.floats(0.0, 12.0))
def test_time_to_collision_agrees_with_small_steps(bench, x, y, yaw, speed):
    """Second derivation: boxes moved in steps of 0.01 s and compared by `geometry.boxes`."""
    from behaviors_ros.geometry.boxes import overlap

    agent = bench.Agent((51.35 + x, y), speed, yaw)
    found = terms(bench, "time_to_collision", bench.drive(10.0), agents=[agent], horizon_s=0.0, safe_s=3.0).raw[0]
    t = np.arange(0.0, 3.0, 0.01)[:, None]
    ego = np.array([51.35, 0.0]) + 10.0 * t * [1.0, 0.0]
    other = np.array(agent.position) + speed * t * [np.cos(yaw), np.sin(yaw)]
    hit = overlap(ego, 0.0, 4.5, 1.85, other, yaw, 4.5, 1.8)
    slow = t[np.argmax(hit), 0] if hit.any() else 3.0
    # A touch of corners shorter than a step may be missed by the steps, never the other way round.
    assert found <= slow + 1e-9
    if hit.any():
        assert found >= slow - 0.01 - 1e-9


def test_comfort_of_constant_acceleration_and_of_curves(bench):
    # 1 m/s2 throughout: dose^2 = 1, score 1 / 1.25. Curvature 0.03 at 10 m/s: 3 m/s2, twice the 1.5: dose^2 4, 0.5.
    candidates = bench.candidates(bench.drive(5.0, 1.0), bench.drive(10.0), bench.drive(10.0))
    candidates.curvature[1] = 0.03
    found = bench.scorer("comfort").score(bench.scene(), bench.predictions(), candidates)
    assert found.raw == pytest.approx([1.0, 2.0, 0.0])
    assert found.score == pytest.approx([0.8, 0.5, 1.0])


def test_comfort_counts_jerk(bench):
    # A rise by 1 m/s2 in one of 60 intervals of 0.1 s: jerk 10, mean square 100 / 60; and 31 of 61 steps at 1 m/s2.
    candidates = bench.candidates(bench.drive(10.0))
    candidates.acceleration[0, 30:] = 1.0
    found = bench.scorer("comfort").score(bench.scene(), bench.predictions(), candidates)
    assert found.raw[0] == pytest.approx(np.sqrt(100.0 / 60.0 + 31.0 / 61.0))


def test_speed_limit(bench):
    # 1 m/s too fast throughout: 1 - 1 / 2.23.
    found = terms(bench, "speed_limit", bench.drive(11.0), bench.drive(9.0), bench.drive(14.0))
    assert found.score == pytest.approx([1.0 - 1.0 / 2.23, 1.0, 0.0])


def test_lane_keeping(bench):
    found = terms(bench, "lane_keeping", bench.drive(), bench.drive(d=0.5), bench.drive(d=-1.0))
    assert found.raw == pytest.approx([0.0, 0.5, 1.0])
    assert found.score == pytest.approx([1.0, 0.8, 0.5])


def test_clearance(bench):
    # At 10 m/s 1.5 m are wished. A pedestrian (radius 0.3) at y = 2.125 is 2.125 - 0.925 - 0.3 = 0.9 m away: 0.6.
    beside = bench.Agent((80.0, 2.125), kind=AgentClass.PEDESTRIAN)
    assert terms(bench, "clearance", bench.drive(10.0), agents=[beside]).score[0] == pytest.approx(0.6)
    # At 2 m/s 0.7 m are wished; a car does not count; nor who is behind.
    assert terms(bench, "clearance", bench.drive(2.0, s=70.0), agents=[beside]).score[0] == 1.0
    assert terms(bench, "clearance", bench.drive(10.0), agents=[replace(beside, kind=AgentClass.CAR)]).score[0] == 1.0
    behind = bench.Agent((45.0, 0.0), 10.0, kind=AgentClass.BICYCLE)
    assert terms(bench, "clearance", bench.drive(10.0), agents=[behind]).score[0] == 1.0


def test_consistency_at_equal_absolute_times(bench):
    # The plan made 0.5 s ago at s = 45 with 10 m/s is at s = 50 now.
    scene = bench.scene(previous=bench.plan(bench.drive(10.0, s=45.0), age_s=0.5))
    found = terms(bench, "consistency", bench.drive(10.0), bench.drive(10.0, d=0.5), bench.drive(12.0), scene=scene)
    assert found.raw == pytest.approx([0.0, 1.0, 1.0])
    assert found.score == pytest.approx([1.0, 0.5, 0.5])
    assert terms(bench, "consistency", bench.drive(3.0)).score[0] == 1.0
    long_ago = bench.scene(previous=bench.plan(bench.drive(10.0), age_s=10.0))
    assert terms(bench, "consistency", bench.drive(3.0), scene=long_ago).score[0] == 1.0


def test_safe_distance_behind_a_car(bench):
    # Ego at 10 m/s, bumper at 53.6. Safe: 2 + 10 * 0.5 + 100 / 6 - u^2 / 8. Behind a car standing at 75 (rear 72.75):
    # parked, 8 m are wished instead of 2: at t = 0 the gap 19.15 is 0.645 of 29.67; before a stop point 0.809 of
    # 23.67. Behind one at 10 m/s, rear at 72.75: 23.67 - 12.5 = 11.17, gap kept: 1.
    values = {"horizon_s": 0.1, "interval_s": 2.0}
    standing, moving = bench.Agent((75.0, 0.0)), bench.Agent((75.0, 0.0), 10.0)
    assert terms(bench, "safe_distance", bench.drive(10.0), agents=[standing], **values).score[0] == pytest.approx(
        19.15 / (8.0 + 5.0 + 100.0 / 6.0), abs=1e-6
    )
    queue = bench.scene(route=bench.route(stops=[StopPoint(StopKind.SIGNAL, 1, 85.0, 95.0, signals=(1,))]))
    found = terms(bench, "safe_distance", bench.drive(10.0), agents=[standing], scene=queue, **values)
    assert found.score[0] == pytest.approx(19.15 / (2.0 + 5.0 + 100.0 / 6.0), abs=1e-6)
    assert terms(bench, "safe_distance", bench.drive(10.0), agents=[moving], **values).score[0] == 1.0
    beside, behind = bench.Agent((75.0, 3.5)), bench.Agent((40.0, 0.0), 10.0)
    assert terms(bench, "safe_distance", bench.drive(10.0), agents=[beside, behind], **values).score[0] == 1.0


def test_safe_distance_rewards_braking_behind_a_slower_cyclist(bench):
    cyclist = bench.Agent((70.0, 0.0), 4.0, 0.0, AgentClass.BICYCLE)
    found = terms(bench, "safe_distance", bench.drive(10.0), bench.drive(10.0, -2.0), agents=[cyclist])
    assert found.score[1] > found.score[0] + 0.1
