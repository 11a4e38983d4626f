"""Places where situations happen, laid out as Lanelet2 maps with the lines that road users follow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polylines import without_duplicates
from behaviors_ros.simulation.forms import SignalForm
from behaviors_ros.simulation.scenario import DEMO
from behaviors_ros.simulation.worlds.osm import Axis, OsmMap, blended_turn, straight
from behaviors_ros.simulation.worlds.town import Arm, Town

URBAN = DEMO.with_suffix(".osm")
URBAN_SIGNALS = tuple(SignalForm(id=group, green_s=3600.0, red_s=0.0) for group in (20051, 20052, 20053, 20054))


@dataclass(frozen=True, eq=False)
class Street:
    """A street along an axis: `lane_m` wide lanes to both sides; (s, d) are along and left of the axis, m.

    file: the map file of a stretch of a given map, which has no oncoming lane for certain.
    """

    town: Town
    axis: Axis
    lane_m: float
    limit_kmh: int
    lanes: tuple[int, int]
    file: Path | None = None

    @property
    def map(self) -> OsmMap | Path:
        """Its map: laid out, or of a file."""
        return self.file or self.town.osm

    def within(self, s: float) -> float:
        """The arc length, kept 3 m inside the street."""
        return min(max(s, 3.0), self.frame.length - 3.0)

    @cached_property
    def frame(self) -> FrenetFrame:
        """Frame of the axis."""
        return FrenetFrame(self.axis.points)

    @property
    def limit_mps(self) -> float:
        """Speed limit."""
        return self.limit_kmh / 3.6

    @property
    def ego_d(self) -> float:
        """Offset of the ego's lane, the one next to the axis on its right."""
        return -0.5 * self.lane_m

    def point(self, s: float, d: float) -> Float[Array, "2"]:
        """A point."""
        return np.asarray(self.frame.cartesian(s, d))

    def yaw(self, s: float) -> float:
        """Heading of the axis."""
        return float(self.frame.heading(s))

    def line(self, begin: float, end: float, d: float) -> Float[Array, "point 2"]:
        """A line beside the axis, backwards where `end` is before `begin`."""
        return self.frame.cartesian(np.linspace(begin, end, max(2, math.ceil(abs(end - begin) / 2.0) + 1)), d)

    def box(self, begin: float, end: float, low: float, high: float) -> Float[Array, "point 2"]:
        """Outline of the stretch between offsets `low` and `high`."""
        return np.concatenate((self.line(begin, end, low), self.line(end, begin, high)))


def bent(yaw: float, length_m: float, bend_rad: float, bend_at_m: float, radius_m: float) -> Axis:
    """A straight axis, or one with a bend of about `radius_m` that begins at `bend_at_m`."""
    if abs(bend_rad) < 0.05:
        return straight((0.0, 0.0), yaw, length_m)
    first = straight((0.0, 0.0), yaw, bend_at_m)
    # A turn whose curvature rises over a quarter at each end has a tangent about 4 / 3 of a circle's.
    tangent = 4.0 / 3.0 * radius_m * math.tan(0.5 * abs(bend_rad))
    curve = blended_turn(first.points[-1], yaw, bend_rad, tangent, spacing_m=2.0)
    rest = max(20.0, length_m - bend_at_m - 2.0 * tangent)
    return first.then(curve).then(straight(curve.points[-1], yaw + bend_rad, rest))


def street(axis: Axis, lane_m: float, limit_kmh: int) -> Street:
    """A two-way street."""
    town = Town(lane_m)
    return Street(town, axis, lane_m, limit_kmh, town.road(axis, limit_kmh))


def urban_street() -> Street:
    """The main street of the embedded map before its crossing, whose lights `URBAN_SIGNALS` keep green."""
    return Street(Town(3.5), straight((-30.0, 0.0), 0.0, 225.0), 3.5, 50, (0, 0), URBAN)


@dataclass(frozen=True, eq=False)
class Junction:
    """Arms that meet at the origin; each is `arm_m` long, straight, with one lane a direction."""

    town: Town
    arms: dict[str, Arm]
    arm_m: float
    limit_kmh: int

    @property
    def limit_mps(self) -> float:
        """Speed limit."""
        return self.limit_kmh / 3.6

    def inward(self, name: str, outward_m: float) -> Float[Array, "2"]:
        """A point on the lane towards the junction, `outward_m` before its mouth."""
        return self.arms[name].at(outward_m, 0.5 * self.town.lane_m)

    def outward(self, name: str, outward_m: float) -> Float[Array, "2"]:
        """A point on the lane away from the junction."""
        return self.arms[name].at(outward_m, -0.5 * self.town.lane_m)

    def path(self, source: str, target: str) -> Float[Array, "point 2"]:
        """The whole way of one who comes from one arm and leaves by another."""
        inside = self.town.turn(self.arms[source], self.arms[target]).points
        begin = [self.inward(source, far) for far in np.linspace(self.arm_m, 5.0, 9)]
        end = [self.outward(target, far) for far in np.linspace(5.0, self.arm_m, 9)]
        return without_duplicates(np.vstack((begin, inside, end)))

    def line(self, name: str, outward_m: float = 1.5) -> Float[Array, "2"]:
        """Where one waits on an arm."""
        return self.inward(name, outward_m)

    def area(self, inset_m: float = 0.0) -> Float[Array, "point 2"]:
        """The square between the mouths."""
        half = self.town.lane_m
        corners = [arm.at(-inset_m, side * half) for arm in self.arms.values() for side in (1.0, -1.0)]
        middle = np.mean(corners, axis=0)
        around = [math.atan2(*(corner - middle)[::-1]) for corner in corners]
        return np.array([corner for _, corner in sorted(zip(around, corners, strict=True), key=lambda pair: pair[0])])


def junction(
    yaws: dict[str, float], lane_m: float, limit_kmh: int, arm_m: float = 170.0, mouth_m: float = 13.0
) -> Junction:
    """Arms by name with their outward headings (rad), all of them connected."""
    town = Town(lane_m, mouth_m)
    arms = {}
    for name, yaw in yaws.items():
        mouth = mouth_m * np.array((math.cos(yaw), math.sin(yaw)))
        outward, inward = town.road(straight(mouth, yaw, arm_m), limit_kmh)
        arms[name] = Arm(mouth, yaw, inward, outward)
    town.connect(arms, limit_kmh)
    return Junction(town, arms, arm_m, limit_kmh)
