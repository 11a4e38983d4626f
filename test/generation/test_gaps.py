"""Lane changes into gaps between agents of the lane beside."""

from dataclasses import replace

import numpy as np
import pytest
from generation_scenes import GRID, boxes, scene, straight
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros import registry
from behaviors_ros.generation import interface
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.gaps import Gap, Gaps, _back, _joined, gaps, least_jerk
from behaviors_ros.generation.offsets import Lateral
from behaviors_ros.generation.paths import Profile
from behaviors_ros.generation.situation import situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring import interface as scoring

assert interface.Generator and scoring.Gate  # importing them registers the plugins
VEHICLE = Vehicle()
GENERATOR = registry.create("generator", "merging", {}, VEHICLE)
GATES = [registry.create("gate", name, {}, VEHICLE) for name in ("kinematic", "collision", "drivable_area")]


def two_lanes():
    """A second lane of the same direction on the left, its centre at 3.5 m."""
    route = straight()
    return replace(route, left_same=np.full(len(route.s), 5.25))


def gaps_of(now, agents, **values):
    """The gaps in the left lane at 4 s, and the station of the start."""
    situation = situation_of(now, agents, GRID, VEHICLE, Driving(), Stitching())
    return gaps(situation, 3.5, Gaps(times_s=(4.0,), **values))


def test_minimal_jerk_from_rest_to_rest():
    # Flash and Hogan: s = D (10 u^3 - 15 u^4 + 6 u^5); at half time half way, at speed 1.875 D / T
    time = np.array([0.0, 2.0, 4.0, 5.0])
    motion = least_jerk(0.0, 0.0, np.array([8.0]), np.array([0.0]), np.array([4.0]), time)[0]
    assert motion[:, 0] == pytest.approx([0.0, 4.0, 8.0, 8.0])
    assert motion[:, 1] == pytest.approx([0.0, 1.875 * 8.0 / 4.0, 0.0, 0.0])
    assert motion[:, 2] == pytest.approx(np.zeros(4), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 20.0), st.floats(-2.0, 2.0), st.floats(5.0, 80.0), st.floats(0.0, 20.0), st.floats(2.0, 5.0))
def test_least_jerk_is_its_own_integral(speed, acceleration, distance, end, duration):
    time = np.linspace(0.0, 6.0, 1201)
    ends = (np.array([number]) for number in (distance, end, duration))
    x, v, a = least_jerk(speed, acceleration, *ends, time)[0].T
    assert (v[0], a[0]) == pytest.approx((speed, acceleration), abs=1e-9)
    assert np.interp(duration, time, x) == pytest.approx(distance, abs=0.05)
    assert x == pytest.approx(np.concatenate(([0], np.cumsum(0.0025 * (v[1:] + v[:-1])))), abs=0.02)
    assert v - v[0] == pytest.approx(np.concatenate(([0], np.cumsum(0.0025 * (a[1:] + a[:-1])))), abs=0.05)


def test_gaps_lie_between_agents():
    # Ego at x = 50 m, 10 m/s; in the left lane, 10 m/s: A at 40 m and B at 70 m. In 4 s A's front is at 82.25 m,
    # B's rear at 107.75 m. Kept to both: 1.5 + 0.15 x 10 = 3 m. The rear axle may be from 82.25 + 3 + 0.9 = 86.15 m
    # to 107.75 - 3 - 3.6 = 101.15 m; coasting it is at 90 m, within: no alignment needed, 40 m from the start.
    agents = boxes([(40.0, 3.5, 0.0, 10.0), (70.0, 3.5, 0.0, 10.0)])
    now = scene(two_lanes(), x=50.0, speed=10.0)
    between = [gap for gap in gaps_of(now, agents) if gap.label == "behind 0002, before 0001"]
    assert len(between) == 1
    assert (between[0].distance, between[0].speed) == pytest.approx((40.0, 10.0), abs=0.02)


def test_small_gaps_are_none():
    # between A's front and B's rear 10.4 m: less than 2 x 3 + 4.5 m
    agents = boxes([(43.0, 3.5, 0.0, 10.0), (57.9, 3.5, 0.0, 10.0)])
    labels = [gap.label for gap in gaps_of(scene(two_lanes(), x=50.0, speed=10.0), agents)]
    assert "behind 0002, before 0001" not in labels and {"behind 0001", "before 0002"} <= set(labels)


def test_agents_of_the_own_lane_make_no_gaps():
    assert gaps_of(scene(two_lanes(), x=50.0, speed=10.0), boxes([(80.0, 0.0, 0.0, 10.0)])) == []


