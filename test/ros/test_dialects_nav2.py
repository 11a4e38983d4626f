"""The nav2 dialect around an action server that is only seen from its client."""

import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from standins import NS, drive, handed, node

from behaviors_ros.datatypes import (
    Mode,
)
from behaviors_ros.msg import ControllerState
from behaviors_ros.ros import conversion
from behaviors_ros.ros.dialects import (
    nav2_follow_path,
)

F32 = {"rtol": 1e-6, "atol": 1e-6}


# --- nav2 ------------------------------------------------------------------------------------------------------------

NAV2 = nav2_follow_path.Nav2FollowPathParameters()


class FakeFuture:
    def __init__(self):
        self.calls, self.value = [], None

    def add_done_callback(self, call):
        self.calls.append(call)

    def result(self):
        return self.value

    def done(self, value):
        self.value = value
        for call in self.calls:
            call(self)


class FakeClient:
    """An action server as seen from its client."""

    def __init__(self, *_):
        self.goals, self.ready = [], True

    def server_is_ready(self):
        return self.ready

    def send_goal_async(self, goal, feedback_callback):
        self.goals.append(SimpleNamespace(goal=goal, feedback=feedback_callback, answer=FakeFuture()))
        return self.goals[-1].answer

    def accept(self, index=-1):
        handle = SimpleNamespace(accepted=True, ended=FakeFuture(), cancelled=0)
        handle.get_result_async = lambda: handle.ended

        def cancel():
            handle.cancelled += 1

        handle.cancel_goal_async = cancel
        self.goals[index].answer.done(handle)
        return handle

    def destroy(self):
        pass


@pytest.fixture
def nav2(types, monkeypatch):
    """The dialect around a fake action client: (dialect, client, published limits, published states)."""
    monkeypatch.setattr(nav2_follow_path, "ActionClient", FakeClient)
    limits, states, timers = [], [], []
    around = node(
        counts=Counter(), now_ns=0, keeps=lambda destroy, made: None, every=lambda period, call: timers.append(call),
        writes_to=lambda *_: SimpleNamespace(publish=limits.append),
        writes=lambda name: SimpleNamespace(publish=states.append), guarded=lambda source, work: work,
    )  # fmt: skip
    made = nav2_follow_path.Nav2FollowPath(around, NAV2, types.of(*nav2_follow_path.Nav2FollowPath.needs))

    def state(now_ns):
        around.now_ns = now_ns
        timers[0]()
        return states[-1]

    return SimpleNamespace(
        send=made.send, client=made.client, limits=limits, state=state, node=around, types=made.types
    )


def feedback(types, speed):
    """Feedback of whichever version is installed."""
    message = types.FollowPath.Feedback()
    getattr(message, "tracking_feedback", message).speed = speed
    return SimpleNamespace(feedback=message)


def test_nav2_gets_the_way_ahead_and_the_speed_as_a_limit(nav2):
    found = drive(8.0, slope=-1.0)
    nav2.send(handed(found, 1.0))
    path = nav2.client.goals[0].goal.path
    assert path.header.frame_id == "map"
    np.testing.assert_allclose([p.pose.position.x for p in path.poses], found.position[10:, 0])
    # 1.3 s after the stamp the trajectory drives 6.7 m/s
    assert not nav2.limits[0].percentage and nav2.limits[0].speed_limit == pytest.approx(6.7)
    assert nav2.limits[0].header.stamp.sec == 6


def test_nav2_is_given_a_new_goal_for_another_trajectory_only_and_not_too_often(nav2):
    first, second = drive(), drive(7.0)
    nav2.send(handed(first, 0.0))
    nav2.client.accept()
    nav2.send(handed(first, 0.1))
    nav2.send(handed(first, 0.5))
    assert len(nav2.client.goals) == 1  # the same goes on
    nav2.send(handed(second, 0.6))
    assert len(nav2.client.goals) == 2  # preempts
    nav2.send(handed(drive(6.0), 0.7))
    assert len(nav2.client.goals) == 2  # within 0.2 s
    nav2.send(handed(drive(5.0), 0.71, mode=Mode.COMFORT_STOP))
    assert len(nav2.client.goals) == 3  # a stop is told at once


