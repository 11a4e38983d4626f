"""Dialects: every field goes over and back, against stand-ins and against the real packages where they are."""

import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point32, Pose
from hypothesis import given, settings
from hypothesis import strategies as st
from standins import Types
from std_msgs.msg import Header

from behaviors_ros.datatypes import (
    AgentClass,
    ControlCommand,
    Decision,
    EgoState,
    Goal,
    Grid,
    Lane,
    LaneKind,
    LaneMap,
    Manoeuvre,
    Mode,
    Outcome,
    Plan,
    Scene,
    SignalColor,
    Tracks,
    Trajectory,
)
from behaviors_ros.errors import InputError
from behaviors_ros.maps.route import mapless_route
from behaviors_ros.msg import ControllerState
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros import conversion
from behaviors_ros.ros.dialects import (
    ackermann_drive,
    autoware_control,
    autoware_engagement,
    autoware_planning_factors,
    autoware_predictions,
    autoware_route,
    autoware_signals,
    autoware_tracks,
    nav2_follow_path,
    nav_trajectory,
    twist_stamped,
    vision_boxes,
)
from behaviors_ros.ros.dialects import autoware_trajectory as autoware
from behaviors_ros.ros.dialects.command_outputs import COMMAND_OUTPUTS, CommandDialects
from behaviors_ros.ros.dialects.inputs import INPUTS, InputDialects
from behaviors_ros.ros.dialects.interface import HandedOn, distinct, each, opened
from behaviors_ros.ros.dialects.trajectory_outputs import TRAJECTORY_OUTPUTS, TrajectoryDialects
from behaviors_ros.simulation.gazebo.twist import Twist

NS = conversion.NS
VEHICLE = Vehicle()
F32 = {"rtol": 1e-6, "atol": 1e-6}


@pytest.fixture(params=["stand-ins", "real"])
def types(request):
    return Types(request.param == "real")


def drive(speed=8.0, steps=61, slope=0.0, curvature=0.02, stamp_ns=5 * NS):
    """Along a circle; with a slope the speed falls until it is 0."""
    time_s = np.arange(steps) * 0.1
    v = np.maximum(speed + slope * time_s, 0.0) if speed > 0.0 else np.full(steps, speed)
    s = np.concatenate([[0.0], np.cumsum(0.05 * (v[1:] + v[:-1]))])
    yaw = curvature * s
    position = np.stack([np.sin(yaw) / curvature, (1.0 - np.cos(yaw)) / curvature], axis=1)
    acceleration = np.where(v > 0.0, slope, 0.0) if speed > 0.0 else np.full(steps, slope)
    return Trajectory(stamp_ns, time_s, position, yaw, v, acceleration, np.full(steps, curvature))


def handed(found, now_s=0.0, speed=8.0, mode=Mode.NOMINAL, plan=None, reason="because"):
    now = found.stamp_ns + round(now_s * NS)
    return HandedOn(found, found, now, EgoState(now, np.zeros(2), 0.0, speed), plan, mode, reason)


# --- choosing --------------------------------------------------------------------------------------------------------


def node(**more):
    return SimpleNamespace(name="a_node", **more)


def test_a_dialect_that_is_not_known_is_named_with_those_that_are():
    with pytest.raises(InputError, match="a_node: outputs: 'autoware' is unknown; known: autoware_trajectory, nav"):
        opened(node(), "outputs", ("autoware",), TRAJECTORY_OUTPUTS, TrajectoryDialects())


def test_a_missing_package_is_named_with_the_field_and_the_remedy(monkeypatch):
    def missing(name):
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr("behaviors_ros.ros.dialects.interface.import_module", missing)
    with pytest.raises(InputError) as error:
        opened(node(), "inputs", ("vision_boxes",), INPUTS, InputDialects())
    line = str(error.value)
    assert "\n" not in line and "a_node: inputs: 'vision_boxes' needs the package vision_msgs" in line
    assert "install ros-$ROS_DISTRO-vision-msgs or take 'vision_boxes' out of inputs" in line


def test_a_package_that_is_too_old_for_a_dialect_is_named(monkeypatch):
    monkeypatch.setattr("behaviors_ros.ros.dialects.interface.import_module", lambda name: SimpleNamespace())
    with pytest.raises(InputError, match="needs nav_msgs/msg/Trajectory, which the nav_msgs of this ROS"):
        opened(node(), "outputs", ("nav_trajectory",), TRAJECTORY_OUTPUTS, TrajectoryDialects())


@pytest.mark.parametrize(
    ("known", "parameters"),
    [(TRAJECTORY_OUTPUTS, TrajectoryDialects), (COMMAND_OUTPUTS, CommandDialects), (INPUTS, InputDialects)],
)
def test_every_dialect_has_its_parameters_and_a_topic_or_action_of_the_public_name(known, parameters):
    assert set(known) == set(parameters.model_fields)
    for name in known:
        of = getattr(parameters(), name)
        assert getattr(of, "topic", None) or of.action


