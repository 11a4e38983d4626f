"""Gate: into the oncoming lane only when it is free until the ego is back, also beyond the horizon."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import Array, Candidates, Predictions, Scene, Verdict
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_least, foreseeable, solid


class OncomingParameters(Parameters):
    """How the rest of a pass is reckoned, and what must be left over."""

    spare_s: float = value(
        2.5, "time left when the ego is past: to get back into its lane, and a margin", low=0.0, high=10.0
    )
    acceleration_mps2: float = value(1.2, "acceleration after the horizon", low=0.1, high=4.0)
    speed_mps: float = value(8.0, "speed that is not exceeded for the pass after the horizon", low=1.0, high=30.0)
    after_m: float = value(1.5, "rear bumper ahead of what is passed before returning", low=0.0, high=20.0)
    join_m: float = value(12.0, "what stands nearer to each other than this is passed together", low=0.0, high=50.0)
    beside_m: float = value(0.6, "distance beside each other from which two pass", low=0.0, high=2.0)
    further_m: float = value(0.2, "who ends this much farther out than now goes out", low=0.0, high=2.0)
    begun_m: float = value(0.5, "with its side this far beyond its lanes now, the ego goes on", low=0.0, high=5.0)
    against_rad: float = value(2.1, "who is turned more than this against the route is oncoming", low=1.6, high=3.1)
    standing_mps: float = value(0.5, "who is slower stands", low=0.0, high=3.0)
    probability_min: float = value(0.2, "modes less probable than this do not count", low=0.0, high=1.0)


@register("gate", "oncoming")
class Oncoming:
    """Value: least time to spare, s, at most the limit, for candidates that end beyond the lanes of their direction.

    At the end of the horizon an agent comes the other way at u m/s in the ego's place across the road, g m away, and
    the ego needs t s for the l m past what stands in its lane: (g - l) / u - t is left. It is a matter of beginning:
    who is in the oncoming lane already leaves it to the gate `collision`.
    """

    parameters = OncomingParameters
    unit = "s"

    def __init__(self, parameters: OncomingParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate; an agent without a usable future forbids all."""
        limit_s, none = self.p.spare_s, np.full(len(candidates), self.p.spare_s)
        if not foreseeable(predictions):
            return at_least(np.full(len(candidates), np.nan), limit_s, candidates)
        now, then = (self._beyond(scene, candidates, step) for step in (0, -1))
        # Who comes to rest where it is does not go out there.
        out = (then > np.maximum(now, 0.0) + self.p.further_m) & (now < self.p.begun_m)
        if not out.any():
            return at_least(none, limit_s, candidates)
        s, d, speed, turned, half_length, half_width = self._ends(scene, predictions)
        stands = speed < self.p.standing_mps
        comes = (np.abs(turned) > self.p.against_rad) & ~stands
        blocks = stands & (np.abs(d) < half_width + 0.5 * self.vehicle.width_m)
        length = self._left(candidates, s[blocks] - half_length[blocks], s[blocks] + half_length[blocks])
        time_s = self._needed(candidates.speed[:, -1], length)
        front = candidates.s[:, -1] + self.vehicle.length_m - self.vehicle.rear_overhang_m
        spare = none
        for at, across, u, reach, width in zip(
            s[comes], d[comes], speed[comes], half_length[comes], half_width[comes], strict=True
        ):
            meets = np.abs(candidates.d[:, -1] - across) < width + 0.5 * self.vehicle.width_m + self.p.beside_m
            ahead = at + reach > candidates.s[:, -1]
            left = (at - reach - front - length) / u - time_s
            spare = np.where(out & meets & ahead, np.minimum(spare, left), spare)
        return at_least(spare, limit_s, candidates)

    def _beyond(self, scene: Scene, candidates: Candidates, step: int) -> Float[Array, "candidate"]:
        """How far a side of the ego is beyond the lanes of its direction at a step, m."""
        route, half = scene.route, 0.5 * self.vehicle.width_m
        s, d = candidates.s[:, step], candidates.d[:, step]
        left, right = (np.interp(s, route.s, width) for width in (route.left_same, route.right_same))
        return np.maximum(d + half - left, -d + half - right)

    def _ends(self, scene: Scene, predictions: Predictions) -> tuple[Array, ...]:
        """s, d, speed, heading against the route, half length and width of the likely modes at their end."""
        chosen: Bool[Array, "agent mode"] = predictions.valid & solid(predictions)[:, None]
        agent, mode = np.nonzero(chosen & (predictions.probability >= self.p.probability_min))
        frame = route_frame(scene.route)
        s, d = frame.project(predictions.position[agent, mode, -1])
        turned = predictions.yaw[agent, mode, -1] - frame.heading(s)
        cos, sin = np.abs(np.cos(turned)), np.abs(np.sin(turned))
        length, width = 0.5 * predictions.length[agent], 0.5 * predictions.width[agent]
        turned = np.arctan2(np.sin(turned), np.cos(turned))
        return s, d, predictions.speed[agent, mode, -1], turned, length * cos + width * sin, length * sin + width * cos

    def _left(self, candidates: Candidates, rear: Array, front: Array) -> Float[Array, "candidate"]:
        """Way past what stands in the lane abreast of the end of each candidate or ahead of it, m."""
        end = candidates.s[:, -1]
        clear, bumper = end.copy(), end + self.vehicle.length_m - self.vehicle.rear_overhang_m
        for k in np.argsort(rear, kind="stable"):
            on = (front[k] > end - self.vehicle.rear_overhang_m) & (rear[k] < np.maximum(clear, bumper) + self.p.join_m)
            clear = np.where(on, np.maximum(clear, front[k] + self.vehicle.rear_overhang_m + self.p.after_m), clear)
        return clear - end

    def _needed(self, speed: Array, length: Array) -> Float[Array, "candidate"]:
        """Time for a way at the acceleration up to the speed, s."""
        gain, v = self.p.acceleration_mps2, np.maximum(speed, 0.0)
        top = np.maximum(v, self.p.speed_mps)
        rising = np.minimum(length, (top**2 - v**2) / (2.0 * gain))
        return (np.sqrt(v**2 + 2.0 * gain * rising) - v) / gain + (length - rising) / top
