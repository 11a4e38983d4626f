"""The smoothest speed profile near a candidate's: piecewise constant jerk, within bounds of place, speed, braking."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array
from behaviors_ros.generation import agents as columns
from behaviors_ros.generation.piecewise_jerk import Problem, solved, states
from behaviors_ros.generation.profiles import envelope
from behaviors_ros.generation.situation import Situation
from behaviors_ros.parameters import Parameters, value


class SmoothSpeed(Parameters):
    """What is weighed, and how far the profile may depart from the candidate's."""

    intervals: int = value(15, "stretches of constant jerk", low=4, high=60)
    ahead_m: float = value(1.5, "farthest ahead of the candidate", low=0.0, high=20.0)
    behind_m: float = value(3.0, "farthest behind the candidate on the way", low=0.0, high=20.0)
    behind_at_end_m: float = value(0.3, "farthest behind the candidate at the end", low=0.0, high=20.0)
    gap_m: float = value(2.0, "gap to an agent ahead that is not made smaller", low=0.2, high=10.0)
    deceleration_mps2: float = value(2.0, "strongest braking, unless the candidate brakes harder", low=0.2, high=6.0)
    acceleration_mps2: float = value(1.4, "largest acceleration, unless the candidate's is larger", low=0.2, high=4.0)
    jerk_mps3: float = value(2.0, "largest jerk", low=0.2, high=10.0)
    lateral_mps2: float = value(2.0, "lateral acceleration, unless the candidate's is larger", low=0.3, high=6.0)
    speed_weight_1ps: float = value(0.5, "weight of a speed difference of 1 m/s against 1 m/s2", low=0.0, high=10.0)
    jerk_weight_s: float = value(1.0, "weight of 1 m/s3 against 1 m/s2", low=0.01, high=10.0)


def smooth_speed(
    situation: Situation, table: Float[Array, "sample 9"], seed: Float[Array, "step 3"], rules: SmoothSpeed
) -> Float[Array, "step 3"] | None:
    """Distance along a path, speed and acceleration on the grid; None where the solver finds none.

    table: the path, as in `Paths`; seed: distance along it, speed and acceleration of the candidate. A candidate that
    halts does so at the same time and place.
    """
    time, halts = situation.grid.time_s, seed[-1, 1] < 1e-3
    until = float(time[int(np.argmax(seed[:, 1] < 1e-3))]) if halts else situation.grid.horizon_s
    if until < 1.0:
        return None
    count = rules.intervals
    step = until / count
    knots = step * np.arange(1, count + 1)
    place, speed = np.interp(knots, time, seed[:, 0]), np.interp(knots, time, seed[:, 1])
    low, high = _bounds(situation, table, seed, place, speed, knots, rules)
    weights = np.array([0.0, rules.speed_weight_1ps, 1.0, rules.jerk_weight_s]) ** 2
    problem = Problem(
        start=seed[0], step=step, weights=np.tile(weights, (count, 1)),
        wanted=np.column_stack((place, speed, np.zeros((count, 2)))), low=low, high=high,
        end=np.array([seed[-1, 0], 0.0, 0.0]) if halts else None,
    )  # fmt: skip
    jerks = solved(problem)
    if jerks is None:
        return None
    out = states(seed[0], step, jerks, np.minimum(time, until))
    if halts:
        out[time >= until - 1e-9] = seed[-1, 0], 0.0, 0.0
    if out[:, 1].min() < -0.02 or np.diff(out[:, 0]).min() < -1e-3:
        return None
    np.maximum(out[:, 1], 0.0, out=out[:, 1])
    return out


def _bounds(
    situation: Situation, table: Array, seed: Array, place: Array, speed: Array, knots: Array, rules: SmoothSpeed
) -> tuple[Float[Array, "knot 4"], Float[Array, "knot 4"]]:
    """Lowest and highest distance, speed and acceleration at the knots, and jerk before them."""
    driving, vehicle, top = situation.driving, situation.vehicle, np.empty((1, len(table)))
    turning = driving.steering_share * vehicle.steering_rate_max_radps
    envelope(
        table[None], rules.lateral_mps2, turning, vehicle.wheel_base_m, vehicle.speed_max_mps,
        driving.deceleration_mps2, top,
    )  # fmt: skip
    fastest = np.maximum(np.interp(place, table[:, 0], top[0]), speed + 0.05)
    farthest = np.maximum(np.minimum(place + rules.ahead_m, _behind_leads(situation, table, knots, rules)), place)
    braking = min(-rules.deceleration_mps2, float(seed[:, 2].min()) - 0.05)
    pushing = max(rules.acceleration_mps2, float(seed[:, 2].max()) + 0.05)
    none = np.zeros(len(knots))
    low = np.column_stack((place - rules.behind_m, none, none + braking, none - rules.jerk_mps3))
    low[-1, 0] = place[-1] - rules.behind_at_end_m
    high = np.column_stack((farthest + 0.02, fastest, none + pushing, none + rules.jerk_mps3))
    return low, high


def _behind_leads(situation: Situation, table: Array, knots: Array, rules: SmoothSpeed) -> Float[Array, " knot"]:
    """Farthest distance along the path at each knot that leaves the gap to those ahead on the path."""
    out = np.full(len(knots), np.inf)
    if not len(situation.agents):
        return out
    steps = np.minimum((knots / situation.grid.dt_s).round().astype(int), situation.grid.steps - 1)
    along = situation.agents.along[:, steps]
    rear = along[..., columns.REAR] - situation.front_m - rules.gap_m
    at = np.interp(along[..., columns.REAR], table[:, 1], table[:, 7])
    half = 0.5 * situation.vehicle.width_m + situation.driving.lateral_gap_m
    beside = (along[..., columns.RIGHT] > at + half) | (along[..., columns.LEFT] < at - half)
    ahead = along[..., columns.CENTRE] > situation.station + situation.front_m
    rear = np.where(~beside & ahead, rear, np.inf).min(axis=0)
    return np.where(np.isfinite(rear), np.interp(rear, table[:, 1], table[:, 0]), np.inf)
