"""What the candidates do in closed loop: halting at lines, starting off, curves, following, passing."""

import math
from dataclasses import replace

import numpy as np
import pytest
from generation_scenes import GRID, boxes, planned, scene, straight, turn

from behaviors_ros import registry
from behaviors_ros.datatypes import StopKind, StopPoint, rounded
from behaviors_ros.generation import interface
from behaviors_ros.generation.motions import together
from behaviors_ros.parameters import Vehicle

pytestmark = pytest.mark.usefixtures("without_shape_checks")

assert interface.Generator  # importing it registers the room's plugins
VEHICLE = Vehicle()
ALL = [
    registry.create("generator", name, {}, VEHICLE)
    for name in ("lattice", "idm_proposals", "minimal_risk_stop", "previous")
]
LATTICE, PROPOSALS = ALL[:1], ALL[1:2]
SIGNAL = StopPoint(StopKind.SIGNAL, 12, 60.0, 75.0, (12,))
NOBODY = boxes([])
COMFORT = {"a_low": -4.05, "a_high": 2.40, "jerk": 4.13}


def generate(seen, predictions, grid, generators):
    """The candidates of the generators, equal ones as well: the tests name them by their labels."""
    groups = [generator.generate(seen, predictions, grid) for generator in generators]
    return rounded(together([group for group in groups if len(group)]))


def find(candidates, *texts, generator=""):
    """Indices of the candidates whose label has all texts."""
    return [
        i
        for i, label in enumerate(candidates.label)
        if all(text in label for text in texts) and generator in candidates.generator[i]
    ]


def at_full_speed(candidates):
    return find(candidates, "keep lane, 13.9 m/s", generator="idm")[0]


def driven(route, pick, generators, cycles=120, agents=(), **start):
    """Replan each step of 0.1 s and follow the pick exactly; rows of s, d, speed, acceleration, curvature."""
    plan, log, state = None, [], start
    for cycle in range(cycles):
        stamp = cycle * 100_000_000
        if plan is not None:
            at = plan.trajectory
            state = {
                "x": at.position[1, 0], "y": at.position[1, 1], "yaw": at.yaw[1], "speed": at.speed[1],
                "acceleration": at.acceleration[1], "steering": math.atan(at.curvature[1] * VEHICLE.wheel_base_m),
            }  # fmt: skip
        there = [(x + v * stamp * 1e-9, y, yaw, v) for x, y, yaw, v in agents]
        candidates = generate(
            scene(route, stamp_ns=stamp, previous=plan, **state), boxes(there, stamp), GRID, generators
        )
        index = pick(candidates)
        columns = (candidates.s, candidates.d, candidates.speed, candidates.acceleration, candidates.curvature)
        log.append([column[index, 0] for column in columns])
        plan = planned(candidates, index)
    return np.array(log)


def comfortable(log):
    jerk = np.diff(log[:, 3]) / 0.1
    assert COMFORT["a_low"] <= log[:, 3].min() and log[:, 3].max() <= COMFORT["a_high"]
    assert np.abs(jerk).max() <= COMFORT["jerk"]


@pytest.mark.parametrize(("strength", "speed"), [(0, 8.0), (1, 4.0), (2, 13.0)])
def test_halts_at_the_line_smoothly_and_holds(strength, speed):
    def pick(candidates):
        stops = find(candidates, "stop at signal 12, keep lane", generator="lattice")
        return stops[min(strength, len(stops) - 1)] if stops else find(candidates, "keep lane, 13.9 m/s")[0]

    log = driven(straight(stops=(SIGNAL,)), pick, LATTICE, 150, speed=speed)
    # bumper 0.8 m before the line at 60 m: rear axle at 60 - 0.8 - (4.5 - 0.9) = 55.6
    assert log[-1, 0] == pytest.approx(55.6, abs=0.05)
    assert log[:, 0].max() == log[-1, 0] and (log[-20:, 2] == 0.0).all()
    comfortable(log)


