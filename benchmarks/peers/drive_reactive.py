"""commonroad-reactive-planner in the loop: its planner as its example drives it, a new plan every 3 steps."""

from __future__ import annotations

import time

import numpy as np
from commonroad_rp.reactive_planner import ReactivePlanner
from commonroad_rp.state import ReactivePlannerState
from commonroad_rp.utility.config import ReactivePlannerConfiguration
from commonroad_rp.utility.utils_coordinate_system import create_coordinate_system
from scene import REAR_M, Scene, State, checker

PACKAGE = "commonroad-reactive-planner"
PREDICTIONS = ("ground_truth", "constant_velocity")
HORIZON_STEPS, SHORTEST_S, LOW_SPEED_MPS = 20, 1.0, 2.0


class Driver:
    """The planner with the horizon of its examples (2 s) and the target speed that meets the goal's time window."""

    def __init__(self, scene: Scene, prediction: str) -> None:
        self.scene, self.prediction = scene, prediction
        self.plan_ms, self.predict_ms = [], []
        path = scene.reference_path(after_m=100)
        self.planner = ReactivePlanner(configuration(scene))
        self.planner.set_reference_path(coordinate_system=create_coordinate_system(path))
        self.goal_s, self.plan, self.used = self.station(scene.goal_centre()), None, 0

    def station(self, place: np.ndarray | None) -> float | None:
        """The arc length of a place on the reference path, None where it cannot be projected."""
        if place is None:
            return None
        try:
            return float(self.planner.coordinate_system.convert_to_curvilinear_coords(*place)[0])
        except ValueError:
            return None

    def step(self, step: int) -> State | None:
        """Plan where it is due, then go one step along the plan; None where there is no plan."""
        planner = self.planner
        every = planner.config.planning.replanning_frequency
        if self.used % every == 0:
            self.predict(step)
            begin = time.process_time()
            planner.set_desired_velocity(self.wanted(step), planner.x_0.velocity)
            self.plan, self.used = planner.plan(), 0
            self.plan_ms.append(1e3 * (time.process_time() - begin))
        if self.plan is None:
            return None
        self.used += 1
        states, along, aside = self.plan
        state = states.state_list[self.used]
        planner.reset(
            initial_state_cart=state, initial_state_curv=(along[self.used], aside[self.used]),
            collision_checker=planner.collision_checker, coordinate_system=planner.coordinate_system,
        )  # fmt: skip
        return centred(state)

    def predict(self, step: int) -> None:
        """Give the planner the collision checker of the road users' futures and the road boundary."""
        begin = time.process_time()
        others = self.scene.predict(step, HORIZON_STEPS, self.prediction)
        self.planner.set_collision_checker(collision_checker=checker(self.scene, others, step, between=False))
        self.predict_ms.append(1e3 * (time.process_time() - begin))

    def wanted(self, step: int) -> float:
        """The target speed."""
        planner = self.planner
        if planner.x_0_cl is None:
            planner.reset(collision_checker=planner.collision_checker, coordinate_system=planner.coordinate_system)
        ahead = None if self.goal_s is None else self.goal_s - planner.x_0_cl[0][0]
        return self.scene.target_speed(step, ahead, self.scene.start.speed)


def configuration(scene: Scene) -> ReactivePlannerConfiguration:
    """Its defaults with the horizon, shortest duration and low speed of its examples, in one process."""
    made = ReactivePlannerConfiguration()
    made.planning.dt = scene.dt
    made.planning.time_steps_computation = HORIZON_STEPS
    made.planning.low_vel_mode_threshold = LOW_SPEED_MPS
    made.sampling.t_min = SHORTEST_S
    made.debug.multiproc = False
    made.debug.logging_level = "ERROR"
    made.update(scenario=scene.scenario, planning_problem=scene.problem)
    return made


def centred(state: ReactivePlannerState) -> State:
    """A state of the planner with its position at the box centre."""
    centre = ReactivePlannerState.shift_state_to_center(state, REAR_M)
    yaw = float(np.arctan2(np.sin(centre.orientation), np.cos(centre.orientation)))
    speed, steering = float(centre.velocity), float(centre.steering_angle)
    return State(*map(float, centre.position), yaw, speed, float(centre.acceleration), steering)
