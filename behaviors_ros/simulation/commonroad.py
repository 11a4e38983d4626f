"""Road users and start of a CommonRoad scenario, recorded or made reactive."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import VEHICLES, Array, EgoState, Goal, LaneMap, Route, SignalColor
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.polylines import arc_length, headings, intersection, without_duplicates
from behaviors_ros.maps.commonroad import CommonRoadDocument
from behaviors_ros.maps.commonroad_lanes import SignalCycle
from behaviors_ros.maps.commonroad_traffic import PlanningProblem, RecordedObstacle
from behaviors_ros.maps.lane_graph import lane_frame, lanes_at
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.reactive import Idm, Reactive, reactive_path
from behaviors_ros.simulation.recorded import Recorded, RecordedStates
from behaviors_ros.simulation.traffic import Agent, Body, Motion, Stationary, Trigger, identity

Traffic = Literal["recorded", "reactive"]
DAY_S = 86400.0
DO_NOT_GO = (SignalColor.RED, SignalColor.UNKNOWN)
START_NS = 10_000_000_000  # stamp of a scenario's time 0: not 0, which in messages means that there is no stamp


def problem_of(document: CommonRoadDocument, source: object) -> PlanningProblem:
    """The first planning problem; a file without one raises `InputError`."""
    if not document.problems:
        raise InputError(source, "planningProblem", "there is none", "give a scenario with a planning problem")
    return document.problems[0]


def goal_of(problem: PlanningProblem) -> Goal:
    """The problem's first goal, to which the route leads; the others count as well."""
    return replace(problem.goals[0], alternatives=problem.goals[1:])


def start_of(problem: PlanningProblem, vehicle: Vehicle, lane_map: LaneMap) -> EgoState:
    """The ego at its rear axle: CommonRoad gives the box centre.

    A CommonRoad state has no steering angle, and recorded ones have no yaw rate either (0): then the wheels are turned
    as the lane bends, as those of the driver whose place is taken.
    """
    along = np.array((np.cos(problem.yaw), np.sin(problem.yaw)))
    position = problem.position - vehicle.centre_offset_m * along
    curvature = _lane_curvature(lane_map, position, problem.yaw, vehicle)
    if problem.yaw_rate != 0.0 and abs(problem.speed) > 0.5:
        curvature = problem.yaw_rate / problem.speed
    steering = float(
        np.clip(np.arctan(vehicle.wheel_base_m * curvature), -vehicle.steering_max_rad, vehicle.steering_max_rad)
    )
    yaw_rate = problem.speed * curvature
    return EgoState(START_NS, position, problem.yaw, problem.speed, problem.acceleration, steering, yaw_rate)


def _lane_curvature(lane_map: LaneMap, position: Float[Array, "2"], yaw: float, vehicle: Vehicle) -> float:
    """Mean curvature of the lane under the vehicle over its length, 1/m; 0 beside the lanes."""
    near = [match for match in lanes_at(lane_map, position, yaw, 3.0) if abs(match[3]) < 0.5]
    if not near:
        return 0.0
    lane_id, s, _, _ = near[0]
    frame, reach = lane_frame(lane_map.lanes[lane_id]), 0.5 * vehicle.length_m
    low, high = np.clip((s - reach, s + reach), 0.0, frame.length)
    turned = math.remainder(float(frame.heading(high)) - float(frame.heading(low)), math.tau)
    return turned / max(float(high - low), vehicle.wheel_base_m)


def agents_of(document: CommonRoadDocument, problem: PlanningProblem, traffic: Traffic) -> tuple[Agent, ...]:
    """All obstacles as agents; with "reactive" traffic the vehicles drive their recorded way by the IDM instead."""
    found: list[Agent] = []
    for obstacle in document.obstacles:
        body = Body(identity(f"{document.benchmark_id} {obstacle.id}"), obstacle.kind, obstacle.length, obstacle.width)
        time_s = (obstacle.time - problem.time) * document.dt_s
        if obstacle.role != "dynamic" or len(obstacle.time) == 1:
            found.append(Stationary(body, Motion(obstacle.position[0], float(obstacle.yaw[0]), 0.0)))
        elif traffic == "reactive" and obstacle.kind in VEHICLES:
            found += _reactive(obstacle, body, time_s, document.lane_map)
        else:
            states = RecordedStates(time_s, obstacle.position, obstacle.yaw, obstacle.speed)
            found.append(Recorded(body, states))
    return tuple(found)


def _reactive(
    obstacle: RecordedObstacle, body: Body, time_s: Float[Array, "step"], lane_map: LaneMap
) -> list[Reactive]:
    """The obstacle as a driver on its recorded way, extended straight; none if it had left before the start."""
    if time_s[-1] < 0.0:
        return []
    now = int(np.argmax(time_s >= 0.0))
    points = without_duplicates(obstacle.position[now:], tolerance_m=0.5)
    yaw = float(obstacle.yaw[now] if len(points) < 2 else headings(points)[-1])
    ahead = points[-1] + 50.0 * np.array((np.cos(yaw), np.sin(yaw)))
    points = np.vstack((points, ahead))
    fastest = max(float(obstacle.speed.max()), 8.0)
    idm = Idm(desired_speed_mps=min(fastest, 60.0), sight_m=max(5.0, min(100.0, float(arc_length(points)[-1]))))
    path = reactive_path(points, idm, lane_map)
    late = bool(time_s[now] > 0.0)
    trigger = Trigger(time_s=float(time_s[now]))
    speed = float(obstacle.speed[now])
    return [Reactive(body, path, idm, 0.0, speed, trigger=trigger, hidden_before=late, started=not late)]


def signals_of(document: CommonRoadDocument, problem: PlanningProblem, route: Route) -> tuple[SignalCycle, ...]:
    """The signal cycles of the file, their time counted from the planning problem's start.

    Recorded files lack the phases of some signals, and give others phases that the recorded drivers contradict. Such
    signals are taken to be green on the ego's way, as for the driver whose place it takes, and not reported elsewhere.
    """
    shift_s = problem.time * document.dt_s
    cycles = {cycle.id: cycle for cycle in document.signals if not _contradicted(cycle, document)}
    ahead = {group for lane in route.lanes for group in document.lane_map.lanes[lane].signals}
    for group in sorted(ahead - set(cycles)):
        cycles[group] = SignalCycle(group, (SignalColor.GREEN,), (DAY_S,), 0.0)
    return tuple(replace(cycle, offset_s=cycle.offset_s - shift_s) for cycle in cycles.values())


def _contradicted(cycle: SignalCycle, document: CommonRoadDocument) -> bool:
    """A recorded vehicle crosses a stop line of the signal that has been red or dark for a second or more."""
    lines = [lane.stop_line for lane in document.lane_map.lanes.values() if cycle.id in lane.signals]
    ways = [o for o in document.obstacles if o.kind in VEHICLES and np.ptp(o.position, axis=0).max() > 1.0]
    for obstacle in ways:
        for line in lines:
            crossing = intersection(obstacle.position, line) if line is not None else None
            if crossing is None:
                continue
            time_s = float(np.interp(crossing[0], arc_length(obstacle.position), obstacle.time * document.dt_s))
            if all(cycle.phase(time_s - before_s)[0] in DO_NOT_GO for before_s in (0.0, 1.0)):
                return True
    return False
