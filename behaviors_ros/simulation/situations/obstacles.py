"""Situations where something stands in the lane: double-parked vehicle, blocked lane, narrow street."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Array
from behaviors_ros.simulation.forms import ReactiveForm, StationaryForm
from behaviors_ros.simulation.reactive import Idm
from behaviors_ros.simulation.situations.cast import driving, gaps, standing, stream, yielding
from behaviors_ros.simulation.situations.draft import Careful, Draft, Point, at, draft, goal, start
from behaviors_ros.simulation.situations.sites import Street, bent, street
from behaviors_ros.simulation.situations.variation import Variation, share
from behaviors_ros.simulation.worlds.osm import straight

EGO_WIDTH_M = 1.85
ROOM_M = 0.7  # left to what is passed
PASS_MPS = 6.0  # speed of a careful pass
Thing = ReactiveForm | StationaryForm


def double_parked(v: Variation) -> Draft:
    """A van or car stands with part of its width in the ego's lane; some oncoming cars come first.

    It reaches 1.0 (easy) to 2.4 m (hard) into the lane, so that up to 2.3 m of the other lane are needed to pass at
    0.7 m. Up to three cars come the other way, 2.5 to 4 s apart: none of these gaps is enough for the pass of about
    6 s, the time after the last is. Whoever waits before the van loses 15 s at most.
    """
    site = street(bent(v.turn(), 300.0, v.one_of((0.0, 0.0, 0.35, -0.35)), 60.0, 120.0), v.between(2.9, 3.6), 50)
    into = v.graded(1.0, min(2.4, site.lane_m - 0.7))
    truck = v.chance(0.6)
    kind, length, width = ("truck", v.between(5.5, 7.5), 2.1) if truck else ("car", 4.6, 1.85)
    begin, d = 150.0, -site.lane_m + into - 0.5 * width
    things: list[Thing] = [
        standing("double-parked", site.point(begin + 0.5 * length, d), site.yaw(begin + 0.5 * length), kind=kind,
                 length_m=length, width_m=width)
    ]  # fmt: skip
    count = v.whole(0, 3)
    edge = -site.lane_m + into
    small = [v.between(2.5, 4.0) for _ in range(count)]
    hard = share(into, 1.0, 2.4) * 0.7 + 0.1 * count
    why = f"{into:.1f} m into the lane, {count} oncoming"
    return _around(v, site, begin, begin + length, edge, things, small, [], hard, why)


def blocked_lane(v: Variation) -> Draft:
    """A building site takes the whole lane for 10 (easy) to 35 m (hard); the other lane carries a stream with gaps.

    A pass from standstill to 6 m/s takes 3 s + (length + 35 m) / 6 m/s: 10 to 15 s. The stream has gaps of 2 to 4 s,
    one that is 1.7 (easy) to 1.25 times (hard) the pass, more small ones, and ends within 45 s: a driver can use the
    gap or wait for the end.
    """
    site = street(straight((0.0, 0.0), v.turn(), 320.0), v.between(3.0, 3.6), v.one_of((30, 50)))
    length = v.graded(10.0, 35.0)
    begin = 150.0
    d = site.ego_d
    things: list[Thing] = []
    for index, s in enumerate(np.arange(begin, begin + length + 0.1, 2.5)):
        if abs(s - begin - 0.5 * length) < 3.2:
            continue
        on = d - 0.9 + 1.8 * (index % 2) if 0 < index < length / 2.5 - 1 else d
        things.append(
            standing(f"barrier {index + 1}", site.point(s, on), site.yaw(s), kind="hazard", length_m=0.4, width_m=1.2)
        )  # fmt: skip
    things.append(
        standing("digger", site.point(begin + 0.5 * length, d), site.yaw(begin), kind="truck", length_m=5.5,
                 width_m=min(2.3, site.lane_m - 0.6))
    )  # fmt: skip
    needed = 3.0 + (length + 35.0) / PASS_MPS
    large = needed * v.graded(1.7, 1.25)
    small = [v.between(2.0, 4.0) for _ in range(v.whole(1, 3))]
    rest = [v.between(2.0, 4.0) for _ in range(v.whole(0, 2))]
    hard = 0.5 * share(length, 10.0, 35.0) + 0.5 * share(large / needed, 1.7, 1.25)
    why = f"{length:.0f} m blocked, a gap of {large:.1f} s where {needed:.1f} s are needed"
    return _around(v, site, begin, begin + length, d + 0.5 * site.lane_m, things, small, [large, *rest], hard, why)


def _around(
    v: Variation, site: Street, begin: float, end: float, edge: float, things: list[Thing], small: list[float],
    after: list[float], difficulty: float, why: str,
) -> Draft:  # fmt: skip
    """The ego passes from `begin` to `end` left of offset `edge`; oncoming cars meet it with the gaps given."""
    limit = site.limit_mps
    begin_s, end_s = begin - min(100.0, 8.0 * limit), end + 60.0
    first_s = (begin - begin_s) / limit + v.between(-3.0, 2.0)
    speed = limit * v.between(0.75, 0.95)
    back = site.line(site.frame.length, 0.0, -site.ego_d)
    passing_d = edge + ROOM_M + 0.5 * EGO_WIDTH_M
    shift = max(0.0, passing_d - site.ego_d)
    # Oncoming drivers watch the ego's box, not what stands beside their lane, and let out who is passing already.
    driver = Idm(desired_speed_mps=speed, headway_s=0.8, clearance_m=0.1)
    out = yielding(
        site.point(end + 28.0, -site.ego_d), site.box(begin - 12.0, end + 18.0, -site.lane_m, site.lane_m),
        [site.line(begin - 20.0, end + 20.0, passing_d)], inside_only=True, margin_s=0.5, aside_m=1.2,
    )  # fmt: skip
    times = gaps(max(1.0, first_s), *small, *after)[: len(small) + len(after)]
    oncoming = stream("oncoming", back, site.point(begin, -site.ego_d), times, speed, driver=driver, gives_way=(out,))
    knots = ((begin - 20.0, 0.0), (begin - 4.0, shift), (end + 4.0, shift), (end + 20.0, 0.0))
    offsets: tuple[tuple[Point, float], ...] = tuple((at(site.point(s, site.ego_d)), d) for s, d in knots)
    needs_lane = passing_d + 0.5 * EGO_WIDTH_M > -site.ego_d - 0.5 * EGO_WIDTH_M - 0.5
    wait = yielding(
        site.point(begin - 17.0, site.ego_d), site.box(begin - 12.0, end + 10.0, -0.5 * site.lane_m, site.lane_m),
        [back], margin_s=2.0,
    )  # fmt: skip
    slow = ((at(site.point(begin - 12.0, site.ego_d)), at(site.point(end + 5.0, site.ego_d)), PASS_MPS),)
    duration = 1.6 * (end_s - begin_s) / limit + 25.0 + (times[-1] if times else 0.0)
    return draft(
        v, site.town.osm, start(site.point(begin_s, site.ego_d), site.yaw(begin_s), limit * v.between(0.8, 1.0)),
        goal(site.point(end_s, site.ego_d), site.yaw(end_s), width_m=site.lane_m), [*things, *oncoming], duration,
        min(1.0, difficulty), why, Careful((wait,) if needs_lane and times else (), offsets, slow),
    )  # fmt: skip


def narrow_street(v: Variation) -> Draft:
    """Parked cars leave one track for 20 (easy) to 50 m (hard), and a car comes the other way.

    Three cases: parked on the ego's side, and the other is in the narrow part first (the ego waits before it); parked
    on the other's side (the other waits, the ego goes on); on both sides, 0.5 m left on either hand, and who is nearer
    by 2.5 s or more goes. The other gives way like a normal driver: it waits before the narrow part while the ego is in
    it or will be before it is through, and goes when the ego stands.
    """
    case = v.variant % 3
    lane = v.between(2.9, 3.05)
    site = street(bent(v.turn(), 300.0, v.one_of((0.0, 0.3, -0.3)), 50.0, 120.0), lane, 30)
    length = v.graded(20.0, 50.0)
    begin, end = 140.0, 140.0 + length
    inner = 1.45 if case == 2 else lane - 1.875
    things: list[Thing] = []
    for index, s in enumerate(np.arange(begin + 2.5, end - 2.0, 6.0)):
        for side in ((-1.0,), (1.0,), (-1.0, 1.0))[case]:
            place = site.point(s, side * (inner + 0.5 * EGO_WIDTH_M))
            things.append(standing(f"parked car {index + 1} {'left' if side > 0.0 else 'right'}", place, site.yaw(s)))
    limit, begin_s, end_s = site.limit_mps, begin - 65.0, end + 50.0
    ego_first = case == 1 or (case == 2 and v.chance(0.5))
    # When the other one reaches its end of the narrow part, against when the ego reaches its own.
    lead_s = v.between(0.0, 3.0) if case == 1 else v.between(2.5, 5.0) if ego_first else -v.between(2.5, 6.0)
    swing = 0.0 if case == 0 else 0.5 * lane if case == 2 else inner * -1.0 + 0.6 + 0.5 * EGO_WIDTH_M + 0.5 * lane
    other = _other(
        site, (begin, end), swing, ego_first, limit * v.between(0.6, 0.8), (begin - begin_s) / limit + lead_s
    )
    shift = 0.0 if case == 1 else 0.5 * lane if case == 2 else 0.6 + 0.5 * EGO_WIDTH_M - inner + 0.5 * lane
    knots = ((begin - 16.0, 0.0), (begin - 3.0, shift), (end + 3.0, shift), (end + 16.0, 0.0))
    area = site.box(begin - 8.0, end + 8.0, -lane, lane)
    back = site.line(site.frame.length, 0.0, -site.ego_d)
    wait = yielding(site.point(begin - 18.0, site.ego_d), area, [back], margin_s=1.0, aside_m=2.0)
    slow = ((at(site.point(begin - 8.0, site.ego_d)), at(site.point(end + 5.0, site.ego_d)), 5.0),)
    hard = 0.6 * share(length, 20.0, 50.0) + (0.4, 0.1, 0.3)[case]
    side_words = ("on the ego's side", "on the other's side", "on both sides")[case]
    return draft(
        v, site.town.osm, start(site.point(begin_s, site.ego_d), site.yaw(begin_s), limit * v.between(0.7, 1.0)),
        goal(site.point(end_s, site.ego_d), site.yaw(end_s), width_m=lane), [*things, other],
        2.0 * (end_s - begin_s) / limit + 35.0, min(1.0, hard), f"one track for {length:.0f} m, parked {side_words}",
        Careful(() if ego_first else (wait,), tuple((at(site.point(s, site.ego_d)), d) for s, d in knots), slow),
    )  # fmt: skip


def _other(
    site: Street, span: tuple[float, float], swing: float, gives_way: bool, pace: float, arrival_s: float
) -> ReactiveForm:
    """The oncoming driver, which swings out by `swing` in the narrow part and reaches it at a time."""
    begin, end = span
    s = np.arange(site.frame.length, 0.0, -2.0)
    ramp = np.clip(np.minimum((end + 14.0 - s) / 12.0, (s - begin + 14.0) / 12.0), 0.0, 1.0)
    ramp = ramp**3 * (10.0 - 15.0 * ramp + 6.0 * ramp**2)
    path: Array = site.frame.cartesian(s, -site.ego_d - swing * ramp)
    area = site.box(begin - 8.0, end + 8.0, -site.lane_m, site.lane_m)
    ahead = site.line(0.0, site.frame.length, site.ego_d)
    rule = yielding(site.point(end + 18.0, -site.ego_d), area, [ahead], margin_s=1.0, aside_m=2.5)
    where = site.point(min(site.frame.length - 1.0, end + pace * max(1.0, arrival_s)), -site.ego_d)
    driver = Idm(desired_speed_mps=pace, clearance_m=0.1)
    return driving("oncoming", path, pace, where, driver=driver, gives_way=(rule,) if gives_way else ())
