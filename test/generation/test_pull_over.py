"""Coming to rest at the side of the road."""

import math
from dataclasses import replace

import numpy as np
import pytest
from generation_scenes import GRID, boxes, planned, scene, straight

from behaviors_ros import registry
from behaviors_ros.datatypes import Degraded, Goal, StopKind, StopPoint
from behaviors_ros.generation import interface
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.roadside import Roadside, next_clear
from behaviors_ros.generation.situation import situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring import interface as scoring

pytestmark = pytest.mark.usefixtures("without_shape_checks")
assert interface.Generator and scoring.Gate  # importing them registers the plugins
VEHICLE = Vehicle()
GENERATOR = registry.create("generator", "pull_over", {}, VEHICLE)
GATES = [registry.create("gate", name, {}, VEHICLE) for name in ("kinematic", "drivable_area")]
NOBODY = boxes([])


def shoulder(goal=(80.0, -3.5), stops=()):
    """A road with 2.75 m of shoulder right of the lane of 1.75 m, and a goal."""
    route = straight(200.0, stops=stops, goal_s=goal[0])
    return replace(route, right_drivable=np.full(len(route.s), 4.5), goal=Goal(np.array(goal)))


def place_of(now, agents=NOBODY, **values):
    """The next clear place."""
    return next_clear(situation_of(now, agents, GRID, VEHICLE, Driving(), Stitching()), Roadside(**values))


def driven(route, degraded=Degraded.NONE, cycles=170):
    """The state after following the first admitted candidate of each cycle, until there is none."""
    plan, state = None, {"x": 30.0, "speed": 8.0}
    for cycle in range(cycles):
        now = scene(route, stamp_ns=cycle * 100_000_000, previous=plan, **state)
        now = replace(now, degraded=degraded if cycle == 0 else Degraded.NONE)
        candidates = GENERATOR.generate(now, NOBODY, GRID)
        good = np.all([gate.check(now, NOBODY, candidates).passed for gate in GATES], axis=0)
        assert good.any(), (cycle, state)
        plan = planned(candidates, int(np.flatnonzero(good)[0]))
        at = plan.trajectory
        state = {
            "x": at.position[1, 0], "y": at.position[1, 1], "yaw": at.yaw[1], "speed": at.speed[1],
            "acceleration": at.acceleration[1], "steering": math.atan(at.curvature[1] * VEHICLE.wheel_base_m),
        }  # fmt: skip
    return state


def test_halts_at_a_goal_at_the_kerb_parallel_to_the_road():
    # The middle line may be as far as 4.5 - 0.925 - 0.3 = 3.275 m to the right; box centre at 80 m: rear axle 78.65 m.
    state = driven(shoulder())
    assert state["speed"] == 0.0
    assert (state["x"], state["y"]) == pytest.approx((78.65, -3.275), abs=0.1)
    assert state["yaw"] == pytest.approx(0.0, abs=0.02)


def test_the_place_at_the_roadside_is_kept_from_cycle_to_cycle():
    # the first cycle alone asks for a stop of least risk, see below for its place
    state = driven(shoulder((150.0, 0.0)), Degraded.TRACKS_LATE)
    assert state["speed"] == 0.0
    assert (state["x"], state["y"]) == pytest.approx((66.0, -3.275), abs=0.1)


@pytest.mark.parametrize("goal", [(80.0, 0.0), (80.0, 0.5), (80.0, -9.0), (8.0, -3.0)])
def test_a_goal_in_the_way_off_the_road_or_behind_asks_for_nothing(goal):
    assert len(GENERATOR.generate(scene(shoulder(goal), x=30.0, speed=8.0), NOBODY, GRID)) == 0


def test_least_risk_only_when_asked_for():
    now = scene(shoulder((150.0, 0.0)), x=30.0, speed=8.0)
    assert len(GENERATOR.generate(now, NOBODY, GRID)) == 0
    late = replace(now, degraded=Degraded.TRACKS_LATE)
    candidates = GENERATOR.generate(late, NOBODY, GRID)
    assert len(candidates) and all("roadside" in label for label in candidates.label)
    assert np.all([gate.check(late, NOBODY, candidates).passed for gate in GATES])
    # braking at 1.2 m/s2 from 8 m/s after a second takes 26.7 + 8 m: the place after 64.7 m is at 66 m
    # from 30 m: at 66 m it comes to rest after the horizon, on the way to the side
    assert candidates.s.max() <= 66.05 and (candidates.speed[:, -1] < 5.0).all()
    assert (candidates.d[:, -1] < -1.0).all()


def test_a_place_is_clear_of_lines_crosswalks_and_who_stands_there():
    now = scene(shoulder((150.0, 0.0)), x=30.0, speed=8.0)
    assert place_of(now).s == pytest.approx(66.0)
    # a crosswalk from 70 to 75 m with its line at 68 m, 5 m kept: not from 63 - 3.6 to 80 + 0.9 m: 82 m
    walk = StopPoint(StopKind.CROSSWALK, 1, 68.0, 75.0)
    assert place_of(replace(now, route=shoulder((150.0, 0.0), (walk,)))).s == pytest.approx(82.0)
    # one parked at 70 m, 67.75 to 72.25 m: 2 m behind the bumper no, 66 + 3.6 > 65.75; after it 72.25 + 2 + 0.9 = 75.15
    assert place_of(now, boxes([(70.0, -3.2, 0.0, 0.0)])).s == pytest.approx(76.0)
    # one who drives by in the lane does not stand there
    assert place_of(now, boxes([(70.0, 0.0, 0.0, 8.0)])).s == pytest.approx(66.0)


def region(half_m, centre=-2.9):
    """A region 4 m long and 2 `half_m` wide around a goal at 80 m."""
    return np.array([[78, centre - half_m], [82, centre - half_m], [82, centre + half_m], [78, centre + half_m]], float)


def test_a_region_that_holds_the_path_asks_for_nothing_and_one_beside_it_does():
    near = shoulder((80.0, -0.5))
    held = replace(near, goal=replace(near.goal, polygon=region(0.6, -0.5)))
    beside = replace(near, goal=replace(near.goal, polygon=region(0.4, -0.5)))
    assert len(GENERATOR.generate(scene(held, x=30.0, speed=8.0), NOBODY, GRID)) == 0
    ends = GENERATOR.generate(scene(beside, x=30.0, speed=8.0), NOBODY, GRID).d[:, -1]
    # the goal's own place, and 0.12 m inside the edge of its region at -0.1 m
    assert {round(float(d), 2) for d in ends} >= {-0.5, -0.22}


def test_comes_slowly_where_the_halt_is_beyond_the_horizon():
    # 20 m at 2 m/s are 10 s, the horizon 6 s: no halt yet, but ways across that are driven at 1 to 3 m/s
    route = shoulder((80.0, -2.9))
    now = scene(replace(route, goal=replace(route.goal, polygon=region(0.3))), x=58.65, speed=2.0)
    labels = GENERATOR.generate(now, NOBODY, GRID).label
    assert {label for label in labels if "m/s" in label} == {f"pull over at the goal, {v}.0 m/s" for v in (1, 2, 3)}
