"""Roundabouts: their map, and entering and leaving one."""

from __future__ import annotations

import math

import numpy as np

from behaviors_ros.datatypes import Array
from behaviors_ros.geometry.polylines import without_duplicates
from behaviors_ros.simulation.forms import GiveWayForm, ReactiveForm
from behaviors_ros.simulation.situations.cast import driving, yielding
from behaviors_ros.simulation.situations.draft import Careful, Draft, draft, goal, start
from behaviors_ros.simulation.situations.variation import Variation, share
from behaviors_ros.simulation.worlds.osm import Axis, straight
from behaviors_ros.simulation.worlds.town import Arm, Town

APART_RAD = 0.5  # where lanes join and leave the ring, from the arm's direction


class Ring:
    """A roundabout around the origin, driven counter-clockwise: one lane, arms by their outward headings (sorted)."""

    def __init__(self, yaws: list[float], radius_m: float, lane_m: float, limit_kmh: int, arm_m: float = 150.0) -> None:
        """Lay it out: ring, arms, the lanes between them, and their right of way."""
        self.town, self.yaws, self.radius_m, self.arm_m = Town(lane_m), yaws, radius_m, arm_m
        self.limit_mps, self.mouth_m = limit_kmh / 3.6, radius_m + 13.0
        self.arms: list[Arm] = []
        town = self.town
        across = [town.lane(self.arc(yaw - APART_RAD, yaw + APART_RAD), 30) for yaw in yaws]
        between = [
            town.lane(self.arc(yaw + APART_RAD, self._next(index) - APART_RAD), 30) for index, yaw in enumerate(yaws)
        ]
        for index, yaw in enumerate(yaws):
            mouth = self.mouth_m * np.array((math.cos(yaw), math.sin(yaw)))
            outward, inward = town.road(straight(mouth, yaw, arm_m), limit_kmh)
            arm = Arm(mouth, yaw, inward, outward)
            self.arms.append(arm)
            entry, _ = town.lane(self.entry(index), 30), town.lane(self.exit(index), 30)
            town.give_way([entry], [across[index], between[index - 1]], town.stop_line(arm, 0.5 - 6.0))

    def _next(self, index: int) -> float:
        after = self.yaws[(index + 1) % len(self.yaws)]
        return self.yaws[index] + (after - self.yaws[index]) % math.tau

    def arc(self, begin: float, end: float) -> Axis:
        """The ring's centre line between two directions."""
        angle = np.linspace(begin, end, max(2, math.ceil((end - begin) * self.radius_m) + 1))
        points = self.radius_m * np.stack((np.cos(angle), np.sin(angle)), axis=1)
        return Axis(points, angle + 0.5 * math.pi)

    def entry(self, index: int) -> Axis:
        """From an arm's inward lane into the ring."""
        yaw, arm = self.yaws[index], self.arms[index]
        end = self.arc(yaw + APART_RAD, yaw + APART_RAD + 0.1)
        return _curve(arm.at(0.0, 0.5 * self.town.lane_m), yaw + math.pi, end.points[0], end.yaw[0])

    def exit(self, index: int) -> Axis:
        """From the ring into an arm's outward lane."""
        yaw, arm = self.yaws[index], self.arms[index]
        begin = self.arc(yaw - APART_RAD, yaw)
        return _curve(begin.points[0], begin.yaw[0], arm.at(0.0, -0.5 * self.town.lane_m), yaw)

    def path(self, source: int, target: int) -> Array:
        """The whole way from one arm to another."""
        half = 0.5 * self.town.lane_m
        begin = self.yaws[source] + APART_RAD
        turned = (self.yaws[target] - self.yaws[source]) % math.tau or math.tau
        ring = self.arc(begin, self.yaws[source] + turned - APART_RAD).points
        there = [self.arms[source].at(far, half) for far in np.linspace(self.arm_m, 3.0, 12)]
        away = [self.arms[target].at(far, -half) for far in np.linspace(3.0, self.arm_m, 12)]
        return without_duplicates(np.vstack((there, self.entry(source).points, ring, self.exit(target).points, away)))

    def gives_way(self, index: int, margin_s: float = 0.8) -> GiveWayForm:
        """Wait before the ring for those in it."""
        yaw, wide = self.yaws[index], 0.5 * self.town.lane_m + 0.6
        angle = np.linspace(yaw - APART_RAD + 0.2, yaw + APART_RAD + 0.2, 9)
        rays = np.stack((np.cos(angle), np.sin(angle)), axis=1)
        area = np.vstack(((self.radius_m - wide) * rays, (self.radius_m + wide) * rays[::-1]))
        ring = self.arc(yaw - 2.4, yaw + APART_RAD + 0.5).points
        return yielding(self.arms[index].at(0.5 - 6.0, 0.5 * self.town.lane_m), area, [ring], margin_s=margin_s)


