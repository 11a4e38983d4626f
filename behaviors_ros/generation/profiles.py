"""Speed profiles along a path: jerk-limited driving under limits, behind leads, and stops that end exactly at a place.

A stop is three stretches of constant jerk: build up braking, hold it, release it so that acceleration and speed reach
zero together. Driving integrates one step of constant jerk at a time. Distance, speed and acceleration are exact
integrals of the jerk, so a profile is consistent at any speed.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from numba import njit

from behaviors_ros.datatypes import Array

DRIVE, HALT, BRAKE = 0, 1, 2  # follow the limits; and halt after a length; brake from now on
MODE, PATH, SPEED, STRENGTH, JERK, LENGTH, STOP_DECELERATION, STOP_JERK, LEADS = range(9)  # columns of specs
COMFORT, HARD, HARDEST, JERK_MAX, PREVIEW, HEADWAY, HOLD, RESTART, BUMPER, CENTRE = range(10)  # of rules


@no_type_check
@njit(cache=True)
def stop_phases(speed: float, acceleration: float, braking: float, jerk: float, out: Array) -> None:  # pragma: no cover
    """Durations and jerks (t1, j1, t2, t3, j3) of a stop from (speed, acceleration) with at most `braking` and `jerk`.

    With peak braking p: the build-up changes the speed by (a^2 - p^2) / 2j, the release by -p^2 / 2j. A braking too
    strong to be released in time is released faster, at a^2 / 2v, which reaches zero acceleration and speed together.
    """
    if acceleration < 0.0 and speed <= acceleration * acceleration / (2.0 * jerk):
        out[0] = out[1] = out[2] = 0.0
        out[3] = 2.0 * speed / -acceleration
        out[4] = acceleration * acceleration / (2.0 * speed) if speed > 0.0 else 0.0
        return
    peak = min(braking, math.sqrt(jerk * speed + 0.5 * acceleration * acceleration))
    if acceleration < -peak:
        out[0], out[1] = (-peak - acceleration) / jerk, jerk
        left = speed - acceleration * acceleration / (2.0 * jerk)
    else:
        out[0], out[1] = (acceleration + peak) / jerk, -jerk
        left = speed + acceleration * acceleration / (2.0 * jerk) - peak * peak / jerk
    out[2] = max(left, 0.0) / peak if peak > 0.0 else 0.0
    out[3], out[4] = peak / jerk, jerk


@no_type_check
@njit(cache=True)
def stop_state(speed: float, acceleration: float, phases: Array, time: float) -> tuple:  # pragma: no cover
    """(distance, speed, acceleration) at `time` after the begin of a stop; it holds still from its end on."""
    d, v, a, left = 0.0, speed, acceleration, time
    for phase in range(3):
        t = phases[0] if phase == 0 else (phases[2] if phase == 1 else phases[3])
        j = phases[1] if phase == 0 else (0.0 if phase == 1 else phases[4])
        t = min(t, left)
        d += t * (v + t * (0.5 * a + t * j / 6.0))
        v += t * (a + 0.5 * t * j)
        a += t * j
        left -= t
        if left <= 0.0:
            return d, max(v, 0.0), a
    return d, 0.0, 0.0


@no_type_check
@njit(cache=True)
def stop_distance(
    speed: float, acceleration: float, braking: float, jerk: float, work: Array
) -> float:  # pragma: no cover
    """Distance of a stop, m."""
    stop_phases(speed, acceleration, braking, jerk, work)
    return stop_state(speed, acceleration, work, 1e9)[0]


@no_type_check
@njit(cache=True)
def stop_time(speed: float, acceleration: float, braking: float, jerk: float, work: Array) -> float:  # pragma: no cover
    """Duration of a stop, s."""
    stop_phases(speed, acceleration, braking, jerk, work)
    return work[0] + work[2] + work[3]


@no_type_check
@njit(cache=True)
def fitted(
    speed: float, acceleration: float, braking: float, jerk: float, length: float, hardest: float, jerk_max: float,
    work: Array,
) -> bool:  # pragma: no cover  # fmt: skip
    """Scale braking and jerk together so that the stop takes exactly `length`; False when none is short enough."""
    low, high = 0.2, max(hardest / braking, jerk_max / jerk)
    if stop_distance(speed, acceleration, min(high * braking, hardest), min(high * jerk, jerk_max), work) > length:
        return False
    for _ in range(40):
        scale = 0.5 * (low + high)
        if (
            stop_distance(speed, acceleration, min(scale * braking, hardest), min(scale * jerk, jerk_max), work)
            > length
        ):
            low = scale
        else:
            high = scale
    stop_phases(speed, acceleration, min(high * braking, hardest), min(high * jerk, jerk_max), work)
    return True


@no_type_check
@njit(cache=True)
def envelope(
    tables: Array, lateral: float, turning: float, wheel_base: float, speed_max: float, braking: float, out: Array
) -> None:  # pragma: no cover
    """Highest speed at every sample of every path: limit, curve, and what can still be braked for what follows.

    A curve limits by lateral acceleration, v^2 |k|, and by the rate of the wheel angle atan(L k),
    v L |dk/ds| / (1 + L^2 k^2). The distance is braked with four fifths of `braking`: the rest is for the build-up.
    """
    for p in range(tables.shape[0]):
        following = 1e9
        for k in range(tables.shape[1] - 1, -1, -1):
            row = tables[p, k]
            top = min(row[8], speed_max, math.sqrt(lateral / max(abs(row[5]), 1e-6)))
            if k < tables.shape[1] - 1:
                after = tables[p, k + 1]
                bending = wheel_base * abs(after[5] - row[5]) / (after[0] - row[0]) / (1.0 + (wheel_base * row[5]) ** 2)
                top = min(top, max(turning / max(bending, 1e-6), 1.0))
            if k < tables.shape[1] - 1:
                top = min(top, math.sqrt(following**2 + 1.6 * braking * (tables[p, k + 1, 0] - row[0])))
            out[p, k] = top
            following = top


@no_type_check
@njit(cache=True)
def _at(xs: Array, ys: Array, x: float, k: int) -> tuple:  # pragma: no cover
    """(ys at x by linear interpolation searching from index k, index); constant beyond both ends."""
    last = xs.shape[0] - 2
    while k > 0 and xs[k] >= x:
        k -= 1
    while k < last and xs[k + 1] < x:
        k += 1
    u = min(max((x - xs[k]) / (xs[k + 1] - xs[k]), 0.0), 1.0)
    return ys[k] + u * (ys[k + 1] - ys[k]), k


@no_type_check
@njit(cache=True)
def _begins(spec: Array, x: float, v: float, a: float, rules: Array, work: Array) -> int:  # pragma: no cover
    """Whether the stop of a profile begins now (1), later (0), or cannot end at its place any more (-1).

    It begins once nine tenths of its strength are needed. A braking under way that ends at the place to within
    0.03 m is taken up as it is, so that a stop is the same one in each cycle.
    """
    braking, jerk = spec[STOP_DECELERATION], spec[STOP_JERK]
    if spec[MODE] == BRAKE:
        stop_phases(v, a, braking, jerk, work)
        return 1
    left = spec[LENGTH] - x
    if v == 0.0 and a <= 0.0 and left < rules[HOLD]:
        work[:] = 0.0
        return 1
    if a < 0.0 and abs(stop_distance(v, a, -a, -a * jerk / braking, work) - left) < 0.03:
        return 1
    if stop_distance(v, a, 0.9 * braking, 0.9 * jerk, work) < left:
        harder = max(1.0, -a / braking)
        if harder == 1.0 or stop_distance(v, a, harder * braking, harder * jerk, work) < left:
            return 0
    return 1 if fitted(v, a, braking, jerk, left, rules[HARDEST], rules[JERK_MAX], work) else -1


@no_type_check
@njit(cache=True)
def _hasty(
    phases: Array, x: float, v: float, a: float, lengths: Array, limits: Array, k: int, dt: float, steps: int
) -> bool:  # pragma: no cover
    """Whether a stop begun now would take a curve before its end faster than the limits, by more than 0.3 m/s."""
    for i in range(steps):
        d, speed, _ = stop_state(v, a, phases, i * dt)
        top, k = _at(lengths, limits, x + d, k)
        if speed > top + 0.3:
            return True
    return False


@no_type_check
@njit(cache=True)
def _too_early(
    spec: Array, phases: Array, x: float, v: float, a: float, lengths: Array, limits: Array, k: int, dt: float,
    steps: int, work: Array,
) -> bool:  # pragma: no cover  # fmt: skip
    """Whether a halt, begun now, is hasty while it may still begin later and be half as strong again."""
    if spec[MODE] != HALT:
        return False
    harder = stop_distance(v, a, 1.5 * spec[STOP_DECELERATION], 1.5 * spec[STOP_JERK], work)
    return harder < spec[LENGTH] - x and _hasty(phases, x, v, a, lengths, limits, k, dt, steps)


@no_type_check
@njit(cache=True)
def _follow(
    met: Array,
    occupied: Array,
    agents: Array,
    gaps: Array,
    i: int,
    station: float,
    v: float,
    strength: float,
    rules: Array,
) -> tuple:  # pragma: no cover
    """(acceleration, agent) of the intelligent driver model behind the tightest lead now or shortly; agent -1: none.

    met: agents that are on the path at some time, then -1. The model brakes harder than it must when it meets a lead
    late: held to one and a half times what is needed.
    """
    least, lead = 1e9, -1
    smooth = 2.0 * math.sqrt(strength * rules[COMFORT])
    for n in met:
        if n < 0:
            break
        if gaps[n] < 0.0:
            continue
        for later in (0, 8, 15):
            t = i + later
            if t >= occupied.shape[1] or not occupied[n, t] or agents[n, t, 2] < station + rules[CENTRE]:
                continue
            gap = max(agents[n, t, 0] - station - rules[BUMPER], 0.1)
            closing = v * rules[HEADWAY] + v * (v - max(agents[n, t, 3], 0.0)) / smooth
            wanted = strength * (1.0 - ((gaps[n] + max(closing, 0.0)) / gap) ** 2)
            needed = max(v - max(agents[n, t, 3], 0.0), 0.0) ** 2 / (2.0 * max(gap - 0.5 * gaps[n], 0.1))
            wanted = max(wanted, -max(rules[COMFORT], 1.5 * needed))
            if wanted < least:
                least, lead = wanted, n
    return least, lead


@no_type_check
@njit(cache=True)
def _stepped(x: float, v: float, a: float, wanted: float, jerk: float, dt: float) -> tuple:  # pragma: no cover
    """(distance, speed, acceleration) a step later, on the way to the wanted acceleration; never below standstill."""
    j = min(max((wanted - a) / dt, -jerk), jerk)
    speed = v + dt * (a + 0.5 * dt * j)
    if speed <= 0.0:
        return x + 0.5 * v * dt, 0.0, 0.0
    return x + dt * (v + dt * (0.5 * a + dt * j / 6.0)), speed, a + dt * j


@no_type_check
@njit(cache=True)
def _met(occupied: Array) -> Array:  # pragma: no cover
    """Agents that are on each path at some time, in their order, then -1 (path, agent + 1)."""
    out = np.full((occupied.shape[0], occupied.shape[1] + 1), -1)
    for p in range(occupied.shape[0]):
        count = 0
        for n in range(occupied.shape[1]):
            for i in range(occupied.shape[2]):
                if occupied[p, n, i]:
                    out[p, count] = n
                    count += 1
                    break
    return out


@no_type_check
@njit(cache=True)
def drive(
    specs: Array, state: Array, tables: Array, limits: Array, occupied: Array, agents: Array, gaps: Array,
    rules: Array, dt: float, out: Array, lead: Array, valid: Array,
) -> None:  # pragma: no cover  # fmt: skip
    """Fill `out` (candidate, step, 3): distance along the path, speed, acceleration; `lead`: the agent followed or -1.

    specs (candidate, 9), see the column names; state: speed, acceleration; occupied (path, agent, step); agents (agent,
    step, 4 or more): rear, front and centre station, speed along; gaps (way of following, agent): gap at standstill,
    negative: not followed; a spec's LEADS is 0 or the way plus one; rules: see the column names. `valid` is False for a
    halt that cannot be reached any more or is not begun within the horizon.
    """
    work, fallback, met = np.empty(5), np.empty(5), _met(occupied)
    lengths, stations = np.ascontiguousarray(tables[:, :, 0]), np.ascontiguousarray(tables[:, :, 1])
    for c in range(specs.shape[0]):
        # A view of an array costs as much as a step of a profile: they are taken once.
        spec, p = specs[c], int(specs[c, PATH])
        length, station_at, limit, on_path, who = lengths[p], stations[p], limits[p], occupied[p], met[p]
        kept = gaps[max(int(spec[LEADS]) - 1, 0)]
        x, v, a = 0.0, state[0], state[1]
        k, k_top, k_near, begun, tightest = 0, 0, 0, -1, 1e9
        from_x, from_v, from_a = x, v, a
        lead[c], valid[c] = -1, spec[MODE] != HALT
        for i in range(out.shape[1]):
            if begun < 0 and spec[MODE] != DRIVE:
                begins = _begins(spec, x, v, a, rules, work)
                if begins > 0 and _too_early(spec, work, x, v, a, length, limit, k, dt, out.shape[1] - i, fallback):
                    begins = 0
                if begins < 0:
                    break
                if begins > 0:
                    begun, from_x, from_v, from_a = i, x, v, a
                    valid[c] = True
            if begun >= 0:
                d, v, a = stop_state(from_v, from_a, work, (i - begun) * dt)
                out[c, i, 0], out[c, i, 1], out[c, i, 2] = from_x + d, v, a
                continue
            out[c, i, 0], out[c, i, 1], out[c, i, 2] = x, v, a
            top, k_top = _at(length, limit, x + v * rules[PREVIEW], k_top)
            near, k_near = _at(length, limit, x + 0.4 * v * rules[PREVIEW], k_near)
            station, k = _at(length, station_at, x, k)
            strength = spec[STRENGTH]
            wanted = max((spec[SPEED] - v) / rules[PREVIEW], -strength)
            wanted = min(wanted, (top - v) / rules[PREVIEW], (near - v) / (0.4 * rules[PREVIEW]))
            # Far too fast for what follows, a curve mostly, the hard braking of ordinary profiles would come too late.
            wanted = max(wanted, -max(rules[HARD], min(0.6 * (v - top), rules[HARDEST])))
            if spec[LEADS] > 0.0:
                follow, agent = _follow(who, on_path, agents, kept, i, station, v, strength, rules)
                if follow < wanted:
                    wanted = max(follow, -rules[HARDEST])
                    if follow < tightest:
                        tightest, lead[c] = follow, agent
            wanted = min(wanted, strength)
            if v == 0.0 and wanted < rules[RESTART]:
                a = 0.0
                continue
            ordinary = wanted > -0.75 * rules[HARD]
            if ordinary:  # braking harder than half the jerk releases until standstill would end in a jolt
                wanted = max(wanted, -math.sqrt(spec[JERK] * max(v + 0.5 * dt * a, 0.0)))
            jerk = spec[JERK] if ordinary else rules[JERK_MAX]
            x, v, a = _stepped(x, v, a, wanted, jerk, dt)
