"""Screening of a lattice: every path with every speed profile, its feasibility, cost and chance of collision.

One pass without candidates: what a pair drives is worked out, judged and forgotten. The chance of collision is that of
scoring, by the same kernels (`geometry/chance_lanes.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import njit

from behaviors_ros.datatypes import Array, Predictions
from behaviors_ros.geometry.angles import cos_sin
from behaviors_ros.geometry.chance import box_probability
from behaviors_ros.geometry.chance_lanes import LANES, ROW, meeting_span, mode_lanes, pair, within
from behaviors_ros.parameters import Parameters, Vehicle, value

CURVATURE, LATERAL, STEERING, WHEEL_BASE = range(4)  # entries of limits


class Cost(Parameters):
    """What a screened motion costs: means over time, each weight the cost of one unit squared."""

    jerk: float = value(0.1, "weight of the longitudinal jerk in m/s^3", low=0.0, high=100.0)
    lateral_jerk: float = value(0.2, "weight of the lateral jerk in m/s^3", low=0.0, high=100.0)
    deviation: float = value(0.2, "weight of the offset from the route in m", low=0.0, high=100.0)
    speed: float = value(0.3, "weight of the speed below or above the limit in m/s", low=0.0, high=100.0)


@dataclass(frozen=True, eq=False)
class Obstacles:
    """Modes of agents as boxes. axes: x, y, cos, sin of the frame in which they are pruned.

    lanes, spans: see `geometry/chance_lanes.py`; agent: modes of one agent in a row; half sizes m.
    """

    agent: Int[Array, "mode"]
    probability: Float[Array, "mode"]
    half_length: Float[Array, "mode"]
    half_width: Float[Array, "mode"]
    lanes: Float[Array, "mode 8 instant"]
    spans: Float[Array, "mode 8 block"]
    axes: Float[Array, "4"]


def obstacles(
    predictions: Predictions, chosen: Bool[Array, "agent mode"], axes: Float[Array, "4"],
    instants: Int[Array, "instant"], vehicle: Vehicle,
) -> Obstacles:  # fmt: skip
    """The chosen modes at the steps `instants`."""
    agent, mode = map(np.ascontiguousarray, np.nonzero(chosen))
    pose, spread = _states(
        agent, mode, instants, predictions.position, predictions.yaw, predictions.speed, predictions.covariance
    )
    half_length, half_width = 0.5 * predictions.length[agent], 0.5 * predictions.width[agent]
    radius = 0.5 * math.hypot(vehicle.length_m, vehicle.width_m)
    lanes, spans = mode_lanes(pose, spread, np.arange(len(instants)), axes, radius, half_length, half_width)
    return Obstacles(agent, predictions.probability[agent, mode], half_length, half_width, lanes, spans, axes)


@no_type_check
@njit(cache=True, error_model="numpy")
def _states(agent, mode, instants, position, yaw, speed, covariance):
    """x, y, cos, sin, speed (row, instant, 5) and covariance xx, xy, yy (row, instant, 3) of modes at the instants."""
    pose, spread = np.empty((len(agent), len(instants), 5)), np.empty((len(agent), len(instants), 3))
    for row in range(len(agent)):
        i, m = agent[row], mode[row]
        for k in range(len(instants)):
            step = instants[k]
            pose[row, k, 0], pose[row, k, 1] = position[i, m, step, 0], position[i, m, step, 1]
            pose[row, k, 2], pose[row, k, 3] = cos_sin(yaw[i, m, step])
            pose[row, k, 4] = speed[i, m, step]
            spread[row, k, 0], spread[row, k, 1] = covariance[i, m, step, 0, 0], covariance[i, m, step, 0, 1]
            spread[row, k, 2] = covariance[i, m, step, 1, 1]
    return pose, spread


def quartics(
    speed: float,
    acceleration: float,
    targets: Float[Array, "profile 2"],
    time_s: Float[Array, "step"],
    vehicle: Vehicle,
) -> tuple[Float[Array, "profile step 3"], Bool[Array, "profile"], Float[Array, "profile"]]:
    """Distance, speed and acceleration along a path that reach a target (speed m/s, time s) with no acceleration left,
    and go on so (Werling et al., ICRA 2010); whether the vehicle can; the mean of the squared jerk.
    """
    limits = np.array([
        vehicle.speed_max_mps, max(vehicle.acceleration_max_mps2, acceleration), -vehicle.deceleration_max_mps2,
        vehicle.jerk_max_mps3,
    ])  # fmt: skip
    return _quartics(float(speed), float(acceleration), targets, time_s, limits)


@no_type_check
@njit(cache=True, error_model="numpy")
def _quartics(speed, acceleration, targets, time_s, limits):
    """`quartics` within limits: largest speed, largest and least acceleration, largest jerk."""
    along, fits = np.empty((len(targets), len(time_s), 3)), np.ones(len(targets), np.bool_)
    jerk2 = np.zeros(len(targets))
    for j in range(len(targets)):
        end, duration = targets[j]
        gain = end - speed - acceleration * duration
        c3 = (3.0 * gain + acceleration * duration) / (3.0 * duration**2)
        c4 = -(acceleration * duration + 2.0 * gain) / (4.0 * duration**3)
        for k in range(len(time_s)):
            t, reaching = min(time_s[k], duration), time_s[k] < duration
            v = speed + t * (acceleration + t * (3.0 * c3 + 4.0 * t * c4))
            a = acceleration + t * (6.0 * c3 + 12.0 * t * c4) if reaching else 0.0
            jerk = 6.0 * c3 + 24.0 * t * c4 if reaching else 0.0
            along[j, k, 0] = t * (speed + t * (0.5 * acceleration + t * (c3 + t * c4))) + end * (time_s[k] - t)
            along[j, k, 1], along[j, k, 2] = max(v, 0.0), a
            fits[j] &= (v > -1e-9) & (v <= limits[0]) & (a <= limits[1]) & (a >= limits[2]) & (abs(jerk) <= limits[3])
            jerk2[j] += jerk * jerk
    return along, fits, jerk2 / len(time_s)


def limits_of(vehicle: Vehicle, lateral_acceleration_mps2: float, steering_share: float) -> Float[Array, "4"]:
    """Limits as `screen` takes them: curvature, lateral acceleration, steering rate, wheel base."""
    rate = steering_share * vehicle.steering_rate_max_radps
    return np.array([vehicle.curvature_max_1pm, lateral_acceleration_mps2, rate, vehicle.wheel_base_m])


@no_type_check
@njit(cache=True, nogil=True, error_model="numpy")
def screen(
    tables, along, rough, fits, jerk, dt, instants, offset, ego_length, ego_width, axes, agent, probability,
    half_length, half_width, states, spans, limits, weights, keep, keep_of_path, chance_max, cost, chance,
):  # fmt: skip
    """Fill cost and largest chance of collision (path, profile); infinite and NaN for what cannot be driven.

    tables (path, sample, 9) as in `Paths`; along (profile, step, 3), fits, jerk (profile,) as `quartics` gives them;
    rough: `along` at the steps, `dt` s apart, at which limits and cost are asked; instants: steps of `along`; offset:
    rear axle to box centre, m; half sizes; the modes as in `Obstacles`; weights as in `Cost`. keep: the chance is asked
    of the cheapest motions until so many are not above `chance_max`, `keep_of_path` of one path at most, and not on
    once it is above; 0: of all. Where it is not asked it is NaN. Feasible: within the limits at every step, or no worse
    than now where now is beyond them.
    """
    steps, count = along.shape[1], len(instants)
    filled = (count + ROW - 1) // ROW * ROW
    at = np.empty((6, steps))  # x, y, yaw, curvature, offset from the route, speed limit
    own, around = np.empty((1, 4, filled)), np.empty((1, 6, filled // LANES))
    found, of_agent, free = np.empty(filled), np.zeros(filled), np.empty(filled)
    turns, swept = np.empty((len(tables), 2, tables.shape[1])), np.empty((1, 6, filled // LANES))
    close, close_count = np.empty((len(tables), len(agent)), np.int64), np.full(len(tables), -1)
    ends, hit = extents(along, instants, filled), np.full(2, -1)
    costs(tables, turns, rough, fits, jerk, dt, limits, weights, cost)
    chance[:] = np.nan
    kept, safe = np.zeros(len(tables), np.int64), 0
    ceiling = chance_max if keep else np.inf
    for flat in np.argsort(cost.ravel()) if keep else np.arange(cost.size):
        p, j = flat // len(along), flat % len(along)
        if keep and (safe == keep or cost[p, j] == np.inf):
            break
        if cost[p, j] == np.inf or (keep and kept[p] == keep_of_path):
            continue
        if close_count[p] < 0:
            sweep(tables, p, turns[p], ends, offset, axes, swept)
            close_count[p] = met(swept, spans, ego_length, ego_width, half_length, half_width, close[p])
        m, k = hit[0], min(hit[1], count - 1)
        if m >= 0:
            # Who is in the way of one motion at an instant mostly is in that of the next: a lower bound, asked first.
            follow(tables, p, turns[p], along, j, instants[k : k + 1], at)
            least = probability[m] * chance_at(
                at, instants[k], offset, states, m, k, ego_length, ego_width, half_length[m], half_width[m]
            )
            if least > ceiling:
                chance[p, j] = least
                continue
        follow(tables, p, turns[p], along, j, instants, at)
        place(at, instants, offset, axes, own, around)
        chance[p, j] = worst_chance(
            own, around, close[p], close_count[p], agent, probability, half_length, half_width, states, spans,
            ego_length, ego_width, found, of_agent, free, ceiling, hit,
        )  # fmt: skip
        kept[p] += chance[p, j] <= chance_max
        safe += chance[p, j] <= chance_max


@no_type_check
@njit(cache=True, nogil=True, error_model="numpy")
def costs(tables, turns, rough, fits, jerk, dt, limits, weights, cost):
    """Fill cost (path, profile) as `screen` does, and turns (path, 2, sample): cos and sin of the paths' yaw."""
    at, every = np.empty((6, rough.shape[1])), np.arange(rough.shape[1])
    cost[:] = np.inf
    for p in range(len(tables)):
        for k in range(tables.shape[1]):
            turns[p, 0, k], turns[p, 1, k] = cos_sin(tables[p, k, 4])
        for j in range(len(rough)):
            if fits[j]:
                follow(tables, p, turns[p], rough, j, every, at)
                if beyond(at, rough, j, dt, limits) == 0:
                    cost[p, j] = weights[0] * jerk[j] + comfort(at, rough, j, dt, weights)


