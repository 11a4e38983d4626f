"""The world: state in, state out. Same scenario and same commands give the same world, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from behaviors_ros.datatypes import ControlCommand, EgoState, Signals, Tracks
from behaviors_ros.simulation.scenario import Scenario
from behaviors_ros.simulation.signals import signals_at
from behaviors_ros.simulation.traffic import Agent, Surroundings, perceive, surroundings_of
from behaviors_ros.simulation.vehicle import VehicleState, advance


@dataclass(frozen=True, eq=False)
class World:
    """Everything that moves, at one instant."""

    scenario: Scenario
    vehicle: VehicleState
    agents: tuple[Agent, ...]

    @property
    def ego(self) -> EgoState:
        """The ego's true state."""
        return self.vehicle.ego

    @property
    def stamp_ns(self) -> int:
        """Now, absolute."""
        return self.vehicle.ego.stamp_ns

    @property
    def time_s(self) -> float:
        """Now, since the start of the scenario."""
        return (self.stamp_ns - self.scenario.start.stamp_ns) * 1e-9


def start(scenario: Scenario) -> World:
    """The world at the start of a scenario."""
    return World(scenario, VehicleState(scenario.start), scenario.agents)


def step(world: World, command: ControlCommand | None, dt_s: float) -> World:
    """The world `dt_s` later: everyone reacts to the world as it is now; None keeps the last command acting."""
    dt_ns = round(dt_s * 1e9)
    vehicle = advance(world.vehicle, command, world.scenario.vehicle, dt_ns)
    return replace(world, vehicle=vehicle, agents=_moved(world, dt_ns))


def placed(world: World, ego: EgoState) -> World:
    """The world at the ego's stamp with the ego put there: perfect tracking instead of the vehicle model."""
    return replace(world, vehicle=VehicleState(ego), agents=_moved(world, ego.stamp_ns - world.stamp_ns))


def signals(world: World) -> Signals | None:
    """True state of the signals, None where the scenario has none."""
    cycles = world.scenario.signals
    return signals_at(cycles, world.stamp_ns, world.time_s) if cycles else None


def observe(world: World) -> tuple[EgoState, Tracks, Signals | None]:
    """What localisation and perception report now."""
    scenario, ego = world.scenario, world.ego
    along = np.array((np.cos(ego.yaw), np.sin(ego.yaw)))
    eye = ego.position + scenario.vehicle.centre_offset_m * along
    tracks = perceive(
        world.stamp_ns, ego, world.agents, scenario.perception, occluders=scenario.occluders, eye=eye
    )  # fmt: skip
    return ego, tracks, signals(world)


def truth(world: World) -> Tracks:
    """All agents as they are, hidden ones too, without noise, in perception range."""
    return perceive(world.stamp_ns, world.ego, world.agents, world.scenario.perception, noise=False)


def sees_truth(world: World) -> bool:
    """Whether what is observed is the truth: perception adds no noise and hides nothing."""
    perception = world.scenario.perception
    return not (perception.noisy or perception.occlusion)


def _moved(world: World, dt_ns: int) -> tuple[Agent, ...]:
    seen: Surroundings = surroundings_of(world.time_s, world.ego, world.scenario.vehicle, world.agents, signals(world))
    return tuple(agent.step(seen, dt_ns * 1e-9) for agent in world.agents)
