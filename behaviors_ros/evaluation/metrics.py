"""Closed-loop metrics of a drive, by the definitions of the nuPlan and NAVSIM benchmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import Array, Lane, SignalColor
from behaviors_ros.evaluation.collisions import Collision, CollisionRules, collisions, time_to_collision
from behaviors_ros.evaluation.comfort import Comfort, ComfortLimits, comfort, violations
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.evaluation.region import outside_m
from behaviors_ros.geometry.polylines import headings
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.simulation.arrival import Arrival, arrived


class MetricRules(Parameters):
    """Definitions of the metrics."""

    overspeed_scale_mps: float = value(2.23, "mean overspeed that brings the compliance to 0", low=0.01)
    arrival: Arrival = Arrival()
    collision: CollisionRules = CollisionRules()
    comfort: ComfortLimits = ComfortLimits()


@dataclass(frozen=True, eq=False)
class Metrics:
    """What a drive was like. goal_time_s: NaN when not reached; off_road_m: largest distance of a corner outside;
    min_ttc_s: inf when nothing came near; distance_m driven, progress_m along the route.
    """

    goal_time_s: float
    collisions: tuple[Collision, ...]
    red_lights_run: int
    off_road_m: float
    off_road: bool
    comfort: Comfort
    comfort_violations: tuple[str, ...]
    min_ttc_s: float
    distance_m: float
    progress_m: float
    speed_limit_compliance: float
    overspeed_max_mps: float

    @property
    def goal_reached(self) -> bool:
        """The goal was reached at some instant."""
        return bool(np.isfinite(self.goal_time_s))

    @property
    def at_fault(self) -> tuple[Collision, ...]:
        """Collisions that the ego is to blame for."""
        return tuple(collision for collision in self.collisions if collision.at_fault)


def measure(drive: Drive, rules: MetricRules | None = None) -> Metrics:
    """All metrics of a drive."""
    rules = rules or MetricRules()
    reached = np.flatnonzero(at_goal(drive, rules))
    felt = comfort(drive, rules.comfort)
    off = float(outside_m(drive.map, drive.corners).max(initial=0.0))
    over = overspeed(drive)
    return Metrics(
        goal_time_s=float(drive.time_s[reached[0]]) if reached.size else float("nan"),
        collisions=collisions(drive, rules.collision),
        red_lights_run=len(red_lights_run(drive)),
        off_road_m=off,
        off_road=off > rules.collision.off_road_m,
        comfort=felt,
        comfort_violations=violations(felt, rules.comfort),
        min_ttc_s=float(time_to_collision(drive, rules.collision).min(initial=np.inf)),
        distance_m=float(np.hypot(*np.diff(drive.position, axis=0).T).sum()),
        progress_m=float(drive.station[-1] - drive.station[0]),
        speed_limit_compliance=max(0.0, 1.0 - float(over.mean()) / rules.overspeed_scale_mps),
        overspeed_max_mps=float(over.max(initial=0.0)),
    )


def at_goal(drive: Drive, rules: MetricRules) -> Bool[Array, "step"]:
    """Instants at which the goal is reached."""
    times = zip(drive.ego, drive.time_s, strict=True)
    return np.array([arrived(drive.goal, ego, float(time_s), drive.vehicle, rules.arrival) for ego, time_s in times])


def overspeed(drive: Drive) -> Float[Array, "step"]:
    """Speed above the limit of the route at each instant, m/s."""
    limit = np.interp(drive.station, drive.route.s, drive.route.speed_limit)
    return np.maximum(0.0, drive.speed - limit)


def red_lights_run(drive: Drive) -> tuple[tuple[int, int], ...]:
    """(step, lane id) at which the middle of the front bumper crossed the stop line of a lane whose signal was red.

    The colour is that of the instant before; a line counts in the driving direction of its lane, and once where several
    lanes share it.
    """
    if drive.map is None:
        return ()
    found: dict[tuple[int, bytes], int] = {}
    for lane in drive.map.lanes.values():
        line = lane.stop_line
        if line is None or not lane.signals:
            continue
        for step in _crossings(drive, lane, line):
            signals = drive.signals[step - 1]
            if signals is not None and any(signals.color_of(group) is SignalColor.RED for group in lane.signals):
                found.setdefault((int(step), np.sort(np.round(line, 2), axis=0).tobytes()), lane.id)
    return tuple(sorted((step, lane_id) for (step, _), lane_id in found.items()))


def _crossings(drive: Drive, lane: Lane, line: Float[Array, "point 2"]) -> Array:
    """Steps in which the bumper's middle went over the lane's stop line in the lane's direction."""
    a, b = line[0], line[-1]
    yaw = headings(lane.centre)[int(np.argmin(np.hypot(*(lane.centre - 0.5 * (a + b)).T)))]
    before, after = drive.front[:-1], drive.front[1:]
    side = _cross(b - a, drive.front - a)
    straddles = _cross(after - before, a - before) * _cross(after - before, b - before) <= 0.0
    # A point on the line has arrived but not crossed: the crossing is counted when it leaves the line.
    crosses = ((side[:-1] <= 0.0) & (side[1:] > 0.0)) | ((side[:-1] >= 0.0) & (side[1:] < 0.0))
    forward = (after - before) @ np.array((np.cos(yaw), np.sin(yaw))) > 0.0
    return np.flatnonzero(crosses & straddles & forward) + 1


def _cross(a: Float[Array, "*#lead 2"], b: Float[Array, "*#lead 2"]) -> Float[Array, "*lead"]:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
