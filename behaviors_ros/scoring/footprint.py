"""Boxes of the ego along its candidates and of the agents along their modes, as the kernels of this room take them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import njit

from behaviors_ros.datatypes import AgentClass, Candidates, Predictions, Scene, Terms, Verdict, among
from behaviors_ros.geometry.angles import cos_sin
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring.blocks import block_rectangles, grouped

Array = np.ndarray

PASSABLE = (AgentClass.OVER_DRIVABLE, AgentClass.UNDER_DRIVABLE)


class EgoBoxes(NamedTuple):
    """Box of the ego at every step. pose: centre x, y m, cos and sin of yaw, speed m/s; half sizes m.

    offset: from the rear axle forward to the centre, m. stood: the last step until which the ego has not moved from
    where it stands at step 0; -1 when it moves then. low, high: rectangle around all centres, m. axes: x, y m, cos and
    sin of the yaw at step 0, in which blocks and groups are given; see `blocks.py`.
    """

    pose: Float[Array, "candidate step 5"]
    stood: Int[Array, "candidate"]
    half_length: float
    half_width: float
    offset: float
    low: Float[Array, "2"]
    high: Float[Array, "2"]
    axes: Float[Array, "4"]
    blocks: Float[Array, "candidate 4 block"]
    groups: Float[Array, "group 4 block"]


class ModeBoxes(NamedTuple):
    """Boxes of agents along chosen modes, modes of an agent in a row.

    agent: its row in the predictions; pose as in `EgoBoxes`; covariance xx, xy, yy m^2; half sizes m; behind: at step 0
    the agent is right behind the ego, in its lane and direction.
    """

    agent: Int[Array, "mode"]
    probability: Float[Array, "mode"]
    pose: Float[Array, "mode step 5"]
    covariance: Float[Array, "mode step 3"]
    half_length: Float[Array, "mode"]
    half_width: Float[Array, "mode"]
    behind: Bool[Array, "mode"]


@lru_cache(maxsize=2)
def ego_boxes(candidates: Candidates, vehicle: Vehicle) -> EgoBoxes:
    """The ego's boxes along its candidates; cached, for a set of candidates is asked by many plugins."""
    offset, half_length, half_width = vehicle.centre_offset_m, 0.5 * vehicle.length_m, 0.5 * vehicle.width_m
    pose, stood, low, high, axes = centres(candidates.position, candidates.yaw, candidates.speed, offset)
    sizes = np.full(len(pose), half_length), np.full(len(pose), half_width)
    blocks = block_rectangles(pose, *sizes, axes, pose.shape[1], 1, 0.0, 0.0, 0.0)
    return EgoBoxes(pose, stood, half_length, half_width, offset, low, high, axes, blocks, grouped(blocks))


@no_type_check
@njit(cache=True, error_model="numpy")
def centres(position, yaw, speed, offset):
    """pose, stood, low, high and axes of `EgoBoxes` from the rear axle's position, yaw and speed."""
    rows, steps = yaw.shape
    pose, stood = np.empty((rows, steps, 5)), np.full(rows, -1)
    low, high, axes = np.full(2, np.inf), np.full(2, -np.inf), np.array([0.0, 0.0, 1.0, 0.0])
    cos, sin = np.empty(steps), np.empty(steps)
    for i in range(rows):
        for step in range(steps):
            cos[step], sin[step] = cos_sin(yaw[i, step])
        still = abs(speed[i, 0]) < 0.05
        for step in range(steps):
            x, y, c, s = position[i, step, 0], position[i, step, 1], cos[step], sin[step]
            if still:
                still = math.hypot(x - position[i, 0, 0], y - position[i, 0, 1]) < 0.05
                stood[i] += still
            x, y = x + offset * c, y + offset * s
            pose[i, step, 0], pose[i, step, 1], pose[i, step, 2], pose[i, step, 3] = x, y, c, s
            pose[i, step, 4] = speed[i, step]
            # NaN fails every comparison and stays out.
            low[0], low[1] = x if x < low[0] else low[0], y if y < low[1] else low[1]
            high[0], high[1] = x if x > high[0] else high[0], y if y > high[1] else high[1]
    for i in range(rows):
        if steps and math.isfinite(pose[i, 0].sum()):
            axes[:] = pose[i, 0, :4]
            break
    return pose, stood, low, high, axes


