"""Kernels that turn "which lanes is it on" into a few paths through the lane graph with weights, and find the leader
on each.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Array, Intent

PATH_LANES = 32  # longest path, in lanes
PATHS = 8  # most branches of one start lane
KEEP, LEFT, RIGHT = int(Intent.KEEP_LANE), int(Intent.CHANGE_LEFT), int(Intent.CHANGE_RIGHT)
TURN_LEFT, TURN_RIGHT = int(Intent.TURN_LEFT), int(Intent.TURN_RIGHT)


@no_type_check
@njit(cache=True)
def wrapped(angle: float) -> float:
    """The angle in [-pi, pi), rad."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


@no_type_check
@njit(cache=True)
def piece(lane: int, at: float, first: Array, s: Array) -> tuple[int, float]:
    """Point index and share of the piece that lies `at` m along a lane; beyond an end the share leaves [0, 1)."""
    pieces = first[lane + 1] - first[lane] - 1
    share = at / s[first[lane + 1] - 1] * pieces
    index = min(max(int(math.floor(share)), 0), pieces - 1)
    return first[lane] + index, share - index


@no_type_check
@njit(cache=True)
def locate(path: Array, count: int, first: Array, s: Array, at: float) -> tuple[int, float]:
    """Point index and share in [0, 1) of the piece that lies `at` m along a path of lanes; beyond the end the share
    grows.
    """
    step = 0
    while step < count - 1 and at >= s[first[path[step] + 1] - 1]:
        at -= s[first[path[step] + 1] - 1]
        step += 1
    return piece(path[step], at, first, s)


@no_type_check
@njit(cache=True)
def heading_at(index: int, share: float, heading: Array) -> float:
    """Heading of the centre line on a piece, rad; straight on beyond an end."""
    return heading[index] + min(max(share, 0.0), 1.0) * (heading[index + 1] - heading[index])


@no_type_check
@njit(cache=True)
def branches(
    start: int, s0: float, reach: float, straightness: float, first: Array, s: Array, heading: Array, fork: Array,
    successor: Array, path: Array, count: Array, weight: Array,
) -> int:  # fmt: skip
    """Paths from `s0` m on lane `start` until `reach` m are covered: written to path (PATHS, PATH_LANES), count,
    weight.

    At a fork a successor's share falls with the angle it turns, exp(-angle / straightness). Returns how many there are.
    """
    path[0, 0], count[0], weight[0] = start, 1, 1.0
    covered = np.zeros(PATHS)
    covered[0] = s[first[start + 1] - 1] - s0
    found, p = 1, 0
    while p < found:
        while covered[p] < reach and count[p] < PATH_LANES:
            lane = path[p, count[p] - 1]
            begin, end = fork[lane], fork[lane + 1]
            if begin == end:
                break
            total = 0.0
            for k in range(begin, end):
                to = successor[k]
                total += math.exp(-abs(heading[first[to + 1] - 1] - heading[first[to]]) / straightness)
            whole, so_far = weight[p], covered[p]
            for k in range(begin, end):
                into = p if k == begin else found
                if into == PATHS:
                    break
                to = successor[k]
                if k > begin:
                    path[into, : count[p] - 1] = path[p, : count[p] - 1]
                    count[into] = count[p]
                    found += 1
                else:
                    count[p] += 1
                path[into, count[into] - 1] = to
                share = math.exp(-abs(heading[first[to + 1] - 1] - heading[first[to]]) / straightness) / total
                weight[into] = whole * share
                covered[into] = so_far + s[first[to + 1] - 1]
        p += 1
    return found


@no_type_check
@njit(cache=True)
def turn_intent(path: Array, count: int, reach: float, turn: Array, first: Array, s: Array, heading: Array) -> int:
    """TURN_LEFT or TURN_RIGHT for a path with a turning lane, or that turns by more than 45 degrees; else KEEP_LANE."""
    for step in range(count):
        if turn[path[step]] == 2:
            return TURN_LEFT
        if turn[path[step]] == 3:
            return TURN_RIGHT
    index, share = locate(path, count, first, s, reach)
    total = wrapped(heading_at(index, share, heading) - heading[first[path[0]]])
    if abs(total) < 0.25 * math.pi:
        return KEEP
    return TURN_LEFT if total > 0.0 else TURN_RIGHT


@no_type_check
@njit(cache=True)
def change_weights(
    d: float, drift: float, half_width: float, look_s: float, softness: float, prior: float
) -> tuple[float, float]:
    """Weights of changing left and right: a small prior, and the chance that offset + drift x look passes the lane's
    edge.
    """
    ahead = d + drift * look_s
    left = prior + (1.0 - prior) / (1.0 + math.exp(-(ahead - half_width) / softness))
    right = prior + (1.0 - prior) / (1.0 + math.exp((ahead + half_width) / softness))
    return left, right


@no_type_check
@njit(cache=True)
def leader_on(
    path: Array,
    count: int,
    s0: float,
    me: int,
    sight: float,
    first: Array,
    s: Array,
    occupied: Array,
    at: Array,
    who: Array,
) -> tuple[int, float]:
    """Entry of the nearest agent ahead on the path within `sight` m and its distance, centre to centre; or (-1, inf).

    Lane j is occupied at[occupied[j]] to at[occupied[j + 1]], in ascending order of s, by the agents `who`.
    """
    offset = -s0
    for step in range(count):
        lane = path[step]
        for k in range(occupied[lane], occupied[lane + 1]):
            distance = offset + at[k]
            if who[k] != me and distance > 1e-6:
                return (k, distance) if distance < sight else (-1, np.inf)
        offset += s[first[lane + 1] - 1]
        if offset > sight:
            break
    return -1, np.inf


@no_type_check
@njit(cache=True)
def merging_on(
    path: Array, count: int, s0: float, me: int, speed: Array, reach: float, late: float, first: Array, s: Array,
    join: Array, predecessor: Array, occupied: Array, at: Array, who: Array, paths: Array, counts: Array,
) -> tuple[int, float]:  # fmt: skip
    """Entry of the agent that comes into the path from a lane beside it next before this one, and how far it is ahead,
    both measured to where the lanes join, centre to centre; or (-1, inf).

    Before this one is who is nearer to there and, at the speeds now, there at most `late` s after it; within `reach` m.
    paths, counts: the likeliest path of every agent, which must lead that way.
    """
    best, nearest, away = -1, np.inf, -s0
    for step in range(count - 1):
        away += s[first[path[step] + 1] - 1]
        if away > reach:
            break
        for k in range(join[path[step + 1]], join[path[step + 1] + 1]):
            beside = predecessor[k]
            if beside == path[step]:
                continue
            for entry in range(occupied[beside], occupied[beside + 1]):
                other = who[entry]
                left = s[first[beside + 1] - 1] - at[entry]
                ahead = away - left
                if other == me or ahead <= 0.0 or ahead >= nearest:
                    continue
                in_time = left * speed[me] <= (away + late * speed[me]) * speed[other]
                if in_time and leads_to(paths[other], counts[other], beside, path[step + 1]):
                    best, nearest = entry, ahead
    return best, nearest


@no_type_check
@njit(cache=True)
def leads_to(path: Array, count: int, lane: int, after: int) -> bool:
    """Whether `lane` and then `after` lie on a path."""
    found = False
    for step in range(count - 1):
        found |= path[step] == lane and path[step + 1] == after
    return found


@no_type_check
@njit(cache=True)
def stop_on(
    path: Array,
    count: int,
    front: float,
    first: Array,
    s: Array,
    stop_s: Array,
    closed: Array,
    stop_sign: Array,
    reach: float,
) -> tuple[float, float]:
    """Distance along the path to the first closed line and to the first stop sign ahead of the front bumper, or inf.

    `front`: arc length of the front bumper on the path, m.
    """
    line, sign, offset = np.inf, np.inf, 0.0
    for step in range(count):
        lane = path[step]
        distance = offset + stop_s[lane]
        if distance > front - 0.5:
            if closed[lane] == 1:
                line = min(line, distance)
            elif stop_sign[lane] == 1:
                sign = min(sign, distance)
        offset += s[first[lane + 1] - 1]
        if offset > front + reach:
            break
    return line, sign


@no_type_check
@njit(cache=True)
def misfit_to(d: float, heading: float, motion: float, tuning: Array) -> float:
    """How badly an agent fits to a lane: squared offset and angle over their spreads."""
    return (d / tuning[0]) ** 2 + (wrapped(motion - heading) / tuning[1]) ** 2


@no_type_check
@njit(cache=True)
def home_lane(lane: Array, d: Array, heading: Array, usable: Array, motion: float, tuning: Array) -> tuple[int, float]:
    """Index of the usable lane that fits best, -1 none, and how badly it fits."""
    best, least = -1, np.inf
    for j in range(lane.size):
        if usable[j]:
            cost = misfit_to(d[j], heading[j], motion, tuning)
            if cost < least - 1e-9 or (cost < least + 1e-9 and lane[j] < lane[best]):
                best, least = j, min(cost, least)
    return best, least


