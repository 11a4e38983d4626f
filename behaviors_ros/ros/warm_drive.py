"""Cycles of the embedded drive, run when a node is configured: what they need is then compiled and loaded.

They stand where the drive meets each kind of road user, signal and rule, so that every kernel is asked for. Stages hand
on messages here as they do in the graph, for a kernel is compiled anew for another layout of an array.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from behaviors_ros.datatypes import AgentClass, EgoState, Plan, Scene
from behaviors_ros.generation.generate import generate
from behaviors_ros.geometry.polygons import outside
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Vehicle
from behaviors_ros.pipeline import Stages
from behaviors_ros.prediction.predict import predict
from behaviors_ros.ros import conversion_plan
from behaviors_ros.ros.conversion_stages import (
    Cycle,
    Inputs,
    candidates,
    candidates_message,
    origin_of,
    predictions,
    predictions_message,
)
from behaviors_ros.scoring.decision import decide
from behaviors_ros.scoring.score import score
from behaviors_ros.scoring.select import select
from behaviors_ros.simulation.scenario import DEMO, Scenario, load_scenario
from behaviors_ros.simulation.world import observe, placed, start

# Arc length m, speed m/s, distance m and angle rad beside the route: with cyclist and bus, before the red signal,
# behind the parked van (moving and standing), at the crosswalk, giving way, with the dog, at the goal, far off and
# across.
PLACES = (
    (60.0, 8.0, 0.0, 0.0), (215.0, 6.0, 0.0, 0.0), (235.0, 0.0, 0.0, 0.0), (290.0, 8.0, 0.0, 0.0),
    (322.0, 0.0, 0.0, 0.0), (372.0, 7.0, 0.0, 0.0), (445.0, 7.0, 0.3, 0.0), (467.0, 0.0, 0.0, 0.0),
    (545.0, 8.0, 0.0, 0.0), (670.0, 4.0, 0.0, 0.0), (120.0, 5.0, 3.0, 0.6),
)  # fmt: skip


def warm_up(stages: Stages, predict_only: bool = False) -> None:
    """Run the stages on every place, twice; the second time with the first plan as the previous one."""
    for scenes in _scenes(stages.vehicle):
        for agents in (0, 1, len(scenes[0].tracks)):
            previous: Plan | None = None
            for scene in scenes:
                nearest = scene.tracks.take(np.arange(min(agents, len(scene.tracks))))
                previous = _cycle(replace(scene, tracks=nearest, previous=previous), stages, predict_only)
    _cycle(_past_parked(load_scenario(DEMO, vehicle=stages.vehicle)), stages, predict_only)
    outside(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.zeros((1, 2)))  # for goals that are polygons


def _cycle(scene: Scene, stages: Stages, predict_only: bool) -> Plan | None:
    """One cycle through messages, and its plan."""
    of, origin = Cycle(1, Inputs(scene.tracks.stamp_ns, scene.stamp_ns)), origin_of(scene.ego)
    predicted = predict(scene, stages.grid, stages.predictor, stages.near, stages.vehicle)
    if predict_only:
        return None
    predicted = predictions(predictions_message(predicted, of, stages.predictor.name, origin))
    offered = generate(scene, predicted, stages.grid, stages.generators)
    offered = candidates(candidates_message(offered, of, origin))
    decisions = decide(scene, predicted, offered, stages.vehicle, stages.selection.meaning)
    scores = score(scene, predicted, offered, stages.gates, stages.scorers)
    plan = select(scene, offered, scores, decisions, stages.selection, stages.vehicle, 1)
    return conversion_plan.plan(conversion_plan.plan_message(plan, of, stages.vehicle))


def _past_parked(scenario: Scenario) -> Scene:
    """Two parked agents reach into the lane."""
    place = PLACES[0]
    scene, frame = _scenes_at(scenario, *place)[-1], route_frame(scenario.route)
    s = place[0] + np.array([15.0, 28.0])
    position, still = np.asarray(frame.cartesian(s, np.array([-1.9, -1.9]))), np.zeros((2, 2))
    parked = replace(
        scene.tracks.take(np.arange(2)), position=position, velocity=still, acceleration=still,
        yaw=np.asarray(frame.heading(s)), kind=np.full(2, int(AgentClass.CAR)), yaw_rate=still[0],
        length=np.full(2, 4.5), width=np.full(2, 1.8),
    )  # fmt: skip
    return replace(scene, tracks=parked)


def _scenes(vehicle: Vehicle) -> Iterator[list[Scene]]:
    """Two scenes 0.1 s apart at every place."""
    scenario = load_scenario(DEMO, vehicle=vehicle)
    for place in PLACES:
        yield _scenes_at(scenario, *place)


def _scenes_at(scenario: Scenario, s: float, speed: float, aside: float, across: float) -> list[Scene]:
    frame, world = route_frame(scenario.route), start(scenario)
    scenes = []
    for step in range(1, 32):
        at = s + 0.1 * speed * (step - 30)
        stamp_ns = scenario.start.stamp_ns + step * 100_000_000
        position = np.asarray(frame.cartesian(at, aside))
        world = placed(world, EgoState(stamp_ns, position, float(frame.heading(at)) + across, speed))
        if step >= 30:
            ego, tracks, signals = observe(world)
            scenes.append(Scene(ego.stamp_ns, ego, tracks, scenario.route, scenario.map, signals))
    return scenes
