"""A reactive road user: follows a path with the intelligent driver model and gives way to what is on or crosses it.

Source: M. Treiber, A. Hennecke, D. Helbing, Congested traffic states in empirical observations and microscopic
simulations, Phys. Rev. E 62, 2000: a = a_max (1 - (v / v0)^4 - (s* / gap)^2), s* = s0 + v T + v dv / (2 sqrt(a_max b)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import VULNERABLE, Array, LaneMap, SignalColor
from behaviors_ros.geometry.boxes import corners
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polylines import headings, interpolated, intersection
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.simulation.giving_way import GiveWay, Passage, Waited, waited
from behaviors_ros.simulation.lane_change import LaneChange
from behaviors_ros.simulation.traffic import Body, Motion, Surroundings, Trigger

ACROSS = 0.5  # sine of the angle from which a road user crosses rather than goes along


class Idm(Parameters):
    """How a reactive road user drives."""

    desired_speed_mps: float = value(12.0, "speed on a free, straight road", low=0.1, high=60.0)
    headway_s: float = value(1.4, "time gap to what is ahead", low=0.2, high=5.0)
    gap_min_m: float = value(2.0, "bumper distance at standstill", low=0.1, high=20.0)
    acceleration_mps2: float = value(1.5, "largest acceleration", low=0.1, high=5.0)
    deceleration_mps2: float = value(2.0, "comfortable braking", low=0.1, high=6.0)
    braking_max_mps2: float = value(7.0, "hardest braking", low=1.0, high=10.0)
    lateral_acceleration_mps2: float = value(2.0, "largest lateral acceleration in curves", low=0.2, high=6.0)
    preview_s: float = value(0.5, "time in which the speed comes down to what a curve allows", low=0.1, high=3.0)
    clearance_m: float = value(0.25, "added to each side of the own width to get the corridor", low=0.0, high=2.0)
    sight_m: float = value(80.0, "how far ahead the road is watched", low=5.0, high=300.0)
    crossing_horizon_s: float = value(4.0, "how far ahead in time crossing road users are watched", low=0.0, high=10.0)


@dataclass(frozen=True, eq=False)
class ReactivePath:
    """Where a reactive road user goes: speed (m/s) that curves and driver allow at `s` (m), stop lines with signals."""

    frame: FrenetFrame
    s: Float[Array, "sample"]
    speed: Float[Array, "sample"]
    signals: tuple[tuple[float, tuple[int, ...]], ...] = ()
    gives_way: tuple[GiveWay, ...] = ()

    @cached_property
    def _turn(self) -> tuple[float, float]:
        """Middle and half range of the path's heading, rad."""
        heading = np.unwrap(self.frame.heading(self.frame.s))
        low, high = float(heading.min()), float(heading.max())
        return 0.5 * (low + high), 0.5 * (high - low)

    def may_be_crossed(self, yaw: Float[Array, "agent"]) -> Bool[Array, "agent"]:
        """Whether straight on at `yaw` (rad) can lead across the path anywhere: its heading decides without a look at
        where.
        """
        middle, half = self._turn
        off = np.abs((yaw - middle + 0.5 * np.pi) % np.pi - 0.5 * np.pi)
        return np.asarray(off + half > math.asin(ACROSS) - 1e-6)


Slow = tuple[float, float, float]  # from and to arc length (m), speed (m/s)


