"""A scenario as a Gazebo world: ground, road, and a model a road user that is moved by its pose alone.

Gazebo's origin is a point near the start (`origin`): positions of maps with large coordinates keep their digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely
from jaxtyping import Float

from behaviors_ros.datatypes import AgentClass, Array, Lane, LaneKind
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.simulation.gazebo import sdf
from behaviors_ros.simulation.gazebo.sdf import Element, element, values
from behaviors_ros.simulation.gazebo.vehicle import Body, vehicle_sdf
from behaviors_ros.simulation.scenario import Scenario
from behaviors_ros.simulation.traffic import Agent
from behaviors_ros.simulation.traffic import Body as AgentBody

WORLD = "behaviors"  # the bridge's topics carry this name
UNSEEN_M = -100.0  # height at which a road user waits that is not there

SYSTEMS = {"physics": "Physics", "user-commands": "UserCommands", "scene-broadcaster": "SceneBroadcaster"}
HEIGHT_M = {
    AgentClass.TRUCK: 3.2, AgentClass.BUS: 3.0, AgentClass.TRAILER: 3.2, AgentClass.PEDESTRIAN: 1.75,
    AgentClass.BICYCLE: 1.7, AgentClass.ANIMAL: 0.7, AgentClass.HAZARD: 0.5,
}  # fmt: skip
COLOUR = {
    LaneKind.ROAD: (0.25, 0.25, 0.27), LaneKind.BICYCLE: (0.45, 0.25, 0.22), LaneKind.CROSSWALK: (0.75, 0.75, 0.72),
    LaneKind.WALKWAY: (0.5, 0.5, 0.48),
}  # fmt: skip
WHITE, ORANGE, GRASS = (0.95, 0.95, 0.95), (1.0, 0.55, 0.1), (0.35, 0.45, 0.3)


class WorldParameters(Parameters):
    """How a scenario becomes a Gazebo world."""

    step_s: float = value(0.002, "time step of the physics", low=0.0005, high=0.01)
    speed_factor: float = value(1.0, "simulated seconds a second of wall time that are aimed at", low=0.05, high=20.0)
    ground_m: float = value(4000.0, "side of the ground", low=100.0, high=20000.0)
    strip_tolerance_m: float = value(0.15, "largest distance of straight strips to the map's lines", low=0.01, high=2.0)
    marking_m: float = value(0.12, "width of a lane marking", low=0.05, high=0.5)


def origin(scenario: Scenario) -> Float[Array, "2"]:
    """Where Gazebo's origin lies in the map: the start, rounded to whole metres, m."""
    return np.round(scenario.start.position)


def model_name(agent: AgentBody) -> str:
    """Name of a road user's model."""
    return f"agent_{agent.id}"


def agent_pose(agent: Agent, at: Float[Array, "2"]) -> tuple[float, float, float, float]:
    """(x, y, z, yaw) of a road user in Gazebo with its origin at `at`, m and rad; below ground while not there."""
    if agent.motion is None:
        return 0.0, 0.0, UNSEEN_M, 0.0
    x, y = (agent.motion.position - at).tolist()
    return x, y, 0.0, float(agent.motion.yaw)


def world_sdf(scenario: Scenario, parameters: WorldParameters) -> bytes:
    """The world of a scenario as an SDF file; the vehicle is spawned into it."""
    physics = element(
        "physics", *values(max_step_size=parameters.step_s, real_time_factor=parameters.speed_factor),
        name="fixed_step", type="ignored",
    )  # fmt: skip
    systems = [sdf.plugin(f"gz-sim-{name}-system", f"gz::sim::systems::{cls}") for name, cls in SYSTEMS.items()]
    agents = [_agent(agent, origin(scenario)) for agent in scenario.agents]
    place = (_sun(), _ground(parameters), _road(scenario, parameters))
    return sdf.document(element("world", physics, *systems, *place, *agents, name=WORLD))