def test_what_fails_in_one_dialect_does_not_keep_the_others_from_sending():
    heard = []

    def guarded(source, work):
        def call(what):
            try:
                work(what)
            except ValueError:
                heard.append(f"{source} failed")

        return call

    def fail(what):
        raise ValueError

    each(node(guarded=guarded), [node(send=fail), SimpleNamespace(name="good", send=heard.append)])("a")
    assert heard == ["a_node failed", "a"]


# --- trajectories ----------------------------------------------------------------------------------------------------


def test_autoware_trajectory_keeps_every_field(types):
    told, found = types.of(*autoware.AutowareTrajectory.needs), drive()
    message = types.carried(autoware.message(told, found, VEHICLE, 0.005))
    assert message.header.frame_id == "map" and conversion.nanoseconds(message.header.stamp) == found.stamp_ns
    assert len(message.points) == 61
    np.testing.assert_allclose([conversion.nanoseconds(p.time_from_start) / NS for p in message.points], found.time_s)
    np.testing.assert_allclose([(p.pose.position.x, p.pose.position.y) for p in message.points], found.position)
    np.testing.assert_allclose([conversion.yaw_of(p.pose.orientation) for p in message.points], found.yaw, atol=1e-9)
    point = message.points[10]
    # 8 m/s on a circle of 50 m: 0.16 rad/s; a wheel base of 2.7 m asks for atan(0.054) = 0.053948 rad
    told = (point.longitudinal_velocity_mps, point.heading_rate_rps, point.front_wheel_angle_rad)
    np.testing.assert_allclose(told, (8.0, 0.16, 0.053948), atol=1e-6)
    assert point.lateral_velocity_mps == point.rear_wheel_angle_rad == point.acceleration_mps2 == 0.0


def test_autoware_accelerations_are_of_the_magnitude_of_the_speed(types):
    told = types.of(*autoware.AutowareTrajectory.needs)
    braking = autoware.message(told, drive(8.0, slope=-2.0), VEHICLE, 0.0)
    assert braking.points[3].acceleration_mps2 == -2.0
    # Driving backward ever faster: -2 m/s^2 along the body, +2 m/s^2 there.
    backward = autoware.message(told, drive(-3.0, slope=-2.0), VEHICLE, 0.0)
    assert backward.points[3].longitudinal_velocity_mps == -3.0 and backward.points[3].acceleration_mps2 == 2.0


def test_autoware_gets_no_two_points_on_each_other_and_still_the_standstill_at_the_end(types):
    # From 2 m/s at -2 m/s^2 the vehicle stands after 1 s; 50 of the 61 points lie on each other.
    message = autoware.message(types.of(*autoware.AutowareTrajectory.needs), drive(2.0, slope=-2.0), VEHICLE, 0.005)
    xy = np.array([(p.pose.position.x, p.pose.position.y) for p in message.points])
    assert np.hypot(*np.diff(xy, axis=0).T).min() >= 0.005 and 9 <= len(xy) <= 11
    assert message.points[-1].longitudinal_velocity_mps == 0.0 and message.points[-1].time_from_start.sec == 6


@given(st.lists(st.floats(0.0, 0.5), min_size=1, max_size=30), st.floats(0.001, 0.3))
def test_distinct_points_are_apart_and_end_with_the_last(steps, overlap_m):
    x = np.concatenate([[0.0], np.cumsum(steps)])
    found = Trajectory(0, np.arange(len(x)) * 0.1, np.stack([x, 0 * x], axis=1), 0 * x, 0 * x, 0 * x, 0 * x)
    kept = distinct(found, overlap_m)
    assert kept[0] == 0 and kept[-1] == len(x) - 1 and (np.diff(kept) > 0).all()
    if len(kept) > 2:
        assert np.diff(x[kept]).min() >= overlap_m - 1e-9


def test_nav_trajectory_has_absolute_stamps_and_motion_in_the_vehicles_frame(types):
    told, found = types.of(*nav_trajectory.NavTrajectory.needs), drive(8.0, slope=-1.0)
    message = types.carried(nav_trajectory.message(told, found))
    point = message.points[15]
    # 1.5 s after the stamp at 5 s: 6.5 m/s, on a circle of 50 m 0.13 rad/s and 6.5^2 / 50 = 0.845 m/s^2 to the left
    assert conversion.nanoseconds(point.header.stamp) == 6_500_000_000 and point.header.frame_id == "map"
    assert (point.velocity.linear.x, point.velocity.linear.y) == (6.5, 0.0)
    np.testing.assert_allclose(point.velocity.angular.z, 0.13)
    np.testing.assert_allclose((point.acceleration.linear.x, point.acceleration.linear.y), (-1.0, 0.845))
    assert math.isnan(point.effort.force.x) and math.isnan(point.effort.torque.z)
    np.testing.assert_allclose([p.pose.position.x for p in message.points], found.position[:, 0])


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


# --- explanation -----------------------------------------------------------------------------------------------------


