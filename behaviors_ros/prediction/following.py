"""Kernel that drives agents along their paths: speed by the Intelligent Driver Model, offset to the lane's centre.

IDM (Treiber, Hennecke, Helbing 2000) in the form that takes the lesser of its free and its interaction part, so that
the gap wanted is also the gap kept: a = a_max min(1 - (v / v0)^4, 1 - (g* / g)^2), g* = g0 + v T + v dv / (2
sqrt(a_max b)).
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Array
from behaviors_ros.geometry.angles import cos_sin
from behaviors_ros.prediction.lane_modes import heading_at, locate, piece, wrapped


@no_type_check
@njit(cache=True)
def idm(
    v: float, v_desired: float, gap: float, v_ahead: float, a_max: float, b: float, g0: float, headway: float
) -> float:
    """Acceleration behind a leader at `gap` m with speed `v_ahead`, m/s^2; gap inf: free road."""
    free = 1.0 - (v / v_desired) ** 4 if v_desired > 0.1 else -1.0
    wanted = g0 + max(v * headway + v * (v - v_ahead) / (2.0 * math.sqrt(a_max * b)), 0.0)
    return a_max * min(free, 1.0 - (wanted / max(gap, 0.1)) ** 2)


@no_type_check
@njit(cache=True)
def held_back(
    pull: float, v: float, wish: float, gap: float, v_ahead: float, space: float, hardest: float, line: float,
    sign: float, law: Array,
) -> float:  # fmt: skip
    """The wanted acceleration `pull`, m/s^2, as far as a leader at `gap`, for whom nobody brakes harder than `hardest`,
    a line and a sign to stand at allow it.

    gap, line, sign: m ahead, inf where there is none; law as in `drive`.
    """
    if gap < np.inf:
        pull = min(pull, idm(v, 1e3, gap, v_ahead, max(law[0], 1.0), law[1], 0.5 * space, 0.5))
    pull = max(pull, -hardest)
    for stand in (line, sign):
        if stand < np.inf:
            pull = min(pull, idm(v, wish, stand, 0.0, law[0], law[1], 0.3, 0.3))
    return max(pull, -law[5])


@no_type_check
@njit(cache=True)
def drive(
    dt: float, steps: int, weight: Array, path: Array, count: Array, start: Array, bias: Array, position: Array,
    motion: Array, yaw: Array, speed: Array, acceleration: Array, limit: Array, leader: Array, gap: Array, share: Array,
    line: Array, sign: Array, space: Array, headway: Array, hardest: Array, settle_s: Array, law: Array, first: Array,
    s: Array, heading: Array, point: Array, cap: Array,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """All agents at once, each mode behind the first mode of its leader.

    weight, count, start m, bias m/s^2, leader (-1 none), gap m (bumper to bumper), share (of the leader's motion that
    is along this path), line m (progress at which to stand, inf none), sign (likewise, then go on), space m and
    headway s (gap wanted at rest, and with speed), hardest m/s^2 (braking for the leader), limit m/s: (agent, mode);
    the rest (agent,). settle_s: time constant of the way to the centre. law: a_max, b, least length of that way m,
    acceleration decay s, its gain, b hardest. Returns position (agent, mode, step, 2), yaw and speed (agent, mode,
    step). Agents without weight go straight on and can be leaders.
    """
    n, modes = weight.shape
    out, out_yaw, out_speed = np.zeros((n, modes, steps, 2)), np.zeros((n, modes, steps)), np.zeros((n, modes, steps))
    progress, v = np.zeros((n, modes)), np.repeat(speed, modes).reshape(n, modes)
    lead_progress, lead_v = np.zeros(n), speed.copy()
    released = np.zeros((n, modes), np.bool_)
    settle = np.maximum(speed * settle_s, law[2])
    entry = entered(weight, path, count, start, position, motion, yaw, settle, first, s, heading, point)
    # The lane of its path on which a mode is, and where on the path that lane begins: it only moves on.
    lane, begin = np.zeros((n, modes), np.int64), np.zeros((n, modes))
    for k in range(steps):
        fade = law[4] * math.exp(-k * dt / law[3])
        for a in range(n):
            for m in range(modes):
                if weight[a, m] <= 0.0:
                    continue
                travelled, now = progress[a, m], v[a, m]
                on, at = move_on(a, m, start[a, m] + travelled, path, count, lane, begin, first, s)
                index, part = piece(on, at, first, s)
                out[a, m, k, 0], out[a, m, k, 1], out_yaw[a, m, k] = place(
                    travelled, entry[a, m, 0], entry[a, m, 1], entry[a, m, 2], entry[a, m, 3], entry[a, m, 4], index,
                    part, heading, point,
                )  # fmt: skip
                out_speed[a, m, k] = now
                curve = cap[index] + min(max(part, 0.0), 1.0) * (cap[index + 1] - cap[index])
                wish = min(limit[a, m], curve)
                free_gap, ahead = np.inf, 0.0
                if leader[a, m] >= 0:
                    other = leader[a, m]
                    free_gap = gap[a, m] + share[a, m] * lead_progress[other] - travelled
                    ahead = share[a, m] * lead_v[other]
                pull = idm(now, wish, free_gap, ahead, law[0], law[1], space[a, m], headway[a, m])
                pull += fade * acceleration[a] + bias[a, m]
                give_way = np.inf if released[a, m] else sign[a, m] - travelled
                stand = line[a, m] - travelled
                pull = held_back(pull, now, wish, free_gap, ahead, space[a, m], hardest[a, m], stand, give_way, law)
                released[a, m] |= sign[a, m] - travelled < 2.0 and now < 0.3
                faster = max(now + pull * dt, 0.0)
                progress[a, m] = travelled + 0.5 * (now + faster) * dt
                v[a, m] = faster
        for a in range(n):
            if weight[a, 0] > 0.0:
                lead_progress[a], lead_v[a] = progress[a, 0], v[a, 0]
            else:
                lead_progress[a] += speed[a] * dt
    return out, out_yaw, out_speed


@no_type_check
@njit(cache=True)
def move_on(
    a: int, m: int, at: float, path: Array, count: Array, lane: Array, begin: Array, first: Array, s: Array
) -> tuple[int, float]:
    """The lane that lies `at` m along the path of a mode, and the arc length on it; `lane`, `begin` move on with it."""
    on = path[a, m, lane[a, m]]
    while lane[a, m] < count[a, m] - 1 and at - begin[a, m] >= s[first[on + 1] - 1]:
        begin[a, m] += s[first[on + 1] - 1]
        lane[a, m] += 1
        on = path[a, m, lane[a, m]]
    return on, at - begin[a, m]


@no_type_check
@njit(cache=True)
def entered(
    weight: Array, path: Array, count: Array, start: Array, position: Array, motion: Array, yaw: Array, settle: Array,
    first: Array, s: Array, heading: Array, point: Array,
) -> Array:  # fmt: skip
    """What `enter` finds for every mode with weight (agent, mode, 5)."""
    entry = np.zeros((weight.shape[0], weight.shape[1], 5))
    for a in range(weight.shape[0]):
        for m in range(weight.shape[1]):
            if weight[a, m] > 0.0:
                enter(entry[a, m], path[a, m], count[a, m], start[a, m], position[a], motion[a], yaw[a], settle[a],
                first, s, heading, point)  # fmt: skip
    return entry


@no_type_check
@njit(cache=True)
def enter(
    entry: Array, path: Array, count: int, start: float, position: Array, motion: float, yaw: float, settle: float,
    first: Array, s: Array, heading: Array, point: Array,
) -> None:  # fmt: skip
    """How an agent stands to its path now, into `entry`: offset m, its slope, what the nearest point leaves over
    along the path m, yaw beside that of the motion rad, settling length m.
    """
    index, part = locate(path, count, first, s, start)
    theta = heading_at(index, part, heading)
    dx = position[0] - point[index, 0] - part * (point[index + 1, 0] - point[index, 0])
    dy = position[1] - point[index, 1] - part * (point[index + 1, 1] - point[index, 1])
    entry[0] = -dx * math.sin(theta) + dy * math.cos(theta)
    entry[1] = math.tan(min(max(wrapped(motion - theta), -1.0), 1.0))
    entry[2] = dx * math.cos(theta) + dy * math.sin(theta)
    entry[3] = wrapped(yaw - theta - math.atan(entry[1]))
    entry[4] = settle


@no_type_check
@njit(cache=True)
def place(
    progress: float, offset: float, slope: float, over: float, beside: float, settle: float, index: int, part: float,
    heading: Array, point: Array,
) -> tuple[float, float, float]:  # fmt: skip
    """Position and yaw after `progress` m, at share `part` of piece `index`; offset to settle: what `enter` found.

    The offset is critically damped in distance, d(p) = (d0 + (d0' + d0 / settle) p) exp(-p / settle), so that who
    stands does not slide sideways, and position and yaw now are those of the track.
    """
    theta = heading_at(index, part, heading)
    fade = math.exp(-progress / settle)
    rise = slope + offset / settle
    d = (offset + rise * progress) * fade
    turn = (rise - (offset + rise * progress) / settle) * fade
    cos, sin = cos_sin(theta)
    x = point[index, 0] + part * (point[index + 1, 0] - point[index, 0]) - d * sin + over * fade * cos
    y = point[index, 1] + part * (point[index + 1, 1] - point[index, 1]) + d * cos + over * fade * sin
    bent = math.atan(turn) if abs(turn) > 1e-4 else turn  # where they differ by less than 1e-12
    return x, y, theta + bent + beside * fade
