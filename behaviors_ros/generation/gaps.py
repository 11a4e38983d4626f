"""Lane changes into gaps between predicted agents of the neighbouring lane: aligned in place and speed first.

The motion along the path is the quintic of least jerk to the gap's place and speed at a time (Takahashi et al., "Local
path planning and motion control for AGV in positioning", IROS 1989), and steady from then on; the change across follows
when the ego is beside the gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

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
    gap_m: float = value(2.0, "distance kept to both ends of a gap at standstill", low=0.2, high=10.0)
    headway_s: float = value(0.3, "further distance kept to both ends per speed", low=0.0, high=3.0)
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
    """Candidates into the gaps of the lanes of the same direction on either side; none where nobody drives there."""
    if situation.lateral is None or not len(situation.agents):
        return empty(situation)
    wanted = [
        (_across(situation, lateral, change, gap), gap)
        for change in _targets(offsets.changing(situation, lateral))
        for gap in gaps(situation, change.offset_m, rules)
    ]
    if not wanted:
        return empty(situation)
    paths = offsets.sampled(situation, [profile for profile, _ in wanted])
    chosen, motions = [], []
    for path, (_, gap) in enumerate(wanted):
        along = aligned(situation, paths.table[path], gap, rules) if paths.usable[path] else None
        if along is not None:
            chosen.append(path)
            motions.append(along)
    if not motions:
        return empty(situation)
    labels = tuple(paths.label[path] for path in chosen)
    return on_grid(situation, paths, np.array(chosen), np.ascontiguousarray(np.stack(motions)), labels, name)


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
    along, time = situation.agents.along[:, step], step * situation.grid.dt_s
    centre = 0.5 * (along[:, columns.RIGHT] + along[:, columns.LEFT])
    near = (np.abs(centre - offset) < rules.lane_m) & (along[:, columns.FRONT] > situation.station - rules.behind_m)
    order = [int(n) for n in np.flatnonzero(near)[np.argsort(along[near, columns.REAR], kind="stable")]]
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
    situation: Situation, rules: Gaps, along: Array, behind: int | None, ahead: int | None, coasting: float
) -> tuple[float, float] | None:
    """(station, speed) of the rear axle within a gap, as near to `coasting` as the gap allows; None: too small."""
    speeds = [float(along[n, columns.SPEED]) for n in (behind, ahead) if n is not None]
    speed = min(max(min(speeds), 0.0), situation.limit_mps)
    if ahead is None:
        speed = min(max(situation.start.speed, max(speeds)), situation.limit_mps)
    kept = rules.gap_m + rules.headway_s * speed
    low = -math.inf
    if behind is not None:
        faster = max(float(along[behind, columns.SPEED]) - speed, 0.0)
        low = float(along[behind, columns.FRONT]) + kept + 2.0 * faster + situation.vehicle.rear_overhang_m
    high = math.inf if ahead is None else float(along[ahead, columns.REAR]) - kept - situation.front_m
    if low > high:
        return None
    return min(max(coasting, low), high), speed


def aligned(
    situation: Situation, table: Float[Array, "sample 9"], gap: Gap, rules: Gaps
) -> Float[Array, "step 3"] | None:
    """Distance along a path, speed and acceleration at each step; None beyond the limits of comfort, or standing."""
    start, time = situation.start, situation.grid.time_s
    distance = float(np.interp(gap.distance, table[:, 1] - table[0, 1], table[:, 0]))
    motion = least_jerk(start.speed, start.acceleration, distance, gap.speed, gap.time_s, time)
    speed, acceleration = motion[:, 1], motion[:, 2]
    inside = time <= gap.time_s + 1e-9
    jerk = np.abs(np.diff(acceleration)) / situation.grid.dt_s
    fast = max(situation.limit_mps, start.speed) + 0.1
    early = time < 0.5
    gentle = (acceleration <= rules.acceleration_mps2) & (acceleration >= -rules.deceleration_mps2) | early
    good = speed[inside].min() > 0.0 and speed.max() <= fast and gentle.all() and jerk.max() <= rules.jerk_mps3
    return motion if good else None


def least_jerk(
    speed: float, acceleration: float, distance: float, end_speed: float, duration: float, time: Float[Array, " step"]
) -> Float[Array, "step 3"]:
    """Distance, speed and acceleration of the quintic from (0, v, a) to (distance, end speed, 0), steady afterwards."""
    t = np.minimum(time, duration)
    c = np.array([
        [duration**3, duration**4, duration**5],
        [3 * duration**2, 4 * duration**3, 5 * duration**4],
        [6 * duration, 12 * duration**2, 20 * duration**3],
    ])  # fmt: skip
    rest = np.array([
        distance - speed * duration - 0.5 * acceleration * duration**2,
        end_speed - speed - acceleration * duration, -acceleration,
    ])  # fmt: skip
    a3, a4, a5 = np.linalg.solve(c, rest)
    x = t * (speed + t * (0.5 * acceleration + t * (a3 + t * (a4 + t * a5))))
    v = speed + t * (acceleration + t * (3 * a3 + t * (4 * a4 + t * 5 * a5)))
    a = acceleration + t * (6 * a3 + t * (12 * a4 + t * 20 * a5))
    after = time > duration
    return np.column_stack((x + np.where(after, end_speed * (time - duration), 0.0), v, np.where(after, 0.0, a)))


def _across(situation: Situation, lateral: Lateral, change: Profile, gap: Gap) -> Profile:
    """The change of lane, so that half of it is made when the ego is beside the gap."""
    length = length_for(situation, lateral, change.offset_m, middle(lateral))
    begins = gap.distance - 0.5 * length
    label = f"{change.label}, {gap.label}, at {gap.speed:.1f} m/s in {gap.time_s:.1f} s"
    if begins < 2.0:
        return Profile(label, change.offset_m, length)
    start = situation.lateral
    offset = 0.0 if start is None else float(start[0])
    hold = max(min(begins, 2.0 * situation.start.speed), lateral.length_min_m)
    return Profile(label, 0.0 if abs(offset) > 0.1 else offset, hold, begins, change.offset_m, length)