def mode_boxes(scene: Scene, predictions: Predictions, agents: Bool[Array, "agent"], least: float) -> ModeBoxes:
    """Boxes of the valid modes of `agents` with probability `least` or more; of each agent its likeliest anyway."""
    boxes, likeliest = _all_boxes(scene, predictions)
    chosen = np.empty(len(boxes.agent), np.bool_)
    whole = mark_chosen(agents, boxes.agent, boxes.probability, likeliest, least, chosen)
    return boxes if whole else _some_boxes(scene, predictions, chosen.tobytes())


@no_type_check
@njit(cache=True)
def mark_chosen(agents, agent, probability, likeliest, least, chosen):
    """Fill the mask of `mode_boxes`; whether it takes all."""
    whole = True
    for m in range(len(agent)):
        chosen[m] = agents[agent[m]] and (probability[m] >= least or likeliest[m])
        whole &= chosen[m]
    return whole


@lru_cache(maxsize=2)
def _all_boxes(scene: Scene, predictions: Predictions) -> tuple[ModeBoxes, Bool[Array, "mode"]]:
    """Boxes of all valid modes, and which are the likeliest of their agents; cached, for many plugins ask for some of
    them.
    """
    # numpy gives columns of one array, contiguous only where there is one row: a kernel would be compiled anew for it.
    agent, mode = map(np.ascontiguousarray, np.nonzero(predictions.valid))
    pose, covariance = chosen_states(
        agent, mode, predictions.position, predictions.yaw, predictions.speed, predictions.covariance
    )
    half_length, half_width = 0.5 * predictions.length[agent], 0.5 * predictions.width[agent]
    probability, behind = predictions.probability[agent, mode], right_behind(scene, predictions)[agent]
    likeliest = probability >= predictions.probability.max(axis=1, initial=0.0)[agent]
    return ModeBoxes(agent, probability, pose, covariance, half_length, half_width, behind), likeliest


@lru_cache(maxsize=8)
def _some_boxes(scene: Scene, predictions: Predictions, chosen: bytes) -> ModeBoxes:
    """Of all boxes those where `chosen`, a mask of them, is set; cached, for plugins often ask for the same ones."""
    boxes, _ = _all_boxes(scene, predictions)
    rows = np.flatnonzero(np.frombuffer(chosen, np.bool_))
    return ModeBoxes(*(array[rows] for array in boxes))


@no_type_check
@njit(cache=True, error_model="numpy")
def chosen_states(agent, mode, position, yaw, speed, covariance):
    """pose and covariance of `ModeBoxes` of the modes (agent[row], mode[row])."""
    pose, spread = np.empty((len(agent), speed.shape[2], 5)), np.empty((len(agent), speed.shape[2], 3))
    for row in range(len(agent)):
        i, m = agent[row], mode[row]
        for step in range(speed.shape[2]):
            pose[row, step, 0], pose[row, step, 1] = position[i, m, step, 0], position[i, m, step, 1]
            pose[row, step, 2], pose[row, step, 3] = cos_sin(yaw[i, m, step])
            pose[row, step, 4] = speed[i, m, step]
            spread[row, step, 0], spread[row, step, 1] = covariance[i, m, step, 0, 0], covariance[i, m, step, 0, 1]
            spread[row, step, 2] = covariance[i, m, step, 1, 1]
    return pose, spread


@lru_cache(maxsize=2)
def solid(predictions: Predictions) -> Bool[Array, "agent"]:
    """Agents that must not be touched: not what one may drive over or under."""
    return ~among(predictions.kind, PASSABLE)


@lru_cache(maxsize=2)
def foreseeable(predictions: Predictions) -> bool:
    """Whether every agent that must not be touched has a usable future; when not, no collision can be excluded."""
    size, chance = predictions.length + predictions.width, predictions.probability
    future = finite_modes(predictions.position, predictions.yaw, predictions.speed, predictions.covariance)
    known = future & np.isfinite(chance + size[:, None])
    usable = predictions.valid.any(axis=1) & (known | ~predictions.valid).all(axis=1)
    return bool(np.all(usable | ~solid(predictions)))