def plan_of(found, manoeuvre, subject=""):
    return Plan(found.stamp_ns, 7, found, found, found.stamp_ns + NS, 0, 0, "lattice", "keep", Outcome.SELECTED,
                "yields to the cyclist", decision=Decision(manoeuvre, subject))  # fmt: skip


def factor(types, of):
    told = types.of(*autoware_planning_factors.AutowarePlanningFactors.needs)
    parameters = autoware_planning_factors.PlanningFactorsParameters()
    message = types.carried(autoware_planning_factors.message(told, of, parameters))
    return message.factors[0], told.PlanningFactor


def test_planning_factor_of_a_stop_says_where_why_and_for_whom(types):
    found, agent = drive(4.0, slope=-1.0), "00112233445566778899aabbccddeeff"
    told, constants = factor(types, handed(found, 1.0, plan=plan_of(found, Manoeuvre.YIELD, agent)))
    assert told.behavior == constants.STOP and told.detail == "yields to the cyclist"
    assert told.module == "behaviors_ros/lattice" and told.is_driving_forward
    # From 4 m/s at -1 m/s^2 the speed is below 0.1 m/s after 4 s: 8 m, of which 3.5 m lie behind at 1 s.
    assert told.control_points[0].distance == pytest.approx(4.5, abs=0.02)
    assert bytes(told.safety_factors.factors[0].object_id.uuid).hex() == agent
    assert told.safety_factors.factors[0].type == 2


def test_planning_factors_of_other_manoeuvres(types):
    found = drive()
    told, constants = factor(types, handed(found, plan=plan_of(found, Manoeuvre.CHANGE_LEFT)))
    assert told.behavior == constants.SHIFT_LEFT and len(told.control_points) == 2
    told, constants = factor(types, handed(found, plan=plan_of(found, Manoeuvre.FOLLOW)))
    assert told.behavior == constants.SLOW_DOWN and told.control_points[0].velocity == 8.0
    told, _ = factor(types, handed(found, mode=Mode.EMERGENCY_STOP, plan=plan_of(found, Manoeuvre.KEEP_LANE)))
    assert told.behavior == constants.STOP and told.detail == "because" and told.module.endswith("controls_bridge")
    assert all(hasattr(constants, name) for name in autoware_planning_factors._BEHAVIOR.values())
    assert set(autoware_planning_factors._BEHAVIOR) == set(Manoeuvre)


# --- commands --------------------------------------------------------------------------------------------------------

COMMAND = ControlCommand(5 * NS, -0.2, 0.3, 8.0, -1.5)


def test_autoware_control_keeps_every_field(types):
    told = types.of(*autoware_control.AutowareControl.needs)
    message = types.carried(autoware_control.message(told, COMMAND))
    lateral, longitudinal = message.lateral, message.longitudinal
    assert all(conversion.nanoseconds(part.stamp) == 5 * NS for part in (message, lateral, longitudinal))
    values = (lateral.steering_tire_angle, lateral.steering_tire_rotation_rate, longitudinal.velocity,
              longitudinal.acceleration)  # fmt: skip
    np.testing.assert_allclose(values, (-0.2, 0.3, 8.0, -1.5), **F32)
    assert lateral.is_defined_steering_tire_rotation_rate and longitudinal.is_defined_acceleration
    assert not longitudinal.is_defined_jerk


def test_ackermann_drive_never_says_as_fast_as_possible(types):
    told, parameters = types.of(*ackermann_drive.AckermannDrive.needs), ackermann_drive.AckermannDriveParameters()
    message = types.carried(ackermann_drive.message(told, COMMAND, VEHICLE, parameters))
    drive_ = message.drive
    values = (drive_.steering_angle, drive_.steering_angle_velocity, drive_.speed, drive_.acceleration, drive_.jerk)
    np.testing.assert_allclose(values, (-0.2, 0.3, 8.0, 1.5, 10.0), **F32)
    assert message.header.frame_id == "base_link" and message.header.stamp.sec == 5
    rest = ackermann_drive.message(told, ControlCommand(0, 0.0, 0.0, 0.0, 0.0), VEHICLE, parameters).drive
    values = (rest.speed, rest.steering_angle_velocity, rest.acceleration, rest.jerk)
    np.testing.assert_allclose(values, (0.0, 0.1, 0.2, 10.0), **F32)


