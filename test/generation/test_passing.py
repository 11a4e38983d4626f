"""Paths past moving cyclists."""

import numpy as np
import pytest
from generation_scenes import GRID, boxes, scene, straight

from behaviors_ros import registry
from behaviors_ros.datatypes import AgentClass
from behaviors_ros.generation import interface
from behaviors_ros.generation.agents import slower_beside
from behaviors_ros.generation.generate import generate
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring import interface as scoring

assert interface.Generator and scoring.Gate  # importing them registers the plugins
VEHICLE = Vehicle()
GENERATORS = [registry.create("generator", name, {}, VEHICLE) for name in ("lattice", "minimal_risk_stop")]
GATE = registry.create("gate", "kinematic", {}, VEHICLE)


def cyclist(x, y, speed):
    """One cyclist, in a box 4.5 m by 1.9 m."""
    predictions = boxes([(x, y, 0.0, speed)])
    predictions.kind[:] = AgentClass.BICYCLE
    return predictions


@pytest.mark.parametrize("speed", [4.0, 6.0, 10.0])
def test_a_cyclist_just_ahead_can_be_passed_within_the_vehicles_limits(speed):
    # 5 m before the bumper; at 4 m/s the ego needs 1.4 m/s2 x t^2 / 2 = 5 m + 11 m, 4.8 s, to get past: no haste
    now, agents = scene(straight(), x=30.0, speed=speed), cyclist(30.0 + 3.6 + 5.0 + 2.25, -0.9, 4.0)
    candidates = generate(now, agents, GRID, GENERATORS)
    passes = np.array([label.startswith("pass 0001 on the left") for label in candidates.label])
    assert passes.any() and GATE.check(now, agents, candidates).passed[passes].all()


def test_riding_cyclists_are_given_more_room_than_standing_ones():
    # beside it the ego's right side is 1.0 or 1.5 m from the left side, -0.9 + 0.95 = 0.05 m: at 1.975 or 2.475 m
    now = scene(straight(), x=20.0, speed=8.0)
    riding = generate(now, cyclist(45.0, -0.9, 3.0), GRID, GENERATORS)
    standing = generate(now, cyclist(45.0, -0.9, 0.0), GRID, GENERATORS)

    def widest(candidates):
        chosen = [i for i, label in enumerate(candidates.label) if label.startswith("pass")]
        return np.unique(candidates.d[chosen].max(axis=1).round(2))

    assert widest(riding)[-1] == pytest.approx(0.05 + 1.5 + 0.925, abs=0.02)
    assert widest(standing)[-1] == pytest.approx(0.05 + 1.0 + 0.925, abs=0.02)


def offsets_of_passes(candidates):
    chosen = [i for i, label in enumerate(candidates.label) if label.startswith("pass 0001")]
    return np.unique(candidates.d[chosen, -1].round(2)) if chosen else np.empty(0)


def test_between_parked_cars_it_goes_in_the_middle_of_the_gap():
    # right car y = -1.95 to -0.05, left car 2.75 to 4.65: 2.8 m between them, 0.475 m on either hand at y = 1.35
    row = [(45.0, -1.0, 0.0, 0.0), (52.0, -1.0, 0.0, 0.0), (59.0, -1.0, 0.0, 0.0)]
    row += [(x, 3.7, 0.0, 0.0) for x, *_ in row]
    candidates = generate(scene(straight(), x=20.0, speed=5.0), boxes(row), GRID, GENERATORS)
    assert offsets_of_passes(candidates)[-1] == pytest.approx(1.35, abs=0.01)


def test_a_gap_that_is_too_narrow_is_not_passed():
    # 2.3 m between them leave 0.225 m on either hand, less than 0.25 m; no way round on the road's 1.75 and 5.25 m
    blocked = boxes([(45.0, -1.0, 0.0, 0.0), (45.0, 3.2, 0.0, 0.0)])
    assert not len(offsets_of_passes(generate(scene(straight(), x=20.0, speed=5.0), blocked, GRID, GENERATORS)))


def test_an_offset_just_beyond_the_own_lanes_is_taken_at_their_edge():
    # right car's left side at 0.275 m, 0.6 m beside it: 0.275 + 0.6 + 0.925 = 1.8 m, the lane ends at 1.75 m
    candidates = generate(scene(straight(), x=20.0, speed=5.0), boxes([(45.0, -0.675, 0.0, 0.0)]), GRID, GENERATORS)
    passes = [i for i, label in enumerate(candidates.label) if label.startswith("pass 0001")]
    assert candidates.d[passes].max(axis=1).min() == pytest.approx(0.99 * 1.75, abs=0.01)


def test_nobody_closes_up_to_a_parked_car():
    # its rear at 60 - 2.25 = 57.75 m, 9 m before it the axle is at 57.75 - 9 - 3.6 = 45.15 m; with the ordinary 2.5 m
    # it would come to 51.65 m. Beside the centre as on it.
    follow = [registry.create("generator", name, {}, VEHICLE) for name in ("idm_proposals", "minimal_risk_stop")]
    candidates = generate(scene(straight(), x=20.0, speed=6.0), boxes([(60.0, 0.0, 0.0, 0.0)]), GRID, follow)
    behind = [i for i, text in enumerate(candidates.label) if "of the centre" in text and text.endswith("0001")]
    assert behind and candidates.s[behind, -1].max() < 46.15


def test_the_closer_the_parked_car_the_slower():
    # 10 1/s x (gap - 0.12 m): 0.5 m beside the row 3.8 m/s, and 0.15 m beside it the least, 1.5 m/s; 4.5 m/s from afar
    rules, half = np.array([10.0, 0.12, 1.5, 1.4]), 0.925
    table = np.zeros((3, 3, 9))
    table[:, :, 0] = table[:, :, 1] = [0.0, 20.0, 40.0]  # length and station
    table[:, :, 7] = [[0.5 + half], [0.15 + half], [2.0 + half]]
    table[:, :, 8] = 13.9
    parked = np.array([[18.0, 22.0, 20.0, 0.0, -2.0, 0.0]])  # rear, front, centre, speed, right, left
    limits = slower_beside(table, parked, half, 3.6, 0.9, 4.5, rules)[:, :, 8]
    assert limits == pytest.approx(np.array([[13.9, 3.8, 13.9], [13.9, 1.5, 13.9], [13.9, 13.9, 13.9]]))
    # who comes at 10 m/s brakes with 1.4 m/s2 only: sqrt(100 - 2 * 1.4 * 20) = 6.63 m/s
    assert slower_beside(table, parked, half, 3.6, 0.9, 10.0, rules)[0, 1, 8] == pytest.approx(6.633, abs=1e-3)
