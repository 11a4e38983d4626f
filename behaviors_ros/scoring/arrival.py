"""Scorer: arriving as the goal asks: in its region, at its time, speed and heading."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Candidates, Predictions, Route, Scene, StopKind, Terms
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.geometry.polygons import outside
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import terms

Array = np.ndarray
NEAR_M = 20.0  # stretch of the path around a known arc length on which a point is looked for
MOMENT_M = 1e-3  # a way left that is not zero
SLACK_S = 1e-6  # instants of the grid and of the goal's interval that are the same number up to rounding


class ArrivalParameters(Parameters):
    """Weight, what a miss costs, and what can still be made up for after the horizon."""

    weight: float = value(12.0, "share in the weighted mean", low=0.0, high=100.0)
    near_miss: float = value(0.5, "score of the smallest miss: a goal is reached or not", low=0.0, high=1.0)
    scale_m: float = value(4.0, "miss at which the score is half of that", low=0.1, high=100.0)
    heading_m: float = value(5.0, "miss that a radian of wrong heading counts as", low=0.0, high=50.0)
    speed_s: float = value(1.0, "time over which a wrong speed counts as a miss", low=0.0, high=10.0)
    acceleration_mps2: float = value(1.0, "acceleration counted on after the horizon", low=0.1, high=5.0)
    deceleration_mps2: float = value(1.5, "braking counted on after the horizon", low=0.1, high=5.0)
    lateral_mps: float = value(1.2, "speed across the lane counted on after the horizon", low=0.1, high=5.0)
    curvature_share: float = value(0.6, "share of the largest curvature counted on to a halt", low=0.1, high=1.0)
    straight_m: float = value(1.0, "way before a halt on which nothing is gained across any more", low=0.0, high=10.0)
    inside_m: float = value(0.1, "distance to the edge of the goal's region aimed at", low=0.0, high=1.0)
    instants: int = value(12, "instants of the goal's interval that are looked at", low=1.0, high=100.0)
    crawl_mps: float = value(3.0, "a slower candidate counts as this fast on its way to the goal", low=0.1, high=10.0)


@register("scorer", "arrival")
class Arrival:
    """Raw: by how much the goal would be missed, m. Score: 1 where it is not, else near_miss / (1 + raw / scale).

    A goal with a time: at the best instant of its interval, the distance to its region along and across the route, plus
    what is wrong with speed and heading; after the horizon, what cannot be made up for any more. A goal without a time:
    the distance across by which its lane cannot be reached any more; where it has a region and one halts there, the
    distance and heading by which a halt within the region cannot be reached any more. A goal anywhere, or over, is
    not missed.
    """

    parameters = ArrivalParameters

    def __init__(self, parameters: ArrivalParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        goal, route = scene.route.goal, scene.route
        if goal.anywhere or not np.isfinite(route.goal_to_s):
            missed = np.zeros(len(candidates))
        elif goal.time is None or route.stamp_ns == 0:
            halts = any(stop.kind == StopKind.GOAL for stop in route.stops)
            if goal.polygon is not None and halts:
                missed = self._halted(route, goal.polygon, candidates)
            else:
                missed = self._across_later(route, candidates, None)
        else:
            since_s = (scene.stamp_ns - route.stamp_ns) * 1e-9
            missed = self._timed(route, candidates, goal.time[0] - since_s, goal.time[1] - since_s)
        near = self.p.near_miss / (1.0 + missed / self.p.scale_m)
        return terms(missed, np.where(missed > 0.0, near, 1.0), candidates)

    def _halted(self, route: Route, polygon: Array, candidates: Candidates) -> Float[Array, "candidate"]:
        """What is wrong with place and heading across the road, m, as far as the way left to the halt is too short for
        it: the share by which a quintic along it, from the last offset and heading to the nearest place in the region,
        is bent too tightly, or how far the front corner swings out over the edge of what is drivable.
        """
        p, goal, vehicle, frame = self.p, route.goal, self.vehicle, route_frame(route)
        ring = _ring(route)
        inside = min(p.inside_m, 0.5 * float(np.ptp(ring)))
        d, yaw = candidates.d[:, -1], candidates.yaw[:, -1]
        gap = np.clip(d, ring.min() + inside, ring.max() - inside) - d
        turn = wrap(yaw - frame.heading(candidates.s[:, -1]))
        left = np.maximum(route.goal_s - vehicle.centre_offset_m - p.straight_m - candidates.s[:, -1], MOMENT_M)
        wrong = np.abs(gap)
        if goal.yaw is not None:
            off = np.abs(wrap(yaw - 0.5 * sum(goal.yaw))) - 0.5 * (goal.yaw[1] - goal.yaw[0])
            wrong += p.heading_m * np.maximum(off, 0.0)
        left_edge, right_edge = (
            np.interp(route.goal_s, route.s, w) for w in (route.left_drivable, route.right_drivable)
        )
        room = np.where(gap > 0.0, left_edge - (d + gap), right_edge + d + gap) - 0.5 * vehicle.width_m
        front_m = vehicle.length_m - vehicle.rear_overhang_m
        bend, swing = way_across(gap, np.tan(np.clip(turn, -1.0, 1.0)), left, front_m)
        most = p.curvature_share * vehicle.curvature_max_1pm
        missed = np.maximum(
            wrong * (1.0 - most / np.maximum(bend, most)), np.clip(swing - np.maximum(room, 0.0), 0.0, wrong)
        )
        past = candidates.s[:, 0] + vehicle.centre_offset_m > route.goal_to_s
        return np.where(past, 0.0, missed)

    def _timed(self, route: Route, candidates: Candidates, begin_s: float, end_s: float) -> Float[Array, "candidate"]:
        """Least miss over the interval [begin, end] s from now."""
        if end_s < -SLACK_S:
            return np.zeros(len(candidates))
        time_s = candidates.time_s
        missed = np.full(len(candidates), np.inf)
        steps = np.flatnonzero((time_s >= begin_s - SLACK_S) & (time_s <= end_s + SLACK_S))
        if steps.size:
            missed = self._within(route, candidates, steps)
        if end_s > time_s[-1] + SLACK_S:
            left = max(begin_s - time_s[-1], 0.0), end_s - time_s[-1]
            missed = np.minimum(missed, self._later(route, candidates, *left))
        return missed

    def _within(self, route: Route, candidates: Candidates, steps: Array) -> Float[Array, "candidate"]:
        """Least miss at the steps, or at some of them where there are many."""
        steps = steps[np.unique(np.linspace(0, len(steps) - 1, self.p.instants).round().astype(np.int64))]
        away = self._away(route, candidates, steps)
        return np.asarray((away + self._state(route, candidates, steps)).min(axis=1))

    def _away(self, route: Route, candidates: Candidates, steps: Array) -> Float[Array, "candidate step"]:
        """Distance of the box centre from the goal's region, m, or without one from its place in the route's lane."""
        if route.goal.polygon is None:
            s, d = candidates.s[:, steps] + self.vehicle.centre_offset_m, candidates.d[:, steps]
            return _outside(s, route.goal_from_s, route.goal_to_s) + _beside(route, d)
        yaw = candidates.yaw[:, steps]
        ahead = self.vehicle.centre_offset_m * np.stack((np.cos(yaw), np.sin(yaw)), axis=-1)
        centre = np.ascontiguousarray(candidates.position[:, steps] + ahead)
        return np.asarray(outside(np.ascontiguousarray(route.goal.polygon, dtype=np.float64), centre))

    def _state(self, route: Route, candidates: Candidates, steps: Array) -> Float[Array, "candidate step"]:
        """What is wrong with speed and heading at the steps, m."""
        wrong = np.zeros((len(candidates), len(steps)))
        if route.goal.speed is not None:
            wrong += self.p.speed_s * _outside(candidates.speed[:, steps], *route.goal.speed)
        if route.goal.yaw is not None:
            low, high = route.goal.yaw
            turned = np.abs(wrap(candidates.yaw[:, steps] - 0.5 * (low + high))) - 0.5 * (high - low)
            wrong += self.p.heading_m * np.maximum(turned, 0.0)
        return wrong

    def _later(self, route: Route, candidates: Candidates, begin_s: float, end_s: float) -> Float[Array, "candidate"]:
        """What cannot be made up for in the interval [begin, end] s after the horizon."""
        p, speed = self.p, np.maximum(candidates.speed[:, -1], 0.0)
        s = candidates.s[:, -1] + self.vehicle.centre_offset_m
        top = np.maximum(np.interp(s, route.s, route.speed_limit), speed)
        until_top = (top - speed) / p.acceleration_mps2
        rising = np.minimum(until_top, end_s)
        farthest = s + speed * rising + 0.5 * p.acceleration_mps2 * rising**2 + top * (end_s - rising)
        braking = np.minimum(speed / p.deceleration_mps2, begin_s)
        nearest = s + speed * braking - 0.5 * p.deceleration_mps2 * braking**2
        missed = np.maximum(route.goal_from_s - farthest, 0.0) + np.maximum(nearest - route.goal_to_s, 0.0)
        if route.goal.speed is not None:
            low, high = route.goal.speed
            missed += p.speed_s * np.maximum(low - np.minimum(speed + p.acceleration_mps2 * end_s, top), 0.0)
            missed += p.speed_s * np.maximum(speed - p.deceleration_mps2 * end_s - high, 0.0)
        return missed + self._across_later(route, candidates, end_s)

    def _across_later(self, route: Route, candidates: Candidates, left_s: float | None) -> Float[Array, "candidate"]:
        """Distance beside the goal's lane that cannot be made up for in the time left (None: until it is reached)."""
        s, speed = candidates.s + self.vehicle.centre_offset_m, candidates.speed
        beside = _beside(route, candidates.d[:, -1])
        to_goal_s = np.maximum(route.goal_to_s - s[:, -1], 0.0) / np.maximum(speed[:, -1], self.p.crawl_mps)
        past = s[:, 0] > route.goal_to_s
        left = to_goal_s if left_s is None else np.minimum(to_goal_s, left_s)
        return np.where(past, 0.0, np.maximum(beside - self.p.lateral_mps * left, 0.0))


