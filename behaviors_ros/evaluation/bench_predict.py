"""What one call of a predictor costs, over the number of agents: features, model and what is made of its answer.

Scenes along the embedded drive, as in `bench_plan`, each with the track history of the last seconds; every scene is
new, so that nothing is remembered. CPU time of the calling process, all its threads.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from behaviors_ros import registry
from behaviors_ros.datatypes import EgoState, Grid, Scene, TrackHistory
from behaviors_ros.evaluation.bench_plan import PLACES_M, traffic
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.history import updated
from behaviors_ros.prediction.interface import Predictor
from behaviors_ros.simulation.scenario import DEMO, Scenario, load_scenario


@dataclass(frozen=True)
class PredictCost:
    """CPU time of one call, ms; by_model: the least number of agents that a learned model answered for."""

    predictor: str
    agents: int
    p50_ms: float
    p99_ms: float
    by_model: int
    calls: int


def predictor_of(name: str, values: Mapping[str, Any]) -> Predictor:
    """A predictor by name with some of its parameters."""
    made: Predictor = registry.create("predictor", name, values, Vehicle())
    return made


def measure(predictor: Predictor, agents: int, repeats: int, seed: int = 1, mapless: bool = False) -> PredictCost:
    """One row: `repeats` rounds over all places, after one round that compiles and fills caches, physics' too."""
    scenario, grid = load_scenario(DEMO), Grid()
    physics = predictor_of("class_aware", {})
    spent, by_model = [], agents
    for turn in range(-1, repeats):
        for scene in scenes(scenario, agents, seed + 100 * (turn + 1), mapless):
            begin = time.process_time()
            found = predictor.predict(scene, grid)
            if turn < 0:
                physics.predict(scene, grid)
            else:
                spent.append(1e3 * (time.process_time() - begin))
                by_model = min(by_model, agents - sum(found.notes.values()) if found.model_hash else 0)
    p50, p99 = (round(float(percentile), 3) for percentile in np.percentile(spent, (50, 99)))
    return PredictCost(predictor.name, agents, p50, p99, by_model, len(spent))


def scenes(scenario: Scenario, agents: int, seed: int, mapless: bool = False) -> Iterator[Scene]:
    """One scene at every place: the agents of `seed` after three seconds of straight motion."""
    assert scenario.map is not None
    frame = route_frame(scenario.route)
    for place, at in enumerate(PLACES_M):
        ego = EgoState(3_000_000_000, np.asarray(frame.cartesian(at, 0.0)), float(frame.heading(at)), 8.0)
        history: TrackHistory | None = None
        now = traffic(scenario.map, ego, agents, seed + place, 0.0)
        for step in range(31):
            past = replace(now, stamp_ns=step * 100_000_000, position=now.position - (3.0 - 0.1 * step) * now.velocity)
            history = updated(history, past, 31)
        yield Scene(ego.stamp_ns, ego, now, scenario.route, None if mapless else scenario.map, history=history)
