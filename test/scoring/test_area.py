"""Drivable area and direction of travel."""

import numpy as np
import pytest


def check(bench, name, *drives, route=None, **values):
    scene = bench.scene(route=route, d=drives[0][1][0])
    return bench.gate(name, **values).check(scene, bench.predictions(), bench.candidates(*drives))


def test_corners_must_stay_on_the_drivable_area(bench):
    # Left edge at 5.25 m, right edge at 1.75 m; half width 0.925 m. Right: 0.925 + d reaches 1.75 at d = -0.825.
    verdict = check(bench, "drivable_area", bench.drive(), bench.drive(d_end=-1.0), bench.drive(d_end=4.0))
    assert verdict.passed.tolist() == [True, False, True]
    # At the end of the smooth step the yaw is (nearly) 0: 1.0 + 0.925 - 1.75 = 0.175 m outside. Before, the front
    # corners lead: at yaw psi they are 3.6 sin(psi) farther right.
    assert 0.175 <= verdict.value[1] < 0.19


def test_yawed_box_sticks_out(bench):
    # Rear axle on the path, yaw 30 deg to the right: front right corner at -(3.6 sin 30 + 0.925 cos 30) = -2.601.
    candidates = bench.candidates(bench.drive())
    candidates.yaw[0, 20:] = -np.pi / 6
    verdict = bench.gate("drivable_area").check(bench.scene(), bench.predictions(), candidates)
    assert verdict.value[0] == pytest.approx(1.8 + 0.925 * np.cos(np.pi / 6) - 1.75, abs=1e-6)


def test_an_ego_outside_may_come_back_but_not_go_farther(bench):
    drives = [bench.drive(d=-2.0, d_end=0.0), bench.drive(d=-2.0), bench.drive(d=-2.0, d_end=-2.5)]
    verdict = check(bench, "drivable_area", *drives)
    assert verdict.passed.tolist() == [True, True, False]
    assert verdict.value[2] == pytest.approx(0.5, abs=0.02)


def test_distance_against_traffic_in_a_window(bench):
    # Beyond the left edge of the own direction (1.75 m) with 5 m/s: 5 m in any second; with 10 m/s: 10 m.
    verdict = check(bench, "direction", bench.drive(5.0, d=3.5), bench.drive(10.0, d=3.5), bench.drive(10.0))
    assert verdict.value == pytest.approx([5.0, 10.0, 0.0])
    assert verdict.passed.tolist() == [True, False, True]


def test_direction_compliance_of_the_metric(bench):
    # 2 m a window: 1; 4 m: 0.5; 6 m and more: 0. The first windows reach back before now and hold less: at 4 m/s the
    # 61 windows hold 0, 0.4, .. 3.6 m and 51 times 4 m, so 6 score 1, four 0.9 to 0.6 and 51 0.5: 34.5 / 61.
    candidates = bench.candidates(*(bench.drive(v, d=3.5) for v in (2.0, 4.0, 6.0)))
    terms = bench.scorer("direction_compliance").score(bench.scene(), bench.predictions(), candidates)
    assert terms.raw == pytest.approx(np.array([2.0, 4.0, 6.0]) * (1.0 - 5.5 / 61.0))
    assert terms.score == pytest.approx([1.0, 34.5 / 61.0, 7.15 / 61.0])


def test_leaving_the_oncoming_lane_earlier_is_better(bench):
    candidates = bench.candidates(bench.drive(8.0, d=3.5), bench.drive(8.0, d=3.5, d_end=0.0))
    terms = bench.scorer("direction_compliance").score(bench.scene(), bench.predictions(), candidates)
    assert terms.score[1] > terms.score[0] + 0.2


def test_lanes_of_the_own_direction_on_the_left_are_free(bench):
    verdict = check(bench, "direction", bench.drive(10.0, d=3.5), route=bench.route(left_same=5.25))
    assert verdict.value[0] == 0.0
