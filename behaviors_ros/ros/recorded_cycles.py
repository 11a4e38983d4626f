"""The cycles of a recorded run: every scene rebuilt from the recorded inputs, beside what the nodes made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from behaviors_ros.control.odometry import OdometryLimits, OdometryWatch, watched
from behaviors_ros.datatypes import Candidates, Decisions, Plan, Predictions, Scene, Scores
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros.bags import read_bag
from behaviors_ros.ros.conversion_stages import Cycle, candidates, cycle, decisions, predictions, scores
from behaviors_ros.ros.graph import NAMESPACE, TOPICS
from behaviors_ros.ros.recorder import full_name
from behaviors_ros.ros.scene import Recent, SceneInputs, SceneParameters, refusal

_READ = ("route", "odometry", "tracks", "signals", "predictions", "candidates", "scores", "selected")
_INPUTS = _READ[:4]
_STAMPED = ("odometry", "tracks", "signals")


@dataclass(frozen=True, eq=False)
class RecordedCycle:
    """One cycle as it was recorded; `plan` carries the score table. `of`: its number, input stamps and stage times."""

    of: Cycle
    scene: Scene
    predictions: Predictions
    candidates: Candidates
    plan: Plan


class _Collector:
    """Takes messages in recorded order, gives a cycle whenever all its messages have come."""

    def __init__(self, inputs: SceneInputs, vehicle: Vehicle) -> None:
        self.inputs, self.vehicle = inputs, vehicle
        self.predictions: Recent[Predictions] = Recent(20)
        self.candidates: Recent[Candidates] = Recent(20)
        self.scores: Recent[tuple[Scores, Decisions | None]] = Recent(20)
        self.waiting: dict[int, tuple[Cycle, Plan]] = {}
        self.watch = OdometryWatch()
        self._last_ns: dict[str, int] = {}
        self._take: dict[str, Callable[[Any], None]] = {
            "route": inputs.add_route,
            "odometry": self._odometry,
            "tracks": lambda m: inputs.add_tracks(conversion.tracks(m, inputs.parameters.track)),
            "signals": lambda m: inputs.add_signals(conversion.signals(m)),
            "predictions": lambda m: self.predictions.add(cycle(m).number, predictions(m)),
            "candidates": lambda m: self.candidates.add(cycle(m).number, candidates(m)),
            "scores": lambda m: self.scores.add(cycle(m).number, (scores(m), decisions(m))),
            "selected": self._selected,
        }

    def take(self, name: str, message: Any, at_ns: int) -> None:
        """One message, recorded at `at_ns`; what the nodes refused is refused here as well."""
        if name in _STAMPED and not self._admitted(name, message, at_ns):
            return
        try:
            self._take[name](message)
        except BehaviorsError:
            return

    def _admitted(self, name: str, message: Any, at_ns: int) -> bool:
        """Whether a message is in the right frame, and by its stamp neither late, early, repeated nor out of order."""
        stamp_ns, limits = conversion.nanoseconds(message.header.stamp), self.inputs.parameters
        if self._last_ns.get(name, -1) > at_ns + limits.future_max_s * conversion.NS:  # the clock went back
            self.inputs.clear()
            self.watch = OdometryWatch()
            self._last_ns.clear()
        admitted = message.header.frame_id == limits.frame and not refusal(
            stamp_ns, self._last_ns.get(name, -1), at_ns, limits
        )
        if admitted:
            self._last_ns[name] = stamp_ns
        return admitted

    def _odometry(self, message: Any) -> None:
        ego = conversion.ego_state(message, self.inputs.ego, self.vehicle)
        self.watch, reason = watched(self.watch, ego, OdometryLimits(), self.vehicle)
        if not reason:
            self.inputs.add_odometry(ego)

    def _selected(self, message: Any) -> None:
        found = conversion_plan.plan(message)
        self.inputs.add_plan(found)
        self.waiting[found.plan_id] = (cycle(message), found)

    def ready(self) -> Iterator[RecordedCycle]:
        """Cycles that have become whole."""
        for number, (of, plan) in list(self.waiting.items()):
            parts: list[Any] = [store.get(number) for store in (self.predictions, self.candidates, self.scores)]
            if any(part is None for part in parts):
                continue
            scene = self.inputs.scene(of.inputs)
            del self.waiting[number]
            if scene is not None:
                scene = replace(scene, degraded=of.degraded)
                predicted, offered, (table, meanings) = parts
                yield RecordedCycle(of, scene, predicted, offered, replace(plan, scores=table, decisions=meanings))


def recorded_cycles(
    bag: Path, parameters: SceneParameters, vehicle: Vehicle, history: bool = False
) -> Iterator[RecordedCycle]:
    """Whole cycles of a recorded run, in order. `history`: scenes carry the track history that predictors may read.

    A bag that cannot be read raises InputError; cycles whose inputs were not recorded are left out.
    """
    types = {full_name(TOPICS[name]): TOPICS[name].message() for name in _READ}
    collector = _Collector(SceneInputs(parameters, vehicle, history), vehicle)
    for topic, message, at_ns in read_bag(bag, types):
        collector.take(topic.removeprefix(f"{NAMESPACE}/"), message, at_ns)
        yield from collector.ready()


def recorded_scenes(bag: Path, parameters: SceneParameters, vehicle: Vehicle) -> Iterator[Scene]:
    """The scene of every tracks message of a bag, with its track history: what a predictor would be given.

    Inputs are enough; a bag that cannot be read raises InputError.
    """
    types = {full_name(TOPICS[name]): TOPICS[name].message() for name in _INPUTS}
    collector = _Collector(SceneInputs(parameters, vehicle, history=True), vehicle)
    for topic, message, at_ns in read_bag(bag, types):
        name = topic.removeprefix(f"{NAMESPACE}/")
        collector.take(name, message, at_ns)
        found = collector.inputs.latest()
        if name == "tracks" and not isinstance(found, str):
            scene = collector.inputs.scene(found)
            if scene is not None:
                yield scene
