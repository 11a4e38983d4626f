"""Leaving a decision: what it costs, when it is free, and what is not left; chatter and dead ends over many cycles."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import Decision, Manoeuvre, Outcome, Scores, StopKind, StopPoint
from behaviors_ros.scoring.decision import Meaning, decide
from behaviors_ros.scoring.hysteresis import Hysteresis, changes, price
from behaviors_ros.scoring.select import Selection, select

CROSSING = f"{0:032x}"


def crossing(bench, **scene):
    """One crosses: candidate 0 goes after it, candidate 1 before it (see test_decision), candidate 2 halts."""
    agents = bench.predictions(bench.Agent((80.0, -30.0), 10.0, np.pi / 2))
    candidates = bench.candidates(bench.drive(10.0, -0.2), bench.drive(10.0, 2.0), bench.drive(10.0, -2.5))
    return bench.scene(**scene), agents, candidates


def table(totals, passed=None):
    totals = np.array(totals, dtype=float)
    passed = np.ones((len(totals), 1), dtype=bool) if passed is None else np.array(passed)[:, None]
    ones = np.ones((len(totals), 1))
    return Scores(
        ("gate",), passed, ones, np.ones(1), ("scorer",), totals[:, None], totals[:, None], np.ones(1),
        np.where(passed.all(axis=1), totals, 0.0),
    )  # fmt: skip


def cycle(bench, world, totals, previous=None, passed=None, after_s=0.1, selection=None):
    """The plan of one cycle, `after_s` after the previous one; the world stands still."""
    scene, agents, candidates = world
    stamp_ns = scene.stamp_ns if previous is None else previous.stamp_ns + round(after_s * 1e9)
    scene = replace(scene, stamp_ns=stamp_ns, previous=previous)
    candidates = replace(candidates, stamp_ns=stamp_ns)
    meant = decide(scene, agents, candidates, bench.vehicle, Meaning())
    return select(scene, candidates, table(totals, passed), meant, selection or Selection(), bench.vehicle, 1)


def decided(bench, manoeuvre, subject="", age_s=0.5, drive=None, **more):
    """A previous plan 0.1 s old."""
    plan = bench.plan(drive or bench.drive(10.0, s=49.0))
    since_ns = plan.stamp_ns + 10**8 - round(age_s * 1e9)
    return replace(plan, decision=Decision(manoeuvre, subject, since_ns, **more))


def test_a_decision_carries_whom_it_concerns_and_since_when(bench):
    world = crossing(bench)
    first = cycle(bench, world, [0.6, 0.5, 0.4])
    assert first.decision.manoeuvre == Manoeuvre.YIELD and first.decision.subject == CROSSING
    assert first.decision.behind == (CROSSING,) and first.decision.before == ()
    # The best of another decision is going before, 0.1 behind.
    assert first.decision.lead == pytest.approx(0.1)
    second = cycle(bench, world, [0.6, 0.5, 0.4], first)
    assert second.stamp_ns == first.stamp_ns + 10**8 and second.decision.since_ns == first.stamp_ns


def test_what_a_change_costs(bench):
    world, hysteresis = crossing(bench), Hysteresis()
    # 0.6 s old of 3: 0.8 of the price is left.
    scene = replace(world[0], previous=decided(bench, Manoeuvre.YIELD, CROSSING, 0.6, behind=(CROSSING,)))
    meant = decide(*world[:1], *world[1:], bench.vehicle, Meaning())
    found = changes(scene, world[2], meant, hysteresis)
    assert found.first.tolist() == [False, True, False] and not found.way.any()
    # Halting for one who is yielded to is the same decision. RMS of 0.1 t^2 over 5.9 s: 0.1 x 5.9^2 / sqrt(5) = 1.6 m,
    # less than 3 m, of t^2 and 1.25 t^2 it is more.
    assert found.halt.tolist() == [False] * 3 and found.departs.tolist() == [False, True, True]
    cost = price(replace_departs(found), 0.6, 10.0, hysteresis)
    assert cost == pytest.approx([0.0, 0.8 * 0.02, 0.0])
    # Moving, half of it is left for good; standing, nothing.
    assert price(replace_departs(found), 60.0, 10.0, hysteresis)[1] == pytest.approx(0.5 * 0.02)
    assert price(found, 60.0, 0.0, hysteresis) == pytest.approx([0.0] * 3)
    # The other way round: letting it go first costs 0.01.
    scene = replace(world[0], previous=decided(bench, Manoeuvre.PASS_BEFORE, CROSSING, 0.0, before=(CROSSING,)))
    found = replace_departs(changes(scene, world[2], meant, hysteresis))
    assert price(found, 0.0, 10.0, hysteresis) == pytest.approx([0.01, 0.0, 0.01])


def replace_departs(found):
    return found._replace(departs=np.zeros(len(found.departs), dtype=bool))


def test_going_first_after_all_needs_a_lead_for_a_time(bench):
    world, plan = crossing(bench), None
    plan = cycle(bench, world, [0.6, 0.5, 0.4])
    waited = []
    for k in range(1, 6):
        plan = cycle(bench, world, [0.6, 0.7, 0.4], plan)
        waited.append(plan.decision.manoeuvre)
        if k == 1:
            assert plan.outcome == Outcome.KEPT and plan.decision.doubt_since_ns == plan.stamp_ns
    # In doubt since the first of them: 0.3 s later, in the fourth, it goes.
    assert waited == [Manoeuvre.YIELD] * 3 + [Manoeuvre.PASS_BEFORE] * 2
    plan = cycle(bench, world, [0.6, 0.5, 0.4])
    for totals in ([0.6, 0.7, 0.4], [0.6, 0.7, 0.4], [0.7, 0.6, 0.4], [0.6, 0.7, 0.4], [0.6, 0.7, 0.4]):
        plan = cycle(bench, world, totals, plan)
        assert plan.decision.manoeuvre == Manoeuvre.YIELD  # a lead that is lost in between counts anew


def test_gates_change_a_decision_at_once(bench):
    world = crossing(bench)
    yields, goes = cycle(bench, world, [0.6, 0.5, 0.4]), cycle(bench, world, [0.5, 0.6, 0.4])
    assert cycle(bench, world, [0.5, 0.6, 0.1], goes, [True, False, True]).decision.manoeuvre == Manoeuvre.YIELD
    first = cycle(bench, world, [0.6, 0.5, 0.1], yields, [False, True, False])
    assert first.decision.manoeuvre == Manoeuvre.PASS_BEFORE and first.outcome == Outcome.SELECTED


@pytest.mark.parametrize("seed", range(5))
def test_noise_about_equality_changes_a_decision_at_most_once(bench, seed):
    world, rng, plan, changed = crossing(bench), np.random.default_rng(seed), None, 0
    for _ in range(100):
        before = plan
        plan = cycle(bench, world, [0.6 + rng.uniform(-0.005, 0.005), 0.6 + rng.uniform(-0.005, 0.005), 0.2], plan)
        changed += before is not None and before.decision.manoeuvre != plan.decision.manoeuvre
    assert changed <= 1


def standing(bench, age_s):
    """The ego stands for nothing; candidate 0 keeps standing, candidate 1 goes."""
    previous = decided(bench, Manoeuvre.MINIMAL_RISK_STOP, "", age_s, bench.drive(0.0))
    scene = bench.scene(speed=0.0, previous=previous)
    return scene, bench.predictions(), bench.candidates(bench.drive(0.0), bench.drive(0.0, 1.0))


def test_no_halt_is_for_ever(bench):
    def goes(age_s, lead):
        scene, agents, candidates = standing(bench, age_s)
        meant = decide(scene, agents, candidates, bench.vehicle, Meaning())
        return select(scene, candidates, table([0.6, 0.6 + lead]), meant, Selection(), bench.vehicle, 1).index == 1

    # 0.5 s old: 5/6 of 0.01 for another trajectory and 0.005 for no longer halting, 0.0125.
    assert not goes(0.5, 0.012) and goes(0.5, 0.013)
    assert goes(3.0, 1e-6)


def lane_change(bench, d, manoeuvre=Manoeuvre.CHANGE_LEFT):
    """On the way to the left lane at offset d: candidate 0 goes on, candidate 1 goes back, candidate 2 stands still."""
    drive = bench.drive(10.0, s=49.0, d=d, d_end=3.5)
    scene = bench.scene(d=d, route=bench.route(left_same=5.25), previous=decided(bench, manoeuvre, drive=drive))
    drives = [bench.drive(10.0, d=d, d_end=3.5), bench.drive(10.0, d=d, d_end=0.0), bench.drive(10.0, -10.0, d=d)]
    return scene, bench.predictions(), bench.candidates(*drives)


def chosen(bench, world, totals, passed=None):
    scene, agents, candidates = world
    meant = decide(scene, agents, candidates, bench.vehicle, Meaning())
    return select(scene, candidates, table(totals, passed), meant, Selection(), bench.vehicle, 1)


def test_impatience_grows_and_gates_stand(bench):
    def index(waited_s, behind, speed=0.0, stops=(), passed=None):
        previous = decided(bench, Manoeuvre.STOP, CROSSING, 0.1, bench.drive(0.0))
        since_ns = previous.stamp_ns + 10**8 - round(waited_s * 1e9)
        previous = replace(previous, decision=replace(previous.decision, waits_since_ns=since_ns))
        scene = bench.scene(speed=speed, previous=previous, route=bench.route(stops))
        candidates, agents = bench.candidates(bench.drive(0.0), bench.drive(0.0, 0.6)), bench.predictions()
        meant = decide(scene, agents, candidates, bench.vehicle, Meaning())
        plan = select(scene, candidates, table([0.6, 0.6 - behind], passed), meant, Selection(), bench.vehicle, 1)
        assert plan.decision.waits_since_ns == (since_ns if speed < 2.0 else 0)
        return plan.index

    # After 5 s it grows by 0.02 a second up to 0.1; leaving a decision 0.1 s old costs 0.0145 at standstill.
    assert index(4.9, 0.0) == 0
    assert [index(8.0, behind) for behind in (0.04, 0.05)] == [1, 0]
    assert [index(60.0, behind) for behind in (0.08, 0.09)] == [1, 0]
    # It lasts until the ego drives, not where somebody may wait in a queue, and never against a gate.
    assert index(60.0, 0.08, speed=1.5) == 1 and index(60.0, 0.0, speed=2.5) == 0
    assert index(60.0, 0.05, stops=(StopPoint(StopKind.SIGNAL, 7, 75.0, 90.0, signals=(7,)),)) == 0
    assert index(60.0, 0.05, passed=[True, False]) == 0


def test_across_the_line_a_lane_change_is_finished(bench):
    # The line is at 1.75 m, half the ego 0.925 m: across it from 0.825 on.
    assert chosen(bench, lane_change(bench, 0.5), [0.5, 0.6, 0.1]).index == 1
    kept = chosen(bench, lane_change(bench, 1.2), [0.5, 0.6, 0.1])
    assert (kept.index, kept.outcome, kept.decision.manoeuvre) == (0, Outcome.KEPT, Manoeuvre.CHANGE_LEFT)
    # Unless a gate forbids.
    assert chosen(bench, lane_change(bench, 1.2), [0.5, 0.6, 0.1], [False, True, True]).index == 1


def test_a_manoeuvre_that_does_not_move_the_ego_is_left(bench):
    scene, agents, candidates = lane_change(bench, 1.2)
    candidates.position[0], candidates.speed[0] = candidates.position[0, 0], 0.0
    candidates.s[0], candidates.d[0] = candidates.s[0, 0], 1.2
    assert chosen(bench, (scene, agents, candidates), [0.5, 0.6, 0.1]).index == 1


def test_a_manoeuvre_that_has_come_to_its_end_holds_nobody(bench):
    # Past the parked car, still across the line: no candidate passes it any more, and halting is free to be chosen.
    drive = bench.drive(4.0, s=49.6, d=1.2)
    scene = bench.scene(speed=4.0, d=1.2, previous=decided(bench, Manoeuvre.PASS_LEFT, CROSSING, 2.0, drive))
    agents = bench.predictions(bench.Agent((40.0, -0.5)))
    world = scene, agents, bench.candidates(bench.drive(4.0, d=1.2, d_end=0.0), bench.drive(4.0, -4.0, d=1.2))
    assert chosen(bench, world, [0.5, 0.6]).index == 1


def test_in_the_area_it_passes_first_the_ego_goes_on(bench):
    # The area begins at 80 - 0.9 = 79.1 m: the bumper is in it from s = 75.5 on. The car is there after 1.44 s, at step
    # 1.5 s; going on the centre is then at 84.1 m; braking with 4 m/s2 it halts with the centre at 78.95 m, before 80.
    drive = bench.drive(4.0, s=75.2)
    previous = decided(bench, Manoeuvre.PASS_BEFORE, CROSSING, drive=drive, before=(CROSSING,))
    scene = bench.scene(s=75.6, speed=4.0, previous=previous)
    agents = bench.predictions(bench.Agent((80.0, -15.0), 8.0, np.pi / 2))
    world = scene, agents, bench.candidates(bench.drive(4.0, 1.0, s=75.6), bench.drive(4.0, -4.0, s=75.6))
    plan = chosen(bench, world, [0.5, 0.6])
    assert plan.index == 0 and plan.decision.manoeuvre == Manoeuvre.PASS_BEFORE
    assert chosen(bench, world, [0.5, 0.6], [False, True]).index == 1
