"""Towns laid out in code: streets, junctions, roundabouts and their rules, as Lanelet2 maps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from behaviors_ros.datatypes import Array
from behaviors_ros.simulation.worlds.osm import Axis, OsmMap, blended_turn, straight

STOP_LINE_M = 1.5  # stop line to the junction mouth
WALK_M = (6.0, 8.5)  # pavement, from the axis; between it and the lane lies a parking strip
WALKERS = {"one_way": "no", "participant:pedestrian": "yes"}


@dataclass
class Arm:
    """One arm of a junction: where it begins, the outward heading, its lanelets towards and away from the junction."""

    mouth: Array
    yaw: float
    inward: int
    outward: int
    turns: dict[str, int] = field(default_factory=dict)

    def at(self, outward_m: float, left_m: float) -> Array:
        """The point `outward_m` from the mouth and `left_m` to the left, seen from the junction."""
        along = np.array((math.cos(self.yaw), math.sin(self.yaw)))
        return self.mouth + outward_m * along + left_m * np.array((-along[1], along[0]))


class Town:
    """The map while it is laid out."""

    def __init__(self, lane_m: float = 3.5, mouth_m: float = 13.0) -> None:
        """An empty town: width of its lanes, and from a junction's centre to where its arms begin, m."""
        self.osm = OsmMap()
        self.lane_m, self.mouth_m = lane_m, mouth_m
        self._shared: dict[tuple[int, int], int] = {}

    def road(self, axis: Axis, limit_kmh: int, pavements: bool = True) -> tuple[int, int]:
        """Two lanelets along the axis: the one in its direction and the opposite one."""
        centre = self.osm.way(axis.points, type="line_thin", subtype="dashed")
        right = self.osm.way(axis.beside(-self.lane_m), type="curbstone", subtype="low")
        left = self.osm.way(axis.beside(self.lane_m)[::-1], type="curbstone", subtype="low")
        lanelets = (self._lanelet(centre, right, limit_kmh), self._lanelet(centre, left, limit_kmh))
        for side in (1.0, -1.0) if pavements else ():
            inner, outer = (self.osm.way(axis.beside(side * offset), type="virtual") for offset in WALK_M)
            left_way, right_way = (outer, inner) if side > 0.0 else (inner, outer)
            self.osm.lanelet(left_way, right_way, WALKERS | {"subtype": "walkway"})
        return lanelets

    def connect(self, arms: dict[str, Arm], limit_kmh: int) -> None:
        """Lanelets from every arm to every other one."""
        for source in arms.values():
            for name, target in arms.items():
                if target is not source:
                    source.turns[name] = self._turn(source, target, limit_kmh)

    def _turn(self, source: Arm, target: Arm, limit_kmh: int) -> int:
        angle = math.remainder(target.yaw - source.yaw - math.pi, math.tau)
        if abs(angle) < 0.1:
            left = self._shared_way(source.mouth, target.mouth)
            right = self.osm.way((source.at(0.0, self.lane_m), target.at(0.0, -self.lane_m)), type="virtual")
            return self._lanelet(left, right, limit_kmh, turn_direction="straight")
        return self.lane(self.turn(source, target), limit_kmh, turn_direction="left" if angle > 0.0 else "right")

    def turn(self, source: Arm, target: Arm) -> Axis:
        """Centre line of a turn. Both tangents end on the bisector of the arms, which gives their length."""
        angle = math.remainder(target.yaw - source.yaw - math.pi, math.tau)
        if abs(angle) < 0.1:
            return straight(source.at(0.0, 0.5 * self.lane_m), source.yaw + math.pi, 2.0 * self.mouth_m)
        tangent = self.mouth_m + math.copysign(0.5 * self.lane_m * math.tan(0.5 * abs(angle)), angle)
        return blended_turn(source.at(0.0, 0.5 * self.lane_m), source.yaw + math.pi, angle, tangent)

    def lane(self, axis: Axis, limit_kmh: int, **tags: str) -> int:
        """A lanelet of its own along its centre line."""
        half = 0.5 * self.lane_m
        left, right = (self.osm.way(axis.beside(offset), type="virtual") for offset in (half, -half))
        return self._lanelet(left, right, limit_kmh, **tags)

    def _shared_way(self, a: Array, b: Array) -> int:
        """The line between opposite straight lanelets of a junction, one for both."""
        ends = sorted((self.osm.node(a), self.osm.node(b)))
        key = (ends[0], ends[1])
        if key not in self._shared:
            self._shared[key] = self.osm.way((a, b), type="virtual")
        return self._shared[key]

    def _lanelet(self, left: int, right: int, limit_kmh: int, **tags: str) -> int:
        rules = {"subtype": "road", "one_way": "yes", "speed_limit": str(limit_kmh), "participant:vehicle": "yes"}
        return self.osm.lanelet(left, right, rules | tags)

    def stop_line(self, arm: Arm, outward_m: float = STOP_LINE_M) -> int:
        """A stop line across the lane towards the junction."""
        return self.osm.way((arm.at(outward_m, self.lane_m), arm.at(outward_m, 0.0)), type="stop_line")

    def signal(self, arm: Arm) -> int:
        """A signal group for the lane towards the junction, its light on the far side."""
        light = self.osm.way((arm.at(-2.0 * self.mouth_m, 4.5), arm.at(-2.0 * self.mouth_m, 5.0)), type="traffic_light")
        members = [("way", "refers", light), ("way", "ref_line", self.stop_line(arm))]
        return self.osm.regulate([arm.inward], "traffic_light", members)

    def give_way(self, yields: list[int], to: list[int], line: int | None = None) -> None:
        """A right of way rule; `line` is where those who yield wait."""
        members = [("relation", "yield", lanelet) for lanelet in yields]
        members += [("relation", "right_of_way", lanelet) for lanelet in to]
        members += [("way", "ref_line", line)] if line else []
        self.osm.regulate(yields, "right_of_way", members)

    def oncoming_first(self, arms: dict[str, Arm], source: str, left: str, opposite: str) -> None:
        """A left turn yields to oncoming traffic that goes straight or right; it waits before the middle line."""
        line = self.stop_line(arms[source], -3.5)
        oncoming = arms[opposite].turns
        first = [oncoming[source]] + ([oncoming[left]] if left in oncoming else [])
        self.give_way([arms[source].turns[left]], first, line)

    def zebra(self, centre: Array, yaw: float, lanes: tuple[int, int], width_m: float = 4.0) -> None:
        """A crosswalk over a street at a point of its axis, with stop lines 2 m before it for both lanes."""
        place = Arm(np.asarray(centre), yaw, 0, 0)
        half, lane = 0.5 * width_m, self.lane_m
        edges = [
            self.osm.way((place.at(at, -lane), place.at(at, lane)), type="pedestrian_marking") for at in (-half, half)
        ]
        crosswalk = self.osm.lanelet(edges[0], edges[1], WALKERS | {"subtype": "crosswalk"})
        there = (place.at(-half - 2.0, -lane), place.at(-half - 2.0, 0.0))
        back = (place.at(half + 2.0, lane), place.at(half + 2.0, 0.0))
        for lane_id, line in zip(lanes, (there, back), strict=True):
            stop = self.osm.way(line, type="stop_line")
            self.osm.regulate([lane_id], "crosswalk", [("relation", "refers", crosswalk), ("way", "ref_line", stop)])

    def stop_sign(self, arm: Arm) -> None:
        """A stop sign with its line for the lane towards the junction."""
        sign = self.osm.way((arm.at(STOP_LINE_M, 4.5), arm.at(STOP_LINE_M, 5.0)), type="traffic_sign", subtype="de206")
        members = [("way", "refers", sign), ("way", "ref_line", self.stop_line(arm))]
        self.osm.regulate([arm.inward], "traffic_sign", members)

    def carriageway(self, axis: Axis, limit_kmh: int, rightmost: int, leftmost: int = -1) -> dict[int, int]:
        """Lanelets side by side: lane 0 is right of the axis, 1 the next to the right, -1 the oncoming one, and so on.

        Lanes of one direction may be changed between. Gives the lanelets by lane.
        """
        lines = {}
        for at in range(leftmost, rightmost + 2):
            outer = at in (leftmost, rightmost + 1)
            tags = {"type": "curbstone", "subtype": "low"} if outer else {"type": "line_thin", "subtype": "dashed"}
            lines[at] = self.osm.way(axis.beside(-at * self.lane_m), **tags)
        lanes = {at: self._lanelet(lines[at], lines[at + 1], limit_kmh) for at in range(rightmost + 1)}
        for at in range(leftmost, 0):
            back = [self.osm.way(axis.beside(-edge * self.lane_m)[::-1], type="line_thin", subtype="dashed")
                    for edge in (at + 1, at)]  # fmt: skip
            lanes[at] = self._lanelet(back[0], back[1], limit_kmh)
        return lanes

    def parking(self, axis: Axis, near_m: float, width_m: float) -> int:
        """A parking lane to the right of a street, `near_m` from its axis."""
        ways = [self.osm.way(axis.beside(-offset), type="virtual") for offset in (near_m, near_m + width_m)]
        return self.osm.lanelet(ways[0], ways[1], {"subtype": "parking", "one_way": "yes"})