def write_world(scenario: Scenario, folder: Path, parameters: WorldParameters, body: Body) -> tuple[Path, Path]:
    """Write `world.sdf` and `vehicle.sdf` into a folder, which is made; returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    world, vehicle = folder / "world.sdf", folder / "vehicle.sdf"
    world.write_bytes(world_sdf(scenario, parameters))
    vehicle.write_bytes(vehicle_sdf(scenario.vehicle, body))
    return world, vehicle


def _sun() -> Element:
    light = values(diffuse=(0.9, 0.9, 0.9, 1.0), direction=(-0.3, 0.2, -0.9))
    return element("light", *light, name="sun", type="directional")


def _ground(parameters: WorldParameters) -> Element:
    def plane() -> Element:
        size = (parameters.ground_m, parameters.ground_m)
        return element("geometry", element("plane", *values(normal=(0.0, 0.0, 1.0), size=size)))

    link = element(
        "link", element("collision", plane(), name="collision"),
        element("visual", plane(), sdf.material(GRASS), name="visual"), name="link",
    )  # fmt: skip
    return element("model", element("static", text=True), link, name="ground")


def _agent(agent: Agent, at: Float[Array, "2"]) -> Element:
    """A road user: a box, or a cylinder for what walks. Static: physics leaves it alone, its pose is set."""
    body = agent.body
    height = HEIGHT_M.get(body.kind, 1.5)
    walks = body.kind in (AgentClass.PEDESTRIAN, AgentClass.ANIMAL)
    x, y, z, yaw = agent_pose(agent, at)

    def shape() -> list[Element]:
        radius = 0.5 * max(body.length, body.width)
        form = sdf.cylinder(radius, height) if walks else sdf.box(body.length, body.width, height)
        return [sdf.pose(0.0, 0.0, 0.5 * height), form]

    link = element(
        "link", element("collision", *shape(), name="collision"),
        element("visual", *shape(), sdf.material(ORANGE), name="visual"), name="link",
    )  # fmt: skip
    return element("model", element("static", text=True), sdf.pose(x, y, z, yaw=yaw), link, name=model_name(body))


def _road(scenario: Scenario, parameters: WorldParameters) -> Element | None:
    """Surface and markings as flat boxes without collision; the wheels roll on the ground."""
    if scenario.map is None:
        return None
    at = origin(scenario)
    visuals: list[Element] = []
    for lane in scenario.map.lanes.values():
        name, colour = f"lane_{lane.id}", COLOUR.get(lane.kind, COLOUR[LaneKind.ROAD])
        visuals += _strips(name, lane.centre - at, _width(lane), 0.004, colour, parameters)
        if lane.kind in (LaneKind.ROAD, LaneKind.BUS, LaneKind.BICYCLE):
            for side, bound in (("left", lane.left_bound), ("right", lane.right_bound)):
                visuals += _strips(f"{name}_{side}", bound - at, parameters.marking_m, 0.008, WHITE, parameters)
    link = element("link", *visuals, name="link")
    return element("model", element("static", text=True), link, name="road")


def _width(lane: Lane) -> float:
    """Mean width of a lane: its area over the length of its centre line."""
    area = shapely.make_valid(shapely.Polygon(np.concatenate((lane.left_bound, lane.right_bound[::-1])))).area
    return float(area / max(shapely.LineString(lane.centre).length, 0.1))


def _strips(
    name: str, line: Float[Array, "point 2"], width: float, top_m: float, colour: tuple[float, float, float],
    parameters: WorldParameters,
) -> Iterator[Element]:  # fmt: skip
    """A flat box along each straight piece of a line, whose upper side is `top_m` above the ground."""
    points = np.array(shapely.LineString(line).simplify(parameters.strip_tolerance_m).coords)
    for number, (begin, end) in enumerate(zip(points[:-1], points[1:], strict=True)):
        along, (x, y) = end - begin, 0.5 * (begin + end)
        shape = sdf.box(math.hypot(*along), max(width, 0.05), 0.02)
        at = sdf.pose(float(x), float(y), top_m - 0.01, yaw=math.atan2(along[1], along[0]))
        yield element("visual", at, shape, sdf.material(colour), name=f"{name}_{number}")