def _curve(start_: Array, yaw: float, end: Array, end_yaw: float) -> Axis:
    """A cubic Bezier curve with given ends and headings."""
    first, last = (np.array((math.cos(angle), math.sin(angle))) for angle in (yaw, end_yaw))
    reach = 0.42 * float(np.hypot(*(end - start_)))
    control = np.array((start_, start_ + reach * first, end - reach * last, end))
    t = np.linspace(0.0, 1.0, 21)[:, None]
    weights = np.hstack(((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3))
    slopes = np.hstack(((1 - t) ** 2, 2 * t * (1 - t), t**2)) @ np.diff(control, axis=0)
    heading = np.unwrap(np.arctan2(slopes[:, 1], slopes[:, 0]))
    heading[0], heading[-1] = yaw, end_yaw
    return Axis(weights @ control, heading)


def roundabout(v: Variation) -> Draft:
    """The ego enters a roundabout of 3 or 4 arms, passes one to three exits and leaves; others are in it or enter.

    One (easy) to six (hard) cars come from other arms over 25 s and give way when they enter, also to the ego; the
    ring's radius is 17 (easy) to 12 m (hard). Whoever waits at the entry for a gap gets one at the latest after the
    last; in the ring all drive about 5 m/s.
    """
    count = v.one_of((3, 4, 4))
    first = v.turn()
    yaws = [first + index * math.tau / count + (v.between(-0.15, 0.15) if index else 0.0) for index in range(count)]
    limit_kmh = v.one_of((30, 50))
    radius = v.graded(17.0, 12.0)
    ring = Ring(yaws, radius, v.between(3.3, 3.8), limit_kmh)
    cars = round(v.graded(1.0, 6.0))
    agents: list[ReactiveForm] = []
    ego_s = 70.0 / ring.limit_mps + 2.0
    last_s: dict[int, float] = {}
    for number in range(cars):
        source = v.whole(1, count - 1)
        # Those that come from the left, the arm before the ego's, cross its entry: half of all.
        source = count - 1 if number % 2 == 0 else source
        target = v.one_of([index for index in range(count) if index != source and (index or number % 3 == 2)])
        pace = ring.limit_mps * v.between(0.7, 0.9)
        due = max(ego_s + v.between(-5.0, 6.0), last_s.get(source, -9.0) + v.between(2.2, 5.0))
        last_s[source] = due
        place = ring.arms[source].at(min(145.0, max(10.0, pace * max(0.5, due - 3.0))), 0.5 * ring.town.lane_m)
        rule = ring.gives_way(source)
        agents.append(driving(f"car {number + 1}", ring.path(source, target), pace, place, gives_way=(rule,)))
    target = v.whole(1, count - 1)
    far = min(80.0, 8.0 * ring.limit_mps)
    arm, out = ring.arms[0], ring.arms[target]
    half = 0.5 * ring.town.lane_m
    hard = 0.8 * share(cars, 1.0, 6.0) + 0.2 * share(radius, 17.0, 12.0)
    return draft(
        v, ring.town.osm, start(arm.at(far, half), arm.yaw + math.pi, ring.limit_mps * v.between(0.75, 0.95)),
        goal(out.at(45.0, -half), out.yaw, width_m=ring.town.lane_m), agents, 75.0, hard,
        f"{cars} other cars, radius {radius:.0f} m, exit {target} of {count - 1}", Careful((ring.gives_way(0, 1.5),)),
    )  # fmt: skip
