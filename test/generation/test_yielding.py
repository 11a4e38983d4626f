"""End states from agents who come across the lane: halt before, arrive after, be gone before."""

import math

import numpy as np
import pytest
from generation_scenes import GRID, boxes, scene, straight
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros import registry
from behaviors_ros.datatypes import Predictions
from behaviors_ros.generation import interface
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.situation import situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.generation.yielding import Yielding, arriving, crossings
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring import interface as scoring

assert interface.Generator and scoring.Gate  # importing them registers the plugins
VEHICLE = Vehicle()
SETUP = (GRID, VEHICLE, Driving(), Stitching())
GENERATOR = registry.create("generator", "giving_way", {}, VEHICLE)
KINEMATIC = registry.create("gate", "kinematic", {}, VEHICLE)
COLLISION = registry.create("gate", "collision", {}, VEHICLE)


def walker(x, y, speed, yaw=math.pi / 2):
    """Somebody 0.6 m by 0.6 m who walks across."""
    predictions = boxes([(x, y, yaw, speed)])
    predictions.length[:], predictions.width[:] = 0.6, 0.6
    return predictions


def crossings_of(now, predictions):
    """The crossings of a scene."""
    situation = situation_of(now, predictions, *SETUP)
    return crossings(situation, predictions, Yielding())


def test_a_crossing_has_its_place_and_time():
    # The lane kept free is 0.925 + 0.6 = 1.525 m to either side, the walker 0.3 m: from y = -1.825 to 1.825 m.
    # From y = -4 m at 1.5 m/s: in after 2.175 / 1.5 = 1.45 s, out after 5.825 / 1.5 = 3.88 s.
    found = crossings_of(scene(straight(), x=10.0, speed=8.0), walker(50.0, -4.0, 1.5))
    assert len(found) == 1
    assert (found[0].enters_s, found[0].leaves_s) == pytest.approx((1.5, 3.9), abs=0.01)
    # it takes up 49.7 to 50.3 m, 0.6 m
    assert found[0].front - found[0].rear == pytest.approx(0.6, abs=1e-6)
    now = scene(straight(), x=10.0, speed=8.0)
    assert found[0].rear - situation_of(now, boxes([]), *SETUP).station == pytest.approx(39.7, abs=0.02)


@pytest.mark.parametrize(
    "predictions",
    [
        boxes([]),
        walker(50.0, -4.0, 0.0),  # stands beside the lane
        walker(50.0, -12.0, 1.0),  # does not get there in 6 s
        walker(5.0, -4.0, 1.5),  # behind
        boxes([(40.0, 0.0, 0.0, 5.0)]),  # drives ahead in the lane
        boxes([(40.0, 3.5, math.pi, 8.0)]),  # comes towards us in its own lane
    ],
)
def test_who_does_not_cross(predictions):
    now = scene(straight(), x=10.0, speed=8.0)
    assert crossings_of(now, predictions) == []
    assert len(GENERATOR.generate(now, predictions, GRID)) == 0


def test_one_who_pulls_out_stays():
    found = crossings_of(scene(straight(), x=10.0, speed=8.0), boxes([(40.0, -3.5, 0.25, 3.0)]))
    # 3 m/s at 0.25 rad: 0.74 m/s across; its box reaches the lane at once and would cross it within 6 s to y = 1 m
    assert len(found) == 1 and found[0].leaves_s == math.inf


def test_a_second_mode_counts_when_probable():
    stays, steps_out = walker(50.0, -4.0, 0.0), walker(50.0, -4.0, 1.5)
    for chance, count in ((0.3, 1), (0.1, 0)):
        columns = {
            name: np.concatenate((getattr(stays, name), getattr(steps_out, name)), axis=1)
            for name in ("valid", "intent", "position", "yaw", "speed", "covariance")
        }
        both = Predictions(
            0, GRID.time_s, stays.id, stays.kind, stays.length, stays.width,
            probability=np.array([[1.0 - chance, chance]]), **columns,
        )  # fmt: skip
        assert len(crossings_of(scene(straight(), x=10.0, speed=8.0), both)) == count


def test_speed_that_arrives_in_time():
    # 10 m/s, 2 m/s2, 40 m in 5 s: u = 10 - 10 + sqrt(100 - 200 + 160) = 7.746; braking takes 1.127 s and 10 m
    speed = arriving(10.0, 40.0, 5.0, 2.0)
    assert speed == pytest.approx(math.sqrt(60.0))
    assert arriving(10.0, 20.0, 5.0, 2.0) is None


@settings(max_examples=100, deadline=None)
@given(st.floats(1.0, 20.0), st.floats(2.0, 100.0), st.floats(0.5, 8.0), st.floats(0.5, 5.0))
def test_arriving_covers_the_distance(speed, distance, time, braking):
    wanted = arriving(speed, distance, time, braking)
    if wanted is None or wanted > speed:
        return
    braked = (speed - wanted) / braking
    assert braked <= time + 1e-9
    covered = 0.5 * (speed + wanted) * braked + wanted * (time - braked)
    assert covered == pytest.approx(distance, abs=1e-6)


def test_three_ways_to_deal_with_a_walker():
    # 40 m ahead at 8 m/s the ego's bumper would be there after 4.6 s, the walker leaves at 3.9 s: it has to wait a bit
    now, agents = scene(straight(), x=15.0, speed=9.0), walker(50.0, -4.0, 1.2)
    candidates = GENERATOR.generate(now, agents, GRID)
    halts = [i for i, label in enumerate(candidates.label) if label.startswith("halt for 0001")]
    after = [i for i, label in enumerate(candidates.label) if label.startswith("let 0001 cross")]
    assert halts and after
    assert KINEMATIC.check(now, agents, candidates).passed.all()
    assert COLLISION.check(now, agents, candidates).passed[halts + after].all()
    # bumper 2 m before the walker at 49.7 m, rear axle 3.6 m behind it: 44.1 m
    ended = [candidates.s[i, -1] for i in halts if candidates.speed[i, -1] < 1e-3]
    assert ended and np.allclose(ended, 44.1, atol=0.02)
    # it goes on, and reaches the place later than the walker leaves it
    for i in after:
        bumper = candidates.s[i] + 3.6
        assert candidates.speed[i, -1] > 1.0 and GRID.time_s[bumper >= 49.7].min(initial=np.inf) > 4.8


def test_going_before_a_walker_far_from_the_lane():
    # To be past 50.3 m with its rear the ego drives 29.2 m; at 8 m/s that takes 3.65 s, but the walker is in the lane
    # after (7 - 1.825) / 1.5 = 3.45 s; 0.8 s earlier asks for 2 (29.2 - 8 x 2.65) / 2.65^2 = 2.3 m/s2, 3.5 s for 1.9
    now, agents = scene(straight(), x=22.0, speed=8.0), walker(50.0, -7.0, 1.5)
    candidates = GENERATOR.generate(now, agents, GRID)
    before = [i for i, label in enumerate(candidates.label) if label.startswith("go before 0001")]
    assert before
    for i in before:
        rear = candidates.s[i] - VEHICLE.rear_overhang_m
        assert GRID.time_s[rear > 50.3].min(initial=np.inf) < 3.45
