"""Throughput of fiss-planner's exhaustive mode (`fop`): every candidate generated, checked and costed, 10 obstacles.

The work unit is that of `behaviors bench throughput` as far as the peer has it: candidates of 3 s at 0.1 s on a curved
reference path, limits of speed, acceleration, curvature and road, cost of jerk, deviation and speed, and collision with
the predicted boxes of 10 obstacles. It knows no covariance: one path for each obstacle, checked box against box.

    python throughput_fiss.py --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from importlib.metadata import version

import fiss_planner as fp
import numpy as np

STEP_S, HORIZON_S, SPEED_MPS = 0.1, 3.0, 12.0
NOTES = {
    "boxes": "collision of boxes at every step; no gap, headway or time to collision",
    "boxes, 1 to 3 s": "the same, with candidates that end after 1 to 3 s and many that the limits reject first",
    "none": "no obstacles",
    "default": "collision of boxes, its default safety envelope and its cost of gap, headway and time to collision",
}


def curve(arc_m: np.ndarray, left_m: float = 0.0) -> np.ndarray:
    """Points (point, 2) on a left curve of radius 400 m, shifted to the left."""
    angle = arc_m / 400.0
    return np.column_stack([(400.0 - left_m) * np.sin(angle), 400.0 - (400.0 - left_m) * np.cos(angle)])


def obstacles() -> list[fp.Obstacle]:
    """Ten vehicles in three lanes around the ego, each with its path for the horizon."""
    time_s = STEP_S * np.arange(round(HORIZON_S / STEP_S) + 1)
    made = []
    for i in range(10):
        arc = 58.0 + 7.0 * i + (8.0 + i % 4) * time_s
        points = curve(arc, 3.5 * (i % 3 - 1))
        path = fp.Obstacle.from_arrays(i, 4.5, 1.8, time_s, points[:, 0], points[:, 1], arc / 400.0, False)
        made.append(path)
    return made


def planner(mode: str, threads: int) -> fp.Planner:
    """The exhaustive planner: 8 offsets in each of 3 lanes and 34 speeds, or 4, 13 and 5 durations."""
    widths, speeds, times, shortest_s = (4, 13, 5, 1.0) if mode.endswith("1 to 3 s") else (8, 34, 1, HORIZON_S)
    made = fp.make_config("fop", num_width=widths, num_speed=speeds, num_t=times, min_t=shortest_s, max_t=HORIZON_S)
    made.num_threads = threads
    if mode != "default":
        made.safety.enabled = False
        made.cost.w_headway = made.cost.w_ttc = made.cost.w_clearance = made.cost.follow_time = 0.0
    return fp.make_planner(made)


def measure(mode: str, threads: int, repeats: int) -> dict[str, object]:
    """One call: CPU time of all threads together.

    The rate is what the threads would give on cores of their own: candidates times threads over CPU time.
    """
    points = curve(np.arange(0.0, 250.0, 1.0))
    road = fp.ReferenceLine(points[:, 0], points[:, 1])
    lanes = fp.Corridor.parallel_lanes(0.0, road.length, 3.5, 1, 1)
    made, others, start = (
        planner(mode, threads),
        [] if mode == "none" else obstacles(),
        fp.FrenetState(s=50.0, s_d=SPEED_MPS),
    )
    cpu, wall = [], []
    for _ in range(repeats + 2):
        made.reset()
        begin_cpu, begin_wall = time.process_time(), time.perf_counter()
        result = made.plan(start, road, lanes, others, SPEED_MPS + 4.0)
        cpu.append(time.process_time() - begin_cpu)
        wall.append(time.perf_counter() - begin_wall)
    busy, candidates = statistics.median(cpu[2:]), result.stats.num_generated
    return {
        "peer": "fiss-planner", "version": version("fiss-planner"), "threads": threads,
        "per_s": round(threads * candidates / busy), "candidates": candidates, "obstacle_cost": mode,
        "validated": result.stats.num_validated, "checked": result.stats.num_collision_checks,
        "cpu_ms": round(1e3 * busy, 2), "wall_ms": round(1e3 * statistics.median(wall[2:]), 2),
        "note": f"exhaustive mode; generation, limits, cost (jerk, deviation, speed); obstacles: {NOTES[mode]}",
    }  # fmt: skip


def main() -> None:
    """Measure and print, one line each."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments.add_argument("--repeats", type=int, default=30)
    given = arguments.parse_args()
    for threads in (1, 2):
        for mode in NOTES:
            row = measure(mode, threads, given.repeats)
            text = f"{row['peer']} {row['version']}, {threads} threads, {mode}: {row['per_s']} a second"
            print(json.dumps(row) if given.json else text, flush=True)


if __name__ == "__main__":
    main()
