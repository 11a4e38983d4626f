"""Closed loop of `pipeline.plan` without ROS: plan every 0.1 s, track in between, faster than real time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from behaviors_ros.control.interface import Controller
from behaviors_ros.datatypes import (
    Candidates,
    Degraded,
    EgoState,
    LaneMap,
    Plan,
    Predictions,
    Scene,
    Signals,
    TrackHistory,
    Tracks,
    Trajectory,
)
from behaviors_ros.geometry.angles import unwrapped
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.pipeline import Cycle as Planned
from behaviors_ros.pipeline import Stages, run
from behaviors_ros.prediction.history import updated
from behaviors_ros.simulation.arrival import Arrival, arrived
from behaviors_ros.simulation.scenario import Scenario
from behaviors_ros.simulation.world import World, observe, placed, sees_truth, signals, start, step, truth


class RolloutParameters(Parameters):
    """How the loop is closed."""

    cycle_s: float = value(0.1, "time between two plans", low=0.02, high=1.0)
    control_s: float = value(0.02, "time between two control commands", low=0.005, high=0.1)
    history_steps: int = value(31, "length of the track history, 0.1 s a step", low=1, high=200)
    perfect_tracking: bool = value(False, "put the ego on its trajectory instead of simulating controller and vehicle")
    arrival: Arrival = Arrival()


Planner = Callable[[Scene, Stages, int], Planned]


@dataclass(frozen=True, eq=False)
class Cycle:
    """One planning cycle: what was seen, what every stage made of it, and the truth it was seen from."""

    scene: Scene
    predictions: Predictions
    candidates: Candidates
    plan: Plan
    ego: EgoState
    tracks: Tracks
    signals: Signals | None


@dataclass(frozen=True, eq=False)
class Log:
    """A whole drive: true states at each cycle (the last one after the last plan), plans, and cycles where kept."""

    scenario: Scenario
    ego: tuple[EgoState, ...]
    tracks: tuple[Tracks, ...]
    signals: tuple[Signals | None, ...]
    plans: tuple[Plan, ...]
    cycles: tuple[Cycle, ...]
    arrived: bool

    @property
    def duration_s(self) -> float:
        """Driven time, s."""
        return (self.ego[-1].stamp_ns - self.ego[0].stamp_ns) * 1e-9


def rollout(
    scenario: Scenario,
    stages: Stages,
    controller: Controller,
    parameters: RolloutParameters | None = None,
    keep_cycles: bool = False,
    progress: Callable[[World, Plan], None] | None = None,
    planner: Planner = run,
) -> Log:
    """Drive a scenario until the goal is reached or its time is up.

    keep_cycles: keep what every stage made (about 1 MB a cycle). progress: called after every plan. planner: what makes
    a cycle of a scene; one that is timed or watched may be given.
    """
    parameters = parameters or RolloutParameters()
    truths, plans, cycles = [], [], []
    world = start(scenario)
    for world, cycle in drive(scenario, stages, controller, parameters, planner):
        truths.append((cycle.ego, cycle.tracks, cycle.signals))
        plans.append(cycle.plan)
        cycles += [cycle] if keep_cycles else []
        if progress is not None:
            progress(world, cycle.plan)
    truths.append((world.ego, truth(world), signals(world)))
    ego, tracks, lights = zip(*truths, strict=True)
    done = _arrived(world, parameters)
    return Log(scenario, ego, tracks, lights, tuple(plans), tuple(cycles), done)


def drive(
    scenario: Scenario,
    stages: Stages,
    controller: Controller,
    parameters: RolloutParameters,
    planner: Planner = run,
) -> Iterator[tuple[World, Cycle]]:
    """Each planning cycle and the world after it was driven, until arrival or the scenario's time is up."""
    world, memory = start(scenario), None
    previous: Plan | None = None
    history: TrackHistory | None = None
    for plan_id in range(1, int(np.ceil(scenario.duration_s / parameters.cycle_s)) + 1):
        ego, tracks, lights = observe(world)
        history = updated(history, tracks, parameters.history_steps)
        scene = Scene(
            stamp_ns=world.stamp_ns, ego=ego, tracks=tracks, route=scenario.route, map=scenario.map, signals=lights,
            history=history, previous=previous, degraded=_degraded(scenario.map, lights),
        )  # fmt: skip
        real = tracks if sees_truth(world) else truth(world)
        made = planner(scene, stages, plan_id)
        cycle = Cycle(made.scene, made.predictions, made.candidates, made.plan, ego, real, signals(world))
        world, memory = _driven(world, cycle.plan.trajectory, controller, memory, parameters)
        previous = cycle.plan
        yield world, cycle
        if _arrived(world, parameters):
            return


def _arrived(world: World, parameters: RolloutParameters) -> bool:
    scenario = world.scenario
    return arrived(scenario.goal, world.ego, world.time_s, scenario.vehicle, parameters.arrival)


def _degraded(lane_map: LaneMap | None, lights: Signals | None) -> Degraded:
    if lane_map is None:
        return Degraded.NO_MAP | Degraded.NO_ROUTE
    signalised = any(lane.signals for lane in lane_map.lanes.values())
    return Degraded.NO_SIGNALS if signalised and lights is None else Degraded.NONE


def _driven(
    world: World, trajectory: Trajectory, controller: Controller, memory: Any, parameters: RolloutParameters
) -> tuple[World, Any]:
    """The world one cycle later."""
    if parameters.perfect_tracking:
        end_ns = world.stamp_ns + round(parameters.cycle_s * 1e9)
        return placed(world, state_at(trajectory, end_ns, world.scenario.vehicle)), memory
    for _ in range(round(parameters.cycle_s / parameters.control_s)):
        command, memory = controller.control(trajectory, world.ego, memory)
        world = step(world, command, parameters.control_s)
    return world, memory


def state_at(trajectory: Trajectory, stamp_ns: int, vehicle: Vehicle) -> EgoState:
    """The ego on a trajectory at a stamp, linear between its points."""
    t = (stamp_ns - trajectory.stamp_ns) * 1e-9

    def at(values: Any) -> float:
        return float(np.interp(t, trajectory.time_s, values))

    position = np.array((at(trajectory.position[:, 0]), at(trajectory.position[:, 1])))
    yaw, speed, curvature = at(unwrapped(trajectory.yaw)), at(trajectory.speed), at(trajectory.curvature)
    steering = float(np.arctan(vehicle.wheel_base_m * curvature))
    return EgoState(stamp_ns, position, yaw, speed, at(trajectory.acceleration), steering, speed * curvature)