def test_twist_is_speed_and_yaw_rate_also_at_rest():
    told = Types(True).of(*twist_stamped.TwistStamped.needs)
    sent = []
    around = node(vehicle=VEHICLE, ego=EgoState(0, np.zeros(2), 0.0, 8.0),
                  writes_to=lambda *_: SimpleNamespace(publish=sent.append))  # fmt: skip
    speak = twist_stamped.TwistStamped(around, twist_stamped.TwistStampedParameters(), told)
    speak.send(COMMAND)
    speak.send(ControlCommand(5 * NS + NS // 10, -0.2, 0.0, 8.0, -1.5))
    # At first as near the measured 8 m/s as it may be from rest, 7 m/s; then 0.1 s of -1.5 m/s^2 and the same bound.
    assert [m.twist.linear.x for m in sent] == [7.0, 7.0]
    assert sent[0].twist.angular.z == pytest.approx(7.0 * math.tan(-0.2) / 2.7)
    around.ego = EgoState(0, np.zeros(2), 0.0, 0.0)
    for i in range(20):
        speak.send(ControlCommand(6 * NS + i * NS // 10, -0.2, 0.0, 0.0, -2.0))
    assert (sent[-1].twist.linear.x, sent[-1].twist.angular.z) == (0.0, 0.0)
    message = twist_stamped.message(told, 3 * NS, Twist(2.0, 0.1, 0.05))
    assert (message.twist.linear.x, message.twist.angular.z, message.header.stamp.sec) == (2.0, 0.05, 3)


# --- objects in ------------------------------------------------------------------------------------------------------

ID = bytes(range(16))
PERCEPTION = ("TrackedObjects", "TrackedObject", "ObjectClassification", "PredictedObjects", "PredictedObject",
              "PredictedPath")  # fmt: skip


@pytest.fixture
def perception(types):
    return types.package("autoware_perception_msgs", *PERCEPTION)


def fill(found, pose, twist, acceleration, yaw=0.0, speed=5.0, labels=((1, 0.9),), of=None, size=(4.0, 2.0)):
    """An object at (10, 20) of two objects' common fields."""
    found.object_id.uuid = np.frombuffer(ID, dtype=np.uint8)
    found.existence_probability = 0.75
    found.classification = [of(label=label, probability=probability) for label, probability in labels]
    pose.pose.position.x, pose.pose.position.y = 10.0, 20.0
    conversion.set_yaw(pose.pose.orientation, yaw)
    pose.covariance[0], pose.covariance[1], pose.covariance[6], pose.covariance[7] = 0.5, 0.1, 0.1, 0.25
    twist.twist.linear.x, twist.twist.angular.z = speed, 0.125
    acceleration.accel.linear.x = -1.0
    found.shape.dimensions.x, found.shape.dimensions.y = size
    return found


def tracked(perception, availability=2, **values):
    found = perception.TrackedObject()
    k = found.kinematics
    k.orientation_availability = availability
    return fill(found, k.pose_with_covariance, k.twist_with_covariance, k.acceleration_with_covariance,
                of=perception.ObjectClassification, **values)  # fmt: skip


def read_tracks(types, perception, *objects):
    """(believable tracks as the planning nodes read them, dropped, counted)."""
    message = perception.TrackedObjects(header=conversion.header(5 * NS), objects=list(objects))
    counts = Counter()
    found = autoware_tracks.tracks(types.carried(message), autoware_tracks.AutowareTracksParameters(), counts)
    received = conversion.tracks(conversion.tracks_message(found), conversion.TrackLimits())
    return received.tracks, received.dropped, counts


def test_autoware_tracks_keep_every_field_and_turn_the_twist_into_the_map(types, perception):
    found, dropped, counts = read_tracks(types, perception, tracked(perception, yaw=math.pi / 2))
    assert not dropped and not counts and found.stamp_ns == 5 * NS
    assert found.id == (ID.hex(),) and found.kind[0] == AgentClass.CAR and found.existence[0] == 0.75
    np.testing.assert_allclose(found.position, [[10.0, 20.0]])
    np.testing.assert_allclose(found.yaw, [math.pi / 2], **F32)
    np.testing.assert_allclose(found.velocity, [[0.0, 5.0]], **F32)  # 5 m/s ahead of an object that looks north
    np.testing.assert_allclose(found.acceleration, [[0.0, -1.0]], **F32)
    np.testing.assert_allclose((found.length[0], found.width[0], found.yaw_rate[0]), (4.0, 2.0, 0.125))
    np.testing.assert_allclose(found.covariance, [[[0.5, 0.1], [0.1, 0.25]]], **F32)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [(((7, 0.4), (6, 0.6)), 6), ((), 0), (((200, 0.9), (1, 0.1)), 0), (((7, math.nan), (1, 0.2)), 1)],
)
def test_the_most_probable_class_counts(types, perception, labels, kind):
    found, _, counts = read_tracks(types, perception, tracked(perception, labels=labels))
    assert found.kind[0] == kind
    assert counts["objects of a class not known"] == (1 if labels and labels[0][0] == 200 else 0)


def test_a_direction_known_up_to_the_sign_is_told_by_the_motion(types, perception):
    # Looks east with its sign unknown, and drives backward, that is west: it looks west.
    found, *_ = read_tracks(types, perception, tracked(perception, availability=1, speed=-5.0))
    np.testing.assert_allclose(found.velocity, [[-5.0, 0.0]], **F32)
    np.testing.assert_allclose(np.cos(found.yaw), [-1.0], **F32)
    # The same with its sign known drives backward; and one that hardly moves tells nothing.
    assert read_tracks(types, perception, tracked(perception, speed=-5.0))[0].yaw[0] == 0.0
    assert read_tracks(types, perception, tracked(perception, availability=1, speed=-0.2))[0].yaw[0] == 0.0


def test_without_an_orientation_the_motion_gives_it(types, perception):
    found = tracked(perception, availability=0, speed=0.0)
    turn = found.kinematics.pose_with_covariance.pose.orientation
    turn.x = turn.y = turn.z = turn.w = 0.0
    found.kinematics.twist_with_covariance.twist.linear.y = 2.0
    tracks, dropped, _ = read_tracks(types, perception, found)
    np.testing.assert_allclose(tracks.yaw, [math.pi / 2], **F32)
    assert not dropped


def test_shapes(types, perception):
    round_, outline = tracked(perception, size=(0.6, 9.9)), tracked(perception, yaw=math.pi / 2)
    round_.shape.type, outline.shape.type = 1, 2
    outline.object_id.uuid = np.frombuffer(ID[::-1], dtype=np.uint8)
    corners = ((3.0, 1.0), (3.0, -1.0), (-1.0, -1.0), (-1.0, 1.0))
    outline.shape.footprint.points = [Point32(x=x, y=y) for x, y in corners]
    found, dropped, _ = read_tracks(types, perception, round_, outline)
    assert not dropped
    np.testing.assert_allclose(found.length, [0.6, 4.0], **F32)
    np.testing.assert_allclose(found.width, [0.6, 2.0], **F32)
    # The outline reaches 3 m ahead and 1 m behind of a pose that looks north: its centre is 1 m further north.
    np.testing.assert_allclose(found.position[1], [10.0, 21.0], **F32)


def test_an_object_that_cannot_be_read_is_dropped_alone(types, perception):
    bad = [tracked(perception) for _ in range(5)]
    bad[0].kinematics.pose_with_covariance.pose.position.x = math.nan
    bad[1].shape.dimensions.x = 0.0
    bad[2].shape.type = 2  # a polygon without points
    bad[3].kinematics.pose_with_covariance.pose.orientation.w = 7.0
    bad[4].existence_probability = 1.5
    for i, found in enumerate(bad):
        found.object_id.uuid = np.full(16, i + 1, dtype=np.uint8)
    found, dropped, counts = read_tracks(types, perception, *bad, tracked(perception))
    assert found.id == (ID.hex(),)
    assert dropped == {"not finite": 3, "impossible size": 1, "existence outside [0, 1]": 1}
    assert counts == {"objects without a shape": 1, "objects without a rotation": 1}


def test_a_covariance_that_is_not_told_is_filled(types, perception):
    found = tracked(perception)
    found.kinematics.pose_with_covariance.covariance[:] = 0.0
    np.testing.assert_allclose(read_tracks(types, perception, found)[0].covariance, [[[0.01, 0.0], [0.0, 0.01]]], **F32)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=32), min_size=12, max_size=12), st.integers(0, 255), st.integers(0, 255))
