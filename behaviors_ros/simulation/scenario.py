"""Scenarios: what a drive needs, from our YAML form or a CommonRoad file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import Array, EgoState, Goal, LaneMap, Route
from behaviors_ros.errors import InputError
from behaviors_ros.maps.commonroad import read_document
from behaviors_ros.maps.commonroad_lanes import SignalCycle
from behaviors_ros.maps.load import load_map
from behaviors_ros.maps.route import build_route, mapless_route, search
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.casting import agent_of
from behaviors_ros.simulation.commonroad import START_NS, Traffic, agents_of, goal_of, problem_of, signals_of, start_of
from behaviors_ros.simulation.forms import GoalForm, ScenarioForm, read_form
from behaviors_ros.simulation.signals import fixed_time
from behaviors_ros.simulation.traffic import Agent, Perception

DEMO = Path(__file__).parent / "worlds" / "urban.yaml"
SHORTEST_S = 10.0  # a goal without a latest time is driven for while traffic is recorded, but at least this long


@dataclass(frozen=True, eq=False)
class Scenario:
    """A drive to do. start: the ego at time 0; agents as they are then; duration_s: longest time to the goal.

    map None: mapless. signals empty: there are no signals. provenance: where it is from, in words. dt_s: time between
    two recorded states, which is the time between two plans.
    """

    name: str
    provenance: str
    map: LaneMap | None
    route: Route
    start: EgoState
    goal: Goal
    agents: tuple[Agent, ...]
    signals: tuple[SignalCycle, ...]
    duration_s: float
    vehicle: Vehicle
    perception: Perception
    dt_s: float = 0.1
    occluders: tuple[Array, ...] = ()
    difficulty: float | None = None


def load_scenario(path: str | Path, traffic: Traffic = "recorded", vehicle: Vehicle | None = None) -> Scenario:
    """Read a scenario: our form (.yaml, .yml) or CommonRoad (.xml, .xml.gz).

    traffic: "recorded" or "reactive", for CommonRoad's dynamic obstacles. vehicle: instead of the file's.
    A file that cannot be used raises `InputError`.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "file", "does not exist", "give a scenario in YAML or CommonRoad form")
    try:
        return _loaded(path, traffic, vehicle)
    except InputError as error:
        if path.name in error.source:
            raise
        # What the map or the route says names the map by its own name.
        raise InputError(path, f"{error.source}: {error.field}", error.problem, error.remedy) from None


def _loaded(path: Path, traffic: Traffic, vehicle: Vehicle | None) -> Scenario:
    if path.suffix in (".yaml", ".yml"):
        return _from_form(path, vehicle)
    if path.name.endswith((".xml", ".xml.gz")):
        return _from_commonroad(path, traffic, vehicle or Vehicle())
    raise InputError(path, "file", "is of no known kind", "known: .yaml, .yml, .xml, .xml.gz")


def _from_form(path: Path, vehicle: Vehicle | None) -> Scenario:
    form = read_form(path)
    lane_map = load_map(path.parent / form.map) if form.map else None
    return scenario_of(form, lane_map, form.provenance or str(path.name), vehicle)


def scenario_of(
    form: ScenarioForm, lane_map: LaneMap | None, provenance: str, vehicle: Vehicle | None = None
) -> Scenario:
    """The scenario that a form describes on a map. vehicle: instead of the form's."""
    first = form.start
    start = EgoState(START_NS, np.array(first.position), first.yaw_rad, first.speed_mps)
    goal = _goal(form.goal)
    return Scenario(
        name=form.name,
        provenance=provenance,
        map=lane_map,
        route=route_to(lane_map, start, goal),
        start=start,
        goal=goal,
        agents=tuple(agent_of(agent, lane_map) for agent in form.agents),
        signals=tuple(fixed_time(s.id, s.offset_s, s.green_s, s.amber_s, s.red_s) for s in form.signals),
        duration_s=form.duration_s,
        vehicle=vehicle or form.vehicle,
        perception=form.perception,
        occluders=tuple(np.array(ring) for ring in form.occluders),
        difficulty=form.difficulty,
    )


def _goal(form: GoalForm) -> Goal:
    polygon = np.array(form.polygon) if form.polygon is not None else None
    return Goal(np.array(form.position), polygon, form.yaw_rad, form.speed_mps, form.time_s)


def _from_commonroad(path: Path, traffic: Traffic, vehicle: Vehicle) -> Scenario:
    document = read_document(path)
    problem = problem_of(document, path)
    start, goal = start_of(problem, vehicle, document.lane_map), goal_of(problem)
    route = route_to(document.lane_map, start, goal)
    last_s = max((float((o.time[-1] - problem.time) * document.dt_s) for o in document.obstacles), default=0.0)
    return Scenario(
        name=document.benchmark_id or path.name.split(".")[0],
        provenance=f"CommonRoad scenario {document.benchmark_id}, {traffic} traffic",
        map=document.lane_map,
        route=route,
        start=start,
        goal=goal,
        agents=agents_of(document, problem, traffic),
        signals=signals_of(document, problem, route),
        duration_s=goal.time[1] if goal.time else max(last_s, SHORTEST_S),
        vehicle=vehicle,
        perception=Perception(),
        dt_s=document.dt_s,
    )


def route_to(lane_map: LaneMap | None, start: EgoState, goal: Goal) -> Route:
    """The route from the start to the goal, mapless where there is no map."""
    if lane_map is None:
        return mapless_route(None, start, goal, 13.89, 3.5, stamp_ns=start.stamp_ns)
    lanes = search(lane_map, start.position, start.yaw, goal)
    return build_route(lane_map, lanes, goal, start.position, stamp_ns=start.stamp_ns)
