"""Lane changes into gaps between predicted agents of the neighbouring lane: aligned in place and speed first.

The motion along the path is the quintic of least jerk to the gap's place and speed at a time (Takahashi et al., "Local
path planning and motion control for AGV in positioning", IROS 1989), and steady from then on; the change across follows
when the ego is beside the gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float
from numba import njit

from behaviors_ros.datatypes import Array, Candidates
from behaviors_ros.generation import agents as columns
from behaviors_ros.generation import offsets
from behaviors_ros.generation.motions import empty, on_grid
from behaviors_ros.generation.offsets import Lateral, length_for, middle
from behaviors_ros.generation.paths import Profile
from behaviors_ros.generation.situation import Situation
from behaviors_ros.parameters import Parameters, value


class Gaps(Parameters):
    """Which gaps are offered, and how the ego gets there."""

    times_s: tuple[float, ...] = value((2.5, 4.0, 5.5), "times to be beside a gap")
    gaps: int = value(3, "gaps beside the ego that are tried, the nearest first", low=0.0, high=10.0)
    slower_mps: float = value(2.0, "behind an agent the gap may be reached this much slower, too", low=0.0, high=5.0)
    gap_m: float = value(1.5, "distance kept to both ends of a gap at standstill", low=0.2, high=10.0)
    headway_s: float = value(0.15, "further distance kept to both ends per speed", low=0.0, high=3.0)
    lane_m: float = value(1.2, "agents within this of the lane's centre drive in it", low=0.3, high=3.0)
    behind_m: float = value(30.0, "agents up to this far behind make gaps", low=0.0, high=100.0)
    acceleration_mps2: float = value(1.6, "largest acceleration", low=0.2, high=4.0)
    deceleration_mps2: float = value(2.5, "largest braking", low=0.2, high=6.0)
    jerk_mps3: float = value(4.0, "largest jerk", low=0.5, high=10.0)


@dataclass(frozen=True)
class Gap:
    """A place to be at a time. label: between whom; distance along the reference from the start, m; speed there m/s."""

    label: str
    time_s: float
    distance: float
    speed: float


def into_gaps(situation: Situation, lateral: Lateral, rules: Gaps, name: str) -> Candidates:
    """Candidates into the gaps of the lanes of the same direction on either side, and of the own lane where others come
    into it; none where nobody drives there.
    """
    if situation.lateral is None or not len(situation.agents):
        return empty(situation)
    own = offsets.keeping(situation, lateral)[:1] if _joined(situation, rules) else []
    wanted = [
        (change, gap)
        for change in [*own, *_targets(offsets.changing(situation, lateral))]
        for gap in gaps(situation, change.offset_m, rules)
    ]
    if not wanted:
        return empty(situation)
    motions = aligned(situation, [gap for _, gap in wanted])
    chosen = [pair for pair, good in zip(wanted, gentle(situation, motions, rules), strict=True) if good]
    if not chosen:
        return empty(situation)
    paths = offsets.sampled(situation, [_across(situation, lateral, change, gap) for change, gap in chosen])
    # On a bend the way along the path is longer or shorter than along the reference.
    along = [
        replace(gap, distance=float(np.interp(gap.distance, table[:, 1] - table[0, 1], table[:, 0])))
        for table, (_, gap) in zip(paths.table, chosen, strict=True)
    ]
    keep = paths.usable
    labels = tuple(label for label, use in zip(paths.label, keep, strict=True) if use)
    return on_grid(
        situation, paths, np.flatnonzero(keep), np.ascontiguousarray(aligned(situation, along)[keep]), labels, name
    )


def _joined(situation: Situation, rules: Gaps) -> bool:
    """Whether the ego, or somebody beside the route, comes into its lane."""
    if abs(situation.offset) >= rules.lane_m:
        return True
    along = situation.agents.along
    away = np.abs(0.5 * (along[..., columns.RIGHT] + along[..., columns.LEFT])) >= rules.lane_m
    return bool((away[:, 0] & ~away.all(axis=1)).any())


def _targets(changes: list[Profile]) -> list[Profile]:
    """One profile for each side."""
    return list({profile.label: profile for profile in changes}.values())


def gaps(situation: Situation, offset: float, rules: Gaps) -> list[Gap]:
    """The gaps in the lane whose centre is at `offset` (m), at each of the times, nearest to the ego first."""
    found = []
    for time in rules.times_s:
        step = min(round(time / situation.grid.dt_s), situation.grid.steps - 1)
        found += sorted(_gaps_at(situation, offset, rules, step), key=lambda gap: gap[0])[: rules.gaps]
    return [gap for _, gap in found]


def _gaps_at(situation: Situation, offset: float, rules: Gaps, step: int) -> list[tuple[float, Gap]]:
    """Gaps at a step, each with how far it is from where the ego would be at its present speed, m."""
    # Plain numbers: many times faster to read one by one.
    along, time = situation.agents.along[:, step].tolist(), step * situation.grid.dt_s
    last = situation.station - rules.behind_m
    near = [
        n for n, row in enumerate(along)
        if abs(0.5 * (row[columns.RIGHT] + row[columns.LEFT]) - offset) < rules.lane_m and row[columns.FRONT] > last
    ]  # fmt: skip
    order = sorted(near, key=lambda n: along[n][columns.REAR])
    coasting = situation.station + situation.start.speed * time
    found = []
    for behind, ahead in zip([None, *order], [*order, None], strict=True) if order else ():
        place = _place(situation, rules, along, behind, ahead, coasting)
        if place is not None:
            station, speed = place
            words = [f"{word} {situation.label_of(n)}" for word, n in (("behind", ahead), ("before", behind))
                     if n is not None]  # fmt: skip
            gap = Gap(", ".join(words), time, station - situation.station, speed)
            found.append((abs(station - coasting), gap))
            if ahead is not None and station < coasting - 1.0 and speed > rules.slower_mps > 0.0:
                found.append((abs(station - coasting), replace(gap, speed=speed - rules.slower_mps)))
    return found


def _place(
    situation: Situation, rules: Gaps, along: list[list[float]], behind: int | None, ahead: int | None, coasting: float
) -> tuple[float, float] | None:
    """(station, speed) of the rear axle within a gap, as near to `coasting` as the gap allows; None: too small."""
    speeds = [along[n][columns.SPEED] for n in (behind, ahead) if n is not None]
    speed = min(max(min(speeds), 0.0), situation.limit_mps)
    if ahead is None:
        speed = min(max(situation.start.speed, max(speeds)), situation.limit_mps)
    kept = rules.gap_m + rules.headway_s * speed
    low = -math.inf
    if behind is not None:
        faster = max(along[behind][columns.SPEED] - speed, 0.0)
        low = along[behind][columns.FRONT] + kept + 2.0 * faster + situation.vehicle.rear_overhang_m
    high = math.inf if ahead is None else along[ahead][columns.REAR] - kept - situation.front_m
    if low > high:
        return None
    return min(max(coasting, low), high), speed


def aligned(situation: Situation, wanted: list[Gap]) -> Float[Array, "gap step 3"]:
    """Distance, speed and acceleration at each step of the motions to the gaps."""
    start = situation.start
    distance, speed, duration = np.array([[gap.distance, gap.speed, gap.time_s] for gap in wanted]).T
    return least_jerk(start.speed, start.acceleration, distance, speed, duration, situation.grid.time_s)


def gentle(situation: Situation, motions: Float[Array, "gap step 3"], rules: Gaps) -> Bool[Array, " gap"]:
    """Motions within the limits of comfort that never stand. What the start has does not count for half a second."""
    speed, acceleration = motions[..., 1], motions[..., 2]
    jerk = np.abs(np.diff(acceleration, axis=1)).max(axis=1) / situation.grid.dt_s
    fast = max(situation.limit_mps, situation.start.speed) + 0.1
    later = acceleration[:, situation.grid.time_s >= 0.5]
    return (
        (speed.min(axis=1) > 0.0) & (speed.max(axis=1) <= fast) & (jerk <= rules.jerk_mps3)
        & (later.max(axis=1) <= rules.acceleration_mps2) & (later.min(axis=1) >= -rules.deceleration_mps2)
    )  # fmt: skip


def least_jerk(
    speed: float, acceleration: float, distance: Float[Array, " motion"], end_speed: Float[Array, " motion"],
    duration: Float[Array, " motion"], time: Float[Array, " step"],
) -> Float[Array, "motion step 3"]:  # fmt: skip
    """Distance, speed and acceleration of quintics from (0, v, a) to (distance, end speed, 0), steady afterwards."""
    out = np.empty((len(distance), len(time), 3))
    columns = (np.ascontiguousarray(column, dtype=np.float64) for column in (distance, end_speed, duration, time))
    _least_jerk(float(speed), float(acceleration), *columns, out)
    return out


@no_type_check
@njit(cache=True)
def _least_jerk(
    speed: float, acceleration: float, distance: Array, end_speed: Array, duration: Array, time: Array, out: Array
) -> None:  # pragma: no cover (compiled)
    for m in range(len(distance)):
        end, last = duration[m], end_speed[m]
        gap = distance[m] - end * (speed + 0.5 * acceleration * end)
        slope, bend = (last - speed - acceleration * end) * end, -acceleration * end**2
        c3 = (10.0 * gap - 4.0 * slope + 0.5 * bend) / end**3
        c4 = (-15.0 * gap + 7.0 * slope - bend) / end**4
        c5 = (6.0 * gap - 3.0 * slope + 0.5 * bend) / end**5
        for k in range(len(time)):
            t, after = min(time[k], end), max(time[k] - end, 0.0)
            x = t * (speed + t * (0.5 * acceleration + t * (c3 + t * (c4 + t * c5))))
            out[m, k, 0] = x + last * after
            out[m, k, 1] = speed + t * (acceleration + t * (3.0 * c3 + t * (4.0 * c4 + t * 5.0 * c5)))
            out[m, k, 2] = 0.0 if after > 0.0 else acceleration + t * (6.0 * c3 + t * (12.0 * c4 + t * 20.0 * c5))


def _across(situation: Situation, lateral: Lateral, change: Profile, gap: Gap) -> Profile:
    """The change of lane, so that half of it is made when the ego is beside the gap."""
    if change.offset_m == 0.0:
        return _back(situation, lateral, change, gap)
    length = length_for(situation, lateral, change.offset_m, middle(lateral))
    begins = gap.distance - 0.5 * length
    label = f"{change.label}, {gap.label}, at {gap.speed:.1f} m/s in {gap.time_s:.1f} s"
    if begins < 2.0:
        return Profile(label, change.offset_m, length)
    start = situation.lateral
    offset = 0.0 if start is None else float(start[0])
    hold = max(min(begins, 2.0 * situation.start.speed), lateral.length_min_m)
    return Profile(label, 0.0 if abs(offset) > 0.1 else offset, hold, begins, change.offset_m, length)


def _back(situation: Situation, lateral: Lateral, change: Profile, gap: Gap) -> Profile:
    """Into the route's lane, soon after being beside the gap, from the lane beside, where the ego stays until then."""
    offset = situation.offset
    beside = [other.offset_m for other in offsets.changing(situation, lateral) if other.offset_m * offset > 0.0]
    stay = min(beside, key=lambda other: abs(other - offset), default=offset)
    quick = min(lateral.times_s)
    length = max(length_for(situation, lateral, other, quick) for other in (stay, offset + stay))
    hold = length_for(situation, lateral, stay, quick)
    label = f"{change.label}, {gap.label}, at {gap.speed:.1f} m/s in {gap.time_s:.1f} s"
    return Profile(label, stay, hold, max(gap.distance - 0.85 * length, min(hold, 0.5 * gap.distance)), 0.0, length)
