"""A closed loop of ours around the C++ core `frenetix`: it samples, checks limits and costs; we select.

The package holds only the core of the Frenetix-Motion-Planner (whose Python part is no package). This loop sets the
core as that planner's published default configuration does (horizon 3 s, about 800 samples, weights, limits, a new plan
every 3 steps, no road user behind in a cone of 20 deg) and takes the cheapest feasible candidate whose swept boxes hit
neither a predicted box nor the road boundary; else the candidate that slows most. It is not that planner: no behaviour
planner, no risk or harm assessment, no occlusion, no learned prediction.
"""

from __future__ import annotations

import math
import time

import frenetix
import frenetix.trajectory_functions.cost_functions as costs
import frenetix.trajectory_functions.feasability_functions as limits
import numpy as np
from scene import LENGTH_M, REAR_M, WHEEL_BASE_M, WIDTH_M, Predicted, Scene, State, checker, swept

PACKAGE = "frenetix"
PREDICTIONS = ("ground_truth", "constant_velocity")
HORIZON_S, REPLAN_STEPS, SHORTEST_S, SIDE_M, LOW_SPEED_MPS = 3.0, 3, 1.1, 3.0, 2.0
ACCELERATION_MPS2, SWITCH_MPS, STEERING_RAD, STEERING_RADPS, SPEED_MPS = 11.5, 7.319, 1.066, 0.4, 36.0
RADIUS_M, CONE_RAD, NEAR_M = 80.0, math.radians(20.0), 6.0


class Driver:
    """Plans every third step and follows the plan in between."""

    def __init__(self, scene: Scene, prediction: str) -> None:
        self.scene, self.prediction = scene, prediction
        self.plan_ms, self.predict_ms = [], []
        points = scene.reference_path(after_m=30)
        self.path = frenetix.CoordinateSystemWrapper(points)
        self.goal_s = station(points, scene.goal_centre())
        self.ego, self.plan, self.used = scene.start, [], 0
        self.handler = frenetix.TrajectoryHandler(dt=scene.dt)
        set_constant(self.handler)

    def step(self, step: int) -> State | None:
        """Plan where it is due, then go one step along the plan; None where there is no plan."""
        if self.used % REPLAN_STEPS == 0:
            begin = time.process_time()
            steps = round(HORIZON_S / self.scene.dt)
            others = [other for other in self.scene.predict(step, steps, self.prediction) if self.seen(other)]
            self.predict_ms.append(1e3 * (time.process_time() - begin))
            begin = time.process_time()
            self.plan, self.used = self.search(step, others), 0
            self.plan_ms.append(1e3 * (time.process_time() - begin))
        self.used += 1
        if len(self.plan) <= self.used:
            return None
        self.ego = self.plan[self.used]
        return self.ego

    def seen(self, other: Predicted) -> bool:
        """Whether a road user is near and not behind, as the peer filters what it predicts."""
        away = other.poses[0, :2] - [self.ego.x, self.ego.y]
        ahead = away @ [math.cos(self.ego.yaw), math.sin(self.ego.yaw)] - LENGTH_M / 2
        aside = away @ [-math.sin(self.ego.yaw), math.cos(self.ego.yaw)]
        behind = ahead < 0.0 and math.hypot(ahead, aside) > NEAR_M and abs(math.atan2(aside, -ahead)) < CONE_RAD / 2
        return not behind and math.hypot(*away) < RADIUS_M

    def search(self, step: int, others: list[Predicted]) -> list[State]:
        """The states of the selected candidate, none where no candidate is feasible."""
        start, slow = self.start(), self.ego.speed < LOW_SPEED_MPS
        table = samples(start, self.ego.speed)
        self.set_changing(step, start, slow, others)
        self.handler.reset_Trajectories()
        self.handler.generate_trajectories(table, slow)
        self.handler.evaluate_all_current_functions(False)
        self.handler.sort()
        feasible = [item for item in self.handler.get_sorted_trajectories() if item.feasible and item.valid]
        margin = (0.0, 0.0) if self.prediction == "ground_truth" else (0.5, 0.2)
        hit = checker(self.scene, others, step, margin=margin)
        chosen = next((item for item in feasible if not hit.collide(boxes(item, step))), None)
        if chosen is None and self.ego.speed <= 0.1:
            chosen = frenetix.TrajectorySample.compute_standstill_trajectory(
                self.path, self.planner_state(start), self.scene.dt, HORIZON_S
            )
        if chosen is None and feasible:
            left = start.x0_lat[0]
            chosen = min(feasible, key=lambda item: slowing(item.sampling_parameters, left))
        return [] if chosen is None else states(chosen)

    def start(self) -> frenetix.CurvilinearPlannerState:
        """Where the ego is on its reference path."""
        slow = self.ego.speed < LOW_SPEED_MPS
        return frenetix.compute_initial_state(self.path, cartesian(self.ego), WHEEL_BASE_M, slow)

    def planner_state(self, start: frenetix.CurvilinearPlannerState) -> frenetix.PlannerState:
        """The ego in both frames."""
        return frenetix.PlannerState(cartesian(self.ego), start, WHEEL_BASE_M)

    def set_changing(
        self, step: int, start: frenetix.CurvilinearPlannerState, slow: bool, others: list[Predicted]
    ) -> None:
        """The functions that depend on this cycle."""
        fill = frenetix.trajectory_functions.FillCoordinates(slow, self.ego.yaw, self.path, HORIZON_S)
        self.handler.add_function(fill)
        known = {other.id: predicted(other, self.prediction, self.scene.dt) for other in others}
        risk = costs.CalculateCollisionProbabilityFast("prediction", 0.2, known, LENGTH_M, WIDTH_M, REAR_M)
        self.handler.add_cost_function(risk)
        ahead = None if self.goal_s is None else self.goal_s - start.x0_lon[0]
        wanted = self.scene.target_speed(step, ahead, self.scene.start.speed)
        wanted = float(np.clip(wanted, max(0.0, self.ego.speed - 5.0), self.ego.speed + 5.0))
        offset = costs.CalculateVelocityOffsetCost("speed", 1.0, wanted, self.scene.dt, SHORTEST_S, False, 2)
        self.handler.add_cost_function(offset)


