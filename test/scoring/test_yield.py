from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import Lane, LaneKind, LaneMap, StopKind, StopPoint

# A lane with priority crosses at x = 103 from below. The line is at 100, the zone ends at 106. The bumper (53.6 + 10 t)
# passes 101.05, 0.2 m before the lane's edge, in the step at 4.8 s, the rear end (49.1 + 10 t) leaves
# 106 at 5.69 s, in the step at 5.7 s.
CENTRE = np.stack([np.full(101, 103.0), np.linspace(-100.0, 100.0, 101)], axis=1)
LANE = Lane(9, LaneKind.ROAD, CENTRE, CENTRE - [1.75, 0.0], CENTRE + [1.75, 0.0])
MAP = LaneMap("crossing", {9: LANE})
STOP = StopPoint(StopKind.YIELD, 4, 100.0, 106.0, yields_to=(9,))


def value(bench, agents, *drives, lane_map=MAP):
    scene = bench.scene(route=bench.route([STOP]), map=lane_map)
    verdict = bench.gate("yield").check(scene, bench.predictions(*agents), bench.candidates(*drives))
    assert (verdict.passed == (verdict.value >= verdict.limit)).all()
    return verdict.value


def crossing(bench, y, speed=10.0):
    return bench.Agent((103.0, y), speed, np.pi / 2)


def test_nobody_there(bench):
    assert value(bench, [], bench.drive())[0] == 1.5


def test_agent_that_arrives_while_the_ego_is_in_the_zone(bench):
    # Its front (2.25 m) reaches the ego's strip (0.925 m) from y = -50 after (50 - 3.175) / 10 = 4.68 s.
    assert value(bench, [crossing(bench, -50.0)], bench.drive(), bench.drive(10.0, -1.2)).tolist() == [0.0, 1.5]


def test_agent_that_has_left(bench):
    # Its rear leaves the strip at y = 3.175: from y = -40 after 4.3175 s, last step inside 4.3 s; 4.8 - 4.3 = 0.5 s.
    # After an agent 0.7 s are enough where before one it takes 1.5 s: 0.5 * 1.5 / 0.7 = 1.07 s.
    assert value(bench, [crossing(bench, -40.0)], bench.drive())[0] == pytest.approx(0.5 * 1.5 / 0.7)
    # From y = -36 after 3.9175 s: 4.8 - 3.9 = 0.9 s, enough.
    assert value(bench, [crossing(bench, -36.0)], bench.drive())[0] == 1.5


def test_agent_that_arrives_after_the_ego(bench):
    # Starting 10 m later: the bumper passes in the step at 3.7 s, the rear leaves in the step at 4.7 s. The agent
    # reaches the strip from y = -60 after 5.68 s, in the step at 5.7 s: 1.0 s; from y = -70 not within the horizon.
    early = bench.drive(10.0, s=60.0)
    assert value(bench, [crossing(bench, -60.0)], early)[0] == pytest.approx(1.0)
    assert value(bench, [crossing(bench, -70.0)], early)[0] == 1.5


def hidden(bench, *rings):
    """The crossing with outlines that perception tells."""
    scene = bench.scene(route=bench.route([STOP]), map=MAP)
    return replace(scene, tracks=replace(scene.tracks, occluders=tuple(np.array(ring, float) for ring in rings)))


def test_a_lane_that_is_not_seen_is_entered_slowly_or_not_at_all(bench):
    # A building right of the way up to x = 100, 3 m beside it. With the bumper at 101.05 the eye is at 98.8: past the
    # corner (100, -3) it sees the lane at x = 103 up to 3 * 4.2 / 1.2 = 10.5 m, 0.75 s at 13.89 m/s; who comes needs
    # 13.89 + 13.89^2 / 6 = 46 m to stop for the ego. So: not at 10 m/s; a halt before the lane and creeping remain.
    building = [(60.0, -3.0), (100.0, -3.0), (100.0, -60.0), (60.0, -60.0)]
    drives = bench.candidates(bench.drive(), bench.drive(10.0, -1.2), bench.drive(1.2, s=96.0))
    check = bench.gate("yield").check
    assert check(hidden(bench, building), bench.predictions(), drives).value.tolist() == [0.0, 1.5, 1.5]
    # from standstill at the edge with 1.4 m/s2 likewise not; 20 m before the road it hides nothing that matters
    start = bench.candidates(bench.drive(0.0, 1.4, s=97.2))
    assert not check(hidden(bench, building), bench.predictions(), start).passed[0]
    far = [(x - 20.0, y) for x, y in building]
    assert check(hidden(bench, far), bench.predictions(), drives).value.tolist() == [1.5, 1.5, 1.5]


def test_who_is_seen_from_farther_than_he_needs_to_stop_is_not_feared(bench):
    # At 3 m/s he needs 3 + 9 / 6 = 4.5 m. From the next view, 1 m farther back, 3 * 5.2 / 2.2 = 7.1 m are seen.
    building = [(60.0, -3.0), (100.0, -3.0), (100.0, -60.0), (60.0, -60.0)]
    scene = hidden(bench, building)
    slow = replace(scene, map=LaneMap("slow", {9: replace(LANE, speed_limit=3.0)}))
    from_edge = bench.candidates(bench.drive(0.0, 1.4, s=97.2))
    assert bench.gate("yield").check(slow, bench.predictions(), from_edge).passed[0]


def test_up_to_the_lane_the_ego_may_roll(bench):
    # halts with the bumper at 88.6 + 5^2 / (2 * 1.03) = 100.74, over the line, before the edge at 101.25; or in it
    drives = bench.drive(5.0, -1.03, s=85.0), bench.drive(5.0, -0.98, s=85.0)
    assert value(bench, [crossing(bench, -50.0)], *drives).tolist() == [1.5, 0.0]


def test_only_agents_on_the_lanes_with_priority(bench):
    against = bench.Agent((103.0, 50.0), 10.0, -np.pi / 2)
    ahead = bench.Agent((90.0, 0.0), 3.0, 0.0)
    assert value(bench, [against, ahead], bench.drive())[0] == 1.5
    assert value(bench, [crossing(bench, -50.0)], bench.drive(), lane_map=None)[0] == 1.5


def test_inside_or_unable_to_hold_there_is_no_duty(bench):
    agents = [crossing(bench, -10.0)]
    assert value(bench, agents, bench.drive(3.0, s=98.0))[0] == 1.5
    # Bumper at 95.6, 5.45 m before the held line: 10 m/s takes 9.2 m/s2, more than 5.
    assert value(bench, agents, bench.drive(10.0, s=92.0))[0] == 1.5
    assert value(bench, agents, bench.drive(5.0, s=92.0))[0] == 0.0
