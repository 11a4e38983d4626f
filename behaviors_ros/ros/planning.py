"""What the three planning nodes share: the inputs of a scene, and running one cycle when all its inputs are there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from behaviors_ros.control.odometry import OdometryLimits, OdometryWatch, watched
from behaviors_ros.datatypes import Grid, Scene
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.pipeline import Configuration, GridParameters, Stages, build
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros.conversion_stages import Cycle, cycle
from behaviors_ros.ros.node import WARN, LifecycleAdapter
from behaviors_ros.ros.overload import Overload, StageBudget
from behaviors_ros.ros.scene import SceneInputs, SceneParameters, refusal

DEFAULTS = Configuration()


class PlanningParameters(Parameters):
    """Parameters that every planning node has."""

    scene: SceneParameters = SceneParameters()
    vehicle: Vehicle = Vehicle()
    grid: GridParameters = GridParameters()
    odometry: OdometryLimits = OdometryLimits()
    plugin_modules: tuple[str, ...] = value((), "further modules to import, for plugins of other packages")


class PlanningNode(LifecycleAdapter):
    """A node that runs one stage on the scene of a cycle. A subclass has `stage` and `work(scene, cycle, message)`."""

    stage: str

    def listen(self, parameters: PlanningParameters, budget: StageBudget, history: bool = False) -> None:
        """Subscribe to what a scene is made of."""
        self.overload, self.durations = Overload(budget), deque[float](maxlen=600)
        self.parameters, self.vehicle = parameters, parameters.vehicle
        self.grid = Grid(parameters.grid.dt_s, parameters.grid.steps)
        self.inputs = SceneInputs(parameters.scene, parameters.vehicle, history)
        self.watch = OdometryWatch()
        self._last_ns: dict[str, int] = {}
        self._pending: tuple[Cycle, Any] | None = None
        self.reads("odometry", self._odometry)
        self.reads("tracks", self._tracks)
        self.reads("signals", self._signals)
        self.reads("route", self.inputs.add_route)
        self.reads("selected", self._selected)

    def default_stages(self) -> Stages:
        """All stages with default plugins on this node's grid and vehicle, to be warmed up with."""
        grid = {"dt_s": self.grid.dt_s, "steps": self.grid.steps}
        return build({"vehicle": self.vehicle.model_dump(), "grid": grid})

    # --- inputs ------------------------------------------------------------------------------------------------------

    def _admit(self, source: str, message: Any) -> bool:
        """Refuse a message in a wrong frame, late, early or out of order; False for one that is already known."""
        stamp, scene = conversion.nanoseconds(message.header.stamp), self.parameters.scene
        conversion.in_frame(source, message, scene.frame)
        now, last = self.now_ns, self._last_ns.get(source, -1)
        if now == 0:  # simulated time has not begun here
            return False
        if last > now + scene.future_max_s * conversion.NS:
            self.get_logger().warning("the clock went back: inputs are collected anew")
            self.inputs.clear()
            self.watch = OdometryWatch()
            self._last_ns.clear()
            last = -1
        if stamp == last:
            self.counts[f"{source} repeated"] += 1
            return False
        reason = refusal(stamp, last, now, scene)
        if reason:
            raise InputError(source, "stamp", reason, "check clocks and transport")
        self._last_ns[source] = stamp
        return True

    def _odometry(self, message: Any) -> None:
        if self._admit("odometry", message):
            ego = conversion.ego_state(message, self.inputs.ego, self.vehicle)
            self.watch, reason = watched(self.watch, ego, self.parameters.odometry, self.vehicle)
            if reason:
                raise InputError("odometry", "pose", reason, "check localisation")
            self.inputs.add_odometry(ego)
        self.attempt()

    def _tracks(self, message: Any) -> None:
        if self._admit("tracks", message):
            received = conversion.tracks(message, self.parameters.scene.track)
            for cause, number in received.dropped.items():
                self.counts[f"tracks dropped: {cause}"] += number
            self.inputs.add_tracks(received)
            self.perceived()

    def _signals(self, message: Any) -> None:
        if self._admit("signals", message):
            self.inputs.add_signals(conversion.signals(message))
        self.attempt()

    def _selected(self, message: Any) -> None:
        self.inputs.add_plan(conversion_plan.usable_plan(message))
        self.attempt()

    def perceived(self) -> None:
        """New tracks have arrived; the same ones again begin no cycle."""
        self.attempt()

    # --- a cycle -----------------------------------------------------------------------------------------------------

    def begin(self, message: Any) -> None:
        """Start the cycle of a planning message; what an unfinished one still waited for has not come."""
        self.require_grid(message)
        if self._pending is not None:
            self.counts["cycles given up"] += 1
        self._pending = (cycle(message), message)
        self.attempt()

    def require_grid(self, message: Any) -> None:
        """Refuse a set on another time grid than this node's: the stages index all sets by one step."""
        steps, step_s = message.num_steps, message.time_step_s
        if steps != self.grid.steps or not abs(step_s - self.grid.dt_s) < 1e-6:
            wanted = f"give all nodes one grid: {self.grid.steps} steps of {self.grid.dt_s:g} s"
            raise InputError(self.stage, "time grid", f"of the set before is {steps} steps of {step_s:g} s", wanted)

    def attempt(self) -> None:
        """Run the pending cycle if all inputs it names are there; give it up when it is too old."""
        if self._pending is None:
            return
        of, message = self._pending
        if self.now_ns - of.inputs.odometry > self.parameters.scene.cycle_age_max_s * conversion.NS:
            self._pending = None
            self.counts["cycles given up"] += 1
            return
        scene = self.inputs.scene(of.inputs)
        if scene is not None and self.ready(of):
            self._pending = None
            self.counts["cycles"] += 1
            self.work(replace(scene, degraded=of.degraded), of, message)

    def ready(self, of: Cycle) -> bool:
        """Whether what the stage needs beside the scene has come."""
        return True

    def work(self, scene: Scene, of: Cycle, message: Any) -> None:
        """Run the stage and publish."""
        raise TypeError(f"{type(self).__name__} has no stage")

    def timed(self, of: Cycle, since: float) -> Cycle:
        """The cycle with the wall time of this stage, counted from `since` (`time.perf_counter`); late ones count."""
        seconds = time.perf_counter() - since
        if self.overload.note(seconds, since + seconds) and self.limited:
            shedding = self.overload.shedding
            self.event("late", self.stage, "sheds work" if shedding else "takes up all work again", WARN, of.number)
        self.counts["cycles late"] = self.overload.late
        self.durations.append(seconds)
        return replace(of, times_s={**of.times_s, self.stage: seconds})

    @property
    def limited(self) -> bool:
        """Whether work is left out for lack of time. Simulated time stands still while we work, and runs repeat."""
        return not self.get_parameter("use_sim_time").value

    def remaining(self, since: float) -> Callable[[], float] | None:
        """The time left of the stage's budget counted from `since`, s; None: no limit."""
        budget_s = self.overload.budget.budget_s
        return (lambda: budget_s - (time.perf_counter() - since)) if self.limited else None

    def facts(self) -> dict[str, str]:
        """Median and 99th percentile of the stage's wall time over the last minute of cycles."""
        if not self.durations:
            return {}
        p50, p99 = np.percentile(np.array(self.durations) * 1e3, (50, 99))
        return {"stage p50, p99": f"{p50:.1f}, {p99:.1f} ms of {self.overload.budget.budget_s * 1e3:.0f} ms"}
