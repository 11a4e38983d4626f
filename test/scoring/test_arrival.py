"""How far a candidate misses its goal. The centre of the ego's box is 1.35 m ahead of its rear axle, at 51.35 m now."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import StopKind, StopPoint
from behaviors_ros.scoring.arrival import way_across

NOW_NS = 5_000_000_000
SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def missed(bench, *drives, low=75.0, high=77.0, since_s=2.0, stops=(), **goal):
    """Raw values; the goal's region from `low` to `high`, asked for since `since_s`."""
    plain = bench.route(stops=stops)
    route = replace(
        plain, goal=replace(plain.goal, **goal), goal_s=0.5 * (low + high), goal_from_s=low, goal_to_s=high,
        stamp_ns=NOW_NS - round(since_s * 1e9),
    )  # fmt: skip
    scorer = bench.scorer("arrival", near_miss=0.7, scale_m=4.0)
    found = scorer.score(bench.scene(route=route), bench.predictions(), bench.candidates(*drives))
    # 1 for no miss, else 0.7 / (1 + miss / 4 m)
    assert found.score == pytest.approx(np.where(found.raw > 0.0, 0.7 / (1.0 + found.raw / 4.0), 1.0))
    return found.raw


def test_at_the_best_instant_of_the_interval(bench):
    # Asked for from 4 to 5 s since 2 s ago: from 2 to 3 s from now. At 10 m/s the centre is at 71.35 to 81.35 m, at
    # 5 m/s at most at 51.35 + 15 = 66.35 m, 8.65 m short of 75 m; at 14 m/s at least at 79.35 m, 2.35 m past 77 m.
    assert missed(bench, bench.drive(10.0), bench.drive(5.0), bench.drive(14.0), time=(4.0, 5.0)) == pytest.approx(
        [0.0, 8.65, 2.35]
    )


def test_beside_the_lane_of_the_goal(bench):
    # The lane reaches 1.75 m to the left.
    assert missed(bench, bench.drive(10.0, d=3.0), time=(4.0, 5.0)) == pytest.approx([1.25])


def test_speed_and_heading_at_the_goal(bench):
    # 10 m/s is 6 m/s above 4 m/s, 1 m for each; a heading of 0 is 0.2 rad off (0.2, 0.4), 5 m for a radian.
    assert missed(bench, bench.drive(10.0), time=(4.0, 5.0), speed=(0.0, 4.0)) == pytest.approx([6.0])
    assert missed(bench, bench.drive(10.0), time=(4.0, 5.0), yaw=(0.2, 0.4)) == pytest.approx([1.0])
    assert missed(bench, bench.drive(10.0), time=(4.0, 5.0), yaw=(2.0 * np.pi - 0.1, 2.0 * np.pi + 0.1)) == [0.0]


def test_distance_of_the_centre_from_a_region(bench):
    # A square of 2 m around (76.35, 3): met at 2.5 s, 2 m beside it; one around (76.35, 0.5) is driven through.
    for y, away in ((3.0, 2.0), (0.5, 0.0)):
        polygon = SQUARE + [76.35, y]
        assert missed(bench, bench.drive(10.0), time=(4.0, 5.0), polygon=polygon) == pytest.approx([away])


def test_what_cannot_be_made_up_for_after_the_horizon(bench):
    # From 8 to 10 s from now, that is 2 to 4 s after the horizon, at which the centre is at 111.35 m. At the limit of
    # 10 m/s it comes no farther than 151.35 m; braking with 1.5 m/s2 for 2 s no less far than 111.35 + 20 - 3 = 128.35.
    drive = bench.drive(10.0)
    for low, high, away in ((160.0, 165.0, 8.65), (140.0, 142.0, 0.0), (110.0, 120.0, 8.35)):
        assert missed(bench, drive, low=low, high=high, since_s=0.0, time=(8.0, 10.0)) == pytest.approx([away])
    # Not below 10 - 4 * 1.5 = 4 m/s by then: 2 m/s too fast.
    slow = {"low": 140.0, "high": 142.0, "since_s": 0.0, "time": (8.0, 10.0), "speed": (0.0, 2.0)}
    assert missed(bench, drive, **slow) == pytest.approx([2.0])
    # From 2 m/s, 63.35 m after 6 s, with 1 m/s2 for 4 s: 63.35 + 8 + 8 = 79.35 m.
    slow = {"low": 81.0, "high": 85.0, "since_s": 0.0, "time": (8.0, 10.0)}
    assert missed(bench, bench.drive(2.0), **slow) == pytest.approx([1.65])


def test_without_a_time_only_the_lane_must_still_be_reached(bench):
    # 3.5 m to the left, 1.75 m beside the lane, the centre at 111.35 m. 18.65 m to the goal at 10 m/s leave 1.865 s, in
    # which it gets 2.24 m across; 8.65 m leave 0.865 s, 1.038 m.
    left = bench.drive(10.0, d_end=3.5)
    assert missed(bench, left, low=128.0, high=130.0) == pytest.approx([0.0])
    assert missed(bench, left, low=118.0, high=120.0) == pytest.approx([1.75 - 1.038])
    assert missed(bench, bench.drive(10.0), low=118.0, high=120.0) == [0.0]


def test_a_way_across_by_hand():
    # From 0 to 2 m within 10 m: d'' = 2 / 10^2 (60 u - 180 u^2 + 120 u^3), 5.76 * 0.02 at u = 0.2. At u = 0.7 the rear
    # axle is at 2 * 0.83692 m, its heading is atan(0.2 * 1.323), whose sine is 0.2558: the bumper 3.6 m ahead is at
    # 1.6738 + 0.9209 m, 0.5947 m beyond the end; at u = 0.6 and 0.8 less.
    for side in (1.0, -1.0):
        bend, beyond = way_across(np.array([2.0 * side]), np.zeros(1), np.array([10.0]), 3.6)
        assert bend == pytest.approx([0.1152]) and beyond == pytest.approx([0.5947], abs=1e-4)


def test_a_halt_within_a_region(bench):
    # 118 to 122 m, 1 m to either side, aimed at up to 0.9 m. 3 m to the left at 110 m, 7.65 m are left to 1 m before
    # the halt's place, 120 - 1.35 m, for 2.1 m across: 5.76 * 2.1 / 7.65^2 = 0.2067 1/m. Counted on are
    # 0.6 * tan(0.6) / 2.7 = 0.152 1/m: 2.1 (1 - 0.152 / 0.2067) = 0.555 m are missed. 10 m farther on is room enough.
    for shift, away in ((0.0, 0.555), (10.0, 0.0)):
        where = {
            "low": 118.0 + shift, "high": 122.0 + shift, "polygon": 2.0 * SQUARE * [1.0, 0.5] + [120.0 + shift, 0.0],
            "stops": (StopPoint(StopKind.GOAL, 0, 120.0 + shift, 400.0),),
        }  # fmt: skip
        assert missed(bench, bench.drive(10.0, d_end=3.0), **where) == pytest.approx([away], abs=0.02)


def test_no_goal_to_miss(bench):
    # Anywhere; its time over; passed before now; one whose place on the route is not known.
    assert missed(bench, bench.drive(5.0), time=(4.0, 5.0), anywhere=True) == [0.0]
    assert missed(bench, bench.drive(5.0), time=(1.0, 1.9)) == [0.0]
    assert missed(bench, bench.drive(10.0, d_end=3.5), low=40.0, high=50.0) == [0.0]
    assert missed(bench, bench.drive(5.0), low=np.nan, high=np.nan, time=(4.0, 5.0)) == [0.0]