@dataclass(frozen=True, eq=False)
class Reactive:
    """A road user at arc length `s` (m, box centre) on its path; it is gone once the path ends.

    starts_s: None until the trigger fired; hidden_before: not there before it starts, then at once at `speed`.
    waited: what it remembers of the line it waits at; change: a lane change still to come.
    """

    body: Body
    path: ReactivePath
    idm: Idm
    s: float
    speed: float
    acceleration: float = 0.0
    trigger: Trigger = field(default_factory=Trigger)
    hidden_before: bool = False
    starts_s: float | None = None
    started: bool = False
    waited: Waited = Waited()
    change: LaneChange | None = None

    @cached_property
    def motion(self) -> Motion | None:
        """Where it is on its path."""
        if (self.hidden_before and not self.started) or self.s > self.path.frame.length:
            return None
        yaw, curvature = float(self.path.frame.heading(self.s)), float(self.path.frame.curvature(self.s))
        speed = self.speed if self.started else 0.0
        return Motion(np.asarray(self.path.frame.point(self.s)), yaw, speed, self.acceleration, speed * curvature)

    def step(self, surroundings: Surroundings, dt_s: float) -> Reactive:
        """Drive on for `dt_s`: the most cautious of the accelerations that all obstacles ask for."""
        starts_s = self.starts_s if self.starts_s is not None else self.trigger.fired_at(surroundings)
        if starts_s is None or surroundings.time_s < starts_s - 1e-9:
            return replace(self, starts_s=starts_s)
        if self.s > self.path.frame.length:
            return replace(self, starts_s=starts_s, started=True)
        memory, line_s = waited(
            self.path.gives_way, self.waited, self._passage(), surroundings, self.body.id, dt_s
        )  # fmt: skip
        held = [] if line_s is None else [(line_s - self.front + self.idm.gap_min_m - 0.3, 0.0)]
        obstacles = held + self._obstacles(surroundings)
        wanted = min(self._free(), *(self._idm(gap, speed) for gap, speed in obstacles), math.inf)
        wanted = max(wanted, -self.idm.braking_max_mps2)
        speed = max(0.0, self.speed + wanted * dt_s)
        s = self.s + 0.5 * (self.speed + speed) * dt_s
        change = (speed - self.speed) / dt_s
        after = replace(
            self, s=s, speed=speed, acceleration=change, starts_s=starts_s, started=True, waited=memory
        )  # fmt: skip
        return after._changed(surroundings)

    def _passage(self) -> Passage:
        wanted = float(interpolated(self.s, self.path.s, self.path.speed))
        return Passage(self.front, self.speed, wanted, self.idm.acceleration_mps2, self.body.length)

    def _changed(self, surroundings: Surroundings) -> Reactive:
        """With the lane change begun where it is due."""
        frame, change = self.path.frame, self.change
        if change is None or not change.begins(frame, self.s - 0.5 * self.body.length, surroundings):
            return self
        path = reactive_path(change.path(frame, self.s, self.speed), self.idm, None)
        slow = np.interp(path.s, self.path.s, self.path.speed)
        path = replace(path, speed=np.minimum(path.speed, slow), signals=self.path.signals)
        return replace(self, path=path, change=None)

    @property
    def front(self) -> float:
        """Arc length of the front bumper, m."""
        return self.s + 0.5 * self.body.length

    def _free(self) -> float:
        soon = float(interpolated(self.s + self.idm.preview_s * self.speed, self.path.s, self.path.speed))
        if self.speed > soon:
            return (soon - self.speed) / self.idm.preview_s
        return self.idm.acceleration_mps2 * (1.0 - (self.speed / max(0.1, soon)) ** 4)

    def _idm(self, gap: float, speed_ahead: float) -> float:
        idm, v = self.idm, self.speed
        allowed = max(0.1, float(interpolated(self.s, self.path.s, self.path.speed)), 0.5 * v)
        closing = v * (v - speed_ahead) / (2.0 * math.sqrt(idm.acceleration_mps2 * idm.deceleration_mps2))
        desired = idm.gap_min_m + max(0.0, v * idm.headway_s + closing)
        return idm.acceleration_mps2 * (1.0 - (v / allowed) ** 4 - (desired / max(gap, 0.1)) ** 2)

    def _obstacles(self, surroundings: Surroundings) -> list[tuple[float, float]]:
        """(gap m, speed along the path m/s) of everything to slow down for."""
        offset = surroundings.position - np.asarray(self.path.frame.point(self.s))
        near = np.hypot(offset[:, 0], offset[:, 1]) < self.idm.sight_m
        if self.body.id in surroundings.row:
            near[surroundings.row[self.body.id]] = False
        others = np.flatnonzero(near)
        found = self._red_lines(surroundings)
        if others.size:
            found += self._in_corridor(surroundings, others) + self._crossing(surroundings, others)
        return found

    def _red_lines(self, surroundings: Surroundings) -> list[tuple[float, float]]:
        """Stop lines ahead that are red, or amber and can be stopped at; what can no longer be stopped at is passed."""
        found = []
        for line_s, groups in self.path.signals:
            gap = line_s - self.front
            if surroundings.signals is None or not 0.0 <= gap < self.idm.sight_m:
                continue
            colors = {surroundings.signals.color_of(group) for group in groups}
            red = SignalColor.RED in colors
            braking = self.idm.braking_max_mps2 if red else self.idm.deceleration_mps2
            if (red or SignalColor.AMBER in colors) and self.speed**2 / (2.0 * braking) <= gap:
                found.append((gap + self.idm.gap_min_m - 0.5, 0.0))
        return found

    def _in_corridor(self, surroundings: Surroundings, others: Array) -> list[tuple[float, float]]:
        half = 0.5 * self.body.width + self.idm.clearance_m
        # Boxes are projected with their corners only where their middle is near enough to be in the corridor at all.
        reach = 0.5 * np.hypot(*surroundings.size[others].T) + 1.0
        s, d = self.path.frame.project(surroundings.position[others])
        others = others[(s + reach > self.s) & (np.abs(d) < half + reach)]
        if not others.size:
            return []
        length, width = surroundings.size[others].T
        boxes = corners(surroundings.position[others], surroundings.yaw[others], length, width)
        s, d = self.path.frame.project(boxes)
        ahead = (s.max(axis=1) > self.s) & (s.mean(axis=1) > self.s)
        inside = ahead & (d.min(axis=1) < half) & (d.max(axis=1) > -half)
        along = np.cos(surroundings.yaw[others] - self.path.frame.heading(s.mean(axis=1)))
        speed = surroundings.speed[others] * along
        return [(float(s[i].min()) - self.front, float(speed[i])) for i in np.flatnonzero(inside)]

    def _crossing(self, surroundings: Surroundings, others: Array) -> list[tuple[float, float]]:
        """Road users that will cross the corridor before this one gets there; the vulnerable always go first.

        Each is taken to hold its heading and its acceleration until it stops.
        """
        others = others[(surroundings.speed[others] > 0.5) & self.path.may_be_crossed(surroundings.yaw[others])]
        if not others.size:
            return []
        time = np.arange(0.5, self.idm.crossing_horizon_s + 1e-9, 0.5)
        v, a = surroundings.speed[others, None], np.minimum(surroundings.acceleration[others, None], 0.0)
        until = np.where(a < -0.1, np.minimum(time, v / np.maximum(-a, 0.1)), time)
        distance = v * until + 0.5 * np.where(a < -0.1, a, 0.0) * until**2
        yaw = surroundings.yaw[others]
        along = np.stack((np.cos(yaw), np.sin(yaw)), axis=-1)
        s, d = self.path.frame.project(surroundings.position[others, None] + distance[..., None] * along[:, None])
        across = np.abs(np.sin(yaw[:, None] - self.path.frame.heading(s))) > ACROSS
        half = 0.5 * self.body.width + self.idm.clearance_m + 0.5
        enters = across & (np.abs(d) < half) & (s > self.front) & (v > 0.5)
        found = []
        for i in np.flatnonzero(enters.any(axis=1)):
            first = int(np.argmax(enters[i]))
            body = surroundings.bodies[others[i]]
            own_s = (s[i, first] - self.front) / max(self.speed, 1.0)
            margin = 2.0 if body.kind in VULNERABLE else 0.0
            if time[first] <= own_s + margin and own_s < self.idm.crossing_horizon_s + 2.0:
                found.append((float(s[i, first]) - 0.5 * body.width - 1.0 - self.front, 0.0))
        return found


