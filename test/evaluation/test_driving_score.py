"""The driving score and each of its factors by hand. The vehicle is 4 m x 2 m, its centre 1 m ahead of the axle."""

from dataclasses import replace

import numpy as np
import pytest
from made_drives import LINE, drive, lane_map, route

from behaviors_ros.datatypes import AgentClass, Goal, Lane, LaneKind, LaneMap, Outcome, Plan, Trajectory, Turn
from behaviors_ros.evaluation.against_traffic import DirectionRules, against_traffic_m, compliance
from behaviors_ros.evaluation.collisions import Collision, CollisionKind
from behaviors_ros.evaluation.driving_score import Facts, ScoreRules, collision_multiplier, driving_score
from behaviors_ros.evaluation.lane_centring import CentringRules, keeps_lane, longest_off_centre_s
from behaviors_ros.evaluation.plan_changes import ConsistencyRules, changes, consistency
from behaviors_ros.evaluation.progress import ProgressRules, free_drive_m, goal_entry_s, ratio, reference_m

STEADY = np.arange(0.0, 30.0, 1.0)  # 10 m/s
GOOD = Facts(
    collisions=(), off_road=False, against_traffic_m=0.0, progress_ratio=1.0, red_lights_run=0, min_ttc_s=np.inf,
    speed_limit_compliance=1.0, comfortable=True, off_centre_s=0.0, plan_consistency=1.0,
)  # fmt: skip


def facts(**changed):
    return Facts(**{**vars(GOOD), **changed})


def hit(agent_class, at_fault=True, name="a"):
    return Collision(3, 0.3, name, int(agent_class), CollisionKind.FRONT, at_fault)


# --- driving direction ---


def test_way_against_traffic_is_that_in_lanes_of_opposite_direction_only():
    # In lane 2 (against) for 9 steps of 1 m within a window of 10 steps, then back: 9 m.
    y = np.where((STEADY >= 5) & (STEADY < 14), 4.0, 0.0)
    assert against_traffic_m(drive(STEADY, y=y), DirectionRules()) == pytest.approx(9.0)
    assert against_traffic_m(drive(STEADY), DirectionRules()) == 0.0


def test_way_against_traffic_is_the_longest_within_one_second():
    # All the time in lane 2: 10 steps of 1 m in any second.
    assert against_traffic_m(drive(STEADY, y=4.0), DirectionRules()) == pytest.approx(10.0)
    # 0.15 m a step: 1.5 m in a second, which complies.
    slow = drive(np.arange(30) * 0.15, y=4.0)
    assert against_traffic_m(slow, DirectionRules()) == pytest.approx(1.5)


def test_driving_lane_2_in_its_direction_or_where_no_lane_is_does_not_count():
    assert against_traffic_m(drive(STEADY[::-1], y=4.0, yaw=np.pi), DirectionRules()) == 0.0
    assert against_traffic_m(drive(STEADY, y=-30.0), DirectionRules()) == 0.0


def test_a_lane_of_the_own_direction_excuses():
    both = lane_map()
    own = Lane(3, LaneKind.ROAD, LINE + (0.0, 4.0), LINE + (0.0, 6.0), LINE + (0.0, 2.0))
    crossing = LaneMap("two lanes and one above the second", {**both.lanes, 3: own})
    assert against_traffic_m(drive(STEADY, y=4.0, on=crossing), DirectionRules()) == 0.0


@pytest.mark.parametrize(("way", "value"), [(0.0, 1.0), (2.0, 1.0), (2.01, 0.5), (6.0, 0.5), (6.01, 0.0)])
def test_compliance_has_three_values(way, value):
    assert compliance(way, DirectionRules()) == value


# --- lane keeping ---


def test_longest_time_off_the_centre():
    # 0.6 m off during 25 instants: 24 steps of 0.1 s; then centred, then 10 instants off.
    y = np.r_[np.full(25, 0.6), np.zeros(5), np.full(10, -0.6)]
    found = longest_off_centre_s(drive(np.arange(40.0), y=y), CentringRules())
    assert found == pytest.approx(2.4) and not keeps_lane(found, CentringRules())
    # 21 instants are 2.0 s, which is not yet "more than 2 s"; 0.5 m is not off.
    assert keeps_lane(longest_off_centre_s(drive(np.arange(21.0), y=0.6), CentringRules()), CentringRules())
    assert longest_off_centre_s(drive(STEADY, y=0.5), CentringRules()) == 0.0


