"""What a learned model answers, as modes on the grid: positions between the knots, yaw from motion, covariances.

Between the knots a cubic Hermite spline whose tangents are limited as Fritsch and Carlson 1980 limit them, so that who
stops does not swing back; beyond the last knot the last velocity goes on. The yaw turns with the motion, by no more
than a distance driven allows: who stands does not spin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float
from numba import njit

from behaviors_ros.datatypes import VEHICLES, Array, Grid, Intent, among
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.agents import Agents, Modes
from behaviors_ros.prediction.learned_features import FeatureSchema


class Plausible(Parameters):
    """What an answer of a model must be to be used, mode by mode, and how yaw follows motion."""

    speed_mps: float = value(100.0, "who is faster is not shown to the model", low=1.0, high=1000.0)
    acceleration_mps2: float = value(
        10.0, "no position is further from constant velocity than this allows", low=1.0, high=100.0
    )
    slack_m: float = value(2.0, "and this besides", low=0.1, high=50.0)
    probability: float = value(0.5, "least probability of the modes that can be used", low=0.01, high=1.0)
    deviation_low_m: float = value(0.001, "least standard deviation of a position", low=1e-6, high=1.0)
    deviation_high_m: float = value(200.0, "largest standard deviation of a position", low=1.0, high=1e4)
    floor_m: float = value(0.1, "standard deviation now, besides the track's own", low=0.01, high=5.0)
    vehicle_curvature_1pm: float = value(0.25, "most that a vehicle's yaw turns with distance", low=0.01, high=10.0)
    other_curvature_1pm: float = value(1.0, "most that the yaw of others turns with distance", low=0.01, high=10.0)
    turn_rad: float = value(0.79, "a vehicle that turns by more turns left or right", low=0.1, high=3.0)
    stop_mps: float = value(0.5, "who is slower at the end stops", low=0.0, high=3.0)


@dataclass(frozen=True, eq=False)
class Answer:
    """What the model said of some agents: in their frames, at the knots."""

    probability: Float[Array, "agent mode"]
    position: Float[Array, "agent mode knot 2"]
    spread: Float[Array, "agent mode knot 3"]

    def take(self, chosen: Bool[Array, "agent"]) -> Answer:
        """The chosen agents'."""
        return Answer(**{name: array[chosen] for name, array in vars(self).items()})


@dataclass(frozen=True, eq=False)
class Frames:
    """The agents' frames in the map: origin m, yaw rad of x; and their speed along it now, m/s."""

    origin: Float[Array, "agent 2"]
    yaw: Float[Array, "agent"]
    speed: Float[Array, "agent"]

    def take(self, chosen: Bool[Array, "agent"]) -> Frames:
        """The chosen agents'."""
        return Frames(**{name: array[chosen] for name, array in vars(self).items()})


def usable(
    answer: Answer, speed: Float[Array, "agent"], schema: FeatureSchema, values: Plausible
) -> tuple[Bool[Array, "agent"], Answer]:
    """Whose answer can be used: finite, a distribution, and enough of it in modes that can be; and the answer with the
    probability of the others 0: positions that cannot be reached, spreads that mean nothing.
    """
    time_s = schema.future_dt_s * np.arange(1, schema.future_steps + 1)
    with np.errstate(invalid="ignore", over="ignore"):
        total = answer.probability.sum(axis=1)
        distributed = (answer.probability >= 0.0).all(axis=1) & (np.abs(total - 1.0) < 1e-3)
        ahead = answer.position[..., 0] - speed[:, None, None] * time_s
        away = np.hypot(ahead, answer.position[..., 1])
        reached = (away <= values.slack_m + 0.5 * values.acceleration_mps2 * time_s**2).all(axis=2)
        log = answer.spread[..., :2]
        spread = (log >= math.log(values.deviation_low_m)) & (log <= math.log(values.deviation_high_m))
        kept = np.where(reached & spread.all(axis=(2, 3)), answer.probability, 0.0)
    finite = np.isfinite(answer.spread).all(axis=(1, 2, 3)) & np.isfinite(answer.position).all(axis=(1, 2, 3))
    return distributed & finite & (kept.sum(axis=1) >= values.probability), replace(answer, probability=kept)


