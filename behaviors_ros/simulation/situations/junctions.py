"""Situations at junctions without lights: unprotected left turn, all-way stop, occluded junction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from behaviors_ros.datatypes import Array
from behaviors_ros.simulation.forms import GiveWayForm, ReactiveForm
from behaviors_ros.simulation.situations.cast import driving, gaps, stream, yielding
from behaviors_ros.simulation.situations.draft import Careful, Draft, draft, goal, line, start
from behaviors_ros.simulation.situations.sites import Junction, junction
from behaviors_ros.simulation.situations.variation import Variation, share

OPPOSITE = {"west": "east", "east": "west", "north": "south", "south": "north"}


def four_way(v: Variation, limit_kmh: int, mouth_m: float = 13.0, arms: str = "west east north south") -> Junction:
    """A junction of two straight roads at 70 to 110 deg, or some of its arms; the ego's comes from the west."""
    heading, skew = v.turn(), v.between(-0.35, 0.35)
    north = heading + 0.5 * math.pi + skew
    yaws = {"west": heading + math.pi, "east": heading, "north": north, "south": north + math.pi}
    chosen = {name: yaw for name, yaw in yaws.items() if name in arms.split()}
    return junction(chosen, v.between(2.9, 3.6), limit_kmh, mouth_m=mouth_m)


def oncoming_first(site: Junction) -> None:
    """Left turns give way to oncoming traffic, on all arms."""
    for source, arm in site.arms.items():
        opposite = OPPOSITE[source]
        if opposite not in site.arms:
            continue
        for target in arm.turns:
            angle = math.remainder(site.arms[target].yaw - arm.yaw - math.pi, math.tau)
            if angle > 0.3:
                site.town.oncoming_first(site.arms, source, target, opposite)


def unprotected_left(v: Variation) -> Draft:
    """The ego turns left across a stream of oncoming cars, some of whose gaps are too small and one large enough.

    From standstill before the oncoming lane the turn takes about 5 s (20 m at 1.8 m/s^2) and one keeps 1 s. Small gaps
    are 2 to 3.5 s, the large one is 10 (easy) to 6.5 s (hard), and the stream ends within 30 s. In every fifth variant
    all oncoming cars pass before the ego comes or long after.
    """
    site = four_way(v, v.one_of((30, 50)))
    oncoming_first(site)
    limit = site.limit_mps
    far = min(100.0, 8.0 * limit)
    ego_s = far / (0.85 * limit) + 2.5
    large = v.graded(10.0, 6.5)
    small = [v.between(2.0, 3.5) for _ in range(v.whole(1, 3))]
    rest = [v.between(2.0, 3.5) for _ in range(v.whole(0, 2))]
    free = v.variant % 5 == 4
    first_s = 1.5 if free else max(1.5, ego_s - v.between(0.0, 3.0))
    times = gaps(first_s, *([ego_s + 9.0, *rest] if free else [*small, large, *rest]))
    pace = limit * v.between(0.75, 0.95)
    west, lane = site.arms["west"], site.town.lane_m
    back = site.path("east", "west")
    agents = stream("oncoming", back, west.at(-site.town.mouth_m, -0.5 * lane), times, pace)
    area = np.array([west.at(x, y) for x, y in ((-2.0, -lane), (-2.0, 0.0), (-24.0, 0.0), (-24.0, -lane))])
    wait = yielding(west.at(-4.0, 0.5 * lane), area, [back], margin_s=1.0)
    hard = share(large, 10.0, 6.5) * (0.2 if free else 1.0)
    why = "oncoming cars are apart" if free else f"a gap of {large:.1f} s among small ones"
    return _through(v, site, "north", far, agents, times[-1] + 40.0, hard, why, Careful((wait,)))


def all_way_stop(v: Variation) -> Draft:
    """One to three cars come to a junction where all have to stop; who stood first goes first.

    They reach their lines from 4 s before to 4 s after the ego: near together is hard. The others keep to the order:
    those who stood before the ego go before it, the others wait for it (4 to 7 s if it does not go). Each passage
    takes about 5 s, so the ego's turn comes within 20 s.
    """
    site = four_way(v, v.one_of((30, 50)))
    for arm in site.arms.values():
        site.town.stop_sign(arm)
    limit, far = site.limit_mps, 60.0
    ego_s = far / limit + 0.5 * limit / 2.0
    agents: list[ReactiveForm] = []
    area, least = site.area(), 4.0
    names = ["east", "north", "south"]
    target = v.one_of(names)
    for source in names[: v.whole(1, 3)]:
        apart = v.graded(4.0, 1.0) * v.one_of((-1.0, 1.0)) + v.between(-0.3, 0.3)
        least = min(least, abs(apart))
        pace = limit * v.between(0.7, 0.9)
        leaves = v.one_of([name for name in site.arms if name != source])
        path = site.path(source, leaves)
        rule = _stop(site, source, area, 4.0 + 1.5 * len(agents))
        before = min(160.0, max(5.0, pace * max(0.8, ego_s + apart - 0.5 * pace / 2.0)))
        agents.append(
            driving(f"from {source}", path, pace, site.inward(source, before), gives_way=(rule,))
        )  # fmt: skip
    careful = Careful((_stop(site, "west", area, 9.0),))
    hard = min(1.0, 0.7 * share(least, 4.0, 0.7) + 0.1 * len(agents))
    why = f"{len(agents)} others, the nearest in time {least:.1f} s apart"
    return _through(v, site, target, far, agents, 60.0, hard, why, careful)


