"""Situations with vehicles that come into the lane or brake in it: cut-in, hard-braking lead, bus leaving its stop."""

from __future__ import annotations

import numpy as np

from behaviors_ros.simulation.forms import LaneChangeForm, SlowForm
from behaviors_ros.simulation.reactive import Idm
from behaviors_ros.simulation.situations.cast import approaching, driving, standing, yielding
from behaviors_ros.simulation.situations.draft import Careful, Draft, draft, goal, start
from behaviors_ros.simulation.situations.sites import Street, bent, street
from behaviors_ros.simulation.situations.variation import Variation, share
from behaviors_ros.simulation.worlds.town import Town


def lead_braking(v: Variation) -> Draft:
    """The car ahead brakes hard for no visible reason, stands or creeps for some seconds, and goes on.

    It brakes with b = 3.5 to 6 m/s^2 from the speed v that both drive. From a headway of h = 1.2 s (which the start
    gives) a driver who reacts after 0.5 s has the room v (h - 0.5) + v^2 / 2b - 2 m to stop, so a needed deceleration
    of v^2 / 2 over that room: 2.4 to 3.9 m/s^2 (at 50 km/h), less at lower speeds.
    """
    site = v.place or street(
        bent(v.turn(), 400.0, v.one_of((0.0, 0.0, 0.3, -0.3)), 60.0, 150.0), v.between(2.9, 3.6), v.one_of((30, 50))
    )
    speed = site.limit_mps * v.between(0.85, 1.0)
    braking, headway = v.graded(3.5, 6.0), 1.2
    room = speed * (headway - 0.5) + speed**2 / (2.0 * braking) - 2.0 + 2.0
    needed = speed**2 / (2.0 * room)
    begin_s = 30.0
    gap = 2.0 + headway * speed
    brakes_m = min(speed * v.between(4.0, 7.0), site.frame.length - 160.0)
    stops = v.chance(0.5)
    low, length = (0.3, 1.2) if stops else (v.between(1.5, 3.0), v.between(6.0, 12.0))
    spot = begin_s + gap + 8.0 + brakes_m
    slow = (SlowForm(from_m=round(spot, 3), to_m=round(spot + speed**2 / (2.0 * braking) + length, 3), speed_mps=low),)
    driver = Idm(desired_speed_mps=speed, braking_max_mps2=braking, preview_s=0.3, acceleration_mps2=1.8)
    path = site.line(0.0, site.frame.length, site.ego_d)
    # Its centre is half its length, the ego's rear axle 3.6 m behind the own front bumper.
    lead = driving("lead", path, speed, site.point(begin_s + 3.6 + gap + 2.3, site.ego_d), driver=driver, slow=slow)
    end_s = site.within(spot + 110.0)
    why = f"it brakes with {braking:.1f} m/s^2 and {'stands' if stops else 'creeps'}; {needed:.1f} m/s^2 needed"
    return draft(
        v, site.map, start(site.point(begin_s, site.ego_d), site.yaw(begin_s), speed),
        goal(site.point(end_s, site.ego_d), site.yaw(end_s), width_m=site.lane_m), [lead],
        2.2 * (end_s - begin_s) / speed + 15.0, share(needed, 1.2, 4.0), why, Careful(),
    )  # fmt: skip