def learned_modes(
    answer: Answer, agents: Agents, frames: Frames, schema: FeatureSchema, grid: Grid, values: Plausible
) -> tuple[Modes, Float[Array, "agent mode step 2 2"]]:
    """Modes in the map frame and their covariances, m^2."""
    vehicle = among(agents.kind, VEHICLES)
    curvature = np.where(vehicle, values.vehicle_curvature_1pm, values.other_curvature_1pm)
    arrays = (answer.position, answer.spread, frames.speed, curvature, frames.origin, frames.yaw, agents.covariance)
    position, turned, speed, motion, covariance = _decoded(
        *(np.ascontiguousarray(array, np.float64) for array in arrays), schema.future_dt_s, grid.time_s, agents.age_s,
        values.floor_m,
    )  # fmt: skip
    # Who reverses moves against its box.
    along = np.cos(frames.yaw - agents.yaw)[:, None, None]
    modes = Modes(
        probability=answer.probability.astype(np.float64),
        intent=_intent(turned[:, :, -1], speed, vehicle, values),
        position=position,
        yaw=agents.yaw[:, None, None] + turned,
        motion=motion,
        speed=speed * np.where(along < 0.0, -1.0, 1.0),
    )
    return modes, covariance


def _intent(turned: Array, speed: Array, vehicle: Array, values: Plausible) -> Array:
    """Of vehicles by how far they turn; who ends at rest stops. Others are free."""
    driven = np.where(turned > values.turn_rad, int(Intent.TURN_LEFT), int(Intent.KEEP_LANE))
    driven = np.where(turned < -values.turn_rad, int(Intent.TURN_RIGHT), driven)
    intent = np.where(vehicle[:, None], driven, int(Intent.FREE))
    return np.where(speed[:, :, -1] < values.stop_mps, int(Intent.STOP), intent)


@no_type_check
@njit(cache=True)
def _limited(ax: float, ay: float, bx: float, by: float) -> tuple[float, float]:
    """Mean of two secants, no longer than twice the shorter; 0 where they oppose each other."""
    if ax * bx + ay * by <= 0.0:
        return 0.0, 0.0
    x, y = 0.5 * (ax + bx), 0.5 * (ay + by)
    length, most = math.hypot(x, y), 2.0 * min(math.hypot(ax, ay), math.hypot(bx, by))
    share = min(1.0, most / max(length, 1e-12))
    return x * share, y * share


@no_type_check
@njit(cache=True)
def _tangents(knots: Array, v0: float, dt: float, out: Array) -> None:
    """Velocities at the knots (knot 0 is now, at 0), m/s."""
    count = knots.shape[0]
    first = math.hypot(knots[1, 0], knots[1, 1]) / dt
    out[0, 0], out[0, 1] = min(v0, 3.0 * first), 0.0
    for k in range(1, count - 1):
        ax, ay = (knots[k, 0] - knots[k - 1, 0]) / dt, (knots[k, 1] - knots[k - 1, 1]) / dt
        bx, by = (knots[k + 1, 0] - knots[k, 0]) / dt, (knots[k + 1, 1] - knots[k, 1]) / dt
        out[k, 0], out[k, 1] = _limited(ax, ay, bx, by)
    out[count - 1, 0] = (knots[count - 1, 0] - knots[count - 2, 0]) / dt
    out[count - 1, 1] = (knots[count - 1, 1] - knots[count - 2, 1]) / dt


@no_type_check
@njit(cache=True)
def _hermite(knots: Array, tangents: Array, dt: float, time: float) -> tuple[float, float, float, float]:
    """Position and velocity at a time; beyond the last knot its velocity goes on."""
    last = knots.shape[0] - 1
    if time >= last * dt:
        vx, vy = tangents[last, 0], tangents[last, 1]
        over = time - last * dt
        return knots[last, 0] + vx * over, knots[last, 1] + vy * over, vx, vy
    k = min(int(time / dt), last - 1)
    u = time / dt - k
    h00, h10 = (1.0 + 2.0 * u) * (1.0 - u) ** 2, u * (1.0 - u) ** 2 * dt
    h01, h11 = u * u * (3.0 - 2.0 * u), u * u * (u - 1.0) * dt
    d00, d10 = 6.0 * u * (u - 1.0) / dt, (1.0 - u) * (1.0 - 3.0 * u)
    d11 = u * (3.0 * u - 2.0)
    x = h00 * knots[k, 0] + h10 * tangents[k, 0] + h01 * knots[k + 1, 0] + h11 * tangents[k + 1, 0]
    y = h00 * knots[k, 1] + h10 * tangents[k, 1] + h01 * knots[k + 1, 1] + h11 * tangents[k + 1, 1]
    vx = d00 * (knots[k, 0] - knots[k + 1, 0]) + d10 * tangents[k, 0] + d11 * tangents[k + 1, 0]
    vy = d00 * (knots[k, 1] - knots[k + 1, 1]) + d10 * tangents[k, 1] + d11 * tangents[k + 1, 1]
    return x, y, vx, vy