def test_any_numbers_give_finite_tracks_or_none(numbers, shape, availability):
    types = Types(False)
    perception = types.package("autoware_perception_msgs", *PERCEPTION)
    found = tracked(perception, labels=((shape, numbers[0]),))
    k = found.kinematics
    k.orientation_availability, found.shape.type = availability, shape % 4
    position, turn = k.pose_with_covariance.pose.position, k.pose_with_covariance.pose.orientation
    position.x, position.y, turn.z, turn.w, k.twist_with_covariance.twist.linear.x = numbers[1:6]
    k.pose_with_covariance.covariance[0], found.shape.dimensions.x, found.existence_probability = numbers[6:9]
    k.acceleration_with_covariance.accel.linear.y, k.twist_with_covariance.twist.angular.z = numbers[9:11]
    found.shape.footprint.points = [Point32(x=numbers[i], y=numbers[i - 1]) for i in range(4)]
    with np.errstate(over="ignore", invalid="ignore"):
        tracks, *_ = read_tracks(types, perception, found)
    assert all(np.isfinite(array).all() for array in (tracks.position, tracks.yaw, tracks.velocity, tracks.length))


# --- predictions in --------------------------------------------------------------------------------------------------

PREDICTIONS = autoware_predictions.AutowarePredictionsParameters()


def pose_at(x, y, yaw=0.0):
    pose = Pose()
    pose.position.x, pose.position.y = x, y
    conversion.set_yaw(pose.orientation, yaw)
    return pose


def predicted(perception, *told):
    """An object at (10, 20) with paths of (poses, seconds between them, confidence)."""
    found = perception.PredictedObject()
    k = found.kinematics
    fill(found, k.initial_pose_with_covariance, k.initial_twist_with_covariance,
         k.initial_acceleration_with_covariance, of=perception.ObjectClassification)  # fmt: skip
    k.predicted_paths = [
        perception.PredictedPath(path=poses, time_step=Duration(sec=0, nanosec=round(step * NS)), confidence=confidence)
        for poses, step, confidence in told
    ]
    return found


