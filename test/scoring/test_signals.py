import numpy as np
import pytest

from behaviors_ros.datatypes import Outcome, SignalColor, StopKind, StopPoint

# The bumper is at 53.6 m, the line at 100 m is held at 99.7 m, up to 99.8 m. At 10 m/s the 46.2 m to there are passed
# in the step at t = 4.7 s. bench.drive(10, -1.2) halts after 41.7 m.


def passed(bench, scene, *drives, **values):
    candidates = bench.candidates(*drives)
    return bench.gate("signals", **values).check(scene, bench.predictions(), candidates).passed.tolist()


@pytest.mark.parametrize(
    ("color", "going"),
    [(SignalColor.RED, False), (SignalColor.AMBER, False), (SignalColor.GREEN, True), (SignalColor.UNKNOWN, False)],
)
def test_colours(bench, color, going):
    assert passed(bench, bench.signal(color), bench.drive(10.0), bench.drive(10.0, -1.2)) == [going, True]


def test_value_is_the_distance_beyond_the_place_to_hold(bench):
    # 10 m/s for 6 s: the bumper ends at 113.6 m, 13.9 m beyond 99.7 m.
    # 8 m/s with -1.6 m/s2 halts after 20 m: from 79.75 m at 99.75 m, which still counts as held, from 80.3 at 100.3 m.
    drives = [bench.drive(10.0), bench.drive(8.0, -1.6, s=76.15), bench.drive(8.0, -1.6, s=76.7)]
    candidates = bench.candidates(*drives)
    verdict = bench.gate("signals").check(bench.signal(SignalColor.RED), bench.predictions(), candidates)
    assert verdict.value == pytest.approx([13.9, 0.05, 0.6])
    assert verdict.passed.tolist() == [False, True, False]


def test_amber_obliges_only_where_a_comfortable_halt_is_possible(bench):
    # At 20 m/s halting within 100.1 - 53.6 = 46.5 m takes 400 / 93 = 4.3 m/s2, more than 3; at 16 m/s 2.75.
    scene = bench.signal(SignalColor.AMBER)
    assert passed(bench, scene, bench.drive(20.0)) == [True]
    assert passed(bench, scene, bench.drive(16.0)) == [False]
    # Announced to turn red after 2 s, before the line is reached at 2.4 s.
    assert passed(bench, bench.signal(SignalColor.AMBER, 2.0), bench.drive(20.0)) == [False]


def test_announced_changes(bench):
    # Passing at 4.7 s. Green until 2.0 s, then 3 s of amber, until 5.0 s; green until 1.0 s: red from 4.0 s.
    assert passed(bench, bench.signal(SignalColor.GREEN, 2.0), bench.drive(10.0)) == [True]
    assert passed(bench, bench.signal(SignalColor.GREEN, 1.0), bench.drive(10.0)) == [False]
    # Red until 4.0 s and 0.5 s of margin; until 4.3 s it is too early. Seen 0.5 s ago, 4.7 s means 4.2 s from now.
    assert passed(bench, bench.signal(SignalColor.RED, 4.0), bench.drive(10.0)) == [True]
    assert passed(bench, bench.signal(SignalColor.RED, 4.3), bench.drive(10.0)) == [False]
    assert passed(bench, bench.signal(SignalColor.RED, 4.7, age_s=0.5), bench.drive(10.0)) == [True]


def test_stale_and_missing_signals_are_unknown(bench):
    assert passed(bench, bench.signal(SignalColor.GREEN, age_s=0.9), bench.drive()) == [True]
    assert passed(bench, bench.signal(SignalColor.GREEN, age_s=1.1), bench.drive()) == [False]
    route = bench.signal(SignalColor.GREEN).route
    assert passed(bench, bench.scene(route=route), bench.drive()) == [False]
    assert passed(bench, bench.scene(route=route), bench.drive(), unknown_is_red=False) == [True]


