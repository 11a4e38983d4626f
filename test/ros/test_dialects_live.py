"""Dialects in the running nodes; with the packages of other projects where they are installed."""

import math
import time
from types import SimpleNamespace

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from harness import VEHICLE, Harness, Stages
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.qos import QoSProfile
from standins import Types

from behaviors_ros.msg import ControllerState
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros import conversion_stages as stages
from behaviors_ros.ros.qos import LATEST

REAL = Types(True)


def ends_with(harness):
    """Exit code and words of a node that ends by itself."""
    said, _ = harness.process.communicate(timeout=60)
    return harness.process.returncode, said


def test_a_node_told_to_speak_what_it_cannot_ends_at_once_and_says_why():
    with Harness("controls_bridge", "-p", "outputs:=['autoware']") as harness:
        code, said = ends_with(harness)
    assert code == 2 and "controls_bridge: outputs: 'autoware' is unknown; known: autoware_trajectory" in said


def test_the_adapter_refuses_two_sources_of_tracks():
    with Harness("input_adapter", "-p", "inputs:=['autoware_tracks', 'vision_boxes']") as harness:
        code, said = ends_with(harness)
    assert code == 2 and "inputs: autoware_tracks and vision_boxes both give tracks; choose one of them" in said


def test_the_controller_speaks_twists_beside_its_commands():
    with Harness("tracking_controller", "-p", "outputs:=[twist_stamped]") as harness:
        harness.active()
        heard = []
        topic = "/ackermann_steering_controller/reference"
        harness.node.create_subscription(TwistStamped, topic, heard.append, LATEST)
        made = Stages(harness.scene)

        def act():
            ego = harness.ego()
            harness.send("odometry", conversion.odometry_message(ego))
            message = conversion_plan.trajectory_message(made.plan.trajectory, VEHICLE)
            message.header.stamp = conversion.time_message(ego.stamp_ns)
            harness.send("trajectory", message)

        harness.until(lambda: len(heard) > 5 and len(harness.heard["control_command"]) > 5, act=act)
        commands = {conversion.nanoseconds(m.header.stamp): m for m in harness.heard["control_command"]}
        pairs = [(m, commands[stamp]) for m in heard if (stamp := conversion.nanoseconds(m.header.stamp)) in commands]
        assert pairs
        for twist, command in pairs:
            asked = twist.twist.linear.x * math.tan(command.steering_angle_rad) / VEHICLE.wheel_base_m
            assert twist.twist.angular.z == pytest.approx(asked, abs=1e-6) and abs(twist.twist.linear.x - 8.0) <= 1.0


def test_the_bridge_speaks_autoware_beside_its_trajectory():
    told = REAL.package("autoware_planning_msgs", "Trajectory")
    factors = REAL.package("autoware_internal_planning_msgs", "PlanningFactorArray")
    with Harness("controls_bridge", "-p", "outputs:=[autoware_trajectory, autoware_planning_factors]") as harness:
        harness.active()
        heard, explained = [], []
        harness.node.create_subscription(told.Trajectory, "/planning/trajectory", heard.append, LATEST)
        harness.node.create_subscription(
            factors.PlanningFactorArray, "/planning/planning_factors/behaviors_ros", explained.append, LATEST
        )
        drive_the_bridge(harness, lambda: heard and explained and harness.heard["trajectory"])
        ours = {conversion.nanoseconds(m.header.stamp): m for m in harness.heard["trajectory"]}
        theirs = next(m for m in heard if conversion.nanoseconds(m.header.stamp) in ours)
        same = ours[conversion.nanoseconds(theirs.header.stamp)]
        assert theirs.points[0].pose == same.points[0].pose
        assert theirs.points[0].longitudinal_velocity_mps == same.points[0].longitudinal_velocity_mps
        assert explained[-1].factors[0].detail


def drive_the_bridge(harness, until):
    """Plans of now for a vehicle that is where they begin."""
    made = Stages(harness.scene)

    def act():
        ego = harness.ego()
        harness.send("odometry", conversion.odometry_message(ego))
        made.predictions.header.stamp = conversion.time_message(ego.stamp_ns)
        harness.send("predictions", made.predictions)
        harness.spin(0.02)
        message = conversion_plan.plan_message(made.plan, made.cycle, VEHICLE)
        message.header.stamp = message.trajectory.header.stamp = message.stop.header.stamp = conversion.time_message(
            ego.stamp_ns
        )
        message.valid_until = conversion.time_message(ego.stamp_ns + 500_000_000)
        harness.send("selected", message)

    harness.until(until, act=act)


def test_nav2_follows_the_bridge_and_tells_how():
    told = REAL.of("nav2_msgs/action/FollowPath", "nav2_msgs/msg/SpeedLimit")
    with Harness("controls_bridge", "-p", "outputs:=[nav2_follow_path]") as harness:
        harness.active()
        server = SimpleNamespace(goals=[], accept=True)
        limits = []
        harness.node.create_subscription(told.SpeedLimit, "/speed_limit", limits.append, LATEST)
        harness.listen("controller_state")

        def on_goal(goal):
            server.goals.append(goal)
            return GoalResponse.ACCEPT if server.accept else GoalResponse.REJECT

        async def follow(handle):
            message = told.FollowPath.Feedback()
            getattr(message, "tracking_feedback", message).speed = 7.5
            handle.publish_feedback(message)
            handle.abort()  # as nav2 ends a goal that another one takes the place of
            return told.FollowPath.Result()

        made = ActionServer(harness.node, told.FollowPath, "/follow_path", execute_callback=follow,
                            goal_callback=on_goal, cancel_callback=lambda _: CancelResponse.ACCEPT)  # fmt: skip
        states = harness.heard["controller_state"]
        faults = lambda: [m.reason for m in states if m.state == ControllerState.FAULT]  # noqa: E731
        drive_the_bridge(harness, lambda: len(server.goals) > 1 and limits and any("gives up" in r for r in faults()))
        assert len(server.goals[0].path.poses) > 10 and server.goals[0].path.header.frame_id == "map"
        assert 0.05 <= limits[-1].speed_limit <= 22.0 and not limits[-1].percentage
        server.accept = False
        drive_the_bridge(harness, lambda: any("refuses" in reason for reason in faults()))
        made.destroy()


