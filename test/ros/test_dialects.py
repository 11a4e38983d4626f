"""Dialects out: every field goes over, against stand-ins and against the real packages where they are."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standins import NS, Types, drive, handed, node

from behaviors_ros.datatypes import (
    ControlCommand,
    Decision,
    EgoState,
    Manoeuvre,
    Mode,
    Outcome,
    Plan,
    Trajectory,
)
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros import conversion
from behaviors_ros.ros.dialects import (
    ackermann_drive,
    autoware_control,
    autoware_planning_factors,
    nav_trajectory,
    twist_stamped,
)
from behaviors_ros.ros.dialects import autoware_trajectory as autoware
from behaviors_ros.ros.dialects.command_outputs import COMMAND_OUTPUTS, CommandDialects
from behaviors_ros.ros.dialects.inputs import INPUTS, InputDialects
from behaviors_ros.ros.dialects.interface import distinct, each, opened
from behaviors_ros.ros.dialects.trajectory_outputs import TRAJECTORY_OUTPUTS, TrajectoryDialects
from behaviors_ros.simulation.gazebo.twist import Twist

VEHICLE = Vehicle()
F32 = {"rtol": 1e-6, "atol": 1e-6}


# --- choosing --------------------------------------------------------------------------------------------------------


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
