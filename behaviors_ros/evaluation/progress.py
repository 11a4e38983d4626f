"""How far a drive could have come: what its progress is compared to."""

from __future__ import annotations

import math

import numpy as np

from behaviors_ros.datatypes import Route
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.parameters import Parameters, value


class ProgressRules(Parameters):
    """What the reference assumes."""

    acceleration_mps2: float = value(1.5, "how fast the reference reaches the speed limit, and falls to it", low=0.1)
    step_s: float = value(0.1, "time step of the reference drive", low=0.01, high=1.0)
    floor_m: float = value(0.1, "progress and reference are at least this much", low=0.0, high=10.0)
    making: float = value(0.2, "progress ratio above which a drive makes progress", low=0.0, high=1.0)


def reference_m(drive: Drive, time_s: float, expert_m: float | None, rules: ProgressRules) -> float:
    """Progress along the route that a good driver would have made from the start, m.

    The recorded driver's where there is one (`expert_m`), else the way to where the route enters the goal, or what a
    free drive at the speed limit covers in `time_s`, whichever is less. Without a place in the goal the free drive
    counts alone, no faster than the goal asks for.
    """
    if expert_m is not None:
        return expert_m
    start = float(drive.station[0])
    goal = drive.goal
    fastest = goal.speed[1] if goal.anywhere and goal.speed is not None else math.inf
    free = free_drive_m(drive.route, start, float(drive.speed[0]), time_s, rules, fastest)
    return free if goal.anywhere else min(free, goal_entry_s(drive) - start)


def ratio(progress_m: float, reference: float, arrived: bool, rules: ProgressRules) -> float:
    """min(1, progress / reference), both at least the floor; 1 for a drive that arrived: there was no farther to go."""
    floor = max(rules.floor_m, 1e-9)
    return 1.0 if arrived else min(1.0, max(floor, progress_m) / max(floor, reference))


def free_drive_m(
    route: Route, start_s: float, speed: float, time_s: float, rules: ProgressRules, fastest: float = math.inf
) -> float:
    """Way along the route at its speed limit, or `fastest` (m/s), from a speed on, with constant acceleration, m."""
    s, v = start_s, speed
    for _ in range(math.ceil(time_s / rules.step_s - 1e-9)):
        limit = min(fastest, float(np.interp(s, route.s, route.speed_limit)))
        change = rules.acceleration_mps2 * rules.step_s
        after = min(v + change, limit) if v <= limit else max(v - change, limit)
        s, v = s + 0.5 * (v + after) * rules.step_s, after
    return s - start_s


def goal_entry_s(drive: Drive) -> float:
    """Arc length on the route of the rear axle as the box centre enters the goal's region, or is at its place, m."""
    route = drive.route
    entry = route.goal_from_s if math.isfinite(route.goal_from_s) else route.goal_s
    return entry - drive.vehicle.centre_offset_m