@no_type_check
@njit(cache=True, error_model="numpy")
def met(swept, spans, ego_length, ego_width, half_length, half_width, close):
    """How many modes may be met on a path, and which: into `close`."""
    count = 0
    for m in range(len(half_length)):
        low, high = meeting_span(swept, 0, spans, m, ego_length, ego_width, half_length[m], half_width[m])
        if low < high:
            close[count] = m
            count += 1
    return count


@no_type_check
@njit(cache=True, error_model="numpy")
def chance_at(at, step, offset, states, m, k, ego_length, ego_width, length, width):
    """Chance of contact with mode m at its instant k, which is `step` of the motion in `at`."""
    c, s = cos_sin(at[2, step])
    dx, dy = states[m, 0, k] - at[0, step] - offset * c, states[m, 1, k] - at[1, step] - offset * s
    return box_probability(
        dx, dy, c, s, states[m, 2, k], states[m, 3, k], states[m, 4, k], states[m, 5, k], states[m, 6, k], ego_length,
        ego_width, length, width,
    )  # fmt: skip


@no_type_check
@njit(cache=True, error_model="numpy")
def worst_chance(
    own, around, close, count_close, agent, probability, half_length, half_width, states, spans, ego_length, ego_width,
    found, of_agent, free, ceiling, hit,
):  # fmt: skip
    """Largest chance of collision over the instants of the motion in `own`, with the modes in `close`; of a part of
    them where that is above `ceiling` already. Mode and instant that alone are above it are left in `hit`.

    Modes of an agent exclude each other, agents are independent, as in scoring. found, of_agent, free: work.
    """
    free[:], of_agent[:] = 1.0, 0.0
    touched, worst = False, 0.0
    for nth in range(count_close):
        m = close[nth]
        length, width = half_length[m], half_width[m]
        low, high = meeting_span(around, 0, spans, m, ego_length, ego_width, length, width)
        if low < high and within(own, states, 0, m, low, high, ego_length, ego_width, length, width) > 0:
            touched = True
            pair(own, states, found, 0, m, low, high, ego_length, ego_width, length, width)
            for k in range(low, high):
                of_agent[k] += probability[m] * found[k]
            k = low + np.argmax(found[low:high])
            if probability[m] * found[k] > ceiling:
                hit[0], hit[1] = m, k
                return probability[m] * found[k]
        if touched and (nth + 1 == count_close or agent[close[nth + 1]] != agent[m]):
            touched = False
            for k in range(len(free)):
                free[k] *= 1.0 - min(of_agent[k], 1.0)
                of_agent[k] = 0.0
                worst = max(worst, 1.0 - free[k])
            if worst > ceiling:
                return worst
    return worst


