"""The live graph under steady load for a long time: memory, latency drift, descriptors, threads, misses.

A feeder publishes the tracks of many agents at 10 Hz, a few of them with a new identity now and then, as perception
does. With `kill_every_s` a node is killed at random now and then, and started again by the graph.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor

from behaviors_ros.datatypes import Scene
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.maps.load import load_map
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.ros.environment import adopt
from behaviors_ros.ros.latency import Feeder, default_map, dense, kept_in_place, ready
from behaviors_ros.ros.processes import Usage, usage
from behaviors_ros.ros.up import Graph, GraphConfig
from behaviors_ros.ros.warm import warm_scene

NS = 1_000_000_000


class Soak(Parameters):
    """How long, how much, and the bars."""

    minutes: float = value(30.0, "time of the soak", low=0.2, high=10_000.0)
    agents: int = value(100, "tracks in each message", low=0, high=5000)
    new_ids_per_s: float = value(5.0, "agents that go and come back as another, a second", low=0.0, high=100.0)
    warm_minutes: float = value(5.0, "time before memory and latency are compared", low=0.0, high=60.0)
    row_s: float = value(60.0, "time between two rows", low=1.0, high=3600.0)
    kill_every_s: float = value(0.0, "a node is killed about this often and started again; 0: none", low=0.0)
    seed: int = value(1, "which nodes are killed when", low=0)
    rss_growth_max: float = value(0.02, "bar: largest growth of a node's memory", low=0.0, high=10.0)
    p99_drift_max: float = value(0.10, "bar: largest growth of p99 from the first quarter to the last", low=0.0)
    misses_max: float = value(0.001, "bar: largest share of tracks without a trajectory in time", low=0.0, high=1.0)
    late_s: float = value(0.2, "a trajectory later than this after its tracks is a miss", low=0.01, high=5.0)


@dataclass(frozen=True)
class Row:
    """One stretch of the soak: latency ms, missed tracks, and what each process takes at its end."""

    at_s: float
    cycles: int
    missed: int
    p50_ms: float
    p99_ms: float
    processes: dict[str, Usage]
    killed: int


@dataclass
class Verdict:
    """What came of the soak: rows, the figures that the bars are about, and whether each is kept."""

    rows: list[Row] = field(default_factory=list)
    growth: dict[str, float] = field(default_factory=dict)
    p99_first_ms: float = float("nan")
    p99_last_ms: float = float("nan")
    cycles: int = 0
    missed: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    recovery_s: list[float] = field(default_factory=list)
    passed: dict[str, bool] = field(default_factory=dict)

    def tree(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


class SoakFeeder(Feeder):
    """Feeds as the latency bench does; agents change their identity, one after the other."""

    def __init__(self, scene: Scene, soak: Soak) -> None:
        """Prepare to publish one scene."""
        super().__init__(scene)
        self._soak, self._born = soak, len(scene.tracks)

    def _tick(self) -> None:
        if self.ticks % 5 == 0:
            self._renew(round(self.ticks / 50 * self._soak.new_ids_per_s) + len(self.scene.tracks) - self._born)
        super()._tick()

    def _renew(self, number: int) -> None:
        ids = list(self.scene.tracks.id)
        for _ in range(max(number, 0) if ids else 0):
            ids[self._born % len(ids)] = f"{self._born + 1:032x}"
            self._born += 1
        self.scene = replace(self.scene, tracks=replace(self.scene.tracks, id=tuple(ids)))

    def take(self, until_ns: int) -> list[tuple[int, float]]:
        """(stamp of tracks, ms to the trajectory or infinity) of what was sent before; then forgets it."""
        back = {tracks: self.arrived.get(stamp, 0) for stamp, (tracks, _) in self.tracks_of.items()}
        rows = [
            (stamp, (back[stamp] - stamp) * 1e-6 if back.get(stamp) else float("inf"))
            for stamp in self.sent if stamp < until_ns
        ]  # fmt: skip
        self.sent = [stamp for stamp in self.sent if stamp >= until_ns]
        self.tracks_of = {stamp: found for stamp, found in self.tracks_of.items() if found[0] >= until_ns}
        self.arrived = {stamp: at for stamp, at in self.arrived.items() if stamp >= until_ns - NS}
        return rows


class Killer:
    """Kills a planning node at random now and then."""

    def __init__(self, soak: Soak) -> None:
        """Choose by the soak's seed."""
        self._soak, self._rng = soak, random.Random(soak.seed)
        self._due = time.monotonic() + 2.0 * soak.kill_every_s
        self.kills: dict[str, int] = {}
        self.at_ns = 0

    def act(self, graph: Graph) -> None:
        """Kill one if it is time."""
        if not self._soak.kill_every_s or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._soak.kill_every_s * self._rng.uniform(0.5, 1.5)
        name = self._rng.choice(sorted(graph.processes))
        graph.processes[name].send_signal(signal.SIGKILL)
        self.kills[name] = self.kills.get(name, 0) + 1
        self.at_ns = time.time_ns()


