"""How the covariance of a predicted position grows: initial covariance plus process noise by class.

Along and across the motion, each axis: var(t) = floor^2 + (speed_error t)^2 + q t^3 / 3, the position variance of a
point whose velocity starts with an error and then takes a random walk of intensity q (white acceleration noise;
Bar-Shalom, Li, Kirubarajan: Estimation with Applications to Tracking and Navigation, 6.2.2). Defaults are fitted to
recorded errors.
"""

from __future__ import annotations

from functools import lru_cache
from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import njit

from behaviors_ros.datatypes import AgentClass, Array
from behaviors_ros.geometry.angles import cos_sin
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.agents import STATIC, Agents


class Noise(Parameters):
    """Growth of the position error of one class."""

    floor_m: float = value(0.1, "standard deviation of the position that no tracker goes below", low=0.01, high=5.0)
    speed_along_mps: float = value(0.4, "standard deviation of the speed now, along the motion", low=0.0, high=10.0)
    speed_across_mps: float = value(0.2, "standard deviation of the speed now, across the motion", low=0.0, high=10.0)
    noise_along_m2ps3: float = value(1.0, "intensity of acceleration noise along the motion", low=0.0, high=100.0)
    noise_across_m2ps3: float = value(0.04, "intensity of acceleration noise across the motion", low=0.0, high=100.0)
    standing_share: float = value(0.3, "share of the growth that an agent at rest has", low=0.0, high=1.0)
    settled_share: float = value(1.0, "share of that which one at rest for two seconds has", low=0.0, high=1.0)
    moving_mps: float = value(2.0, "speed from which the growth is full", low=0.1, high=20.0)


class ClassNoise(Parameters):
    """Growth of the position error for every class."""

    vehicle: Noise = Noise(settled_share=0.2)
    bicycle: Noise = Noise(speed_across_mps=0.35, noise_across_m2ps3=0.1, moving_mps=1.0)
    pedestrian: Noise = Noise(
        speed_along_mps=0.12, speed_across_mps=0.12, noise_along_m2ps3=0.05, noise_across_m2ps3=0.04, moving_mps=0.5,
        standing_share=0.5,
    )  # fmt: skip
    animal: Noise = Noise(
        speed_along_mps=1.0, speed_across_mps=1.0, noise_along_m2ps3=1.0, noise_across_m2ps3=1.0, standing_share=1.0
    )
    unknown: Noise = Noise(
        speed_along_mps=1.0, speed_across_mps=0.7, noise_along_m2ps3=0.6, noise_across_m2ps3=0.3, standing_share=0.3
    )
    static: Noise = Noise(
        speed_along_mps=0.0, speed_across_mps=0.0, noise_along_m2ps3=0.0, noise_across_m2ps3=0.0, floor_m=0.2
    )


_FIELD: dict[int, str] = {
    AgentClass.BICYCLE: "bicycle",
    AgentClass.PEDESTRIAN: "pedestrian",
    AgentClass.ANIMAL: "animal",
}


def class_field(kind: int) -> str:
    """Name of the field of `ClassNoise` for a class number; numbers outside the classes count as unknown."""
    if kind in STATIC:
        return "static"
    if AgentClass.CAR <= kind <= AgentClass.MOTORCYCLE:
        return "vehicle"
    return _FIELD.get(kind, "unknown")


def spreads(
    noise: ClassNoise,
    kind: Int[Array, "agent"],
    speed: Float[Array, "agent"],
    time_s: Float[Array, "step"],
    steady: Float[Array, "agent"] | float = 0.0,
) -> tuple[Float[Array, "agent step"], Float[Array, "agent step"]]:
    """Variances along and across the motion, m^2, `time_s` after the state was measured; neither ever falls.

    steady: 1 for who has kept its speed for two seconds, 0 for who has not. Who stands then is parked or waits.
    """
    return _grown(_of_agents(noise, kind), speed, time_s, steady)


@lru_cache(maxsize=8)
def _table(noise: ClassNoise) -> Float[Array, "class 8"]:
    """The values of `Noise` by class number."""
    rows = [getattr(noise, class_field(int(k))) for k in range(max(AgentClass) + 1)]
    return np.array([_row(row) for row in rows])


def _row(noise: Noise) -> list[float]:
    return [getattr(noise, name) for name in Noise.model_fields]


def _of_agents(noise: ClassNoise, kind: Int[Array, "agent"]) -> Float[Array, "agent 8"]:
    table = _table(noise)
    known = np.where((kind >= 0) & (kind < len(table)), kind, int(AgentClass.UNKNOWN))
    return table[known]


def _grown(rows: Array, speed: Array, time_s: Array, steady: Array | float) -> tuple[Array, Array]:
    """`spreads` for agents with the values `rows` of `Noise`."""
    floor, v_along, v_across, q_along, q_across, share, settled, moving = rows.T[:, :, None]
    share = share * (1.0 - (1.0 - settled) * np.reshape(steady, (-1, 1)))
    growth = (share + (1.0 - share) * np.minimum(speed[:, None] / moving, 1.0)) ** 2
    square, cube = time_s**2, time_s**3 / 3.0
    along = floor**2 + growth * (v_along**2 * square + q_along * cube)
    across = floor**2 + growth * (v_across**2 * square + q_across * cube)
    return along, across


def covariances(
    noise: ClassNoise, agents: Agents, time_s: Float[Array, "step"], yaw: Float[Array, "agent mode step"],
    others: Bool[Array, "agent"] | None = None, of_others: Noise | None = None,
) -> Float[Array, "agent mode step 2 2"]:  # fmt: skip
    """Covariance of each predicted position in the map frame, m^2: the track's own plus the growth, turned with
    `yaw`. The growth of `others` is `of_others`, not that of their class.
    """
    rows = _of_agents(noise, agents.kind)
    if others is not None and of_others is not None:
        rows[others] = _row(of_others)
    along, across = _grown(rows, agents.speed, time_s + agents.age_s, agents.steady)
    return _rotated(agents.covariance, along, across, np.ascontiguousarray(yaw))


@no_type_check
@njit(cache=True)
def _rotated(now: Array, along: Array, across: Array, yaw: Array) -> Array:
    """`now` plus the covariance with variances `along` and `across` the direction `yaw`."""
    n, modes, steps = yaw.shape
    out = np.empty((n, modes, steps, 2, 2))
    for a in range(n):
        for m in range(modes):
            for k in range(steps):
                cos, sin = cos_sin(yaw[a, m, k])
                cross = now[a, 0, 1] + (along[a, k] - across[a, k]) * cos * sin
                out[a, m, k, 0, 0] = now[a, 0, 0] + along[a, k] * cos * cos + across[a, k] * sin * sin
                out[a, m, k, 1, 1] = now[a, 1, 1] + along[a, k] * sin * sin + across[a, k] * cos * cos
                out[a, m, k, 0, 1] = cross
                out[a, m, k, 1, 0] = cross
    return out
