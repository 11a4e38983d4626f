"""Prediction node: begins a cycle when tracks arrive, names its inputs, predicts."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, ClassVar

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from behaviors_ros import registry
from behaviors_ros.datatypes import Degraded, Scene
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.interface import Predictor
from behaviors_ros.prediction.predict import NearAgents, predict
from behaviors_ros.ros.conversion import Bounds
from behaviors_ros.ros.conversion_stages import Cycle, origin_of, predictions_message
from behaviors_ros.ros.declare import plugin, plugin_values
from behaviors_ros.ros.node import OK, WARN
from behaviors_ros.ros.node import main as run_node
from behaviors_ros.ros.overload import StageBudget
from behaviors_ros.ros.planning import DEFAULTS, PlanningNode, PlanningParameters
from behaviors_ros.ros.shadow import Shadow, ShadowParameters
from behaviors_ros.ros.warm import warm_scene
from behaviors_ros.ros.warm_drive import warm_up


class PredictionParameters(PlanningParameters):
    """Parameters of the prediction node, besides those of its predictor under the predictor's name."""

    predictor: str = value(DEFAULTS.predictor, "plugin that predicts (`behaviors plugins` lists them)")
    shadow: ShadowParameters = ShadowParameters()
    near: NearAgents = NearAgents()
    budget: StageBudget = StageBudget(budget_s=0.03)


class PredictionNode(PlanningNode):
    """Scene -> Predictions, once for every tracks message."""

    name = "prediction"
    stage = "prediction"
    model: ClassVar[type[Parameters]] = PredictionParameters
    plugins = {"predictor": "predictor"}
    shadow: Shadow | None = None

    def configure(self, parameters: PredictionParameters) -> None:
        """Construct the predictor."""
        registry.load_modules(parameters.plugin_modules)
        self.predictor = plugin(self, "predictor", parameters.predictor, parameters.vehicle)
        self.publisher = self.writes("predictions")
        self.number = 0
        # Cycles, by odometry stamp, in which far agents are to go on as now: what was recorded, for a replay.
        self.near, self.far_simple = parameters.near, set[int]()
        self.listen(parameters, parameters.budget, history=True)
        self._warm(self.predictor)
        if self.predictor.name == "learned":  # leaves agents to physics in some later cycle
            self._warm(self.default_stages().predictor)
        self.shadow = self._shadow(parameters)

    def _warm(self, predictor: Predictor) -> None:
        """Run a predictor on the node's map and along the embedded drive."""
        predictor.predict(warm_scene(self.inputs.map, self.vehicle), self.grid)
        warm_up(replace(self.default_stages(), predictor=predictor), predict_only=True)

    def _shadow(self, parameters: PredictionParameters) -> Shadow | None:
        """The candidate model that runs beside, with the parameters of the learned predictor but for the model."""
        if not parameters.shadow.model:
            return None
        values = plugin_values(self, "predictor", "learned") | {"model": parameters.shadow.model}
        candidate = registry.create("predictor", "learned", values, parameters.vehicle)
        self._warm(candidate)
        return Shadow(candidate, self.grid, parameters.shadow)

    def perceived(self) -> None:
        """Begin a cycle with the latest of everything."""
        inputs, refusal = self.inputs.latest(), self.inputs.route_refusal
        if refusal:
            self.refuse("route", refusal)
        if isinstance(inputs, str):
            self.counts["cycles not begun"] += 1
            self.report(OK, inputs)
            return
        # Plan ids go on over a restart of this node, so that an id names one plan.
        before = max(self.number, inputs.previous_plan_id)
        self.number = before + 1 if before < Bounds().number_max else 1
        scene = self.inputs.scene(inputs)
        if scene is None:
            self.counts["cycles not begun"] += 1
            return
        self.counts["cycles"] += 1
        self.work(scene, Cycle(self.number, inputs), None)

    def work(self, scene: Scene, of: Cycle, message: Any) -> None:
        """Predict and publish."""
        since = time.perf_counter()
        if of.inputs.odometry in self.far_simple or (self.limited and self.overload.shedding):
            scene = replace(scene, degraded=scene.degraded | Degraded.FAR_AGENTS)
            self.counts["cycles with far agents as now"] += 1
        predictions = predict(scene, self.grid, self.predictor, self.near, self.vehicle)
        of = replace(self.timed(of, since), degraded=scene.degraded | predictions.degraded)
        self.publisher.publish(predictions_message(predictions, of, self.predictor.name, origin_of(scene.ego)))
        self.counts.update(predictions.notes)
        self.report(WARN if predictions.warning else OK, predictions.warning or "predicting")
        if self.shadow is not None:
            self.shadow.show(scene, predictions)

    def facts(self) -> dict[str, str]:
        """The stage's times, and how far a candidate model diverges."""
        return super().facts() | (self.shadow.facts() if self.shadow is not None else {})

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the candidate's thread as well."""
        if self.shadow is not None:
            self.shadow.stop()
        return super().on_cleanup(state)


def main() -> None:
    """Run the node."""
    run_node(PredictionNode)


if __name__ == "__main__":
    main()
