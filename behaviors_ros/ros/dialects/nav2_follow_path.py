"""Out: nav2's controller_server as the tracking controller: FollowPath goals and speed limits out, its state back.

A path has no time: the trajectory's speed goes along as a speed limit. A new goal takes the place of the one before. A
stop is a path that ends with a falling limit; the goal is cancelled only once the vehicle stands. A limit of 0 would
mean none, so the least one is `crawl_mps`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient

from behaviors_ros.datatypes import Trajectory
from behaviors_ros.geometry.polylines import arc_length
from behaviors_ros.msg import ControllerState
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.ros.conversion import NS, header, time_message
from behaviors_ros.ros.conversion_plan import path_message
from behaviors_ros.ros.dialects.interface import Dialect, HandedOn, Rights, distinct, speed_at
from behaviors_ros.ros.qos import LATEST


class Nav2FollowPathParameters(Parameters):
    """The nav2 controller server as the tracking controller."""

    action: str = value("/follow_path", "name of the action nav2_msgs/FollowPath")
    speed_limit_topic: str = value("/speed_limit", "topic of nav2_msgs/SpeedLimit")
    controller_id: str = value("", "controller plugin of the server; empty: its only one")
    goal_checker_id: str = value("", "goal checker plugin of the server; empty: its only one")
    progress_checker_id: str = value("", "progress checker plugin of the server; empty: its only one")
    goal_period_s: float = value(0.2, "shortest time between two goals that go the same way", low=0.02, high=2.0)
    answer_max_s: float = value(1.0, "time without an answer or feedback after which it is a fault", low=0.1, high=10.0)
    state_period_s: float = value(0.1, "time between two reports on controller_state", low=0.02, high=1.0)
    lead_s: float = value(0.3, "the speed limit is the trajectory's speed this much later", low=0.0, high=2.0)
    crawl_mps: float = value(0.05, "least speed limit; 0 would mean no limit", low=0.01, high=0.5)
    standing_mps: float = value(0.05, "below this speed the vehicle stands", low=0.01, high=0.5)
    ended_m: float = value(0.1, "a path shorter than this has ended", low=0.01, high=2.0)
    overlap_m: float = value(0.02, "a pose nearer than this to the one before is left out", low=0.001, high=0.5)


class Nav2FollowPath(Dialect):
    """Client of FollowPath. `sent` numbers the goals: what answers an older one is not heard."""

    name = "nav2_follow_path"
    needs = ("nav2_msgs/action/FollowPath", "nav2_msgs/msg/SpeedLimit")

    def begin(self) -> None:
        """Make the client, advertise."""
        self.client = ActionClient(self.node, self.types.FollowPath, self.p.action)
        self.node.keeps(lambda client: client.destroy(), self.client)
        self.limit = self.node.writes_to(self.types.SpeedLimit, self.p.speed_limit_topic, LATEST)
        self.state = self.node.writes("controller_state")
        self.node.every(self.p.state_period_s, lambda: self.state.publish(self._state(self.node.now_ns)))
        self.sent, self.fault = 0, ""
        self.followed: Trajectory | None = None
        self.mode: Any = None
        self.handle: Any = None
        self.feedback: Any = None
        self._sent_ns = self._heard_ns = 0

    @classmethod
    def rights(cls, parameters: Nav2FollowPathParameters) -> Rights:
        """What the dialect uses."""
        return Rights((parameters.speed_limit_topic, "controller_state"), call=(parameters.action,))

    def send(self, handed: HandedOn) -> None:
        """The speed limit, and a goal where one is due."""
        now, trajectory = handed.now_ns, handed.trajectory
        self.limit.publish(speed_limit(self.types, trajectory, now, self.p))
        way = remaining(trajectory, now, self.p.overlap_m)
        if way is None or arc_length(way.position)[-1] < self.p.ended_m:
            if handed.ego is not None and abs(handed.ego.speed) < self.p.standing_mps:
                self._cancel()
        elif self._due(handed):
            self._follow(way, handed)

    def _due(self, handed: HandedOn) -> bool:
        """Another trajectory than the one followed, or none followed: at once on another rung, else after a period."""
        since_s = (handed.now_ns - self._sent_ns) / NS
        if handed.mode == self.mode and 0.0 <= since_s < self.p.goal_period_s:
            return False
        return handed.whole is not self.followed or (self.handle is None and since_s > self.p.answer_max_s)

    def _follow(self, way: Trajectory, handed: HandedOn) -> None:
        if not self.client.server_is_ready():
            self.fault = f"no controller server answers on {self.p.action}"
            return
        self.sent += 1
        self.followed, self.mode, self._sent_ns = handed.whole, handed.mode, handed.now_ns
        number = self.sent
        future = self.client.send_goal_async(
            goal(self.types, way, self.p), feedback_callback=self._heard(number, self._on_feedback)
        )
        future.add_done_callback(self._heard(number, self._on_answer))

    def _heard(self, number: int, work: Any) -> Any:
        """A callback of goal `number` that is called while that is the newest goal."""

        def call(found: Any) -> None:
            if number == self.sent:
                work(found)

        return self.node.guarded(self.name, call)

    def _on_answer(self, future: Any) -> None:
        self.handle, self._heard_ns = future.result(), self.node.now_ns
        if not self.handle.accepted:
            self._failed("the controller server refuses the goal")
            return
        self.handle.get_result_async().add_done_callback(self._heard(self.sent, self._on_result))

    def _on_feedback(self, message: Any) -> None:
        self.feedback, self.fault, self._heard_ns = message.feedback, "", self.node.now_ns

    def _on_result(self, future: Any) -> None:
        """Reached or cancelled: the next trajectory is another goal. Given up: a fault until one is followed again."""
        found = future.result()
        self.handle = self.followed = self.feedback = None
        if found.status == GoalStatus.STATUS_ABORTED:
            self._failed(f"the controller server gives up: {failure(found.result)}")

    def _failed(self, reason: str) -> None:
        self.handle = self.followed = self.feedback = None
        self.fault = reason
        self.node.counts[f"{self.name} goals failed"] += 1

    def _cancel(self) -> None:
        if self.handle is not None:
            self.handle.cancel_goal_async()
        self.sent += 1
        self.handle = self.followed = self.feedback = None
        self.fault = "" if self.client.server_is_ready() else f"no controller server answers on {self.p.action}"

    def _state(self, now_ns: int) -> ControllerState:
        silent_s = (now_ns - max(self._heard_ns, self._sent_ns)) / NS
        fault = self.fault
        if self.followed is not None and not fault and silent_s > self.p.answer_max_s:
            fault = f"no word from the controller server for {silent_s:.1f} s"
        return controller_state(self.feedback, self.followed, now_ns, fault)


def remaining(found: Trajectory, now_ns: int, overlap_m: float) -> Trajectory | None:
    """The part of a trajectory from the last point before now on, without poses that lie on each other; None: over."""
    first = int(np.searchsorted(found.time_s, (now_ns - found.stamp_ns) * 1e-9, side="right")) - 1
    first = max(first, 0)
    if first >= len(found.time_s) - 1:
        return None
    kept = distinct(found, overlap_m, first)
    names = ("time_s", "position", "yaw", "speed", "acceleration", "curvature")
    return replace(found, **{name: getattr(found, name)[kept] for name in names})


def goal(types: Any, way: Trajectory, parameters: Nav2FollowPathParameters) -> Any:
    """The goal along a way; a version that lacks one of the plugin names is asked without it."""
    found = types.FollowPath.Goal()
    found.path = path_message(way)
    for name in ("controller_id", "goal_checker_id", "progress_checker_id"):
        if hasattr(found, name):
            setattr(found, name, getattr(parameters, name))
    return found


def speed_limit(types: Any, found: Trajectory, now_ns: int, parameters: Nav2FollowPathParameters) -> Any:
    """The trajectory's speed a little later as an absolute limit, never 0."""
    speed = abs(speed_at(found, now_ns + round(parameters.lead_s * NS)))
    return types.SpeedLimit(
        header=header(now_ns), percentage=False, speed_limit=max(speed, parameters.crawl_mps)
    )  # fmt: skip


