"""What a learned predictor is shown: a scene as float32 arrays around each agent, for training and on the car alike.

Every agent has its own frame: origin at its position now, x along its motion (along its box while it stands). Speeds
are backward differences of positions that were seen; nothing after now is read. Where there is no map, or an agent is
on no lane, its only path is the straight one ahead.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field

from behaviors_ros.datatypes import Array, Grid, Scene, TrackHistory, Tracks
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.agents import Agents, agents_now
from behaviors_ros.prediction.class_aware import ClassAware, ClassAwareParameters
from behaviors_ros.prediction.lane_following import with_ego
from behaviors_ros.prediction.learned_kernels import around, backward_velocity, earlier, local_past
from behaviors_ros.prediction.learned_paths import PATH, POINT, QUEUE, Motion, Sizes, paths_of

BIN_S = 0.1  # the past axis of TrackHistory, by definition
GROUP = np.array([0, 1, 2, 2, 2, 3, 4, 5, 6, 0, 0, 0])  # of each AgentClass
GROUPS = ("other", "car", "large", "motorcycle", "bicycle", "pedestrian", "animal")
BODY = ("length", "width", *GROUPS)
AGENT = ("speed", "speed_1s", "speed_2s", "sideways_1s", "yaw_rate", "seen_s", *BODY)
NEIGHBOUR = ("x", "y", "velocity_x", "velocity_y", "cos", "sin", *BODY)


class FeatureSchema(BaseModel):
    """The shape of what a model is shown and of what it answers; part of the contract of a model file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(
        default=2, description="meaning of the arrays; a model is only run with the one it was trained with"
    )
    past_steps: int = Field(default=16, ge=2, le=64, description="steps of an agent's past, now included")
    dt_s: float = Field(default=0.2, ge=0.1, le=1.0, description="time between them, a multiple of 0.1 s")
    neighbours: int = Field(default=8, ge=1, le=64, description="others shown, the nearest")
    neighbour_steps: int = Field(default=4, ge=1, le=64, description="steps of their past, dt_s apart, now included")
    paths: int = Field(default=6, ge=1, le=12, description="paths shown, the straight one included")
    path_points: int = Field(default=32, ge=2, le=128, description="points of a path")
    leaders: int = Field(
        default=6, ge=1, le=16, description="agents in front on each path; one behind is shown as well"
    )
    future_steps: int = Field(default=16, ge=1, le=120, description="steps of the answer")
    future_dt_s: float = Field(default=0.5, ge=0.1, le=2.0, description="time between them, the first one after now")
    modes: int = Field(default=6, ge=1, le=32, description="futures of each agent")
    radius_m: float = Field(default=50.0, gt=0.0, le=500.0, description="others are shown up to this distance")
    sight_m: float = Field(
        default=150.0, gt=0.0, le=500.0, description="who drives on a path, up to this distance along it"
    )
    speed_window_s: float = Field(default=0.5, ge=0.1, le=1.0, description="speeds are differences over at most this")
    moving_mps: float = Field(
        default=0.5, ge=0.0, le=3.0, description="speed from which the motion says where x points"
    )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each array of one agent."""
        paths, behind_and_ahead = self.paths, self.leaders + 1
        return {
            "agent": (len(AGENT),),
            "past": (self.past_steps, 2),
            "past_valid": (self.past_steps,),
            "neighbour": (self.neighbours, len(NEIGHBOUR)),
            "neighbour_valid": (self.neighbours,),
            "neighbour_past": (self.neighbours, self.neighbour_steps, 2),
            "neighbour_past_valid": (self.neighbours, self.neighbour_steps),
            "path": (paths, len(PATH)),
            "path_valid": (paths,),
            "path_point": (paths, self.path_points, len(POINT)),
            "path_past": (paths, self.past_steps),
            "queue": (paths, behind_and_ahead, len(QUEUE)),
            "queue_valid": (paths, behind_and_ahead),
            "base": (self.future_steps, 2),
        }


@dataclass(frozen=True, eq=False)
class Features:
    """arrays: float32 by name, first axis the agents asked for, shapes as in the schema; 0 where the array of the same
    name with `_valid` is 0. origin (agent, 2) m and yaw (agent,) rad: the agents' frames in the map frame, float64.
    valid: agents whose position is known; the others have zeros. speed (agent,) m/s, at least 0.
    """

    arrays: dict[str, Array]
    origin: Float[Array, "agent 2"]
    yaw: Float[Array, "agent"]
    speed: Float[Array, "agent"]
    valid: Array


def features(
    scene: Scene,
    rows: Int[Array, "row"],
    schema: FeatureSchema,
    vehicle: Vehicle,
    wanted: Collection[str] | None = None,
) -> Features:
    """The features of the tracks at `rows`; all tracks and the ego are seen as their neighbours.

    rows: integers. vehicle: the ego's, whose box is also that of a track without a size. wanted: names of the arrays
    that are asked for; all without.
    """
    wanted = schema.shapes if wanted is None else wanted
    rows = np.ascontiguousarray(rows, np.int64)
    tracked = agents_now(scene, vehicle)
    agents = with_ego(tracked, scene.ego, vehicle)
    motion, sideways = _motion(scene, agents, schema)
    stride = max(round(schema.dt_s / BIN_S), 1)
    seen, body = motion.seen > 0.5, _body(agents)
    heading = np.stack([np.cos(motion.heading), np.sin(motion.heading)], axis=1)
    own = np.stack([motion.speed, motion.speed_1s, motion.speed_2s, sideways, motion.yaw_rate, _age(seen)], axis=1)
    arrays = {"agent": np.concatenate([own, body], axis=1)[rows]}
    if "past" in wanted or "past_valid" in wanted:
        arrays["past"], arrays["past_valid"] = local_past(
            rows, motion.history, seen, motion.history[:, -1], motion.heading, schema.past_steps, stride
        )
    if any(name.startswith("neighbour") for name in wanted):
        names = ("neighbour", "neighbour_valid", "neighbour_past", "neighbour_past_valid")
        found = around(
            rows, schema.neighbours, schema.radius_m, agents.valid, agents.position, motion.heading,
            heading * motion.speed[:, None], body, motion.history, seen, schema.neighbour_steps, stride,
        )  # fmt: skip
        arrays |= dict(zip(names, found, strict=True))
    if any(name.startswith(("path", "queue")) for name in wanted):
        horizon_s = schema.future_steps * schema.future_dt_s
        sizes = Sizes(
            schema.paths, schema.path_points, schema.past_steps, stride, schema.leaders, horizon_s, schema.sight_m
        )
        paths = paths_of(scene, agents, motion, rows, sizes)
        arrays |= {
            "path": paths.states, "path_valid": paths.valid, "path_point": paths.points, "path_past": paths.past,
            "queue": paths.queue, "queue_valid": paths.queue_valid,
        }  # fmt: skip
    if "base" in wanted:
        arrays["base"] = _base(scene, rows, agents.position[rows], heading[rows], schema, vehicle)
    arrays = {name: array for name, array in arrays.items() if name in wanted}
    known = agents.valid[rows]
    for name, array in arrays.items():
        arrays[name] = array.astype(np.float32)
        arrays[name][~known] = 0.0
    return Features(arrays, agents.position[rows], motion.heading[rows], motion.speed[rows], known)


@lru_cache(maxsize=4)
def _physics(vehicle: Vehicle) -> ClassAware:
    """With its default values: what a model was trained beside is part of the features' meaning."""
    return ClassAware(ClassAwareParameters(), vehicle)


