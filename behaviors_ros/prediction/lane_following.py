"""Lane following: several paths through the lane graph, each driven behind its leader with IDM speeds.

All agents move together, so that a queue brakes and starts as a queue. Who is on no lane moves by constant turn rate.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import (
    VEHICLES,
    AgentClass,
    Array,
    EgoState,
    Grid,
    Intent,
    LaneKind,
    Predictions,
    Scene,
    among,
)
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.prediction.agents import Agents, Modes, agents_now, heaviest, predictions, single
from behaviors_ros.prediction.constant_turn_rate import TurnParameters, turned
from behaviors_ros.prediction.following import drive
from behaviors_ros.prediction.lane_modes import lane_modes
from behaviors_ros.prediction.leaders import Leaders, leaders
from behaviors_ros.prediction.road_kernels import lanes_near
from behaviors_ros.prediction.roads import CELL_M, Roads, roads_of, signal_state
from behaviors_ros.prediction.uncertainty import ClassNoise, Noise, covariances
from behaviors_ros.registry import register

DRIVEN = (LaneKind.ROAD, LaneKind.BUS)
RIDDEN = (LaneKind.ROAD, LaneKind.BUS, LaneKind.BICYCLE, LaneKind.SHOULDER)


class LaneChoice(Parameters):
    """Which lanes an agent may be on and go to."""

    margin_m: float = value(0.5, "how far beyond its edge a lane still counts", low=0.0, high=3.0)
    heading_rad: float = value(0.8, "largest angle between motion and lane", low=0.1, high=1.5)
    offset_sigma_m: float = value(0.8, "spread of the offset from the centre of the lane one is on", low=0.1, high=5.0)
    heading_sigma_rad: float = value(0.2, "spread of the angle to the lane one is on", low=0.01, high=1.5)
    yaw_rate_sigma_radps: float = value(
        0.15, "spread of yaw rate against the path's, which tells branches", low=0.01, high=2.0
    )
    straightness_rad: float = value(0.8, "angle at which a branch is e times less likely", low=0.05, high=10.0)
    change_look_s: float = value(
        1.0, "drift x this + offset beyond the edge announces a lane change", low=0.0, high=5.0
    )
    change_softness_m: float = value(0.3, "how gradually it does", low=0.01, high=5.0)
    change_prior: float = value(0.06, "weight of a lane change without evidence", low=0.0, high=1.0)


class Following(Parameters):
    """How agents drive along a path."""

    acceleration_mps2: float = value(1.5, "IDM: largest acceleration", low=0.1, high=8.0)
    braking_mps2: float = value(2.0, "IDM: comfortable braking", low=0.1, high=8.0)
    hard_braking_mps2: float = value(6.0, "hardest braking", low=0.5, high=12.0)
    gap_m: float = value(2.5, "IDM: gap at standstill", low=0.1, high=10.0)
    headway_low_s: float = value(0.3, "least time gap taken for wanted", low=0.1, high=5.0)
    headway_high_s: float = value(2.0, "largest time gap taken for wanted, and that of who stands", low=0.1, high=10.0)
    limit_share: float = value(1.0, "wanted speed between the speed now (0) and the speed limit (1)", low=0.0, high=1.0)
    speed_gain_mps: float = value(3.5, "how much faster than now an agent wants to be at most", low=0.0, high=50.0)
    steady_share: float = value(
        0.8, "share by which the faster and the slower mode of who keeps its speed differ less", low=0.0, high=1.0
    )
    free_m: float = value(10.0, "gap from which the road ahead is free", low=1.0, high=200.0)
    free_s: float = value(3.0, "the same as a time gap", low=0.1, high=20.0)
    curve_acceleration_mps2: float = value(2.5, "lateral acceleration in curves", low=0.5, high=9.0)
    bicycle_mps: float = value(5.0, "speed that a bicycle setting off wants at most", low=1.0, high=20.0)
    bicycle_settle_s: float = value(30.0, "settle_s of a bicycle, which keeps to the side", low=0.2, high=100.0)
    memory_s: float = value(0.5, "time constant with which the acceleration measured now fades", low=0.01, high=10.0)
    memory_gain: float = value(0.2, "share of the acceleration measured now that is believed", low=0.0, high=1.0)
    settle_s: float = value(2.5, "time constant of the way to the lane's centre", low=0.2, high=20.0)
    settle_m: float = value(8.0, "least length of the way to the lane's centre", low=1.0, high=100.0)
    standing_mps: float = value(0.25, "speed below which an agent stands", low=0.0, high=3.0)
    queue_m: float = value(10.0, "gap up to which who stands is in a queue", low=1.0, high=50.0)
    sight_m: float = value(100.0, "how far ahead a leader matters", low=5.0, high=500.0)
    along_rad: float = value(1.0, "angle to the lane up to which who moves is a leader on it", low=0.1, high=1.6)
    blocking_mps: float = value(1.0, "speed below which one is a leader at any angle", low=0.0, high=5.0)
    intrusion_m: float = value(1.0, "how far a box must reach into a lane to be a leader there", low=0.0, high=2.0)
    merge_m: float = value(60.0, "distance to where lanes join from which on it counts", low=0.0, high=300.0)
    merge_s: float = value(
        1.0, "who is nearer to there goes first, if it is there at most this much later", low=0.0, high=10.0
    )
    change_mps2: float = value(
        1.0, "acceleration added and taken away in the faster and the slower mode", low=0.0, high=5.0
    )
    change_weight: float = value(0.25, "probability of the faster and of the slower mode", low=0.0, high=0.4)


class LaneFollowingParameters(Parameters):
    """Parameters of the lane following predictor."""

    max_modes: int = value(4, "modes of an agent at most", low=1, high=12)
    lanes: LaneChoice = LaneChoice()
    following: Following = Following()
    turning: TurnParameters = TurnParameters()
    noise: ClassNoise = ClassNoise()
    lane_noise: Noise = Noise(
        floor_m=0.1, speed_along_mps=0.2, speed_across_mps=0.15, noise_along_m2ps3=0.4, noise_across_m2ps3=0.008,
        standing_share=0.3, settled_share=0.2, moving_mps=1.0,
    )  # fmt: skip


@register("predictor", "lane_following")
class LaneFollowing:
    """Modes: each branch, lane changes, and the likeliest path faster and slower."""

    name: str
    parameters = LaneFollowingParameters

    def __init__(self, parameters: LaneFollowingParameters, vehicle: Vehicle) -> None:
        """Keep the values."""
        self.values, self.vehicle = parameters, vehicle

    def predict(self, scene: Scene, grid: Grid) -> Predictions:
        """Lane following where there is a lane, constant turn rate elsewhere."""
        agents = agents_now(scene, self.vehicle)
        modes = self.modes(scene, grid, agents)
        return predictions(scene, grid, agents, modes, self.covariances(grid, agents, modes))

    def covariances(self, grid: Grid, agents: Agents, modes: Modes) -> Float[Array, "agent mode step 2 2"]:
        """Growth by class, and that of `lane_noise` for who follows a lane, whose first intent is not FREE."""
        follows = among(agents.kind, (*VEHICLES, AgentClass.BICYCLE)) & (modes.intent[:, 0] != int(Intent.FREE))
        return covariances(
            self.values.noise, agents, grid.time_s, modes.motion, follows, self.values.lane_noise
        )  # fmt: skip

    def modes(self, scene: Scene, grid: Grid, agents: Agents) -> Modes:
        """The modes of all agents, `max_modes` each."""
        following = self.values.following
        roads = roads_of(scene.map, following.curve_acceleration_mps2, following.braking_mps2)
        if scene.map is None or roads is None or not agents.valid.any():
            return self._off_lanes(agents, grid)
        everyone = with_ego(agents, scene.ego, self.vehicle)
        state = signal_state(roads, scene.map, scene.signals)
        modes = self._on_lanes(everyone, roads, state, grid)
        off = np.flatnonzero(modes.probability[:, 0] <= 0.0)
        if off.size:
            physics = self._off_lanes(agents.take(off), grid)
            for name, values in vars(modes).items():
                values[off] = getattr(physics, name)
        return modes

    def _off_lanes(self, agents: Agents, grid: Grid) -> Modes:
        """Constant turn rate."""
        return heaviest(single(agents, *turned(self.values.turning, agents, grid.time_s)), self.values.max_modes)

    def _on_lanes(self, agents: Agents, roads: Roads, closed: Array, grid: Grid) -> Modes:
        """The modes of all but the last agent, which is the ego; without probability for who is on no lane."""
        follow = self.values.following
        near = lanes_near(
            agents.position, roads.point, roads.s, roads.heading, roads.first, roads.origin, roads.shape, roads.cells,
            roads.cell, CELL_M, 12,
        )  # fmt: skip
        motion = np.arctan2(agents.direction[:, 1], agents.direction[:, 0])
        reach = agents.speed * grid.horizon_s + 0.25 * follow.acceleration_mps2 * grid.horizon_s**2
        path, count, start, weight, intent = lane_modes(
            near[0], near[1], near[2], near[3], self._usable(agents, motion, near, roads), motion, agents.speed,
            agents.yaw_rate, reach,
            self._tuning(), roads.turn, roads.first, roads.s, roads.heading, roads.half_width, roads.left, roads.right,
            roads.fork, roads.successor, self.values.max_modes,
        )  # fmt: skip
        bias = self._varied(agents.speed, path, count, start, weight, intent)
        ahead = leaders(agents, motion, near, path, count, start, roads, closed, self._seen())
        bias *= 1.0 - self.values.following.steady_share * self._settled(agents, ahead)
        position, yaw, speed = drive(
            grid.dt_s, grid.steps, weight, path, count, start, bias, agents.position, motion, agents.yaw, agents.speed,
            agents.acceleration, self._wish(agents, path, count, bias, ahead, roads, closed), *self._ahead(agents,
            ahead), self._settling(agents), self._law(), roads.first,
            roads.s, roads.heading, roads.point, roads.cap,
        )  # fmt: skip
        motion_yaw = yaw.copy()  # who is on no lane has another one
        return Modes(*(each[:-1] for each in (weight, intent, position, yaw, motion_yaw, speed)))

    def _usable(self, agents: Agents, motion: Array, near: tuple[Array, ...], roads: Roads) -> Array:
        """Which lanes nearby an agent may be driving on, or may change to."""
        lane, _, d, heading, beyond = near
        choice = self.values.lanes
        drives, rides = among(agents.kind, VEHICLES), agents.kind == AgentClass.BICYCLE
        kinds = np.where(rides[:, None], among(roads.kind, RIDDEN)[lane], among(roads.kind, DRIVEN)[lane])
        angle = np.abs((motion[:, None] - heading + np.pi) % (2.0 * np.pi) - np.pi)
        along = (lane >= 0) & kinds & (angle < choice.heading_rad) & (np.abs(beyond) < choice.margin_m)
        on = along & (np.abs(d) < roads.half_width[lane] + choice.margin_m)
        forward = np.abs((motion - agents.yaw + np.pi) % (2.0 * np.pi) - np.pi) < 0.5 * np.pi
        return along & (on.any(axis=1) & (drives | rides) & agents.valid & forward)[:, None]

    def _tuning(self) -> Array:
        choice = self.values.lanes
        return np.array([
            choice.offset_sigma_m, choice.heading_sigma_rad, choice.yaw_rate_sigma_radps, choice.straightness_rad,
            choice.change_look_s, choice.change_softness_m, choice.change_prior,
        ])  # fmt: skip

    def _law(self) -> Array:
        follow = self.values.following
        return np.array([
            follow.acceleration_mps2, follow.braking_mps2, follow.settle_m, follow.memory_s, follow.memory_gain,
            follow.hard_braking_mps2,
        ])  # fmt: skip

    def _settling(self, agents: Agents) -> Array:
        """Time constant of the way to the lane's centre, s: a cyclist keeps to the side."""
        follow = self.values.following
        return np.where(agents.kind == AgentClass.BICYCLE, follow.bicycle_settle_s, follow.settle_s)

    def _seen(self) -> Array:
        follow = self.values.following
        return np.array([
            follow.sight_m, follow.intrusion_m, follow.along_rad, follow.blocking_mps, follow.merge_m,
            follow.merge_s,
        ])  # fmt: skip

    def _wish(
        self, agents: Agents, path: Array, count: Array, bias: Array, ahead: Leaders, roads: Roads, state: Array
    ) -> Array:
        """Wanted speed, m/s. Nobody who is faster than the limit is slowed down by it; who stands goes on standing,
        unless in a queue, before an open signal, or in the faster mode.
        """
        follow, speed = self.values.following, agents.speed[:, None]
        limit = roads.limit[path[:, :, 0]]
        riding = np.where(speed > 1.0, np.minimum(limit, speed), np.minimum(limit, follow.bicycle_mps))
        limit = np.where(agents.kind[:, None] == AgentClass.BICYCLE, riding, limit)
        second = path[:, :, min(1, path.shape[2] - 1)]
        open_ahead = (state[path[:, :, 0]] < 0) | ((count > 1) & (state[second] < 0))
        starts = (ahead.gap < follow.queue_m) | open_ahead | (bias > 0.0) | (speed > follow.standing_mps)
        gain = np.clip(follow.limit_share * (limit - speed), 0.0, follow.speed_gain_mps)
        share = np.where(speed > follow.standing_mps, 1.0, follow.steady_share)
        gain = gain * (1.0 - share * self._settled(agents, ahead))
        return np.where(starts, speed + gain, 0.0)

    def _settled(self, agents: Agents, ahead: Leaders) -> Float[Array, "agent mode"]:
        """How steady who drives on a free road has been: who keeps its speed there wants that speed."""
        follow = self.values.following
        free = ahead.gap > np.maximum(follow.free_m, follow.free_s * agents.speed[:, None])
        return np.where(free, agents.steady[:, None], 0.0)

    def _ahead(self, agents: Agents, ahead: Leaders) -> tuple[Array, ...]:
        """Leader, gap, share, line, sign, space, time gap and hardest braking for the leader: each is taken to be
        content with the gap it keeps now, and to make one for who comes from a lane that joins without haste.
        """
        follow, speed = self.values.following, agents.speed[:, None]
        space = np.where(
            speed > follow.standing_mps, follow.gap_m, np.clip(ahead.gap, 0.5 * follow.gap_m, follow.queue_m)
        )
        headway = np.clip((ahead.gap - space) / np.maximum(speed, 1.0), follow.headway_low_s, follow.headway_high_s)
        feasible = speed**2 < 2.0 * follow.hard_braking_mps2 * np.maximum(ahead.line, 1e-3)
        line = np.where(feasible, ahead.line, np.inf)
        hardest = np.where(ahead.merging, follow.braking_mps2, follow.hard_braking_mps2)
        return ahead.leader, ahead.gap, ahead.share, line, ahead.sign, space, headway, hardest

    def _varied(
        self, speed: Array, path: Array, count: Array, start: Array, weight: Array, intent: Array
    ) -> Float[Array, "agent mode"]:
        """Put the likeliest path, faster and slower, in place of the two lightest modes if these are lighter; their
        bias.

        Who stands has no slower mode.
        """
        follow, bias = self.values.following, np.zeros(weight.shape)
        total = weight.sum(axis=1, keepdims=True) / (1.0 - 2.0 * follow.change_weight)
        np.divide(weight, total, out=weight, where=total > 0.0)
        for back, sense in ((2, 1.0), (1, -1.0)):
            column = weight.shape[1] - back
            if column < 1 or follow.change_weight == 0.0:
                continue
            varied = (weight[:, 0] > 0.0) & (weight[:, column] < follow.change_weight)
            rows = np.flatnonzero(varied & ((sense > 0.0) | (speed > follow.standing_mps)))
            for array in (path, count, start, intent):
                array[rows, column] = array[rows, 0]
            weight[rows, column] = follow.change_weight
            bias[rows, column] = sense * follow.change_mps2
            if sense < 0.0:
                intent[rows, column] = int(Intent.STOP)
        return bias


