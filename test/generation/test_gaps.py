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
from behaviors_ros.generation.gaps import Gaps, gaps, least_jerk
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
    # B's rear at 107.75 m. Kept to both: 2 + 0.3 x 10 = 5 m. The rear axle may be from 82.25 + 5 + 0.9 = 88.15 m to
    # 107.75 - 5 - 3.6 = 99.15 m; coasting it is at 90 m, within: no alignment needed, 40 m from the start.
    agents = boxes([(40.0, 3.5, 0.0, 10.0), (70.0, 3.5, 0.0, 10.0)])
    now = scene(two_lanes(), x=50.0, speed=10.0)
    between = [gap for gap in gaps_of(now, agents) if gap.label == "behind 0002, before 0001"]
    assert len(between) == 1
    assert (between[0].distance, between[0].speed) == pytest.approx((40.0, 10.0), abs=0.02)


def test_small_gaps_are_none():
    # between A's front and B's rear 12.5 m: less than 2 x 5 + 4.5 m
    agents = boxes([(43.0, 3.5, 0.0, 10.0), (60.0, 3.5, 0.0, 10.0)])
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
    # it falls back by 10.9 m within 5.5 s, still 2 m/s slower then: to regain the speed, too, would take 2.1 m/s2
    assert candidates.speed[behind, -1] == pytest.approx(np.full(len(behind), 8.0), abs=0.2)
    assert (50.0 + 60.0 - 2.25 - candidates.s[behind, -1] - 3.6 > 4.9).all()


def test_nobody_beside_nothing_offered():
    now = scene(two_lanes(), x=50.0, speed=10.0)
    assert len(GENERATOR.generate(now, boxes([]), GRID)) == 0
    one_lane = scene(straight(), x=50.0, speed=10.0)
    assert len(GENERATOR.generate(one_lane, boxes([(60.0, 3.5, 0.0, 10.0)]), GRID)) == 0
