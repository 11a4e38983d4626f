"""Paths past slow or stopped agents ahead: out by as much as their boxes need, along them, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from behaviors_ros.datatypes import AgentClass
from behaviors_ros.generation import agents as columns
from behaviors_ros.generation.offsets import Lateral, length_for, margin, middle
from behaviors_ros.generation.paths import Profile
from behaviors_ros.generation.situation import Situation
from behaviors_ros.parameters import Parameters, value

Box = tuple[float, float, float, float]  # rear, front, right, left, m


class Passing(Parameters):
    """When and how agents ahead are passed."""

    clearances_m: tuple[float, ...] = value((0.6, 1.0), "distances between the boxes while passing")
    cyclist_clearances_m: tuple[float, ...] = value((1.0, 1.5), "likewise while passing cyclists who ride")
    slow_fraction: float = value(0.6, "agents slower than this fraction of the limit are passed", low=0.0, high=1.0)
    standing_mps: float = value(
        0.5, "parked agents slower than this are passed in the oncoming lane", low=0.0, high=3.0
    )
    cyclists: bool = value(True, "slow cyclists, too, are passed in the oncoming lane")
    merge_m: float = value(20.0, "agents nearer to each other than this are passed together", low=0.0, high=100.0)
    squeeze_m: float = value(0.25, "least distance to a standing box at which a gap is used", low=0.0, high=2.0)
    lane_slack_m: float = value(
        0.1, "an offset that lies this little beyond the lanes of the own direction is taken at their edge", low=0.0,
        high=0.5,
    )  # fmt: skip
    after_m: float = value(1.5, "rear bumper ahead of the passed agent before returning", low=0.0, high=20.0)
    groups: int = value(2, "groups of agents ahead for which passing is offered", low=0.0, high=10.0)


@dataclass(frozen=True)
class Obstruction:
    """Agents to pass together: stations of rear and front, offsets of the right and left side of each, m.

    oncoming_lane: they may be passed there; riding: a cyclist who rides is among them.
    """

    label: str
    rear: float
    front: float
    sides: tuple[tuple[float, float], ...]
    oncoming_lane: bool
    riding: bool = False

    @property
    def right(self) -> float:
        """Offset of the rightmost side, m."""
        return min(right for right, _ in self.sides)

    @property
    def left(self) -> float:
        """Offset of the leftmost side, m."""
        return max(left for _, left in self.sides)


@lru_cache(maxsize=4)
def passing(situation: Situation, lateral: Lateral, rules: Passing) -> tuple[Profile, ...]:
    """Profiles past the next obstructions, left, right and between them, where there is room."""
    profiles = []
    for group in _groups(_obstructions(situation, rules), rules)[: rules.groups]:
        for clearance in rules.cyclist_clearances_m if group.riding else rules.clearances_m:
            profiles += _past(situation, lateral, rules, group, clearance)
    return tuple(dict.fromkeys(profiles))


def _obstructions(situation: Situation, rules: Passing) -> list[Obstruction]:
    """Slow agents in the way of the centre line, where and when the ego would be beside them; nearest first."""
    now = situation.agents.along[:, 0]
    reach = 0.5 * situation.vehicle.width_m + max(rules.clearances_m, default=0.0)
    rear_bumper = situation.station - situation.vehicle.rear_overhang_m
    speed = now[:, columns.SPEED]
    slow = (speed > -rules.standing_mps) & (speed < rules.slow_fraction * situation.limit_mps)
    blocks = (now[:, columns.LEFT] > -reach) & (now[:, columns.RIGHT] < reach)
    found, travelled = [], rear_bumper + _travelled(situation)
    for n in np.flatnonzero(slow & blocks & (now[:, columns.FRONT] > rear_bumper)):
        standing = bool(speed[n] < rules.standing_mps)
        if standing and not situation.parked[n]:
            continue
        meeting = _meeting(situation, situation.agents.along[n], standing, travelled)
        if meeting is not None:
            cyclist = rules.cyclists and situation.kind_of(int(n)) == AgentClass.BICYCLE
            riding = cyclist and not standing
            rear, front, right, left = meeting
            label = situation.label_of(int(n))
            found.append(Obstruction(label, rear, front, ((right, left),), standing or cyclist, riding))
    return sorted(found, key=lambda item: (item.rear, item.label))


def _meeting(situation: Situation, along: np.ndarray, standing: bool, ego: np.ndarray) -> Box | None:
    """(rear, front, right, left) of an agent while the ego, its rear bumper at stations `ego`, is beside it; None when
    it is not reached in the horizon.
    """
    steps = slice(0, 1)
    if not standing:
        beside = (ego + situation.vehicle.length_m >= along[:, columns.REAR]) & (ego <= along[:, columns.FRONT])
        if not beside.any():
            return None
        times = np.flatnonzero(beside)
        steps = slice(times[0], times[-1] + 1)
    part = along[steps]
    return (
        float(part[0, columns.REAR]), float(part[-1, columns.FRONT]),
        float(np.nanmin(part[:, columns.RIGHT])), float(np.nanmax(part[:, columns.LEFT])),
    )  # fmt: skip


def _travelled(situation: Situation) -> np.ndarray:
    """Distance at each step when the ego speeds up to the limit, m."""
    dt, gain = situation.grid.dt_s, situation.driving.acceleration_mps2 * situation.grid.time_s
    top = max(situation.start.speed, situation.limit_mps)
    speed = np.minimum(situation.start.speed + gain, top)
    return np.concatenate(([0.0], np.cumsum(0.5 * dt * (speed[1:] + speed[:-1]))))


def _groups(items: list[Obstruction], rules: Passing) -> list[Obstruction]:
    """Obstructions close behind one another, as one."""
    groups: list[Obstruction] = []
    for item in items:
        if groups and item.rear - groups[-1].front < rules.merge_m:
            last = groups[-1]
            groups[-1] = Obstruction(
                last.label, last.rear, max(last.front, item.front), last.sides + item.sides,
                last.oncoming_lane and item.oncoming_lane, last.riding or item.riding,
            )  # fmt: skip
        else:
            groups.append(item)
    return groups


def _past(
    situation: Situation, lateral: Lateral, rules: Passing, group: Obstruction, clearance: float
) -> list[Profile]:
    """The profiles past a group, one through each gap that is wide enough."""
    profiles = []
    for offset in _through(situation, lateral, rules, group, clearance):
        side = "left" if offset > 0.5 * (group.right + group.left) else "right"
        profiles.append(_around(situation, lateral, rules, group, offset, f"pass {group.label} on the {side}"))
    return profiles


def _through(
    situation: Situation, lateral: Lateral, rules: Passing, group: Obstruction, clearance: float
) -> list[float]:
    """Offsets at which a group is passed: `clearance` from the sides of a gap, its middle where it is narrower.

    A gap lies between what stands abreast of the group, the group's own boxes and the edges of what may be driven on.
    """
    half = 0.5 * situation.vehicle.width_m
    boxes = _abreast(situation, rules, group)
    s = situation.s + group.rear - situation.station
    name = "drivable" if group.oncoming_lane else "same"
    low = -situation.width(f"right_{name}", s) + margin(lateral, situation.vehicle)
    high = situation.width(f"left_{name}", s) - margin(lateral, situation.vehicle)
    found = []
    sides = [(low, 0.0), *((left, clearance) for _, left in boxes)]
    others = [*((right, clearance) for right, _ in boxes), (high, 0.0)]
    for (right, keep_right), (left, keep_left) in zip(sides, others, strict=True):
        begin, end = right + half, left - half
        least = rules.squeeze_m * ((keep_right > 0.0) + (keep_left > 0.0))
        if end - begin < least:
            continue
        first, last = begin + keep_right, end - keep_left
        # Too narrow for the clearance: what there is goes to the boxes, in equal parts where there are two.
        shared = begin + (end - begin) * keep_right / (keep_right + keep_left)
        offset = min(max(0.0, first), last) if first <= last else shared
        edge = math.copysign(situation.width("left_same" if offset > 0.0 else "right_same", s), offset)
        if 0.0 <= abs(offset) - abs(edge) < rules.lane_slack_m:
            offset = 0.99 * edge
        found += [offset] if offset != 0.0 else []
    return found


def _abreast(situation: Situation, rules: Passing, group: Obstruction) -> list[tuple[float, float]]:
    """Right and left sides of the group and of what stands abreast of it, those without a gap between them as one."""
    now = situation.agents.along[:, 0]
    beside = (now[:, columns.FRONT] > group.rear - rules.after_m) & (now[:, columns.REAR] < group.front + rules.after_m)
    stand = situation.parked & (np.abs(now[:, columns.SPEED]) < rules.standing_mps)
    sides = now[stand & beside][:, [columns.RIGHT, columns.LEFT]]
    joined: list[tuple[float, float]] = []
    for right, left in sorted([*group.sides, *((float(right), float(left)) for right, left in sides)]):
        if joined and right - joined[-1][1] < situation.vehicle.width_m + 2.0 * rules.squeeze_m:
            joined[-1] = (joined[-1][0], max(joined[-1][1], left))
        else:
            joined.append((right, left))
    return joined


def _around(
    situation: Situation, lateral: Lateral, rules: Passing, group: Obstruction, offset: float, label: str
) -> Profile:
    """Out to an offset before a group, along it, and back behind it; in the lane until then while it is far."""
    wanted = length_for(situation, lateral, offset, middle(lateral))
    shortest = length_for(situation, lateral, offset, min(lateral.times_s))
    available = group.rear - situation.station - situation.front_m - 0.5
    if available > 1.2 * wanted:
        to_centre = length_for(situation, lateral, 0.0, middle(lateral))
        return Profile(label, 0.0, to_centre, available - wanted, offset, wanted)
    back = group.front + situation.vehicle.rear_overhang_m + rules.after_m - situation.station
    return Profile(label, offset, max(min(available, wanted), shortest), back, 0.0, wanted)