def object_of(perception, track):
    """A track as Autoware's tracked object: its velocity is in its own frame."""
    found = perception.TrackedObject(existence_probability=float(track.existence[0]))
    found.object_id.uuid = np.frombuffer(bytes.fromhex(track.id[0]), dtype=np.uint8)
    found.classification = [perception.ObjectClassification(label=int(track.kind[0]), probability=1.0)]
    k = found.kinematics
    k.orientation_availability = 2
    pose, (x, y), yaw = k.pose_with_covariance, track.position[0], float(track.yaw[0])
    pose.pose.position.x, pose.pose.position.y = float(x), float(y)
    conversion.set_yaw(pose.pose.orientation, yaw)
    pose.covariance[[0, 1, 6, 7]] = track.covariance[0].ravel()
    own = np.array([[math.cos(yaw), math.sin(yaw)], [-math.sin(yaw), math.cos(yaw)]]) @ track.velocity[0]
    k.twist_with_covariance.twist.linear.x, k.twist_with_covariance.twist.linear.y = map(float, own)
    found.shape.dimensions.x, found.shape.dimensions.y = float(track.length[0]), float(track.width[0])
    return found


def test_the_adapter_hears_autoware():
    perception = REAL.package("autoware_perception_msgs", "TrackedObjects", "TrackedObject", "ObjectClassification")
    told = REAL.package("autoware_vehicle_msgs", "ControlModeReport")
    with Harness("input_adapter", "-p", "inputs:=[autoware_tracks, autoware_engagement]") as harness:
        harness.active()
        tracks = harness.scene.tracks
        topic = "/perception/object_recognition/tracking/objects"
        out = harness.node.create_publisher(perception.TrackedObjects, topic, QoSProfile(depth=1))
        modes = harness.node.create_publisher(told.ControlModeReport, "/vehicle/status/control_mode", 1)

        def act():
            objects = [object_of(perception, tracks.take(np.array([i]))) for i in range(len(tracks))]
            wrong = object_of(perception, tracks.take(np.array([0])))
            wrong.object_id.uuid, wrong.shape.type = np.ones(16, dtype=np.uint8), 2
            now = conversion.header(time.time_ns())
            out.publish(perception.TrackedObjects(header=now, objects=[*objects, wrong]))
            modes.publish(told.ControlModeReport(stamp=now.stamp, mode=1))

        harness.until(lambda: harness.heard["tracks"] and harness.heard["engagement"], act=act)
        received = conversion.tracks(harness.heard["tracks"][0], conversion.TrackLimits())
        assert received.tracks.id == tracks.id and received.dropped == {"not finite": 1}
        np.testing.assert_allclose(received.tracks.velocity, tracks.velocity, atol=1e-5)
        np.testing.assert_allclose(received.tracks.covariance, tracks.covariance, atol=1e-5)
        assert harness.heard["engagement"][0].engaged
        harness.until(lambda: any(
            value.key == "autoware_tracks: objects without a shape"
            for m in harness.heard["diagnostics"] for s in m.status for value in s.values
        ))  # fmt: skip


def test_the_adapter_takes_the_place_of_the_prediction_node():
    perception = REAL.package(
        "autoware_perception_msgs", "PredictedObjects", "PredictedObject", "PredictedPath", "TrackedObject",
        "ObjectClassification",
    )  # fmt: skip
    with Harness("input_adapter", "-p", "inputs:=[autoware_predictions]") as harness:
        harness.active()
        track = harness.scene.tracks.take(np.array([0]))
        topic = "/perception/object_recognition/objects"
        out = harness.node.create_publisher(perception.PredictedObjects, topic, QoSProfile(depth=1))

        def act():
            ego = harness.ego()
            harness.send("route", harness.route())
            harness.send("odometry", conversion.odometry_message(ego))
            source, found = object_of(perception, track), perception.PredictedObject()
            found.object_id, found.existence_probability = source.object_id, source.existence_probability
            found.shape, found.classification = source.shape, source.classification
            found.kinematics.initial_pose_with_covariance = source.kinematics.pose_with_covariance
            pose = source.kinematics.pose_with_covariance.pose
            found.kinematics.predicted_paths = [perception.PredictedPath(path=[pose] * 20, confidence=0.9)]
            found.kinematics.predicted_paths[0].time_step.nanosec = 500_000_000
            stamp = conversion.header(ego.stamp_ns)
            out.publish(perception.PredictedObjects(header=stamp, objects=[found]))

        harness.until(lambda: harness.heard["predictions"], act=act)
        message = harness.heard["predictions"][0]
        found = stages.predictions(message)
        assert found.id == track.id and found.valid.shape == (1, 1)
        np.testing.assert_allclose(found.position[0, 0], np.tile(track.position[0], (61, 1)), atol=1e-3)
        assert stages.cycle(message).inputs.route == 1 and message.predictor == "autoware_predictions"
