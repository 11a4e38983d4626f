"""Out: autoware_internal_planning_msgs/PlanningFactorArray, the explanation that Autoware's tools draw and grade."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from behaviors_ros.datatypes import Decision, Manoeuvre, Mode, Plan, Trajectory
from behaviors_ros.geometry.polylines import arc_length
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.ros.conversion import header, set_yaw
from behaviors_ros.ros.dialects.interface import Dialect, HandedOn
from behaviors_ros.ros.qos import LATEST

_BEHAVIOR = {
    Manoeuvre.KEEP_LANE: "NONE", Manoeuvre.FOLLOW: "SLOW_DOWN", Manoeuvre.YIELD: "SLOW_DOWN",
    Manoeuvre.PASS_BEFORE: "NONE", Manoeuvre.STOP: "STOP", Manoeuvre.CHANGE_LEFT: "SHIFT_LEFT",
    Manoeuvre.CHANGE_RIGHT: "SHIFT_RIGHT", Manoeuvre.PASS_LEFT: "SHIFT_LEFT", Manoeuvre.PASS_RIGHT: "SHIFT_RIGHT",
    Manoeuvre.RETURN: "UNKNOWN", Manoeuvre.CREEP: "SLOW_DOWN", Manoeuvre.PULL_OVER: "STOP",
    Manoeuvre.MINIMAL_RISK_STOP: "STOP", Manoeuvre.EMERGENCY_STOP: "STOP",
}  # fmt: skip
_STOPS = (Mode.COMFORT_STOP, Mode.EMERGENCY_STOP)


class PlanningFactorsParameters(Parameters):
    """The explanation out."""

    topic: str = value(
        "/planning/planning_factors/behaviors_ros", "topic of autoware_internal_planning_msgs/PlanningFactorArray"
    )
    rest_mps: float = value(0.1, "a trajectory slower than this has come to rest", low=0.01, high=1.0)


class AutowarePlanningFactors(Dialect):
    """The decision behind the trajectory handed on, or the bridge's reason to stop."""

    name = "autoware_planning_factors"
    needs = tuple(
        f"autoware_internal_planning_msgs/msg/{name}"
        for name in ("PlanningFactorArray", "PlanningFactor", "ControlPoint", "SafetyFactor")
    )

    def begin(self) -> None:
        """Advertise."""
        self.publisher = self.node.writes_to(self.types.PlanningFactorArray, self.p.topic, LATEST)

    def send(self, handed: HandedOn) -> None:
        """Publish."""
        self.publisher.publish(message(self.types, handed, self.p))


def message(types: Any, handed: HandedOn, parameters: PlanningFactorsParameters) -> Any:
    """One factor: what the plan means, or that the bridge stops, with the place it is about."""
    found, plan = handed.trajectory, handed.plan
    factor = types.PlanningFactor(is_driving_forward=bool(found.speed.min() >= 0.0))
    name, factor.module, factor.detail = _meaning(plan, handed)
    at = int(np.argmax(np.abs(found.speed) < parameters.rest_mps))
    rests = bool(abs(found.speed[at]) < parameters.rest_mps)
    if name == "SLOW_DOWN" and rests:
        name = "STOP"
    factor.behavior = getattr(types.PlanningFactor, name)
    now = int(np.searchsorted(found.time_s, (handed.now_ns - found.stamp_ns) * 1e-9, side="right")) - 1
    now = min(max(now, 0), len(found.time_s) - 1)
    factor.control_points = [_point(types.ControlPoint(), found, i, now) for i in _places(name, found, now, at, rests)]
    decision = plan.decision if plan is not None else None
    factor.safety_factors.header = header(found.stamp_ns)
    factor.safety_factors.is_safe = True
    factor.safety_factors.factors = _subject(types, decision) if handed.mode not in _STOPS else []
    return types.PlanningFactorArray(header=header(handed.now_ns), factors=[factor])


def _meaning(plan: Plan | None, handed: HandedOn) -> tuple[str, str, str]:
    """(behaviour, module, detail)."""
    if handed.mode in _STOPS or plan is None:
        return "STOP", "behaviors_ros/controls_bridge", handed.reason
    name = _BEHAVIOR[plan.decision.manoeuvre] if plan.decision is not None else "UNKNOWN"
    return name, f"behaviors_ros/{plan.generator}", plan.reason


def _places(name: str, found: Trajectory, now: int, at: int, rests: bool) -> list[int]:
    """Indices of the points that a behaviour is about: where it stops, where it is slowest, or from where to where."""
    if name == "STOP":
        return [max(at, now) if rests else len(found.time_s) - 1]
    if name == "SLOW_DOWN":
        return [now + int(np.argmin(np.abs(found.speed[now:])))]
    return [now, len(found.time_s) - 1]


def _point(point: Any, found: Trajectory, index: int, now: int) -> Any:
    point.pose.position.x, point.pose.position.y = map(float, found.position[index])
    set_yaw(point.pose.orientation, float(found.yaw[index]))
    s = arc_length(found.position)
    point.velocity, point.distance = float(found.speed[index]), float(s[index] - s[now])
    return point


def _subject(types: Any, decision: Decision | None) -> list[Any]:
    """The agent that a decision is about."""
    if decision is None or not re.fullmatch("[0-9a-f]{32}", decision.subject):
        return []
    factor = types.SafetyFactor(type=types.SafetyFactor.OBJECT, is_safe=True)
    factor.object_id.uuid = np.frombuffer(bytes.fromhex(decision.subject), dtype=np.uint8)
    return [factor]