def test_the_centre_of_an_oncoming_lane_is_not_kept():
    # On the centre of lane 2, against it: 4 m off the centre of lane 1.
    assert longest_off_centre_s(drive(STEADY, y=4.0), CentringRules()) == pytest.approx(2.9)


def test_junctions_do_not_count():
    own = lane_map().lanes[1]
    turning = Lane(**{**vars(own), "turn": Turn.LEFT})
    assert longest_off_centre_s(drive(STEADY, y=1.0, on=LaneMap("junction", {1: turning})), CentringRules()) == 0.0


# --- plan-to-plan consistency ---


def plan(stamp_s, acceleration, curvature=0.0, speed=10.0):
    time_s = np.arange(31) * 0.1
    full = np.ones(31)
    acceleration = np.broadcast_to(acceleration, 31).astype(float)
    trajectory = Trajectory(
        round(stamp_s * 1e9), time_s, np.zeros((31, 2)), 0.0 * full, speed * full, acceleration, curvature * full
    )
    return Plan(round(stamp_s * 1e9), 1, trajectory, trajectory, 0, 0, 0, "", "", Outcome.SELECTED, "")


def test_changes_are_root_mean_squares_over_the_shared_time():
    # Acceleration 1.0 against 0.4 everywhere: 0.6. Yaw rate 10 m/s x (0.02 - 0.005) 1/m = 0.15 rad/s. No jerk.
    found = changes(plan(0.0, 1.0, 0.005).trajectory, plan(0.1, 0.4, 0.02).trajectory)
    assert found == pytest.approx([0.6, 0.0, 0.15, 0.0])


def test_a_plan_that_is_its_predecessor_moved_on_has_not_changed():
    # Acceleration 0.2 t: after 0.5 s the same acceleration is 0.2 (t + 0.5).
    time_s = np.arange(31) * 0.1
    found = changes(plan(0.0, 0.2 * time_s).trajectory, plan(0.5, 0.2 * (time_s + 0.5)).trajectory)
    assert found == pytest.approx(np.zeros(4), abs=1e-9)


def test_jerk_counts():
    # Acceleration 1.2 t against 0.5 t: jerk differs by 0.7 m/s3; acceleration by 0.7 t, whose RMS passes 0.7 too.
    time_s = np.arange(31) * 0.1
    found = changes(plan(0.0, 1.2 * time_s).trajectory, plan(0.0, 0.5 * time_s).trajectory)
    assert found[1] == pytest.approx(0.7) and found[0] == pytest.approx(0.7 * np.sqrt(np.mean(time_s**2)))


def test_consistency_is_the_share_of_continued_plans():
    # Changes of the acceleration: 0.5 (within 0.7), 1.0 (beyond), 0: two of three.
    plans = [plan(0.0, 0.0), plan(0.1, 0.5), plan(0.2, -0.5), plan(0.3, -0.5)]
    assert consistency(plans, ConsistencyRules()) == pytest.approx(2 / 3)
    assert consistency(plans[:1], ConsistencyRules()) == 1.0


# --- progress ---


def test_free_drive_speeds_up_to_the_limit():
    # From 7 m/s with 1.5 m/s2 to the limit of 10: 2 s, 2 x 8.5 = 17 m; then 3 s at 10: 30 m.
    assert free_drive_m(route(limit=10.0), 50.0, 7.0, 5.0, ProgressRules()) == pytest.approx(47.0)
    # From 13 m/s down to 10: 2 s, 2 x 11.5 = 23 m; then 1 s.
    assert free_drive_m(route(limit=10.0), 50.0, 13.0, 3.0, ProgressRules()) == pytest.approx(33.0)


def test_the_reference_ends_where_the_route_enters_the_goal():
    # The region begins at x = 40 (s = 90), the centre is 1 m ahead of the axle: 39 m from x = 0. Free: 100 m in 10 s.
    made = replace(drive(STEADY), route=replace(route(limit=10.0), goal_from_s=90.0, goal_to_s=110.0))
    assert goal_entry_s(made) == pytest.approx(50.0 + 39.0)
    assert reference_m(made, 10.0, None, ProgressRules()) == pytest.approx(39.0)
    assert reference_m(made, 2.0, None, ProgressRules()) == pytest.approx(20.0)
    assert reference_m(made, 10.0, 12.5, ProgressRules()) == 12.5
    # Of a mere position the place itself counts: s = 150.
    assert goal_entry_s(drive(STEADY)) == pytest.approx(149.0)


