"""The default predictor: every class of road user by the model that fits it."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import AgentClass, Grid, Intent, Predictions, Scene, among
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.agents import STATIC, Agents, Modes, agents_now, heaviest, predictions, single
from behaviors_ros.prediction.animals import Darting, animal_modes
from behaviors_ros.prediction.lane_following import LaneFollowing, LaneFollowingParameters
from behaviors_ros.prediction.pedestrians import Walking, pedestrian_modes
from behaviors_ros.prediction.roads import roads_of
from behaviors_ros.prediction.walking import straight
from behaviors_ros.registry import register


class ClassAwareParameters(LaneFollowingParameters):
    """Parameters of the class-aware predictor: those of lane following, and of who does not follow lanes."""

    pedestrian: Walking = Walking()
    animal: Darting = Darting()


@register("predictor", "class_aware")
class ClassAware:
    """Vehicles and bicycles follow lanes, pedestrians walk, animals dart, the unknown goes on, what is static stays."""

    name: str
    parameters = ClassAwareParameters

    def __init__(self, parameters: ClassAwareParameters, vehicle: Vehicle) -> None:
        """Build the lane following part from the same values."""
        self.values, self.vehicle = parameters, vehicle
        shared = {name: getattr(parameters, name) for name in LaneFollowingParameters.model_fields}
        self._lane_following = LaneFollowing(LaneFollowingParameters(**shared), vehicle)

    def predict(self, scene: Scene, grid: Grid) -> Predictions:
        """Each class by its model; none is dropped."""
        agents = agents_now(scene, self.vehicle)
        modes = self._lane_following.modes(scene, grid, agents)
        for kinds, part in self._others(scene, grid, agents):
            for name, array in vars(modes).items():
                array[kinds] = getattr(part, name)
        return predictions(scene, grid, agents, modes, self._lane_following.covariances(grid, agents, modes))

    def _others(self, scene: Scene, grid: Grid, agents: Agents) -> list[tuple[np.ndarray, Modes]]:
        """Rows that do not follow lanes, with their modes."""
        follow = self.values.following
        roads = roads_of(scene.map, follow.curve_acceleration_mps2, follow.braking_mps2)
        walkers = np.flatnonzero(agents.kind == AgentClass.PEDESTRIAN)
        animals = np.flatnonzero(agents.kind == AgentClass.ANIMAL)
        known = (agents.kind > AgentClass.UNKNOWN) & (agents.kind < AgentClass.PEDESTRIAN)
        rest = np.flatnonzero(~known & ~among(agents.kind, (AgentClass.PEDESTRIAN, AgentClass.ANIMAL)))
        parts = []
        if walkers.size:
            walking = pedestrian_modes(self.values.pedestrian, agents.take(walkers), roads, scene.map, grid)
            parts.append((walkers, walking))
        if animals.size:
            parts.append((animals, animal_modes(self.values.animal, agents.take(animals), roads, scene.ego, grid)))
        if rest.size:
            parts.append((rest, _going_on(agents.take(rest), grid)))
        return [(rows, heaviest(part, self.values.max_modes)) for rows, part in parts]


def _going_on(agents: Agents, grid: Grid) -> Modes:
    """Constant velocity; what is static has none."""
    position = straight(agents, agents.direction, agents.speed[:, None] * grid.time_s)
    modes = single(agents, position, np.zeros((len(agents), grid.steps)))
    modes.intent[among(agents.kind, STATIC)] = int(Intent.STOP)
    return modes
