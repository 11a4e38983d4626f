"""The gate `oncoming`: how long the oncoming lane is free."""

import numpy as np
import pytest


def check(bench, *drives, agents, d=0.0, **values):
    scene = bench.scene(d=d)
    return bench.gate("oncoming", **values).check(scene, bench.predictions(*agents), bench.candidates(*drives))


def test_what_is_left_when_the_ego_is_past(bench):
    # Out to 3.2 m at 5 m/s from s = 50: at the end of the horizon its rear axle is at 80 m, its bumper at 83.6 m. The
    # car that stands from 85.75 to 90.25 m is past when the axle is at 90.25 + 0.9 + 1.5 = 92.65 m, 12.65 m on: at
    # 1.2 m/s2 from 5 m/s up to 8 m/s, (sqrt(25 + 2 * 1.2 * 12.65) - 5) / 1.2 = 2.03 s.
    parked = bench.Agent((88.0, 0.0))
    out = bench.drive(5.0, d_end=3.2)
    # An oncoming car at 10 m/s, at 60 m farther back now; its front at the end is at 160 - 2.25 = 157.75 m, so
    # (157.75 - 83.6 - 12.65) / 10 - 2.03 = 4.12 s are left
    near = check(bench, out, agents=[parked, bench.Agent((220.0, 3.5), 10.0, np.pi)], spare_s=9.0)
    assert near.value[0] == pytest.approx(4.12, abs=0.02) and not near.passed[0]
    # by default 2.5 s are enough; 20 m nearer 2.12 s are not
    far, near = (check(bench, out, agents=[parked, bench.Agent((x, 3.5), 10.0, np.pi)]) for x in (220.0, 200.0))
    assert far.passed[0] and not near.passed[0]


def test_only_who_goes_out_before_somebody_who_comes(bench):
    parked, close = bench.Agent((88.0, 0.0)), bench.Agent((150.0, 3.5), 10.0, np.pi)
    keep, out = bench.drive(5.0), bench.drive(5.0, d_end=3.2)
    assert list(check(bench, keep, out, agents=[parked, close]).passed) == [True, False]
    standing, same_way = bench.Agent((150.0, 3.5), 0.0, np.pi), bench.Agent((150.0, 3.5), 10.0)
    for agent in (standing, same_way):
        assert check(bench, out, agents=[parked, agent]).passed[0]
    # with its side 1.5 + 0.925 - 1.75 = 0.675 m over the line it has begun; one that stops there does not go out
    assert check(bench, bench.drive(5.0, d=1.5, d_end=3.2), agents=[parked, close], d=1.5).passed[0]
    assert check(bench, bench.drive(5.0, -2.0, d=1.2), agents=[parked, close], d=1.2).passed[0]


def test_escape_looks_where_the_bumper_is(bench):
    # The car ahead is from x = 55 m and y = -0.9 to 0.9 m. The bumper of the ego is at 53.6 m now, 54.1 m in 0.5 s: gap
    # 0.9 m, while 0.3 + 1 * 0.3 + 1 / (2 * 5) = 0.7 m are needed; 0.3 m farther on it is 0.6 m. Turned 0.3 rad its
    # bumper is at y = 1.0 + 3.6 sin 0.3 = 2.06 m, beside the car: 2.06 - 0.925 > 0.9.
    car, gate = bench.Agent((57.25, 0.0)), bench.gate("escape")
    rows = bench.candidates(bench.drive(1.0, d=1.0), bench.drive(1.0, s=50.3, d=1.0), bench.drive(1.0, s=50.3, d=1.0))
    rows.yaw[2] = 0.3
    found = gate.check(bench.scene(s=50.3, speed=1.0, d=1.0), bench.predictions(car), rows)
    assert found.value == pytest.approx([0.0, -0.1, 0.0], abs=1e-6)


def test_escape_leaves_out_who_is_alongside(bench):
    # Turned back by 0.3 rad behind the car's rear end at x = 45.75 m: its front, at 50.25 m, is behind the bumper at
    # 53.6 m, and the axle at y = 2.2 m is beside it though the bumper at 2.2 - 1.06 m is not.
    car, gate = bench.Agent((48.0, 0.0)), bench.gate("escape")
    row = bench.candidates(bench.drive(3.0, s=49.0, d=2.2))
    row.yaw[:] = -0.3
    assert gate.check(bench.scene(s=49.0, speed=3.0, d=2.2), bench.predictions(car), row).passed[0]


def test_escape_of_who_has_nosed_past_the_rear_of_a_barrier(bench):
    # Turned 0.3 rad at y = 1.2 m, its bumper at 53.6 m has come to the car's rear end at 53.5 m: there, 3.5 m before
    # the axle, the ego's middle line is at y = 1.2 + 3.5 sin 0.3 = 2.23 m, 0.925 m from which is beside the car's 0.9
    # m.
    car, gate = bench.Agent((55.75, 0.0)), bench.gate("escape")
    rows = bench.candidates(bench.drive(1.0, d=1.2), bench.drive(1.0, d=1.2))
    rows.yaw[0] = 0.3
    found = gate.check(bench.scene(speed=1.0, d=1.2), bench.predictions(car), rows)
    assert list(found.value < 0.0) == [False, True]
