"""Situations where lanes become one: an acceleration lane, and a lane that ends in slow traffic (zipper)."""

from __future__ import annotations

import math

import numpy as np

from behaviors_ros.simulation.reactive import Idm
from behaviors_ros.simulation.situations.cast import driving, gaps, stream, yielding
from behaviors_ros.simulation.situations.draft import Careful, Draft, draft, goal, line, start
from behaviors_ros.simulation.situations.sites import Street
from behaviors_ros.simulation.situations.variation import Variation, share
from behaviors_ros.simulation.worlds.osm import Axis, blended_turn, straight
from behaviors_ros.simulation.worlds.town import Town


def _main_road(v: Variation, lane_m: float, begin: float, end: float, two_before: bool) -> tuple[Town, Street]:
    """A road along which there is a second lane on the right from `begin` (or from the start) to `end`."""
    yaw, town = v.turn(), Town(lane_m)
    along = np.array((math.cos(yaw), math.sin(yaw)))

    def part(first: float, last: float) -> Axis:
        return straight(first * along, yaw, last - first)

    if not two_before:
        town.carriageway(part(0.0, begin), 50, rightmost=0)
    lanes = town.carriageway(part(0.0 if two_before else begin, end), 50, rightmost=1)
    town.carriageway(part(end, end + 220.0), 50, rightmost=0)
    return town, Street(town, part(0.0, end + 220.0), lane_m, 50, (lanes[0], lanes[-1]))


def merge(v: Variation) -> Draft:
    """The ego comes up a ramp and merges from an acceleration lane of 160 (easy) to 90 m (hard) into a stream.

    The stream drives 85 to 100 % of the limit with small gaps of 1.3 to 1.8 s and large ones of 4.5 (easy) to 3 s
    (hard): a car of 4.5 m at the stream's speed that keeps 1 s to both takes 2.4 s. From the ramp's 10 m/s, 1.5 m/s^2
    reach the stream's speed in 30 to 40 m. Who finds no gap can stop at the end of the lane; the stream ends in 25 s.
    """
    lane_m, length, begin = v.between(3.0, 3.6), v.graded(160.0, 90.0), 180.0
    town, site = _main_road(v, lane_m, begin, begin + length, two_before=False)
    d = -1.5 * lane_m
    # The ramp, laid from its end backwards: a bend to the right, then straight.
    end, yaw = site.point(begin, d), site.yaw(begin)
    back = blended_turn(end, yaw + math.pi, v.between(0.25, 0.45), v.between(14.0, 20.0))
    back = back.then(straight(back.points[-1], float(back.yaw[-1]), 70.0))
    ramp = Axis(back.points[::-1], back.yaw[::-1] - math.pi)
    town.lane(ramp, 50)
    speed = v.between(9.0, 11.5)
    first = ramp.points[1]
    pace = site.limit_mps * v.between(0.85, 1.0)
    meet_s = float(np.hypot(*(end - first))) / (speed + 1.0) + v.between(1.5, 3.0)
    large = v.graded(4.5, 3.0)
    spans = []
    for _ in range(2):
        spans += [v.between(1.3, 1.8) for _ in range(v.whole(1, 2))] + [large]
    times = gaps(max(0.5, meet_s - v.between(1.0, 4.0)), *spans)
    lane = site.line(0.0, site.frame.length, site.ego_d)
    driver = Idm(desired_speed_mps=pace, headway_s=0.6)
    agents = stream("main road", lane, site.point(begin + 30.0, site.ego_d), times, pace, driver=driver)
    goal_s = begin + length + 70.0
    wait = yielding(
        site.point(begin + 8.0, d), site.box(begin + 18.0, begin + 70.0, -lane_m, 0.0), [lane], margin_s=0.8
    )  # fmt: skip
    hard = 0.6 * share(large, 4.5, 3.0) + 0.4 * share(length, 160.0, 90.0)
    return draft(
        v, town.osm, start(first, float(ramp.yaw[1]), speed),
        goal(site.point(goal_s, site.ego_d), site.yaw(goal_s), 12.0, lane_m), agents,
        times[-1] + 50.0, hard, f"{length:.0f} m of lane, gaps of {large:.1f} s", Careful((wait,)),
    )  # fmt: skip


def zipper(v: Variation) -> Draft:
    """The ego's lane ends; slow traffic in the lane beside leaves room for one car at a time.

    The stream drives 4 to 7 m/s, one car every 3.5 (easy) to 2.6 s (hard), at least 10 m apart: 4.5 m and 2 m to either
    side fit at equal speed, and drivers brake for who comes in. A car ahead in the ego's lane merges first in half of
    the variants. The stream of six to nine cars ends, so that one who waits at the end gets through too.
    """
    lane_m, end = v.between(3.0, 3.6), 230.0
    town, site = _main_road(v, lane_m, 0.0, end, two_before=True)
    d = -1.5 * lane_m
    pace = v.between(4.0, 7.0)
    every = max(v.graded(3.5, 2.6), 11.0 / pace)
    times = gaps(0.5, *[every * v.between(0.95, 1.1) for _ in range(v.whole(5, 8))])
    lane = site.line(0.0, site.frame.length, site.ego_d)
    driver = Idm(desired_speed_mps=pace, headway_s=0.7)
    begin_s = 110.0
    agents = stream("beside", lane, site.point(begin_s + 10.0, site.ego_d), times, pace, driver=driver)
    if v.chance(0.5):
        s = np.arange(begin_s, site.frame.length, 2.0)
        u = np.clip((s - end + 45.0) / 30.0, 0.0, 1.0)
        way = site.frame.cartesian(s, d + lane_m * u**3 * (10.0 - 15.0 * u + 6.0 * u**2))
        agents.append(driving("ahead", way, pace, site.point(begin_s + 25.0, d), driver=driver))
    goal_s = end + 70.0
    wait = yielding(
        site.point(end - 44.0, d), site.box(end - 36.0, end - 8.0, -lane_m, 0.0), [lane], margin_s=0.5
    )  # fmt: skip
    s = np.arange(begin_s - 5.0, goal_s + 20.0, 2.0)
    u = np.clip((s - end + 42.0) / 30.0, 0.0, 1.0)
    own = site.frame.cartesian(s, d + lane_m * u**3 * (10.0 - 15.0 * u + 6.0 * u**2))
    return draft(
        v, town.osm, start(site.point(begin_s, d), site.yaw(begin_s), min(pace + 1.0, 7.0)),
        goal(site.point(goal_s, site.ego_d), site.yaw(goal_s), 12.0, lane_m), agents,
        times[-1] + 2.0 * 230.0 / pace, share(every, 3.5, 2.4), f"one car every {every:.1f} s at {pace:.1f} m/s",
        Careful((wait,), path=line(own)),
    )  # fmt: skip