def with_ego(agents: Agents, ego: EgoState, vehicle: Vehicle) -> Agents:
    """The agents and, as the last one, the ego: others follow it and it follows others. Not valid if it is not
    finite.
    """
    heading = np.array([np.cos(ego.yaw), np.sin(ego.yaw)])
    motion = heading if ego.speed >= 0.0 else -heading
    known = bool(np.isfinite([*ego.position, ego.yaw, ego.speed]).all())
    centre = ego.position + vehicle.centre_offset_m * heading

    def joined(values: Array, own: object) -> Array:
        return np.concatenate([values, np.asarray(own, values.dtype)[None]])

    return Agents(
        valid=joined(agents.valid, known),
        kind=joined(agents.kind, int(AgentClass.CAR)),
        position=joined(agents.position, centre if known else np.zeros(2)),
        yaw=joined(agents.yaw, ego.yaw if known else 0.0),
        direction=joined(agents.direction, motion if known else np.array([1.0, 0.0])),
        speed=joined(agents.speed, abs(ego.speed) if known else 0.0),
        acceleration=joined(agents.acceleration, ego.acceleration),
        yaw_rate=joined(agents.yaw_rate, ego.yaw_rate),
        length=joined(agents.length, vehicle.length_m),
        width=joined(agents.width, vehicle.width_m),
        covariance=joined(agents.covariance, np.zeros((2, 2))),
        steady=joined(agents.steady, 0.0),
        age_s=agents.age_s,
    )
