"""Scorer: the distance to who is ahead, against the one that responsibility-sensitive safety asks for."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import AgentClass, Array, Candidates, Predictions, Scene, Terms
from behaviors_ros.maps.stops import waits_at_stop
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.blocks import BLOCK, GROUP, block_rectangles, grouped, near_blocks
from behaviors_ros.scoring.footprint import (
    ModeBoxes,
    ego_boxes,
    foreseeable,
    interval_stride,
    mode_boxes,
    near,
    now_on_route,
    solid,
    terms,
)
from behaviors_ros.scoring.standing import standing, travelled, way_to


class SafeDistanceParameters(Parameters):
    """The distance asked for. The leader's braking is what its class is expected to do, not the most it could."""

    weight: float = value(5.0, "share in the weighted mean", low=0.0, high=100.0)
    standstill_m: float = value(2.0, "gap wished at standstill", low=0.0, high=10.0)
    parked_m: float = value(8.0, "gap wished behind who is parked in the way: room to pull out", low=0.0, high=30.0)
    queue_m: float = value(
        30.0, "who stands within this before a stop point waits there and is not parked", low=0.0, high=200.0
    )
    response_s: float = value(0.5, "time before the ego's braking takes hold", low=0.0, high=3.0)
    braking_mps2: float = value(3.0, "braking of the ego that the distance counts on", low=0.5, high=10.0)
    vehicle_braking_mps2: float = value(4.0, "braking expected of a vehicle ahead", low=0.5, high=12.0)
    bicycle_braking_mps2: float = value(3.0, "braking expected of a cyclist ahead", low=0.5, high=12.0)
    walker_braking_mps2: float = value(5.0, "braking expected of a pedestrian or animal ahead", low=0.5, high=12.0)
    side_margin_m: float = value(
        0.2, "an agent is ahead when it overlaps the ego's width grown by this", low=0.0, high=2.0
    )
    probability_min: float = value(0.3, "modes less probable than this do not count", low=0.0, high=1.0)
    interval_s: float = value(0.3, "time between the instants at which it is asked", low=0.01, high=2.0)
    horizon_s: float = value(4.0, "it is asked this far ahead", low=0.1, high=20.0)

    def braking_of(self, kind: int) -> float:
        """Braking expected of a class, m/s^2."""
        if kind == AgentClass.BICYCLE:
            return self.bicycle_braking_mps2
        walks = kind in (AgentClass.PEDESTRIAN, AgentClass.ANIMAL)
        return self.walker_braking_mps2 if walks else self.vehicle_braking_mps2