def read_predictions(types, perception, found, now_s=0.1):
    message = types.carried(perception.PredictedObjects(header=conversion.header(5 * NS), objects=[found]))
    counts = Counter()
    tracks = autoware_predictions.tracks(message, PREDICTIONS, counts)
    told = {tracks.id[0]: autoware_predictions.paths(message.objects[0], PREDICTIONS, counts)}
    now = 5 * NS + round(now_s * NS)
    ego = EgoState(now, np.zeros(2), 0.0, 5.0)
    scene = Scene(now, ego, tracks, mapless_route(None, ego, None, 10.0, 2.0))
    return autoware_predictions.predictions(scene, Grid(), told, PREDICTIONS), counts


def test_autoware_predictions_are_read_on_our_grid_from_now_on(types, perception):
    north = [pose_at(10.0, 20.0 + 2.0 * i, math.pi / 2) for i in range(17)]  # 4 m/s for 8 s
    east = [pose_at(10.0 + 3.0 * i, 20.0) for i in range(5)]  # 6 m/s, told for 2 s only
    found, counts = read_predictions(types, perception, predicted(perception, (east, 0.5, 0.2), (north, 0.5, 0.6)))
    assert not counts and found.id == (ID.hex(),) and found.valid.shape == (1, 2) and found.valid.all()
    np.testing.assert_allclose(found.probability, [[0.75, 0.25]], **F32)  # the likeliest first, sum 1
    # Now is 0.1 s after the message: the first mode is 0.4 m on, and 4 m more a second later.
    np.testing.assert_allclose(found.position[0, 0, [0, 10]], [[10.0, 20.4], [10.0, 24.4]])
    np.testing.assert_allclose(found.yaw[0, 0], math.pi / 2)
    np.testing.assert_allclose(found.speed[0, 0], 4.0)
    # After its last pose the second goes on as between the last two: 5 s from now is 5.1 s after the message.
    np.testing.assert_allclose(found.position[0, 1, 50], [10.0 + 6.0 * 5.1, 20.0])
    np.testing.assert_allclose(found.speed[0, 1], 6.0)
    # 5.1 s on, along (north): 0.25 + (0.5 * 5.1)^2; across: 0.5 + (0.2 * 5.1)^2.
    covariance = found.covariance[0, 0, 50]
    np.testing.assert_allclose((covariance[1, 1], covariance[0, 0]), (0.25 + 6.5025, 0.5 + 1.0404))
    assert np.linalg.eigvalsh(found.covariance).min() > 0.0
    assert (found.length[0], found.width[0], found.kind[0]) == (4.0, 2.0, 1)


def test_an_object_without_a_usable_path_goes_straight_on(types, perception):
    bad = [([pose_at(0.0, 0.0)], 0.5, 0.9), ([pose_at(0.0, 0.0)] * 3, 0.0, 0.9),
           ([pose_at(math.nan, 0.0)] * 3, 0.5, 0.9), ([pose_at(0.0, 0.0)] * 3, 0.5, math.nan)]  # fmt: skip
    found, counts = read_predictions(types, perception, predicted(perception, *bad))
    assert counts == {"paths that cannot be used": 4}
    assert found.probability.tolist() == [[1.0]]
    np.testing.assert_allclose(found.position[0, 0, 20], [10.0 + 5.0 * 2.1, 20.0])  # 5 m/s, 2.1 s on


def test_no_objects_no_predictions():
    ego = EgoState(5 * NS, np.zeros(2), 0.0, 5.0)
    scene = Scene(5 * NS, ego, Tracks.empty(5 * NS), mapless_route(None, ego, None, 10.0, 2.0))
    assert len(autoware_predictions.predictions(scene, Grid(), {}, PREDICTIONS)) == 0


# --- signals, route, engagement in -----------------------------------------------------------------------------------

RED, AMBER, GREEN, WHITE, CIRCLE, LEFT, OFF, ON = 1, 2, 3, 4, 1, 2, 1, 2


def lights(types, *groups, coming=()):
    """(colours by group, seconds to the change, counted) of groups of (id, elements of (color, shape, status))."""
    told = types.package("autoware_perception_msgs", "TrafficLightGroupArray", "TrafficLightGroup",
                         "TrafficLightElement", "PredictedTrafficLightState")  # fmt: skip

    def element(color, shape=CIRCLE, status=ON):
        return told.TrafficLightElement(color=color, shape=shape, status=status, confidence=1.0)

    predictions = [
        told.PredictedTrafficLightState(
            predicted_stamp=conversion.time_message(round(at * NS)), simultaneous_elements=[element(color)],
            reliability=reliability,
        )
        for at, color, reliability in coming
    ]  # fmt: skip
    message = told.TrafficLightGroupArray(stamp=Time(sec=5), traffic_light_groups=[
        told.TrafficLightGroup(traffic_light_group_id=group, elements=[element(*e) for e in elements],
                               predictions=predictions)
        for group, elements in groups
    ])  # fmt: skip
    counts = Counter()
    found = autoware_signals.signals(types.carried(message), autoware_signals.AutowareSignalsParameters(), counts)
    back = conversion.signals(conversion.signals_message(found))
    return {group: back.color_of(group) for group in back.id}, back.next_change_s, counts


