"""The best few of thousands: a fine lattice is screened for limits, cost and chance of collision in one pass.

What is left becomes ordinary candidates; gates and scorers judge them like all others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros import registry
from behaviors_ros.datatypes import Array, Candidates, Grid, Predictions, Scene
from behaviors_ros.generation import agents as columns
from behaviors_ros.generation import screening
from behaviors_ros.generation.driving import Driving
from behaviors_ros.generation.motions import empty, on_grid
from behaviors_ros.generation.offsets import Lateral, length_for, margin, sampled
from behaviors_ros.generation.paths import Paths, Profile, joined
from behaviors_ros.generation.situation import Situation, situation_of
from behaviors_ros.generation.start import Stitching
from behaviors_ros.parameters import Parameters, Vehicle, value


class ScreenedParameters(Parameters):
    """What is screened, and how many of them become candidates."""

    driving: Driving = Driving()
    stitching: Stitching = Stitching()
    lateral: Lateral = Lateral()
    cost: screening.Cost = screening.Cost()
    offsets: int = value(13, "offsets from the route, evenly over the room there is", low=1, high=200)
    reach_m: float = value(3.5, "largest offset to either side", low=0.1, high=10.0)
    speeds: int = value(16, "target speeds, evenly from standstill to the limit", low=2, high=200)
    speed_times_s: tuple[float, ...] = value((2.0, 3.5, 5.0), "times in which a target speed is reached")
    step_s: float = value(0.2, "time between the instants at which limits and cost are asked", low=0.02, high=1.0)
    interval_s: float = value(0.3, "time between the instants at which the chance is asked", low=0.01, high=2.0)
    horizon_s: float = value(2.5, "how far ahead the chance is asked", low=0.0, high=20.0)
    probability_min: float = value(0.05, "modes less probable than this are left out", low=0.0, high=1.0)
    chance_max: float = value(0.05, "motions with a larger chance of collision are left out", low=0.0, high=1.0)
    exhaustive: bool = value(False, "ask the chance of all, not of the cheapest until enough are safe")
    keep: int = value(24, "candidates made", low=1, high=1000)
    keep_of_path: int = value(3, "candidates made of one path at most", low=1, high=100)


@dataclass(frozen=True, eq=False)
class Screening:
    """Cost and largest chance of collision of every path with every profile; infinite and NaN: it cannot be driven; NaN
    alone: not asked, because enough cheaper motions are safe.

    along: distance, speed and acceleration of the profiles; target: their speed m/s.
    """

    paths: Paths
    along: Float[Array, "profile step 3"]
    target: Float[Array, "profile"]
    cost: Float[Array, "path profile"]
    chance: Float[Array, "path profile"]


@registry.register("generator", "screened")
class Screened:
    """Lateral motions x target speeds, thousands of pairs, of which the cheapest safe ones become candidates."""

    name = "screened"
    parameters = ScreenedParameters

    def __init__(self, parameters: ScreenedParameters, vehicle: Vehicle) -> None:
        """Keep the parameters."""
        self.values, self.vehicle = parameters, vehicle

    def generate(self, scene: Scene, predictions: Predictions, grid: Grid) -> Candidates:
        """The best few; none where the start cannot be left by a lateral profile."""
        values = self.values
        situation = situation_of(scene, predictions, grid, self.vehicle, values.driving, values.stitching)
        found = screened(situation, predictions, values)
        if found is None:
            return empty(situation)
        return chosen(situation, found, values, self.name)


def screened(situation: Situation, predictions: Predictions, values: ScreenedParameters) -> Screening | None:
    """The whole lattice screened; None where there is no path."""
    paths = joined([sampled(situation, _profiles(situation, values))])
    if not len(paths):
        return None
    vehicle, start, grid = situation.vehicle, situation.start, situation.grid
    targets = _targets(situation, values)
    along, fits, jerk = screening.quartics(start.speed, start.acceleration, targets, grid.time_s, vehicle)
    stride, rough = (max(int(round(each / grid.dt_s)), 1) for each in (values.interval_s, values.step_s))
    instants = np.arange(0, int(np.searchsorted(grid.time_s, values.horizon_s + 1e-9)), stride)
    axes = np.array([start.position[0], start.position[1], np.cos(start.yaw), np.sin(start.yaw)])
    near = np.zeros(len(predictions), bool)
    near[situation.agents.index[~_follows(situation)]] = True
    likely = predictions.valid & near[:, None] & (predictions.probability >= values.probability_min)
    modes = screening.obstacles(predictions, likely, axes, instants, vehicle)
    limits = screening.limits_of(vehicle, situation.driving.lateral_acceleration_mps2, situation.driving.steering_share)
    coarse, keep = np.ascontiguousarray(along[:, ::rough]), 0 if values.exhaustive else values.keep
    cost, chance = np.empty((len(paths), len(along))), np.empty((len(paths), len(along)))
    screening.screen(
        paths.table, along, coarse, fits, jerk, rough * grid.dt_s, instants, vehicle.centre_offset_m,
        0.5 * vehicle.length_m, 0.5 * vehicle.width_m, axes, modes.agent, modes.probability, modes.half_length,
        modes.half_width, modes.lanes, modes.spans, limits, _weights(values.cost), keep, values.keep_of_path,
        values.chance_max, cost, chance,
    )  # fmt: skip
    return Screening(paths, along, targets[:, 0], cost, chance)


def _follows(situation: Situation) -> Bool[Array, "agent"]:
    """Agents that are behind the ego in its way now: they keep their distance, as scoring takes it, too."""
    now, half = situation.agents.along[:, 0], 0.5 * situation.vehicle.width_m
    behind = now[:, columns.FRONT] < situation.station - situation.vehicle.rear_overhang_m
    beside = (now[:, columns.RIGHT] > situation.offset + half) | (now[:, columns.LEFT] < situation.offset - half)
    return behind & ~beside & (now[:, columns.SPEED] >= 0.0)


def chosen(situation: Situation, found: Screening, values: ScreenedParameters, name: str) -> Candidates:
    """The best few as candidates of generator `name`."""
    path, profile = best(found, values)
    labels = tuple(f"{found.paths.label[p]}, {found.target[j]:.1f} m/s" for p, j in zip(path, profile, strict=True))
    return on_grid(situation, found.paths, path, found.along[profile], labels, name)


def best(found: Screening, values: ScreenedParameters) -> tuple[Int[Array, "chosen"], Int[Array, "chosen"]]:
    """Path and profile of the cheapest safe motions, cheapest first, a few of each path."""
    cost = np.where(found.chance <= values.chance_max, found.cost, np.inf)
    order = np.argsort(cost, axis=1, kind="stable")[:, : values.keep_of_path]
    least = np.take_along_axis(cost, order, axis=1)
    flat = np.argsort(least, axis=None, kind="stable")[: values.keep]
    flat = flat[np.isfinite(least.ravel()[flat])]
    path, rank = np.unravel_index(flat, least.shape)
    return path.astype(np.int64), order[path, rank].astype(np.int64)


def _profiles(situation: Situation, values: ScreenedParameters) -> list[Profile]:
    """Offsets over the room between the lanes of the ego's direction, each at every duration."""
    half = 0.5 * situation.vehicle.width_m + margin(values.lateral, situation.vehicle)
    right, left = (max(situation.width(f"{side}_same", situation.s) - half, 0.0) for side in ("right", "left"))
    offsets = np.linspace(-min(right, values.reach_m), min(left, values.reach_m), values.offsets)
    return [
        Profile(f"offset {offset:+.1f} m", float(offset), length_for(situation, values.lateral, float(offset), time))
        for offset in offsets
        for time in values.lateral.times_s
    ]


def _targets(situation: Situation, values: ScreenedParameters) -> Float[Array, "profile 2"]:
    """Target speed and the time in which it is reached."""
    speeds = np.linspace(0.0, situation.limit_mps, values.speeds)
    times = np.array(values.speed_times_s)
    return np.column_stack([np.repeat(speeds, len(times)), np.tile(times, len(speeds))])


def _weights(cost: screening.Cost) -> Float[Array, "4"]:
    return np.array([cost.jerk, cost.lateral_jerk, cost.deviation, cost.speed])
