"""Gate: give way to traffic on lanes with priority."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import Candidates, Predictions, Scene, StopKind, StopPoint, Verdict
from behaviors_ros.maps.lane_graph import lane_frame
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_least
from behaviors_ros.scoring.passage import can_hold, first_time, front_s, rear_s, stops_ahead

Array = np.ndarray


class YieldParameters(Parameters):
    """How much room in time traffic with priority is given."""

    gap_s: float = value(
        1.5, "least time from the ego's leaving a conflict zone to an agent's coming", low=0.0, high=10.0
    )
    behind_s: float = value(0.7, "least time between an agent's leaving it and the ego's coming", low=0.0, high=10.0)
    probability_min: float = value(0.2, "modes less probable than this do not oblige to wait", low=0.0, high=1.0)
    lane_half_width_m: float = value(
        2.0, "distance from a lane's centre up to which an agent is on it", low=0.5, high=5.0
    )
    overrun_m: float = value(0.5, "distance of the bumper beyond the line that still counts as held", low=0.0, high=5.0)
    deceleration_mps2: float = value(
        5.0, "a line that this braking cannot hold is left to the collision gates", low=0.5, high=12.0
    )


@register("gate", "yield")
class Yield:
    """Value: least time between the ego in a conflict zone and an agent with priority in it, s, at most the limit.

    Time after the agent counts the more: by the ratio of the two times.
    """

    parameters = YieldParameters
    unit = "s"

    def __init__(self, parameters: YieldParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def check(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Verdict:
        """One verdict a candidate. An ego in the zone already, or unable to hold the line, has no duty to wait."""
        front, rear = front_s(candidates, self.vehicle), rear_s(candidates, self.vehicle)
        gap = np.full(len(candidates), self.p.gap_s)
        for stop in stops_ahead(scene.route, (StopKind.YIELD, StopKind.STOP_SIGN), candidates, self.vehicle):
            line = stop.s + self.p.overrun_m
            enter_s = first_time(front > line, candidates.time_s)
            leave_s = first_time(rear > stop.clear_s, candidates.time_s)
            bound = can_hold(front[:, 0], candidates.speed[:, 0], line, self.p.deceleration_mps2)
            concerned = bound & np.isfinite(enter_s)
            arrival_s = np.where(concerned, enter_s, 0.0)
            for first_s, last_s in self._occupied(scene, predictions, stop):
                behind = (arrival_s - last_s) * self.p.gap_s / max(self.p.behind_s, 1e-6)
                room = np.maximum(first_s - leave_s, behind)
                room = np.where(concerned, np.clip(room, 0.0, self.p.gap_s), self.p.gap_s)
                gap = np.minimum(gap, room)
        return at_least(gap, self.p.gap_s, candidates)

    def _occupied(self, scene: Scene, predictions: Predictions, stop: StopPoint) -> list[tuple[float, float]]:
        """For each likely mode of an agent with priority: when it enters and leaves the conflict zone, s."""
        likely = predictions.valid & (predictions.probability >= self.p.probability_min)
        agent, mode = np.nonzero(likely & self._comes_near(scene, predictions, stop))
        position, yaw = predictions.position[agent, mode], predictions.yaw[agent, mode]
        half = 0.5 * np.stack([predictions.length[agent], predictions.width[agent]], axis=-1)[:, None]
        inside = self._in_zone(scene, stop, position, yaw, half)
        spans = []
        for row in np.flatnonzero(inside.any(axis=1)):
            steps = np.flatnonzero(inside[row])
            if self._on_lanes(scene, stop, position[row, : steps[-1] + 1], yaw[row, : steps[-1] + 1]):
                gone = steps[-1] + 1 < inside.shape[1]
                spans.append(
                    (float(predictions.time_s[steps[0]]), float(predictions.time_s[steps[-1]]) if gone else np.inf)
                )
        return spans

    def _comes_near(self, scene: Scene, predictions: Predictions, stop: StopPoint) -> Bool[Array, "agent mode"]:
        """Modes that at any time are within a circle around the conflict zone."""
        ends = route_frame(scene.route).point(np.array([stop.s, stop.clear_s]))
        centre = 0.5 * (ends[0] + ends[1])
        radius = 0.5 * np.hypot(*(ends[1] - ends[0])) + self.vehicle.width_m + 0.5 * predictions.length + 1.0
        away = np.hypot(predictions.position[..., 0] - centre[0], predictions.position[..., 1] - centre[1])
        return (away <= radius[:, None, None]).any(axis=2)

    def _in_zone(
        self, scene: Scene, stop: StopPoint, position: Float[Array, "row step 2"], yaw: Array, half: Array
    ) -> Bool[Array, "row step"]:
        """Steps at which a box reaches into the strip that the ego sweeps between the line and the end of the zone."""
        frame = route_frame(scene.route)
        s, d = frame.project(position)
        turn = yaw - frame.heading(s)
        cos, sin = np.abs(np.cos(turn)), np.abs(np.sin(turn))
        along, across = half[..., 0] * cos + half[..., 1] * sin, half[..., 0] * sin + half[..., 1] * cos
        return (s + along >= stop.s) & (s - along <= stop.clear_s) & (np.abs(d) <= 0.5 * self.vehicle.width_m + across)

    def _on_lanes(self, scene: Scene, stop: StopPoint, position: Float[Array, "step 2"], yaw: Array) -> bool:
        """Whether an agent is at any step on one of the lanes with priority, in its direction."""
        lanes = scene.map.lanes if scene.map is not None else {}
        for lane in (lanes[i] for i in stop.yields_to if i in lanes):
            frame = lane_frame(lane)
            s, d = frame.project(position)
            aligned = np.cos(yaw - frame.heading(s)) > 0.5
            if (aligned & (np.abs(d) <= self.p.lane_half_width_m) & (s >= 0.0) & (s <= frame.length)).any():
                return True
        return False