def reactive_path(
    points: Float[Array, "point 2"], idm: Idm, lane_map: LaneMap | None, slow: tuple[Slow, ...] = ()
) -> ReactivePath:
    """The path along `points`: speed by its curvature (backward pass with comfortable braking), signals of the map.

    slow: stretches that are driven more slowly; what comes there unforeseen is braked for as hard as it takes.
    """
    frame = FrenetFrame(points)
    s = np.linspace(0.0, frame.length, max(2, math.ceil(frame.length) + 1))
    curvature = np.maximum(np.abs(frame.curvature(s)), 1e-6)
    speed = np.minimum(idm.desired_speed_mps, np.sqrt(idm.lateral_acceleration_mps2 / curvature))
    for i in range(len(s) - 2, -1, -1):
        speed[i] = min(speed[i], math.sqrt(speed[i + 1] ** 2 + 2.0 * idm.deceleration_mps2 * (s[i + 1] - s[i])))
    for begin, end, most in slow:
        speed = np.where((s >= begin) & (s <= end), np.minimum(speed, most), speed)
    return ReactivePath(frame, s, speed, _signal_lines(points, frame, lane_map))


def _signal_lines(
    points: Float[Array, "point 2"], frame: FrenetFrame, lane_map: LaneMap | None
) -> tuple[tuple[float, tuple[int, ...]], ...]:
    """Stop lines with signals that the path crosses in the driving direction of their lane."""
    lines: dict[tuple[float, tuple[int, ...]], None] = {}
    for lane in lane_map.lanes.values() if lane_map else ():
        crossing = intersection(points, lane.stop_line) if lane.signals and lane.stop_line is not None else None
        if crossing is None:
            continue
        nearest = int(np.argmin(np.hypot(*(lane.centre - frame.point(crossing[0])).T)))
        if math.cos(headings(lane.centre)[nearest] - float(frame.heading(crossing[0]))) > 0.7:
            lines[(round(crossing[0], 3), lane.signals)] = None
    return tuple(sorted(lines))
