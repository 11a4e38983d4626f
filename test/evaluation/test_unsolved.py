"""Why a scenario was not solved, in words, by hand. The box centre is 1 m ahead of the axle."""

from dataclasses import replace

import numpy as np
import pytest
from made_drives import drive

from behaviors_ros.datatypes import Goal
from behaviors_ros.evaluation.metrics import MetricRules, measure
from behaviors_ros.evaluation.unsolved import collision_words, goal_words, why
from behaviors_ros.simulation.arrival import Arrival

STEADY = np.arange(0.0, 30.0, 1.0)  # 10 m/s, 2.9 s
REGION = np.array([[20.0, -2.0], [25.0, -2.0], [25.0, 2.0], [20.0, 2.0]])


def words(goal, **made):
    return goal_words(drive(STEADY, goal=goal, **made), Arrival())


def test_a_missed_region_says_by_how_far_and_how_late():
    # In the end the centre is at x = 30, the region begins at 40: 10 m, 1.0 s at 10 m/s.
    far = Goal(np.array((45.0, 0.0)), REGION + (20.0, 0.0))
    assert words(far) == (
        "the goal region was missed by 10.0 m (nearest at 2.9 s); 1.0 s too late at the last speed of 10.0 m/s"
    )
    # Beside: the region's lower edge is at y = 3; the centre passes at 20 m at 1.9 s.
    assert words(Goal(np.array((22.0, 5.0)), REGION + (0.0, 5.0))).startswith(
        "the goal region was missed by 3.0 m (nearest at 1.9 s)"
    )


def test_standing_still_is_said():
    stopped = drive(np.r_[STEADY, np.full(10, 29.0)], goal=Goal(np.array((45.0, 0.0)), REGION + (20.0, 0.0)))
    told = goal_words(stopped, Arrival())
    assert told == "the goal region was missed by 10.0 m (nearest at 2.9 s); stood nearly still in the end"


def test_speed_heading_and_time_in_the_region():
    goal = Goal(np.array((22.0, 0.0)), REGION)
    assert words(replace(goal, speed=(17.7, 23.7))) == "wrong speed at the goal: 10.0 not in 17.7..23.7 m/s"
    # Headed 0, allowed 20 to 40 deg: 30 deg off the middle.
    assert words(replace(goal, yaw=(np.radians(20), np.radians(40)))).startswith("wrong heading at the goal: -30 deg")
    # In the region with the centre from x = 20 to 25: from 1.9 s to 2.4 s.
    assert words(replace(goal, time=(0.0, 1.4))) == "reached too late by 0.5 s (goal until 1.4 s)"
    assert words(replace(goal, time=(4.0, 5.0))).startswith("left the goal region 1.6 s too early (at 2.4 s")


def test_a_goal_without_a_place_tells_its_demand():
    assert words(Goal(np.array((99.0, 0.0)), speed=(0.0, 5.0), anywhere=True)).startswith(
        "wrong speed at the goal: 10.0"
    )


def test_collisions_are_told_with_agent_time_and_fault():
    found = measure(drive(STEADY, agents=[("00car7", 20.0, 0.0, 0.0, 0.0)]))
    told = collision_words(found.collisions[0])
    assert told.startswith("ran into the standing car car7 at 1.") and told.endswith("(at fault)")


def test_every_reason_is_told_and_a_solved_one_has_none():
    made = drive(STEADY, y=-5.0, agents=[("a", 20.0, -5.0, 0.0, 0.0)], goal=Goal(np.array((90.0, 0.0))))
    metrics = measure(made)
    parts = why(made, metrics, False, MetricRules().arrival).split("; ")
    # Right side at y = -6, the road ends at -2: 4 m.
    assert parts[0].startswith("ran into") and parts[1].startswith("off the drivable area by up to 4.00 m")
    assert parts[2].startswith("the goal region was missed") and why(made, metrics, True, Arrival()) == ""


@pytest.mark.parametrize("yaw", [0.1, -0.1])
def test_the_last_best_instant_is_told(yaw):
    # Within the heading only while x < 22 (centre), too slow everywhere: one demand fails there, two later.
    turned = np.where(STEADY < 21.0, 0.0, yaw)
    goal = Goal(np.array((22.0, 0.0)), REGION, yaw=(-0.05, 0.05), speed=(20.0, 30.0))
    assert "heading" not in words(goal, yaw=turned)
