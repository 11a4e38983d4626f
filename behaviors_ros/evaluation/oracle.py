"""Ground truth as a predictor: what the other road users really do next. For experiments only, never a plugin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array, EgoState, Grid, Intent, Plan, Predictions, Scene, Tracks
from behaviors_ros.simulation.recorded import Recorded, RecordedStates
from behaviors_ros.simulation.scenario import Scenario
from behaviors_ros.simulation.traffic import Agent, Motion, Stationary, surroundings_of
from behaviors_ros.simulation.world import World, signals, start


class GroundTruth:
    """One mode for each track, from the world as it is.

    Recorded agents: their recording; after its end, when the simulation takes them away, they go on at constant
    velocity. Others (scripted, reactive): rolled out together with the ego going straight on at its speed, and constant
    velocity once they are gone. The world is handed in by `see` before each cycle: the one predictor with a memory.
    """

    name = "ground_truth"

    def __init__(self, scenario: Scenario, step_s: float = 0.2) -> None:
        """`step_s`: time step of the rollout of others, s."""
        self.world, self.step_s = start(scenario), step_s

    def see(self, world: World, _: Plan | None = None) -> None:
        """The world that the next scene is seen from."""
        self.world = world

    def predict(self, scene: Scene, grid: Grid) -> Predictions:
        """The future of every track, in the tracks' order; an agent that the world does not know goes straight on."""
        agents = {agent.body.id: agent for agent in self.world.agents}
        free = [agent for agent in agents.values() if not isinstance(agent, (Recorded, Stationary))]
        futures = self._rolled_out(free, grid.horizon_s)
        rows = []
        for row, name in enumerate(scene.tracks.id):
            states = futures.get(name) or self._known(agents.get(name)) or _track(scene.tracks, row)
            rows.append(_at(states, grid.time_s))
        return _predictions(scene, grid, rows)

    def _known(self, agent: Agent | None) -> RecordedStates | None:
        """The states of an agent that no one influences, time counted from now."""
        if isinstance(agent, Recorded):
            return replace(agent.recording, time_s=agent.recording.time_s - self.world.time_s)
        return _states([(0.0, agent.motion)]) if agent is not None and agent.motion is not None else None

    def _rolled_out(self, agents: Sequence[Agent], horizon_s: float) -> dict[str, RecordedStates]:
        """States every `step_s` of agents that react, as long as they are there."""
        found = {agent.body.id: [(0.0, agent.motion)] for agent in agents}
        world, everyone = self.world, self.world.agents
        for step in range(1, int(np.ceil(horizon_s / self.step_s)) + 1 if agents else 0):
            before_s, after_s = (step - 1) * self.step_s, step * self.step_s
            ego = _straight_on(world.ego, before_s)
            seen = surroundings_of(world.time_s + before_s, ego, world.scenario.vehicle, everyone, signals(world))
            everyone = tuple(agent.step(seen, self.step_s) for agent in everyone)
            for agent in everyone:
                if agent.body.id in found:
                    found[agent.body.id].append((after_s, agent.motion))
        there = {name: [(t, m) for t, m in states if m is not None] for name, states in found.items()}
        return {name: _states(states) for name, states in there.items() if states}


def _straight_on(ego: EgoState, time_s: float) -> EgoState:
    along = np.array((np.cos(ego.yaw), np.sin(ego.yaw)))
    return replace(ego, position=ego.position + ego.speed * time_s * along, acceleration=0.0, yaw_rate=0.0)


def _states(states: Sequence[tuple[float, Motion]]) -> RecordedStates:
    time_s, motions = zip(*states, strict=True)
    columns = (np.array([getattr(motion, name) for motion in motions]) for name in ("position", "yaw", "speed"))
    return RecordedStates(np.array(time_s), *columns)


def _track(tracks: Tracks, row: int) -> RecordedStates:
    """A track as it is now."""
    yaw = float(tracks.yaw[row])
    speed = float(tracks.velocity[row] @ np.array((np.cos(yaw), np.sin(yaw))))
    return RecordedStates(np.zeros(1), tracks.position[row][None], np.array([yaw]), np.array([speed]))


def _at(states: RecordedStates, time_s: Float[Array, "step"]) -> Float[Array, "step 4"]:
    """Columns x, y, yaw, speed at instants; before the first state it holds, after the last one constant velocity."""
    yaw = np.interp(time_s, states.time_s, np.unwrap(states.yaw))
    speed = np.interp(time_s, states.time_s, states.speed)
    beyond = np.maximum(0.0, time_s - states.time_s[-1]) * speed
    x, y = (np.interp(time_s, states.time_s, states.position[:, axis]) for axis in (0, 1))
    return np.stack((x + beyond * np.cos(yaw), y + beyond * np.sin(yaw), yaw, speed), axis=1)


def _predictions(scene: Scene, grid: Grid, rows: Sequence[Array]) -> Predictions:
    """One certain mode an agent; the covariance is that of the track, it does not grow."""
    tracks, count = scene.tracks, len(scene.tracks)
    columns = np.array(rows).reshape(count, 1, grid.steps, 4)
    return Predictions(
        stamp_ns=scene.stamp_ns,
        time_s=grid.time_s,
        id=tracks.id,
        kind=tracks.kind,
        length=tracks.length,
        width=tracks.width,
        valid=np.ones((count, 1), dtype=bool),
        probability=np.ones((count, 1)),
        intent=np.full((count, 1), int(Intent.UNKNOWN)),
        position=np.ascontiguousarray(columns[..., :2]),
        yaw=np.ascontiguousarray(columns[..., 2]),
        speed=np.ascontiguousarray(columns[..., 3]),
        covariance=np.broadcast_to(tracks.covariance[:, None, None], (count, 1, grid.steps, 2, 2)).copy(),
        degraded=scene.degraded,
    )
