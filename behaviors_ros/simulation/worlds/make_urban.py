"""Writes `urban.osm`, the map of the demo: python -m behaviors_ros.simulation.worlds.make_urban

Main street west to east (y = 0) with a signalised crossing at x = 215 and a zebra at x = 375; at x = 450 a side street
leaves to the north, bends to the right and ends. Two lanes of 3.5 m everywhere, right-hand traffic.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from behaviors_ros.simulation.worlds.osm import Axis, OsmMap, blended_turn, straight
from behaviors_ros.simulation.worlds.town import Arm, Town

LANE_M = 3.5
MOUTH_M = 13.0  # junction centre to where its arms begin: smallest radius of left turns 11.5 m, of right turns 8.8 m
EAST, NORTH, WEST, SOUTH = 0.0, 0.5 * math.pi, math.pi, -0.5 * math.pi
SIGNALS = ("west", "east", "south", "north")


def side_street() -> Axis:
    """North from the second junction, then a bend of 40 deg to the right with a smallest radius of about 40 m."""
    axis = straight((450.0, MOUTH_M), NORTH, 107.0)
    axis = axis.then(blended_turn(axis.points[-1], NORTH, -math.radians(40.0), 20.0, spacing_m=2.0))
    return axis.then(straight(axis.points[-1], float(axis.yaw[-1]), 75.0))


def urban() -> OsmMap:
    """The map of the demo."""
    town = Town(LANE_M, MOUTH_M)
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
    town.zebra(np.array((375.0, 0.0)), EAST, (zone_to, zone_back))
    return town.osm


if __name__ == "__main__":
    Path(__file__).with_name("urban.osm").write_text(urban().text(), encoding="utf-8")
