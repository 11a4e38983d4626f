"""Passing what stands: the way to it is the candidate's own."""

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass


def score(bench, name, *drives, agents, **values):
    return bench.scorer(name, **values).score(bench.scene(), bench.predictions(*agents), bench.candidates(*drives))


def test_who_steers_round_a_parked_car_has_time_and_distance(bench):
    # The car is from x = 97.75 to 102.25 m and y = -1.9 to -0.1 m; the ego moves from y = 0 to 2 m in 6 s. It is beside
    # it from (97.75 - 53.6) / 10 = 4.4 s on, at y = 2 u^2 (3 - 2 u) > 1.6 m with u = 0.73, its side at 1.6 - 0.925.
    parked = [bench.Agent((100.0, -1.0))]
    round_it, into_it = bench.drive(10.0, d_end=2.0), bench.drive(10.0)
    found = score(bench, "time_to_collision", round_it, into_it, agents=parked, safe_s=2.0, interval_s=0.2)
    # straight on the bumper is at 53.6 + 40 = 93.6 m after 4 s: 4.15 m or 0.415 s are left
    assert found.raw == pytest.approx([2.0, 0.415], abs=0.01)
    # now the gap is 97.75 - 53.6 = 44.15 m; it should be 8 + 10 * 0.5 + 10^2 / (2 * 3) = 29.67 m; after 2 s and
    # 4 s it is 24.15 m and 4.15 m: mean of 1, 24.15 / 29.67 and 4.15 / 29.67
    found = score(bench, "safe_distance", round_it, into_it, agents=parked, horizon_s=4.0, interval_s=2.0)
    assert found.score == pytest.approx([1.0, (1.0 + 24.15 / 29.67 + 4.15 / 29.67) / 3.0], abs=0.01)


def test_what_is_met_beyond_the_end_of_a_candidate_counts(bench):
    # At 10 m/s the bumper comes to 113.6 m in 6 s; 5.4 m are left to the car at 119 m: 0.54 s, from 5.4 s on 1.14 s
    ahead = [bench.Agent((121.25, 0.0))]
    found = score(bench, "time_to_collision", bench.drive(10.0), agents=ahead, horizon_s=5.4, interval_s=0.1)
    assert found.raw == pytest.approx([1.14])


@pytest.mark.parametrize(("beside", "gap"), [(-1.95, 0.125), (-3.0, 1.175)])
def test_who_stands_beside_is_no_leader(bench, beside, gap):
    # its left side is at y = beside + 0.9, the ego's right side at -0.925
    assert -0.925 - (beside + 0.9) == pytest.approx(gap)
    found = score(bench, "safe_distance", bench.drive(2.0), agents=[bench.Agent((50.0, beside))])
    assert found.score == pytest.approx([1.0])


def test_contact_at_the_very_end_is_found_between_steps(bench):
    # 3.0 m/s: the bumper is 1.0 m before the car at the start: 1 / 3 s, no matter where the steps lie
    found = score(bench, "time_to_collision", bench.drive(3.0), agents=[bench.Agent((56.85, 0.0))], horizon_s=0.0)
    assert found.raw == pytest.approx([1.0 / 3.0])
    assert np.all(found.score == 0.0)


def test_clearance_beside_a_cyclist_is_that_of_the_box(bench):
    # The cyclist is 0.6 m wide at y = -1.925: its left side at -1.625 is 0.7 m from the ego's at -0.925. Wished at
    # 10 m/s: 0.5 + 0.1 * 10 = 1.5 m.
    rides = bench.Agent((60.0, -1.925), 5.0, kind=AgentClass.BICYCLE)
    assert score(bench, "clearance", bench.drive(10.0), agents=[rides]).raw == pytest.approx([0.7 / 1.5])
