"""What one call of `pipeline.plan` costs, over the number of agents and of candidates.

Cycles along the embedded drive, with so many agents on the lanes around the ego, in pairs: the second has the first
one's plan as its previous plan. CPU time of the whole call; every scene is new, so that nothing is remembered.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from behaviors_ros.datatypes import AgentClass, EgoState, Grid, LaneKind, LaneMap, Plan, Scene, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.generation.interface import Refiner
from behaviors_ros.generation.screened import Screened, screened
from behaviors_ros.generation.situation import situation_of
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.maps.route import route_frame
from behaviors_ros.pipeline import Configuration, Cycle, Stages, build, run
from behaviors_ros.simulation.scenario import DEMO, Scenario, load_scenario

PLACES_M = (40.0, 120.0, 215.0, 290.0, 372.0, 450.0, 545.0, 640.0)
SIZES_M = {AgentClass.CAR: (4.5, 1.8), AgentClass.BICYCLE: (1.8, 0.6), AgentClass.PEDESTRIAN: (0.6, 0.6)}


@dataclass(frozen=True)
class PlanCost:
    """CPU time of one call, ms. candidates: the least number that a call had, screened ones included; scored: of these,
    those that went through every gate and scorer; parts: medians of the stages, ms.
    """

    agents: int
    candidates: int
    scored: int
    p50_ms: float
    p99_ms: float
    predict_ms: float
    generate_ms: float
    score_ms: float
    cycles: int


def finer(candidates: int) -> dict[str, Any]:
    """Configuration that screens about so many candidates besides the ordinary ones; the best few are scored."""
    if candidates <= 0:
        return {}
    # Each offset and each speed comes in three durations.
    offsets = max(round((candidates / 9.0) ** 0.5), 1)
    speeds = max(math.ceil(candidates / 9.0 / offsets), 2)
    return {"generators": [*Configuration().generators, "screened"], "screened": {"offsets": offsets, "speeds": speeds}}


def denser(factor: int) -> dict[str, Any]:
    """Configuration with `factor` times as many target speeds and offsets in the lattice, all of them scored."""
    if factor <= 1:
        return {}
    speeds = tuple(round(float(v), 4) for v in np.linspace(0.1, 1.0, 5 * factor))
    offsets = tuple(round(float(d), 3) for d in np.linspace(-1.2, 1.2, 2 + 2 * factor))
    return {"lattice": {"longitudinal": {"speed_fractions": speeds}, "lateral": {"offsets_m": offsets}}}


def measure(agents: int, least: int, repeats: int, score_all: bool = False, seed: int = 1) -> PlanCost:
    """One row: the lattice is made finer until every call has `least` candidates; least 0: the default configuration.

    score_all: all of them go through every gate and scorer; otherwise thousands are screened and the best are scored.
    """
    scenario = load_scenario(DEMO)
    ordinary = 0
    for factor in range(1, 40):
        config = denser(factor) if score_all else finer((least - ordinary) * factor // 2 if factor > 1 else 0)
        stages = build(config)
        rows = list(_cycles(scenario, stages, agents, seed))
        ordinary = ordinary or min(row[0] for row in rows)
        if min(row[0] for row in rows) >= least:
            break
    else:
        raise InputError("bench plan", "--candidates", f"{least} are never reached", "ask for fewer")
    gc.collect()
    gc.freeze()  # as a node does once it is active
    rows = [row for _ in range(repeats) for row in _cycles(scenario, stages, agents, seed)]
    gc.unfreeze()
    counts, scored, whole, *parts = (np.array(column) for column in zip(*rows, strict=True))
    p50, p99 = (round(float(percentile), 3) for percentile in np.percentile(whole, (50, 99)))
    predict, generate, score = (round(float(np.median(part)), 3) for part in parts)
    return PlanCost(agents, int(counts.min()), int(scored.min()), p50, p99, predict, generate, score, len(rows))


Row = tuple[int, int, float, float, float, float]


def _cycles(scenario: Scenario, stages: Stages, agents: int, seed: int) -> Iterator[Row]:
    """Every cycle as `timed` gives it."""
    for place, at in enumerate(PLACES_M):
        previous: Plan | None = None
        for step in range(2):
            scene = replace(_scene(scenario, at + 0.8 * step, agents, seed + place, step), previous=previous)
            row, previous = timed(scene, stages)
            yield row


def timed(scene: Scene, stages: Stages) -> tuple[Row, Plan]:
    """One cycle: numbers of candidates and of scored ones, CPU time of the whole call and of prediction, generation and
    scoring, ms; and the plan.
    """
    spent = {"predict": 0.0, "generate": 0.0, "score": 0.0}
    watched = replace(
        stages,
        predictor=_Watched(stages.predictor, "predict", spent),
        generators=tuple(_watched_generator(each, spent) for each in stages.generators),
        gates=tuple(_Watched(each, "check", spent, "score") for each in stages.gates),
        scorers=tuple(_Watched(each, "score", spent) for each in stages.scorers),
    )
    begin = time.process_time()
    cycle = run(scene, watched, 1)
    whole = time.process_time() - begin
    scored = len(cycle.candidates)
    screened = sum(_screened(each, cycle, stages.grid) for each in stages.generators)
    ms = [1e3 * seconds for seconds in (whole, *spent.values())]
    return (scored + screened, scored, ms[0], ms[1], ms[2], ms[3]), cycle.plan


def _screened(generator: Any, cycle: Cycle, grid: Grid) -> int:
    """Candidates that a generator has screened and not handed on."""
    if not isinstance(generator, Screened):
        return 0
    values, vehicle = generator.values, generator.vehicle
    situation = situation_of(cycle.scene, cycle.predictions, grid, vehicle, values.driving, values.stitching)
    found = screened(situation, cycle.predictions, values)
    return found.cost.size - cycle.candidates.generator.count(generator.name) if found is not None else 0


def _watched_generator(generator: Any, spent: dict[str, float]) -> Any:
    method = "refine" if isinstance(generator, Refiner) else "generate"
    return _Watched(generator, method, spent, "generate")


class _Watched:
    """A plugin whose time is added up."""

    def __init__(self, plugin: Any, method: str, spent: dict[str, float], name: str = "") -> None:
        """Stand in for `plugin`."""
        self._plugin, self._spent, self._name = plugin, spent, name or method
        setattr(self, method, self._timed(getattr(plugin, method)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plugin, name)

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed_call(*arguments: Any, **named: Any) -> Any:
            begin = time.process_time()
            result = call(*arguments, **named)
            self._spent[self._name] += time.process_time() - begin
            return result

        return timed_call


def _scene(scenario: Scenario, at: float, agents: int, seed: int, step: int) -> Scene:
    """The ego on its route at `at` m with 8 m/s; the agents are those of `seed`, `step` tenths of a second on."""
    assert scenario.map is not None
    frame, stamp_ns = route_frame(scenario.route), 1_000_000_000 + step * 100_000_000
    ego = EgoState(stamp_ns, np.asarray(frame.cartesian(at, 0.0)), float(frame.heading(at)), 8.0)
    tracks = traffic(scenario.map, ego, agents, seed, 0.1 * step)
    return Scene(stamp_ns, ego, tracks, scenario.route, scenario.map)


def traffic(lane_map: LaneMap, ego: EgoState, agents: int, seed: int, time_s: float) -> Tracks:
    """Agents drawn along the lanes within 80 m of the ego, none within 8 m: cars mostly, some cyclists and walkers."""
    if agents == 0:
        return Tracks.empty(ego.stamp_ns)
    random = np.random.default_rng(seed)
    lanes = [lane for lane in lane_map.lanes.values() if lane.kind in (LaneKind.ROAD, LaneKind.BUS)]
    frames = [(lane, FrenetFrame(lane.centre)) for lane in lanes]
    kinds = random.choice(list(SIZES_M), size=agents, p=(0.7, 0.15, 0.15))
    position, yaw, speed = np.empty((agents, 2)), np.empty(agents), np.empty(agents)
    for i in range(agents):
        for _ in range(1000):
            lane, frame = frames[random.integers(len(frames))]
            s, offset = random.uniform(0.0, frame.length), random.uniform(-0.4, 0.4)
            position[i], yaw[i] = frame.cartesian(s, offset), frame.heading(s)
            away = np.hypot(*(position[i] - ego.position))
            if 8.0 < away < 80.0:
                break
        speed[i] = random.uniform(0.0, 1.0) * (lane.speed_limit if kinds[i] != AgentClass.PEDESTRIAN else 1.5)
    velocity = speed[:, None] * np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
    sizes = np.array([SIZES_M[AgentClass(kind)] for kind in kinds])
    return Tracks(
        ego.stamp_ns, tuple(f"{i:032x}" for i in range(agents)), kinds.astype(np.int64), position + time_s * velocity,
        yaw, velocity, np.zeros((agents, 2)), np.zeros(agents), sizes[:, 0], sizes[:, 1],
        np.tile(0.02 * np.eye(2), (agents, 1, 1)), np.ones(agents),
    )  # fmt: skip
