"""Dialects in: tracked and predicted objects, and boxes."""

import math
from collections import Counter

import numpy as np
import pytest
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point32
from hypothesis import given, settings
from hypothesis import strategies as st
from standins import NS, Types, pose_at
from std_msgs.msg import Header

from behaviors_ros.datatypes import (
    AgentClass,
    EgoState,
    Grid,
    Scene,
    Tracks,
)
from behaviors_ros.errors import InputError
from behaviors_ros.maps.route import mapless_route
from behaviors_ros.ros import conversion
from behaviors_ros.ros.dialects import (
    autoware_predictions,
    autoware_tracks,
    vision_boxes,
)

F32 = {"rtol": 1e-6, "atol": 1e-6}


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
