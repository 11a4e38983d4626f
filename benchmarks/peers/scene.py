"""A CommonRoad scenario as a peer's driver needs it: route, target speed, predictions, collision checker.

Everything that is not the peer's own is here, so that all peers get the same route, futures and road boundary.
"""

from __future__ import annotations

import gzip
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import commonroad_dc.pycrcc as shapes
import numpy as np
from commonroad.common.file_reader import CommonRoadFileReader
from commonroad.planning.planning_problem import PlanningProblem
from commonroad.scenario.scenario import Scenario
from commonroad.scenario.state import CustomState
from commonroad_dc.boundary.boundary import create_road_boundary_obstacle
from commonroad_dc.collision.trajectory_queries.trajectory_queries import trajectory_preprocess_obb_sum
from commonroad_route_planner.reference_path_planner import ReferencePathPlanner
from commonroad_route_planner.route_planner import RoutePlanner
from scipy.interpolate import splev, splprep

# BMW 320i, vehicle 2 of the CommonRoad vehicle models: box, wheel base, rear axle to box centre.
LENGTH_M, WIDTH_M, WHEEL_BASE_M, REAR_M = 4.508, 1.61, 2.5789128, 1.4227170936


@dataclass(frozen=True)
class State:
    """The ego vehicle at one step: centre of its box in metres, yaw and steering in rad, speed and acceleration."""

    x: float
    y: float
    yaw: float
    speed: float
    acceleration: float
    steering: float

    def rear(self) -> np.ndarray:
        """The rear axle centre (2,)."""
        return np.array([self.x - REAR_M * math.cos(self.yaw), self.y - REAR_M * math.sin(self.yaw)])

    def box(self) -> shapes.RectOBB:
        """The vehicle's box for the collision checker."""
        return shapes.RectOBB(LENGTH_M / 2, WIDTH_M / 2, self.yaw, self.x, self.y)


@dataclass(frozen=True)
class Predicted:
    """One road user's box and its poses (step, 3) of x, y, yaw from now on, one a time step."""

    id: int
    length: float
    width: float
    poses: np.ndarray


class Scene:
    """A scenario with its planning problem, its route and its reference path."""

    def __init__(self, scenario: Scenario, problem: PlanningProblem) -> None:
        self.scenario, self.problem = scenario, problem
        self.dt = float(scenario.dt)
        self.goal = problem.goal.state_list[0]
        self.first_step = int(problem.initial_state.time_step)
        self.last_step = int(self.goal.time_step.end)
        self.start = initial_state(problem)
        self.boundary = create_road_boundary_obstacle(scenario, method="obb_rectangles")[1]
        if self.boundary.collide(self.start.box()):
            self.boundary = None

    def route(self) -> list:
        """The routes of the CommonRoad route planner."""
        return RoutePlanner(self.scenario.lanelet_network, self.problem, self.scenario).plan_routes()

    def reference_path(self, after_m: int) -> np.ndarray:
        """The reference path (point, 2) of the CommonRoad route planner, smooth, straight on before and after it."""
        planner = ReferencePathPlanner(self.scenario.lanelet_network, self.problem, self.route())
        return smooth(planner.plan_shortest_reference_path().reference_path, 30, after_m)

    def reached(self, step: int, ego: State) -> bool:
        """The official check of the goal."""
        position = np.array([ego.x, ego.y])
        now = CustomState(time_step=step, position=position, orientation=ego.yaw, velocity=ego.speed)
        return bool(self.problem.goal.is_reached(now))

    def goal_centre(self) -> np.ndarray | None:
        """The middle of the goal region (2,), None where the goal is a time alone."""
        if not self.goal.has_value("position"):
            return None
        if hasattr(self.goal.position, "shapes"):
            return np.mean([shape.shapely_object.centroid.coords[0] for shape in self.goal.position.shapes], axis=0)
        return np.array(self.goal.position.shapely_object.centroid.coords[0])

    def target_speed(self, step: int, ahead_m: float | None, default: float) -> float:
        """The speed that covers the way to the goal by the middle of its time window, within its speed window."""
        low, high = 0.0, 36.0
        if self.goal.has_value("velocity"):
            low, high = float(self.goal.velocity.start), float(self.goal.velocity.end)
        window = self.goal.time_step
        left_s = (0.5 * (window.start + window.end) - step) * self.dt
        if ahead_m is None or left_s <= 0.5:
            return float(np.clip(default, low, high))
        return float(np.clip(ahead_m / left_s, low, high))

    def predict(self, step: int, steps: int, mode: str) -> list[Predicted]:
        """The road users there are now, from the recording (ground_truth) or at constant velocity."""
        found = []
        for obstacle in self.scenario.obstacles:
            poses = recorded(obstacle, step, steps if mode == "ground_truth" else 0)
            if len(poses):
                if mode != "ground_truth":
                    poses = extrapolated(poses[0], obstacle.state_at_time(step), steps, self.dt)
                box = obstacle.obstacle_shape
                found.append(Predicted(obstacle.obstacle_id, box.length, box.width, poses))
        return found


