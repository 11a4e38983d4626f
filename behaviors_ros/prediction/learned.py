"""The learned predictor: the most relevant road users by a model, all others by physics, none dropped."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from behaviors_ros.datatypes import (
    AgentClass,
    Array,
    Degraded,
    EgoState,
    Goal,
    Grid,
    Predictions,
    Scene,
    Tracks,
    among,
)
from behaviors_ros.errors import InputError
from behaviors_ros.maps.route import mapless_route
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.prediction.agents import Agents, agents_now, predictions
from behaviors_ros.prediction.class_aware import ClassAware, ClassAwareParameters
from behaviors_ros.prediction.inference import Provider, Session
from behaviors_ros.prediction.joined import joined, likeliest
from behaviors_ros.prediction.learned_features import features
from behaviors_ros.prediction.learned_modes import Answer, Frames, Plausible, learned_modes, usable
from behaviors_ros.prediction.model_contract import Contract, read_model
from behaviors_ros.prediction.models import model_file
from behaviors_ros.registry import register


class LearnedParameters(Parameters):
    """Parameters of the learned predictor; `physics`: those of `class_aware`, which predicts the others."""

    model: str = value("", "model file NAME.onnx, or folder of models, whose active one is taken; empty: the shipped")
    provider: Provider = value("cpu", "what runs the model: cpu, cuda or tensorrt; none other is fallen back to")
    threads: int = value(1, "threads of the CPU that the model may use", low=1, high=64)
    max_agents: int = value(
        64, "most agents that the model is asked for, the most relevant; physics for the rest", low=1, high=5000
    )
    look_s: float = value(4.0, "relevant is who comes near the ego within this time", low=0.0, high=20.0)
    plausible: Plausible = Plausible()
    physics: ClassAwareParameters = ClassAwareParameters()


@dataclass(frozen=True, eq=False)
class Reply:
    """What the model said of the tracks at `rows`, in their frames."""

    rows: Int[Array, "row"]
    agents: Agents
    frames: Frames
    answer: Answer

    def take(self, chosen: Bool[Array, "row"]) -> Reply:
        """The chosen ones."""
        agents = self.agents.take(np.flatnonzero(chosen))
        return Reply(self.rows[chosen], agents, self.frames.take(chosen), self.answer.take(chosen))


@register("predictor", "learned")
class Learned:
    """A trained model for the classes it is better at, `class_aware` for whom it does not answer."""

    name: str
    parameters = LearnedParameters

    def __init__(self, parameters: LearnedParameters, vehicle: Vehicle) -> None:
        """Load the model, hold it to its contract and run it; raises BehaviorsError when it cannot be used."""
        self.values, self.vehicle = parameters, vehicle
        self._physics = ClassAware(parameters.physics, vehicle)
        self._session = Session(read_model(model_file(parameters.model)), parameters.provider, parameters.threads)
        self._try_out()

    @property
    def contract(self) -> Contract:
        """The contract of the model that runs."""
        return self._session.model.contract

    @property
    def provider(self) -> str:
        """What runs the model, as onnxruntime names it."""
        return self._session.provider

    def predict(self, scene: Scene, grid: Grid) -> Predictions:
        """Each agent by the model or by physics; `notes` counts those by physics, `warning` says what went wrong."""
        agents = agents_now(scene, self.vehicle)
        rows, notes = self._asked(scene, agents)
        reply = self._reply(scene, agents, rows) if rows.size else None
        if not isinstance(reply, Reply):
            return self._without(scene, grid, notes, rows, reply)
        good, reply = self._usable(reply)
        by_model = self._modes(scene, grid, reply.take(good))
        refused = int(rows.size - good.sum())
        warning = f"{refused} of {rows.size} agents by physics: the model's answer cannot be used" if refused else ""
        notes["agents by physics: answer refused"] = refused
        by_physics = agents.valid.copy()
        by_physics[rows[good]] = False
        others = self._physics.predict(scene, grid) if by_physics.any() else None
        found = joined(scene, grid, agents, rows[good], by_model, others)
        degraded = scene.degraded | (Degraded.NO_MODEL if not good.any() else Degraded.NONE)
        return replace(found, notes={k: n for k, n in notes.items() if n}, warning=warning, degraded=degraded,
                       model_hash=self.contract.model_sha256 if good.any() else "")  # fmt: skip

    def single(self, scene: Scene, grid: Grid) -> Predictions:
        """The one answer where one is asked for: a single mode of each agent; physics' likeliest for the others."""
        agents = agents_now(scene, self.vehicle)
        everything = self._physics.predict(scene, grid)
        rows, _ = self._asked(scene, agents)
        reply = self._reply(scene, agents, rows, single=True) if rows.size else None
        if not isinstance(reply, Reply):
            return likeliest(everything)
        good, reply = self._usable(reply)
        reply = reply.take(good)
        by_model = self._modes(scene, grid, reply)
        return joined(scene, grid, agents, reply.rows, by_model, likeliest(everything))

    # --- whom the model is asked for ---------------------------------------------------------------------------------

    def _asked(self, scene: Scene, agents: Agents) -> tuple[Int[Array, "row"], dict[str, int]]:
        """Rows of the tracks that the model answers for, in the tracks' order, and how many it does not and why."""
        known = agents.valid & among(agents.kind, self.contract.classes)
        sound = agents.speed <= self.values.plausible.speed_mps
        rows = np.flatnonzero(known & sound)
        beyond = max(rows.size - self.values.max_agents, 0)
        if beyond:
            nearness = nearest_approach(scene.ego, agents.take(rows), self.values.look_s)
            rows = np.sort(rows[np.argsort(nearness, kind="stable")[: self.values.max_agents]])
        notes = {"agents by physics: class": int((agents.valid & ~known).sum()),
                 "agents by physics: input refused": int((known & ~sound).sum()),
                 "agents by physics: beyond max_agents": beyond}  # fmt: skip
        return rows, notes

    def _reply(self, scene: Scene, agents: Agents, rows: Int[Array, "row"], single: bool = False) -> Reply | str:
        """What the model says; in words why it says nothing. single: its one answer instead of the modes."""
        with np.errstate(over="ignore", invalid="ignore"):
            found = features(scene, rows, self.contract.features, self.vehicle, self._session.inputs)
            whole = sum(array.reshape(rows.size, -1).sum(axis=1) for array in found.arrays.values())
        outputs = self._session.run(found.arrays)
        if isinstance(outputs, str):
            return outputs
        # What is shown of an agent must be numbers, or its answer counts as none.
        outputs["probability"] = np.where(np.isfinite(whole)[:, None], outputs["probability"], np.nan)
        answer = Answer(outputs["probability"], outputs["position"], outputs["spread"])
        if single:
            answer = Answer(
                outputs["probability"].sum(axis=1, keepdims=True), outputs["single"][:, None], outputs["spread"][:, :1]
            )
        return Reply(rows, agents.take(rows), Frames(found.origin, found.yaw, found.speed), answer)

    def _usable(self, reply: Reply) -> tuple[Bool[Array, "row"], Reply]:
        """Whose answer can be used, and the reply without the modes that cannot be."""
        good, answer = usable(reply.answer, reply.frames.speed, self.contract.features, self.values.plausible)
        return good, replace(reply, answer=answer)

    # --- putting together --------------------------------------------------------------------------------------------

    def _modes(self, scene: Scene, grid: Grid, reply: Reply) -> Predictions:
        """Predictions of the tracks that the model answered for."""
        schema, plausible = self.contract.features, self.values.plausible
        modes, covariance = learned_modes(reply.answer, reply.agents, reply.frames, schema, grid, plausible)
        only = replace(scene, tracks=scene.tracks.take(reply.rows))
        return predictions(only, grid, reply.agents, modes, covariance)

    def _without(
        self, scene: Scene, grid: Grid, notes: dict[str, int], rows: Array, reply: str | None
    ) -> Predictions:  # fmt: skip
        """All by physics: there is nobody whom the model answers for, or it failed."""
        found = self._physics.predict(scene, grid)
        kept = {k: n for k, n in notes.items() if n}
        if reply is None:
            return replace(found, notes=kept)
        return replace(
            found, notes=kept | {"agents by physics: model failed": int(rows.size)},
            warning=f"all agents by physics: the model failed ({reply})", degraded=found.degraded | Degraded.NO_MODEL,
        )  # fmt: skip

    # --- at configure ------------------------------------------------------------------------------------------------

    def _try_out(self) -> None:
        """A finite answer for two agents and for as many as ever; compiles and allocates all that a cycle needs."""
        scene, path = _trial(self.contract), self._session.model.path
        agents = agents_now(scene, self.vehicle)
        for count in (len(agents), self.values.max_agents):
            rows, schema = np.arange(count) % len(agents), self.contract.features
            found = features(scene, rows, schema, self.vehicle, self._session.inputs)
            outputs = self._session.run(found.arrays)
            if isinstance(outputs, str):
                raise InputError(path, "model", f"does not run ({outputs})", "export it anew")
            if all(np.isfinite(array).all() for array in outputs.values()):
                continue
            raise InputError(path, "model", "gives numbers that are not finite", "train and export it anew")
        self.predict(scene, Grid())