@no_type_check
@njit(cache=True)
def start_weight(
    this: int, home: int, misfit: float, to_left: float, to_right: float, left: Array, right: Array, fork: Array,
    successor: Array,
) -> tuple[float, int]:  # fmt: skip
    """Weight and intent of starting on a lane near the home lane; `misfit`: by how much it fits worse.

    A lane that precedes or follows the home lane is on its paths already: weight 0.
    """
    if this == left[home]:
        return to_left, LEFT
    if this == right[home]:
        return to_right, RIGHT
    base = max(1.0 - to_left - to_right, 0.01)
    if this == home:
        return base, KEEP
    for k in range(fork[this], fork[this + 1]):
        if successor[k] == home:
            return 0.0, KEEP
    for k in range(fork[home], fork[home + 1]):
        if successor[k] == this:
            return 0.0, KEEP
    return base * math.exp(-0.5 * misfit), KEEP


@no_type_check
@njit(cache=True)
def insertion(weight: Array, value: float) -> int:
    """Where `value` goes in weights in descending order, behind its equals; their number if it is the lightest."""
    slot = weight.size
    while slot > 0 and value > weight[slot - 1] + 1e-9:
        slot -= 1
    return slot


@no_type_check
@njit(cache=True)
def lane_modes(
    lane: Array, s_on: Array, d_on: Array, heading_on: Array, usable: Array, motion: Array, speed: Array, yaw_rate:
    Array, reach: Array, tuning: Array, turn: Array, first: Array, s: Array, heading: Array, half_width: Array, left:
    Array, right: Array, fork: Array, successor: Array, modes: int,
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """The `modes` heaviest paths of each agent, heaviest first.

    lane, s_on, d_on, heading_on, usable (agent, near): what `lanes_near` found and whether it may be driven; motion,
    speed, yaw_rate, reach (agent,): rad, m/s, rad/s, m. tuning: sigma of the offset m, of the heading rad, of the yaw
    rate rad/s, straightness rad, change look s, softness m, prior. Returns path (agent, mode, PATH_LANES), count,
    start m, weight, intent; weight 0: no such mode.
    """
    n, near = lane.shape
    size = (n, modes)
    path, count = np.zeros((n, modes, PATH_LANES), np.int64), np.zeros(size, np.int64)
    start, weight, intent = np.zeros(size), np.zeros(size), np.zeros(size, np.int64)
    found_path = np.zeros((PATHS, PATH_LANES), np.int64)
    found_count, found_weight = np.zeros(PATHS, np.int64), np.zeros(PATHS)
    for a in range(n):
        best, least = home_lane(lane[a], d_on[a], heading_on[a], usable[a], motion[a], tuning)
        if best < 0:
            continue
        home = lane[a, best]
        drift = speed[a] * math.sin(wrapped(motion[a] - heading_on[a, best]))
        to_left, to_right = change_weights(d_on[a, best], drift, half_width[home], tuning[4], tuning[5], tuning[6])
        to_left, to_right = to_left * (left[home] >= 0), to_right * (right[home] >= 0)
        for j in range(near):
            if not usable[a, j]:
                continue
            this = lane[a, j]
            misfit = misfit_to(d_on[a, j], heading_on[a, j], motion[a], tuning) - least
            base, what = start_weight(this, home, misfit, to_left, to_right, left, right, fork, successor)
            if base < 1e-3:
                continue
            found = branches(
                this, s_on[a, j], reach[a], tuning[3], first, s, heading, fork, successor, found_path, found_count,
                found_weight,
            )  # fmt: skip
            for p in range(found):
                index, share = locate(found_path[p], found_count[p], first, s, s_on[a, j] + speed[a])
                turned = wrapped(heading_at(index, share, heading) - heading_on[a, j])
                miss = (turned - yaw_rate[a]) / tuning[2] if speed[a] > 1.0 else 0.0
                value = base * found_weight[p] * max(math.exp(-0.5 * miss * miss), 1e-2)
                slot = insertion(weight[a], value)
                if slot == modes:
                    continue
                for k in range(modes - 1, slot, -1):
                    path[a, k], count[a, k], start[a, k] = path[a, k - 1], count[a, k - 1], start[a, k - 1]
                    weight[a, k], intent[a, k] = weight[a, k - 1], intent[a, k - 1]
                path[a, slot], count[a, slot], start[a, slot] = found_path[p], found_count[p], s_on[a, j]
                weight[a, slot], intent[a, slot] = value, what
                if what == KEEP:
                    end = s_on[a, j] + reach[a]
                    intent[a, slot] = turn_intent(found_path[p], found_count[p], end, turn, first, s, heading)
    return path, count, start, weight, intent