def test_without_a_place_the_free_drive_counts_no_faster_than_the_goal_asks():
    # At 10 m/s for 10 s; a goal of at most 10 m/s on a road of 20 does not ask for more.
    made = drive(STEADY, goal=Goal(np.array((50.0, 0.0)), speed=(0.0, 10.0), anywhere=True), limit=20.0)
    assert reference_m(made, 10.0, None, ProgressRules()) == pytest.approx(100.0)


def test_ratio_has_a_floor_and_ends_at_one():
    rules = ProgressRules()
    assert ratio(30.0, 40.0, False, rules) == pytest.approx(0.75)
    assert ratio(50.0, 40.0, False, rules) == 1.0 and ratio(30.0, 40.0, True, rules) == 1.0
    # Standing still where the recorded driver did: 0.1 / 0.1. Rolling back counts as 0.1 m.
    assert ratio(0.0, 0.0, False, rules) == 1.0 and ratio(-3.0, 10.0, False, rules) == pytest.approx(0.01)


# --- the score ---


def test_a_good_drive_scores_one():
    score = driving_score(GOOD)
    assert score.total == 1.0 and score.nuplan == 1.0 and set(score.multipliers.values()) == {1.0}


def test_the_mean_is_weighted():
    # Weights 5 5 4 2 2 2 = 20: half the progress costs 2.5 / 20, discomfort 2 / 20, consistency 0.5 costs 1 / 20.
    score = driving_score(facts(progress_ratio=0.5, comfortable=False, plan_consistency=0.5))
    assert score.total == pytest.approx(1.0 - (2.5 + 2.0 + 1.0) / 20.0)
    # nuPlan's four weigh 16: 1 - (2.5 + 2) / 16.
    assert score.nuplan == pytest.approx(1.0 - 4.5 / 16.0)


def test_thresholds():
    # Least time to collision 0.95 s fails (5 / 20), 0.96 does not; 2.1 s off the centre costs 2 / 20.
    assert driving_score(facts(min_ttc_s=0.95)).total == pytest.approx(0.75)
    assert driving_score(facts(min_ttc_s=0.96)).total == 1.0
    assert driving_score(facts(off_centre_s=2.1)).total == pytest.approx(0.9)
    assert driving_score(facts(speed_limit_compliance=0.5)).total == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("changed", "factor"),
    [
        ({"collisions": (hit(AgentClass.CAR),)}, 0.0),
        ({"collisions": (hit(AgentClass.CAR, at_fault=False),)}, 1.0),
        ({"collisions": (hit(AgentClass.HAZARD),)}, 0.5),
        ({"off_road": True}, 0.0),
        ({"against_traffic_m": 3.0}, 0.5),
        ({"against_traffic_m": 7.0}, 0.0),
        ({"red_lights_run": 1}, 0.0),
    ],
)
def test_multipliers(changed, factor):
    assert driving_score(facts(**changed)).total == factor


def test_making_progress_is_a_multiplier():
    assert driving_score(facts(progress_ratio=0.2)).total == 0.0
    # 0.21 of the progress: 1 - 0.79 x 5 / 20.
    assert driving_score(facts(progress_ratio=0.21)).total == pytest.approx(1.0 - 0.79 * 0.25)


def test_a_red_light_is_no_part_of_nuplan():
    score = driving_score(facts(red_lights_run=1))
    assert score.total == 0.0 and score.nuplan == 1.0


def test_objects_halve_once():
    rules = ScoreRules()
    assert collision_multiplier((hit(AgentClass.HAZARD), hit(AgentClass.HAZARD, name="b")), rules) == 0.0
    assert collision_multiplier((hit(AgentClass.HAZARD), hit(AgentClass.PEDESTRIAN, name="b")), rules) == 0.0
    assert collision_multiplier((hit(AgentClass.PEDESTRIAN, at_fault=False), hit(AgentClass.HAZARD)), rules) == 0.5
