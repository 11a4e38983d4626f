"""Writes `urban.osm`, the map of the demo: python -m behaviors_ros.simulation.worlds.make_urban

Main street west to east (y = 0) with a signalised crossing at x = 215 and a zebra at x = 375; at x = 450 a side street
leaves to the north, bends to the right and ends. Two lanes of 3.5 m everywhere, right-hand traffic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import Array
from behaviors_ros.simulation.worlds.osm import Axis, OsmMap, blended_turn, straight

LANE_M = 3.5
MOUTH_M = 13.0  # junction centre to where its arms begin: smallest radius of left turns 11.5 m, of right turns 8.8 m
STOP_LINE_M = 1.5  # stop line to the junction mouth
WALK_M = (6.0, 8.5)  # pavement, from the axis; between it and the lane lies a parking strip
EAST, NORTH, WEST, SOUTH = 0.0, 0.5 * math.pi, math.pi, -0.5 * math.pi
WALKERS = {"one_way": "no", "participant:pedestrian": "yes"}
SIGNALS = ("west", "east", "south", "north")


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

    def __init__(self) -> None:
        """An empty town."""
        self.osm = OsmMap()
        self._shared: dict[tuple[int, int], int] = {}

    def road(self, axis: Axis, limit_kmh: int, pavements: bool = True) -> tuple[int, int]:
        """Two lanelets along the axis: the one in its direction and the opposite one."""
        centre = self.osm.way(axis.points, type="line_thin", subtype="dashed")
        right = self.osm.way(axis.beside(-LANE_M), type="curbstone", subtype="low")
        left = self.osm.way(axis.beside(LANE_M)[::-1], type="curbstone", subtype="low")
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
            right = self.osm.way((source.at(0.0, LANE_M), target.at(0.0, -LANE_M)), type="virtual")
            return self._lanelet(left, right, limit_kmh, turn_direction="straight")
        side = math.copysign(0.5 * LANE_M, angle)
        curve = blended_turn(source.at(0.0, 0.5 * LANE_M), source.yaw + math.pi, angle, MOUTH_M + side)
        left, right = (self.osm.way(curve.beside(offset), type="virtual") for offset in (0.5 * LANE_M, -0.5 * LANE_M))
        return self._lanelet(left, right, limit_kmh, turn_direction="left" if angle > 0.0 else "right")

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
        return self.osm.way((arm.at(outward_m, LANE_M), arm.at(outward_m, 0.0)), type="stop_line")

    def signal(self, arm: Arm) -> int:
        """A signal group for the lane towards the junction, its light on the far side."""
        light = self.osm.way((arm.at(-2.0 * MOUTH_M, 4.5), arm.at(-2.0 * MOUTH_M, 5.0)), type="traffic_light")
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

    def zebra(self, x: float, lanes: tuple[int, int], width_m: float = 4.0) -> None:
        """A crosswalk over the main street with stop lines 2 m before it for both lanes."""
        near, far = x - 0.5 * width_m, x + 0.5 * width_m
        edges = [self.osm.way(((at, -LANE_M), (at, LANE_M)), type="pedestrian_marking") for at in (near, far)]
        crosswalk = self.osm.lanelet(edges[0], edges[1], WALKERS | {"subtype": "crosswalk"})
        eastbound = ((near - 2.0, -LANE_M), (near - 2.0, 0.0))
        westbound = ((far + 2.0, LANE_M), (far + 2.0, 0.0))
        for lane, line in zip(lanes, (eastbound, westbound), strict=True):
            stop = self.osm.way(line, type="stop_line")
            self.osm.regulate([lane], "crosswalk", [("relation", "refers", crosswalk), ("way", "ref_line", stop)])


def side_street() -> Axis:
    """North from the second junction, then a bend of 40 deg to the right with a smallest radius of about 40 m."""
    axis = straight((450.0, MOUTH_M), NORTH, 107.0)
    axis = axis.then(blended_turn(axis.points[-1], NORTH, -math.radians(40.0), 20.0, spacing_m=2.0))
    return axis.then(straight(axis.points[-1], float(axis.yaw[-1]), 75.0))


def urban() -> OsmMap:
    """The map of the demo."""
    town = Town()
    main = [(-30.0, 80.0, 50), (80.0, 202.0, 50), (228.0, 330.0, 50), (330.0, 437.0, 30), (463.0, 600.0, 50)]
    _, (west_to, west_back), (mid_to, mid_back), (zone_to, zone_back), (far_to, far_back) = (
        town.road(straight((begin, 0.0), EAST, end - begin), limit) for begin, end, limit in main
    )
    south_out, south_in = town.road(straight((215.0, -MOUTH_M), SOUTH, 77.0), 50)
    north_out, north_in = town.road(straight((215.0, MOUTH_M), NORTH, 77.0), 50)
    side_out, side_in = town.road(side_street(), 30)
    crossing = {
        "west": Arm(np.array((202.0, 0.0)), WEST, west_to, west_back),
        "east": Arm(np.array((228.0, 0.0)), EAST, mid_back, mid_to),
        "south": Arm(np.array((215.0, -MOUTH_M)), SOUTH, south_in, south_out),
        "north": Arm(np.array((215.0, MOUTH_M)), NORTH, north_in, north_out),
    }
    fork = {
        "west": Arm(np.array((437.0, 0.0)), WEST, zone_to, zone_back),
        "east": Arm(np.array((463.0, 0.0)), EAST, far_back, far_to),
        "north": Arm(np.array((450.0, MOUTH_M)), NORTH, side_in, side_out),
    }
    town.connect(crossing, 50)
    town.connect(fork, 30)
    for name in SIGNALS:
        town.signal(crossing[name])
    for source, left, opposite in (
        ("west", "north", "east"), ("east", "south", "west"), ("south", "west", "north"), ("north", "east", "south"),
    ):  # fmt: skip
        town.oncoming_first(crossing, source, left, opposite)
    town.oncoming_first(fork, "west", "north", "east")
    main_through = [fork["west"].turns["east"], fork["east"].turns["west"]]
    town.give_way(
        [fork["north"].turns["east"]], [*main_through, fork["west"].turns["north"]], town.stop_line(fork["north"])
    )
    town.give_way([fork["north"].turns["west"]], [fork["east"].turns["west"]], town.stop_line(fork["north"]))
    town.zebra(375.0, (zone_to, zone_back))
    return town.osm


if __name__ == "__main__":
    Path(__file__).with_name("urban.osm").write_text(urban().text(), encoding="utf-8")
