"""Trajectory scoring node: scores a cycle's candidates and selects the plan."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from behaviors_ros import registry
from behaviors_ros.datatypes import Plan, Predictions, Scene
from behaviors_ros.parameters import value
from behaviors_ros.ros.conversion_plan import plan_message
from behaviors_ros.ros.conversion_stages import Cycle, candidates, cycle, predictions, scores_message
from behaviors_ros.ros.declare import plugin
from behaviors_ros.ros.node import OK
from behaviors_ros.ros.node import main as run_node
from behaviors_ros.ros.overload import StageBudget
from behaviors_ros.ros.planning import DEFAULTS, PlanningNode, PlanningParameters
from behaviors_ros.ros.scene import Recent
from behaviors_ros.ros.warm import warm_candidates, warm_predictions, warm_scene
from behaviors_ros.ros.warm_drive import warm_up
from behaviors_ros.scoring.anytime import score_in_time
from behaviors_ros.scoring.decision import decide
from behaviors_ros.scoring.score import score
from behaviors_ros.scoring.select import Selection, select


class ScoringParameters(PlanningParameters):
    """Parameters of the scoring node, besides those of its gates and scorers under their names."""

    gates: tuple[str, ...] = value(DEFAULTS.gates, "plugins that forbid")
    scorers: tuple[str, ...] = value(DEFAULTS.scorers, "plugins that weigh")
    selection: Selection = Selection()
    budget: StageBudget = StageBudget(budget_s=0.06)


class ScoringNode(PlanningNode):
    """Scene, Predictions, Candidates -> Scores -> Plan."""

    name = "trajectory_scoring"
    stage = "scoring"
    model = ScoringParameters
    plugins = {"gates": "gate", "scorers": "scorer"}

    def configure(self, parameters: ScoringParameters) -> None:
        """Construct gates and scorers."""
        registry.load_modules(parameters.plugin_modules)
        self.gates = tuple(plugin(self, "gate", name, parameters.vehicle) for name in parameters.gates)
        self.scorers = tuple(plugin(self, "scorer", name, parameters.vehicle) for name in parameters.scorers)
        self.selection = parameters.selection
        self.table, self.publisher = self.writes("scores"), self.writes("selected")
        self.predicted: Recent[Predictions] = Recent(10)
        # How many candidates to score in the cycle of an odometry stamp: what was recorded, for a replay.
        self.to_evaluate: dict[int, int] = {}
        self.listen(parameters, parameters.budget)
        self.reads("predictions", self._predictions)
        self.reads("candidates", self.begin)
        self._warm_up()

    def _predictions(self, message: Any) -> None:
        self.require_grid(message)
        self.predicted.add(cycle(message).number, predictions(message))
        self.attempt()

    def ready(self, of: Cycle) -> bool:
        """Predictions are the larger message: they may come after the candidates made from them."""
        return self.predicted.get(of.number) is not None

    def _warm_up(self) -> None:
        scene = warm_scene(self.inputs.map, self.vehicle)
        predicted = warm_predictions(scene, self.grid)
        offered = warm_candidates(scene, self.grid)
        table = score(scene, predicted, offered, self.gates, self.scorers)
        decisions = decide(scene, predicted, offered, self.vehicle, self.selection.meaning)
        select(scene, offered, table, decisions, self.selection, self.vehicle, 1)
        warm_up(replace(self.default_stages(), gates=self.gates, scorers=self.scorers))

    def work(self, scene: Scene, of: Cycle, message: Any) -> None:
        """Score, select, publish: the decision first, what explains it after."""
        predicted = self.predicted.get(of.number)
        assert predicted is not None
        since = time.perf_counter()
        offered = candidates(message)
        decisions = decide(scene, predicted, offered, self.vehicle, self.selection.meaning)
        table = score_in_time(
            scene, predicted, offered, decisions, self.gates, self.scorers, self.selection.anytime,
            self.remaining(since), self.to_evaluate.get(of.inputs.odometry),
        )  # fmt: skip
        plan = select(scene, offered, table, decisions, self.selection, self.vehicle, of.number)
        of = self.timed(replace(of, degraded=plan.degraded), since)
        self.publisher.publish(plan_message(plan, of, self.vehicle, predicted.model_hash))
        self.table.publish(scores_message(table, offered, plan, of))
        self._tell(scene.previous, plan)

    def _tell(self, previous: Plan | None, plan: Plan) -> None:
        """Keep the reason for /diagnostics; log it when something else has been decided."""
        self.report(OK, plan.reason)
        if plan.evaluated < len(plan.scores.total if plan.scores is not None else ()):
            self.counts["cycles short of time"] += 1
        before, now = previous.decision if previous is not None else None, plan.decision
        if now is not None and (before is None or (before.manoeuvre, before.subject) != (now.manoeuvre, now.subject)):
            self.get_logger().info(plan.reason)
            self.event("decision", now.manoeuvre.name.lower(), plan.reason, plan_id=plan.plan_id)


def main() -> None:
    """Run the node."""
    run_node(ScoringNode)


if __name__ == "__main__":
    main()
