"""Road users and planning problems of a CommonRoad file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float, Int
from lxml import etree

from behaviors_ros.datatypes import AgentClass, Array, Goal, LaneMap
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.geometry.transforms import rotate
from behaviors_ros.maps.commonroad_lanes import by_id
from behaviors_ros.maps.commonroad_values import bounds, number, oriented_box, points, reference, shape_polygons
from behaviors_ros.maps.documents import Limits
from behaviors_ros.maps.lane_graph import lanes_at, paths_from
from behaviors_ros.maps.lanes import lane_polygon

CLASSES = {
    "car": AgentClass.CAR,
    "taxi": AgentClass.CAR,
    "priorityVehicle": AgentClass.CAR,
    "parkedVehicle": AgentClass.CAR,
    "truck": AgentClass.TRUCK,
    "bus": AgentClass.BUS,
    "train": AgentClass.BUS,
    "motorcycle": AgentClass.MOTORCYCLE,
    "bicycle": AgentClass.BICYCLE,
    "pedestrian": AgentClass.PEDESTRIAN,
    "constructionZone": AgentClass.HAZARD,
    "roadBoundary": AgentClass.HAZARD,
    "building": AgentClass.HAZARD,
    "pillar": AgentClass.HAZARD,
    "median_strip": AgentClass.HAZARD,
}


@dataclass(frozen=True, eq=False)
class RecordedObstacle:
    """A road user as recorded. role: static, dynamic or environment; length along yaw and width, m.

    time: steps of `dt_s`; position: box centre, m; yaw rad; speed m/s; acceleration m/s^2, NaN where not given.
    A static or environment obstacle has one state.
    """

    id: int
    kind: AgentClass
    role: str
    length: float
    width: float
    time: Int[Array, "step"]
    position: Float[Array, "step 2"]
    yaw: Float[Array, "step"]
    speed: Float[Array, "step"]
    acceleration: Float[Array, "step"]


@dataclass(frozen=True, eq=False)
class PlanningProblem:
    """The ego's start and goals (any one suffices).

    position: the *centre of the vehicle's box*, m (CommonRoad's reference; a rear axle lies behind it by the vehicle's
    centre offset); yaw rad; speed m/s; acceleration m/s^2; yaw_rate rad/s; time: step of the initial state.
    """

    id: int
    position: Float[Array, "2"]
    yaw: float
    speed: float
    acceleration: float
    yaw_rate: float
    time: int
    goals: tuple[Goal, ...]


def read_obstacles(
    root: etree._Element, source: object, dt: float, limits: Limits
) -> tuple[tuple[RecordedObstacle, ...], Counter[str]]:
    """(obstacles, counts of what was skipped by reason)."""
    found, skipped = [], Counter[str]()
    tags = ("staticObstacle", "dynamicObstacle", "environmentObstacle", "obstacle", "phantomObstacle")
    for tag in tags:
        for id_, element in by_id(root, tag, source).items():
            role = element.findtext("role", "").strip() if tag == "obstacle" else tag.removesuffix("Obstacle")
            obstacle = _obstacle(id_, role, element, source, dt, limits)
            if isinstance(obstacle, str):
                skipped[obstacle] += 1
            else:
                found.append(obstacle)
    return tuple(sorted(found, key=lambda obstacle: obstacle.id)), skipped


def _obstacle(
    id_: int, role: str, element: etree._Element, source: object, dt: float, limits: Limits
) -> RecordedObstacle | str:
    field, largest = f"obstacle {id_}", limits.coordinate_m
    kind = CLASSES.get(element.findtext("type", "").strip(), AgentClass.UNKNOWN)
    shape = element.find("shape")
    rings = [] if shape is None else shape_polygons(shape, source, f"{field}, shape", largest)
    states = [*element.iterfind("initialState"), *element.iterfind("trajectory/state")]
    if role == "environment":
        return _boxes(id_, kind, role, [(0, np.vstack(rings))], dt) if rings else "environment obstacle without a shape"
    if not rings or (element.find("occupancySet") is not None and element.find("trajectory") is None):
        return _occupied(id_, kind, role, element, source, dt, limits)
    if not states:
        return "obstacle without states"
    low, high = np.vstack(rings).min(axis=0), np.vstack(rings).max(axis=0)
    rows = np.array([_state(state, source, field, largest) for state in states])
    rows = rows[np.unique(rows[:, 0], return_index=True)[1]]
    offset = rotate(np.broadcast_to(0.5 * (low + high), (len(rows), 2)), rows[:, 3])
    speed = rows[:, 4] if role != "static" else np.zeros(len(rows))
    return RecordedObstacle(
        id_, kind, role, float(high[0] - low[0]), float(high[1] - low[1]), rows[:, 0].astype(np.int64),
        rows[:, 1:3] + offset, rows[:, 3], speed, rows[:, 5],
    )  # fmt: skip


def _state(state: etree._Element, source: object, field: str, largest: float) -> tuple[float, ...]:
    """(time step, x, y, yaw, speed, acceleration); an uncertain position counts by the middle of its shape."""
    position = _position(state, source, field, largest)
    time = number(state, "time", source, field)
    if np.isnan(time):
        raise InputError(source, f"{field}, time", "is missing", "give every state its time step")
    names = ("orientation", "velocity", "acceleration")
    yaw, speed, acceleration = (number(state, name, source, field) for name in names)
    return time, *position, 0.0 if np.isnan(yaw) else yaw, 0.0 if np.isnan(speed) else speed, acceleration


def _position(state: etree._Element, source: object, field: str, largest: float) -> Float[Array, "2"]:
    element = state.find("position")
    if element is None:
        raise InputError(source, f"{field}, position", "is missing", "give every state a position")
    point = points(element, source, f"{field}, position", largest)
    if len(point):
        return point[0]
    rings = shape_polygons(element, source, f"{field}, position", largest)
    if not rings:
        raise InputError(source, f"{field}, position", "holds no point and no shape", "give a point")
    return oriented_box(np.vstack(rings))[0]


def _occupied(
    id_: int, kind: AgentClass, role: str, element: etree._Element, source: object, dt: float, limits: Limits
) -> RecordedObstacle | str:
    """An obstacle predicted by the sets it may occupy: the bounding box of each set."""
    field, boxes = f"obstacle {id_}, occupancy", []
    for occupancy in element.iterfind("occupancySet/occupancy"):
        shape = occupancy.find("shape")
        rings = [] if shape is None else shape_polygons(shape, source, field, limits.coordinate_m)
        time = bounds(occupancy, "time", source, field)
        if rings and time is not None:
            boxes.append((round(time[0]), np.vstack(rings)))
    return _boxes(id_, kind, role, boxes, dt) if boxes else "obstacle without shape or occupancy"


def _boxes(id_: int, kind: AgentClass, role: str, rings: list[tuple[int, Array]], dt: float) -> RecordedObstacle:
    """An obstacle of bounding boxes by time step: the largest size, headed along the long side and the motion."""
    rings = sorted(rings, key=lambda item: item[0])
    boxes = [oriented_box(ring) for _, ring in rings]
    time = np.array([t for t, _ in rings], dtype=np.int64)
    position, yaw = np.array([b[0] for b in boxes]), np.array([b[1] for b in boxes])
    speed = np.zeros(len(time))
    if len(time) > 1:
        velocity = np.gradient(position, time * dt, axis=0)
        speed = np.hypot(*velocity.T)
        motion = np.arctan2(velocity[:, 1], velocity[:, 0])
        yaw = np.where(np.abs(wrap(motion - yaw)) > 0.5 * np.pi, wrap(yaw + np.pi), yaw)
    size = np.array([b[2:] for b in boxes]).max(axis=0)
    nan = np.full(len(time), np.nan)
    return RecordedObstacle(id_, kind, role, float(size[0]), float(size[1]), time, position, yaw, speed, nan)


def read_problems(
    root: etree._Element, source: object, dt: float, lane_map: LaneMap, limits: Limits
) -> tuple[PlanningProblem, ...]:
    """The planning problems of a parsed CommonRoad file."""
    problems = []
    for id_, element in by_id(root, "planningProblem", source).items():
        field, start = f"planningProblem {id_}", element.find("initialState")
        if start is None:
            raise InputError(source, field, "has no initialState", "give it one")
        time, x, y, yaw, speed, acceleration = _state(start, source, field, limits.coordinate_m)
        rates = [number(start, name, source, field, 0.0) for name in ("yawRate",)]
        position = np.array([x, y])
        goals = [
            goal
            for state in element.iterfind("goalState")
            for goal in _goals(state, source, field, dt, int(time), lane_map, limits, (position, yaw, speed))
        ]
        if not goals:
            raise InputError(source, field, "has no goalState", "give it one")
        acceleration = 0.0 if np.isnan(acceleration) else acceleration
        problems.append(PlanningProblem(id_, position, yaw, speed, acceleration, rates[0], int(time), tuple(goals)))
    return tuple(problems)


def _goals(
    state: etree._Element,
    source: object,
    field: str,
    dt: float,
    start_time: int,
    lane_map: LaneMap,
    limits: Limits,
    start: tuple[Array, float, float],
) -> list[Goal]:
    """One goal a connected region of a goal state. Without a place only heading, speed and time count."""
    field = f"{field}, goalState"
    yaw, speed, steps = (bounds(state, name, source, field) for name in ("orientation", "velocity", "time"))
    time = None if steps is None else ((steps[0] - start_time) * dt, (steps[1] - start_time) * dt)
    element = state.find("position")
    if element is None:
        return [Goal(_reached(lane_map, *start, time[1] if time else 0.0), None, yaw, speed, time, True)]
    point = points(element, source, f"{field}, position", limits.coordinate_m)
    if len(point):
        return [Goal(point[0], None, yaw, speed, time)]
    rings = shape_polygons(element, source, f"{field}, position", limits.coordinate_m)
    for lanelet in element.iterfind("lanelet"):
        ref = reference(lanelet, source, field)
        if ref not in lane_map.lanes:
            raise InputError(source, field, f"refers to the missing lanelet {ref}", "name a lanelet of the file")
        rings.append(lane_polygon(lane_map.lanes[ref]))
    if not rings:
        raise InputError(source, f"{field}, position", "holds no region", "give a shape or lanelet")
    gap_m = 0.05
    merged = shapely.union_all(
        [shapely.make_valid(shapely.Polygon(ring)).buffer(gap_m, join_style="mitre") for ring in rings]
    )
    merged = shapely.Polygon(rings[0]) if len(rings) == 1 else merged.buffer(-gap_m, join_style="mitre")
    pieces = [piece for piece in getattr(merged, "geoms", [merged]) if piece.geom_type == "Polygon"]
    return [
        Goal(np.array(piece.representative_point().coords[0]), np.array(piece.exterior.coords)[:-1], yaw, speed, time)
        for piece in pieces
    ]


def _reached(lane_map: LaneMap, position: Array, yaw: float, speed: float, time_s: float) -> Float[Array, "2"]:
    """A place ahead that cannot be reached in `time_s` at the speed limit or the initial speed, or where the lanes end.

    It stands for a goal without a region, which is reached by driving on until its time.
    """
    margin_m = 50.0
    near = [m for m in lanes_at(lane_map, position, yaw, 5.0) if abs(m[3]) < 0.5 * np.pi]
    if not near:
        return position + (speed * time_s + margin_m) * np.array([np.cos(yaw), np.sin(yaw)])
    lane_id, s, _, _ = near[0]
    ahead = max(speed, lane_map.lanes[lane_id].speed_limit) * time_s + margin_m
    return max(paths_from(lane_map, lane_id, s, ahead), key=lambda path: len(path[1]))[1][-1]
