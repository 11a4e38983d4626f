"""What a person looks at in RViz or Foxglove: datatypes -> markers. Blue is the ego, green what was chosen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker

from behaviors_ros.datatypes import (
    AgentClass,
    Candidates,
    EgoState,
    Goal,
    LaneMap,
    Mode,
    Plan,
    Predictions,
    Scores,
    Tracks,
    Trajectory,
)  # fmt: skip
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros.conversion import set_yaw, time_message

GREY, BLUE, ORANGE, GREEN = (0.5, 0.5, 0.5), (0.1, 0.4, 1.0), (1.0, 0.55, 0.1), (0.1, 0.8, 0.3)
RED, PURPLE, WHITE = (0.9, 0.15, 0.1), (0.6, 0.3, 0.9), (1.0, 1.0, 1.0)
YELLOW, PINK, BROWN, CYAN = (0.95, 0.85, 0.1), (1.0, 0.35, 0.65), (0.6, 0.4, 0.2), (0.1, 0.8, 0.9)
Colour = tuple[float, float, float]

# Colour and height in m by class; the rest is grey and 1 m high.
LOOKS: dict[AgentClass, tuple[Colour, float]] = {
    AgentClass.CAR: (ORANGE, 1.5), AgentClass.TRUCK: (ORANGE, 3.2), AgentClass.BUS: (ORANGE, 3.0),
    AgentClass.TRAILER: (ORANGE, 3.2), AgentClass.MOTORCYCLE: (YELLOW, 1.5), AgentClass.BICYCLE: (YELLOW, 1.7),
    AgentClass.PEDESTRIAN: (PINK, 1.75), AgentClass.ANIMAL: (BROWN, 0.7),
}  # fmt: skip


def marker(space: str, number: int, kind: int, stamp_ns: int, colour: Colour, alpha: float = 1.0) -> Marker:
    """A marker in the map frame that goes away by itself after half a second unless it is renewed."""
    found = Marker(ns=space, id=number, type=kind, action=Marker.ADD)
    found.header.frame_id, found.header.stamp = "map", time_message(stamp_ns)
    found.color = ColorRGBA(r=colour[0], g=colour[1], b=colour[2], a=alpha)
    found.lifetime.nanosec = 500_000_000
    found.pose.orientation.w = 1.0
    return found


def line(
    space: str, number: int, stamp_ns: int, points: np.ndarray, colour: Colour, width: float, alpha: float
) -> Marker:
    """A polyline, m."""
    found = marker(space, number, Marker.LINE_STRIP, stamp_ns, colour, alpha)
    found.scale.x = width
    found.points = [Point(x=x, y=y) for x, y in points.tolist()]
    return found


def box(
    space: str,
    number: int,
    stamp_ns: int,
    centre: np.ndarray,
    yaw: float,
    size: tuple[float, float, float],
    colour: Colour,
) -> Marker:
    """A box standing on the ground."""
    found = marker(space, number, Marker.CUBE, stamp_ns, colour, 0.8)
    found.pose.position.x, found.pose.position.y, found.pose.position.z = (
        float(centre[0]),
        float(centre[1]),
        0.5 * size[2],
    )
    set_yaw(found.pose.orientation, float(yaw))
    found.scale.x, found.scale.y, found.scale.z = (float(side) for side in size)
    return found


def lanes(lane_map: LaneMap, stamp_ns: int) -> Iterator[Marker]:
    """Both bounds of every lane; they stay until replaced."""
    for number, lane in enumerate(lane_map.lanes.values()):
        for side, bound in enumerate((lane.left_bound, lane.right_bound)):
            found = line("lanes", 2 * number + side, stamp_ns, bound, GREY, 0.1, 0.7)
            found.lifetime.nanosec = 0
            yield found


def ego(state: EgoState, vehicle: Vehicle, mode: Mode) -> Iterator[Marker]:
    """The vehicle's box: red while it stops."""
    ahead = np.array([math.cos(state.yaw), math.sin(state.yaw)])
    colour = RED if mode in (Mode.COMFORT_STOP, Mode.EMERGENCY_STOP) else BLUE
    size = (vehicle.length_m, vehicle.width_m, 1.5)
    yield box("ego", 0, state.stamp_ns, state.position + vehicle.centre_offset_m * ahead, state.yaw, size, colour)


def tracks(found: Tracks) -> Iterator[Marker]:
    """A box a track, by class, with its class and speed above it."""
    for i in range(len(found)):
        kind, at = AgentClass(int(found.kind[i])), found.position[i]
        colour, height = LOOKS.get(kind, (GREY, 1.0))
        size = (found.length[i], found.width[i], height)
        yield box("tracks", i, found.stamp_ns, at, found.yaw[i], size, colour)
        text = marker("labels", i, Marker.TEXT_VIEW_FACING, found.stamp_ns, colour)
        text.pose.position.x, text.pose.position.y, text.pose.position.z = float(at[0]), float(at[1]), height + 0.6
        text.scale.z, text.text = 0.6, f"{kind.name.lower()} {found.speed[i]:.1f} m/s"
        yield text


def route(lines: Sequence[np.ndarray], goal: Goal, stamp_ns: int) -> Iterator[Marker]:
    """The centre lines of the route, and the goal: its region, or a disc where it has none."""
    for number, points in enumerate(lines):
        yield line("route", number, stamp_ns, points, CYAN, 0.8, 0.25)
    if goal.polygon is not None:
        yield line("goal", 0, stamp_ns, np.concatenate((goal.polygon, goal.polygon[:1])), CYAN, 0.2, 0.9)
        return
    disc = marker("goal", 0, Marker.CYLINDER, stamp_ns, CYAN, 0.5)
    disc.pose.position.x, disc.pose.position.y = float(goal.position[0]), float(goal.position[1])
    disc.scale.x, disc.scale.y, disc.scale.z = 2.0, 2.0, 0.05
    yield disc


def predictions(found: Predictions, every: int = 10) -> Iterator[Marker]:
    """A line a mode, as opaque as it is probable, and the ellipse of one standard deviation every `every` steps."""
    number = 0
    for agent, mode in np.argwhere(found.valid).tolist():
        alpha = 0.2 + 0.6 * float(found.probability[agent, mode])
        path = found.position[agent, mode]
        yield line("predictions", agent * 64 + mode, found.stamp_ns, path, ORANGE, 0.15, alpha)
        for step in range(every, len(found.time_s), every):
            yield _ellipse(number, found.stamp_ns, path[step], found.covariance[agent, mode, step], 0.3 * alpha)
            number += 1


def _ellipse(number: int, stamp_ns: int, centre: np.ndarray, covariance: np.ndarray, alpha: float) -> Marker:
    """Axes are twice the square roots of the eigenvalues of the covariance, along its eigenvectors."""
    variance, axes = np.linalg.eigh(covariance)
    found = marker("uncertainty", number, Marker.CYLINDER, stamp_ns, ORANGE, alpha)
    found.pose.position.x, found.pose.position.y = float(centre[0]), float(centre[1])
    set_yaw(found.pose.orientation, math.atan2(axes[1, 1], axes[0, 1]))
    long, short = 2.0 * math.sqrt(max(variance[1], 1e-6)), 2.0 * math.sqrt(max(variance[0], 1e-6))
    found.scale.x, found.scale.y, found.scale.z = long, short, 0.02
    return found


def candidates(found: Candidates, scores: Scores | None) -> Iterator[Marker]:
    """Every candidate, from red (total 0) to green (total 1); grey without scores."""
    for i in range(len(found)):
        total = None if scores is None or len(scores.total) != len(found) else float(np.nan_to_num(scores.total[i]))
        colour = GREY if total is None else (1.0 - min(max(total, 0.0), 1.0), min(max(total, 0.0), 1.0), 0.1)
        yield line("candidates", i, found.stamp_ns, found.position[i, ::3], colour, 0.05, 0.4)


def plan(found: Plan) -> Iterator[Marker]:
    """The selected trajectory, the standing stop, and why, above the vehicle."""
    yield _trajectory("selected", found.trajectory, GREEN, 0.35)
    yield _trajectory("stop", found.stop, PURPLE, 0.2)
    text = marker("reason", 0, Marker.TEXT_VIEW_FACING, found.stamp_ns, WHITE)
    text.pose.position.x, text.pose.position.y = (float(axis) for axis in found.trajectory.position[0])
    text.pose.position.z, text.scale.z, text.text = 4.0, 0.9, f"{found.label}\n{found.reason}"
    yield text


def _trajectory(space: str, found: Trajectory, colour: Colour, width: float) -> Marker:
    return line(space, 0, found.stamp_ns, found.position, colour, width, 0.9)