def test_nav2_state_comes_back_and_a_preempted_goal_is_not_a_fault(nav2):
    found = drive(8.0)
    nav2.send(handed(found, 0.0))
    old = nav2.client.accept()
    nav2.send(handed(drive(8.0), 0.5))
    nav2.client.accept()
    old.ended.done(SimpleNamespace(status=GoalStatus.STATUS_ABORTED, result=nav2.types.FollowPath.Result()))
    nav2.client.goals[1].feedback(feedback(nav2.types, 7.0))
    state = nav2.state(found.stamp_ns + NS // 2)
    assert state.state == ControllerState.TRACKING and state.reason == ""
    assert state.speed_error_mps == pytest.approx(-1.0)
    assert conversion.nanoseconds(state.trajectory) == found.stamp_ns


def test_nav2_faults_name_their_cause_until_a_goal_is_followed(nav2):
    now = drive().stamp_ns
    nav2.client.ready = False
    nav2.send(handed(drive(), 0.0))
    assert "no controller server answers on /follow_path" in nav2.state(now).reason
    nav2.client.ready = True
    nav2.send(handed(drive(), 0.5))
    nav2.client.goals[0].answer.done(SimpleNamespace(accepted=False))
    state = nav2.state(now)
    assert state.state == ControllerState.FAULT and "refuses the goal" in state.reason
    nav2.send(handed(drive(), 1.0))
    result = nav2.types.FollowPath.Result()
    if hasattr(result, "error_code"):
        result.error_code, result.error_msg = 106, "the costmap is gone"
    nav2.client.accept().ended.done(SimpleNamespace(status=GoalStatus.STATUS_ABORTED, result=result))
    assert "gives up: NO_VALID_CONTROL the costmap is gone" in nav2.state(now).reason
    assert nav2.node.counts["nav2_follow_path goals failed"] == 2
    nav2.send(handed(drive(), 1.5))
    nav2.client.accept()
    assert nav2.state(now).state == ControllerState.FAULT  # accepted is not yet followed
    nav2.client.goals[-1].feedback(feedback(nav2.types, 8.0))
    assert nav2.state(now + 1_500_000_000).state == ControllerState.TRACKING
    assert "no word" in nav2.state(now + 9 * NS).reason


def test_nav2_stops_by_a_path_that_ends_and_cancels_only_at_rest(nav2):
    stop = drive(2.0, slope=-2.0)
    nav2.send(handed(stop, 0.0, mode=Mode.COMFORT_STOP))
    handle = nav2.client.accept()
    assert len(nav2.client.goals[0].goal.path.poses) < 15  # the way to the standstill
    nav2.send(handed(stop, 2.0, speed=0.4, mode=Mode.COMFORT_STOP))  # still rolling
    assert handle.cancelled == 0 and nav2.limits[-1].speed_limit == NAV2.crawl_mps
    nav2.send(handed(stop, 2.5, speed=0.0, mode=Mode.COMFORT_STOP))
    assert handle.cancelled == 1 and len(nav2.client.goals) == 1
    assert nav2.state(stop.stamp_ns + 3 * NS).state == ControllerState.TRACKING


def test_nav2_tracking_errors_are_told_where_the_version_has_them():
    told = SimpleNamespace(position_tracking_error=0.2, heading_tracking_error=0.1, speed=7.5)
    state = nav2_follow_path.controller_state(SimpleNamespace(tracking_feedback=told), drive(), 5 * NS, "")
    # Theirs is + right of the path's direction, ours + left.
    np.testing.assert_allclose((state.lateral_error_m, state.heading_error_rad), (0.2, -0.1), **F32)
    older = nav2_follow_path.controller_state(SimpleNamespace(speed=7.5), drive(), 5 * NS, "")
    assert math.isnan(older.lateral_error_m) and older.speed_error_mps == -0.5