def nearest_approach(ego: EgoState, agents: Agents, look_s: float) -> Float[Array, "agent"]:
    """Least distance to the ego within `look_s` if both keep their velocity, m; 0 where the ego is not known."""
    apart = agents.position - ego.position
    heading = np.array([np.cos(ego.yaw), np.sin(ego.yaw)])
    closing = agents.direction * agents.speed[:, None] - ego.speed * heading
    square = np.maximum((closing**2).sum(axis=1), 1e-9)
    when = np.clip(-(apart * closing).sum(axis=1) / square, 0.0, look_s)
    least = np.hypot(*(apart + when[:, None] * closing).T)
    return np.nan_to_num(least)


def _trial(contract: Contract) -> Scene:
    """A scene with two agents of a class that the model answers for, to try it out."""
    ego = EgoState(0, np.zeros(2), 0.0, 5.0)
    kind = contract.classes[0] if contract.classes else AgentClass.CAR
    along = np.array([[10.0, 3.0], [-15.0, -3.0]])
    tracks = Tracks(
        0, ("0" * 32, "1" * 32), np.full(2, int(kind)), along, np.zeros(2), np.array([[5.0, 0.0], [0.0, 0.0]]),
        np.zeros((2, 2)), np.zeros(2), np.full(2, 4.5), np.full(2, 1.8), np.tile(0.02 * np.eye(2), (2, 1, 1)),
        np.ones(2),
    )  # fmt: skip
    route = mapless_route(None, ego, Goal(np.array([100.0, 0.0])), 10.0, 2.0)
    return Scene(0, ego, tracks, route)
