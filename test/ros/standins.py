"""Message types of other projects for tests: the real ones where they are installed, else classes with their fields."""

from types import SimpleNamespace

import numpy as np
import pytest
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import (
    Accel,
    AccelWithCovariance,
    Polygon,
    Pose,
    PoseWithCovariance,
    Twist,
    TwistWithCovariance,
    Vector3,
    Wrench,
)
from nav_msgs.msg import Path
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header
from unique_identifier_msgs.msg import UUID

from behaviors_ros.datatypes import EgoState, Mode, Trajectory
from behaviors_ros.errors import InputError
from behaviors_ros.ros import conversion
from behaviors_ros.ros.dialects.interface import HandedOn, message_types

NS = conversion.NS


def kind(name, constants=None, **fields):
    """A message class: every field with what makes its default."""

    def __init__(self, **values):
        assert set(values) <= set(fields), name
        for field, default in fields.items():
            setattr(self, field, values.get(field, default()))

    return type(name, (), {"__init__": __init__, "__slots__": tuple(fields), **(constants or {})})


def _names(*packages):
    return {found.__name__: found for found in packages}


Element = kind("TrafficLightElement", color=int, shape=int, status=int, confidence=float)
Coming = kind("PredictedTrafficLightState", predicted_stamp=Time, simultaneous_elements=list, reliability=float,
              information_source=str)  # fmt: skip
Group = kind("TrafficLightGroup", traffic_light_group_id=int, elements=list, predictions=list)
Label = kind("ObjectClassification", label=int, probability=float)
Shape = kind("Shape", type=int, footprint=Polygon, dimensions=Vector3)
TrackedKinematics = kind(
    "TrackedObjectKinematics", pose_with_covariance=PoseWithCovariance, twist_with_covariance=TwistWithCovariance,
    acceleration_with_covariance=AccelWithCovariance, orientation_availability=int, is_stationary=bool,
)  # fmt: skip
_OBJECT = {"object_id": UUID, "existence_probability": float, "classification": list, "shape": Shape}
Tracked = kind("TrackedObject", kinematics=TrackedKinematics, **_OBJECT)
PredictedPath = kind("PredictedPath", path=list, time_step=Duration, confidence=float)
PredictedKinematics = kind(
    "PredictedObjectKinematics", initial_pose_with_covariance=PoseWithCovariance,
    initial_twist_with_covariance=TwistWithCovariance, initial_acceleration_with_covariance=AccelWithCovariance,
    predicted_paths=list,
)  # fmt: skip
Predicted = kind("PredictedObject", kinematics=PredictedKinematics, **_OBJECT)
Primitive = kind("LaneletPrimitive", id=int, primitive_type=str)
Lateral = kind("Lateral", stamp=Time, control_time=Time, steering_tire_angle=float, steering_tire_rotation_rate=float,
               is_defined_steering_tire_rotation_rate=bool)  # fmt: skip
Longitudinal = kind("Longitudinal", stamp=Time, control_time=Time, velocity=float, acceleration=float, jerk=float,
                    is_defined_acceleration=bool, is_defined_jerk=bool)  # fmt: skip
AckermannDrive = kind("AckermannDrive", steering_angle=float, steering_angle_velocity=float, speed=float,
                      acceleration=float, jerk=float)  # fmt: skip
Hypothesis = kind("ObjectHypothesis", class_id=str, score=float)
HypothesisWithPose = kind("ObjectHypothesisWithPose", hypothesis=Hypothesis, pose=PoseWithCovariance)
BoundingBox = kind("BoundingBox3D", center=Pose, size=Vector3)
Safety = kind("SafetyFactorArray", header=Header, factors=list, is_safe=bool, detail=str)