def test_falls_in_behind_one_alongside():
    # A drives beside the ego at 10 m/s: it falls back behind it and changes then
    agents = boxes([(50.0, 3.5, 0.0, 10.0)])
    now = scene(two_lanes(), x=50.0, speed=10.0)
    candidates = GENERATOR.generate(now, agents, GRID)
    behind = [i for i, label in enumerate(candidates.label) if "behind 0001" in label]
    assert behind
    for gate in GATES:
        assert gate.check(now, agents, candidates).passed[behind].all(), gate.name
    assert (candidates.d[behind, 0] == 0.0).all() and (candidates.d[behind, -1] > 1.75).all()
    # It falls back by 2.25 + 3 + 3.6 = 8.85 m within 5.5 s, still 2 m/s slower then: to regain the speed, too, would
    # take 10 / sqrt(3) x 8.85 / 5.5^2 = 1.69 m/s2, more than 1.6. The 3 m kept have become 4 m half a second later.
    assert candidates.speed[behind, -1] == pytest.approx(np.full(len(behind), 8.0), abs=0.2)
    assert (50.0 + 60.0 - 2.25 - candidates.s[behind, -1] - 3.6 > 3.9).all()


def test_nobody_beside_nothing_offered():
    now = scene(two_lanes(), x=50.0, speed=10.0)
    assert len(GENERATOR.generate(now, boxes([]), GRID)) == 0
    one_lane = scene(straight(), x=50.0, speed=10.0)
    assert len(GENERATOR.generate(one_lane, boxes([(60.0, 3.5, 0.0, 10.0)]), GRID)) == 0


OFF = Lateral()


def joined_of(now, agents):
    return _joined(situation_of(now, agents, GRID, VEHICLE, Driving(), Stitching()), Gaps())


def coming_in(y_from: float, y_to: float):
    """A car beside the ego at 10 m/s that moves across from one offset to another in 6 s."""
    made = boxes([(50.0, y_from, 0.0, 10.0)])
    made.position[0, 0, :, 1] = np.linspace(y_from, y_to, GRID.steps)
    return made


def test_who_joins_the_route_s_lane():
    # The lane begins 1.2 m beside its centre: an ego farther off comes into it, and so does who is off it now only.
    here, beside = scene(two_lanes(), x=50.0, speed=10.0), scene(two_lanes(), x=50.0, y=1.3, speed=10.0)
    follower, cutting_in, leaving = boxes([(30.0, 0.0, 0.0, 10.0)]), coming_in(3.5, 0.0), coming_in(0.0, 3.5)
    stays = boxes([(50.0, 3.5, 0.0, 10.0)])
    assert joined_of(beside, follower) and joined_of(here, cutting_in)
    assert not joined_of(here, follower) and not joined_of(here, leaving) and not joined_of(here, stays)


def test_back_into_the_route_s_lane_between_those_in_it():
    # The ego in the left lane at 10 m/s; in the route's lane A 20 m behind and B 20 m ahead: it stays in the left lane
    # until it is beside the gap, and is in the route's lane soon after.
    now = scene(two_lanes(), x=50.0, y=3.5, speed=10.0)
    candidates = GENERATOR.generate(now, boxes([(30.0, 0.0, 0.0, 10.0), (75.0, 0.0, 0.0, 10.0)]), GRID)
    rows = [
        row for row, label in enumerate(candidates.label) if label.startswith("keep lane, behind 0002, before 0001")
    ]
    assert rows
    for row in rows:
        time = float(candidates.label[row].split(" in ")[-1].removesuffix(" s"))
        d = candidates.d[row]
        assert d[0] == pytest.approx(3.5, abs=1e-3) and abs(d[-1]) < 0.3
        assert (np.abs(d - 3.5)[: round(10.0 * time) // 4] < 0.6).all()
        crosses_s = GRID.time_s[np.argmax(d < 1.75)]
        assert crosses_s < time + 1.0


def test_back_by_hand():
    # Kept at 3.5 m, then over a length L to 0, which begins 0.85 L before the gap. Quickest, over 3.5 m at 10 m/s in
    # 2 s: 10 x 2 = 20 m; steered (60 x 3.5 x 10 x 2.7 / (0.7 x 0.6))^(1/3) = 23.8 m, the longest.
    now = scene(two_lanes(), x=50.0, y=3.5, speed=10.0)
    situation = situation_of(now, boxes([(30.0, 0.0, 0.0, 10.0)]), GRID, VEHICLE, Driving(), Stitching())
    back = _back(situation, OFF, Profile("keep lane", 0.0, 30.0), Gap("before 0001", 4.0, 60.0, 10.0))
    length = (60.0 * 3.5 * 10.0 * 2.7 / 0.42) ** (1.0 / 3.0)
    assert back.label == "keep lane, before 0001, at 10.0 m/s in 4.0 s"
    assert (back.offset_m, back.then_m) == pytest.approx((3.5, 0.0), abs=0.01)
    assert back.back_m == pytest.approx(60.0 - 0.85 * length, abs=0.1) and back.then_length_m == pytest.approx(
        length, abs=0.1
    )
