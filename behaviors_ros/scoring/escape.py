"""Gate: shortly from now the ego must still be able to stop behind who is ahead, whatever became of its plan."""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array, Candidates, Predictions, Scene, Verdict
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import acceleration_along, at_least, foreseeable, now_on_route, solid


class EscapeParameters(Parameters):
    """How soon, and with what braking."""

    after_s: float = value(0.5, "time from now at which it is asked", low=0.0, high=3.0)
    response_s: float = value(0.3, "time before the braking takes hold", low=0.0, high=2.0)
    braking_mps2: float = value(5.0, "braking down to the speed of who is ahead", low=0.5, high=12.0)
    margin_m: float = value(0.3, "gap left when that speed is reached", low=0.0, high=5.0)
    along_rad: float = value(1.0, "who moves at a larger angle to the route crosses it", low=0.1, high=1.5)
    standing_mps: float = value(0.5, "a slower agent stands at any angle", low=0.0, high=3.0)
    recovery_mps2: float = value(1.5, "braking of who is closer than needed already", low=0.0, high=9.0)


@register("gate", "escape")
class Escape:
    """Value: least margin of the gap to who is ahead over the one needed to come down to his speed, m, at most 0.

    Going around somebody counts on a way that others may close: until the ego is beside him it must be able to fall in
    behind. He is taken to go on as now, braking on but not speeding up. needed = margin + w t + w^2 / (2 b) with the
    speed difference w, response t and braking b (the longitudinal distance of responsibility-sensitive safety,
    Shalev-Shwartz et al. 2017, for a leader who goes on at his speed). Who is closer than that already must be braking.
    """

    parameters = EscapeParameters
    unit = "m"

    def __init__(self, parameters: EscapeParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate; an agent without a usable future forbids all."""
        if not foreseeable(predictions):
            return at_least(np.full(len(candidates), np.nan), 0.0, candidates)
        step = min(int(np.searchsorted(candidates.time_s, self.p.after_s - 1e-9)), len(candidates.time_s) - 1)
        leaders = self._leaders(scene, predictions)
        now, soon = (self._margin(scene, candidates, leaders, k) for k in (0, step))
        brakes = candidates.acceleration[:, step] <= -self.p.recovery_mps2
        brakes |= candidates.speed[:, step] <= self.p.standing_mps
        return at_least(np.where((now < 0.0) & brakes, 0.0, np.minimum(soon, 0.0)), 0.0, candidates)

    def _margin(
        self, scene: Scene, candidates: Candidates, leaders: Float[Array, "leader 6"], step: int
    ) -> Float[Array, "candidate"]:
        """Least gap less the one needed at a step, m; infinite with nobody ahead or nobody the ego closes up to."""
        if not len(leaders):
            return np.full(len(candidates), np.inf)
        s, d, yaw, speed = (
            # One memory layout with a single candidate, too: kernels are compiled for each that they meet.
            np.ascontiguousarray(column[:, step])
            for column in (candidates.s, candidates.d, candidates.yaw, candidates.speed)
        )
        turned = yaw - route_frame(scene.route).heading(s)
        vehicle, p = self.vehicle, self.p
        sizes = np.array([vehicle.length_m, vehicle.length_m - vehicle.rear_overhang_m, 0.5 * vehicle.width_m])
        rules = np.array([p.margin_m, p.response_s, p.braking_mps2])
        return np.asarray(least_margin(s, d, turned, speed, float(candidates.time_s[step]), leaders, sizes, rules))

    def _leaders(self, scene: Scene, predictions: Predictions) -> Float[Array, "leader 6"]:
        """s, d on the route, speed along it, braking, half length and width of the agents that do not cross it."""
        now = now_on_route(scene, predictions)
        cos, sin = np.abs(now.cos), np.abs(now.sin)
        counts = (now.cos > np.cos(self.p.along_rad)) | (now.speed < self.p.standing_mps)
        length, width = 0.5 * predictions.length, 0.5 * predictions.width
        braking = np.clip(-acceleration_along(scene, predictions), 0.0, self.p.braking_mps2)
        columns = (now.s, now.d, np.maximum(now.speed * now.cos, 0.0), braking)
        table = np.column_stack((*columns, length * cos + width * sin, length * sin + width * cos))
        return np.asarray(table[counts & solid(predictions)])


@no_type_check
@njit(cache=True)
def least_margin(s, d, turned, speed, time_s, leaders, sizes, rules):
    """`_margin` of candidates at s, d (m), turned (rad) against the route, with `speed` (m/s) at a time.

    leaders: s, d, speed, braking, half length and width; sizes: length, rear axle to front, half width; rules: margin,
    response time, braking. Who pulls out has its bumper beside what is ahead before its rear axle is: the ego's offset
    is that of its middle line beside the leader's rear end.
    """
    out, length, front_m, half_width = np.full(len(s), np.inf), sizes[0], sizes[1], sizes[2]
    for i in range(len(s)):
        front, sine = s[i] + front_m, math.sin(turned[i])
        for n in range(len(leaders)):
            at, aside, v, braking, half, half_across = leaders[n]
            t = min(time_s, v / max(braking, 1e-6)) if braking > 0.0 else time_s
            along = at + v * t - 0.5 * braking * t * t
            closing = speed[i] - max(v - braking * t, 0.0)
            own_d = d[i] + min(max(along - half - s[i], 0.0), front_m) * sine
            beside = abs(own_d - aside) >= half_width + half_across
            if closing <= 0.0 or beside or along + half <= front - length:
                continue
            needed = rules[0] + closing * rules[1] + closing * closing / (2.0 * rules[2])
            margin = along - half - front - needed
            # NaN must not pass for room.
            out[i] = margin if not (margin >= out[i] or math.isnan(out[i])) else out[i]
    return out