PACKAGES = {
    "autoware_planning_msgs": _names(
        kind("TrajectoryPoint", time_from_start=Duration, pose=Pose, longitudinal_velocity_mps=float,
             lateral_velocity_mps=float, acceleration_mps2=float, heading_rate_rps=float, front_wheel_angle_rad=float,
             rear_wheel_angle_rad=float),
        kind("Trajectory", header=Header, points=list),
        kind("LaneletRoute", header=Header, start_pose=Pose, goal_pose=Pose, segments=list, uuid=UUID,
             allow_modification=bool),
        kind("LaneletSegment", preferred_primitive=Primitive, primitives=list),
        Primitive,
    ),
    "autoware_control_msgs": _names(
        kind("Control", stamp=Time, control_time=Time, lateral=Lateral, longitudinal=Longitudinal)
    ),
    "autoware_vehicle_msgs": _names(kind("ControlModeReport", stamp=Time, mode=int)),
    "autoware_perception_msgs": _names(
        kind("TrackedObjects", header=Header, objects=list), kind("PredictedObjects", header=Header, objects=list),
        kind("TrafficLightGroupArray", stamp=Time, traffic_light_groups=list),
        Tracked, Predicted, PredictedPath, Label, Shape, Element, Coming, Group,
    ),
    "autoware_internal_planning_msgs": _names(
        kind("PlanningFactorArray", header=Header, factors=list),
        kind("PlanningFactor", {"UNKNOWN": 0, "NONE": 1, "SLOW_DOWN": 2, "STOP": 3, "SHIFT_LEFT": 4, "SHIFT_RIGHT": 5},
             module=str, is_driving_forward=bool, control_points=list, behavior=int, detail=str, safety_factors=Safety),
        kind("ControlPoint", pose=Pose, velocity=float, shift_length=float, distance=float),
        kind("SafetyFactor", {"OBJECT": 2}, type=int, object_id=UUID, is_safe=bool),
    ),
    "ackermann_msgs": _names(kind("AckermannDriveStamped", header=Header, drive=AckermannDrive)),
    "nav_msgs": _names(
        kind("Trajectory", header=Header, points=list),
        kind("TrajectoryPoint", header=Header, pose=Pose, velocity=Twist, acceleration=Accel, effort=Wrench),
    ),
    "nav2_msgs": _names(
        kind("SpeedLimit", header=Header, percentage=bool, speed_limit=float),
        type("FollowPath", (), {
            "Goal": kind("Goal", path=Path, controller_id=str, goal_checker_id=str, progress_checker_id=str),
            "Feedback": kind("Feedback", distance_to_goal=float, speed=float),
            "Result": kind("Result", {"NONE": 0, "NO_VALID_CONTROL": 106}, error_code=int, error_msg=str),
        }),
    ),
    "vision_msgs": _names(
        kind("Detection3DArray", header=Header, detections=list), HypothesisWithPose, Hypothesis, BoundingBox,
        kind("Detection3D", header=Header, results=list, bbox=BoundingBox, id=str),
    ),
}  # fmt: skip


class Types:
    """Types of one source, `real` packages or stand-ins."""

    def __init__(self, real):
        self.real = real

    def of(self, *needs):
        """The types called `package/msg/Type`, by their last names; skips where the package is not installed."""
        if not self.real:
            found = {need.split("/")[2]: PACKAGES[need.split("/")[0]].get(need.split("/")[2]) for need in needs}
            if None not in found.values():
                return SimpleNamespace(**found)
        try:
            return message_types(needs, "test", "needs", "this test")
        except InputError as missing:
            pytest.skip(str(missing))

    def package(self, name, *names):
        """Message types of one package."""
        return self.of(*(f"{name}/msg/{found}" for found in names))

    def carried(self, message):
        """A message after it has been over the wire."""
        return deserialize_message(serialize_message(message), type(message)) if self.real else message


# --- what is converted ---------------------------------------------------------------------------------------


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


def node(**more):
    return SimpleNamespace(name="a_node", **more)


def pose_at(x, y, yaw=0.0):
    pose = Pose()
    pose.position.x, pose.position.y = x, y
    conversion.set_yaw(pose.orientation, yaw)
    return pose