def test_starts_off_smoothly():
    log = driven(straight(), at_full_speed, PROPOSALS, 130, speed=0.0)
    comfortable(log)
    assert log[-1, 2] == pytest.approx(13.89, abs=0.3) and log[:, 2].max() <= 13.95


def test_tight_turn_is_driven_within_the_limits():
    log = driven(turn(6.0), at_full_speed, PROPOSALS, 120, x=0.0, speed=6.0)
    comfortable(log)
    assert np.abs(log[:, 1]).max() < 0.1
    assert np.abs(log[:, 4]).max() < VEHICLE.curvature_max_1pm
    assert (log[:, 2] ** 2 * np.abs(log[:, 4])).max() < 2.5
    wheel = np.arctan(log[:, 4] * VEHICLE.wheel_base_m)
    assert np.abs(np.diff(wheel)).max() / 0.1 <= VEHICLE.steering_rate_max_radps
    assert log[-1, 0] > 50.0


def test_slows_before_a_slower_stretch():
    route = straight()
    route.speed_limit[route.s >= 80.0] = 8.33
    candidates = generate(scene(route, x=30.0, speed=13.0), NOBODY, GRID, ALL)
    full = find(candidates, "keep lane, 13.9 m/s", generator="idm")[0]
    beyond = candidates.s[full] > 81.0
    assert beyond.any() and candidates.speed[full][beyond].max() < 8.33 + 0.4
    assert candidates.acceleration[full].min() > -2.2


def test_follows_an_agent_that_waits_at_a_line_to_a_gap():
    log = driven(straight(stops=(SIGNAL,)), at_full_speed, PROPOSALS, 150, [(50.0, -0.6, 0.0, 0.0)], speed=10.0)
    comfortable(log)
    # its rear at 47.75, bumper 3.6 m ahead of the rear axle, gap 2.5 m: 41.65
    assert log[-1, 0] == pytest.approx(41.65, abs=0.3) and log[-1, 2] == 0.0


def test_leaves_room_to_pull_out_behind_a_parked_agent():
    log = driven(straight(), at_full_speed, PROPOSALS, 130, [(60.0, -0.6, 0.0, 0.0)], speed=10.0)
    # its rear at 57.75: at the ordinary gap the rear axle would halt at 57.75 - 2.5 - 3.6 = 51.65
    assert log[-1, 2] == 0.0 and 42.0 < log[-1, 0] < 51.65 - 3.0
    assert log[:, 3].min() >= COMFORT["a_low"]


@pytest.mark.parametrize(("x", "speed"), [(60.0, 10.0), (40.0, 6.0), (80.0, 13.5), (60.0, 8.0)])
def test_a_halt_behind_an_agent_ends_without_a_jolt(x, speed):
    log = driven(straight(), at_full_speed, PROPOSALS, 110, [(x, -0.6, 0.0, 0.0)], speed=speed)
    # braking is released at half of 1.5 m/s3; what is left in the last step of 0.1 s is below 0.2 m/s2
    assert log[-1, 2] == 0.0
    assert np.abs(np.diff(log[:, 3])).max() / 0.1 < 2.0


def test_an_agent_behind_does_not_lead():
    alone = generate(scene(straight(), x=50.0, speed=5.0), NOBODY, GRID, ALL)
    chased = generate(scene(straight(), x=50.0, speed=5.0), boxes([(35.0, 0.0, 0.0, 14.0)]), GRID, ALL)
    index = find(alone, "keep lane, 13.9 m/s", generator="idm")[0]
    same = find(chased, alone.label[index], generator="idm")[0]
    assert chased.label[same] == alone.label[index]
    assert chased.speed[same] == pytest.approx(alone.speed[index])


