"""Trajectory generation node: candidates for the scene that a cycle's predictions name."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from behaviors_ros import registry
from behaviors_ros.datatypes import Degraded, Scene
from behaviors_ros.generation.generate import generate
from behaviors_ros.generation.interface import Generator
from behaviors_ros.parameters import value
from behaviors_ros.ros.conversion_stages import Cycle, candidates_message, origin_of, predictions
from behaviors_ros.ros.declare import plugin
from behaviors_ros.ros.node import OK
from behaviors_ros.ros.node import main as run_node
from behaviors_ros.ros.overload import StageBudget
from behaviors_ros.ros.planning import DEFAULTS, PlanningNode, PlanningParameters
from behaviors_ros.ros.warm import warm_predictions, warm_scene
from behaviors_ros.ros.warm_drive import warm_up


class GenerationParameters(PlanningParameters):
    """Parameters of the generation node, besides those of its generators under their names."""

    generators: tuple[str, ...] = value(DEFAULTS.generators, "plugins whose candidates are put together")
    budget: StageBudget = StageBudget(budget_s=0.05)


class GenerationNode(PlanningNode):
    """Scene, Predictions -> Candidates."""

    name = "trajectory_generation"
    stage = "generation"
    model = GenerationParameters
    plugins = {"generators": "generator"}

    def configure(self, parameters: GenerationParameters) -> None:
        """Construct the generators."""
        registry.load_modules(parameters.plugin_modules)
        self.generators = tuple(
            plugin(self, "generator", name, parameters.vehicle) for name in parameters.generators
        )  # fmt: skip
        self.publisher = self.writes("candidates")
        # Generators to ask in the cycle of an odometry stamp: those that had time when it was recorded, for a replay.
        self.to_ask: dict[int, tuple[str, ...]] = {}
        self.listen(parameters, parameters.budget)
        self.reads("predictions", self.begin)
        scene = warm_scene(self.inputs.map, parameters.vehicle)
        generate(scene, warm_predictions(scene, self.grid), self.grid, self.generators)
        warm_up(replace(self.default_stages(), generators=self.generators))

    def work(self, scene: Scene, of: Cycle, message: Any) -> None:
        """Generate and publish."""
        since = time.perf_counter()
        asked, left = self._asked(of), self.remaining(since)
        candidates = generate(scene, predictions(message), self.grid, asked, left)
        if len(asked) < len(self.generators) or (left is not None and left() <= 0.0):
            self.counts["cycles short of time"] += 1
            of = replace(of, degraded=of.degraded | Degraded.SLOW)
        of = self.timed(of, since)
        self.publisher.publish(candidates_message(candidates, of, origin_of(scene.ego)))
        self.report(OK, "generating")

    def _asked(self, of: Cycle) -> tuple[Generator, ...]:
        names = self.to_ask.get(of.inputs.odometry)
        return tuple(g for g in self.generators if names is None or g.name in names)


def main() -> None:
    """Run the node."""
    run_node(GenerationNode)


if __name__ == "__main__":
    main()