def cut_in(v: Variation) -> Draft:
    """A slower car in the lane beside changes into the ego's lane at a small gap.

    It drives dv = 2 to 5 m/s below the limit, begins to change when the ego's front is g behind its rear, and reaches
    into the ego's lane about 1.7 s later. For one at the limit to end 3 m behind it at its speed then takes
    a = dv^2 / (2 (g - 1.7 dv - 3 m)); g is chosen to make that 0.8 (easy) to 3.5 m/s^2 (hard), for one who brakes no
    sooner than it is in the lane.
    """
    town = Town(v.between(2.9, 3.6))
    axis = bent(v.turn(), 420.0, v.one_of((0.0, 0.0, 0.3, -0.3)), 90.0, 200.0)
    lanes = town.carriageway(axis, 50, rightmost=1, leftmost=-2)
    site = Street(town, axis, town.lane_m, 50, (lanes[0], lanes[-1]))
    from_left = v.chance(0.5)
    ego_d, other_d = (-1.5, -0.5) if from_left else (-0.5, -1.5)
    ego_d, other_d = ego_d * site.lane_m, other_d * site.lane_m
    slower = v.between(2.0, 5.0)
    needed = v.graded(0.8, 3.5)
    gap = 3.0 + 1.7 * slower + slower**2 / (2.0 * needed)
    speed, begin_s, end_s = site.limit_mps * v.between(0.9, 1.0), 30.0, 320.0
    change = LaneChangeForm(offset_m=round(ego_d - other_d, 3), duration_s=3.0, ego_gap_m=(-2.0, round(gap, 3)))
    pace = site.limit_mps - slower
    where = site.point(begin_s + 3.6 + gap + slower * v.between(2.5, 6.0) + 2.3, other_d)
    path = site.line(0.0, site.frame.length, other_d)
    driver = Idm(desired_speed_mps=pace, lateral_acceleration_mps2=4.0)
    car = driving("cut-in", path, pace, where, change=change, driver=driver)
    others = []
    if v.chance(0.6):
        lead_at = site.point(begin_s + 3.6 + 60.0 + v.between(0.0, 30.0), ego_d)
        others.append(driving("lead", site.line(0.0, site.frame.length, ego_d), speed * 0.95, lead_at))
    return draft(
        v, town.osm, start(site.point(begin_s, ego_d), site.yaw(begin_s), speed),
        goal(site.point(end_s, ego_d), site.yaw(end_s), width_m=site.lane_m), [car, *others],
        2.0 * (end_s - begin_s) / pace + 10.0, share(needed, 0.8, 3.5),
        f"{slower:.1f} m/s below the limit at {gap:.1f} m: {needed:.1f} m/s^2 needed", Careful(),
    )  # fmt: skip


def bus_leaving(v: Variation) -> Draft:
    """A bus stands at its stop beside the lane and pulls out when the ego comes.

    It begins to move when the ego at the limit is X = 5.5 (easy) to 3 s (hard) from its rear, and is in the lane about
    3 s later. To come down from v to its 3 m/s by then, in the distance X v, takes (v^2 - 9) / (2 X v): at most 2.2
    m/s^2 at 50 km/h. In every fourth variant it gives way instead and leaves after the ego.
    """
    site = street(
        bent(v.turn(), 340.0, v.one_of((0.0, 0.0, 0.25, -0.25)), 60.0, 160.0), v.between(3.0, 3.6), v.one_of((30, 50))
    )
    limit, rear_s = site.limit_mps, 140.0
    until_s = v.graded(5.5, 3.0)
    polite = v.variant % 4 == 3
    stop_d = -site.lane_m - 1.45
    s = np.arange(rear_s, site.frame.length, 1.0)
    u = np.clip((s - rear_s - 7.0) / 22.0, 0.0, 1.0)
    path = site.frame.cartesian(s, stop_d + (site.ego_d - stop_d) * u**3 * (10.0 - 15.0 * u + 6.0 * u**2))
    pace = limit * v.between(0.6, 0.8)
    driver = Idm(desired_speed_mps=pace, acceleration_mps2=1.2, clearance_m=0.1)
    place = site.point(rear_s + 6.0, stop_d)
    area = site.box(rear_s + 10.0, rear_s + 40.0, -site.lane_m, 0.0)
    rule = yielding(
        site.point(rear_s + 13.0, stop_d), area, [site.line(0.0, site.frame.length, site.ego_d)], margin_s=0.5
    )
    bus = driving(
        "bus", path, 0.0, place, kind="bus", driver=driver, gives_way=(rule,) if polite else (),
        trigger=approaching(site.point(rear_s, site.ego_d), limit * (until_s if not polite else 0.6 * until_s)),
    )  # fmt: skip
    town_stop = standing("waiting car", site.point(rear_s - 8.0, -site.lane_m - 1.2), site.yaw(rear_s - 8.0))
    begin_s, end_s = rear_s - min(110.0, 9.0 * limit), rear_s + 120.0
    needed = max(0.0, limit**2 - 9.0) / (2.0 * until_s * limit)
    hard = share(needed, 0.4, 2.2) * (0.3 if polite else 1.0)
    why = "it lets the ego pass" if polite else f"it pulls out {until_s:.1f} s ahead: {needed:.1f} m/s^2 needed"
    return draft(
        v, site.town.osm, start(site.point(begin_s, site.ego_d), site.yaw(begin_s), limit * 0.9),
        goal(site.point(end_s, site.ego_d), site.yaw(end_s), width_m=site.lane_m),
        [bus, town_stop] if v.chance(0.4) else [bus],
        2.0 * (end_s - begin_s) / pace + 15.0, hard, why, Careful(),
    )  # fmt: skip