def test_passes_a_parked_vehicle_with_clearance_and_returns():
    def pick(candidates):
        passes = find(candidates, "pass", "13.9 m/s", generator="idm")
        return passes[-1] if passes else at_full_speed(candidates)

    log = driven(straight(), pick, PROPOSALS, 120, [(70.0, -1.2, 0.0, 0.0)], speed=8.0)
    comfortable(log)
    # beside it (rear axle from 64.15 to 73.15) its left side is at -0.25, ours at d - 0.925: at least 0.55 m between
    beside = (log[:, 0] > 64.2) & (log[:, 0] < 73.1)
    assert beside.any() and (log[beside, 1] - 0.925 + 0.25).min() > 0.55
    assert abs(log[-1, 1]) < 0.3


def test_moving_oncoming_room_is_not_used_for_moving_agents():
    parked = generate(scene(straight(), speed=8.0), boxes([(60.0, 0.0, 0.0, 0.0)]), GRID, ALL)
    moving = generate(scene(straight(), speed=8.0), boxes([(30.0, 0.0, 0.0, 3.0)]), GRID, ALL)
    assert find(parked, "pass 0001 on the left") and not find(moving, "pass 0001 on the left")


def test_goal_and_path_end_are_offered():
    candidates = generate(scene(straight(40.0, goal_s=35.0), speed=5.0), NOBODY, GRID, ALL)
    # goal: box centre at 35 m, 1.35 m ahead of the rear axle; end of the path: 40 - 0.8 - 3.6
    goal, end = (
        find(candidates, "stop at the goal, keep lane")[0],
        find(candidates, "before the end of the path, keep")[0],
    )
    at_goal = straight(40.0, goal_s=35.0)
    later = generate(scene(at_goal, x=33.0, speed=1.0), NOBODY, GRID, ALL)
    stop = find(later, "stop at the goal, keep lane")
    assert candidates.s[goal, -1] <= 33.65 + 1e-3 and candidates.s[end, -1] <= 35.6 + 1e-3
    assert min(abs(later.s[i, -1] - 33.65) for i in stop) < 0.01


def test_previous_plan_is_continued():
    route = straight()
    first = generate(scene(route, speed=9.0), NOBODY, GRID, ALL)
    index = find(first, "left of the centre, 13.9 m/s")[0]
    at = first.trajectory(index)
    plan = planned(first, index)
    moved = scene(
        route, *at.position[3], at.yaw[3], at.speed[3], at.acceleration[3], stamp_ns=300_000_000, previous=plan
    )
    second = generate(moved, NOBODY, GRID, ALL)
    same = find(second, f"continue: {first.label[index]}")[0]
    assert second.position[same, :-3] == pytest.approx(first.position[index, 3:], abs=5e-3)
    assert second.speed[same, :-3] == pytest.approx(first.speed[index, 3:], abs=1e-4)
    assert second.generator[same] == "previous"


def test_neighbouring_lane_of_the_same_direction_is_offered():
    narrow = straight()
    wide = replace(narrow, left_same=np.full(len(narrow.s), 5.25))
    changes = find(generate(scene(wide, speed=8.0), NOBODY, GRID, ALL), "change to the left lane")
    assert changes and not find(generate(scene(narrow, speed=8.0), NOBODY, GRID, ALL), "change to")


def test_standing_vehicle_holds_still():
    candidates = generate(scene(straight()), NOBODY, GRID, ALL)
    still = find(candidates, "hold still")
    assert len(still) == 1 and (candidates.position[still[0]] == candidates.position[still[0], 0]).all()
    assert candidates.is_stop[still[0]]


def test_a_halt_beyond_a_curve_is_not_hastened():
    # a gentle stop from 10 m/s takes some 65 m: from before the arc (38 m ahead, 4.5 m/s) to the halt behind it
    route = turn(10.0, before=40.0, after=15.0)

    def pick(candidates):
        stops = find(candidates, "stop at the goal, keep lane", generator="lattice")
        return stops[0] if stops else at_full_speed(candidates)

    log = driven(route, pick, ALL[:2], 190, x=2.0, speed=10.0)
    assert (log[:, 2] ** 2 * np.abs(log[:, 4])).max() < 2.6
    comfortable(log)
    assert log[-1, 0] == pytest.approx(route.goal_s - 1.35, abs=0.05) and log[-1, 2] == 0.0
