from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, Lane, LaneKind, LaneMap, StopKind, StopPoint
from behaviors_ros.scoring.sight import crosses, first_hidden, sides, upstream

# 1.0 m beside the ego's side at -0.925: from y = -1.925 to -3.725, to x = 82.25.
PARKED = (80.0, -2.825)


def score(bench, *drives, agents=(), scene=None, sizes=None, **values):
    predictions = bench.predictions(*agents)
    if sizes is not None:
        predictions = replace(predictions, length=np.array([sizes[0]]), width=np.array([sizes[1]]))
    return bench.scorer("occlusion", **values).score(scene or bench.scene(), predictions, bench.candidates(*drives))


def test_speed_past_a_parked_car(bench):
    # 1 m at 1.5 m/s: 0.667 s; safe 2 * 5 * (0.667 - 0.3) = 3.67 m/s, so the floor 4.5 holds. At 10 m/s the impact is
    # 10 * (10 - 4.5) = 55 m2/s2 of 64, times 0.8 * 0.6 behind a car; at 6 m/s 6 * 1.5 = 9.
    drives = [bench.drive(10.0), bench.drive(6.0, s=60.0), bench.drive(4.5, s=70.0)]
    found = score(bench, *drives, agents=[bench.Agent(PARKED)])
    assert found.raw == pytest.approx([0.48 * 55.0 / 64.0, 0.48 * 9.0 / 64.0, 0.0])
    assert found.score == pytest.approx(1.0 - found.raw)


def test_a_wide_berth_and_what_hides_less_or_more(bench):
    # A van of 6 x 2.1 m with its near side where the car's was hides in full: 0.8 * 55 / 64.
    van = bench.Agent((80.0, -1.925 - 1.05))
    assert score(bench, bench.drive(10.0), agents=[van], sizes=(6.0, 2.1)).raw[0] == pytest.approx(0.8 * 55.0 / 64.0)
    # 1.5 m farther to the left the gap is 2.5 m: 1.667 s, safe up to 13.7 m/s.
    assert score(bench, bench.drive(10.0, d=1.5), agents=[bench.Agent(PARKED)]).raw[0] == 0.0
    # On the left side alike; behind people and moving cars nobody hides, nor on a motorway.
    left = bench.Agent((80.0, 2.825))
    assert score(bench, bench.drive(10.0), agents=[left]).raw[0] == pytest.approx(0.48 * 55.0 / 64.0)
    for agent in (bench.Agent(PARKED, 5.0), bench.Agent((80.0, -2.225), kind=AgentClass.PEDESTRIAN)):
        assert score(bench, bench.drive(10.0), agents=[agent]).raw[0] == 0.0
    motorway = bench.scene(route=bench.route(limit=30.0))
    assert score(bench, bench.drive(10.0), agents=[bench.Agent(PARKED)], scene=motorway).raw[0] == 0.0


def test_at_a_crosswalk_people_are_likelier(bench):
    # The car ends at 82.25, the crosswalk's line is at 88; 8 m before it still counts, and not behind it.
    def at(line):
        polygon = np.array([[line + 2.0, -5.0], [line + 5.0, -5.0], [line + 5.0, 5.0], [line + 2.0, 5.0]])
        stop = StopPoint(StopKind.CROSSWALK, 5, line, line + 5.0, polygon=polygon)
        scene = bench.scene(route=bench.route([stop]))
        return score(bench, bench.drive(10.0), agents=[bench.Agent(PARKED)], scene=scene).raw[0]

    assert at(88.0) == at(80.0) == pytest.approx(0.6 * 55.0 / 64.0)
    assert at(92.0) == at(76.0) == pytest.approx(0.48 * 55.0 / 64.0)


def test_who_does_not_pass_has_no_risk(bench):
    # Braking at 2 m/s2 from 10 m/s: bumper at 53.6 + 25 = 78.6 before 82.25; behind the ego: nothing.
    found = score(bench, bench.drive(10.0, -2.0), bench.drive(10.0, s=85.0), agents=[bench.Agent(PARKED)])
    assert found.raw == pytest.approx([0.0, 0.0])


def test_speed_when_it_counts_and_not_before(bench):
    # With gap 1 m the step counts at which 82.25 - front <= v * 0.667. Braking at 1 m/s2 from 10 m/s: after 3.7 s
    # front = 53.6 + 37 - 6.845 = 83.76 has passed; at 3.0 s 79.1, v 7: 3.15 <= 4.67; at 2.7 s 76.955, v 7.3: 5.3 >
    # 4.87; at 2.8 s 77.68, v 7.2: 4.57 <= 4.8. So 7.2 * 2.7 = 19.44.
    found = score(bench, bench.drive(10.0, -1.0), agents=[bench.Agent(PARKED)])
    assert found.raw[0] == pytest.approx(0.48 * 19.44 / 64.0)


