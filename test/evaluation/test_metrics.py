"""Closed-loop metrics by hand. The vehicle is 4 m x 2 m, its front bumper 3 m and its centre 1 m ahead of the axle."""

import numpy as np
import pytest
from made_drives import VEHICLE, drive, lane_map

from behaviors_ros.datatypes import Goal, SignalColor
from behaviors_ros.evaluation.collisions import CollisionKind, CollisionRules, collisions, time_to_collision
from behaviors_ros.evaluation.comfort import ComfortLimits, comfort, slope, violations
from behaviors_ros.evaluation.metrics import MetricRules, at_goal, measure, red_lights_run

RULES = CollisionRules()
STEADY = np.arange(0.0, 30.0, 1.0)  # 10 m/s


def only(found):
    assert len(found) == 1
    return found[0]


def test_no_collision_while_boxes_are_apart():
    # Front at 29 + 3 = 32 m, the other's rear at 34.1 - 2 = 32.1 m.
    assert collisions(drive(STEADY, agents=[("a", 34.1, 0.0, 0.0, 0.0)]), RULES) == ()


def test_running_into_a_stopped_track_is_at_fault():
    # Rear of the track at 20 - 2 = 18 m; the front gets there at x = 15: step 15 (touching may count).
    found = only(collisions(drive(STEADY, agents=[("a", 20.0, 0.0, 0.0, 0.0)]), RULES))
    assert found.kind is CollisionKind.TRACK_STOPPED and found.at_fault and found.step in (15, 16)
    assert found.time_s == pytest.approx(0.1 * found.step)


def test_front_hit_of_a_moving_track_is_at_fault():
    agents = [[("a", 20.0 + 0.5 * i, 0.0, 0.0, 5.0)] for i in range(30)]
    # Gap 18 - 3 = 15 m closes at 0.5 m a step: step 30 would touch at 15 m; start nearer by 5 m: step 20.
    agents = [[("a", x - 5.0, *rest)] for ((_, x, *rest),) in agents]
    found = only(collisions(drive(STEADY, agents=agents), RULES))
    assert found.kind is CollisionKind.FRONT and found.at_fault and found.step in (20, 21)


def test_hit_from_behind_is_not_at_fault():
    agents = [[("a", -12.0 + 2.0 * i, 0.0, 0.0, 20.0)] for i in range(30)]
    found = only(collisions(drive(STEADY, agents=agents), RULES))
    assert found.kind is CollisionKind.FROM_BEHIND and not found.at_fault


def test_stopped_ego_is_not_at_fault():
    agents = [[("a", 20.0 - i, 0.0, np.pi, 10.0)] for i in range(30)]
    found = only(collisions(drive(np.zeros(30), agents=agents), RULES))
    assert found.kind is CollisionKind.EGO_STOPPED and not found.at_fault


@pytest.mark.parametrize(("y", "fault"), [(0.0, False), (1.5, True)])
def test_lateral_hit_is_at_fault_in_several_lanes_only(y, fault):
    # A track of 2 m width comes from the left into the side; at y = 1.5 the ego's left side is at 2.5, beyond its lane.
    agents = [[("a", 1.0 + i, y + 5.0 - 0.2 * i, -0.2, 10.0)] for i in range(30)]
    found = only(collisions(drive(STEADY, y=y, agents=agents), RULES))
    assert found.kind is CollisionKind.LATERAL and found.at_fault is fault


def test_each_track_collides_once():
    found = collisions(drive(STEADY, agents=[("a", 20.0, 0.0, 0.0, 0.0), ("b", 25.0, 0.0, 0.0, 0.0)]), RULES)
    assert [collision.id for collision in found] == ["a", "b"]


def test_time_to_collision_with_a_lead():
    # Gap 30 - 2 - 3 = 25 m at closing speed 10: 2.5 s at the first step, 0.1 s less each step.
    found = time_to_collision(drive(STEADY[:5], agents=[("a", 30.0, 0.0, 0.0, 0.0)], speed=10.0), RULES)
    assert found == pytest.approx([2.5, 2.4, 2.3, 2.2, 2.1], abs=0.101)
    # A track beside with the same heading does not count, nor one behind, nor anything for a stopped ego.
    assert np.isinf(time_to_collision(drive(STEADY[:2], agents=[("a", 1.0, 3.5, -0.1, 12.0)], speed=10.0), RULES)).all()
    assert np.isinf(time_to_collision(drive(STEADY[:2], agents=[("a", -9.0, 0.0, 0.0, 30.0)], speed=10.0), RULES)).all()
    assert np.isinf(time_to_collision(drive(np.zeros(2), agents=[("a", 9.0, 0.0, 0.0, 0.0)]), RULES)).all()


def test_time_to_collision_with_a_crossing_track():
    # The ego's front reaches x = 19 after 1.6 s and its rear leaves 21 after 2.2 s. The track's box (2 m by 4 m)
    # comes from y = 23 at -10 m/s: its front enters y = 1 after (23 - 2 - 1) / 10 = 2.0 s.
    found = time_to_collision(drive(STEADY[:2], agents=[("a", 20.0, 23.0, -np.pi / 2, 10.0)], speed=10.0), RULES)
    assert found[0] == pytest.approx(2.0, abs=0.101)


def test_red_lights():
    line = np.array(((15.0, -2.0), (15.0, 2.0)))
    on = lane_map(line, (7,))
    red, green = [SignalColor.RED] * 30, [SignalColor.GREEN] * 30
    # The front is at x + 3: from 15 (on the line) to 16 between the steps 12 and 13.
    assert red_lights_run(drive(STEADY, signals=red, on=on)) == ((13, 1),)
    assert red_lights_run(drive(STEADY, signals=green, on=on)) == ()
    assert red_lights_run(drive(STEADY, signals=green[:13] + red[:17], on=on)) == ()
    assert red_lights_run(drive(STEADY[:13], signals=red[:13], on=on)) == ()
    against = drive(30.0 - STEADY, yaw=np.pi, signals=red, on=on)
    assert red_lights_run(against) == ()
    assert red_lights_run(drive(STEADY, y=4.0, signals=red, on=on)) == ()


