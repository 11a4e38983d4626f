"""The screening pass against what candidates, gates and plain formulas say of the same motions."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros import registry
from behaviors_ros.datatypes import AgentClass, Grid
from behaviors_ros.evaluation.bench_throughput import LATTICE, VEHICLE, scene
from behaviors_ros.generation import screening
from behaviors_ros.generation.motions import on_grid
from behaviors_ros.generation.screened import best, screened
from behaviors_ros.generation.situation import situation_of
from behaviors_ros.geometry.angles import cos_sin
from behaviors_ros.scoring.chance import chance
from behaviors_ros.scoring.footprint import ego_boxes, mode_boxes

FEW = LATTICE.model_copy(update={"offsets": 5, "speeds": 6})


@pytest.fixture(scope="module")
def found():
    at, predictions, grid = scene()
    situation = situation_of(at, predictions, grid, VEHICLE, FEW.driving, FEW.stitching)
    return situation, predictions, screened(situation, predictions, FEW)


@pytest.fixture(scope="module")
def drivable(found):
    """The feasible pairs as candidates."""
    situation, _, result = found
    path, profile = np.nonzero(np.isfinite(result.cost))
    labels = ("",) * len(path)
    return path, profile, on_grid(situation, result.paths, path, result.along[profile], labels, "screened")


def test_cosine_and_sine_to_rounding():
    angles = np.concatenate([np.linspace(-7.0, 7.0, 1001), [0.0, 1e-9, 3000.0]])
    pairs = np.array([cos_sin(angle) for angle in angles])
    assert np.abs(pairs - np.column_stack([np.cos(angles), np.sin(angles)])).max() < 2e-12
    assert np.isnan(cos_sin(np.nan)).all()


def test_a_quartic_by_hand():
    # From 10 m/s and no acceleration to 12 m/s in 2 s: c3 = 3 * 2 / (3 * 4) = 0.5, c4 = -2 * 2 / (4 * 8) = -1/8.
    # v(1) = 10 + 3 * 0.5 - 4 / 8 = 11, x(2) = 20 + 0.5 * 8 - 16 / 8 = 22, then 12 m/s: x(3) = 34.
    # Jerk 6 c3 + 24 c4 t = 3 - 3 t at t = 0, 1 and 0 from t = 2 on: squares 9, 0, 0, 0, mean 2.25.
    along, fits, jerk = screening.quartics(10.0, 0.0, np.array([[12.0, 2.0]]), np.arange(4.0), VEHICLE)
    assert along[0, :, 0] == pytest.approx([0.0, 10.0 + 0.5 - 0.125, 22.0, 34.0])
    assert along[0, :, 1] == pytest.approx([10.0, 11.0, 12.0, 12.0])
    assert along[0, :, 2] == pytest.approx([0.0, 1.5, 0.0, 0.0])
    assert fits[0] and jerk[0] == pytest.approx(2.25)
    # To a halt within 0.5 s: the jerk 6 c3 = 6 * (-10) / 0.25 is beyond any vehicle.
    assert not screening.quartics(10.0, 0.0, np.array([[0.0, 0.5]]), np.arange(4.0), VEHICLE)[1][0]


def test_cost_of_the_plain_formula(found, drivable):
    _, _, result = found
    path, profile, motions = drivable
    cost, dt = FEW.cost, 0.1
    lateral = np.diff(motions.curvature * motions.speed**2, axis=1) / dt
    end = result.target[profile]
    # The jerk of a quartic from 12 m/s without acceleration: 6 c3 + 24 c4 t with c3 = gain / T^2, c4 = -gain / 2 T^3.
    duration = np.tile(np.array(FEW.speed_times_s), FEW.speeds)[profile][:, None]
    t = motions.time_s
    gain = (end - 12.0)[:, None]
    jerk = np.where(t < duration, 6.0 * gain / duration**2 - 12.0 * gain / duration**3 * t, 0.0)
    expected = cost.jerk * np.square(jerk).mean(axis=1) + cost.lateral_jerk * np.square(lateral).mean(axis=1)
    expected += cost.deviation * np.square(motions.d).mean(axis=1)
    expected += cost.speed * np.square(motions.speed - 16.0).mean(axis=1)
    assert result.cost[path, profile] == pytest.approx(expected, abs=1e-6)


def test_chance_is_that_of_scoring(found, drivable):
    situation, predictions, result = found
    path, profile, motions = drivable
    boxes = ego_boxes(motions, VEHICLE)
    modes = mode_boxes(situation.scene, predictions, np.ones(10, bool), 0.0)
    modes = modes._replace(behind=np.zeros(10, bool))
    expected = chance(boxes, modes, np.arange(31)).max(axis=1)
    assert result.chance[path, profile] == pytest.approx(expected, abs=1e-6)
    assert expected.max() > 0.5


def test_feasible_are_those_within_the_limits(found):
    """Second derivation: curvature, lateral acceleration and steering rate of every pair, made with all of them."""
    situation, _, result = found
    path, profile = (index.ravel() for index in np.indices(result.cost.shape))
    motions = on_grid(situation, result.paths, path, result.along[profile], ("",) * len(path), "screened")
    lateral = np.abs(motions.curvature) * motions.speed**2
    steering = np.arctan(VEHICLE.wheel_base_m * motions.curvature)
    rate = np.abs(np.diff(steering, axis=1)).max(axis=1) / 0.1
    driving = FEW.driving
    inside = (lateral.max(axis=1) <= driving.lateral_acceleration_mps2) & (
        rate <= driving.steering_share * VEHICLE.steering_rate_max_radps
    )
    inside &= screening.quartics(12.0, 0.0, _targets(result), situation.grid.time_s, VEHICLE)[1][profile]
    agree = inside == np.isfinite(result.cost[path, profile])
    # The bound that spares the arc tangents may reject what is within 2 % of the steering rate.
    near = np.abs(rate / (driving.steering_share * VEHICLE.steering_rate_max_radps) - 1.0) < 0.02
    assert (agree | near).all() and inside.any() and not inside.all()


def _targets(result):
    times = np.tile(np.array(FEW.speed_times_s), FEW.speeds)
    return np.column_stack([result.target, times])


def test_the_best_are_safe_cheap_and_of_several_paths(found):
    _, _, result = found
    few = FEW.model_copy(update={"keep": 5, "keep_of_path": 2, "chance_max": 0.05})
    path, profile = best(result, few)
    cost, risk = result.cost[path, profile], result.chance[path, profile]
    assert 0 < len(path) <= 5 and (np.diff(cost) >= 0.0).all() and (risk <= 0.05).all()
    assert np.bincount(path).max() <= 2
    safe = np.where(result.chance <= 0.05, result.cost, np.inf)
    assert cost[0] == safe.min()


def test_asking_only_until_enough_are_safe_finds_the_same(found):
    situation, predictions, result = found
    lazy = FEW.model_copy(update={"exhaustive": False})
    asked = screened(situation, predictions, lazy)
    assert (asked.cost == result.cost).all() and np.isnan(asked.chance).sum() > np.isnan(result.chance).sum()
    assert [list(each) for each in best(asked, lazy)] == [list(each) for each in best(result, FEW)]


def test_a_wall_of_agents_leaves_nothing(found):
    situation, predictions, _ = found
    at = np.repeat(situation.start.position[None], 10, axis=0) + np.linspace(0.0, 9.0, 10)[:, None] * [1.0, 0.1]
    there = replace(predictions, position=np.broadcast_to(at[:, None, None], (10, 1, 31, 2)).copy())
    blocked = situation_of(situation.scene, there, situation.grid, VEHICLE, FEW.driving, FEW.stitching)
    result = screened(blocked, there, FEW)
    assert len(best(result, FEW)[0]) == 0


def test_it_joins_the_other_generators(found):
    situation, predictions, _ = found
    generator = registry.create("generator", "screened", {"keep": 7}, VEHICLE)
    made = generator.generate(situation.scene, predictions, Grid(0.1, 31))
    assert 0 < len(made) <= 7 and set(made.generator) == {"screened"}
    assert np.isfinite(made.position).all() and int(predictions.kind[0]) == AgentClass.CAR
