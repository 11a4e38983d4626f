"""Contract over all registered generators, and the promises of the whole set."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from generation_scenes import GRID, boxes, planned, scene, straight, turn
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros import registry
from behaviors_ros.datatypes import Candidates, Goal, Grid, StopKind, StopPoint
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.generation import interface
from behaviors_ros.generation.generate import generate
from behaviors_ros.parameters import Vehicle

assert interface.Generator  # importing it registers the room's plugins
VEHICLE = Vehicle()
NAMES = registry.names("generator")
ALL = [registry.create("generator", name, {}, VEHICLE) for name in NAMES]
SIGNAL = StopPoint(StopKind.SIGNAL, 12, 60.0, 75.0, (12,))
ROUTE = straight(stops=(SIGNAL,))
BEND = turn(6.0)
SHORT = straight(40.0, goal_s=35.0)
PARKED = boxes([(60.0, -1.2, 0.0, 0.0), (45.0, 3.5, math.pi, 8.0), (-20.0, 0.0, 0.0, 12.0)])
NOBODY = boxes([])


def before(route, speed=8.0, **more):
    """A scene one step after a plan that keeps the lane."""
    first = generate(scene(route, speed=speed, **more), PARKED, GRID, ALL)
    plan = planned(first, first.label.index(next(label for label in first.label if label.startswith("keep lane"))))
    at = plan.trajectory
    return scene(
        route, *at.position[1], at.yaw[1], at.speed[1], at.acceleration[1],
        math.atan(at.curvature[1] * VEHICLE.wheel_base_m), 100_000_000, plan,
    )  # fmt: skip


def check(candidates: Candidates) -> None:
    """Shapes, finite values, and the kinematics by finite differences: a second derivation."""
    count, steps = len(candidates), len(candidates.time_s)
    assert len(candidates.label) == count and all(candidates.label)
    for name in ("yaw", "speed", "acceleration", "curvature", "s", "d"):
        assert getattr(candidates, name).shape == (count, steps)
        assert np.isfinite(getattr(candidates, name)).all(), name
    assert candidates.position.shape == (count, steps, 2) and np.isfinite(candidates.position).all()
    stops = (candidates.speed[:, -1] < 1e-3) | (np.array(candidates.generator) == "minimal_risk_stop")
    assert (candidates.is_stop == stops).all()
    assert (candidates.speed >= 0.0).all()
    kinematics(candidates)


def kinematics(c: Candidates) -> None:
    dt = c.time_s[1]
    before, after = slice(None, -1), slice(1, None)
    mean = 0.5 * (c.speed[:, before] + c.speed[:, after])
    moved = np.diff(c.position, axis=1)
    heading = 0.5 * (c.yaw[:, before] + c.yaw[:, after])
    along = np.cos(heading) * moved[..., 0] + np.sin(heading) * moved[..., 1]
    across = np.cos(heading) * moved[..., 1] - np.sin(heading) * moved[..., 0]
    jerk = np.abs(np.diff(c.acceleration, axis=1)) / dt
    # the mean speed differs from the moved distance by jerk dt^2 / 12 and by half a step where braking ends within it
    slack = 0.02 + 0.02 * mean + 0.6 * dt * np.abs(c.acceleration[:, before])
    assert (np.abs(along / dt - mean) <= slack).all()
    assert (np.abs(across) <= 0.02 + 0.02 * mean * dt).all()
    turned = np.diff(c.yaw, axis=1)
    bent = 0.5 * (c.curvature[:, before] + c.curvature[:, after]) * np.hypot(moved[..., 0], moved[..., 1])
    assert (np.abs(turned - bent) <= 0.01 + 0.1 * np.abs(bent)).all()
    gained = np.diff(c.speed, axis=1) / dt
    mean_a = 0.5 * (c.acceleration[:, before] + c.acceleration[:, after])
    # a jerk that changes by J within a step makes the mean of both ends differ from the mean by at most J dt / 4
    slack = 0.02 + 0.26 * dt * jerk.max(axis=1, keepdims=True) + 0.5 * dt * jerk * (c.speed[:, after] < 0.5)
    assert (np.abs(gained - mean_a) <= slack).all()


def starts_at(candidates: Candidates, x, y, yaw, speed, curvature) -> None:
    assert candidates.position[:, 0] == pytest.approx(np.tile([x, y], (len(candidates), 1)), abs=2e-4)
    assert np.cos(candidates.yaw[:, 0] - yaw) == pytest.approx(np.ones(len(candidates)), abs=1e-6)
    assert candidates.speed[:, 0] == pytest.approx(np.full(len(candidates), speed), abs=1e-5)
    assert candidates.curvature[:, 0] == pytest.approx(np.full(len(candidates), curvature), abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("route", [ROUTE, BEND, SHORT], ids=["straight", "tight turn", "short"])
@pytest.mark.parametrize("agents", [PARKED, NOBODY], ids=["agents", "empty"])
def test_contract(name, route, agents):
    generator = registry.create("generator", name, {}, VEHICLE)
    for case in (scene(route), scene(route, y=0.3, yaw=0.1, speed=9.0, steering=0.1), before(route)):
        candidates = generator.generate(case, agents, GRID)
        assert set(candidates.generator) <= {name} and candidates.stamp_ns == case.stamp_ns
        check(candidates)
        if len(candidates):
            ego = case.ego
            curvature = math.tan(ego.steering) / VEHICLE.wheel_base_m
            starts_at(candidates, *ego.position, ego.yaw, ego.speed, curvature)


@pytest.mark.parametrize("name", NAMES)
def test_deterministic(name):
    case, generator = before(BEND), registry.create("generator", name, {}, VEHICLE)
    once = generator.generate(case, PARKED, GRID)
    again = generator.generate(replace(case), replace(PARKED), GRID)
    for item in fields(Candidates):
        assert np.array_equal(getattr(once, item.name), getattr(again, item.name)), item.name


@pytest.mark.parametrize("name", NAMES)
def test_rigid_motion(name):
    generator = registry.create("generator", name, {}, VEHICLE)
    turn_by, shift = 2.1, np.array([300.0, -200.0])
    rotation = np.array([[math.cos(turn_by), -math.sin(turn_by)], [math.sin(turn_by), math.cos(turn_by)]])

    def move(points):
        return points @ rotation.T + shift

    case = before(BEND)
    trajectory, route = case.previous.trajectory, case.route
    moved_trajectory = replace(trajectory, position=move(trajectory.position), yaw=trajectory.yaw + turn_by)
    moved = replace(
        case,
        ego=replace(case.ego, position=move(case.ego.position), yaw=case.ego.yaw + turn_by),
        route=replace(route, path=move(route.path), goal=Goal(move(route.goal.position))),
        previous=replace(case.previous, trajectory=moved_trajectory),
    )
    agents = replace(PARKED, position=move(PARKED.position), yaw=PARKED.yaw + turn_by)
    here, there = generator.generate(case, PARKED, GRID), generator.generate(moved, agents, GRID)
    assert here.label == there.label
    assert move(here.position) == pytest.approx(there.position, abs=2e-3)
    assert np.cos(here.yaw + turn_by - there.yaw) == pytest.approx(np.ones_like(here.yaw), abs=1e-5)
    for one in ("speed", "s", "d"):
        assert getattr(here, one) == pytest.approx(getattr(there, one), abs=2e-3)


@pytest.mark.parametrize("grid", [Grid(0.1, 61), Grid(0.2, 41), Grid(0.1, 11)])
def test_other_grids(grid):
    candidates = generate(scene(ROUTE, speed=6.0), boxes([(60.0, -1.2, 0.0, 0.0)], grid=grid), grid, ALL)
    assert candidates.position.shape[1] == grid.steps
    assert np.isfinite(candidates.position).all()


def test_nothing_made_is_wrong_use():
    with pytest.raises(BehaviorsError, match="minimal_risk_stop"):
        generate(scene(ROUTE), NOBODY, GRID, [])


def test_too_fast_to_stand_within_the_horizon_the_hardest_stop_is_still_the_stop():
    # 1 s at 8 m/s2, built up at 10 m/s3, takes away 0.8^2 / 2 * 10 + 0.2 * 8 = 4.8 m/s of 10 m/s.
    found = generate(scene(ROUTE, speed=10.0), NOBODY, Grid(0.1, 11), ALL)
    assert set(np.array(found.generator)[found.is_stop]) == {"minimal_risk_stop"}
    assert found.speed[found.is_stop, -1] == pytest.approx(5.2, abs=0.01)


def test_route_without_length_is_one_clear_error():
    one = {
        item.name: getattr(ROUTE, item.name)[:1]
        for item in fields(ROUTE)
        if isinstance(getattr(ROUTE, item.name), np.ndarray)
    }
    broken = replace(ROUTE, **one)
    with pytest.raises(InputError, match="route: path: has no length"):
        generate(scene(broken), NOBODY, GRID, ALL)


def test_default_count_and_thousand():
    usual = generate(scene(ROUTE, speed=8.0), PARKED, GRID, ALL)
    assert 90 <= len(usual) <= 260
    # 61 speeds, four strengths, seven paths or more: 1708 motions before the equal ones go.
    many = {
        "longitudinal": {
            "speed_fractions": tuple(np.linspace(0.0, 1.0, 61)), "accelerations_mps2": (0.6, 1.0, 1.4, 1.8)
        }
    }  # fmt: skip
    rich = [registry.create("generator", "lattice", many, VEHICLE), *ALL]
    assert len(generate(scene(ROUTE, speed=8.0), PARKED, GRID, rich)) >= 1000


def test_equal_motions_are_one():
    # 0.6 and 0.8 of a limit that a halt behind the parked agent never lets the ego reach make the same motion.
    together = [generator.generate(scene(ROUTE, speed=8.0), PARKED, GRID) for generator in ALL]
    made = generate(scene(ROUTE, speed=8.0), PARKED, GRID, ALL)
    assert len(made) < sum(len(group) for group in together)
    columns = np.concatenate((made.position[:, 10::10].reshape(len(made), -1), made.speed[:, 10::10]), axis=1)
    assert len(np.unique(columns.round(3), axis=0)) == len(made)


start_states = {
    "x": st.floats(-60.0, 120.0), "y": st.floats(-30.0, 30.0), "yaw": st.floats(-7.0, 7.0),
    "speed": st.floats(-2.0, 40.0), "acceleration": st.floats(-8.0, 4.0), "steering": st.floats(-0.6, 0.6),
}  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(route=st.sampled_from([ROUTE, BEND, SHORT]), state=st.fixed_dictionaries(start_states))
def test_any_start_has_a_stop(route, state):
    now = scene(route, **state)
    candidates = generate(now, PARKED, GRID, ALL)
    for name in ("position", "yaw", "speed", "acceleration", "curvature", "s", "d"):
        assert np.isfinite(getattr(candidates, name)).all(), name
    last_resort = next(generator for generator in ALL if generator.name == "minimal_risk_stop")
    stops = last_resort.generate(now, PARKED, GRID).speed
    assert candidates.is_stop.any() or state["speed"] >= 38.0
    # 40 m/s at 8 m/s2 built up and released at 10 m/s3 takes 5 + 0.8 s, and longer from an acceleration of 2.4 m/s2
    if state["speed"] < 38.0:
        assert stops[:, -1].min() == 0.0
    assert (np.diff(stops, axis=1) <= 0.02 + 0.1 * 2.4).all()
    labels = np.array([label.endswith("straight ahead") or "return to the lane" in label for label in candidates.label])
    limit = max(VEHICLE.curvature_max_1pm, math.tan(abs(state["steering"])) / VEHICLE.wheel_base_m)
    assert (np.abs(candidates.curvature[labels]) <= limit + 1e-6).all()