def test_off_road():
    # The right side is at y - 1, the road's edge at -2: at y = -1.2 it is 0.2 m outside, at -1.4 0.4 m.
    inside, outside = measure(drive(STEADY, y=-1.2)), measure(drive(STEADY, y=-1.4))
    assert inside.off_road_m == pytest.approx(0.2) and not inside.off_road
    assert outside.off_road_m == pytest.approx(0.4) and outside.off_road


def test_goal():
    rules = MetricRules()
    # Centre at x + 1: the goal at 20 with 2 m tolerance holds from x = 17 to x = 21.
    assert np.flatnonzero(at_goal(drive(STEADY, goal=Goal(np.array((20.0, 0.0)))), rules)).tolist() == [
        17,
        18,
        19,
        20,
        21,
    ]
    square = np.array(((10.0, -1.0), (12.5, -1.0), (12.5, 1.0), (10.0, 1.0)))
    goal = Goal(np.array((11.0, 0.0)), square)
    assert np.flatnonzero(at_goal(drive(STEADY, goal=goal), rules)).tolist() == [9, 10, 11]
    goal = Goal(np.array((11.0, 0.0)), square, yaw=(-0.1, 0.1), speed=(9.0, 11.0), time=(1.0, 1.0))
    assert np.flatnonzero(at_goal(drive(STEADY, speed=10.0, goal=goal), rules)).tolist() == [10]
    assert not at_goal(drive(STEADY, yaw=0.2, goal=goal), rules).any()
    assert not at_goal(drive(STEADY, speed=12.0, goal=goal), rules).any()
    # An interval over pi: -3.2 to -3.0 rad holds pi too.
    goal = Goal(np.array((11.0, 0.0)), square, yaw=(-3.2, -3.0))
    assert at_goal(drive(20.0 - STEADY[:20], yaw=np.pi, goal=goal), rules).any()


def test_distance_progress_and_speed_limit():
    # 29 m at 10 m/s; limit 9 m/s: 1 m/s over all the time: 1 - 1 / 2.23 = 0.5516.
    found = measure(drive(STEADY, speed=10.0, limit=9.0))
    assert found.distance_m == pytest.approx(29.0) and found.progress_m == pytest.approx(29.0)
    assert found.speed_limit_compliance == pytest.approx(1.0 - 1.0 / 2.23) and found.overspeed_max_mps == pytest.approx(
        1.0
    )
    assert measure(drive(STEADY, speed=10.0, limit=10.0)).speed_limit_compliance == 1.0
    # A circle of radius 30 m is longer than its projection on the route.
    assert measure(drive(STEADY, y=2.0 * np.sin(STEADY))).distance_m > 30.0


def test_comfort_of_constant_acceleration_and_of_a_circle():
    t = np.arange(0.0, 5.0, 0.1)
    limits = ComfortLimits()
    braking = comfort(drive(20.0 * t - 2.25 * t**2, speed=20.0 - 4.5 * t), limits)
    assert braking.acceleration == pytest.approx(np.full(50, -4.5)) and braking.longitudinal_jerk == pytest.approx(
        0.0 * t
    )
    assert violations(braking, limits) == ("deceleration",)
    # 10 m/s on a circle of 20 m: yaw rate 0.5 rad/s, lateral 5 m/s^2 > 4.89; the vector turns: jerk 0.5 * 5 m/s^3.
    circle = comfort(drive(20.0 * np.sin(0.5 * t), 20.0 - 20.0 * np.cos(0.5 * t), 0.5 * t, 10.0), limits)
    assert circle.lateral_acceleration == pytest.approx(np.full(50, 5.0)) and circle.yaw_rate == pytest.approx(
        np.full(50, 0.5)
    )
    assert circle.jerk == pytest.approx(np.full(50, 2.5), rel=1e-6)
    assert violations(circle, limits) == ("lateral_acceleration",)


def test_comfort_of_jerk():
    # v = 10 + t^2 / 2 * 5: acceleration 5 t, jerk 5 m/s^3 > 4.13; the acceleration ends at 0.4 * 5 = 2 m/s^2.
    t = np.arange(0.0, 0.45, 0.02)
    assert slope(slope(10.0 + 2.5 * t**2, 0.02, 0.1), 0.02, 0.1) == pytest.approx(np.full(len(t), 5.0))
    jerky = drive(10.0 * np.arange(0.0, 3.0, 0.1), speed=10.0 + np.minimum(np.arange(0.0, 3.0, 0.1), 2.0) ** 2 * 2.5)
    assert "longitudinal_jerk" in violations(comfort(jerky, ComfortLimits()), ComfortLimits())


def test_short_drives_are_measured():
    for count in (1, 2, 3, 4):
        found = measure(drive(STEADY[:count], speed=10.0))
        assert found.distance_m == pytest.approx(count - 1.0) and found.collisions == ()


def test_vehicle_geometry_of_the_examples():
    assert VEHICLE.centre_offset_m == 1.0
    example = drive(STEADY)
    assert example.front[0] == pytest.approx([3.0, 0.0]) and example.centre[0] == pytest.approx([1.0, 0.0])
    assert example.corners[0] == pytest.approx(np.array(((3.0, 1.0), (3.0, -1.0), (-1.0, -1.0), (-1.0, 1.0))))
