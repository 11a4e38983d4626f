"""Input adapter node: the messages of other projects -> our topics, in the dialects that it is told to hear.

With Autoware's predictions it stands in the place of the prediction node: it begins the cycles.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from behaviors_ros.datatypes import EgoState, LaneMap, Scene, rounded
from behaviors_ros.errors import InputError
from behaviors_ros.maps.load import load_map
from behaviors_ros.parameters import value
from behaviors_ros.ros import conversion
from behaviors_ros.ros.conversion_stages import Cycle, origin_of, predictions_message
from behaviors_ros.ros.dialects.inputs import INPUTS, InputDialects
from behaviors_ros.ros.dialects.interface import opened
from behaviors_ros.ros.node import main as run_node
from behaviors_ros.ros.overload import StageBudget
from behaviors_ros.ros.planning import PlanningParameters
from behaviors_ros.ros.prediction import PredictionNode

_TRACKS = ("autoware_tracks", "autoware_predictions", "vision_boxes")


class AdapterParameters(PlanningParameters):
    """Parameters of the input adapter."""

    inputs: tuple[str, ...] = value((), f"dialects that are heard: {', '.join(INPUTS)}")
    dialects: InputDialects = InputDialects()
    budget: StageBudget = StageBudget(budget_s=0.03)


class AdapterNode(PredictionNode):
    """Messages of others -> tracks, signals, route, engagement, and predictions."""

    name = "input_adapter"
    model = AdapterParameters
    plugins = {}

    def configure(self, parameters: Any) -> None:
        """Open the chosen dialects; two of them must not speak of the same."""
        self.parameters, self.vehicle, self.frame = parameters, parameters.vehicle, parameters.scene.frame
        several = [name for name in parameters.inputs if name in _TRACKS]
        if len(several) > 1:
            raise InputError(
                f"parameters of {self.name}",
                "inputs",
                f"{' and '.join(several)} both give tracks",
                "choose one of them",
            )
        self.number, self.predictor = 0, None
        self.ego: EgoState | None = None
        self._outputs: dict[str, Any] = {}
        self.map: LaneMap | None = None
        if "autoware_predictions" in parameters.inputs:
            self.publisher = self.writes("predictions")
            self.listen(parameters, parameters.budget)
            self.map = self.inputs.map
        else:
            self.reads("odometry", self._moved)
            if "autoware_route" in parameters.inputs and parameters.scene.map:
                self.map = load_map(Path(parameters.scene.map))
        dialects = opened(self, "inputs", parameters.inputs, INPUTS, parameters.dialects)
        self.predictor = next((found for found in dialects if found.name == "autoware_predictions"), None)

    def work(self, scene: Scene, of: Cycle, message: Any) -> None:
        """Publish what was predicted for the scene's tracks; nothing of it is shed."""
        since = time.perf_counter()
        found = rounded(self.predictor.predict(scene, self.grid))
        of = replace(self.timed(of, since), degraded=found.degraded)
        self.publisher.publish(predictions_message(found, of, self.predictor.name, origin_of(scene.ego)))

    def facts(self) -> dict[str, str]:
        """The time that predictions take, where they are heard."""
        return super().facts() if self.predictor is not None else {}

    def output(self, name: str) -> Any:
        """The publisher of one of our topics, one for all dialects."""
        if name not in self._outputs:
            self._outputs[name] = self.writes(name)
        return self._outputs[name]

    def counted(self, dialect: str, counts: Mapping[str, int]) -> None:
        """Show on /diagnostics what a dialect could not read."""
        for cause, number in counts.items():
            self.counts[f"{dialect}: {cause}"] += number

    def _moved(self, message: Any) -> None:
        self.ego = conversion.ego_state(message, self.ego, self.vehicle)


def main() -> None:
    """Run the node."""
    run_node(AdapterNode)


if __name__ == "__main__":
    main()
