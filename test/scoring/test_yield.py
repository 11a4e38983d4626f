import numpy as np
import pytest

from behaviors_ros.datatypes import Lane, LaneKind, LaneMap, StopKind, StopPoint

# A lane with priority crosses at x = 103 from below. The line is at 100, the zone ends at 106. The bumper (53.6 + 10 t)
# passes 100.5 in the step at 4.7 s, the rear end (49.1 + 10 t) leaves 106 at 5.69 s, in the step at 5.7 s.
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
    # Its rear leaves the strip at y = 3.175: from y = -40 after 4.3175 s, last step inside 4.3 s; 4.7 - 4.3 = 0.4 s.
    # After an agent 0.7 s are enough where before one it takes 1.5 s: 0.4 * 1.5 / 0.7 = 0.857 s.
    assert value(bench, [crossing(bench, -40.0)], bench.drive())[0] == pytest.approx(0.4 * 1.5 / 0.7)
    # From y = -36 after 3.9175 s: 4.7 - 3.9 = 0.8 s, enough.
    assert value(bench, [crossing(bench, -36.0)], bench.drive())[0] == 1.5


def test_agent_that_arrives_after_the_ego(bench):
    # Starting 10 m later: the bumper passes in the step at 3.7 s, the rear leaves in the step at 4.7 s. The agent
    # reaches the strip from y = -60 after 5.68 s, in the step at 5.7 s: 1.0 s; from y = -70 not within the horizon.
    early = bench.drive(10.0, s=60.0)
    assert value(bench, [crossing(bench, -60.0)], early)[0] == pytest.approx(1.0)
    assert value(bench, [crossing(bench, -70.0)], early)[0] == 1.5


def test_only_agents_on_the_lanes_with_priority(bench):
    against = bench.Agent((103.0, 50.0), 10.0, -np.pi / 2)
    ahead = bench.Agent((90.0, 0.0), 3.0, 0.0)
    assert value(bench, [against, ahead], bench.drive())[0] == 1.5
    assert value(bench, [crossing(bench, -50.0)], bench.drive(), lane_map=None)[0] == 1.5


def test_inside_or_unable_to_hold_there_is_no_duty(bench):
    agents = [crossing(bench, -10.0)]
    assert value(bench, agents, bench.drive(3.0, s=98.0))[0] == 1.5
    # Bumper at 95.6, 4.9 m before the held line: 10 m/s takes 10.2 m/s2, more than 5.
    assert value(bench, agents, bench.drive(10.0, s=92.0))[0] == 1.5
    assert value(bench, agents, bench.drive(5.0, s=92.0))[0] == 0.0
