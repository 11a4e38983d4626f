"""Giving way and changing lanes, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass
from behaviors_ros.simulation.giving_way import Manners, Passage, Waited, give_way, taken, waited
from behaviors_ros.simulation.lane_change import LaneChange
from behaviors_ros.simulation.reactive import Idm, Reactive, reactive_path
from behaviors_ros.simulation.traffic import EGO, Body, Surroundings

# Own path along x, the other's along y from -100; both meet in a square of 4 m around the origin.
OWN = np.array([[-50.0, 0.0], [50.0, 0.0]])
OTHER = np.array([[0.0, -100.0], [0.0, 100.0]])
SQUARE = np.array([[-2.0, -2.0], [2.0, -2.0], [2.0, 2.0], [-2.0, 2.0]])
LINE = np.array([-5.0, 0.0])


def rule(**manners):
    return give_way(OWN, LINE, SQUARE, [OTHER], Manners(**manners))


def around(*agents, time_s=0.0):
    """Surroundings of (name, x, y, yaw, speed); boxes of 4 m x 2 m."""
    bodies = tuple(Body(name, AgentClass.CAR, 4.0, 2.0) for name, *_ in agents)
    x, y, yaw, speed = (np.array([agent[i] for agent in agents], dtype=np.float64) for i in range(1, 5))
    return Surroundings(time_s, bodies, np.stack((x, y), axis=1), yaw, speed, np.zeros(len(agents)), None)


def test_time_of_the_passage():
    # From standstill with 2 m/s^2: 4 m take sqrt(2 * 4 / 2) = 2 s; at most 2 m/s: 1 s for 1 m, then 3 m at 2 m/s.
    assert Passage(0.0, 0.0, 10.0, 2.0, 4.0).time_to(4.0) == pytest.approx(2.0)
    assert Passage(0.0, 0.0, 2.0, 2.0, 4.0).time_to(4.0) == pytest.approx(2.5)
    assert Passage(5.0, 3.0, 3.0, 2.0, 4.0).time_to(4.0) == 0.0


def test_the_rule_knows_where_its_area_lies():
    found = rule()
    assert found.line_s == pytest.approx(45.0)
    assert (found.enter_s, found.leave_s) == (pytest.approx(48.0, abs=0.5), pytest.approx(52.0, abs=0.5))


@pytest.mark.parametrize(("y", "speed", "expected"), [(-20.0, 5.0, True), (-60.0, 5.0, False), (12.0, 5.0, False)])
def test_who_takes_the_area(y, speed, expected):
    # The own rear leaves at 52 + 4 = 56: 11 m from standstill at 45 with 2 m/s^2 in 3.3 s; 1.5 s are left to others.
    # From y = -20 the other's front is 16 m before the area: 3.2 s, within it. From -60: 11 s. At 12 it is through.
    passage = Passage(45.0, 0.0, 10.0, 2.0, 4.0)
    seen = around(("other", 0.0, y, 0.5 * np.pi, speed))
    assert taken(rule(), passage, seen, np.array([0])).tolist() == [expected]


def test_only_who_is_inside_counts_where_the_rule_says_so():
    passage, others = Passage(45.0, 0.0, 10.0, 2.0, 4.0), np.array([0])
    coming, inside = (around(("other", 0.0, y, 0.5 * np.pi, 1.5)) for y in (-9.0, -1.0))
    assert not taken(rule(inside_only=True), passage, coming, others).any()
    assert taken(rule(inside_only=True), passage, inside, others).all()


def test_one_holds_while_it_is_taken_and_no_longer_than_it_can():
    passage = Passage(40.0, 4.0, 8.0, 2.0, 4.0)
    near, far = (around(("other", 0.0, y, 0.5 * np.pi, 8.0)) for y in (-20.0, -90.0))
    assert waited((rule(),), Waited(), passage, near, "me", 0.1)[1] == pytest.approx(45.0)
    assert waited((rule(),), Waited(), passage, far, "me", 0.1)[1] is None
    # At 10 m/s one metre before the line there is no stopping any more: 100 / 2 > 5 m/s^2.
    assert waited((rule(),), Waited(), Passage(44.0, 10.0, 10.0, 2.0, 4.0), near, "me", 0.1)[1] is None


def test_first_come_first_served():
    stop = rule(first_come=True, halt_s=1.0, patience_s=6.0)
    at_line, memory = Passage(44.5, 0.0, 10.0, 2.0, 4.0), Waited()
    # The other stands 3 m before the area when one arrives: it goes first, however long it takes to start.
    there = around(("other", 0.0, -7.0, 0.5 * np.pi, 0.0))
    for _ in range(30):
        memory, line = waited((stop,), memory, at_line, there, "me", 0.1)
    assert memory.before == ("other",) and line is not None
    for y in (-3.0, 0.0, 3.0):
        memory, line = waited((stop,), memory, at_line, around(("other", 0.0, y, 0.5 * np.pi, 3.0)), "me", 0.1)
        assert line is not None
    memory, line = waited((stop,), memory, at_line, around(("other", 0.0, 9.0, 0.5 * np.pi, 5.0)), "me", 0.1)
    assert line is None and memory.released


def test_one_who_came_later_does_not_go_first_and_patience_ends():
    stop, at_line, memory = (
        rule(first_come=True, halt_s=1.0, patience_s=6.0),
        Passage(44.5, 0.0, 10.0, 2.0, 4.0),
        Waited(),
    )
    empty, later = around(("other", 0.0, -40.0, 0.5 * np.pi, 5.0)), around(("other", 0.0, -7.0, 0.5 * np.pi, 0.0))
    for step in range(11):
        memory, line = waited((stop,), memory, at_line, empty if step < 3 else later, "me", 0.1)
    assert line is None
    memory = Waited()
    for _ in range(62):
        memory, line = waited((stop,), memory, at_line, later, "me", 0.1)
    assert line is None


def test_a_reactive_driver_waits_at_its_line_and_goes_after():
    idm = Idm(desired_speed_mps=8.0)
    path = replace(reactive_path(OWN, idm, None), gives_way=(rule(),))
    car = Reactive(Body("me", AgentClass.CAR, 4.0, 2.0), path, idm, 0.0, 8.0, started=True)
    slowest = 8.0
    for step in range(200):
        y = -48.0 + 8.0 * 0.1 * step
        seen = around((EGO, 500.0, 500.0, 0.0, 0.0), ("other", 0.0, y, 0.5 * np.pi, 8.0), time_s=0.1 * step)
        car = car.step(seen, 0.1)
        slowest = min(slowest, car.speed)
        if -6.0 < y < 6.0:
            assert car.front < 48.0
    assert slowest < 4.0 and car.s > 60.0


def test_a_lane_change_begins_at_the_gap_and_ends_at_the_offset():
    idm = Idm(desired_speed_mps=10.0)
    straight = np.stack((np.linspace(0.0, 200.0, 101), np.zeros(101)), axis=1)
    change = LaneChange(3.5, 3.0, ego_gap_m=(-2.0, 8.0))
    path = reactive_path(straight, idm, None)
    car = Reactive(Body("me", AgentClass.CAR, 4.0, 2.0), path, idm, 30.0, 10.0, started=True, change=change)
    # The ego's front bumper is 2 m before its centre: at x = 14 it is 12 m behind the rear at 28, at x = 20 it is 6 m.
    far, near = (around((EGO, x, 3.5, 0.0, 14.0)) for x in (14.0, 20.0))
    assert car.step(far, 0.1).change is change
    begun = car.step(near, 0.1)
    assert begun.change is None
    # 30 m at 10 m/s from s = 31: at the end 3.5 m to the left, half of it half way.
    x, y = begun.path.frame.points.T
    assert np.interp(61.5, x, y) == pytest.approx(3.5, abs=0.01)
    assert np.interp(46.0, x, y) == pytest.approx(1.75, abs=0.1)
    assert np.interp(30.0, x, y) == pytest.approx(0.0, abs=1e-3)
