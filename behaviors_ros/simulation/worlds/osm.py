"""Writes Lanelet2 maps in OSM form with Autoware's local coordinates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array

Point = Sequence[float] | Array
ORIGIN_DEG = (49.0, 8.0)  # latitude and longitude of local (0, 0)
WGS84_A_M, WGS84_E2 = 6378137.0, 6.69437999014e-3


def geodetic(x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude in deg of a local point (m, east and north of the origin), in WGS84's tangent plane."""
    latitude = math.radians(ORIGIN_DEG[0])
    w = math.sqrt(1.0 - WGS84_E2 * math.sin(latitude) ** 2)
    meridian, normal = WGS84_A_M * (1.0 - WGS84_E2) / w**3, WGS84_A_M / w
    return ORIGIN_DEG[0] + math.degrees(y / meridian), ORIGIN_DEG[1] + math.degrees(x / (normal * math.cos(latitude)))


class OsmMap:
    """Nodes, ways and relations of a map to be written. Points nearer than 1 mm are one node."""

    def __init__(self) -> None:
        """An empty map."""
        self._nodes: dict[tuple[int, int], int] = {}
        self._ways: dict[int, tuple[list[int], dict[str, str]]] = {}
        self._relations: dict[int, tuple[list[tuple[str, str, int]], dict[str, str]]] = {}
        self._next = {"node": 1, "way": 10001, "relation": 20001}

    def _id(self, kind: str) -> int:
        self._next[kind] += 1
        return self._next[kind] - 1

    def node(self, point: Point) -> int:
        """Id of the node at a point (x, y), m."""
        key = (round(float(point[0]) * 1000), round(float(point[1]) * 1000))
        if key not in self._nodes:
            self._nodes[key] = self._id("node")
        return self._nodes[key]

    def way(self, points: Iterable[Point], **tags: str) -> int:
        """Id of a new way through the points; repeated points are one."""
        nodes: list[int] = []
        for point in points:
            node = self.node(point)
            if not nodes or nodes[-1] != node:
                nodes.append(node)
        way = self._id("way")
        self._ways[way] = (nodes, tags)
        return way

    def relation(self, members: Iterable[tuple[str, str, int]], tags: Mapping[str, str]) -> int:
        """Id of a new relation; members are (type, role, id)."""
        relation = self._id("relation")
        self._relations[relation] = (list(members), dict(tags))
        return relation

    def lanelet(self, left: int, right: int, tags: Mapping[str, str]) -> int:
        """Id of a new lanelet between two ways."""
        members = [("way", "left", left), ("way", "right", right)]
        return self.relation(members, {"type": "lanelet", "location": "urban", **tags})

    def regulate(self, lanelets: Iterable[int], subtype: str, members: Iterable[tuple[str, str, int]]) -> int:
        """Id of a new regulatory element that the lanelets refer to."""
        element = self.relation(members, {"type": "regulatory_element", "subtype": subtype})
        for lanelet in lanelets:
            self._relations[lanelet][0].append(("relation", "regulatory_element", element))
        return element

    def text(self) -> str:
        """The map as an OSM document."""
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="behaviors_ros">']
        for (x_mm, y_mm), node in self._nodes.items():
            latitude, longitude = geodetic(x_mm * 1e-3, y_mm * 1e-3)
            lines.append(f'  <node id="{node}" version="1" lat="{latitude:.9f}" lon="{longitude:.9f}">')
            local = {"local_x": f"{x_mm * 1e-3:.3f}", "local_y": f"{y_mm * 1e-3:.3f}", "ele": "0"}
            lines += [*_tags(local), "  </node>"]
        for way, (nodes, tags) in self._ways.items():
            lines.append(f'  <way id="{way}" version="1">')
            lines += [*(f'    <nd ref="{node}"/>' for node in nodes), *_tags(tags), "  </way>"]
        for relation, (members, tags) in self._relations.items():
            lines.append(f'  <relation id="{relation}" version="1">')
            lines += [f'    <member type="{kind}" role="{role}" ref="{ref}"/>' for kind, role, ref in members]
            lines += [*_tags(tags), "  </relation>"]
        return "\n".join([*lines, "</osm>", ""])


def _tags(tags: Mapping[str, str]) -> list[str]:
    return [f"    <tag k={quoteattr(key)} v={quoteattr(text)}/>" for key, text in tags.items()]


@dataclass(frozen=True, eq=False)
class Axis:
    """A line with its exact headings, so that lines beside it meet where axes meet: points in m, yaw in rad."""

    points: Float[Array, "point 2"]
    yaw: Float[Array, "point"]

    def beside(self, offset_m: float) -> Float[Array, "point 2"]:
        """The parallel line `offset_m` to the left."""
        return self.points + offset_m * np.stack((-np.sin(self.yaw), np.cos(self.yaw)), axis=1)

    def then(self, other: Axis) -> Axis:
        """This axis and one that goes on from its end."""
        return Axis(np.concatenate((self.points, other.points[1:])), np.concatenate((self.yaw, other.yaw[1:])))


def straight(start: Point, yaw: float, length_m: float, spacing_m: float = 10.0) -> Axis:
    """A straight axis."""
    along = np.linspace(0.0, length_m, max(1, math.ceil(length_m / spacing_m - 1e-9)) + 1)
    points = np.asarray(start) + along[:, None] * np.array((math.cos(yaw), math.sin(yaw)))
    return Axis(points, np.full(len(along), yaw))


def blended_turn(start: Point, yaw: float, angle: float, tangent_m: float, spacing_m: float = 1.0) -> Axis:
    """A turn by `angle` (rad, + left) whose curvature rises over the first quarter, holds, and falls over the last.

    It starts at `start` with heading `yaw` and leaves after `tangent_m` on both tangents, so that joins are smooth in
    position, heading and curvature.
    """
    t = np.linspace(0.0, 1.0, 4001)
    curvature = np.minimum(1.0, np.minimum(t, 1.0 - t) / 0.25)
    heading = np.concatenate(([0.0], np.cumsum(0.5 * (curvature[1:] + curvature[:-1]))))
    heading *= abs(angle) / heading[-1]
    step = np.stack((np.cos(heading), np.sin(heading)), axis=1)
    shape = np.concatenate((np.zeros((1, 2)), np.cumsum(0.5 * (step[1:] + step[:-1]), axis=0))) / 4000.0
    # Both tangents are equally long, so the end lies tangent * sin(angle) to the side.
    scale = tangent_m * math.sin(abs(angle)) / shape[-1, 1]
    picked = np.round(np.linspace(0, 4000, max(2, math.ceil(scale / spacing_m)) + 1)).astype(int)
    side = math.copysign(1.0, angle)
    local = shape[picked] * scale * np.array((1.0, side))
    turn = np.array(((math.cos(yaw), -math.sin(yaw)), (math.sin(yaw), math.cos(yaw))))
    return Axis(np.asarray(start) + local @ turn.T, yaw + side * heading[picked])
