"""fiss-planner in the loop: its whole cycle `LocalPlanner.step` as its own CommonRoad benchmark drives it."""

from __future__ import annotations

import math
import time

import fiss_planner as fp
from commonroad.scenario.traffic_sign import SupportedTrafficSignCountry
from commonroad_dc.feasibility.vehicle_dynamics import VehicleParameterMapping
from fiss_planner.commonroad import adapter
from fiss_planner.commonroad.benchmark import GoalSpeedPolicy
from scene import WHEEL_BASE_M, Scene, State

PACKAGE = "fiss-planner"
PREDICTIONS = ("ground_truth", "lane_following", "constant_velocity")


class Driver:
    """FISS+ with its default configuration; map, predictions and target speed from its own adapter and benchmark."""

    def __init__(self, scene: Scene, prediction: str, smoother: bool = False) -> None:
        self.scene, self.prediction = scene, prediction
        self.plan_ms, self.predict_ms = [], []
        network = scene.scenario.lanelet_network
        self.map = adapter.road_map_from_lanelet_network(network, country(scene))
        vehicle = adapter.vehicle_params_from_commonroad(VehicleParameterMapping.BMW_320i.value)
        config = fp.LocalPlannerConfig()
        config.smoother.enabled = smoother
        self.planner = fp.LocalPlanner(config, vehicle)
        self.horizon = self.planner.config.planner.sampling.max_t + 0.5
        self.route = lanelets(scene)
        self.planner.set_map(self.map, self.route)
        self.speed = GoalSpeedPolicy(scene.problem, scene.start.speed, vehicle.max_speed)
        self.ego = adapter.ego_state_from_commonroad(scene.problem.initial_state)
        self.reference, self.along = self.locate()

    def locate(self) -> tuple[fp.ReferenceLine | None, float]:
        """Reference line and station at the start; a start without yaw rate gets its lane's curvature."""
        corridor = fp.build_route_corridor(self.map, self.route, self.ego)
        if corridor is None:
            return None, 0.0
        if abs(self.ego.kappa) < 1e-9:
            left = corridor.reference.project(self.ego.x, self.ego.y, corridor.ego_s).d
            bend = corridor.reference.at(corridor.ego_s).kappa
            self.ego.kappa = bend / max(1e-3, 1.0 - bend * left)
        return corridor.reference, corridor.ego_s

    def step(self, step: int) -> State | None:
        """Plan at a time step, then go one step along the plan; None where there is no plan."""
        scene, network = self.scene, self.scene.scenario.lanelet_network
        if network.traffic_lights:
            for line, red in adapter.traffic_light_stop_lines(network, step).items():
                self.planner.set_stop_line_active(line, red)
        begin = time.process_time()
        others = adapter.obstacles_at(scene.scenario.obstacles, step, scene.dt, self.horizon, self.prediction, self.map)
        self.predict_ms.append(1e3 * (time.process_time() - begin))
        if self.reference is not None and not self.reference.empty():
            self.along = self.reference.project(self.ego.x, self.ego.y, self.along).s
        wanted = self.speed(step, scene.dt, self.reference, self.along)
        begin = time.process_time()
        plan = self.planner.step(step * scene.dt, self.ego, others, wanted)
        self.plan_ms.append(1e3 * (time.process_time() - begin))
        if plan.success:
            self.reference, self.along = plan.reference, plan.start.s
        if len(plan.trajectory) < 2:
            return None
        self.ego = plan.trajectory.sample(scene.dt)
        ego = self.ego
        return State(ego.x, ego.y, ego.yaw, ego.v, ego.a, math.atan(WHEEL_BASE_M * ego.kappa))


def country(scene: Scene) -> SupportedTrafficSignCountry | None:
    """The country whose traffic signs give the speed limits, None where CommonRoad has no signs for it."""
    known = {item.value: item for item in SupportedTrafficSignCountry}
    return known.get(scene.scenario.scenario_id.country_id)


def lanelets(scene: Scene) -> list[int]:
    """The lanelets of the first route; none where the route planner finds none, as in the peer's own benchmark."""
    try:
        return list(scene.route()[0].lanelet_ids)
    except (ValueError, IndexError):
        return []
