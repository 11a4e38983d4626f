"""What candidates mean, on a straight road: the ego at 50 m, its bumper at 53.6, 10 m/s."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.datatypes import AgentClass, Decision, Manoeuvre, Order, StopKind, StopPoint
from behaviors_ros.scoring.decision import Meaning, decide

UP, LEFTWARD = np.pi / 2, np.pi


def means(bench, drives, *agents, scene=None):
    """(manoeuvre, subject) of each candidate, and the decisions."""
    made = decide(
        scene or bench.scene(), bench.predictions(*agents), bench.candidates(*drives), bench.vehicle, Meaning()
    )
    return [(Manoeuvre(int(m)), made.subject_of(i)) for i, m in enumerate(made.manoeuvre)], made


def agent(number):
    return f"{number:032x}"


def test_keeping_the_lane_and_following(bench):
    drives = [bench.drive(10.0), bench.drive(10.0, -1.0)]
    assert means(bench, drives)[0][0] == (Manoeuvre.KEEP_LANE, "")
    # Gap 75 - 2.25 - 53.6 = 19.15 m at 10 m/s: 1.9 s, and less later. From 95 m at 10 m/s too: 3.9 s.
    assert means(bench, drives, bench.Agent((75.0, 0.0), 8.0))[0][0] == (Manoeuvre.FOLLOW, agent(0))
    assert means(bench, drives, bench.Agent((95.0, 0.0), 10.0))[0][0] == (Manoeuvre.KEEP_LANE, "")
    # Of two the nearer one.
    both = (bench.Agent((90.0, 0.0), 8.0), bench.Agent((75.0, 0.0), 8.0))
    assert means(bench, drives, *both)[0][0] == (Manoeuvre.FOLLOW, agent(1))
    # Who drives in the next lane, or behind, does not matter.
    beside = (bench.Agent((70.0, 3.5), 8.0), bench.Agent((30.0, 0.0), 14.0))
    assert means(bench, drives, *beside)[0][0] == (Manoeuvre.KEEP_LANE, "")


def test_who_was_followed_is_followed_up_to_a_longer_headway(bench):
    # 84 - 2.25 - 53.6 = 28.15 m at 10 m/s: 2.8 s, between 2.5 and 1.3 x 2.5.
    lead, scene = bench.Agent((84.0, 0.0), 10.0), bench.scene()
    assert means(bench, [bench.drive(10.0)], lead, scene=scene)[0] == [(Manoeuvre.KEEP_LANE, "")]
    plan = replace(bench.plan(bench.drive(10.0)), decision=Decision(Manoeuvre.FOLLOW, agent(0)))
    scene = replace(scene, previous=plan)
    assert means(bench, [bench.drive(10.0)], lead, scene=scene)[0] == [(Manoeuvre.FOLLOW, agent(0))]


def test_going_before_and_after_one_who_crosses(bench):
    # In the way when |y| < 0.925 + 0.3 + 2.25 = 3.475: from y = -30 at 10 m/s after 2.65 s, first asked at 2.7 s. The
    # ego's centre is then at 51.35 + 27 = 78.35 (goes after), with 2 m/s2 at 85.6 (first), braking at 72.9 (after).
    drives = [bench.drive(10.0), bench.drive(10.0, 2.0), bench.drive(10.0, -1.5)]
    found, made = means(bench, drives, bench.Agent((80.0, -30.0), 10.0, UP))
    assert found == [
        (Manoeuvre.YIELD, agent(0)), (Manoeuvre.PASS_BEFORE, agent(0)), (Manoeuvre.YIELD, agent(0)),
    ]  # fmt: skip
    assert made.order[:, 0].tolist() == [Order.BEHIND, Order.BEFORE, Order.BEHIND] and made.contested.all()
    assert made.at_s == pytest.approx([2.7, 2.7, 2.7]) and not made.entered.any()


def test_one_who_crosses_long_before_or_after_is_not_yielded_to(bench):
    # At 200 m: with 1 m/s2 the ego is there after (sqrt(100 + 2 x 143.3) - 10) = 9.7 s, the car has gone by 3.4 s.
    found, made = means(bench, [bench.drive(10.0)], bench.Agent((200.0, -30.0), 10.0, UP))
    assert found == [(Manoeuvre.KEEP_LANE, "")] and made.order[0, 0] == Order.NEVER  # beyond what any candidate reaches
    found, made = means(bench, [bench.drive(10.0)], bench.Agent((100.0, -3.5), 10.0, UP))
    # In the way until 0.7 s; the ego at 100 - 0.9 after 3.9 s: less than 0.7 + 3 s it is not.
    assert found == [(Manoeuvre.KEEP_LANE, "")] and made.order[0, 0] == Order.BEHIND and not made.contested[0, 0]
    # Who only comes as far as the edge never shares the way.
    _, made = means(bench, [bench.drive(10.0)], bench.Agent((80.0, -30.0), 4.0, UP))
    assert made.order[0, 0] == Order.NEVER


def test_halting_short_of_one_who_crosses_is_yielding(bench):
    found, _ = means(bench, [bench.drive(10.0, -2.5)], bench.Agent((80.0, -20.0), 5.0, UP, AgentClass.PEDESTRIAN))
    assert found == [(Manoeuvre.YIELD, agent(0))]  # halts at 70 m, bumper 73.6


def test_an_oncoming_agent_is_yielded_to_where_there_is_one_way(bench):
    found, made = means(
        bench, [bench.drive(5.0, -1.0)], bench.Agent((120.0, 0.0), 8.0, LEFTWARD), scene=bench.scene(speed=5.0)
    )
    assert found == [(Manoeuvre.YIELD, agent(0))] and made.order[0, 0] == Order.BEHIND


STOPS = (
    StopPoint(StopKind.CROSSWALK, 5, 66.0, 70.0), StopPoint(StopKind.SIGNAL, 7, 78.0, 90.0, signals=(7,)),
    StopPoint(StopKind.GOAL, 0, 110.0, 400.0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("speed", "braking", "subject"),
    # Halts after v^2 / 2b: bumper at 53.6 + 12 = 65.6; + 24 = 77.6; + 11.1 = 64.7.
    [(6.0, -1.5, "crosswalk 5"), (10.0, -100.0 / 48.0, "signal 7"), (5.0, -25.0 / 22.2, "crosswalk 5")],
)
def test_halting_at_a_line(bench, speed, braking, subject):
    scene = bench.scene(speed=speed, route=bench.route(STOPS))
    found, made = means(bench, [bench.drive(speed, braking)], scene=scene)
    assert found == [(Manoeuvre.STOP, subject)]
    assert made.at_s[0] == pytest.approx(-speed / braking, abs=0.1)


def test_halting_at_the_goal_the_end_and_nowhere(bench):
    # Centre at 70 + 1.35 + 25 = 96.35, the goal at 97; the path's end at 400 m: bumper at 374.6 + 25 = 399.6.
    goal = bench.scene(route=bench.route((StopPoint(StopKind.GOAL, 0, 97.0, 400.0),), goal_s=97.0), s=70.0)
    halt = bench.drive(10.0, -2.0, s=70.0)
    assert means(bench, [halt], scene=goal)[0] == [(Manoeuvre.STOP, "the goal")]
    assert means(bench, [halt], scene=bench.scene(s=70.0))[0] == [(Manoeuvre.MINIMAL_RISK_STOP, "")]
    at_end = bench.drive(10.0, -2.0, s=371.0)
    assert means(bench, [at_end], scene=bench.scene(s=371.0))[0] == [(Manoeuvre.STOP, "the end of the path")]
    assert means(bench, [bench.drive(10.0, -6.0)])[0] == [(Manoeuvre.EMERGENCY_STOP, "")]


def test_halting_behind_one_who_stands(bench):
    # Bumper at 53.6 + 20 = 73.6, the car's rear at 80 - 2.25: 4.15 m. With one at 100 m it halts for nothing.
    halt = bench.drive(10.0, -2.5)
    assert means(bench, [halt], bench.Agent((80.0, 0.0)))[0] == [(Manoeuvre.STOP, agent(0))]
    assert means(bench, [halt], bench.Agent((100.0, 0.0)))[0] == [(Manoeuvre.MINIMAL_RISK_STOP, "")]


def test_passing_one_who_stands(bench):
    parked = bench.Agent((75.0, -0.8))
    by = [bench.drive(10.0, d_end=6.0), bench.drive(10.0, d_end=-6.0), bench.drive(10.0, 0.0)]
    found, made = means(bench, by, parked)
    assert found[0] == (Manoeuvre.PASS_LEFT, agent(0))
    # Beside it when the bumper is at 75 - 2.25: after 1.915 s, first asked at 2.1 s.
    assert made.at_s[0] == pytest.approx(2.1)
    assert found[2][0] == Manoeuvre.FOLLOW  # into it
    # Pulling out before it is reached: 2.5 m to the left where only the oncoming lane is.
    slow = means(bench, [bench.drive(2.0, d_end=2.5)], bench.Agent((75.0, -0.8)), scene=bench.scene(speed=2.0))
    assert slow[0] == [(Manoeuvre.PASS_LEFT, agent(0))]


def test_changing_lane_names_the_gap(bench):
    scene = bench.scene(route=bench.route(left_same=5.25))
    change = [bench.drive(10.0, d_end=3.5)]
    assert means(bench, change, scene=scene)[0] == [(Manoeuvre.CHANGE_LEFT, "")]
    ahead, behind = bench.Agent((90.0, 3.5), 10.0), bench.Agent((35.0, 3.5), 11.0)
    found, made = means(bench, change, ahead, behind, scene=scene)
    assert found == [(Manoeuvre.CHANGE_LEFT, agent(1))]
    assert made.order[0].tolist() == [Order.BEHIND, Order.BEFORE]
    # One who passes first: 14 m/s from 40 m is ahead of the ego before it has moved over.
    _, made = means(bench, change, bench.Agent((48.0, 3.5), 16.0), scene=scene)
    assert made.order[0, 0] == Order.BEHIND


def test_the_ego_has_entered_where_one_crosses_and_not_where_one_merges(bench):
    # Both come to where the ego's front is: one across, one from beside in the ego's direction.
    crossing, merging = bench.Agent((53.0, -8.0), 4.0, UP), bench.Agent((48.0, 3.4), 9.0, -0.15)
    _, made = means(bench, [bench.drive(3.0)], crossing, merging, scene=bench.scene(speed=3.0))
    assert made.contested[0].tolist() == [True, True] and made.entered[0].tolist() == [True, False]


def test_returning_to_the_lane(bench):
    scene = bench.scene(d=2.5)
    assert means(bench, [bench.drive(10.0, d=2.5, d_end=0.0)], scene=scene)[0] == [(Manoeuvre.RETURN, "")]
    # Wholly in a lane of the same direction: staying there is keeping it, going back is a change.
    scene = bench.scene(d=3.5, route=bench.route(left_same=5.25))
    found, _ = means(bench, [bench.drive(10.0, d=3.5), bench.drive(10.0, d=3.5, d_end=0.0)], scene=scene)
    assert found == [(Manoeuvre.KEEP_LANE, ""), (Manoeuvre.RETURN, "")]


def test_creeping_and_pulling_over(bench):
    scene = bench.scene(speed=1.0, route=bench.route((StopPoint(StopKind.YIELD, 3, 56.0, 70.0),)))
    assert means(bench, [bench.drive(1.0)], scene=scene)[0] == [(Manoeuvre.CREEP, "yield line 3")]
    assert means(bench, [bench.drive(1.0)], scene=bench.scene(speed=1.0))[0] == [(Manoeuvre.CREEP, "")]
    # The right edge is at -1.75: 1.75 - 0.7 - 0.925 = 0.125 m to the kerb.
    assert means(bench, [bench.drive(10.0, -2.0, d_end=-0.7)])[0] == [(Manoeuvre.PULL_OVER, "")]


def test_the_likeliest_mode_in_the_way_counts(bench):
    # It goes on along the other lane with 0.7, and crosses the ego's way with 0.3: with 0.1 that is not told.
    for chance, order in ((0.3, Order.BEHIND), (0.1, Order.NEVER)):
        turning = bench.Agent((75.0, 6.0), modes=((1.0 - chance, 8.0, LEFTWARD), (chance, 4.0, -UP)))
        _, made = means(bench, [bench.drive(10.0, -1.5)], turning)
        assert made.order[0, 0] == order


def test_a_candidate_that_is_not_finite_leaves_the_others_alone(bench):
    drives, crossing = [bench.drive(10.0), bench.drive(10.0, 2.0)], bench.Agent((80.0, -30.0), 10.0, UP)
    before, _ = means(bench, drives, crossing)
    spoiled = [tuple(np.where(np.arange(61) > 3, np.nan, column) for column in drives[0]), drives[1]]
    assert means(bench, spoiled, crossing)[0][1] == before[1]
    first = [tuple(np.full(61, np.nan) for _ in range(4)), drives[1]]
    assert means(bench, first, crossing)[0][1] == before[1]


def test_candidates_do_not_depend_on_each_other(bench):
    rng = np.random.default_rng(3)
    drives = [bench.drive(10.0, rng.uniform(-3, 2), d_end=rng.uniform(-1, 4)) for _ in range(40)]
    agents = [
        bench.Agent((rng.uniform(40, 120), rng.uniform(-20, 20)), rng.uniform(0, 12), rng.uniform(-3, 3))
        for _ in range(12)
    ]
    whole, made = means(bench, drives, *agents)
    for part in (range(0, 40, 3), range(5)):
        some, of_some = means(bench, [drives[i] for i in part], *agents)
        assert some == [whole[i] for i in part]
        assert np.array_equal(of_some.order, made.order[list(part)])


MIRRORED = {
    Manoeuvre.CHANGE_LEFT: Manoeuvre.CHANGE_RIGHT, Manoeuvre.CHANGE_RIGHT: Manoeuvre.CHANGE_LEFT,
    Manoeuvre.PASS_LEFT: Manoeuvre.PASS_RIGHT, Manoeuvre.PASS_RIGHT: Manoeuvre.PASS_LEFT,
}  # fmt: skip


@given(seed=st.integers(0, 10**6), wide=st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_mirrored_scene_means_the_mirrored_thing(bench, seed, wide):
    rng = np.random.default_rng(seed)
    same = 5.25 if wide else 1.75
    rows = [
        (rng.uniform(30, 130), rng.uniform(-15, 15), rng.choice([0.0, 6.0, 12.0]), rng.uniform(-3, 3)) for _ in range(8)
    ]
    ways = [(rng.choice([0.0, -1.0, -2.5, 1.0]), rng.uniform(-4, 4)) for _ in range(12)]
    start, speed = rng.uniform(-2.5, 2.5), rng.uniform(1.0, 12.0)

    def told(sign):
        route = bench.route(left_same=same)
        edge = np.full_like(route.s, 8.0)
        route = replace(route, right_same=np.full_like(route.s, same), left_drivable=edge, right_drivable=edge)
        scene = bench.scene(d=sign * start, speed=speed, route=route)
        agents = [bench.Agent((x, sign * y), v, sign * yaw) for x, y, v, yaw in rows]
        drives = [bench.drive(speed, a, d=sign * start, d_end=sign * end) for a, end in ways]
        return means(bench, drives, *agents, scene=scene)

    (ours, made), (theirs, mirrored) = told(1.0), told(-1.0)
    assert [(MIRRORED.get(manoeuvre, manoeuvre), subject) for manoeuvre, subject in ours] == theirs
    assert np.array_equal(made.order, mirrored.order) and np.array_equal(made.contested, mirrored.contested)
    # Whom a candidate yields to goes first, whom it passes before goes second, and both are contested.
    for i, (manoeuvre, _) in enumerate(ours):
        order = {Manoeuvre.YIELD: Order.BEHIND, Manoeuvre.PASS_BEFORE: Order.BEFORE}.get(manoeuvre)
        if order is not None:
            assert made.order[i, made.subject[i]] == order and made.contested[i, made.subject[i]]
