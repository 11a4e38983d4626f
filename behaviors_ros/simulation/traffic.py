"""Road users as values: each has a `body`, a `motion` (None: not there), and `step(surroundings, dt_s)` to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import AgentClass, Array, EgoState, Signals, Tracks
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.simulation.occlusion import visible

EGO = "ego"


@dataclass(frozen=True)
class Body:
    """What does not change: id (32 hex digits), class, box length and width in m."""

    id: str
    kind: AgentClass
    length: float
    width: float


@dataclass(frozen=True, eq=False)
class Motion:
    """State of a box centre in the map frame: m, rad, m/s along yaw, m/s^2, rad/s."""

    position: Float[Array, "2"]
    yaw: float
    speed: float
    acceleration: float = 0.0
    yaw_rate: float = 0.0


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What an agent may react to: everyone's box (the ego first), the signals, and the time since the start in s."""

    time_s: float
    bodies: tuple[Body, ...]
    position: Float[Array, "agent 2"]
    yaw: Float[Array, "agent"]
    speed: Float[Array, "agent"]
    acceleration: Float[Array, "agent"]
    signals: Signals | None

    @cached_property
    def row(self) -> dict[str, int]:
        """Row of each body by its id."""
        return {body.id: row for row, body in enumerate(self.bodies)}

    @cached_property
    def size(self) -> Float[Array, "agent 2"]:
        """Length and width of the boxes, m."""
        return np.array([(body.length, body.width) for body in self.bodies])

    @property
    def ego_front(self) -> Float[Array, "2"]:
        """Middle of the ego's front bumper, m."""
        along = np.array((np.cos(self.yaw[0]), np.sin(self.yaw[0])))
        return self.position[0] + 0.5 * self.bodies[0].length * along


@runtime_checkable
class Agent(Protocol):
    """One road user."""

    @property
    def body(self) -> Body:
        """Its box."""
        ...

    @property
    def motion(self) -> Motion | None:
        """Where it is, None while it is not there."""
        ...

    def step(self, surroundings: Surroundings, dt_s: float) -> Agent:
        """The agent `dt_s` later."""
        ...


@dataclass(frozen=True, eq=False)
class Stationary:
    """A road user that stays where it is."""

    body: Body
    motion: Motion | None

    def step(self, surroundings: Surroundings, dt_s: float) -> Stationary:
        """Itself."""
        return self


@dataclass(frozen=True, eq=False)
class Trigger:
    """When an agent starts: not before `time_s`, the ego's front within `ego_within_m` of `point` and closer to it in
    time than `ego_arrival_s` (straight distance over speed); then `delay_s` later. What is None is not asked for.
    """

    time_s: float = 0.0
    point: Float[Array, "2"] | None = None
    ego_within_m: float | None = None
    ego_arrival_s: float | None = None
    delay_s: float = 0.0

    def fired_at(self, surroundings: Surroundings) -> float | None:
        """Time at which the agent starts if the condition holds now, in s."""
        distance = 0.0 if self.point is None else float(np.hypot(*(self.point - surroundings.ego_front)))
        near = self.ego_within_m is None or distance <= self.ego_within_m
        soon = self.ego_arrival_s is None or distance <= self.ego_arrival_s * float(surroundings.speed[0])
        due = surroundings.time_s >= self.time_s - 1e-9 and near and soon
        return surroundings.time_s + self.delay_s if due else None