@no_type_check
@njit(cache=True, error_model="numpy")
def extents(along, instants, filled):
    """Least and largest distance (2, block), m, that any profile has travelled in each block of instants."""
    out = np.empty((2, filled // LANES))
    out[0], out[1] = np.inf, -np.inf
    for k in range(filled):
        step, block = instants[min(k, len(instants) - 1)], k // LANES
        for j in range(len(along)):
            out[0, block] = min(out[0, block], along[j, step, 0])
            out[1, block] = max(out[1, block], along[j, step, 0])
    return out


@no_type_check
@njit(cache=True, error_model="numpy")
def sweep(tables, p, turns, ends, offset, axes, around):
    """What is around path p between the extents of each block, as `place` gives it for one motion."""
    ox, oy, oc, os, samples = axes[0], axes[1], axes[2], axes[3], tables.shape[1]
    for b in range(around.shape[2]):
        low_x, low_y, high_x, high_y, least, most = np.inf, np.inf, -np.inf, -np.inf, 1.0, 0.0
        first = min(max(np.searchsorted(tables[p, :, 0], ends[0, b]) - 1, 0), samples - 1)
        last = min(np.searchsorted(tables[p, :, 0], ends[1, b]), samples - 1)
        beyond = max(ends[1, b] - tables[p, samples - 1, 0], 0.0)
        for k in range(first, last + 1):
            c, s = turns[0, k], turns[1, k]
            for on in (offset, offset + beyond):
                dx, dy = tables[p, k, 2] + on * c - ox, tables[p, k, 3] + on * s - oy
                x, y = dx * oc + dy * os, dy * oc - dx * os
                low_x, high_x, low_y, high_y = min(low_x, x), max(high_x, x), min(low_y, y), max(high_y, y)
            least, most = min(least, c * oc + s * os), max(most, abs(s * oc - c * os))
        around[0, 0, b], around[0, 1, b], around[0, 2, b], around[0, 3, b] = low_x, low_y, high_x, high_y
        around[0, 4, b], around[0, 5, b] = least, most


@no_type_check
@njit(cache=True, error_model="numpy")
def follow(tables, p, turns, along, j, steps, at):
    """What path p is at the distances of profile j at some steps, in ascending order: cubic in position and yaw,
    straight on beyond the path.
    """
    last, k = tables.shape[1] - 2, 0
    density = (last + 1) / max(tables[p, last + 1, 0], 1e-9)
    for i in steps:
        x = along[j, i, 0]
        k = max(k, min(int(x * density) - 1, last))
        while k > 0 and tables[p, k, 0] > x:
            k -= 1
        while k < last and tables[p, k + 1, 0] < x:
            k += 1
        h = tables[p, k + 1, 0] - tables[p, k, 0]
        u = min((x - tables[p, k, 0]) / h, 1.0)
        on = max(x - tables[p, k + 1, 0], 0.0)
        h2 = u * u * (3.0 - 2.0 * u)
        h0, h1, h3 = 1.0 - h2, u * (1.0 - u) ** 2 * h, u * u * (u - 1.0) * h
        at[0, i] = h0 * tables[p, k, 2] + h1 * turns[0, k] + h2 * tables[p, k + 1, 2] + (h3 + on) * turns[0, k + 1]
        at[1, i] = h0 * tables[p, k, 3] + h1 * turns[1, k] + h2 * tables[p, k + 1, 3] + (h3 + on) * turns[1, k + 1]
        at[2, i] = h0 * tables[p, k, 4] + h1 * tables[p, k, 5] + h2 * tables[p, k + 1, 4] + h3 * tables[p, k + 1, 5]
        at[3, i] = tables[p, k, 5] + u * (tables[p, k + 1, 5] - tables[p, k, 5])
        at[4, i] = tables[p, k, 7] + u * (tables[p, k + 1, 7] - tables[p, k, 7])
        at[5, i] = tables[p, k, 8] + u * (tables[p, k + 1, 8] - tables[p, k, 8])


@no_type_check
@njit(cache=True, error_model="numpy")
def beyond(at, along, j, dt, limits):
    """Number of steps and intervals beyond a limit: curvature, lateral acceleration, steering rate.

    |atan x - atan y| <= |x - y| / (1 + min(x^2, y^2)) spares the arc tangents, and errs on the safe side by less than
    the change of the denominator within a step.
    """
    base, count = limits[WHEEL_BASE], 0
    k, v = abs(at[3, 0]), along[j, 0, 1]
    curvature, lateral = max(limits[CURVATURE], k), max(limits[LATERAL], k * v * v)
    for i in range(at.shape[1]):
        k, v = abs(at[3, i]), along[j, i, 1]
        count += (k > curvature) | (k * v * v > lateral)
    for i in range(at.shape[1] - 1):
        x, y = base * at[3, i], base * at[3, i + 1]
        count += abs(y - x) > limits[STEERING] * dt * (1.0 + min(x * x, y * y))
    return count


@no_type_check
@njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc"})
def comfort(at, along, j, dt, weights):
    """Cost of lateral jerk, offset and speed: means over time of their squares, weighed."""
    steps = at.shape[1]
    lateral_jerk, deviation, speed = 0.0, 0.0, 0.0
    for i in range(steps):
        deviation += at[4, i] * at[4, i]
        slow = along[j, i, 1] - at[5, i]
        speed += slow * slow
    for i in range(steps - 1):
        change = at[3, i + 1] * along[j, i + 1, 1] * along[j, i + 1, 1] - at[3, i] * along[j, i, 1] * along[j, i, 1]
        lateral_jerk += change * change
    lateral_jerk /= dt * dt * max(steps - 1, 1)
    return weights[1] * lateral_jerk + (weights[2] * deviation + weights[3] * speed) / steps


@no_type_check
@njit(cache=True, error_model="numpy")
def place(at, instants, offset, axes, own, around):
    """Centres, cos and sin at the instants into `own` (1, 4, instant), filled up with the last one; what is around each
    block of them into `around` (1, 6, block), as `meeting_span` takes it.
    """
    filled, count = own.shape[2], len(instants)
    for k in range(filled):
        i = instants[min(k, count - 1)]
        own[0, 0, k], own[0, 1, k], own[0, 2, k] = at[0, i], at[1, i], at[2, i]
    for k in range(filled):
        c, s = cos_sin(own[0, 2, k])
        own[0, 2, k], own[0, 3, k] = c, s
        own[0, 0, k] += offset * c
        own[0, 1, k] += offset * s
    ox, oy, oc, os = axes[0], axes[1], axes[2], axes[3]
    for b in range(around.shape[2]):
        low_x, low_y, high_x, high_y, least, most = np.inf, np.inf, -np.inf, -np.inf, 1.0, 0.0
        for k in range(b * LANES, (b + 1) * LANES):
            dx, dy, c, s = own[0, 0, k] - ox, own[0, 1, k] - oy, own[0, 2, k], own[0, 3, k]
            x, y = dx * oc + dy * os, dy * oc - dx * os
            low_x, high_x, low_y, high_y = min(low_x, x), max(high_x, x), min(low_y, y), max(high_y, y)
            least, most = min(least, c * oc + s * os), max(most, abs(s * oc - c * os))
        around[0, 0, b], around[0, 1, b], around[0, 2, b], around[0, 3, b] = low_x, low_y, high_x, high_y
        around[0, 4, b], around[0, 5, b] = least, most
