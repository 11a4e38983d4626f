from dataclasses import replace
from math import erf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.scoring.chance import chance
from behaviors_ros.scoring.footprint import ego_boxes, mode_boxes
from behaviors_ros.scoring.risk import chances


def cdf(x):
    return 0.5 * (1.0 + erf(x / sqrt(2.0)))


def standing(bench, *agents, speed=0.1):
    """Chance at step 0 of an ego that is just not standing, its box centre at x = 51.35."""
    scene, predictions, candidates = bench.scene(), bench.predictions(*agents), bench.candidates(bench.drive(speed))
    return chances(scene, predictions, candidates, bench.vehicle, 0.2, 3.0)[1][0, 0]


def test_probability_over_the_minkowski_rectangle(bench):
    # Centres 6.0 m apart along, 1.0 m across, deviation 1 m; half sizes 2.25 + 2.25 = 4.5 and 0.925 + 0.9 = 1.825.
    along = cdf(4.5 - 6.0) - cdf(-4.5 - 6.0)  # 0.0668
    across = cdf(1.825 - 1.0) - cdf(-1.825 - 1.0)  # 0.7929
    assert standing(bench, bench.Agent((57.35, 1.0), deviation=1.0)) == pytest.approx(along * across, abs=1e-5)


def test_square_box_swaps_its_sides(bench):
    # Yaw 90 deg: half sizes 2.25 + 0.9 = 3.15 along, 0.925 + 2.25 = 3.175 across.
    expected = (cdf(3.15 - 5.0) - cdf(-3.15 - 5.0)) * (cdf(3.175) - cdf(-3.175))
    assert standing(bench, bench.Agent((56.35, 0.0), yaw=np.pi / 2, deviation=1.0)) == pytest.approx(expected, abs=1e-5)


def test_modes_add_and_agents_multiply(bench):
    near = (cdf(4.5 - 5.0) - cdf(-4.5 - 5.0)) * (cdf(1.825) - cdf(-1.825))
    modes = ((0.25, 0.0, 0.0), (0.25, 0.0, 0.0), (0.5, 0.0, 0.0))
    agent = bench.Agent((56.35, 0.0), deviation=1.0)
    assert standing(bench, replace(agent, modes=modes)) == pytest.approx(near, abs=1e-5)
    assert standing(bench, agent, agent) == pytest.approx(1.0 - (1.0 - near) ** 2, abs=1e-5)


def test_a_follower_from_behind_has_no_chance_counted(bench):
    assert standing(bench, bench.Agent((44.0, 0.0), 10.0, deviation=1.0)) == 0.0


def test_gate_takes_the_worst_instant_within_the_horizon(bench):
    # Certain collision with a stopped car 2.5 s ahead: bumper at 53.6 + 10 t meets 77.75 at 2.4 s.
    predictions, candidates = bench.predictions(bench.Agent((80.0, 0.0))), bench.candidates(bench.drive())
    scene = bench.scene()
    assert bench.gate("collision_chance", horizon_s=2.0).check(scene, predictions, candidates).value[0] < 1e-6
    verdict = bench.gate("collision_chance", horizon_s=3.0).check(scene, predictions, candidates)
    assert verdict.value[0] == pytest.approx(1.0, abs=1e-4) and not verdict.passed[0]


def test_scorer_is_the_complement_over_the_whole_horizon(bench):
    predictions, scene = bench.predictions(bench.Agent((100.0, 0.0))), bench.scene()
    terms = bench.scorer("collision_risk").score(scene, predictions, bench.candidates(bench.drive(), bench.drive(2.0)))
    assert terms.score == pytest.approx([0.0, 1.0], abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.floats(-8.0, 8.0), st.floats(-5.0, 5.0), st.floats(-3.1, 3.1), st.floats(0.3, 2.0))
def test_never_far_below_the_sampled_chance(bench, x, y, yaw, deviation):
    """Second derivation: Monte Carlo over exact box overlap. The rectangle encloses the sum, so it is not below it."""
    from behaviors_ros.geometry.boxes import overlap

    agent = bench.Agent((51.35 + x, y), yaw=yaw, deviation=deviation)
    scene, predictions, candidates = bench.scene(), bench.predictions(agent), bench.candidates(bench.drive(0.1))
    modes = mode_boxes(scene, predictions, np.array([True]), 0.0)._replace(behind=np.array([False]))
    found = chance(ego_boxes(candidates, bench.vehicle), modes, np.array([0]))[0, 0]
    noise = np.random.default_rng(1).normal(size=(4000, 2)) * deviation
    hits = overlap(np.array([51.35, 0.0]), 0.0, 4.5, 1.85, np.array(agent.position) + noise, yaw, 4.5, 1.8)
    assert found >= hits.mean() - 0.03
    if abs(np.sin(2.0 * yaw)) < 0.02:
        assert found <= hits.mean() + 0.06
