"""Situations with cyclists: one ahead, one that filters by on the right at a turn."""

from __future__ import annotations

import numpy as np

from behaviors_ros.simulation.reactive import Idm
from behaviors_ros.simulation.situations.cast import CYCLIST, driving, gaps, stream, yielding
from behaviors_ros.simulation.situations.draft import Careful, Draft, draft, goal, start
from behaviors_ros.simulation.situations.sites import bent, junction, street
from behaviors_ros.simulation.situations.variation import Variation, share


def cyclist_ahead(v: Variation) -> Draft:
    """A cyclist rides ahead on the right of the lane; oncoming cars leave gaps, one of them long enough to pass.

    Passing at the limit takes T = (2 * 12 m + 6 m) / (limit - cyclist's speed); the long gap, both drivers' motion
    counted, is 2.5 T (easy) to 1.4 T (hard). Following to the goal solves it too: the duration allows the cyclist's
    speed all the way.
    """
    axis = bent(v.turn(), 380.0, v.one_of((0.0, 0.0, 0.3, -0.3)), 90.0, 150.0)
    site = street(axis, v.between(2.9, 3.6), v.one_of((30, 50)))
    pace = v.between(3.5, 5.0)
    begin_s, end_s = 25.0, 300.0
    d = -site.lane_m + v.between(0.5, 0.8)
    path = site.line(0.0, site.frame.length, d)
    driver = CYCLIST.model_copy(update={"desired_speed_mps": pace})
    cyclist = driving(
        "cyclist", path, pace, site.point(begin_s + v.between(25.0, 45.0), d), driver=driver, kind="bicycle"
    )
    needed = 30.0 / (site.limit_mps - pace)
    large = needed * v.graded(2.5, 1.4)
    speed = site.limit_mps * v.between(0.8, 0.95)
    few = [v.between(1.8, 3.0) for _ in range(v.whole(0, 3))]
    rest = [v.between(1.8, 3.0) for _ in range(v.whole(0, 2))]
    times = gaps(v.between(2.0, 6.0), *few, large, *rest)
    back = site.line(site.frame.length, 0.0, -site.ego_d)
    oncoming = stream("oncoming", back, site.point(begin_s + 60.0, -site.ego_d), times, speed)
    return draft(
        v, site.town.osm, start(site.point(begin_s, site.ego_d), site.yaw(begin_s), site.limit_mps * 0.8),
        goal(site.point(end_s, site.ego_d), site.yaw(end_s), width_m=site.lane_m), [cyclist, *oncoming],
        (end_s - begin_s) / pace + 15.0, share(large / needed, 2.5, 1.4),
        f"a gap of {large:.1f} s where passing takes {needed:.1f} s", Careful(),
    )  # fmt: skip


def cyclist_at_turn(v: Variation) -> Draft:
    """The ego turns right; a cyclist rides up on its right side and goes straight on, with right of way.

    Undisturbed the cyclist reaches the turn from 2.5 s before the ego to 2.5 s after it (easy), or 0.3 s (hard). Who
    waits before the turn until the cyclist is through loses less than 8 s.
    """
    heading = v.turn()
    site = junction(
        {"west": heading + np.pi, "east": heading, "south": heading - 0.5 * np.pi + v.between(-0.2, 0.2)},
        v.between(3.0, 3.6), v.one_of((30, 50)), arm_m=120.0,
    )  # fmt: skip
    limit, far = site.limit_mps, min(90.0, 8.0 * site.limit_mps)
    pace = v.between(4.5, 6.5)
    apart = v.graded(2.5, 0.3) * (-1.0 if v.variant % 2 else 1.0)
    # The ego slows down to about 5 m/s for the turn over the last 20 m: 2 s more than at the limit.
    ego_s = far / (0.9 * limit) + 2.0
    begin = pace * max(0.5, ego_s + apart)
    arm, other, edge = site.arms["west"], site.arms["east"], site.town.lane_m + 0.45
    path = np.array(
        [arm.at(x, edge) for x in np.linspace(119.0, 0.0, 40)] + [other.at(x, -edge) for x in (0.0, 40.0, 110.0)]
    )
    driver = Idm(desired_speed_mps=pace, acceleration_mps2=1.0, clearance_m=0.0, gap_min_m=1.0, sight_m=25.0)
    cyclist = driving("cyclist", path, pace, arm.at(min(118.0, begin), edge), driver=driver, kind="bicycle")
    site.town.give_way([arm.turns["south"]], [arm.turns["east"]])
    half = 0.5 * site.town.lane_m
    area = np.array(
        [arm.at(x, site.town.lane_m + y) for x, y in ((2.0, -half), (2.0, 1.6), (-16.0, 1.6), (-16.0, -half))]
    )
    wait = yielding(site.inward("west", 3.0), area, [path], margin_s=1.0, aside_m=0.8)
    end = site.outward("south", 50.0)
    return draft(
        v, site.town.osm, start(site.inward("west", far), heading, limit * 0.9),
        goal(end, site.arms["south"].yaw, width_m=site.town.lane_m), [cyclist], 2.0 * far / limit + 40.0,
        share(abs(apart), 2.5, 0.3), f"the cyclist reaches the turn {apart:+.1f} s after the ego", Careful((wait,)),
    )  # fmt: skip