def crossing(bench, **others):
    """A lane with priority crosses at x = 100 from the right; the ego's line is at 95, it leaves at 102."""
    y = np.linspace(-100.0, 100.0, 101)
    centre = np.stack([np.full(101, 100.0), y], axis=1)
    lane = Lane(9, LaneKind.ROAD, centre, centre - [1.75, 0.0], centre + [1.75, 0.0], speed_limit=10.0)
    stop = StopPoint(StopKind.YIELD, 4, 95.0, 102.0, yields_to=(9,))
    return bench.scene(route=bench.route([stop]), map=LaneMap("crossing", {9: lane}), **others)


def test_a_hidden_lane_with_priority(bench):
    # A bus (10 x 2.5 m) stands right of the ego's lane from x = 85 to 95, y = -7.25 to -4.75. At 10 m/s the ego halts
    # in 3 + 100 / 6 = 19.67 m: the last chance is at 2.2 s, bumper 19.4 m before the line. The views from 18 and 20 m
    # before it: eyes at x = 75.5 and 73.5; the ray to (100, -L) meets the corner (95, -4.75) for L >= 5.97 and 5.85:
    # the first hidden point is 6 m away, a phantom with 10 m/s is there 0.6 s later. The bumper passes 102 + 4.5 at
    # 5.3 s, 3.1 s later. Risk 0.7 * (1 - 0.6 / 3.1).
    bus, scene = [bench.Agent((90.0, -6.0))], crossing(bench)
    found = score(bench, bench.drive(10.0), bench.drive(10.0, -1.5), agents=bus, sizes=(10.0, 2.5), scene=scene)
    assert found.raw == pytest.approx([0.7 * (1.0 - 0.6 / 3.1), 0.0])
    # Without the bus all is seen; and feeling its way in at 1.5 m/s is always possible.
    assert score(bench, bench.drive(10.0), scene=scene).raw[0] == 0.0
    creeping = score(bench, bench.drive(1.5, s=88.0), agents=bus, sizes=(10.0, 2.5), scene=scene)
    assert creeping.raw[0] == 0.0


def test_seen_from_nearer_more_is_seen():
    # Eyes 1.5 m before x = 95 and 11.5 m before: past the corner (95, -4.75) the lane at x = 100 is seen up to
    # 4.75 * 6.5 / 1.5 = 20.6 m and 4.75 * 16.5 / 11.5 = 6.8 m: hidden from the points at 22 m and 8 m.
    line = np.stack([np.full(41, 100.0), -2.0 * np.arange(41)], axis=1)
    eyes = np.array([[93.5, 0.0], [83.5, 0.0]])
    box = (np.array([[90.0, -6.0]]), np.zeros(1), np.array([[5.0, 1.25]]))
    assert first_hidden(eyes, line, *box, 2.0, 2) == pytest.approx([22.0, 8.0])
    # A post of 0.2 m at (95, -6) hides a whole vehicle where the ray along the lane is flat, not from the farther eye:
    # from 23.7 to 28.8 m there, from 8.4 to 8.9 m here.
    post = (np.array([[95.0, -6.0]]), np.zeros(1), np.array([[0.1, 0.1]]))
    assert first_hidden(eyes, line, *post, 2.0, 2) == pytest.approx([24.0, np.inf])


def test_a_ray_meets_a_turned_box():
    # A box of 2 x 2 m at the origin turned by 45 deg reaches 1.414 m along the axes.
    turned = (0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5), 1.0, 1.0)
    assert crosses(-5.0, 1.40, 5.0, 1.40, *turned) and not crosses(-5.0, 1.43, 5.0, 1.43, *turned)
    assert not crosses(-5.0, 0.0, -1.5, 0.0, *turned)


def test_lines_go_up_the_predecessors():
    def lane(number, x, **others):
        centre = np.stack([np.arange(x, x + 21.0), np.zeros(21)], axis=1)
        return Lane(number, LaneKind.ROAD, centre, centre + [0.0, 1.75], centre - [0.0, 1.75], **others)

    lanes = LaneMap("two", {1: lane(1, 0.0), 2: lane(2, 20.0, predecessors=(1,))})
    (line,) = upstream(lanes, 2, 10.0, 24.0, 2.0)
    assert line[0] == pytest.approx([30.0, 0.0]) and line[-1] == pytest.approx([6.0, 0.0])


def test_sides_of_an_outline():
    # 4 x 2 m: the side from (4, 0) to (4, 2) has its middle at (4, 1), points up and is 2 m long
    position, yaw, half = sides((np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]]),))
    assert position.tolist() == [[2.0, 0.0], [4.0, 1.0], [2.0, 2.0], [0.0, 1.0]]
    assert np.cos(yaw) == pytest.approx([1.0, 0.0, -1.0, 0.0]) and np.sin(yaw[1]) == pytest.approx(1.0)
    assert half.tolist() == [[2.0, 0.0], [1.0, 0.0], [2.0, 0.0], [1.0, 0.0]]
    assert [len(part) for part in sides(())] == [0, 0, 0]