def controller_state(feedback: Any, followed: Trajectory | None, now_ns: int, fault: str) -> ControllerState:
    """What the server tells as our controller's state; older versions tell the speed only, newer the tracking error.

    Theirs is + where the heading is turned right of the path, ours where it is turned left.
    """
    nan = float("nan")
    message = ControllerState(
        header=header(now_ns, "base_link"), state=ControllerState.FAULT if fault else ControllerState.TRACKING,
        reason=fault, lateral_error_m=nan, heading_error_rad=nan, longitudinal_error_m=nan, speed_error_mps=nan,
    )  # fmt: skip
    if followed is None:
        return message
    message.trajectory = time_message(followed.stamp_ns)
    told = getattr(feedback, "tracking_feedback", feedback)
    if told is not None:
        message.speed_error_mps = float(told.speed) - abs(speed_at(followed, now_ns))
    if hasattr(told, "position_tracking_error"):
        message.lateral_error_m = float(told.position_tracking_error)
        message.heading_error_rad = -float(told.heading_tracking_error)
    return message


def failure(result: Any) -> str:
    """Why a goal was given up, in the server's words; versions before Iron do not say."""
    code, text = getattr(result, "error_code", 0), getattr(result, "error_msg", "")
    constants = {name: getattr(type(result), name) for name in dir(type(result)) if name.isupper()}
    name = next((name for name, number in constants.items() if isinstance(number, int) and number == code), str(code))
    return f"{name} {text}".strip()
