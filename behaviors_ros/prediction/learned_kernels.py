"""Kernels of the learned predictor's features: velocities of the past, neighbours, and what lies along a path."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Array
from behaviors_ros.prediction.lane_modes import heading_at, locate, stop_on

SAME_M = 2.0  # two centres on one path nearer than this are one road user, tracked twice


@no_type_check
@njit(cache=True)
def backward_velocity(position: Array, valid: Array, bin_s: float, window: int) -> tuple[Array, Array]:
    """Velocity (agent, past, 2) m/s at each step seen, by the difference to the oldest step seen within `window` steps
    before it; and where there is one (agent, past).
    """
    n, past = valid.shape
    velocity, known = np.zeros((n, past, 2)), np.zeros((n, past), np.bool_)
    for a in range(n):
        for k in range(past):
            if not valid[a, k]:
                continue
            for back in range(min(window, k), 0, -1):
                if valid[a, k - back]:
                    velocity[a, k] = (position[a, k] - position[a, k - back]) / (back * bin_s)
                    known[a, k] = True
                    break
    return velocity, known


@no_type_check
@njit(cache=True)
def earlier(velocity: Array, known: Array, lag: int, slack: int) -> Array:
    """Velocity (agent, 2) `lag` steps ago, or up to `slack` steps before that; else the earliest known since then."""
    n, past = known.shape
    out = np.zeros((n, 2))
    for a in range(n):
        found = False
        for k in range(past - 1 - lag, max(past - 2 - lag - slack, -1), -1):
            if k >= 0 and known[a, k]:
                out[a], found = velocity[a, k], True
                break
        k = max(past - lag, 0)
        while not found and k < past:
            if known[a, k]:
                out[a], found = velocity[a, k], True
            k += 1
    return out


@no_type_check
@njit(cache=True)
def local_past(
    rows: Array, position: Array, valid: Array, now: Array, yaw: Array, steps: int, stride: int
) -> tuple[Array, Array]:
    """Past (row, steps, 2) m in each agent's frame, oldest first, the last one now; and where it was seen.

    now (agent, 2) m: where the agents were last seen; every `stride`-th step of the history is taken.
    """
    past = valid.shape[1]
    out, seen = np.zeros((rows.size, steps, 2)), np.zeros((rows.size, steps))
    for i in range(rows.size):
        a = rows[i]
        cos, sin = math.cos(yaw[a]), math.sin(yaw[a])
        for k in range(steps):
            at = past - 1 - (steps - 1 - k) * stride
            if at >= 0 and valid[a, at]:
                dx, dy = position[a, at, 0] - now[a, 0], position[a, at, 1] - now[a, 1]
                out[i, k, 0], out[i, k, 1] = cos * dx + sin * dy, cos * dy - sin * dx
                seen[i, k] = 1.0
    return out, seen


@no_type_check
@njit(cache=True)
def around(
    rows: Array, count: int, radius: float, present: Array, position: Array, yaw: Array, velocity: Array, body: Array,
    past: Array, past_valid: Array, steps: int, stride: int,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """The `count` nearest others within `radius` m of each row's agent, nearest first, in that agent's frame.

    present, position m, yaw rad, velocity m/s, body (agent, feature) copied: of all agents; past (agent, time, 2) m.
    Returns (row, neighbour, 6 + features): x, y, velocity, cos and sin of the yaw, body; valid; past (row, neighbour,
    steps, 2) and where it was seen.
    """
    n, own = position.shape[0], body.shape[1]
    out, valid = np.zeros((rows.size, count, 6 + own)), np.zeros((rows.size, count))
    before, seen = np.zeros((rows.size, count, steps, 2)), np.zeros((rows.size, count, steps))
    who, away = np.zeros(count, np.int64), np.zeros(count)
    for i in range(rows.size):
        a, found = rows[i], 0
        for b in range(n):
            if b == a or not present[b]:
                continue
            distance = math.hypot(position[b, 0] - position[a, 0], position[b, 1] - position[a, 1])
            if distance > radius or (found == count and distance >= away[count - 1]):
                continue
            k = min(found, count - 1)
            while k > 0 and away[k - 1] > distance:
                who[k], away[k] = who[k - 1], away[k - 1]
                k -= 1
            who[k], away[k] = b, distance
            found = min(found + 1, count)
        cos, sin = math.cos(yaw[a]), math.sin(yaw[a])
        for j in range(found):
            b = who[j]
            dx, dy = position[b, 0] - position[a, 0], position[b, 1] - position[a, 1]
            out[i, j, 0], out[i, j, 1] = cos * dx + sin * dy, cos * dy - sin * dx
            out[i, j, 2] = cos * velocity[b, 0] + sin * velocity[b, 1]
            out[i, j, 3] = cos * velocity[b, 1] - sin * velocity[b, 0]
            out[i, j, 4], out[i, j, 5] = math.cos(yaw[b] - yaw[a]), math.sin(yaw[b] - yaw[a])
            out[i, j, 6:] = body[b]
            valid[i, j] = 1.0
            for k in range(steps):
                at = past_valid.shape[1] - 1 - (steps - 1 - k) * stride
                if at >= 0 and past_valid[b, at]:
                    dx, dy = past[b, at, 0] - position[a, 0], past[b, at, 1] - position[a, 1]
                    before[i, j, k, 0], before[i, j, k, 1] = cos * dx + sin * dy, cos * dy - sin * dx
                    seen[i, j, k] = 1.0
    return out, valid, before, seen


@no_type_check
@njit(cache=True)
def sampled(
    path: Array, count: Array, start: Array, spacing: Array, points: int, origin: Array, yaw: Array, first: Array,
    s: Array, heading: Array, point: Array, cap: Array,
) -> Array:  # fmt: skip
    """Points of each path (row, path, points, 5) in the agents' frames, `spacing` (row,) m apart, the first abreast of
    the agent: x, y m, cos and sin of the heading, m/s that curves allow.
    """
    n, paths = count.shape
    out = np.zeros((n, paths, points, 5))
    for a in range(n):
        cos, sin = math.cos(yaw[a]), math.sin(yaw[a])
        for p in range(paths):
            if count[a, p] == 0:
                continue
            for q in range(points):
                index, part = locate(path[a, p], count[a, p], first, s, start[a, p] + q * spacing[a])
                dx = point[index, 0] + part * (point[index + 1, 0] - point[index, 0]) - origin[a, 0]
                dy = point[index, 1] + part * (point[index + 1, 1] - point[index, 1]) - origin[a, 1]
                turn = heading_at(index, part, heading) - yaw[a]
                share = min(max(part, 0.0), 1.0)
                out[a, p, q, 0], out[a, p, q, 1] = cos * dx + sin * dy, cos * dy - sin * dx
                out[a, p, q, 2], out[a, p, q, 3] = math.cos(turn), math.sin(turn)
                out[a, p, q, 4] = cap[index] + share * (cap[index + 1] - cap[index])
    return out


@no_type_check
@njit(cache=True)
def offsets(
    rows: Array, path: Array, count: Array, start: Array, position: Array, valid: Array, steps: int, stride: int,
    first: Array, s: Array, heading: Array, point: Array,
) -> Array:  # fmt: skip
    """Where each agent was beside each of its paths (row, path, steps), m, left positive; 0 where it was not seen.

    A past position is compared with the path as far behind as it is away from the agent now.
    """
    n, paths = count.shape
    past = valid.shape[1]
    out = np.zeros((n, paths, steps))
    for i in range(n):
        a = rows[i]
        for p in range(paths):
            if count[i, p] == 0:
                continue
            for k in range(steps):
                at = past - 1 - (steps - 1 - k) * stride
                if at < 0 or not valid[a, at]:
                    continue
                behind = math.hypot(
                    position[a, at, 0] - position[a, past - 1, 0], position[a, at, 1] - position[a, past - 1, 1]
                )
                index, part = locate(path[i, p], count[i, p], first, s, start[i, p] - behind)
                theta = heading_at(index, part, heading)
                dx = position[a, at, 0] - point[index, 0] - part * (point[index + 1, 0] - point[index, 0])
                dy = position[a, at, 1] - point[index, 1] - part * (point[index + 1, 1] - point[index, 1])
                out[i, p, k] = dy * math.cos(theta) - dx * math.sin(theta)
    return out


@no_type_check
@njit(cache=True)
def doubled(out: Array, found: int, place: float) -> bool:
    """Whether one of the `found` agents in front is at `place`: m to its middle, from the own front."""
    for k in range(1, found + 1):  # noqa: SIM110 - numba knows no generators
        if abs(out[k, 0] + 0.5 * out[k, 4] - place) < SAME_M:
            return True
    return False


@no_type_check
@njit(cache=True)
def straight_on(
    out: Array, valid: Array, taken: Array, a: int, offset: float, sight: float, end: Array, heading: float,
    length: Array, now: Array, before: Array, longer: Array, free: Array, position: Array, yaw: Array, width: Array,
    reach: float,
) -> None:  # fmt: skip
    """Add to the queue of agent `a`, of which `taken` are known, who is on the way straight on from a path's end, which
    is `offset` m away; as in `queue`.
    """
    ahead, found, begin = valid.size - 1, taken.size, taken.size
    cos, sin = math.cos(heading), math.sin(heading)
    for b in range(yaw.size):
        dx, dy = position[b, 0] - end[0], position[b, 1] - end[1]
        x, y, share = cos * dx + sin * dy, cos * dy - sin * dx, math.cos(yaw[b] - heading)
        if free[b] == 0 or b == a or x <= 0.0 or offset + x > sight or abs(y) > reach + 0.5 * width[b]:
            continue
        if share <= 0.5 or np.any(taken == b):
            continue
        gap = offset + x - 0.5 * (length[a] + length[b])
        if doubled(out, found, gap + 0.5 * length[b]):
            continue
        slot = found + 1
        while slot > begin + 1 and out[slot - 1, 0] > gap:
            slot -= 1
        if slot > ahead:
            continue
        found = min(found + 1, ahead)
        for k in range(found, slot, -1):
            out[k], valid[k] = out[k - 1], valid[k - 1]
        out[slot, 0], out[slot, 1], out[slot, 2] = gap, now[b] * share, before[b] * share
        out[slot, 3], out[slot, 4], valid[slot] = longer[b] * share, length[b], 1.0


@no_type_check
@njit(cache=True)
def queue(
    rows: Array, path: Array, count: Array, start: Array, ahead: int, sight: float, length: Array, now: Array,
    before: Array, longer: Array, occupied: Array, at: Array, who: Array, along: Array, first: Array, s: Array,
    heading: Array, point: Array, free: Array, position: Array, yaw: Array, width: Array, reach: float,
) -> tuple[Array, Array]:  # fmt: skip
    """Who drives along each path: (row, path, ahead + 1, 5) and valid; first who is behind, then the `ahead` nearest
    in front.

    Each: gap m bumper to bumper (behind: negative), speed along the lane now, 1 s and 2 s ago m/s, length m. Who is
    behind is looked for on the path's first lane. occupied, at, who, along as in `leaders`: the agents on each lane in
    order of arc length, and the share of their motion that is along it. Beyond its last lane a path goes on straight;
    free, position, yaw, width (agent,): who may be there (1), m, rad, m; within `reach` m of it one is on it.
    """
    n, paths = count.shape
    out, valid = np.zeros((n, paths, ahead + 1, 5)), np.zeros((n, paths, ahead + 1))
    taken = np.zeros(ahead, np.int64)
    for i in range(n):
        a = rows[i]
        for p in range(paths):
            offset, found = -start[i, p], 0
            for step in range(count[i, p]):
                lane = path[i, p, step]
                for k in range(occupied[lane], occupied[lane + 1]):
                    b, distance = who[k], offset + at[k]
                    if b == a or abs(distance) > sight or abs(distance) < SAME_M:
                        continue
                    slot = 0
                    if distance > 1e-6:
                        if found == ahead:
                            break
                        # Near the end of a lane an agent is on the next one as well.
                        before_it = 0.5 * (length[a] + length[taken[found - 1]]) + out[i, p, found, 0]
                        if np.any(taken[:found] == b) or (found > 0 and distance - before_it < SAME_M):
                            continue
                        taken[found] = b
                        found += 1
                        slot = found
                    elif step > 0:
                        continue
                    sense = 1.0 if distance > 0.0 else -1.0
                    out[i, p, slot, 0] = distance - sense * 0.5 * (length[a] + length[b])
                    out[i, p, slot, 1] = now[b] * along[k]
                    out[i, p, slot, 2], out[i, p, slot, 3] = before[b] * along[k], longer[b] * along[k]
                    out[i, p, slot, 4] = length[b]
                    valid[i, p, slot] = 1.0
                offset += s[first[lane + 1] - 1]
                if offset > sight or found == ahead:
                    break
            if count[i, p] == 0 or offset > sight or found == ahead:
                continue
            last = first[path[i, p, count[i, p] - 1] + 1] - 1
            straight_on(
                out[i, p], valid[i, p], taken[:found], a, offset, sight, point[last], heading[last], length, now,
                before, longer, free, position, yaw, width, reach,
            )  # fmt: skip
    return out, valid


@no_type_check
@njit(cache=True)
def corridor(
    rows: Array, ahead: int, sight: float, reach: float, angle: float, blocking: float, position: Array, yaw: Array,
    drives: Array, now: Array, before: Array, longer: Array, length: Array, width: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """Who drives in front of each agent on the straight path, and who behind, in the layout of `queue`.

    A box counts that comes within `reach` m of the line, and goes the same way to `angle` rad, or is slower than
    `blocking` m/s. Only among those who drive.
    """
    out, valid = np.zeros((rows.size, ahead + 1, 5)), np.zeros((rows.size, ahead + 1))
    for i in range(rows.size):
        a, found = rows[i], 0
        if not drives[a]:
            continue
        cos, sin = math.cos(yaw[a]), math.sin(yaw[a])
        for b in range(yaw.size):
            if b == a or not drives[b]:
                continue
            dx, dy = position[b, 0] - position[a, 0], position[b, 1] - position[a, 1]
            x, y = cos * dx + sin * dy, cos * dy - sin * dx
            along = math.cos(yaw[b] - yaw[a])
            if (
                abs(x) < SAME_M
                or abs(x) > sight
                or abs(y) > reach + 0.5 * width[b]
                or (along < math.cos(angle) and now[b] >= blocking)
            ):
                continue
            gap = x - math.copysign(0.5 * (length[a] + length[b]), x)
            slot = 0
            if x > 0.0:
                if doubled(out[i], found, gap + 0.5 * length[b]):
                    continue
                slot = found + 1
                while slot > 1 and out[i, slot - 1, 0] > gap:
                    slot -= 1
                if slot > ahead:
                    continue
                found = min(found + 1, ahead)
                for k in range(found, slot, -1):
                    out[i, k], valid[i, k] = out[i, k - 1], valid[i, k - 1]
            elif valid[i, 0] > 0.0 and out[i, 0, 0] > gap:
                continue
            share = max(along, 0.0)
            out[i, slot, 0], out[i, slot, 1], out[i, slot, 2] = gap, now[b] * share, before[b] * share
            out[i, slot, 3], out[i, slot, 4], valid[i, slot] = longer[b] * share, length[b], 1.0
    return out, valid


@no_type_check
@njit(cache=True)
def stops(
    path: Array, count: Array, start: Array, length: Array, first: Array, s: Array, stop_s: Array, closed: Array,
    stop_sign: Array, sight: float,
) -> tuple[Array, Array]:  # fmt: skip
    """How far each agent may go on each path until its front is at a closed line, and at a stop sign, m; inf: none."""
    n, paths = count.shape
    line, sign = np.full((n, paths), np.inf), np.full((n, paths), np.inf)
    for a in range(n):
        front = 0.5 * length[a]
        for p in range(paths):
            if count[a, p] > 0:
                stand, halt = stop_on(
                    path[a, p], count[a, p], start[a, p] + front, first, s, stop_s, closed, stop_sign, sight
                )
                line[a, p], sign[a, p] = stand - start[a, p] - front, halt - start[a, p] - front
    return line, sign
