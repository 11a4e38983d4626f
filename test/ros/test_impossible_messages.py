"""What the fuzz has found: each message once made a node fail, hang, or say numbers that are not finite."""

import math
from dataclasses import replace

import made_recordings as made
import numpy as np
import pytest

from behaviors_ros.datatypes import Goal, Grid
from behaviors_ros.errors import InputError
from behaviors_ros.generation.generate import generate
from behaviors_ros.parameters import Vehicle
from behaviors_ros.pipeline import build
from behaviors_ros.ros import conversion, conversion_plan, conversion_stages
from behaviors_ros.ros.drive_log import read_drive
from behaviors_ros.ros.scene import SceneInputs, SceneParameters
from behaviors_ros.ros.warm import warm_predictions, warm_scene

VEHICLE = Vehicle()
CYCLE = conversion_stages.Cycle(1, conversion_stages.Inputs(1, 1))


@pytest.mark.parametrize(("field", "number"), [("position", 1e30), ("speed", 1e30), ("yaw_rate", 1e30)])
def test_odometry_beyond_what_a_vehicle_can_be(field, number):
    message = conversion.odometry_message(made.ego(0.0))
    {"position": lambda: setattr(message.pose.pose.position, "x", number),
     "speed": lambda: setattr(message.twist.twist.linear, "x", number),
     "yaw_rate": lambda: setattr(message.twist.twist.angular, "z", number)}[field]()  # fmt: skip
    with pytest.raises(InputError, match="beyond what a vehicle can be"):
        conversion.ego_state(message, None, VEHICLE)


@pytest.mark.parametrize(
    ("field", "number", "cause"),
    [("x", 1e12, "impossible place"), ("acceleration_x_mps2", 1e20, "impossible acceleration or turn"),
     ("yaw_rate_radps", 1e20, "impossible acceleration or turn")],
)  # fmt: skip
def test_tracks_beyond_belief_are_dropped_one_by_one(field, number, cause):
    message = conversion.tracks_message(made.tracks(0.0))
    getattr(message, field)[1] = number
    received = conversion.tracks(message, conversion.TrackLimits())
    assert received.dropped == {cause: 1} and len(received.tracks) == 1


def a_trajectory_message(**changes):
    found = conversion_plan.trajectory_message(own_stop(), VEHICLE)
    for field, number in changes.items():
        setattr(found.points[3], field, number)
    return found


def own_stop():
    from behaviors_ros.control.stop import BridgeStop
    from behaviors_ros.control.stop import own_stop as stop

    return stop(made.ego(0.0), VEHICLE, BridgeStop())


@pytest.mark.parametrize(
    "field", ["longitudinal_velocity_mps", "acceleration_mps2", "curvature_1pm"]
)  # fmt: skip
@pytest.mark.parametrize("number", [math.nan, math.inf, 1e30])
def test_a_trajectory_no_vehicle_can_be_on(field, number):
    good = conversion_plan.trajectory(a_trajectory_message())
    assert conversion_plan.usable(good, "trajectory") is good
    bad = conversion_plan.trajectory(a_trajectory_message(**{field: number}))
    with pytest.raises(InputError, match="beyond what a vehicle can do"):
        conversion_plan.usable(bad, "trajectory")


def test_a_trajectory_whose_times_do_not_increase():
    found = own_stop()
    with pytest.raises(InputError, match="does not increase"):
        conversion_plan.usable(replace(found, time_s=found.time_s[::-1]), "trajectory")


def sets():
    scene, grid = warm_scene(None, VEHICLE), Grid()
    predicted = warm_predictions(scene, grid)
    offered = generate(scene, predicted, grid, build({}).generators)
    origin = conversion_stages.origin_of(scene.ego)
    return (
        conversion_stages.predictions_message(predicted, CYCLE, "test", origin),
        conversion_stages.candidates_message(offered, CYCLE, origin),
    )


@pytest.mark.parametrize(("steps", "step_s"), [(0, 0.1), (1, 0.1), (4_000_000_000, 0.1), (61, math.inf), (61, 0.0)])
def test_a_time_grid_that_is_none(steps, step_s):
    predicted, offered = sets()
    for message, read in ((predicted, conversion_stages.predictions), (offered, conversion_stages.candidates)):
        message.num_steps, message.time_step_s = steps, step_s
        for name, found in ((n, getattr(message, n)) for n in ("object_id",) if hasattr(message, n)):
            del found[:], name
        if hasattr(message, "num_objects"):
            message.num_objects = 0  # no array has a size that the steps could disagree with
        with pytest.raises(InputError):
            read(message)


def test_sets_with_an_origin_or_numbers_that_are_not_finite():
    predicted, offered = sets()
    offered.acceleration_mps2[5] = math.nan
    with pytest.raises(InputError, match="not finite"):
        conversion_stages.candidates(offered)
    modes = conversion_stages.predictions(predicted).valid.sum()
    predicted.covariance_m2[0] = math.inf
    assert conversion_stages.predictions(predicted).valid.sum() == modes - 1, "the mode is dropped"
    predicted.origin_y = math.nan
    with pytest.raises(InputError, match="origin"):
        conversion_stages.predictions(predicted)


def test_a_number_that_none_could_follow():
    predicted, _ = sets()
    predicted.cycle = 2**64 - 1
    with pytest.raises(InputError, match="number"):
        conversion_stages.cycle(predicted)


def a_route(**changes):
    message = conversion.route_message(1, (), Goal(np.array([140.0, 0.0])), made.LINE, 13.9, 1.75)
    for field, number in changes.items():
        setattr(message, field, number)
    return message


@pytest.mark.parametrize(
    "changes",
    [
        {"centre_line": [0.0, 0.0, 5.0]}, {"centre_line": [0.0, 0.0, math.nan, 1.0]},
        {"centre_line": [0.0, 0.0, 1e7, 1.0]}, {"goal_x": 1e300}, {"goal_polygon": [0.0, 0.0, 1.0, math.inf, 1.0, 1.0]},
        {"speed_limit_mps": math.inf}, {"half_width_m": math.inf},
    ],
)  # fmt: skip
def test_a_route_that_cannot_be_driven(changes):
    inputs = SceneInputs(SceneParameters(), VEHICLE)
    inputs.add_route(a_route())
    with pytest.raises(InputError):
        inputs.add_route(a_route(**changes))


def test_candidates_far_past_the_end_of_the_route():
    """Looked for agents beyond the last sample of the reference: read memory that was not its own."""
    scene = warm_scene(None, VEHICLE)
    grid = Grid()
    for ahead in (400.0, 5_000.0, 1e7):
        ego = replace(scene.ego, position=scene.route.path[-1] + np.array([ahead, 0.0]))
        far = replace(scene, ego=ego)
        assert len(generate(far, warm_predictions(far, grid), grid, build({}).generators))


def test_a_drive_that_is_no_archive(tmp_path):
    for content in (b"", b"PK\x03\x04 no archive", b"\x93NUMPY"):
        (tmp_path / "drive.npz").write_bytes(content)
        with pytest.raises(InputError, match="drive"):
            read_drive(tmp_path / "drive.npz", None)