@no_type_check
@njit(cache=True)
def finite_modes(position, yaw, speed, covariance):
    """Modes (agent, mode) whose position, yaw, speed and covariance are finite throughout."""
    out = np.empty(yaw.shape[:2], np.bool_)
    for i in range(out.shape[0]):
        for m in range(out.shape[1]):
            total = 0.0  # as in `finite_rows`
            for step in range(yaw.shape[2]):
                total += 0.0 * (position[i, m, step, 0] + position[i, m, step, 1] + yaw[i, m, step] + speed[i, m, step])
                spread = covariance[i, m, step]
                total += 0.0 * (spread[0, 0] + spread[0, 1] + spread[1, 0] + spread[1, 1])
            out[i, m] = total == 0.0
    return out


def near(predictions: Predictions, boxes: EgoBoxes, reach_m: float) -> Bool[Array, "agent"]:
    """Agents whose way may come within `reach_m` (m, between boxes) of the rectangle around all candidates."""
    radius = reach_m + math.hypot(boxes.half_length, boxes.half_width)
    return np.asarray(reached(*ways(predictions), predictions.length, predictions.width, boxes.low, boxes.high, radius))


@no_type_check
@njit(cache=True)
def reached(lows, highs, length, width, low, high, radius):
    """Agents whose way, widened by `radius` and half the diagonal of their boxes, meets a rectangle."""
    out = np.empty(len(lows), np.bool_)
    for i in range(len(lows)):
        margin = radius + 0.5 * math.hypot(length[i], width[i])
        out[i] = (highs[i, 0] > low[0] - margin) & (highs[i, 1] > low[1] - margin)
        out[i] &= (lows[i, 0] < high[0] + margin) & (lows[i, 1] < high[1] + margin)
    return out


@lru_cache(maxsize=2)
def ways(predictions: Predictions) -> tuple[Float[Array, "agent 2"], Float[Array, "agent 2"]]:
    """Rectangles around all positions of the agents in all modes: low x, y and high x, y, m; empty without any."""
    return rectangles(predictions.position)


@no_type_check
@njit(cache=True)
def rectangles(position):
    """Low and high corners (row, 2) around the positions (row, mode, step, 2) that are not NaN."""
    low, high = np.full((len(position), 2), np.inf), np.full((len(position), 2), -np.inf)
    for i in range(position.shape[0]):
        for m in range(position.shape[1]):
            for step in range(position.shape[2]):
                for axis in range(2):
                    at = position[i, m, step, axis]
                    # NaN fails every comparison and stays out.
                    low[i, axis] = at if at < low[i, axis] else low[i, axis]
                    high[i, axis] = at if at > high[i, axis] else high[i, axis]
    return low, high


class OnRoute(NamedTuple):
    """Agents at step 0 of their first valid mode; NaN without one. s, d on the route, m; yaw, rad; turn: the yaw
    against the route, rad; cos and sin of it; speed m/s.
    """

    position: Float[Array, "agent 2"]
    s: Float[Array, "agent"]
    d: Float[Array, "agent"]
    yaw: Float[Array, "agent"]
    turn: Float[Array, "agent"]
    cos: Float[Array, "agent"]
    sin: Float[Array, "agent"]
    speed: Float[Array, "agent"]


@lru_cache(maxsize=2)
def now_on_route(scene: Scene, predictions: Predictions) -> OnRoute:
    """Where the agents are now; cached, for many plugins ask."""
    first, rows = np.argmax(predictions.valid, axis=1), np.arange(len(predictions))
    position, yaw, speed = (
        column[rows, first, 0] for column in (predictions.position, predictions.yaw, predictions.speed)
    )
    frame = route_frame(scene.route)
    s, d = frame.project(position)
    turn = yaw - frame.heading(s)
    return OnRoute(position, s, d, yaw, turn, np.cos(turn), np.sin(turn), speed)


