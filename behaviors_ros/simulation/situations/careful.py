"""A careful driver of known manners: proof that a situation can be solved, and a yardstick beside a planner.

It follows the route (with the shifts that the situation gives) by the intelligent driver model, brakes for what
crosses, gives way where the situation says for whom, and reacts only to whom perception reported once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import AgentClass, Array, EgoState, StopKind
from behaviors_ros.geometry.boxes import overlap
from behaviors_ros.maps.route import route_frame
from behaviors_ros.simulation.arrival import Arrival, arrived
from behaviors_ros.simulation.casting import gives_way
from behaviors_ros.simulation.reactive import Idm, Reactive, reactive_path
from behaviors_ros.simulation.scenario import Scenario
from behaviors_ros.simulation.situations.draft import Careful
from behaviors_ros.simulation.traffic import EGO, Body, Surroundings, surroundings_of
from behaviors_ros.simulation.world import World, observe, placed, signals, start, truth

DRIVER = Idm(
    headway_s=1.2, acceleration_mps2=1.8, deceleration_mps2=2.5, braking_max_mps2=6.0, preview_s=1.0,
    lateral_acceleration_mps2=2.0, clearance_m=0.3, crossing_horizon_s=4.0,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Driven:
    """How it went: whether the goal was reached, when (s), first contact (s, track id), least acceleration (m/s^2)."""

    arrived: bool
    time_s: float
    contact: tuple[float, str] | None
    braking_mps2: float
    ego: tuple[EgoState, ...]


def drive(scenario: Scenario, careful: Careful, dt_s: float = 0.1) -> Driven:
    """Drive a scenario until the goal, a contact or the end of its time."""
    world = start(scenario)
    driver = _driver(scenario, careful)
    states = [world.ego]
    met: frozenset[str] = frozenset()
    while world.time_s < scenario.duration_s - 1e-9:
        met |= set(observe(world)[1].id)
        driver = driver.step(_known(world, met), dt_s)
        world = placed(world, _state(driver, world, dt_s))
        states.append(world.ego)
        hit = _contact(world)
        if hit is not None:
            return _driven(states, False, world, hit)
        if arrived(scenario.goal, world.ego, world.time_s, scenario.vehicle, Arrival()):
            return _driven(states, True, world, None)
    return _driven(states, False, world, None)


def _driven(states: list[EgoState], done: bool, world: World, hit: str | None) -> Driven:
    contact = (round(world.time_s, 1), hit) if hit is not None else None
    return Driven(done, round(world.time_s, 1), contact, min(state.acceleration for state in states), tuple(states))


def _driver(scenario: Scenario, careful: Careful) -> Reactive:
    """The driver at the scenario's start."""
    vehicle, first = scenario.vehicle, scenario.start
    idm = DRIVER.model_copy(update={"desired_speed_mps": float(scenario.route.speed_limit.max())})
    points = np.array(careful.path) if careful.path else _path(scenario, careful)
    path = reactive_path(points, idm, scenario.map)
    rules = tuple(gives_way(rule, points) for rule in careful.gives_way)
    at = route_frame(scenario.route).project(path.frame.point(path.s))[0]
    limit = np.interp(at, scenario.route.s, scenario.route.speed_limit)
    for begin, end, most in careful.slow:
        low, high = (float(path.frame.project(np.array(place))[0]) for place in (begin, end))
        limit = np.where((path.s >= low) & (path.s <= high), np.minimum(limit, most), limit)
    limit = np.minimum(path.speed, limit)
    for i in range(len(limit) - 2, -1, -1):
        limit[i] = min(limit[i], np.sqrt(limit[i + 1] ** 2 + 2.0 * idm.deceleration_mps2 * (path.s[i + 1] - path.s[i])))
    body = Body(EGO, AgentClass.CAR, vehicle.length_m, vehicle.width_m)
    along = np.array((np.cos(first.yaw), np.sin(first.yaw)))
    s = float(path.frame.project(first.position + vehicle.centre_offset_m * along)[0])
    return Reactive(body, replace(path, speed=limit, gives_way=rules), idm, s, first.speed, started=True)


def _path(scenario: Scenario, careful: Careful) -> Float[Array, "point 2"]:
    """The route's path with its shifts, up to where it halts for a goal that asks for it."""
    frame = route_frame(scenario.route)
    halts = [stop.s for stop in scenario.route.stops if stop.kind is StopKind.GOAL]
    end = min(frame.length, scenario.route.goal_s + 30.0) if not halts else scenario.route.goal_s
    s = np.linspace(0.0, end, max(2, int(end)))
    if not careful.offsets:
        return frame.point(s)
    knots = np.array([float(frame.project(np.array(place))[0]) for place, _ in careful.offsets])
    shift = np.array([offset for _, offset in careful.offsets])
    index = np.clip(np.searchsorted(knots, s) - 1, 0, len(knots) - 2)
    u = np.clip((s - knots[index]) / np.maximum(knots[index + 1] - knots[index], 1e-6), 0.0, 1.0)
    d = shift[index] + (shift[index + 1] - shift[index]) * u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
    return frame.cartesian(s, d)


def _known(world: World, met: frozenset[str]) -> Surroundings:
    """The surroundings as far as the driver knows them: it keeps in mind whom it has met."""
    seen = [agent for agent in world.agents if agent.body.id in met]
    return surroundings_of(world.time_s, world.ego, world.scenario.vehicle, seen, signals(world))


def _state(driver: Reactive, world: World, dt_s: float) -> EgoState:
    stamp_ns = world.stamp_ns + round(dt_s * 1e9)
    motion = driver.motion
    if motion is None:
        return replace(world.ego, stamp_ns=stamp_ns, speed=0.0)
    along = np.array((np.cos(motion.yaw), np.sin(motion.yaw)))
    rear = motion.position - world.scenario.vehicle.centre_offset_m * along
    return EgoState(stamp_ns, rear, motion.yaw, motion.speed, motion.acceleration, 0.0, motion.yaw_rate)


def _contact(world: World) -> str | None:
    """Id of a road user whose box the ego's touches."""
    vehicle, ego, tracks = world.scenario.vehicle, world.ego, truth(world)
    if not len(tracks):
        return None
    centre = ego.position + vehicle.centre_offset_m * np.array((np.cos(ego.yaw), np.sin(ego.yaw)))
    box = (centre, ego.yaw, vehicle.length_m, vehicle.width_m)
    hit = np.asarray(overlap(*box, tracks.position, tracks.yaw, tracks.length, tracks.width)).reshape(len(tracks))
    return tracks.id[int(np.argmax(hit))] if hit.any() else None
