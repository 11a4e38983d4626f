"""The data path as one function: Scene -> Plan. Planning nodes run a line of it each, simulation and evaluation all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from behaviors_ros import registry
from behaviors_ros.datatypes import Candidates, Grid, Plan, Predictions, Scene
from behaviors_ros.errors import InputError
from behaviors_ros.generation.generate import generate
from behaviors_ros.generation.interface import Generator
from behaviors_ros.parameters import Parameters, Vehicle, validated, value, yaml_tree
from behaviors_ros.prediction.interface import Predictor
from behaviors_ros.prediction.predict import NearAgents, predict
from behaviors_ros.scoring.anytime import score_in_time
from behaviors_ros.scoring.decision import decide
from behaviors_ros.scoring.interface import Gate, Scorer
from behaviors_ros.scoring.select import Selection, select

GATES = (
    "collision", "collision_chance", "kinematic", "drivable_area", "direction", "signals", "crosswalk", "yield", "goal",
    "imposed_braking", "escape", "oncoming",
)  # fmt: skip
SCORERS = (
    "progress", "time_to_collision", "safe_distance", "speed_limit", "collision_risk", "clearance", "comfort",
    "lane_keeping", "direction_compliance", "consistency", "occlusion", "lateral_safety", "felt_clearance",
    "smooth_stop", "hesitation", "courtesy", "arrival", "rear_safety",
)  # fmt: skip


@dataclass(frozen=True)
class Stages:
    """The plugins and parameters of the data path."""

    grid: Grid
    vehicle: Vehicle
    predictor: Predictor
    generators: tuple[Generator, ...]
    gates: tuple[Gate, ...]
    scorers: tuple[Scorer, ...]
    selection: Selection
    near: NearAgents = NearAgents()


class GridParameters(Parameters):
    """The one time grid of predictions and candidates."""

    dt_s: float = value(0.1, "time between two steps", low=0.02, high=1.0)
    steps: int = value(61, "number of steps, the first one now", low=11, high=200)


class Configuration(Parameters):
    """The configuration, besides the parameters of each plugin under the plugin's name."""

    vehicle: Vehicle = Vehicle()
    grid: GridParameters = GridParameters()
    plugin_modules: tuple[str, ...] = value((), "further modules to import, for plugins of other packages")
    predictor: str = value("class_aware", "plugin that predicts")
    generators: tuple[str, ...] = value(
        (
            "idm_proposals", "lattice", "giving_way", "merging", "creep", "pull_over", "timed_arrival",
            "minimal_risk_stop", "previous",
        ),
        "plugins whose candidates are put together",
    )  # fmt: skip
    gates: tuple[str, ...] = value(GATES, "plugins that forbid")
    scorers: tuple[str, ...] = value(SCORERS, "plugins that weigh")
    selection: Selection = Selection()
    near: NearAgents = NearAgents()


def build(config: Mapping[str, Any]) -> Stages:
    """The stages of a configuration; what it leaves out takes its default, so `build({})` works.

    Raises InputError for an unknown key or a value out of range, BehaviorsError for an unknown plugin.
    """
    own = {key: config[key] for key in config if key in Configuration.model_fields}
    chosen = validated(Configuration, own, "configuration")
    registry.load_modules(chosen.plugin_modules)
    known = {name for kind in registry.KINDS for name in registry.names(kind)} | set(own)
    for key in config:
        if key not in known:
            remedy = f"known: {', '.join([*Configuration.model_fields, *sorted(known - set(own))])}"
            raise InputError("configuration", key, "neither a field nor a plugin's name", remedy)

    def create(kind: str, names: tuple[str, ...]) -> tuple[Any, ...]:
        return tuple(registry.create(kind, name, config.get(name) or {}, chosen.vehicle) for name in names)

    return Stages(
        grid=Grid(chosen.grid.dt_s, chosen.grid.steps),
        vehicle=chosen.vehicle,
        predictor=create("predictor", (chosen.predictor,))[0],
        generators=create("generator", chosen.generators),
        gates=create("gate", chosen.gates),
        scorers=create("scorer", chosen.scorers),
        selection=chosen.selection,
        near=chosen.near,
    )


def defaults() -> dict[str, Any]:
    """The whole configuration tree with its default values: the fields, then every known plugin under its name."""
    kinds = ("predictor", "generator", "gate", "scorer")
    plugins: dict[str, Any] = {name: registry.get(kind, name) for kind in kinds for name in registry.names(kind)}
    return yaml_tree(Configuration()) | {name: yaml_tree(cls.parameters()) for name, cls in plugins.items()}


@dataclass(frozen=True, eq=False)
class Cycle:
    """One planning cycle: what was seen and what every stage made of it."""

    scene: Scene
    predictions: Predictions
    candidates: Candidates
    plan: Plan


def run(
    scene: Scene,
    stages: Stages,
    plan_id: int,
    remaining_s: Callable[[], float] | None = None,
    evaluated: int | None = None,
) -> Cycle:
    """Predict, generate, decide, score, select. Stages hand on values rounded to message precision.

    remaining_s: tells the time left, s; when it is used up, the rest of the candidates is not scored. evaluated: score
    just so many (`Plan.evaluated` of a recorded plan), for a replay.
    """
    # 1. Predict the road users.
    predictions = predict(scene, stages.grid, stages.predictor, stages.near, stages.vehicle)
    scene = replace(scene, degraded=scene.degraded | predictions.degraded)
    # 2. Generate what the ego could do; the candidates come rounded.
    candidates = generate(scene, predictions, stages.grid, stages.generators)
    # 3. Say what every candidate means: who goes first, which lane, what it halts for.
    selection, vehicle = stages.selection, stages.vehicle
    decisions = decide(scene, predictions, candidates, vehicle, selection.meaning)
    # 4. Score every candidate: gates forbid, scorers weigh.
    scores = score_in_time(
        scene, predictions, candidates, decisions, stages.gates, stages.scorers, selection.anytime, remaining_s,
        evaluated,
    )  # fmt: skip
    # 5. Select one, with the safe stop that goes with it.
    decision = select(scene, candidates, scores, decisions, selection, vehicle, plan_id)
    return Cycle(scene, predictions, candidates, decision)


def plan(
    scene: Scene,
    stages: Stages,
    plan_id: int,
    remaining_s: Callable[[], float] | None = None,
    evaluated: int | None = None,
) -> Plan:
    """The decision for a scene; arguments as for `run`."""
    return run(scene, stages, plan_id, remaining_s, evaluated).plan