def set_constant(handler: frenetix.TrajectoryHandler) -> None:
    """The limits of vehicle 2 and the cost terms that do not change, weighted as published."""
    handler.add_feasability_function(limits.CheckYawRateConstraint(STEERING_RAD, WHEEL_BASE_M, False))
    handler.add_feasability_function(limits.CheckAccelerationConstraint(SWITCH_MPS, ACCELERATION_MPS2, False))
    handler.add_feasability_function(limits.CheckCurvatureConstraint(STEERING_RAD, WHEEL_BASE_M, False))
    handler.add_feasability_function(limits.CheckCurvatureRateConstraint(WHEEL_BASE_M, STEERING_RADPS, False))
    handler.add_cost_function(costs.CalculateLateralJerkCost("lateral_jerk", 0.2))
    handler.add_cost_function(costs.CalculateLongitudinalJerkCost("longitudinal_jerk", 0.2))
    handler.add_cost_function(costs.CalculateDistanceToReferencePathCost("deviation", 5.0))


def cartesian(ego: State) -> frenetix.CartesianPlannerState:
    """The ego at its rear axle."""
    return frenetix.CartesianPlannerState(ego.rear(), ego.yaw, ego.speed, ego.acceleration, ego.steering)


def samples(start: frenetix.CurvilinearPlannerState, speed: float) -> np.ndarray:
    """End states (candidate, 13) over duration, speed and offset."""
    times = np.union1d(np.arange(SHORTEST_S, HORIZON_S, 0.3), HORIZON_S)
    least = max(0.001, speed - ACCELERATION_MPS2 * HORIZON_S)
    most = max(least, min(speed + ACCELERATION_MPS2 / 6.0 * HORIZON_S, SPEED_MPS))
    speeds = np.union1d(np.linspace(least, most, 9), start.x0_lon[1])
    offsets = np.union1d(np.linspace(-SIDE_M, SIDE_M, 9), start.x0_lat[0])
    grid = np.stack(np.meshgrid(times, speeds, offsets, indexing="ij"), axis=-1).reshape(-1, 3)
    table = np.zeros((len(grid), 13))
    table[:, 1], table[:, 5], table[:, 10] = grid.T
    table[:, 2:5], table[:, 7:10] = start.x0_lon, start.x0_lat
    return table


def predicted(other: Predicted, mode: str, dt: float) -> frenetix.PredictedObject:
    """A prediction from the next step on: variance 0.1 m2, or of a deviation of 0.3 m + 0.5 m/s x time."""
    poses = []
    for i, (x, y, yaw) in enumerate(other.poses[1:], 1):
        covariance = np.zeros((6, 6), order="F")
        covariance[0, 0] = covariance[1, 1] = 0.1 if mode == "ground_truth" else (0.3 + 0.5 * i * dt) ** 2
        turned = np.array([0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)])
        poses.append(frenetix.PoseWithCovariance(np.array([x, y, 0.0]), turned, covariance))
    return frenetix.PredictedObject(other.id, poses, other.length, other.width)


def centres(item: frenetix.TrajectorySample) -> np.ndarray:
    """The poses (step, 3) of the box centre along a candidate."""
    found = item.cartesian
    x = found.x + REAR_M * np.cos(found.theta)
    return np.column_stack([x, found.y + REAR_M * np.sin(found.theta), found.theta])


def boxes(item: frenetix.TrajectorySample, step: int) -> object:
    """The ego's boxes along a candidate as a collision object."""
    return swept(centres(item), LENGTH_M, WIDTH_M, step)


def states(item: frenetix.TrajectorySample) -> list[State]:
    """The states along a candidate."""
    found, steering = item.cartesian, np.arctan(WHEEL_BASE_M * item.cartesian.kappa)
    table = np.column_stack([centres(item), found.v, found.a, steering])
    table[:, 2] = np.arctan2(np.sin(table[:, 2]), np.cos(table[:, 2]))
    return [State(*map(float, row)) for row in table]


def slowing(sample: np.ndarray, left: float) -> tuple[float, float, float]:
    """The order of the fallback: lowest end speed, shortest duration, least change of offset."""
    return sample[5], sample[1], abs(sample[10] - left)


def station(points: np.ndarray, place: np.ndarray | None) -> float | None:
    """The arc length on a path of the point nearest to a place."""
    if place is None:
        return None
    arc = np.insert(np.cumsum(np.hypot(*np.diff(points, axis=0).T)), 0, 0.0)
    return float(arc[np.argmin(np.hypot(*(points - place).T))])