def soak(wanted: Soak, logs: Path | None, tell: Callable[[Row], None]) -> Verdict:
    """Run the graph for the time; `tell` hears every row as it is made."""
    map_file = default_map()
    scene = dense(warm_scene(load_map(map_file), Vehicle(), speed=5.0), wanted.agents)
    config = GraphConfig(
        groups=("stack",), map=str(map_file), respawn=wanted.kill_every_s > 0.0,
        nodes=kept_in_place(),
    )  # fmt: skip
    with Graph(config, logs) as graph:
        adopt()
        rclpy.init()
        feeder, executor = SoakFeeder(scene, wanted), SingleThreadedExecutor()
        executor.add_node(feeder)
        try:
            return _run(wanted, graph, feeder, executor, tell)
        finally:
            executor.shutdown()
            feeder.destroy_node()
            rclpy.try_shutdown()


def _run(
    wanted: Soak, graph: Graph, feeder: SoakFeeder, executor: SingleThreadedExecutor, tell: Callable[[Row], None]
) -> Verdict:
    ready(feeder, executor, graph)
    feeder.begin()
    found, killer, all_rows = Verdict(), Killer(wanted), []
    begin = time.monotonic()
    due, end = begin + wanted.row_s, begin + 60.0 * wanted.minutes
    while time.monotonic() < end:
        executor.spin_once(timeout_sec=0.02)
        killer.act(graph)
        if graph.watch() is not None:
            raise BehaviorsError("soak: the stack ended; run with --log FOLDER to see why")
        if time.monotonic() >= min(due, end):
            due += wanted.row_s
            # What was sent within the last second may still be answered: it counts in the next row.
            delays = feeder.take(time.time_ns() - NS)
            all_rows += delays
            found.rows.append(_row(time.monotonic() - begin, delays, graph, killer, wanted))
            tell(found.rows[-1])
    found.kills = killer.kills
    return _judged(found, all_rows, wanted, feeder.started_ns)


def _row(at_s: float, delays: list[tuple[int, float]], graph: Graph, killer: Killer, wanted: Soak) -> Row:
    found = np.array([delay for _, delay in delays if np.isfinite(delay)] or [np.nan])
    p50, p99 = np.percentile(found, (50, 99))
    processes = {name: taken for name, process in graph.processes.items() if (taken := usage(process.pid))}
    missed = sum(not delay <= 1e3 * wanted.late_s for _, delay in delays)
    kills = sum(killer.kills.values())
    return Row(round(at_s, 1), len(delays), missed, round(float(p50), 2), round(float(p99), 2), processes, kills)


def _judged(found: Verdict, rows: list[tuple[int, float]], wanted: Soak, started_ns: int) -> Verdict:
    """Hold the rows after the warm-up to the bars. With kills the graph must recover."""
    warm_s = min(60.0 * wanted.warm_minutes, 15.0 * wanted.minutes)
    later = [row for row in found.rows if row.at_s >= warm_s]
    kept = [(stamp, delay) for stamp, delay in rows if stamp >= started_ns + warm_s * NS]
    quarters = np.array_split(np.array([delay for _, delay in kept]), 4)
    p99 = [float(np.percentile(part, 99)) if len(part) else float("nan") for part in quarters]
    found.p99_first_ms, found.p99_last_ms = round(p99[0], 2), round(p99[-1], 2)
    found.cycles, found.missed = len(kept), sum(not delay <= 1e3 * wanted.late_s for _, delay in kept)
    found.recovery_s = _outages(kept, wanted)
    if wanted.kill_every_s:
        found.passed = {"recovers": bool(kept) and all(delay <= 1e3 * wanted.late_s for _, delay in kept[-10:])}
        return found
    if later:
        names = set(later[0].processes) & set(later[-1].processes)
        found.growth = {n: later[-1].processes[n].rss_mb / later[0].processes[n].rss_mb - 1.0 for n in sorted(names)}
        grown = [
            n for n in names if later[-1].processes[n].descriptors > later[0].processes[n].descriptors
            or later[-1].processes[n].threads > later[0].processes[n].threads
        ]  # fmt: skip
        found.passed["descriptors and threads"] = not grown
    found.passed |= {
        "memory": bool(found.growth) and max(found.growth.values()) < wanted.rss_growth_max,
        "latency drift": p99[-1] < p99[0] * (1.0 + wanted.p99_drift_max),
        "misses": bool(kept) and found.missed < wanted.misses_max * found.cycles,
    }
    return found


def _outages(rows: list[tuple[int, float]], wanted: Soak) -> list[float]:
    """Lengths of the stretches without a trajectory in time, s."""
    found, since = [], 0
    for stamp, delay in rows:
        late = not delay <= 1e3 * wanted.late_s
        if late and not since:
            since = stamp
        elif not late and since:
            found.append(round((stamp - since) / NS, 2))
            since = 0
    return found
