"""Scorers of how a drive feels: smooth_stop, hesitation, motion_sickness."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import StopKind, StopPoint
from behaviors_ros.scoring.motion_sickness import low_pass


def terms(bench, name, candidates, agents=(), scene=None, **values):
    return bench.scorer(name, **values).score(scene or bench.scene(), bench.predictions(*agents), candidates)


def test_a_hard_halt(bench):
    # 2 m/s2 until the halt at 5 s: twice the 1 m/s2. Who does not halt within the horizon, and who stands: nothing.
    found = terms(bench, "smooth_stop", bench.candidates(bench.drive(10.0, -2.0), bench.drive(10.0), bench.drive(0.0)))
    assert found.raw == pytest.approx([2.0, 0.0, 0.0])
    assert found.score == pytest.approx([0.2, 1.0, 1.0])


def test_only_the_end_of_the_braking_counts(bench):
    # The last 0.3 s before the halt at 5.0 s: accelerations -0.6, -0.4, -0.2: mean 0.4.
    candidates = bench.candidates(bench.drive(10.0, -2.0))
    candidates.acceleration[0, 47:50] = [-0.6, -0.4, -0.2]
    assert terms(bench, "smooth_stop", candidates).raw[0] == pytest.approx(0.4)


@pytest.mark.parametrize(("line", "excess"), [(85.0, 2.4), (81.0, 0.0), (97.0, 0.0)])
def test_halting_too_far_from_a_line(bench, line, excess):
    # The bumper halts at 53.6 + 25 = 78.6: 6.4 m before 85, of which 4 m are in order and 2.4 / 6 too far; more than
    # 15 m ahead is not what it halts for.
    scene = bench.scene(route=bench.route([StopPoint(StopKind.SIGNAL, 7, line, line + 20.0, signals=(7,))]))
    found = terms(bench, "smooth_stop", bench.candidates(bench.drive(10.0, -2.0)), scene=scene)
    assert found.raw[0] == pytest.approx(np.hypot(2.0, excess / 6.0))


def test_halting_too_far_behind_somebody(bench):
    # Rear of the car at 90 - 2.25 = 87.75: 9.15 m, 5.15 too many. One in the other lane does not count.
    candidates = bench.candidates(bench.drive(10.0, -2.0))
    found = terms(bench, "smooth_stop", candidates, [bench.Agent((90.0, 0.0))])
    assert found.raw[0] == pytest.approx(np.hypot(2.0, 5.15 / 6.0))
    assert terms(bench, "smooth_stop", candidates, [bench.Agent((90.0, 3.5))]).raw[0] == pytest.approx(2.0)


def rolling(bench, metres):
    """Stands for 1 s, rolls at 1 m/s, stands again."""
    candidates, steps = bench.candidates(bench.drive(0.0)), round(metres * 10)
    candidates.speed[0, 10 : 10 + steps] = 1.0
    travelled = np.concatenate([[0.0], np.cumsum(candidates.speed[0, :-1]) * 0.1])
    position = np.stack([50.0 + travelled, 0.0 * travelled], axis=-1)[None]
    return replace(candidates, s=50.0 + travelled[None], position=position)


@pytest.mark.parametrize(("metres", "raw"), [(0.6, 0.4), (1.5, 1.0), (2.0, 2.0 / 3.0), (4.0, 0.0)])
def test_creeping_between_two_halts(bench, metres, raw):
    # At most when the roll is 1.5 m; 2 m count as 3 - 2 = 1 m of 1.5; 3 m and more are driving.
    assert terms(bench, "smooth_stop", rolling(bench, metres)).raw[0] == pytest.approx(raw)


def test_speed_lost_and_won_again(bench):
    # 10 to 8 and back to 10 m/s: changes 4, from start to end 0: reversal 2, score 1 / 2. To 8 and back to 9: changes
    # 3, end to end 1: reversal 1. Braking alone: 0.
    candidates = bench.candidates(bench.drive(10.0), bench.drive(10.0), bench.drive(10.0, -1.0))
    knots = np.array([0.0, 3.0, 6.0])
    candidates.speed[0] = np.interp(bench.time_s, knots, [10.0, 8.0, 10.0])
    candidates.speed[1] = np.interp(bench.time_s, knots, [10.0, 8.0, 9.0])
    found = terms(bench, "hesitation", candidates)
    assert found.raw == pytest.approx([1.0, 0.5, 0.0])
    assert found.score == pytest.approx([0.5, 1.0 / 1.5, 1.0])


def test_flips_against_the_previous_plan(bench):
    # The plan speeds up with 1 m/s2; braking with 1 m/s2 flips by 1, with 0.25 m/s2 by 0.5, going on does not.
    scene = bench.scene(previous=bench.plan(bench.drive(9.9, 1.0)))
    candidates = bench.candidates(bench.drive(10.0, -1.0), bench.drive(10.0, -0.25), bench.drive(10.0, 0.5))
    assert terms(bench, "hesitation", candidates, scene=scene).raw == pytest.approx([1.0, 0.5, 0.0])
    long_ago = bench.scene(previous=bench.plan(bench.drive(9.9, 1.0), age_s=5.5))
    assert terms(bench, "hesitation", candidates, scene=long_ago).raw == pytest.approx(0.0)


def test_dose_of_steady_acceleration(bench):
    # 1 m/s2 for 6 s: root of 6, mean square 1: one half. Curvature 0.02 at 10 m/s: 2 m/s2: 1 / (1 + 4).
    candidates = bench.candidates(bench.drive(5.0, 1.0), bench.drive(10.0), bench.drive(10.0))
    candidates.curvature[1] = 0.02
    found = terms(bench, "motion_sickness", candidates)
    assert found.raw == pytest.approx([np.sqrt(6.0), np.sqrt(24.0), 0.0])
    assert found.score == pytest.approx([0.5, 0.2, 1.0])


def test_the_weighting_is_that_of_the_standard():
    # 1 / (1 + p / Q + p^2) at f4 is Q = 0.86, at 1 Hz (p = 4 j) 1 / abs(1 - 16 + 4 j / 0.86) = 0.0637, at rest 1.
    b, a1, a2 = low_pass(0.01, 2.0 * np.pi * 0.25, 0.86)
    for hertz, gain in ((0.0, 1.0), (0.25, 0.86), (1.0, 0.0637)):
        z = np.exp(-2j * np.pi * hertz * 0.01)
        assert abs(b * (1 + 2 * z + z * z) / (1 + a1 * z + a2 * z * z)) == pytest.approx(gain, rel=3e-3)


def test_fast_shaking_hardly_counts_slow_swaying_does(bench):
    candidates = bench.candidates(bench.drive(10.0), bench.drive(10.0))
    candidates.acceleration[0] = np.sin(2.0 * np.pi * 0.2 * bench.time_s)
    candidates.acceleration[1] = np.sin(2.0 * np.pi * 2.0 * bench.time_s)
    found = terms(bench, "motion_sickness", candidates)
    assert found.raw[1] < 0.15 * found.raw[0]
