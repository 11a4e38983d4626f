"""Pulling over: the goal is at the kerb."""

from __future__ import annotations

from behaviors_ros.simulation.forms import AnyAgentForm
from behaviors_ros.simulation.situations.cast import driving, standing
from behaviors_ros.simulation.situations.draft import Careful, Draft, at, draft, goal, start
from behaviors_ros.simulation.situations.sites import Street, bent
from behaviors_ros.simulation.situations.variation import Variation, share
from behaviors_ros.simulation.worlds.town import Town

EGO_WIDTH_M = 1.85


def pull_over(v: Variation) -> Draft:
    """The ego is to stop at the kerb: at the right edge of its lane, in a free parking lane, or between parked cars.

    The easy third stops in the lane 0.3 m from the kerb; the middle third in a parking lane 2.3 m wide; the hard third
    there between two cars with a gap of 23 to 18 m: from where the rear is past the first car more than 10 m are left
    to come in forwards by 2.9 m, with a radius above 8 m, and 2.8 m to the second one. The region allows the box centre
    8 to 4 m along and 0.9 to 0.6 m across, the heading 0.25 rad.
    """
    town = Town(v.between(2.9, 3.6))
    axis = bent(v.turn(), 240.0, v.one_of((0.0, 0.0, 0.3, -0.3)), 40.0, 120.0)
    limit_kmh = v.one_of((30, 50))
    lanes = town.road(axis, limit_kmh)
    site = Street(town, axis, town.lane_m, limit_kmh, lanes)
    case = min(2, int(3.0 * v.level))
    at_s, begin_s = 150.0, 150.0 - min(90.0, 8.0 * site.limit_mps)
    d = -site.lane_m + 0.3 + 0.5 * EGO_WIDTH_M if case == 0 else -site.lane_m - 1.15
    agents: list[AnyAgentForm] = []
    gap = v.graded(31.0, 18.0)
    if case:
        town.parking(axis, site.lane_m, 2.3)
    if case == 2:
        for name, s in (("before", at_s + 5.05 - gap - 2.25), ("beyond", at_s + 5.05 + 2.25)):
            agents.append(standing(f"parked {name}", site.point(s, d), site.yaw(s)))
    if v.chance(0.5):
        back = site.line(site.frame.length, 0.0, -site.ego_d)
        agents.append(driving("oncoming", back, site.limit_mps * 0.8, site.point(200.0, -site.ego_d)))
    yaw = site.yaw(at_s)
    last = goal(site.point(at_s, d), yaw, v.graded(8.0, 4.0), v.graded(0.9, 0.6), (0.0, 0.3))
    last = last.model_copy(update={"yaw_rad": (round(yaw - 0.25, 3), round(yaw + 0.25, 3))})
    shift = d - site.ego_d
    into = 16.0 if case < 2 else (gap - 7.8) / 0.75
    reached = at_s - (2.0 if case < 2 else 0.5)
    knots = ((reached - into, 0.0), (reached, shift), (at_s + 20.0, shift))
    words = ("in the lane", "in a parking lane", f"in a gap of {gap:.1f} m")[case]
    return draft(
        v, town.osm, start(site.point(begin_s, site.ego_d), site.yaw(begin_s), site.limit_mps * v.between(0.7, 0.9)),
        last, agents, 3.0 * (at_s - begin_s) / site.limit_mps + 30.0, share(v.level, 0.0, 1.0), f"at the kerb {words}",
        Careful((), tuple((at(site.point(s, site.ego_d)), off) for s, off in knots)),
    )  # fmt: skip
