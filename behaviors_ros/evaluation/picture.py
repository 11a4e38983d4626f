"""A scenario as a picture, SVG or PNG: map, route, goal, occluders, and where everyone is and goes at the start."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float, UInt8

from behaviors_ros.datatypes import AgentClass, Array, LaneKind
from behaviors_ros.geometry.boxes import corners
from behaviors_ros.maps.lanes import lane_polygon
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.simulation.reactive import Reactive
from behaviors_ros.simulation.scenario import Scenario
from behaviors_ros.simulation.scripted import Scripted

GROUND, INK = "#e9eee4", "#30343a"
LANE_COLOURS = {
    LaneKind.CROSSWALK: "#f4f4f4", LaneKind.WALKWAY: "#dcd3c4", LaneKind.PARKING: "#aab3bf",
    LaneKind.BICYCLE: "#c9a2a0",
}  # fmt: skip
AGENT_COLOURS = {
    AgentClass.PEDESTRIAN: "#d6336c", AgentClass.ANIMAL: "#8a5a2b", AgentClass.BICYCLE: "#e8890c",
    AgentClass.HAZARD: "#d9480f", AgentClass.BUS: "#7048a8", AgentClass.TRUCK: "#5f4b8b",
}  # fmt: skip


class PictureFrame(Parameters):
    """What the picture shows."""

    metres_aside: float = value(30.0, "shown beside the route", low=5.0, high=200.0)
    pixels_per_metre: float = value(5.0, "scale", low=1.0, high=40.0)


@dataclass(frozen=True, eq=False)
class Shape:
    """A filled polygon (point, 2) in m."""

    ring: Float[Array, "point 2"]
    colour: str


def shapes(scenario: Scenario) -> Iterator[Shape]:
    """All shapes of a scenario, from the ground up."""
    lanes = scenario.map.lanes.values() if scenario.map else ()
    for lane in sorted(lanes, key=lambda lane: lane.kind == LaneKind.CROSSWALK):
        yield Shape(lane_polygon(lane), LANE_COLOURS.get(lane.kind, "#b9bec6"))
    for lane in lanes:
        if lane.kind == LaneKind.ROAD:
            yield from _line(lane.left_bound, 0.12, "#ffffff")
            yield from _line(lane.right_bound, 0.12, "#ffffff")
        if lane.stop_line is not None:
            yield from _line(lane.stop_line, 0.4, "#c92a2a" if lane.signals or lane.stop else "#f08c00")
    for ring in scenario.occluders:
        yield Shape(ring, "#8d7b68")
    for agent in scenario.agents:
        if isinstance(agent, Reactive):
            s = np.linspace(agent.s, agent.path.frame.length, 60)
            yield from _line(agent.path.frame.point(s), 0.25, _colour(agent.body.kind))
        elif isinstance(agent, Scripted):
            yield from _line(agent.script.waypoints, 0.25, _colour(agent.body.kind))
    frame = route_frame(scenario.route)
    begin = float(frame.project(scenario.start.position)[0])
    yield from _line(frame.point(np.linspace(begin, max(scenario.route.goal_s, begin + 1.0), 120)), 0.35, "#1c7ed6")
    if scenario.goal.polygon is not None:
        yield Shape(scenario.goal.polygon, "#51cf66")
    for agent in scenario.agents:
        if agent.motion is not None:
            body, motion = agent.body, agent.motion
            box = corners(motion.position, motion.yaw, body.length, body.width)
            yield Shape(box, _colour(body.kind))
    vehicle, ego = scenario.vehicle, scenario.start
    centre = ego.position + vehicle.centre_offset_m * np.array((np.cos(ego.yaw), np.sin(ego.yaw)))
    yield Shape(corners(centre, ego.yaw, vehicle.length_m, vehicle.width_m), "#0b4fa0")


def _colour(kind: AgentClass) -> str:
    return AGENT_COLOURS.get(kind, INK)


def _line(points: Float[Array, "point 2"], width: float, colour: str) -> Iterator[Shape]:
    for part in shapely.get_parts(shapely.LineString(points).buffer(0.5 * width, cap_style="flat", quad_segs=2)):
        yield Shape(np.array(part.exterior.coords), colour)


def window(scenario: Scenario, frame: PictureFrame) -> tuple[float, float, float, float]:
    """What is shown: least x and y, largest x and y, m."""
    along = route_frame(scenario.route)
    begin = float(along.project(scenario.start.position)[0])
    points = along.point(np.linspace(begin, max(scenario.route.goal_s, begin + 1.0), 50))
    low, high = points.min(axis=0) - frame.metres_aside, points.max(axis=0) + frame.metres_aside
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def svg(scenario: Scenario, frame: PictureFrame | None = None) -> str:
    """The picture as an SVG document."""
    frame = frame or PictureFrame()
    left, low, right, high = window(scenario, frame)
    scale = frame.pixels_per_metre
    size = f'width="{(right - left) * scale:.0f}" height="{(high - low) * scale:.0f}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {right - left:.2f} {high - low:.2f}">']
    lines.append(f'<rect width="100%" height="100%" fill="{GROUND}"/>')
    for shape in shapes(scenario):
        points = " ".join(f"{x - left:.2f},{high - y:.2f}" for x, y in shape.ring)
        lines.append(f'<polygon points="{points}" fill="{shape.colour}"/>')
    return "\n".join([*lines, "</svg>", ""])


def pixels(scenario: Scenario, frame: PictureFrame | None = None) -> UInt8[Array, "row column 3"]:
    """The picture as RGB pixels."""
    frame = frame or PictureFrame()
    left, low, right, high = window(scenario, frame)
    scale = frame.pixels_per_metre
    image = np.empty((int((high - low) * scale), int((right - left) * scale), 3), dtype=np.uint8)
    image[:] = _rgb(GROUND)
    x = left + (np.arange(image.shape[1]) + 0.5) / scale
    y = high - (np.arange(image.shape[0]) + 0.5) / scale
    for shape in shapes(scenario):
        (x0, y0), (x1, y1) = shape.ring.min(axis=0), shape.ring.max(axis=0)
        columns, rows = np.flatnonzero((x >= x0) & (x <= x1)), np.flatnonzero((y >= y0) & (y <= y1))
        if columns.size and rows.size:
            area = shapely.make_valid(shapely.Polygon(shape.ring))
            shapely.prepare(area)
            inside = shapely.contains_xy(area, *np.meshgrid(x[columns], y[rows]))
            image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][inside] = _rgb(shape.colour)
    return image


def png(image: UInt8[Array, "row column 3"]) -> bytes:
    """RGB pixels as a PNG file (ISO/IEC 15948: signature, IHDR, IDAT, IEND)."""
    height, width, _ = image.shape
    rows = np.concatenate((np.zeros((height, 1), np.uint8), image.reshape(height, -1)), axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue
