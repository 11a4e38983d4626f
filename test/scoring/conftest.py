"""Hand-made scenes on a straight road along x: the path is y = 0, lanes are 3.5 m wide, the left one is oncoming."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from behaviors_ros import registry
from behaviors_ros.datatypes import (
    AgentClass,
    Candidates,
    EgoState,
    Goal,
    Outcome,
    Plan,
    Predictions,
    Route,
    Scene,
    Signals,
    StopKind,
    StopPoint,
    Tracks,
    Trajectory,
)
from behaviors_ros.parameters import Vehicle

NOW_NS = 5_000_000_000
SIZES = {AgentClass.CAR: (4.5, 1.8), AgentClass.PEDESTRIAN: (0.6, 0.6), AgentClass.BICYCLE: (1.8, 0.6)}


@dataclass(frozen=True)
class Agent:
    """A road user that moves at constant velocity; `modes` are (probability, speed, yaw)."""

    position: tuple[float, float]
    speed: float = 0.0
    yaw: float = 0.0
    kind: AgentClass = AgentClass.CAR
    deviation: float = 0.01
    modes: tuple[tuple[float, float, float], ...] = ()


class Bench:
    """Builders. The ego's box is 4.5 x 1.85 m, its bumper 3.6 m and its centre 1.35 m ahead of the rear axle."""

    vehicle = Vehicle(wheel_base_m=2.7, length_m=4.5, width_m=1.85, rear_overhang_m=0.9)
    time_s = np.arange(61) * 0.1

    def route(self, stops=(), limit=10.0, goal_s=300.0, left_same=1.75) -> Route:
        s = np.arange(0.0, 400.5, 0.5)
        path = np.stack([s, np.zeros_like(s)], axis=1)
        width = np.full_like(s, 1.75)
        return Route(
            lanes=(1,), goal=Goal(np.array([goal_s, 0.0])), goal_s=goal_s, s=s, path=path,
            speed_limit=np.full_like(s, limit), lane=np.ones(len(s), dtype=np.int64), left_lane=width, right_lane=width,
            left_same=np.full_like(s, left_same), right_same=width, left_drivable=np.full_like(s, 5.25),
            right_drivable=width, stops=tuple(stops),
        )  # fmt: skip

    def scene(self, s=50.0, speed=10.0, d=0.0, route=None, **others) -> Scene:
        ego = EgoState(NOW_NS, np.array([s, d]), 0.0, speed)
        return Scene(NOW_NS, ego, Tracks.empty(NOW_NS), route or self.route(), **others)

    def drive(self, speed=10.0, acceleration=0.0, s=50.0, d=0.0, d_end=None) -> tuple:
        """Constant acceleration until standstill, from offset d to d_end by a smooth step over the horizon."""
        t = self.time_s
        end = -speed / acceleration if acceleration < 0.0 else np.inf
        until = np.minimum(t, end)
        travelled = speed * until + 0.5 * acceleration * until**2
        along = np.where(t < end - 1e-9, speed + acceleration * t, 0.0)
        part = t / t[-1]
        offset = d + ((d if d_end is None else d_end) - d) * part**2 * (3.0 - 2.0 * part)
        return s + travelled, offset, along, np.where(t < end - 1e-9, acceleration, 0.0)

    def candidates(self, *drives, generators=None, labels=None, is_stop=None) -> Candidates:
        s, d, speed, acceleration = (np.array(column) for column in zip(*drives, strict=True))
        yaw = np.arctan2(np.gradient(d, axis=1), np.maximum(np.gradient(s, axis=1), 1e-9))
        count = len(drives)
        return Candidates(
            stamp_ns=NOW_NS, time_s=self.time_s, generator=tuple(generators or ["lattice"] * count),
            label=tuple(labels or [f"candidate {i}" for i in range(count)]),
            is_stop=np.array(is_stop if is_stop is not None else speed[:, -1] < 0.01),
            position=np.stack([s, d], axis=-1), yaw=yaw, speed=speed, acceleration=acceleration,
            curvature=np.zeros_like(s), s=s, d=d,
        )  # fmt: skip

    def predictions(self, *agents) -> Predictions:
        count, steps = len(agents), len(self.time_s)
        most = max((len(a.modes) or 1 for a in agents), default=1)
        position, yaw = np.full((count, most, steps, 2), np.nan), np.full((count, most, steps), np.nan)
        speed, probability = yaw.copy(), np.zeros((count, most))
        for i, agent in enumerate(agents):
            for m, (p, v, heading) in enumerate(agent.modes or ((1.0, agent.speed, agent.yaw),)):
                direction = np.array([np.cos(heading), np.sin(heading)])
                position[i, m] = np.array(agent.position) + v * self.time_s[:, None] * direction
                yaw[i, m], speed[i, m], probability[i, m] = heading, v, p
        deviation = np.array([agent.deviation for agent in agents]).reshape(count, 1, 1, 1, 1)
        sizes = np.array([SIZES[agent.kind] for agent in agents]).reshape(count, 2)
        return Predictions(
            stamp_ns=NOW_NS, time_s=self.time_s, id=tuple(f"{i:032x}" for i in range(count)),
            kind=np.array([int(agent.kind) for agent in agents], dtype=np.int64), length=sizes[:, 0], width=sizes[:, 1],
            valid=probability > 0.0, probability=probability, intent=np.zeros((count, most), dtype=np.int64),
            position=position, yaw=yaw, speed=speed,
            covariance=np.broadcast_to(deviation**2 * np.eye(2), (count, most, steps, 2, 2)).copy(),
        )  # fmt: skip

    def signal(self, color, change_s=np.nan, age_s=0.0, s=100.0) -> Scene:
        """The ego at s = 50 m; its front bumper is 46.4 m before the line at s = 100 m."""
        stop = StopPoint(StopKind.SIGNAL, 7, s, s + 20.0, signals=(7,))
        signals = Signals(NOW_NS - round(age_s * 1e9), (7,), np.array([int(color)]), np.array([change_s]))
        return self.scene(route=self.route([stop]), signals=signals)

    def plan(self, drive, age_s=0.1, outcome=Outcome.SELECTED) -> Plan:
        """A previous plan, `age_s` old."""
        stamp = NOW_NS - round(age_s * 1e9)
        trajectory = replace(self.candidates(drive).trajectory(0), stamp_ns=stamp)
        assert isinstance(trajectory, Trajectory)
        return Plan(stamp, 1, trajectory, trajectory, stamp + 10**9, 0, 0, "lattice", "before", outcome, "")

    def gate(self, name, **values):
        return registry.create("gate", name, values, self.vehicle)

    def scorer(self, name, **values):
        return registry.create("scorer", name, values, self.vehicle)

    Agent = Agent


@pytest.fixture(scope="session")
def bench() -> Bench:
    import behaviors_ros.scoring.interface  # noqa: F401  (registers)

    return Bench()
