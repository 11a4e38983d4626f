"""Gate: give way to traffic on lanes with priority."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import AgentClass, Candidates, Predictions, Scene, StopKind, StopPoint, Verdict, among
from behaviors_ros.maps.conflicts import conflict_s
from behaviors_ros.maps.lane_graph import lane_frame
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import at_least
from behaviors_ros.scoring.passage import can_hold, first_time, front_s, rear_s, stops_ahead
from behaviors_ros.scoring.sight import Boxes, SightParameters, nearest_view, passages, views

Array = np.ndarray
TALL = (AgentClass.TRUCK, AgentClass.BUS, AgentClass.TRAILER)


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
    edge_m: float = value(0.2, "distance of the bumper before the lane with priority that is held", low=0.0, high=2.0)
    sight: SightParameters = SightParameters()
    noticed_s: float = value(1.0, "time in which somebody hidden reacts to the ego once it is seen", low=0.0, high=3.0)
    noticed_mps2: float = value(3.0, "braking of somebody hidden for the ego", low=0.5, high=8.0)
    standing_mps: float = value(1.0, "up to this speed a tall vehicle hides who is behind it", low=0.0, high=20.0)
    nose_m: float = value(1.0, "as far into a lane that it does not see the ego may creep", low=0.0, high=3.0)


@register("gate", "yield")
class Yield:
    """Value: least time between the ego in a conflict zone and an agent with priority in it, s, at most the limit.

    Time after the agent counts the more: by the ratio of the two times. The zone begins at the edge of the lanes with
    priority, so that the ego may creep from the line to there.

    From where a lane with priority is hidden somebody comes at its speed limit. What counts is the view where the ego
    can last halt before the edge: from there it must have left before him, or be seen by him from farther than he needs
    to stop, v noticed_s + v^2 / (2 noticed_mps2), the stopping sight distance of road design; or it creeps.
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
            line = self._held_s(scene, stop)
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
            hidden = self._from_hidden(scene, predictions, stop, line, front, candidates)
            gap = np.minimum(gap, np.where(bound, np.clip(self.p.gap_s + hidden, 0.0, self.p.gap_s), self.p.gap_s))
        return at_least(gap, self.p.gap_s, candidates)

    def _held_s(self, scene: Scene, stop: StopPoint) -> float:
        """Arc length that the bumper does not pass while it gives way, m."""
        begins = None
        if scene.map is not None and stop.yields_to:
            begins = conflict_s(scene.route, scene.map, stop, 0.5 * self.vehicle.width_m)
        return max(stop.s + self.p.overrun_m, -np.inf if begins is None else begins - self.p.edge_m)

    def _from_hidden(
        self, scene: Scene, predictions: Predictions, stop: StopPoint, line: float, front: Array, candidates: Candidates
    ) -> Float[Array, "candidate"]:
        """Time from the ego's leaving to the coming of somebody who is hidden now, s; infinite where nobody is."""
        p, boxes = self.p, _tall(predictions, self.p.standing_mps)
        room = np.full(len(candidates), np.inf)
        if not (len(boxes[0]) or scene.tracks.occluders):
            return room
        before = np.arange(0.0, p.sight.before_m + 1e-9, 1.0)
        last, passage_s, _, fastest = passages(
            front, candidates.speed, candidates.time_s, line, stop.clear_s + self.vehicle.length_m, p.sight.response_s,
            p.sight.braking_mps2, p.nose_m,
        ).T  # fmt: skip
        for away, limit in views(scene, stop, boxes, line - before, p.sight):
            noticed_m = limit * p.noticed_s + 0.5 * limit**2 / p.noticed_mps2
            comes_s = nearest_view(np.where(away < noticed_m, away / limit, np.inf), before, last)
            room = np.minimum(room, comes_s - np.where(np.isfinite(comes_s), passage_s, 0.0))
        return np.where(np.isfinite(last) & (fastest > p.sight.creep_mps), room, np.inf)

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


def _tall(predictions: Predictions, standing_mps: float) -> Boxes:
    """Standing trucks, buses and trailers, over which nobody sees: position, yaw, half length and width."""
    first = np.argmax(predictions.valid, axis=1)
    rows = np.arange(len(predictions))
    slow = predictions.speed[rows, first, 0] <= standing_mps
    rows = np.flatnonzero(slow & among(predictions.kind, TALL))
    half = 0.5 * np.column_stack([predictions.length[rows], predictions.width[rows]])
    return predictions.position[rows, first[rows], 0], predictions.yaw[rows, first[rows], 0], half