def test_signals_show_the_most_restrictive_colour_that_is_lit(types):
    colors, change, counts = lights(
        types, (7, [(GREEN,)]), (8, [(RED,), (GREEN, LEFT)]), (9, [(RED, CIRCLE, OFF), (GREEN,)]),
        (10, [(GREEN, LEFT)]), (11, []), (12, [(WHITE,)]), (13, [(RED,), (AMBER,)]), (14, [(GREEN,)]), (14, [(AMBER,)]),
    )  # fmt: skip
    assert colors == {
        7: SignalColor.GREEN, 8: SignalColor.RED, 9: SignalColor.GREEN, 10: SignalColor.GREEN, 11: SignalColor.UNKNOWN,
        12: SignalColor.UNKNOWN, 13: SignalColor.RED, 14: SignalColor.AMBER,
    }  # fmt: skip
    assert counts == {"elements of a colour not known": 1} and np.isnan(change).all()


def test_the_first_reliable_change_of_colour_is_told(types):
    coming = ((4.0, RED, 1.0), (6.0, GREEN, 1.0), (6.5, RED, 0.1), (8.25, AMBER, 0.9), (9.0, RED, 0.9))
    assert lights(types, (7, [(GREEN,)]), coming=coming)[1][0] == 3.25  # amber at 8.25 s, seen at 5 s


def lanes():
    """Two lanes side by side, 1 and 2, and behind each 11 and 12."""
    line = np.array([[0.0, 0.0], [10.0, 0.0]])

    def lane(name, successors=(), left=None, right=None):
        return Lane(name, LaneKind.ROAD, line, line, line, successors=successors, left=left, right=right)

    return LaneMap("two", {1: lane(1, (11,), left=2), 2: lane(2, (12,), right=1), 11: lane(11, left=12), 12: lane(12)})


def route(types, *segments, lane_map=None, goal=(100.0, 5.0, math.pi / 2)):
    told = types.package("autoware_planning_msgs", "LaneletRoute", "LaneletSegment", "LaneletPrimitive")

    def primitive(name):
        return told.LaneletPrimitive(id=name, primitive_type="lane")

    made = [told.LaneletSegment(preferred_primitive=primitive(first), primitives=[primitive(i) for i in beside])
            for first, beside in segments]  # fmt: skip
    message = told.LaneletRoute(header=conversion.header(3 * NS), start_pose=pose_at(1.0, 2.0),
                                goal_pose=pose_at(*goal), segments=made)  # fmt: skip
    return autoware_route.route(types.carried(message), lane_map, VEHICLE, 0.25)


def test_the_route_is_the_preferred_lanes_and_the_goal_of_the_box(types):
    message = route(types, (1, (1, 2)), (11, (11, 12)))
    assert list(message.lane_id) == [1, 11] and (message.start_x, message.start_y) == (1.0, 2.0)
    assert conversion.nanoseconds(message.header.stamp) == 3 * NS
    goal = conversion.goal(message)
    # The box centre is 4.5 / 2 - 0.9 = 1.35 m ahead of the rear axle, that is north.
    np.testing.assert_allclose(goal.position, [100.0, 6.35])
    np.testing.assert_allclose(goal.yaw, (math.pi / 2 - 0.25, math.pi / 2 + 0.25), **F32)
    assert isinstance(goal, Goal) and goal.polygon is None and goal.speed is None


def test_a_lane_that_lies_diagonally_behind_the_one_before_is_joined_on_the_map(types):
    segments = ((1, (1, 2)), (12, (11, 12)))
    assert list(route(types, *segments, lane_map=lanes()).lane_id) == [1, 2, 12]
    assert list(route(types, *segments).lane_id) == [1, 12]  # without a map as told: the planning nodes refuse it


@pytest.mark.parametrize("bad", [{"goal": (math.nan, 0.0)}, {}])
def test_a_route_that_leads_nowhere_is_refused(types, bad):
    with pytest.raises(InputError, match="autoware_route"):
        route(types, *([(1, (1,))] if bad else []), **bad)


def test_engaged_means_that_nothing_is_left_to_a_driver(types):
    told = types.package("autoware_vehicle_msgs", "ControlModeReport")
    found = [autoware_engagement.engagement(told.ControlModeReport(stamp=Time(sec=4), mode=mode)) for mode in range(7)]
    assert [message.engaged for message in found] == [False, True, False, False, False, False, False]
    assert found[0].header.stamp.sec == 4
    with pytest.raises(InputError, match="mode: is 9"):
        autoware_engagement.engagement(told.ControlModeReport(mode=9))


# --- boxes in --------------------------------------------------------------------------------------------------------

BOXES = vision_boxes.VisionBoxesParameters()