def _stop(site: Junction, source: str, area: Array, patience_s: float) -> GiveWayForm:
    """Stop before the line of an arm and wait for the own turn; of those who came together the least patient goes."""
    others = [site.path(name, OPPOSITE[name]) for name in site.arms if name != source]
    return yielding(site.line(source), area, others, halt_s=1.0, first_come=True, patience_s=patience_s)


def occluded_junction(v: Variation) -> Draft:
    """The ego comes from a side road to a priority road that buildings hide until it is there.

    Buildings stand 5 (easy) to 2 m (hard) from the priority road's lane and 2 m beside the side road. From a stop with
    the bumper 0.7 m before the lane one sees along it; so who creeps there and waits for a gap is safe. The streams
    from both sides have small gaps of 2 to 4 s, a large one of 11 (easy) to 8 s (hard), and end within 30 s; a right
    turn or crossing from standstill takes 5 to 6 s.
    """
    arms = v.one_of(("west north south", "west east north south"))
    site = four_way(v, v.one_of((30, 50)), mouth_m=11.0, arms=arms)
    west, lane, mouth = site.arms["west"], site.town.lane_m, site.town.mouth_m
    target = v.one_of([name for name in site.arms if name != "west"])
    main = [site.arms["north"].turns["south"], site.arms["south"].turns["north"]]
    edge = mouth - lane
    for source in ("west", "east"):
        if source in site.arms:
            arm = site.arms[source]
            site.town.give_way(list(arm.turns.values()), main, site.town.stop_line(arm, 1.5 - edge))
    setback = v.graded(5.0, 2.0)
    skew = math.sin(site.arms["north"].yaw - west.yaw + math.pi)
    blocks = _buildings(site, lane + 2.0, setback, abs(skew))
    limit, far = site.limit_mps, 60.0
    ego_s = far / limit + 4.0
    large = v.graded(11.0, 8.0)
    agents: list[ReactiveForm] = []
    last_s = 0.0
    for source in ("north", "south"):
        small = [v.between(2.0, 4.0) for _ in range(v.whole(1, 3))]
        times = gaps(max(1.0, ego_s + v.between(-2.0, 1.0)), *small, large)
        last_s = max(last_s, times[-1])
        way = site.path(source, OPPOSITE[source])
        agents += stream(f"from {source}", way, np.zeros(2), times, limit * v.between(0.8, 0.95))
    ways = [site.path("north", "south"), site.path("south", "north")]
    half = lane + 0.3
    north = site.arms["north"]
    area = np.array([north.at(x - mouth, y) for x, y in ((14.0, -half), (14.0, half), (-14.0, half), (-14.0, -half))])
    wait = yielding(west.at(0.7 - edge, 0.5 * lane), area, ways, margin_s=1.0, halt_s=0.5)
    hard = 0.6 * share(setback, 5.0, 2.0) + 0.4 * share(large, 11.0, 8.0)
    why = f"buildings {setback:.1f} m from the road, a gap of {large:.1f} s"
    return _through(v, site, target, far, agents, last_s + 40.0, hard, why, Careful((wait,)),
                    occluders=tuple(line(block) for block in blocks))  # fmt: skip


def _buildings(site: Junction, beside_m: float, setback_m: float, skew: float) -> list[Array]:
    """Buildings at the two corners beside the ego's arm: `beside_m` from its axis, `setback_m` from the other road."""
    west, lane, mouth = site.arms["west"], site.town.lane_m, site.town.mouth_m
    found = []
    for name in ("north", "south"):
        other = site.arms[name]
        cross = np.array((math.cos(other.yaw), math.sin(other.yaw)))
        # Along the other road the offset beside the ego's arm is longer by 1 / sin of the angle between the roads.
        near = (lane + setback_m) / skew
        along = west.at(near - mouth, 0.0) - west.at(-mouth, 0.0)
        away = west.at(0.0, 0.0) - west.at(-1.0, 0.0)
        corner = along + cross * beside_m / skew
        found.append(
            np.array((corner, corner + cross * 25.0, corner + cross * 25.0 + away * 18.0, corner + away * 18.0))
        )
    return found


def _through(
    v: Variation, site: Junction, target: str, far: float, agents: list[ReactiveForm], duration: float, hard: float,
    why: str, careful: Careful, **more: Any,
) -> Draft:  # fmt: skip
    """The ego comes from the west and leaves towards `target`."""
    arm = site.arms["west"]
    first = start(site.inward("west", far), arm.yaw + math.pi, site.limit_mps * v.between(0.75, 0.95))
    last = goal(site.outward(target, 45.0), site.arms[target].yaw, width_m=site.town.lane_m)
    return draft(v, site.town.osm, first, last, agents, duration, hard, why, careful, **more)
