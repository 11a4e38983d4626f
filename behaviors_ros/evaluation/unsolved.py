"""Why a scenario is not solved, in words, from facts of the drive."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import AgentClass, Array, Goal
from behaviors_ros.evaluation.collisions import Collision, CollisionKind
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.evaluation.metrics import Metrics
from behaviors_ros.evaluation.region import outside_m
from behaviors_ros.simulation.arrival import Arrival, arrived

KINDS = {
    CollisionKind.EGO_STOPPED: "hit by {} while standing",
    CollisionKind.TRACK_STOPPED: "ran into the standing {}",
    CollisionKind.FROM_BEHIND: "hit from behind by {}",
    CollisionKind.FRONT: "ran into {} with its front",
    CollisionKind.LATERAL: "touched {} with its side",
}

CRAWL_MPS = 1.0  # below it a time to arrival says nothing
PASSED_M = 0.1  # this much farther away in the end than once before, it was passed by


def why(drive: Drive, metrics: Metrics, solved: bool, rules: Arrival) -> str:
    """Every reason, the gravest first; empty for a solved scenario."""
    if solved:
        return ""
    reasons = [collision_words(collision) for collision in metrics.collisions]
    reasons += [_off_road_words(drive)] if metrics.off_road else []
    reasons += [] if metrics.goal_reached else [goal_words(drive, rules)]
    return "; ".join(reasons)


def collision_words(collision: Collision) -> str:
    """With whom, how, when, and whose fault."""
    name = f"{AgentClass(collision.agent_class).name.lower()} {collision.id.lstrip('0')[:8] or '0'}"
    fault = "at fault" if collision.at_fault else "not at fault"
    return f"{KINDS[collision.kind].format(name)} at {collision.time_s:.1f} s ({fault})"


def _off_road_words(drive: Drive) -> str:
    outside = outside_m(drive.map, drive.corners).max(axis=1)
    step = int(np.argmax(outside))
    return f"off the drivable area by up to {outside[step]:.2f} m, at {drive.time_s[step]:.1f} s"


def goal_words(drive: Drive, rules: Arrival) -> str:
    """What of the goal was missed: the place by how far, or there the heading, speed or time by how much."""
    goal = drive.goal
    there = _holds(drive, replace(goal, yaw=None, speed=None, time=None), rules)
    if not there.any():
        return _missed(drive)
    asked = [name for name in ("time", "speed", "yaw") if getattr(goal, name) is not None]
    alone = {name: _holds(drive, _only(goal, name), rules) for name in asked}
    failed = sum((~held for held in alone.values()), np.zeros(len(there), dtype=int))
    # Of the instants in the region those count at which the fewest demands failed; of these the last one is told.
    step = int(np.flatnonzero(there & (failed == failed[there].min()))[-1])
    words = [_demand(drive, name, step, there) for name in asked if not alone[name][step]]
    return "; ".join(words) or "the goal's demands were never met at one instant"


def _only(goal: Goal, name: str) -> Goal:
    """The goal with one of its demands."""
    others: dict[str, Any] = {other: None for other in ("yaw", "speed", "time") if other != name}
    return replace(goal, **others)


def _holds(drive: Drive, goal: Goal, rules: Arrival) -> Bool[Array, "step"]:
    times = zip(drive.ego, drive.time_s, strict=True)
    return np.array([arrived(goal, ego, float(time_s), drive.vehicle, rules) for ego, time_s in times])


def _missed(drive: Drive) -> str:
    distance = goal_distance(drive)
    step = int(np.argmin(distance))
    words = f"the goal region was missed by {distance[step]:.1f} m (nearest at {drive.time_s[step]:.1f} s)"
    if distance[-1] > distance[step] + PASSED_M:
        return words
    if drive.speed[-1] < CRAWL_MPS:
        return f"{words}; stood nearly still in the end"
    return f"{words}; {distance[-1] / drive.speed[-1]:.1f} s too late at the last speed of {drive.speed[-1]:.1f} m/s"


def goal_distance(drive: Drive) -> Float[Array, "step"]:
    """Distance of the box centre to the goal's region, or its place, at each instant, m."""
    if drive.goal.polygon is None:
        return np.hypot(*(drive.centre - drive.goal.position).T)
    region = shapely.make_valid(shapely.Polygon(drive.goal.polygon))
    return np.asarray(shapely.distance(region, shapely.points(drive.centre)))


def _demand(drive: Drive, name: str, step: int, there: Bool[Array, "step"]) -> str:
    low, high = getattr(drive.goal, name)
    if name == "speed":
        return f"wrong speed at the goal: {drive.speed[step]:.1f} not in {low:.1f}..{high:.1f} m/s"
    if name == "yaw":
        turned = math.degrees(math.remainder(float(drive.yaw[step]) - 0.5 * (low + high), math.tau))
        return f"wrong heading at the goal: {turned:.0f} deg off the middle of what is allowed"
    first, last = drive.time_s[there][[0, -1]]
    if first > high:
        return f"reached too late by {first - high:.1f} s (goal until {high:.1f} s)"
    return f"left the goal region {low - last:.1f} s too early (at {last:.1f} s, goal from {low:.1f} s)"