def _base(
    scene: Scene, rows: Int[Array, "row"], origin: Float[Array, "row 2"], heading: Float[Array, "row 2"],
    schema: FeatureSchema, vehicle: Vehicle,
) -> Float[Array, "row future 2"]:  # fmt: skip
    """Where physics' likeliest future has the agents at the steps of the answer, in their frames, m."""
    each = max(round(schema.future_dt_s / BIN_S), 1)
    found = _physics(vehicle).predict(scene, Grid(BIN_S, each * schema.future_steps + 1))
    position = found.position[rows, found.probability[rows].argmax(axis=1)][:, each::each]
    away = np.nan_to_num(position - origin[:, None])
    cos, sin = heading[:, None, 0], heading[:, None, 1]
    return np.stack([cos * away[..., 0] + sin * away[..., 1], cos * away[..., 1] - sin * away[..., 0]], axis=-1)


def _motion(scene: Scene, agents: Agents, schema: FeatureSchema) -> tuple[Motion, Array]:
    """The motion of all agents and the ego, and the speed across it one second ago, m/s."""
    position, seen = _history(scene.history, scene.tracks, agents)
    velocity, known = backward_velocity(position, seen, BIN_S, round(schema.speed_window_s / BIN_S))
    tracked = agents.direction * agents.speed[:, None]
    velocity[:, -1] = np.where(known[:, -1, None], velocity[:, -1], tracked)
    known[:, -1] = agents.valid
    now = velocity[:, -1]
    speed = np.hypot(now[:, 0], now[:, 1])
    box = np.where(np.isfinite(agents.yaw), agents.yaw, 0.0)
    heading = np.where(speed > schema.moving_mps, np.arctan2(now[:, 1], now[:, 0]), box)
    second = round(1.0 / BIN_S)
    one, two = (earlier(velocity, known, count * second, second // 2) for count in (1, 2))
    cos, sin = np.cos(heading), np.sin(heading)
    sideways = cos * one[:, 1] - sin * one[:, 0]
    turned = np.arctan2(now[:, 0] * one[:, 1] - now[:, 1] * one[:, 0], (now * one).sum(axis=1))
    fast = np.minimum(speed, np.hypot(one[:, 0], one[:, 1])) > schema.moving_mps
    yaw_rate = np.where(fast, -turned, 0.0)
    motion = Motion(
        heading, speed, np.hypot(one[:, 0], one[:, 1]), np.hypot(two[:, 0], two[:, 1]), yaw_rate, position,
        seen.astype(float),
    )  # fmt: skip
    return motion, sideways


def _history(history: TrackHistory | None, tracks: Tracks, agents: Agents) -> tuple[Array, Array]:
    """Past positions (agent, past, 2) m of all agents, where each was seen (agent, past); the last step is now.

    All positions of a track are moved as far as it was moved from its own stamp to the scene's.
    """
    past = 1 if history is None else history.valid.shape[1]
    position, seen = np.zeros((len(agents), past, 2)), np.zeros((len(agents), past), bool)
    if history is not None:
        place = {name: row for row, name in enumerate(history.id)}
        at = np.array([place.get(name, -1) for name in tracks.id], np.int64)
        own = np.flatnonzero(at >= 0)
        seen[own] = history.valid[at[own]] & np.isfinite(history.position[at[own]]).all(axis=2)
        moved = agents.position[own] - np.where(agents.valid[own, None], tracks.position[own], 0.0)
        position[own] = np.where(seen[own, :, None], history.position[at[own]] + moved[:, None], 0.0)
    position[:, -1], seen[:, -1] = agents.position, agents.valid
    return position, seen


def _age(seen: Array) -> Array:
    """How long ago an agent was first seen, s."""
    return (seen.shape[1] - 1 - seen.argmax(axis=1)) * BIN_S * seen.any(axis=1)


def _body(agents: Agents) -> Array:
    """Length and width m, and the group of the class, one-hot."""
    group = GROUP[np.clip(agents.kind, 0, len(GROUP) - 1)]
    return np.concatenate([np.stack([agents.length, agents.width], axis=1), np.eye(len(GROUPS))[group]], axis=1)