def boxes(types, at_s, *told, ego=None, seen=None, **fields):
    """(tracks, what has been seen, counted) of boxes (id, x, y, class_id, score)."""
    kinds = types.package("vision_msgs", "Detection3DArray", "Detection3D", "ObjectHypothesisWithPose")
    detections = []
    for name, x, y, label, score in told:
        result = kinds.ObjectHypothesisWithPose()
        result.hypothesis.class_id, result.hypothesis.score = label, score
        box = kinds.Detection3D(id=name, results=[result])
        box.bbox.center = pose_at(x, y)
        box.bbox.size.x, box.bbox.size.y = 4.0, 2.0
        detections.append(box)
    message = types.carried(kinds.Detection3DArray(header=Header(frame_id="map", stamp=conversion.time_message(
        round(at_s * NS))), detections=detections))  # fmt: skip
    counts = Counter()
    classes = vision_boxes.class_names(BOXES.classes)
    found, seen = vision_boxes.tracks(message, ego, seen or {}, classes, BOXES.model_copy(update=fields), counts)
    received = conversion.tracks(conversion.tracks_message(found), conversion.TrackLimits())
    return received.tracks, seen, counts + Counter(received.dropped)


def test_boxes_get_a_velocity_from_how_they_move(types):
    first, seen, _ = boxes(types, 1.0, ("a", 0.0, 0.0, "person", 0.875))
    assert first.kind[0] == AgentClass.PEDESTRIAN and first.existence[0] == 0.875
    assert first.velocity.tolist() == [[0.0, 0.0]]
    second, seen, _ = boxes(types, 1.1, ("a", 0.5, 0.0, "person", 0.9), seen=seen)
    np.testing.assert_allclose(second.velocity, [[5.0, 0.0]], **F32)
    # Then 7 m/s: a part 1 - exp(-0.1 / 0.3) = 0.28347 of the difference is believed.
    third, seen, _ = boxes(types, 1.2, ("a", 1.2, 0.0, "person", 0.9), seen=seen)
    np.testing.assert_allclose(third.velocity, [[5.0 + 0.28347 * 2.0, 0.0]], atol=1e-4)
    assert third.id == first.id and (third.length[0], third.width[0]) == (4.0, 2.0)
    # 20 m in 0.1 s is another object under the same id; and after a second it begins anew.
    jumped, _, counts = boxes(types, 1.3, ("a", 21.2, 0.0, "person", 0.9), seen=seen)
    assert jumped.velocity.tolist() == [[0.0, 0.0]] and counts == {"boxes that jumped": 1}
    assert boxes(types, 2.3, ("a", 3.0, 0.0, "person", 0.9), seen=seen)[0].velocity.tolist() == [[0.0, 0.0]]


def test_boxes_that_drive_against_their_yaw_are_turned(types):
    _, seen, _ = boxes(types, 1.0, ("a", 0.0, 0.0, "car", 0.9))
    found, *_ = boxes(types, 1.1, ("a", -0.5, 0.0, "car", 0.9), seen=seen)
    np.testing.assert_allclose(np.cos(found.yaw), [-1.0], **F32)


def test_ids_names_and_numbers_of_boxes(types):
    uuid = "00112233-4455-6677-8899-aabbccddeeff"
    found, _, counts = boxes(
        types, 1.0, (uuid, 0.0, 0.0, "car", 0.9), ("42", 9.0, 0.0, "spaceship", 0.9), ("", 20.0, 0.0, "car", 0.9),
        ("43", math.nan, 0.0, "car", 0.9), ("44", 30.0, 0.0, "car", 7.0),
    )  # fmt: skip
    assert found.id == ("00112233445566778899aabbccddeeff", vision_boxes.identifier("42")) and len(found.id[1]) == 32
    assert found.kind.tolist() == [AgentClass.CAR, AgentClass.UNKNOWN]
    assert counts == {
        "boxes of a class not known": 1, "boxes without an id": 1, "not finite": 2, "existence outside [0, 1]": 1,
    }  # fmt: skip


def test_boxes_in_the_vehicles_frame_are_moved_into_the_map(types):
    # The vehicle drives north at 10 m/s through (5, 5); 0.1 s after its odometry it is at (5, 6).
    ego = vision_boxes.moved(EgoState(NS, np.array([5.0, 5.0]), math.pi / 2, 10.0), NS + NS // 10)
    found, *_ = boxes(types, 1.1, ("a", 20.0, 0.0, "car", 0.9), ego=ego)
    np.testing.assert_allclose(found.position, [[5.0, 26.0]], **F32)
    np.testing.assert_allclose(found.yaw, [math.pi / 2], **F32)
    with pytest.raises(InputError, match="no odometry within 0.3 s"):
        vision_boxes.moved(ego, 3 * NS)


@pytest.mark.parametrize("pair", ["car", "car:ship", ":car"])
def test_a_class_that_we_do_not_have_is_named(pair):
    with pytest.raises(InputError, match="known classes: unknown, car, truck"):
        vision_boxes.class_names((pair,))