@lru_cache(maxsize=2)
def _ring(route: Route) -> Float[Array, "corner"]:
    """Offsets of the corners of the goal's region, m."""
    assert route.goal.polygon is not None
    return route_frame(route).project_near(route.goal.polygon, route.goal_s, NEAR_M)[1]


def way_across(
    gap: Float[Array, "candidate"], slope: Float[Array, "candidate"], length: Float[Array, "candidate"], front_m: float
) -> tuple[Float[Array, "candidate"], Float[Array, "candidate"]]:
    """Largest curvature of the quintic that goes across by `gap` m within `length` m from a slope, 1/m, and how far the
    bumper, `front_m` ahead, gets beyond its end, m. Small angles; seen at tenths of the length.
    """
    u = np.linspace(0.0, 1.0, 11)[:, None]
    missing, turning = gap - slope * length, -slope * length
    a, b, c = 10.0 * missing - 4.0 * turning, 7.0 * turning - 15.0 * missing, 6.0 * missing - 3.0 * turning
    d = u * (slope * length + u * u * (a + u * (b + u * c)))
    d1 = slope + u * u * (3.0 * a + u * (4.0 * b + u * 5.0 * c)) / length
    d2 = u * (6.0 * a + u * (12.0 * b + u * 20.0 * c)) / length**2
    beyond = (d + front_m * np.sin(np.arctan(d1)) - gap) * np.where(gap < 0.0, -1.0, 1.0)
    return np.abs(d2).max(axis=0), beyond.max(axis=0)


def _beside(route: Route, d: Array) -> Array:
    """Distance of the vehicle's centre line outside the lane of the goal, m."""
    left, right = (float(np.interp(route.goal_s, route.s, width)) for width in (route.left_lane, route.right_lane))
    return _outside(d, -right, left)


def _outside(number: Array, low: float, high: float) -> Array:
    """Distance from an interval."""
    return np.maximum(np.maximum(low - number, number - high), 0.0)
