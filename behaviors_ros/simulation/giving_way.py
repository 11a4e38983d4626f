"""Giving way as traffic does it: wait before a line until nobody with priority will be in the area behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import Array
from behaviors_ros.geometry.boxes import corners
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polygons import contains
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.simulation.traffic import Surroundings


class Manners(Parameters):
    """How a road user gives way."""

    margin_s: float = value(1.5, "time left between the own passage and that of others", low=0.0, high=10.0)
    inside_only: bool = value(False, "only for those in the area already, not for those who come")
    halt_s: float = value(0.0, "halt before the line at least this long", low=0.0, high=20.0)
    first_come: bool = value(False, "those who stood before go first, whoever comes (all-way stop)")
    patience_s: float = value(6.0, "wait at most this long for those who stood before but do not go", low=0.0)
    aside_m: float = value(1.6, "one is on an approach up to this far from its line", low=0.1, high=5.0)
    standing_m: float = value(8.0, "one who stands this near before the area waits for it", low=0.5, high=30.0)
    standing_mps: float = value(0.5, "up to this speed one stands", low=0.01, high=3.0)


@dataclass(frozen=True, eq=False)
class Approach:
    """A way with priority: its frame and where along it the area begins and ends, m."""

    frame: FrenetFrame
    enter_s: float
    leave_s: float


@dataclass(frozen=True, eq=False)
class GiveWay:
    """One place to give way on the own path: the line, where the area begins and ends (m), the area, the approaches."""

    line_s: float
    enter_s: float
    leave_s: float
    area: Float[Array, "point 2"]
    approaches: tuple[Approach, ...]
    manners: Manners


@dataclass(frozen=True)
class Waited:
    """What one who waits remembers of the line ahead: how long it stood, who stood before it, whether it may go."""

    line: int = 0
    stood_s: float = 0.0
    before: tuple[str, ...] | None = None
    released: bool = False


@dataclass(frozen=True)
class Passage:
    """The own passage: front (m), speed, speed to reach (m/s), acceleration (m/s^2), length (m)."""

    front: float
    speed: float
    wanted: float
    acceleration: float
    length: float

    def time_to(self, s: float) -> float:
        """Seconds until the front is at `s`, accelerating to the wanted speed."""
        rest = max(0.0, s - self.front)
        top, a = max(self.wanted, self.speed, 0.5), self.acceleration
        ramp_s = (top - self.speed) / a
        ramp_m = 0.5 * (top + self.speed) * ramp_s
        if rest <= ramp_m:
            return (math.sqrt(self.speed**2 + 2.0 * a * rest) - self.speed) / a
        return ramp_s + (rest - ramp_m) / top


def give_way(points: Array, line: Array, area: Array, approaches: list[Array], manners: Manners) -> GiveWay:
    """The rule for a path along `points`: `line` is a point near it, `area` a polygon, approaches are polylines, m."""
    own = _through(FrenetFrame(points), area)
    ways = tuple(_through(FrenetFrame(way), area) for way in approaches)
    return GiveWay(float(own.frame.project(line)[0]), own.enter_s, own.leave_s, area, ways, manners)


def _through(frame: FrenetFrame, area: Float[Array, "point 2"]) -> Approach:
    s = np.arange(0.0, frame.length, 0.5)
    inside = s[contains(area, frame.point(s))]
    first, last = (float(inside[0]), float(inside[-1])) if inside.size else (frame.length, frame.length)
    return Approach(frame, first, last)


def waited(
    rules: tuple[GiveWay, ...], memory: Waited, passage: Passage, surroundings: Surroundings, me: str, dt_s: float
) -> tuple[Waited, float | None]:
    """(what is remembered, arc length of the line to hold before or None) for the next of the `rules`, sorted by line.

    A line that can no longer be held is passed.
    """
    while memory.line < len(rules) and passage.front > rules[memory.line].line_s + 0.5:
        memory = Waited(memory.line + 1)
    if memory.line == len(rules) or memory.released:
        return memory, None
    rule = rules[memory.line]
    gap = rule.line_s - passage.front
    if passage.speed**2 / (2.0 * max(gap, 0.1)) > 5.0:
        return memory, None
    others = np.array([i for i, body in enumerate(surroundings.bodies) if body.id != me], dtype=np.int64)
    stands = passage.speed < rule.manners.standing_mps and gap < 4.0
    memory = replace(memory, stood_s=memory.stood_s + dt_s if stands else 0.0)
    if rule.manners.first_come:
        memory = _in_turn(rule, memory, surroundings, others, stands)
    elif memory.stood_s >= rule.manners.halt_s - 1e-9 and not taken(rule, passage, surroundings, others).any():
        memory = replace(memory, released=gap < 2.0)
        return memory, None
    return memory, None if memory.released else rule.line_s


def _in_turn(rule: GiveWay, memory: Waited, around: Surroundings, others: Array, stands: bool) -> Waited:
    """First come, first served: who stood or was in the area when one halted goes first."""
    if not stands:
        return replace(memory, before=None)
    inside = within(rule, around, others)
    waiting = inside | _standing(rule, around, others)
    present = tuple(around.bodies[i].id for i in others[waiting])
    before = present if memory.before is None else tuple(i for i in memory.before if i in present)
    done = not before or memory.stood_s > rule.manners.patience_s
    released = memory.stood_s >= rule.manners.halt_s and done and not inside.any()
    return replace(memory, before=before, released=released)


def within(rule: GiveWay, around: Surroundings, others: Int[Array, "other"]) -> Bool[Array, "other"]:
    """Whose box reaches into the area."""
    length = np.array([around.bodies[i].length for i in others], dtype=np.float64)
    width = np.array([around.bodies[i].width for i in others], dtype=np.float64)
    boxes = corners(around.position[others], around.yaw[others], length, width)
    return np.asarray(contains(rule.area, boxes).any(axis=1) | contains(rule.area, around.position[others]))


def _standing(rule: GiveWay, around: Surroundings, others: Int[Array, "other"]) -> Bool[Array, "other"]:
    """Who stands just before the area on one of the approaches."""
    found = np.zeros(len(others), dtype=bool)
    for approach in rule.approaches:
        on, front, _ = _on(approach, rule.manners, around, others)
        near = (front < approach.enter_s) & (front > approach.enter_s - rule.manners.standing_m)
        found |= on & near & (around.speed[others] < rule.manners.standing_mps)
    return found


def taken(rule: GiveWay, passage: Passage, around: Surroundings, others: Int[Array, "other"]) -> Bool[Array, "other"]:
    """Who will be in the area during the own passage, or is in it now on an approach."""
    margin = rule.manners.margin_s
    enter_s, leave_s = passage.time_to(rule.enter_s), passage.time_to(rule.leave_s + passage.length)
    found = np.zeros(len(others), dtype=bool)
    for approach in rule.approaches:
        on, front, rear = _on(approach, rule.manners, around, others)
        speed = around.speed[others]
        moving = np.maximum(speed, 0.3)
        arrives, leaves = (approach.enter_s - front) / moving, (approach.leave_s - rear) / moving
        meets = (arrives < leave_s + margin) & (leaves > enter_s - 0.5 * margin)
        inside = front > approach.enter_s - 0.5
        counts = inside if rule.manners.inside_only else inside | (speed > 0.3)
        found |= on & (rear < approach.leave_s) & meets & counts
    return found


def _on(
    approach: Approach, manners: Manners, around: Surroundings, others: Int[Array, "other"]
) -> tuple[Bool[Array, "other"], Float[Array, "other"], Float[Array, "other"]]:
    """(whether each is on the approach and along it, its front's and its rear's arc length, m)."""
    s, d = approach.frame.project(around.position[others])
    along = np.cos(around.yaw[others] - approach.frame.heading(s)) > 0.4
    half = 0.5 * np.array([around.bodies[i].length for i in others], dtype=np.float64)
    inside = (s > 0.0) & (s < approach.frame.length)
    return along & inside & (np.abs(d) < manners.aside_m), s + half, s - half