def test_past_the_line_there_is_no_duty_and_before_it_there_is(bench):
    # Bumper at 3.6 + s.
    scene = bench.signal(SignalColor.RED)
    assert passed(bench, scene, bench.drive(2.0, s=96.3)) == [True]
    assert passed(bench, scene, bench.drive(2.0, s=96.1)) == [False]


def test_who_stands_just_over_the_line_goes_no_farther(bench):
    # Bumper at 100.4 m, slower than 1 m/s: it may stay, not go on. From 1 m beyond the line on it has passed it.
    scene = bench.signal(SignalColor.RED)
    on = [bench.drive(0.0, s=96.8), bench.drive(0.5, s=96.8), bench.drive(0.0, 1.0, s=96.8)]
    assert passed(bench, scene, *on) == [True, False, False]
    assert passed(bench, scene, bench.drive(0.5, s=97.5)) == [True]
    assert passed(bench, bench.signal(SignalColor.GREEN), *on) == [True, True, True]


def stop_sign(bench, previous=None):
    return bench.scene(route=bench.route([StopPoint(StopKind.STOP_SIGN, 3, 100.0, 110.0)]), previous=previous)


def halt_and_go(bench):
    """From 10 m/s to a halt 0.4 m before the line and on."""
    s, d, speed, acceleration = bench.drive(10.0, -2.5, s=76.0)  # 20 m in 4 s: bumper at 99.6
    later = np.maximum(bench.time_s - 4.5, 0.0)
    return s + later**2, d, speed + 2.0 * later, np.where(later > 0.0, 2.0, acceleration)


def test_stop_sign_needs_a_halt_before_the_line(bench):
    scene = stop_sign(bench)
    assert passed(bench, scene, bench.drive(5.0, s=80.0), halt_and_go(bench)) == [False, True]
    # Standing 0.4 m before the line now; and 3 m before it, which is too far.
    assert passed(bench, scene, bench.drive(0.0, 1.0, s=96.0), bench.drive(0.0, 1.0, s=93.4)) == [True, False]


def test_a_halt_in_an_earlier_cycle_counts_through_the_previous_plan(bench):
    # Started 0.5 s ago from the halt: now at 0.5 m/s, bumper at 99.725.
    plan = bench.plan(bench.drive(0.0, 1.0, s=96.0), age_s=0.5)
    rolling = bench.drive(0.5, 1.0, s=96.125)
    assert passed(bench, stop_sign(bench, plan), rolling) == [True]
    assert passed(bench, stop_sign(bench), rolling) == [False]
    refused = bench.plan(bench.drive(0.0, 1.0, s=96.0), age_s=0.5, outcome=Outcome.EMERGENCY)
    assert passed(bench, stop_sign(bench, refused), rolling) == [False]
    # A previous plan that halts only later proves nothing yet.
    ahead = bench.plan(halt_and_go(bench), age_s=0.5)
    assert passed(bench, stop_sign(bench, ahead), bench.drive(5.0, s=80.0)) == [False]


def test_goal_is_not_overrun(bench):
    # Goal at 80: the box centre may get to 80.5. From 50 (centre 51.35) at 10 m/s: constant speed ends at 111.35, 31.35
    # beyond; 2 m/s2 halts after 25 m, at 76.35. From 70 the 9.15 m left cannot be held with 3 m/s2: no duty.
    route = bench.route(stops=[StopPoint(StopKind.GOAL, 0, 80.0, 400.0)], goal_s=80.0)
    gate, nobody = bench.gate("goal"), bench.predictions()
    verdict = gate.check(bench.scene(route=route), nobody, bench.candidates(bench.drive(10.0), bench.drive(10.0, -2.0)))
    assert verdict.passed.tolist() == [False, True]
    assert verdict.value[0] == pytest.approx(31.35)
    late = gate.check(bench.scene(s=70.0, route=route), nobody, bench.candidates(bench.drive(10.0, s=70.0)))
    assert late.passed[0]