@register("scorer", "safe_distance")
class SafeDistance:
    """Raw and score: mean over time of the least ratio, at most 1, of the gap to an agent ahead and the safe gap.

    Safe gap: standstill + v t + v^2 / (2 b) - u^2 / (2 c), with the ego's speed v, response time t and braking b, the
    leader's speed u along the ego's heading and its expected braking c; at least the standstill gap
    (Shalev-Shwartz, Shammah, Shashua, "On a formal model of safe and scalable self-driving cars", 2017, definition 1,
    without the acceleration during the response, which the candidate itself states). The gap to what stands is taken
    along the candidate's own way, so that who steers round it does not close in on it.
    """

    parameters = SafeDistanceParameters

    def __init__(self, parameters: SafeDistanceParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle
        self._braking = np.array([parameters.braking_of(kind) for kind in range(max(AgentClass) + 1)], np.float64)

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        if not foreseeable(predictions):
            return terms(np.full(len(candidates), np.nan), np.zeros(len(candidates)), candidates)
        p, boxes = self.p, ego_boxes(candidates, self.vehicle)
        fastest = float(np.nanmax(np.abs(candidates.speed), initial=0.0))
        reach_m = max(p.standstill_m, p.parked_m) + fastest * p.response_s + fastest**2 / (2.0 * p.braking_mps2)
        modes = mode_boxes(
            scene, predictions, solid(predictions) & near(predictions, boxes, reach_m), p.probability_min
        )
        braking = self._braking[np.clip(predictions.kind[modes.agent], 0, len(self._braking) - 1)]
        steps = min(int(np.searchsorted(candidates.time_s, p.horizon_s + 1e-9)), len(candidates.time_s))
        stride = interval_stride(candidates, p.interval_s)
        half_width = boxes.half_width + p.side_margin_m
        standstill = self._standstill(scene, modes, now_on_route(scene, predictions).s[modes.agent])
        ratio = gap_ratio(
            boxes.pose, modes.pose, boxes.half_length, half_width, modes.half_length, modes.half_width, braking,
            standstill, steps, stride, p.response_s, p.braking_mps2, boxes.axes,
        )  # fmt: skip
        return terms(ratio, ratio, candidates)

    def _standstill(self, scene: Scene, modes: ModeBoxes, s: Float[Array, "mode"]) -> Float[Array, "mode"]:
        """Gap wished at standstill behind each mode, which is at `s` on the route now, m."""
        first, last = modes.pose[:, 0, :2], modes.pose[:, -1, :2]
        stands = np.hypot(*(last - first).T) < 0.5
        waits = waits_at_stop(scene.route, s + modes.half_length, self.p.queue_m)
        return np.where(stands & ~waits, self.p.parked_m, self.p.standstill_m)


@no_type_check
@njit(cache=True)
def gap_ratio(
    ego, modes, ego_length, ego_width, length, width, braking, standstill, steps, stride, response, own, axes
):
    """Mean over the asked steps of the least ratio (candidate,). Poses as in `EgoBoxes`, `ModeBoxes`; half sizes.

    An agent that counts reaches, as a square as wide as length and width together, into the strip ahead of the ego; one
    that stands is met on the ego's own way or straight on beyond its end.
    """
    asked = (steps + stride - 1) // stride
    least, close = np.ones((len(ego), max(asked, 1))), np.zeros((ego.shape[1] + BLOCK - 1) // BLOCK, np.bool_)
    sizes = np.full(len(ego), ego_length), np.full(len(ego), ego_width)
    base = standstill.max() if len(standstill) else 0.0
    strip = block_rectangles(ego, sizes[0], sizes[1], axes, steps, stride, base, response, 0.5 / own)
    groups, squares = (
        grouped(strip),
        block_rectangles(modes, length + width, length + width, axes, steps, stride, 0.0, 0.0, 0.0),
    )
    stands, way = standing(modes), travelled(ego)
    for g in range(len(groups)):
        for m in range(len(modes)):
            if not near_blocks(groups, g, squares, m, 0.0, close):
                continue
            for i in range(g * GROUP, min((g + 1) * GROUP, len(ego))):
                if stands[m]:
                    v = max(ego[i, ego.shape[1] - 1, 4], 0.0)
                    beyond = standstill[m] + v * response + 0.5 * v * v / own
                    met = way_to(ego, modes, way, i, m, ego_length, ego_width, length[m], width[m], beyond, False)
                    for k in range(asked if met < np.inf else 0):
                        v = max(ego[i, k * stride, 4], 0.0)
                        safe = standstill[m] + v * response + 0.5 * v * v / own
                        least[i, k] = min(least[i, k], max(met - way[i, k * stride], 0.0) / safe)
                    continue
                for k in range(asked):
                    step = k * stride
                    if not close[step // BLOCK]:
                        continue
                    v = max(ego[i, step, 4], 0.0)
                    cos, sin = ego[i, step, 2], ego[i, step, 3]
                    stopping = v * response + 0.5 * v * v / own
                    dx, dy = modes[m, step, 0] - ego[i, step, 0], modes[m, step, 1] - ego[i, step, 1]
                    ahead = dx * cos + dy * sin
                    if ahead <= 0.0 or ahead > standstill[m] + stopping + ego_length + length[m] + width[m]:
                        continue
                    turn_cos = modes[m, step, 2] * cos + modes[m, step, 3] * sin
                    turn_sin = modes[m, step, 3] * cos - modes[m, step, 2] * sin
                    aside = abs(dy * cos - dx * sin)
                    if aside > ego_width + length[m] * abs(turn_sin) + width[m] * abs(turn_cos):
                        continue
                    gap = ahead - ego_length - length[m] * abs(turn_cos) - width[m] * abs(turn_sin)
                    u = max(modes[m, step, 4] * turn_cos, 0.0)
                    safe = standstill[m] + max(stopping - 0.5 * u * u / braking[m], 0.0)
                    least[i, k] = min(least[i, k], max(gap, 0.0) / safe)
    total = np.zeros(len(ego))
    for i in range(len(ego)):
        for k in range(asked):
            total[i] += least[i, k]
        total[i] /= max(asked, 1)
    return total