@lru_cache(maxsize=2)
def acceleration_along(scene: Scene, predictions: Predictions) -> Float[Array, "agent"]:
    """Acceleration of the agents in the direction of their yaw now, m/s^2, 0 where it is not known."""
    row = {name: index for index, name in enumerate(scene.tracks.id)}
    known = np.array([row.get(name, -1) for name in predictions.id], dtype=np.int64)
    if not row:
        return np.zeros(len(predictions))
    yaw = now_on_route(scene, predictions).yaw
    along = np.stack((np.cos(yaw), np.sin(yaw)), axis=1)
    rate = np.nan_to_num(scene.tracks.acceleration[known], posinf=0.0, neginf=0.0)
    return np.where(known >= 0, (rate * along).sum(axis=1), 0.0)


@lru_cache(maxsize=2)
def right_behind(scene: Scene, predictions: Predictions) -> Bool[Array, "agent"]:
    """Agents that at step 0 are behind the ego's rear axle in its own lane and direction: they follow it.

    In its lane: the lateral ranges of the two overlap in the route's Frenet frame.
    """
    now = now_on_route(scene, predictions)
    ego_s, ego_d = route_frame(scene.route).project(scene.ego.position)
    lateral = np.abs(now.d - ego_d) < 0.5 * predictions.width + 0.5
    return (now.s < ego_s) & lateral & (np.cos(now.yaw - scene.ego.yaw) > 0.5)


@lru_cache(maxsize=2)
def finite(candidates: Candidates) -> Bool[Array, "candidate"]:
    """Candidates without NaN or infinity in any quantity; cached, for every plugin asks."""
    quantities = (candidates.yaw, candidates.speed, candidates.acceleration, candidates.curvature)
    return finite_rows(candidates.position, (*quantities, candidates.s, candidates.d))


@no_type_check
@njit(cache=True)
def finite_rows(position, quantities):
    """Rows whose position (row, step, 2) and quantities, each (row, step), are finite throughout."""
    out = np.empty(len(position), np.bool_)
    for i in range(len(position)):
        # Zero times a number is zero, times infinity or NaN it is NaN, which stays in the sum.
        total = 0.0
        for step in range(position.shape[1]):
            total += 0.0 * position[i, step, 0] + 0.0 * position[i, step, 1]
        for quantity in quantities:
            for step in range(position.shape[1]):
                total += 0.0 * quantity[i, step]
        out[i] = total == 0.0
    return out


def at_most(value: Float[Array, "candidate"], limit: float, candidates: Candidates) -> Verdict:
    """Admits candidates whose value does not exceed the limit. NaN, also that of a candidate, forbids."""
    value = np.where(finite(candidates), value, np.nan)
    return Verdict(value <= limit, value, limit)


def at_least(value: Float[Array, "candidate"], limit: float, candidates: Candidates) -> Verdict:
    """Admits candidates whose value reaches the limit. NaN, also that of a candidate, forbids."""
    value = np.where(finite(candidates), value, np.nan)
    return Verdict(value >= limit, value, limit)


def terms(raw: Float[Array, "candidate"], score: Float[Array, "candidate"], candidates: Candidates) -> Terms:
    """Terms with NaN and score 0 where a candidate is not finite; scores kept in [0, 1]."""
    raw, score = (np.ascontiguousarray(values, np.float64) for values in (raw, score))
    return Terms(*kept_within(raw, score, finite(candidates)))


@no_type_check
@njit(cache=True)
def kept_within(raw, score, known):
    """raw and score as `terms` returns them."""
    value, share = np.full(len(known), np.nan), np.zeros(len(known))
    for i in range(len(known)):
        if known[i] and not math.isnan(raw[i]):
            value[i], share[i] = raw[i], min(max(score[i], 0.0), 1.0) if not math.isnan(score[i]) else np.nan
    return value, share


def interval_stride(candidates: Candidates, interval_s: float) -> int:
    """Steps of the candidates' grid in `interval_s`, at least one."""
    steps = len(candidates.time_s)
    dt_s = candidates.time_s[-1] / (steps - 1) if steps > 1 else interval_s
    return max(int(round(interval_s / dt_s)), 1)