def identity(name: str) -> str:
    """Track id of an agent's name: 32 hex digits, the same in every run."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def surroundings_of(
    time_s: float, ego: EgoState, vehicle: Vehicle, agents: Sequence[Agent], signals: Signals | None
) -> Surroundings:
    """Everyone who is there, the ego first."""
    along = np.array((np.cos(ego.yaw), np.sin(ego.yaw)))
    centre = ego.position + vehicle.centre_offset_m * along
    box = Body(EGO, AgentClass.CAR, vehicle.length_m, vehicle.width_m)
    present = [(box, Motion(centre, ego.yaw, ego.speed, ego.acceleration, ego.yaw_rate))]
    present += [(agent.body, agent.motion) for agent in agents if agent.motion is not None]
    names = ("position", "yaw", "speed", "acceleration")
    columns = {name: np.array([getattr(motion, name) for _, motion in present]) for name in names}
    return Surroundings(time_s, tuple(body for body, _ in present), signals=signals, **columns)


class Perception(Parameters):
    """How agents become tracks. All sigmas zero: perfect perception."""

    range_m: float = value(150.0, "agents farther from the ego are not seen", low=1.0, high=1000.0)
    position_sigma_m: float = value(0.0, "standard deviation of a track's position, each axis", low=0.0, high=5.0)
    yaw_sigma_rad: float = value(0.0, "standard deviation of a track's heading", low=0.0, high=1.0)
    speed_sigma_mps: float = value(0.0, "standard deviation of a track's velocity, each axis", low=0.0, high=5.0)
    size_sigma_m: float = value(0.0, "standard deviation of a track's length and width", low=0.0, high=1.0)
    covariance_floor_m: float = value(0.1, "smallest reported standard deviation of a position", low=0.01, high=5.0)
    occlusion: bool = value(False, "what is hidden behind vehicles or the scenario's occluders is not seen")
    seed: int = value(0, "seed of the noise; noise depends on seed, stamp and track only", low=0, high=2**31)

    @property
    def noisy(self) -> bool:
        """Whether tracks differ from the truth at all."""
        return max(self.position_sigma_m, self.yaw_sigma_rad, self.speed_sigma_mps, self.size_sigma_m) > 0.0


def perceive(
    stamp_ns: int, ego: EgoState, agents: Sequence[Agent], perception: Perception, noise: bool = True,
    occluders: Sequence[Array] = (), eye: Float[Array, "2"] | None = None,
) -> Tracks:  # fmt: skip
    """Tracks of the agents in range at one stamp, in the agents' order; `noise` False gives the truth.

    eye: where the sensor is, m (None: the rear axle). Occlusion is left out where perception has none, else perception
    tells the outlines of the occluders in range.
    """
    there = [(agent.body, motion) for agent in agents if (motion := agent.motion) is not None]
    near = _near([motion for _, motion in there], ego, perception.range_m)
    seen = [pair for pair, is_near in zip(there, near, strict=True) if is_near]
    told: tuple[Array, ...] = ()
    if perception.occlusion and noise:
        told = tuple(ring for ring in occluders if np.hypot(*(ring - ego.position).T).min() <= perception.range_m)
        visible = _visible(seen, ego.position if eye is None else eye, occluders) if seen else ()
        seen = [pair for pair, sees in zip(seen, visible, strict=True) if sees]
    if not seen:
        return replace(Tracks.empty(stamp_ns), occluders=told)
    bodies, motions = zip(*seen, strict=True)
    yaw, speed = np.array([m.yaw for m in motions]), np.array([m.speed for m in motions])
    along, across = np.stack((np.cos(yaw), np.sin(yaw)), 1), np.stack((-np.sin(yaw), np.cos(yaw)), 1)
    yaw_rate = np.array([m.yaw_rate for m in motions])
    forward = np.array([m.acceleration for m in motions])
    noisy = noise and perception.noisy
    draws = _draws(stamp_ns, bodies, perception.seed) if noisy else np.zeros((len(seen), 7))
    sigma = max(perception.covariance_floor_m, perception.position_sigma_m)
    return Tracks(
        stamp_ns=stamp_ns,
        id=tuple(b.id for b in bodies),
        kind=np.array([int(b.kind) for b in bodies]),
        position=np.array([m.position for m in motions]) + perception.position_sigma_m * draws[:, :2],
        yaw=yaw + perception.yaw_sigma_rad * draws[:, 2],
        velocity=speed[:, None] * along + perception.speed_sigma_mps * draws[:, 3:5],
        acceleration=forward[:, None] * along + (speed * yaw_rate)[:, None] * across,
        yaw_rate=yaw_rate,
        length=np.maximum(0.2, np.array([b.length for b in bodies]) + perception.size_sigma_m * draws[:, 5]),
        width=np.maximum(0.2, np.array([b.width for b in bodies]) + perception.size_sigma_m * draws[:, 6]),
        covariance=np.broadcast_to(sigma**2 * np.eye(2), (len(seen), 2, 2)).copy(),
        existence=np.ones(len(seen)),
        occluders=told,
    )


def _visible(
    pairs: Sequence[tuple[Body, Motion]], eye: Float[Array, "2"], occluders: Sequence[Array]
) -> Bool[Array, "agent"]:
    position, yaw = np.array([m.position for _, m in pairs]), np.array([m.yaw for _, m in pairs])
    length, width = np.array([b.length for b, _ in pairs]), np.array([b.width for b, _ in pairs])
    return visible(eye, position, yaw, length, width, np.array([int(b.kind) for b, _ in pairs]), occluders)


def _near(motions: Sequence[Motion], ego: EgoState, range_m: float) -> Bool[Array, "agent"]:
    offset = np.array([motion.position for motion in motions]).reshape(-1, 2) - ego.position
    return np.hypot(offset[:, 0], offset[:, 1]) <= range_m


def _draws(stamp_ns: int, bodies: Sequence[Body], seed: int) -> Float[Array, "agent 7"]:
    """Standard normal numbers of each track, independent of which other tracks are there."""
    return np.array([np.random.default_rng((seed, stamp_ns, int(b.id[:12], 16))).standard_normal(7) for b in bodies])