@no_type_check
@njit(cache=True)
def _covariances(line: Array, spread: Array, cos: float, sin: float, floor: float, out: Array) -> None:
    """Covariances xx, yy, xy at the knots in the map frame, m^2; knot 0 is now. Their trace never falls.

    The spread lies along the way from the knot before, and along x where that is shorter than 5 cm, as in training.
    """
    out[0, 0], out[0, 1], out[0, 2] = floor * floor, floor * floor, 0.0
    most = 2.0 * floor * floor
    for k in range(spread.shape[0]):
        x, y = line[k + 1, 0] - line[k, 0], line[k + 1, 1] - line[k, 1]
        length = math.hypot(x, y)
        if length < 0.05:
            x, y, length = 1.0, 0.0, 1.0
        c, s = (cos * x - sin * y) / length, (sin * x + cos * y) / length
        along, across = math.exp(spread[k, 0]), math.exp(spread[k, 1])
        xy = min(max(math.tanh(spread[k, 2]), -0.99), 0.99) * along * across
        xx, yy = along * along, across * across
        most = max(most, xx + yy)
        grown = most / (xx + yy)
        out[k + 1, 0] = grown * (c * c * xx + s * s * yy - 2.0 * c * s * xy)
        out[k + 1, 1] = grown * (s * s * xx + c * c * yy + 2.0 * c * s * xy)
        out[k + 1, 2] = grown * (c * s * (xx - yy) + (c * c - s * s) * xy)


@no_type_check
@njit(cache=True)
def _covariance_at(knots: Array, dt: float, time: float) -> tuple[float, float, float]:
    """Covariance xx, yy, xy at a time: linear between the knots; beyond the last one it keeps its form and grows on."""
    last = knots.shape[0] - 1
    k = min(int(time / dt), last - 1)
    u = time / dt - k
    before, after = knots[k, 0] + knots[k, 1], knots[k + 1, 0] + knots[k + 1, 1]
    grown = 1.0 + max(u - 1.0, 0.0) * (after - before) / after
    u = min(u, 1.0)
    xx = knots[k, 0] + u * (knots[k + 1, 0] - knots[k, 0])
    yy = knots[k, 1] + u * (knots[k + 1, 1] - knots[k, 1])
    xy = knots[k, 2] + u * (knots[k + 1, 2] - knots[k, 2])
    return grown * xx, grown * yy, grown * xy


@no_type_check
@njit(cache=True)
def _turn(angle: float, x: float, y: float, curvature: float) -> float:
    """The angle turned towards a step of (x, y) m, by no more than its length allows."""
    moved = math.hypot(x, y)
    if moved < 1e-9:
        return angle
    off = math.atan2(y, x) - angle
    off = off - 2.0 * math.pi * math.floor((off + math.pi) / (2.0 * math.pi))
    return angle + min(max(off, -curvature * moved), curvature * moved)


@no_type_check
@njit(cache=True, nogil=True)
def _decoded(
    knots: Array, spread: Array, speed: Array, curvature: Array, origin: Array, yaw: Array, now: Array, dt: float,
    time: Array, age: float, floor: float,
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """Position m, angle turned rad, speed m/s, direction of motion rad, covariance m^2; (agent, mode, step, ...)."""
    n, modes, count = knots.shape[0], knots.shape[1], knots.shape[2]
    steps = time.shape[0]
    position = np.empty((n, modes, steps, 2))
    turned = np.empty((n, modes, steps))
    fast = np.empty((n, modes, steps))
    motion = np.empty((n, modes, steps))
    covariance = np.empty((n, modes, steps, 2, 2))
    line, tangents, wide = np.zeros((count + 1, 2)), np.zeros((count + 1, 2)), np.zeros((count + 1, 3))
    for a in range(n):
        cos, sin = math.cos(yaw[a]), math.sin(yaw[a])
        for m in range(modes):
            line[1:] = knots[a, m]
            _tangents(line, speed[a], dt, tangents)
            _covariances(line, spread[a, m], cos, sin, floor, wide)
            angle, px, py = 0.0, 0.0, 0.0
            for k in range(steps):
                x, y, vx, vy = _hermite(line, tangents, dt, time[k])
                position[a, m, k, 0] = origin[a, 0] + cos * x - sin * y
                position[a, m, k, 1] = origin[a, 1] + sin * x + cos * y
                angle = _turn(angle, x - px, y - py, curvature[a])
                px, py = x, y
                turned[a, m, k], motion[a, m, k] = angle, yaw[a] + angle
                fast[a, m, k] = speed[a] if k == 0 else vx * math.cos(angle) + vy * math.sin(angle)
                xx, yy, xy = _covariance_at(wide, dt, time[k] + age)
                covariance[a, m, k, 0, 0], covariance[a, m, k, 1, 1] = now[a, 0, 0] + xx, now[a, 1, 1] + yy
                covariance[a, m, k, 0, 1], covariance[a, m, k, 1, 0] = now[a, 0, 1] + xy, now[a, 1, 0] + xy
    return position, turned, fast, motion, covariance
