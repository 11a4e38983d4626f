"""The paths through the lane graph that a learned predictor is shown, and who drives along them.

The lanes an agent may be on, its branches and lane changes are those of the lane following predictor, with the values
it has by default: a trained model knows no others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import VEHICLES, AgentClass, Array, Intent, Scene, among
from behaviors_ros.prediction.agents import Agents
from behaviors_ros.prediction.lane_following import DRIVEN, RIDDEN, Following, LaneChoice
from behaviors_ros.prediction.lane_modes import lane_modes
from behaviors_ros.prediction.learned_kernels import corridor, offsets, queue, sampled, stops
from behaviors_ros.prediction.road_kernels import lanes_near
from behaviors_ros.prediction.roads import CELL_M, Roads, roads_of, signal_state

INTENTS = (Intent.KEEP_LANE, Intent.CHANGE_LEFT, Intent.CHANGE_RIGHT, Intent.TURN_LEFT, Intent.TURN_RIGHT)
PATH = (
    "spacing", "offset", "cos", "sin", "weight", "limit", "half_width", "line", "has_line", "sign", "has_sign",
    "signal", "has_signal", "green", *(intent.name.lower() for intent in INTENTS), "straight",
)  # fmt: skip
POINT = ("x", "y", "cos", "sin", "cap")
CAP_MPS = 50.0  # a speed that no curve asks for
STRAIGHT_SIGHT_M = 60.0  # roads bend: farther away nobody is on the straight path for sure
STRAIGHT_REACH_M = 0.5  # of a box to the straight path
QUEUE = ("gap", "speed", "speed_1s", "speed_2s", "length")


@dataclass(frozen=True, eq=False)
class Motion:
    """Of all agents and the ego: heading of the motion (agent,) rad; speed now, 1 s and 2 s ago (agent,) m/s; yaw_rate
    rad/s; history (agent, past, 2) m, its last step where the agent was last seen, and where it was seen.
    """

    heading: Float[Array, "agent"]
    speed: Float[Array, "agent"]
    speed_1s: Float[Array, "agent"]
    speed_2s: Float[Array, "agent"]
    yaw_rate: Float[Array, "agent"]
    history: Float[Array, "agent past 2"]
    seen: Float[Array, "agent past"]


@dataclass(frozen=True, eq=False)
class Paths:
    """The paths of some agents as arrays; what is not valid is 0. The first path is the straight one."""

    points: Float[Array, "row path point 5"]
    states: Float[Array, "row path feature"]
    past: Float[Array, "row path past"]
    queue: Float[Array, "row path queue 5"]
    queue_valid: Float[Array, "row path queue"]
    valid: Float[Array, "row path"]


@dataclass(frozen=True)
class Sizes:
    """How much is shown: paths, points of each, past steps and the stride between them, leaders, m and s ahead."""

    paths: int
    points: int
    past: int
    stride: int
    leaders: int
    horizon_s: float
    sight_m: float


def paths_of(scene: Scene, agents: Agents, motion: Motion, rows: Int[Array, "row"], sizes: Sizes) -> Paths:
    """The straight path and up to `sizes.paths - 1` through the lane graph of each agent in `rows`."""
    spacing = (motion.speed[rows] * sizes.horizon_s + 40.0) / (sizes.points - 1)
    out = _straight(agents, motion, rows, spacing, sizes)
    follow = Following()
    roads = roads_of(scene.map, follow.curve_acceleration_mps2, follow.braking_mps2)
    if scene.map is None or roads is None or sizes.paths == 1 or not rows.size:
        return out
    near = lanes_near(
        agents.position, roads.point, roads.s, roads.heading, roads.first, roads.origin, roads.shape, roads.cells,
        roads.cell, CELL_M, 12,
    )  # fmt: skip
    found = _found(agents, motion, near, roads, rows, spacing * (sizes.points - 1), sizes.paths - 1)
    _fill(out, agents, motion, near, roads, rows, found, spacing, sizes)
    _lines(out, agents, motion, near, roads, rows, found, signal_state(roads, scene.map, scene.signals), sizes)
    return out


def _straight(agents: Agents, motion: Motion, rows: Array, spacing: Array, sizes: Sizes) -> Paths:
    """All arrays, with the straight path in place, and who drives along it."""
    lead, count = (rows.size, sizes.paths), sizes.leaders + 1
    points, states = np.zeros((*lead, sizes.points, len(POINT))), np.zeros((*lead, len(PATH)))
    points[:, 0, :, 0] = spacing[:, None] * np.arange(sizes.points)
    points[:, 0, :, 2] = 1.0
    points[:, 0, :, 4] = CAP_MPS
    states[:, :, PATH.index("spacing")] = spacing[:, None]
    states[:, 0, PATH.index("straight")] = states[:, 0, PATH.index("cos")] = 1.0
    valid = np.zeros(lead)
    valid[:, 0] = 1.0
    past = np.zeros((*lead, sizes.past))
    drives = agents.valid & among(agents.kind, (*VEHICLES, AgentClass.BICYCLE))
    queues, present = np.zeros((*lead, count, len(QUEUE))), np.zeros((*lead, count))
    follow = Following()
    queues[:, 0], present[:, 0] = corridor(
        rows, sizes.leaders, STRAIGHT_SIGHT_M, STRAIGHT_REACH_M, follow.along_rad, follow.blocking_mps, agents.position,
        motion.heading, drives, motion.speed, motion.speed_1s, motion.speed_2s, agents.length, agents.width,
    )  # fmt: skip
    return Paths(points, states, past, queues, present, valid)


def _found(
    agents: Agents, motion: Motion, near: tuple[Array, ...], roads: Roads, rows: Array, reach: Array, most: int
) -> tuple[Array, ...]:
    """Path (row, most, lanes), count, start, weight, intent of lane_modes."""
    lanes = LaneChoice()
    tuning = np.array([
        lanes.offset_sigma_m, lanes.heading_sigma_rad, lanes.yaw_rate_sigma_radps, lanes.straightness_rad,
        lanes.change_look_s, lanes.change_softness_m, lanes.change_prior,
    ])  # fmt: skip
    usable = _usable(agents, motion, near, roads, lanes)
    return lane_modes(
        near[0][rows], near[1][rows], near[2][rows], near[3][rows], usable[rows], motion.heading[rows],
        motion.speed[rows], motion.yaw_rate[rows], reach, tuning, roads.turn, roads.first, roads.s, roads.heading,
        roads.half_width, roads.left, roads.right, roads.fork, roads.successor, most,
    )  # fmt: skip


def _usable(agents: Agents, motion: Motion, near: tuple[Array, ...], roads: Roads, choice: LaneChoice) -> Array:
    """Which lanes nearby an agent may be driving on, or may change to."""
    lane, _, d, heading, beyond = near
    rides = agents.kind == AgentClass.BICYCLE
    drives = among(agents.kind, VEHICLES)
    kinds = np.where(rides[:, None], among(roads.kind, RIDDEN)[lane], among(roads.kind, DRIVEN)[lane])
    angle = np.abs((motion.heading[:, None] - heading + np.pi) % (2.0 * np.pi) - np.pi)
    along = (lane >= 0) & kinds & (angle < choice.heading_rad) & (np.abs(beyond) < choice.margin_m)
    on = along & (np.abs(d) < roads.half_width[lane] + choice.margin_m)
    return along & (on.any(axis=1) & (drives | rides) & agents.valid)[:, None]


def _fill(
    out: Paths, agents: Agents, motion: Motion, near: tuple[Array, ...], roads: Roads, rows: Array,
    found: tuple[Array, ...], spacing: Array, sizes: Sizes,
) -> None:  # fmt: skip
    """Points, past and states of the paths found."""
    path, count, start, weight, intent = found
    out.points[:, 1:] = sampled(
        path, count, start, spacing, sizes.points, agents.position[rows], motion.heading[rows], roads.first, roads.s,
        roads.heading, roads.point, roads.cap,
    )  # fmt: skip
    np.minimum(out.points[..., 4], CAP_MPS, out=out.points[..., 4])
    out.past[:, 1:] = offsets(
        rows, path, count, start, motion.history, motion.seen > 0.5, sizes.past, sizes.stride, roads.first, roads.s,
        roads.heading, roads.point,
    )  # fmt: skip
    valid, first = weight > 0.0, out.points[:, 1:, 0]
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
    x, y, cos, sin = (first[..., axis] for axis in range(4))
    columns = {
        "offset": -y * cos + x * sin, "cos": cos, "sin": -sin, "weight": weight / total,
        "limit": roads.limit[path[:, :, 0]], "half_width": roads.half_width[path[:, :, 0]],
    } | {each.name.lower(): intent == each for each in INTENTS}  # fmt: skip
    for name, values in columns.items():
        out.states[:, 1:, PATH.index(name)] = np.where(valid, values, 0.0)
    out.valid[:, 1:] = valid


def _lines(
    out: Paths, agents: Agents, motion: Motion, near: tuple[Array, ...], roads: Roads, rows: Array,
    found: tuple[Array, ...], closed: Array, sizes: Sizes,
) -> None:  # fmt: skip
    """Who drives along the paths, and the lines at which to stand."""
    path, count, start, weight, _ = found
    occupied, at, who, along = _occupied(agents, motion, near, roads)
    free = agents.valid & among(agents.kind, (*VEHICLES, AgentClass.BICYCLE))
    out.queue[:, 1:], out.queue_valid[:, 1:] = queue(
        rows, path, count, start, sizes.leaders, sizes.sight_m, agents.length, motion.speed, motion.speed_1s,
        motion.speed_2s, occupied, at, who, along, roads.first, roads.s, roads.heading, roads.point, free,
        agents.position, motion.heading, agents.width, STRAIGHT_REACH_M,
    )  # fmt: skip
    signals = (np.isfinite(roads.stop_s) & (roads.stop_sign == 0)).astype(np.int64)
    distances: dict[str, Array] = {}
    for states, names in ((closed, ("line", "sign")), (signals, ("signal", ""))):
        found_lines = stops(
            path, count, start, agents.length[rows], roads.first, roads.s, roads.stop_s, states, roads.stop_sign,
            sizes.sight_m,
        )  # fmt: skip
        distances |= dict(zip(names, found_lines, strict=True))
    valid = weight > 0.0
    for name in ("line", "sign", "signal"):
        known = valid & np.isfinite(distances[name])
        out.states[:, 1:, PATH.index(name)] = np.where(known, distances[name], 0.0)
        out.states[:, 1:, PATH.index(f"has_{name}")] = known
    second = path[:, :, min(1, path.shape[2] - 1)]
    green = (closed[path[:, :, 0]] < 0) | ((count > 1) & (closed[second] < 0))
    out.states[:, 1:, PATH.index("green")] = valid & green


def _occupied(agents: Agents, motion: Motion, near: tuple[Array, ...], roads: Roads) -> tuple[Array, ...]:
    """Where on which lane somebody drives: lane j has the entries occupied[j] to occupied[j + 1] of at (m), who, along.

    The same rule as in `leaders`, with the values that lane following has by default.
    """
    lane, s, d, heading, beyond = near
    follow = Following()
    angle = np.abs((motion.heading[:, None] - heading + np.pi) % (2.0 * np.pi) - np.pi)
    inside = np.abs(d) - 0.5 * agents.width[:, None] < roads.half_width[lane] - follow.intrusion_m
    counts = (angle < follow.along_rad) | (motion.speed[:, None] < follow.blocking_mps)
    who, where = np.nonzero((lane >= 0) & inside & counts & (np.abs(beyond) < 1.0) & agents.valid[:, None])
    order = np.lexsort((who, s[who, where], lane[who, where]))
    who, where = who[order], where[order]
    occupied = np.concatenate([[0], np.cumsum(np.bincount(lane[who, where], minlength=len(roads.id)))])
    return occupied, s[who, where], who, np.clip(np.cos(angle[who, where]), 0.0, 1.0)
