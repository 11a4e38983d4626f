"""Throughput of frenetix: generate, check feasibility, cost and collision of candidates, 3 s at 0.1 s, 10 obstacles.

The work unit is that of `behaviors bench throughput`: quintic and quartic candidates on a curved reference path,
limits of acceleration, curvature, curvature rate and yaw rate, cost of jerk, deviation and speed, and the obstacle cost
against 10 predicted obstacles with covariance. The three rates differ in the obstacle cost alone: the collision
probability that frenetix takes by default, its Mahalanobis distance, and none.

    python throughput_frenetix.py --json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from importlib.metadata import version

import frenetix
import frenetix.trajectory_functions.cost_functions as costs
import frenetix.trajectory_functions.feasability_functions as limits
import numpy as np

STEP_S, HORIZON_S, SPEED_MPS, SPEEDS, OFFSETS = 0.1, 3.0, 12.0, 40, 20
# BMW 320i, vehicle 2 of the CommonRoad vehicle models.
LENGTH_M, WIDTH_M, WHEEL_BASE_M, REAR_M = 4.508, 1.61, 2.5789, 1.4227
ACCELERATION_MPS2, SWITCH_MPS, STEERING_RAD, STEERING_RADPS = 11.5, 7.319, 1.066, 0.4
NOTES = {
    "collision probability": "its default: probability of overlap of boxes from the covariance, nearer than 7 m",
    "mahalanobis": "its Mahalanobis distance of centres, no boxes",
    "none": "no obstacles",
}


def curve(arc_m: np.ndarray, left_m: float = 0.0) -> np.ndarray:
    """Points (point, 2) on a left curve of radius 400 m, shifted to the left."""
    angle = arc_m / 400.0
    return np.column_stack([(400.0 - left_m) * np.sin(angle), 400.0 - (400.0 - left_m) * np.cos(angle)])


def obstacles() -> dict[int, frenetix.PredictedObject]:
    """Ten vehicles in three lanes around the ego, each with poses and a growing covariance for the horizon."""
    steps = round(HORIZON_S / STEP_S)
    predicted = {}
    for i in range(10):
        speed, start, lane = 8.0 + i % 4, 58.0 + 7.0 * i, 3.5 * (i % 3 - 1)
        arc = start + speed * STEP_S * np.arange(1, steps + 1)
        predicted[i] = frenetix.PredictedObject(i, poses(arc, curve(arc, lane)), 4.5, 1.8)
    return predicted


def poses(arc_m: np.ndarray, points: np.ndarray) -> list[frenetix.PoseWithCovariance]:
    """One pose a step, with a variance of 0.1 m2 that grows by 0.1 m2 each second."""
    result = []
    for i, (arc, point) in enumerate(zip(arc_m, points, strict=True)):
        covariance = np.zeros((6, 6), order="F")
        covariance[0, 0] = covariance[1, 1] = 0.1 + 0.1 * STEP_S * i
        half = arc / 800.0
        turned = np.array([0.0, 0.0, np.sin(half), np.cos(half)])
        result.append(frenetix.PoseWithCovariance(np.array([*point, 0.0]), turned, covariance))
    return result


def samples() -> np.ndarray:
    """End states (candidate, 13) over speed and offset, all reached at the horizon, from 50 m along the path."""
    speeds, offsets = np.meshgrid(np.linspace(4.0, 16.0, SPEEDS), np.linspace(-3.0, 3.0, OFFSETS), indexing="ij")
    table = np.zeros((SPEEDS * OFFSETS, 13))
    table[:, 1], table[:, 2], table[:, 3] = HORIZON_S, 50.0, SPEED_MPS
    table[:, 5], table[:, 10] = speeds.ravel(), offsets.ravel()
    return table


def handler(obstacle_cost: str) -> frenetix.TrajectoryHandler:
    """The handler with limits, cost terms and the chosen obstacle cost."""
    made = frenetix.TrajectoryHandler(dt=STEP_S)
    path = frenetix.CoordinateSystemWrapper(curve(np.arange(0.0, 200.0, 1.0)))
    made.add_function(frenetix.trajectory_functions.FillCoordinates(False, 0.125, path, HORIZON_S))
    made.add_feasability_function(limits.CheckYawRateConstraint(STEERING_RAD, WHEEL_BASE_M, False))
    made.add_feasability_function(limits.CheckAccelerationConstraint(SWITCH_MPS, ACCELERATION_MPS2, False))
    made.add_feasability_function(limits.CheckCurvatureConstraint(STEERING_RAD, WHEEL_BASE_M, False))
    made.add_feasability_function(limits.CheckCurvatureRateConstraint(WHEEL_BASE_M, STEERING_RADPS, False))
    made.add_cost_function(costs.CalculateLateralJerkCost("lateral_jerk", 0.2))
    made.add_cost_function(costs.CalculateLongitudinalJerkCost("longitudinal_jerk", 0.2))
    made.add_cost_function(costs.CalculateDistanceToReferencePathCost("deviation", 5.0))
    made.add_cost_function(costs.CalculateVelocityOffsetCost("speed", 1.0, SPEED_MPS, STEP_S, 1.1, False, 2))
    if obstacle_cost == "collision probability":
        term = costs.CalculateCollisionProbabilityFast("risk", 0.2, obstacles(), LENGTH_M, WIDTH_M, REAR_M)
        made.add_cost_function(term)
    elif obstacle_cost == "mahalanobis":
        made.add_cost_function(costs.CalculateCollisionProbabilityMahalanobis("risk", 0.2, obstacles()))
    return made


def measure(obstacle_cost: str, threads: int, repeats: int) -> dict[str, object]:
    """One batch: CPU time of all threads together; its pool takes as many threads as cores it may use.

    The rate is what the threads would give on cores of their own: candidates times threads over CPU time.
    """
    os.sched_setaffinity(0, set(sorted(CORES)[:threads]))
    batch, made, cpu, wall = samples(), handler(obstacle_cost), [], []
    for _ in range(repeats + 2):
        made.reset_Trajectories()
        begin_cpu, begin_wall = time.process_time(), time.perf_counter()
        made.generate_trajectories(batch, False)
        if threads == 1:
            made.evaluate_all_current_functions(True)
        else:
            made.evaluate_all_current_functions_concurrent(True)
        cpu.append(time.process_time() - begin_cpu)
        wall.append(time.perf_counter() - begin_wall)
    busy = statistics.median(cpu[2:])
    return {
        "peer": "frenetix", "version": version("frenetix"), "threads": threads,
        "per_s": round(threads * len(batch) / busy), "candidates": len(batch),
        "feasible": made.get_feasible_count(), "obstacle_cost": obstacle_cost,
        "cpu_ms": round(1e3 * busy, 2), "wall_ms": round(1e3 * statistics.median(wall[2:]), 2),
        "note": f"generation, limits, cost (jerk, deviation, speed); obstacles: {NOTES[obstacle_cost]}",
    }  # fmt: skip


CORES = os.sched_getaffinity(0)


def main() -> None:
    """Measure and print, one line each."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments.add_argument("--repeats", type=int, default=15)
    given = arguments.parse_args()
    for threads in range(1, min(2, len(CORES)) + 1):
        for obstacle_cost in NOTES:
            row = measure(obstacle_cost, threads, given.repeats)
            text = f"{row['peer']} {row['version']}, {threads} threads, {obstacle_cost}: {row['per_s']} a second"
            print(json.dumps(row) if given.json else text, flush=True)


if __name__ == "__main__":
    main()
