"""Candidates a second: ours by the screening of generator `screened`, beside peers measured in the same run.

The work unit: motions of 3 s at 0.1 s on a left curve of 400 m radius, limits of curvature, lateral acceleration,
steering rate, speed, acceleration and jerk, cost of jerk, deviation and speed, and at each of the 31 instants the
chance of collision with 10 vehicles whose covariance grows. The scripts of `benchmarks/peers` measure peers alike.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from behaviors_ros.datatypes import AgentClass, Array, Candidates, EgoState, Grid, Predictions, Scene, Tracks
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.screened import ScreenedParameters, chosen, screened
from behaviors_ros.generation.situation import situation_of
from behaviors_ros.maps.route import mapless_route
from behaviors_ros.parameters import Vehicle

RADIUS_M, SPEED_MPS, STAMP_NS = 400.0, 12.0, 1_000_000_000
# Vehicle 2 of the CommonRoad vehicle models, which the peers' scripts take as well.
VEHICLE = Vehicle(
    wheel_base_m=2.5789, length_m=4.508, width_m=1.61, rear_overhang_m=0.8313, steering_max_rad=1.066,
    steering_rate_max_radps=0.4, speed_max_mps=50.0, acceleration_max_mps2=11.5,
)  # fmt: skip
LATTICE = ScreenedParameters(
    offsets=20,
    speeds=40,
    speed_times_s=(2.0, 3.0),
    reach_m=3.0,
    step_s=0.1,
    interval_s=0.1,
    horizon_s=3.0,
    exhaustive=True,
    driving=Driving(samples=100),
)


@dataclass(frozen=True)
class Throughput:
    """One measurement: candidates a second of CPU time and threads (what the threads give on cores of their own)."""

    threads: int
    per_s: int
    candidates: int
    feasible: int
    cpu_ms: float
    wall_ms: float


def curve(arc_m: Array, left_m: float = 0.0) -> Array:
    """Points (point, 2) on the curve, shifted to the left."""
    angle, radius = np.asarray(arc_m) / RADIUS_M, RADIUS_M - left_m
    return np.stack([radius * np.sin(angle), RADIUS_M - radius * np.cos(angle)], axis=-1)


def scene() -> tuple[Scene, Predictions, Grid]:
    """The ego at 12 m/s 50 m along the curve, 10 vehicles ahead in three lanes, and the grid of 3 s."""
    grid = Grid(0.1, 31)
    ego = EgoState(
        STAMP_NS, curve(np.array(50.0)), 50.0 / RADIUS_M, SPEED_MPS,
        steering=float(np.arctan(VEHICLE.wheel_base_m / RADIUS_M)),
    )  # fmt: skip
    route = mapless_route(curve(np.arange(0.0, 250.0)), ego, None, SPEED_MPS + 4.0, 5.25)
    number = np.arange(10)
    arc = 58.0 + 7.0 * number[:, None] + (8.0 + number[:, None] % 4) * grid.time_s
    position = np.stack([curve(arc[i], 3.5 * (i % 3 - 1)) for i in number])
    speed = np.broadcast_to(8.0 + number[:, None, None] % 4, (10, 1, grid.steps)).astype(np.float64)
    covariance = np.broadcast_to(((0.1 + 0.1 * grid.time_s)[:, None, None] * np.eye(2)), (10, 1, grid.steps, 2, 2))
    predictions = Predictions(
        STAMP_NS, grid.time_s, tuple(f"{i:032x}" for i in number), np.full(10, int(AgentClass.CAR)), np.full(10, 4.5),
        np.full(10, 1.8), np.ones((10, 1), bool), np.ones((10, 1)), np.zeros((10, 1), np.int64), position[:, None],
        arc[:, None] / RADIUS_M, speed, covariance.copy(),
    )  # fmt: skip
    return Scene(STAMP_NS, ego, Tracks.empty(STAMP_NS), route), predictions, grid


def measure(threads: int, repeats: int) -> Throughput:
    """Median over the repeats; each thread screens the whole lattice and makes its best few candidates."""
    at, predictions, grid = scene()
    situation = situation_of(at, predictions, grid, VEHICLE, LATTICE.driving, LATTICE.stitching)
    found = screened(situation, predictions, LATTICE)
    assert found is not None

    def work(_: int) -> Candidates:
        result = screened(situation, predictions, LATTICE)
        assert result is not None
        return chosen(situation, result, LATTICE, "screened")

    cpu, wall = [], []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(repeats + 2):
            begin_cpu, begin_wall = time.process_time(), time.perf_counter()
            list(pool.map(work, range(threads)))
            cpu.append(time.process_time() - begin_cpu)
            wall.append(time.perf_counter() - begin_wall)
    busy, count = statistics.median(cpu[2:]), threads * found.cost.size
    return Throughput(
        threads, round(threads * count / busy), found.cost.size, int(np.isfinite(found.cost).sum()),
        round(1e3 * busy, 3), round(1e3 * statistics.median(wall[2:]), 3),
    )  # fmt: skip


def peer_rows(script: Path, python: str, timeout_s: float) -> tuple[list[dict[str, Any]], str]:
    """What a peer's script prints, one JSON object a line; no rows and the reason where it cannot be run."""
    try:
        done = subprocess.run(
            [python, str(script), "--json"], capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], f"{type(error).__name__}: {error}"
    if done.returncode:
        last = done.stderr.strip().splitlines()
        return [], last[-1] if last else f"exit code {done.returncode}"
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], ""


def compared(repeats: int, peers: Path | None, python: str, timeout_s: float = 300.0) -> dict[str, Any]:
    """Figures of ours and of every peer, for one and two threads.

    Keys: `threads` lists {threads, ours_per_s, <peer>_per_s}; a peer's figure there is its fastest with an obstacle
    cost, all are in `peers`; an absent one is null, with the reason under `reasons`.
    """
    ours = {threads: measure(threads, repeats) for threads in (1, 2)}
    rows: list[dict[str, Any]] = []
    reasons: dict[str, str] = {}
    names = []
    for script in sorted(peers.glob("throughput_*.py")) if peers is not None else []:
        name = script.stem.removeprefix("throughput_")
        found, reason = peer_rows(script, python, timeout_s)
        rows += [row | {"name": name} for row in found]
        reasons |= {name: reason} if reason else {}
        names.append(name)
    table = []
    for threads, own in ours.items():
        row: dict[str, Any] = {"threads": threads, "ours_per_s": own.per_s}
        for name in names:
            rates = [
                one["per_s"] for one in rows
                if one["name"] == name and one["threads"] == threads and one.get("obstacle_cost") != "none"
            ]  # fmt: skip
            row[f"{name}_per_s"] = max(rates, default=None)
        table.append(row)
    return {"threads": table, "ours": [vars(one) for one in ours.values()], "peers": rows, "reasons": reasons}
