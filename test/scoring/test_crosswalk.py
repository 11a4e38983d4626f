import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, StopKind, StopPoint

# A crosswalk from x = 100 to 104.25 m across the road, stop line at 98 m. The bumper passes 98.5 m at t = 4.49, in the
# step at 4.5 s; the rear end (0.9 m behind the axle at 50 m) leaves 104 m at 5.49 s, in the step at 5.5 s.
POLYGON = np.array([[100.0, -5.0], [104.25, -5.0], [104.25, 8.0], [100.0, 8.0]])
STOP = StopPoint(StopKind.CROSSWALK, 5, 98.0, 104.25, polygon=POLYGON)


def value(bench, agents, *drives, **values):
    scene = bench.scene(route=bench.route([STOP]))
    verdict = bench.gate("crosswalk", **values).check(scene, bench.predictions(*agents), bench.candidates(*drives))
    assert (verdict.passed == (verdict.value >= verdict.limit)).all()
    return verdict.value


def person(bench, y, speed, up=True, kind=AgentClass.PEDESTRIAN):
    return bench.Agent((102.0, y), speed, np.pi / 2 if up else -np.pi / 2, kind)


def test_an_empty_crosswalk_is_free(bench):
    assert value(bench, [], bench.drive())[0] == 1.5


def test_somebody_standing_in_the_way(bench):
    somebody = [person(bench, 0.0, 0.0)]
    assert value(bench, somebody, bench.drive(), bench.drive(10.0, -1.2)).tolist() == [0.0, 1.5]
    # A car does not count, an animal does.
    assert value(bench, [person(bench, 0.0, 0.0, kind=AgentClass.CAR)], bench.drive())[0] == 1.5


def test_time_between_the_person_and_the_ego(bench):
    # From y = 0 with 1 m/s upwards: within 3 m of the path until 3.0 s and walking away after: 4.5 - 3.0 = 1.5 s.
    assert value(bench, [person(bench, 0.0, 1.0)], bench.drive())[0] == pytest.approx(1.5)
    # From y = -1: until 4.0 s, so 0.5 s.
    assert value(bench, [person(bench, -1.0, 1.0)], bench.drive())[0] == pytest.approx(0.5)


def test_approaching_counts_on_the_whole_crosswalk_and_leaving_does_not(bench):
    # 7 m from the path: walking to it blocks, walking away from it does not.
    assert value(bench, [person(bench, 7.0, 0.3, up=False)], bench.drive())[0] == 0.0
    assert value(bench, [person(bench, 7.0, 0.1)], bench.drive())[0] == 1.5


def test_beside_the_crosswalk_does_not_count(bench):
    assert value(bench, [person(bench, -6.0, 0.0)], bench.drive())[0] == 1.5


def test_improbable_crossing_does_not_oblige(bench):
    def agent(p):
        return bench.Agent((102.0, -8.0), kind=AgentClass.PEDESTRIAN, modes=((1 - p, 0.0, 1.57), (p, 1.6, np.pi / 2)))

    assert value(bench, [agent(0.1)], bench.drive())[0] == 1.5
    assert value(bench, [agent(0.3)], bench.drive())[0] == 0.0


def test_who_cannot_hold_the_line_or_is_past_it_is_not_obliged(bench):
    here = [person(bench, 0.0, 0.0)]
    # Bumper at 93.6, 4.9 m before the held line: 10 m/s takes 10.2 m/s2, more than 6; 7 m/s takes 5.0.
    assert value(bench, here, bench.drive(10.0, s=90.0), bench.drive(7.0, s=90.0)).tolist() == [1.5, 0.0]
    assert value(bench, here, bench.drive(3.0, s=96.0))[0] == 1.5


def test_coming_to_stand_on_the_crosswalk(bench):
    # 12 m/s with -2.5 m/s2 halts after 28.8 m: bumper at 103.4, on it, or at 95.4, before it. The last stands there.
    drives = [bench.drive(12.0, -2.5, s=71.0), bench.drive(12.0, -2.5, s=63.0), bench.drive(0.0, s=98.0)]
    assert value(bench, [], *drives).tolist() == [0.0, 1.5, 1.5]


def test_a_crosswalk_without_polygon_cannot_be_checked(bench):
    stop = StopPoint(StopKind.CROSSWALK, 5, 98.0, 104.0)
    verdict = bench.gate("crosswalk").check(
        bench.scene(route=bench.route([stop])), bench.predictions(), bench.candidates(bench.drive())
    )
    assert np.isnan(verdict.value[0]) and not verdict.passed[0]
