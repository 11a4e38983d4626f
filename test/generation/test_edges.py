"""Odd starts and ends of the path: always a motion that the vehicle can make, and one that is no stop."""

import math
from dataclasses import replace

import numpy as np
import pytest
from generation_scenes import GRID, boxes, planned, scene, straight, turn

from behaviors_ros import registry
from behaviors_ros.generation import interface
from behaviors_ros.generation.generate import distinct, generate
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring import interface as scoring

pytestmark = pytest.mark.usefixtures("without_shape_checks")
assert interface.Generator and scoring.Gate  # importing them registers the plugins
VEHICLE = Vehicle()
NAMES = ("idm_proposals", "lattice", "minimal_risk_stop", "previous")
ALL = [registry.create("generator", name, {}, VEHICLE) for name in NAMES]
KINEMATIC = registry.create("gate", "kinematic", {}, VEHICLE)
DRIVABLE = registry.create("gate", "drivable_area", {}, VEHICLE)
NOBODY = boxes([])
SHORT = straight(40.0, goal_s=35.0)


def admitted(now, gates=(KINEMATIC, DRIVABLE)):
    """The candidates of a scene, and which of them pass the gates, move, and are no stop."""
    candidates = generate(now, NOBODY, GRID, ALL)
    good = np.all([gate.check(now, NOBODY, candidates).passed for gate in gates], axis=0)
    moved = np.hypot(*(candidates.position[:, -1] - candidates.position[:, 0]).T) > 1.0
    return candidates, good, good & moved & ~candidates.is_stop


@pytest.mark.parametrize("steering", [-0.6, -0.3, 0.0, 0.3, 0.6])
@pytest.mark.parametrize("speed", [0.0, 0.2, 1.0])
def test_starts_with_the_wheels_turned(steering, speed):
    candidates, _, moving = admitted(scene(straight(), speed=speed, steering=steering))
    assert moving.any()
    # from standstill the wheel begins where it is, and turns back only as fast as it can
    wheel = np.arctan(VEHICLE.wheel_base_m * candidates.curvature[moving])
    assert wheel[:, 0] == pytest.approx(np.full(moving.sum(), steering), abs=1e-5)


# The rear axle's least radius is 2.7 / tan(0.6) = 3.95 m.
@pytest.mark.parametrize("radius", [5.0, 6.0, 8.0])
@pytest.mark.parametrize("angle", [math.pi / 2, math.pi, 1.5 * math.pi], ids=["turn", "U-turn", "roundabout"])
@pytest.mark.parametrize("speed", [0.0, 3.0])
def test_tight_curves(radius, angle, speed):
    candidates, _, moving = admitted(scene(turn(radius, angle=angle), x=17.0, speed=speed))
    assert moving.any()
    assert (candidates.s[moving, -1] - candidates.s[moving, 0]).max() > 8.0


@pytest.mark.parametrize("speed", [16.0, 19.0, 21.5])
def test_a_curve_that_is_met_far_too_fast(speed):
    # 50 m before a curve of 12 m: at 4 m/s2 across it takes 6.9 m/s, (21.5^2 - 6.9^2) / 100 = 4.1 m/s2 of braking
    candidates, _, moving = admitted(scene(turn(12.0, before=60.0), x=10.0, speed=speed))
    assert moving.any()
    assert (np.abs(candidates.curvature) * candidates.speed**2)[moving].max() <= 4.05


def test_within_a_roundabout():
    radius, angle = 6.0, math.pi / 2
    now = scene(
        turn(radius, angle=2.0 * math.pi, before=15.0), x=15.0 + radius * math.sin(angle),
        y=radius * (1.0 - math.cos(angle)), yaw=angle, speed=3.0, steering=math.atan(2.7 / radius),
    )  # fmt: skip
    assert admitted(now)[2].any()


@pytest.mark.parametrize("x", [20.0, 33.0, 33.65, 33.95, 35.0, 36.4, 39.0, 41.0, 45.0])
@pytest.mark.parametrize("speed", [0.0, 3.0, 9.0])
def test_path_ends_within_the_horizon(x, speed):
    # the box centre is at the goal (35 m) for x = 33.65, past it by 0.3 m for 33.95; the path ends at 40 m
    candidates, good, moving = admitted(scene(SHORT, x=x, speed=speed))
    assert good.any() and moving.any() and (good & candidates.is_stop).any()


@pytest.mark.parametrize("length", [1.0, 3.0])
@pytest.mark.parametrize("speed", [0.0, 2.0, 8.0])
def test_route_shorter_than_the_vehicle(length, speed):
    candidates, good, moving = admitted(scene(straight(length), x=0.0, speed=speed))
    assert moving.any() and (good & candidates.is_stop).any()


@pytest.mark.parametrize("y", [-5.0, 5.0])
@pytest.mark.parametrize("speed", [0.0, 3.0, 8.0])
def test_beside_the_route(y, speed):
    candidates, _, moving = admitted(scene(straight(), y=y, speed=speed))
    assert moving.any()
    assert np.abs(candidates.d[moving, -1]).min() < 0.5 * abs(y) or speed == 0.0


@pytest.mark.parametrize("yaw", [-2.1, 2.1, math.pi])
@pytest.mark.parametrize("speed", [0.0, 3.0, 8.0])
def test_turned_away(yaw, speed):
    # the vehicle can turn round; what is drivable is too narrow for that
    candidates, _, moving = admitted(scene(straight(), yaw=yaw, speed=speed), (KINEMATIC,))
    assert moving.any()
    assert np.cos(candidates.yaw[moving, -1]).max() > math.cos(yaw) + 0.2


def test_an_expired_plan_is_not_continued():
    first = generate(scene(straight(), speed=8.0), NOBODY, GRID, ALL)
    plan = replace(planned(first, 0), valid_until_ns=50_000_000)
    now = scene(straight(), x=10.8, speed=8.0, stamp_ns=100_000_000, previous=plan)
    candidates, _, moving = admitted(now)
    assert moving.any() and "previous" not in candidates.generator


def test_of_equal_motions_one_is_kept_that_is_no_stop_of_minimal_risk():
    # The lattice is first to make it but for the stop of minimal risk, and makes it twice on one path: its last counts.
    made = generate(scene(straight(), speed=0.0), NOBODY, GRID, ALL)
    row = made.generator.index("minimal_risk_stop")
    twice = replace(made.take(np.full(4, row)), generator=("minimal_risk_stop", "lattice", "previous", "lattice"))
    assert distinct(twice).tolist() == [3]
    assert distinct(twice.take(np.array([0, 0]))).tolist() == [1]
    assert distinct(made).tolist() == list(range(len(made)))