def load(path: Path) -> Scene:
    """The scene of a CommonRoad file, which may be packed by gzip."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as plain:
        plain.write(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
        plain.flush()
        scenario, problems = CommonRoadFileReader(plain.name).open()
    return Scene(scenario, next(iter(problems.planning_problem_dict.values())))


def smooth(points: np.ndarray, before_m: int, after_m: int) -> np.ndarray:
    """A path as a smoothing spline of 0.1 m deviation, a point a metre, longer at both ends."""
    points = points[np.insert(np.hypot(*np.diff(points, axis=0).T) > 1e-3, 0, True)]
    first, last = unit(points[0] - points[1]), unit(points[-1] - points[-2])
    before, after = np.arange(before_m, 0.0, -1.0)[:, None], np.arange(1.0, after_m + 1.0)[:, None]
    points = np.vstack([points[0] + before * first, points, points[-1] + after * last])
    arc = np.insert(np.cumsum(np.hypot(*np.diff(points, axis=0).T)), 0, 0.0)
    spline, _ = splprep(points.T, u=arc, k=3, s=0.01 * len(points))
    return np.ascontiguousarray(np.column_stack(splev(np.arange(0.0, arc[-1], 1.0), spline)))


def unit(vector: np.ndarray) -> np.ndarray:
    """The direction of a vector."""
    return vector / np.hypot(*vector)


def initial_state(problem: PlanningProblem) -> State:
    """The start of the ego vehicle, its steering from its yaw rate."""
    start = problem.initial_state
    speed, yaw_rate = float(start.velocity), float(getattr(start, "yaw_rate", 0.0) or 0.0)
    steering = math.atan(WHEEL_BASE_M * yaw_rate / speed) if speed > 0.1 else 0.0
    acceleration = float(getattr(start, "acceleration", 0.0) or 0.0)
    return State(*map(float, start.position), float(start.orientation), speed, acceleration, steering)


def recorded(obstacle: object, step: int, steps: int) -> np.ndarray:
    """The recorded poses (step, 3) of an obstacle from a step on, fewer where the recording ends."""
    states = [obstacle.state_at_time(step + i) for i in range(steps + 1)]
    if None in states:
        states = states[: states.index(None)]
    return np.array([[*state.position, state.orientation] for state in states]).reshape(-1, 3)


def extrapolated(pose: np.ndarray, state: object, steps: int, dt: float) -> np.ndarray:
    """The poses (step, 3) at constant velocity and heading."""
    way = float(getattr(state, "velocity", 0.0) or 0.0) * dt * np.arange(steps + 1)
    poses = np.tile(pose, (steps + 1, 1))
    poses[:, 0] += way * math.cos(pose[2])
    poses[:, 1] += way * math.sin(pose[2])
    return poses


def swept(poses: np.ndarray, length: float, width: float, step: int, between: bool = True) -> object:
    """The boxes along poses as one collision object, with the hulls between steps unless told otherwise."""
    boxes = shapes.TimeVariantCollisionObject(step)
    for x, y, yaw in poses:
        boxes.append_obstacle(shapes.RectOBB(length / 2, width / 2, yaw, x, y))
    if not between or len(poses) < 3:
        return boxes
    hulls, failed = trajectory_preprocess_obb_sum(boxes)
    return boxes if failed else hulls


def checker(
    scene: Scene, others: list[Predicted], step: int, between: bool = True, margin: tuple[float, float] = (0.0, 0.0)
) -> shapes.CollisionChecker:
    """A collision checker of predictions and, where the start is inside it, the road boundary."""
    made = shapes.CollisionChecker()
    for other in others:
        sizes = other.length + margin[0], other.width + margin[1]
        made.add_collision_object(swept(other.poses, *sizes, step, between))
    if scene.boundary is not None:
        made.add_collision_object(scene.boundary)
    return made
