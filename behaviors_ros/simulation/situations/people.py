"""Situations with people and animals on the road: crosswalk, jaywalker, animal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from behaviors_ros.datatypes import Array
from behaviors_ros.simulation.forms import ReactiveForm, SlowForm, StationaryForm
from behaviors_ros.simulation.situations.cast import approaching, driving, standing, walking
from behaviors_ros.simulation.situations.draft import Careful, Draft, draft, goal, start
from behaviors_ros.simulation.situations.sites import (
    URBAN,
    URBAN_SIGNALS,
    Street,
    bent,
    street,
    urban_street,
)
from behaviors_ros.simulation.situations.variation import Variation, share
from behaviors_ros.simulation.worlds.osm import straight

REACTION_S = 0.5
MARGIN_M = 2.0  # room left before what one stops for


def stopping_m(speed_mps: float, deceleration_mps2: float) -> float:
    """Distance of a stop: reaction at full speed, then braking, and the margin left, m."""
    return REACTION_S * speed_mps + speed_mps**2 / (2.0 * deceleration_mps2) + MARGIN_M


def crosswalk(v: Variation) -> Draft:
    """Two to four pedestrians cross a zebra from both sides; in a quarter of the variants the first has crossed before.

    The first steps off the kerb when the ego's front is as far from the stop line as a stop takes at the speed limit
    with 1.0 (easy) to 3.0 m/s^2 (hard) after 0.5 s, so that the limit may be driven until then. The others follow
    within 3 s: who stops for the first sees them. Each crosses in about 7 s, which the duration has room for.
    """
    site = street(straight((0.0, 0.0), v.turn(), 260.0), v.between(2.9, 3.6), v.one_of((30, 50)))
    speed, at_s, lane = site.limit_mps, 130.0, site.lane_m
    site.town.zebra(site.point(at_s, 0.0), site.yaw(at_s), site.lanes)
    braking = v.graded(1.0, 3.0)
    early = v.chance(0.25)
    stop_line = site.point(at_s - 4.0, site.ego_d)
    # One who crosses early starts as much sooner as the way over the road takes.
    within = stopping_m(speed, braking) + (2.0 * lane + 2.0) / 1.3 * speed * (1.0 if early else 0.0)
    people = []
    for index in range(v.whole(2, 4)):
        side = -1.0 if index == 0 else v.one_of((-1.0, 1.0))
        # Who walks one way keeps to one half of the zebra, so that nobody has to go round another.
        along = at_s + side * (0.35 + 0.55 * index)
        way = np.array([site.point(along, side * d) for d in (lane + 1.0, -lane - 1.5, -lane - 4.0)])
        late = 0.0 if index == 0 else v.between(0.3, 3.0)
        trigger = approaching(stop_line, within, late)
        people.append(walking(f"pedestrian {index + 1}", way, v.between(1.1, 1.6), trigger))
    why = "the first has crossed before" if early else f"a stop of {braking:.1f} m/s^2"
    hard = share(braking, 1.0, 3.0) * (0.3 if early else 1.0)
    return _on_street(v, site, at_s, people, hard, f"{why}, {len(people)} pedestrians", extra_s=14.0)


def jaywalker(v: Variation) -> Draft:
    """A pedestrian walks out from behind a parked van; the driver sees them only when they pass its side.

    With c the offset of the van's side from the ego's centre line (lane / 2 + 0.15 m) the pedestrian comes into view
    about c from it. The trigger is set so that the ego, at the speed limit, is then D = 0.5 v + v^2 / (2 a) + 2 m away,
    with a = 2.0 (easy) to 4.0 m/s^2 (hard): braking at a after half a second stops 2 m before. The walking speed is
    such that the pedestrian is within 0.8 m of the centre line when the ego would arrive; every fifth runs by before.
    """
    site = (
        v.place or _urban(v) or street(straight((0.0, 0.0), v.turn(), 240.0), v.between(2.9, 3.6), v.one_of((30, 50)))
    )
    speed, at_s, lane = site.limit_mps, 120.0, site.lane_m
    braking = v.graded(2.0, 4.0)
    sight_m = stopping_m(speed, braking)
    side = 0.5 * lane + 0.15
    arrival_s = sight_m / speed
    pace = (side + v.between(-0.8, 0.8)) / arrival_s if v.variant % 5 else (side + 3.0) / arrival_s
    pace = min(max(pace, 0.8), 3.5)
    van = standing("van", site.point(at_s - 3.9, -lane - 1.2), site.yaw(at_s), kind="truck", length_m=6.0, width_m=2.1)
    hidden_m = 2.4
    hidden_s = hidden_m / pace + 0.5 * pace / (4.0 if pace > 2.0 else 1.5)
    way = np.array([site.point(at_s, d) for d in (-0.5 * lane - side - hidden_m, lane + 1.5, lane + 5.0)])
    trigger = approaching(site.point(at_s, site.ego_d), sight_m + speed * hidden_s)
    people: list[ReactiveForm | StationaryForm] = [walking("pedestrian", way, pace, trigger), van]
    for index in range(v.whole(0, 3)):
        place = site.point(at_s - 11.0 - 6.2 * index, -lane - 1.15)
        people.append(standing(f"parked car {index + 1}", place, site.yaw(at_s)))
    if v.chance(0.5) and v.place is None:
        people.append(_oncoming(site, at_s, v, -60.0))
    return _on_street(v, site, at_s, people, share(braking, 2.0, 4.0), f"a stop of {braking:.1f} m/s^2 once in view")


def animal(v: Variation) -> Draft:
    """An animal stands beside the road in view and runs across when the ego comes; some stop on the road for a while.

    It starts when the ego at the speed limit is D = 0.5 v + v^2 / (2 a) + 2 m away, a = 2.0 (easy) to 4.0 m/s^2 (hard),
    and its way to the ego's lane takes as long as the ego's to it (0.75 to 1.1 of that), so that not braking hits it
    or just misses it.
    """
    bend = v.one_of((0.0, 0.0, -0.5, 0.5))
    axis = bent(v.turn(), 260.0, bend, 70.0, 90.0)
    site = v.place or _urban(v) or street(axis, v.between(2.9, 3.6), v.one_of((30, 50)))
    speed, at_s, lane = site.limit_mps, 130.0, site.lane_m
    braking = v.graded(2.0, 4.0)
    within = stopping_m(speed, braking)
    side = v.one_of((-1.0, 1.0))
    begin = side * (lane + v.between(1.5, 4.0))
    arrival_s = within / speed * v.between(0.75, 1.1)
    pace = float(np.clip(abs(begin - site.ego_d) / max(0.8, arrival_s - 0.3), 2.0, 7.0))
    skew = v.between(-3.0, 3.0)
    ends = ((at_s - skew, begin), (at_s + skew, -begin), (at_s + skew, -1.5 * begin))
    way = np.array([site.point(s, d) for s, d in ends])
    to_lane = float(np.hypot(*(way[1] - way[0]))) * abs(begin - site.ego_d) / abs(2.0 * begin)
    freezes = v.chance(0.35)
    slow = (SlowForm(from_m=round(to_lane - 0.4, 3), to_m=round(to_lane + 0.4, 3), speed_mps=0.25),) if freezes else ()
    size = {"length_m": v.between(0.6, 1.6), "width_m": v.between(0.25, 0.5)}
    trigger = approaching(site.point(at_s, site.ego_d), within)
    beast = walking("animal", way, pace, trigger, "animal", slow=slow, **size)
    why = f"a stop of {braking:.1f} m/s^2" + (", it stops on the road" if freezes else "")
    return _on_street(v, site, at_s, [beast], share(braking, 2.0, 4.0), why)


def _urban(v: Variation) -> Street | None:
    """Each fifth variant is in the embedded town."""
    return urban_street() if v.variant % 5 == 3 else None


def _oncoming(site: Street, at_s: float, v: Variation, past_m: float) -> ReactiveForm:
    """A car in the other lane that meets the ego near `past_m` beyond the place."""
    speed = site.limit_mps * v.between(0.7, 0.95)
    path = site.line(site.frame.length, 0.0, -site.ego_d)
    return driving("oncoming", path, speed, site.point(min(site.frame.length - 1.0, at_s - past_m), -site.ego_d))


def _on_street(
    v: Variation, site: Street, at_s: float, agents: Sequence[ReactiveForm | StationaryForm], difficulty: float,
    why: str, extra_s: float = 8.0,
) -> Draft:  # fmt: skip
    """The ego comes along the street at 80 to 100 % of the limit; the goal is 60 m past the place."""
    begin_s, end_s = at_s - min(100.0, 8.0 * site.limit_mps), site.within(at_s + 60.0)
    position: Array = site.point(begin_s, site.ego_d)
    first = start(position, site.yaw(begin_s), site.limit_mps * v.between(0.8, 1.0))
    last = goal(site.point(end_s, site.ego_d), site.yaw(end_s), width_m=site.lane_m)
    duration = 1.6 * (end_s - begin_s) / site.limit_mps + 6.0 + extra_s
    lights = URBAN_SIGNALS if site.file == URBAN else ()
    return draft(v, site.map, first, last, agents, duration, difficulty, why, Careful(), signals=lights)
