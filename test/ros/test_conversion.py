"""Messages <-> datatypes: bit-exact round trips, and what is refused or dropped."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rclpy.serialization import deserialize_message, serialize_message

from behaviors_ros.datatypes import (
    Candidates,
    ControlCommand,
    Decision,
    Decisions,
    Degraded,
    EgoState,
    Goal,
    Grid,
    Manoeuvre,
    Outcome,
    Plan,
    Predictions,
    Scores,
    Signals,
    Tracks,
    rounded,
)  # fmt: skip
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros import conversion, conversion_plan, conversion_stages
from behaviors_ros.ros.conversion import TrackLimits
from behaviors_ros.ros.scene import SceneInputs, SceneParameters

VEHICLE = Vehicle()
GRID = Grid(0.1, 11)
FLOATS = st.floats(-200.0, 200.0)


def over_the_wire(message):
    """What another process receives."""
    return deserialize_message(serialize_message(message), type(message))


def same(ours, theirs):
    """Equal field by field, NaN equal to NaN, to the bit."""
    for name, expected in vars(ours).items():
        found = getattr(theirs, name)
        if isinstance(expected, np.ndarray):
            np.testing.assert_array_equal(found, expected, err_msg=name)
            assert found.dtype.kind == expected.dtype.kind, name
        elif hasattr(expected, "__dataclass_fields__"):
            same(expected, found)
        else:
            assert found == expected, name


def some_tracks(n=3):
    """Tracks of float32 precision in all but position."""
    single = np.arange(n, dtype=np.float32).astype(np.float64)
    return Tracks(
        stamp_ns=12_345_678_901, id=tuple(f"{i + 1:032x}" for i in range(n)), kind=np.arange(n) % 8,
        position=np.stack([single + 0.1, 1e5 - single / 3], axis=1), yaw=single / 4,
        velocity=np.stack([single, -single], axis=1), acceleration=np.zeros((n, 2)), yaw_rate=single / 8,
        length=single + 1, width=single / 2 + 1, covariance=np.broadcast_to(0.25 * np.eye(2), (n, 2, 2)).copy(),
        existence=np.full(n, 0.5),
    )  # fmt: skip


def test_tracks_round_trip():
    tracks = some_tracks()
    received = conversion.tracks(over_the_wire(conversion.tracks_message(tracks)), TrackLimits())
    same(tracks, received.tracks)
    assert received.dropped == {}


def test_outlines_round_trip_and_what_is_none_is_left_out():
    rings = (np.array([[0.0, 1.0], [2.0, 3.0], [1.0, 7.0]]), np.array([[1e6, 1.5], [2.0, 3.0], [4.0, 5.0], [6.0, 1.0]]))
    tracks = replace(some_tracks(), occluders=rings)
    received = conversion.tracks(over_the_wire(conversion.tracks_message(tracks)), TrackLimits()).tracks
    assert [ring.tolist() for ring in received.occluders] == [ring.tolist() for ring in rings]
    none = (np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[np.nan, 1.0], [2.0, 3.0], [1.0, 7.0]]))
    message = conversion.tracks_message(replace(tracks, occluders=(*none, rings[0])))
    assert len(conversion.tracks(message, TrackLimits()).tracks.occluders) == 1


def test_no_tracks_round_trip():
    received = conversion.tracks(over_the_wire(conversion.tracks_message(Tracks.empty(7))), TrackLimits())
    assert len(received.tracks) == 0 and received.tracks.position.shape == (0, 2)


@pytest.mark.parametrize(
    ("field", "bad", "cause"),
    [
        ("position", math.nan, "not finite"),
        ("yaw", math.inf, "not finite"),
        ("velocity", math.nan, "not finite"),
        ("length", 0.0, "impossible size"),
        ("length", 120.0, "impossible size"),
        ("width", -1.0, "impossible size"),
        ("velocity", 500.0, "impossible speed"),
        ("covariance", 0.0, "covariance not positive"),
        ("existence", 1.5, "existence outside [0, 1]"),
    ],
)
def test_bad_entry_is_dropped_alone(field, bad, cause):
    tracks = some_tracks()
    getattr(tracks, field)[1] = bad
    received = conversion.tracks(conversion.tracks_message(tracks), TrackLimits())
    assert received.tracks.id == (tracks.id[0], tracks.id[2])
    assert received.dropped == {cause: 1}


def test_covariance_that_is_no_ellipse_is_dropped():
    # xx yy - xy^2 = 1 - 4 < 0: not positive definite though the diagonal is.
    tracks = some_tracks()
    tracks.covariance[0] = [[1.0, 2.0], [2.0, 1.0]]
    assert conversion.tracks(conversion.tracks_message(tracks), TrackLimits()).dropped == {"covariance not positive": 1}


def test_of_duplicate_ids_the_first_stays():
    message = conversion.tracks_message(some_tracks())
    message.object_id[32:48] = message.object_id[0:16]
    received = conversion.tracks(message, TrackLimits())
    assert received.dropped == {"duplicate id": 1}
    assert received.tracks.id == (f"{1:032x}", f"{2:032x}")


def test_unknown_class_reads_as_unknown():
    message = conversion.tracks_message(some_tracks())
    message.classification[0] = 200
    assert conversion.tracks(message, TrackLimits()).tracks.kind[0] == 0


@pytest.mark.parametrize("field", ["x", "object_id", "position_covariance_m2"])
def test_sizes_that_disagree_refuse_the_message(field):
    message = conversion.tracks_message(some_tracks())
    getattr(message, field).pop()
    with pytest.raises(InputError, match=field):
        conversion.tracks(message, TrackLimits())


def test_number_beyond_the_arrays_is_refused():
    message = conversion.tracks_message(some_tracks())
    message.num = 4_000_000_000
    with pytest.raises(InputError):
        conversion.tracks(message, TrackLimits())


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-math.pi, math.pi), st.floats(-20, 40), st.floats(-1, 1))
@settings(max_examples=50, deadline=None)
def test_odometry_round_trip(x, y, yaw, speed, yaw_rate):
    ego = EgoState(9_000_000_123, np.array([x, y]), yaw, speed, 0.0, 0.0, yaw_rate)
    found = conversion.ego_state(over_the_wire(conversion.odometry_message(ego)), None, VEHICLE)
    assert found.position.tolist() == [x, y] and (found.speed, found.yaw_rate) == (speed, yaw_rate)
    assert found.stamp_ns == ego.stamp_ns and abs(found.yaw - yaw) < 1e-14


def test_acceleration_and_steering_of_odometry():
    # 0.1 s apart, 10 to 10.2 m/s: 2 m/s^2. atan(2.7 * 0.5 / 10.2) = 0.13158 rad.
    first = EgoState(0, np.zeros(2), 0.0, 10.0)
    message = conversion.odometry_message(EgoState(100_000_000, np.zeros(2), 0.0, 10.2, 0.0, 0.0, 0.5))
    ego = conversion.ego_state(message, first, VEHICLE)
    assert ego.acceleration == pytest.approx(2.0)
    assert ego.steering == pytest.approx(0.13158, abs=1e-5)


def test_steering_is_kept_at_standstill_and_a_gap_gives_no_acceleration():
    before = EgoState(0, np.zeros(2), 0.0, 5.0, 0.0, 0.3)
    message = conversion.odometry_message(EgoState(2_000_000_000, np.zeros(2), 0.0, 0.1, 0.0, 0.0, 0.2))
    ego = conversion.ego_state(message, before, VEHICLE)
    assert (ego.steering, ego.acceleration) == (0.3, 0.0)


@pytest.mark.parametrize("spoil", ["position", "quaternion", "speed"])
def test_odometry_that_is_not_finite_is_refused(spoil):
    message = conversion.odometry_message(EgoState(0, np.zeros(2), 0.0, 1.0))
    if spoil == "position":
        message.pose.pose.position.x = math.nan
    elif spoil == "speed":
        message.twist.twist.linear.x = math.inf
    else:
        message.pose.pose.orientation.w = 0.0
    with pytest.raises(InputError, match="odometry"):
        conversion.ego_state(message, None, VEHICLE)


def test_yaw_of_a_tilted_vehicle():
    # Pitch 0.2 rad after yaw 1.0 rad: q = (cos .5, 0, 0, sin .5) * (cos .1, 0, sin .1, 0).
    message = conversion.odometry_message(EgoState(0, np.zeros(2), 0.0, 1.0))
    q = message.pose.pose.orientation
    c, s, cp, sp = math.cos(0.5), math.sin(0.5), math.cos(0.1), math.sin(0.1)
    q.w, q.x, q.y, q.z = c * cp, -s * sp, c * sp, s * cp
    assert conversion.yaw_of(q) == pytest.approx(1.0)


def test_a_signal_group_that_is_twice_in_a_message_counts_as_the_stricter():
    twice = Signals(5, (3, 3), np.array([3, 1]), np.array([2.5, np.nan]))
    found = conversion.signals(over_the_wire(conversion.signals_message(twice)))
    assert found.id == (3,) and list(found.color) == [1]


def test_signals_round_trip():
    signals = Signals(5, (3, 2**40), np.array([1, 3]), np.array([2.5, np.nan]))
    same(signals, conversion.signals(over_the_wire(conversion.signals_message(signals))))


def test_goal_round_trip():
    goal = Goal(np.array([3.0, 4.0]), np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), (-0.5, 0.5), None, (1.0, 8.0))
    same(goal, conversion.goal(over_the_wire(conversion.route_message(1, (4, 5), goal))))


def test_goal_anywhere_round_trip():
    for anywhere in (True, False):
        goal = Goal(np.array([3.0, 4.0]), speed=(0.0, 2.5), anywhere=anywhere)
        same(goal, conversion.goal(over_the_wire(conversion.route_message(1, (), goal))))


def test_the_goals_times_count_from_the_stamp_of_the_route_message():
    # A line along x; the region from 20 to 24 m. Following the heading, the route is built for each vehicle state.
    region = np.array([[20.0, -2.0], [24.0, -2.0], [24.0, 2.0], [20.0, 2.0]])
    goal = Goal(np.array([22.0, 0.0]), region, time=(5.0, 8.0))
    line = np.stack([np.arange(0.0, 60.0), np.zeros(60)], axis=1)
    for centre_line in (line, None):
        inputs = SceneInputs(SceneParameters(), VEHICLE)
        message = conversion.route_message(3_000_000_001, (), goal, centre_line, half_width=2.0)
        inputs.add_route(over_the_wire(message))
        inputs.add_tracks(conversion.ReceivedTracks(Tracks.empty(4 * 10**9), {}))
        inputs.add_odometry(EgoState(4 * 10**9, np.zeros(2), 0.0, 5.0))
        route = inputs.scene(inputs.latest()).route
        start = 0.0 if centre_line is not None else -route.path[0, 0]
        assert route.stamp_ns == 3_000_000_001 and route.goal.time == (5.0, 8.0)
        assert (route.goal_from_s - start, route.goal_to_s - start) == pytest.approx((20.0, 24.0), abs=0.51)


def test_a_plan_of_before_a_clock_jump_is_not_continued():
    plans = {0.8: 7, 1.0: 7, 1.05: 7, 0.4: 0, 9.0: 0}  # s: stamp of plan 7 when it is 1 s; older than 0.5 s, or of 9 s
    for stamp_s, continued in plans.items():
        inputs = SceneInputs(SceneParameters(), VEHICLE)
        inputs.add_route(over_the_wire(conversion.route_message(1, (), Goal(np.array([22.0, 0.0])))))
        inputs.add_tracks(conversion.ReceivedTracks(Tracks.empty(10**9), {}))
        inputs.add_odometry(EgoState(10**9, np.zeros(2), 0.0, 5.0))
        inputs.add_plan(SimpleNamespace(plan_id=7, stamp_ns=round(stamp_s * 1e9)))
        assert inputs.latest().previous_plan_id == continued, stamp_s


def some_predictions(data, origin):
    """Predictions of message precision; the second mode of the first agent is invalid."""
    shape = (2, 2, GRID.steps)
    valid = np.array([[True, False], [True, True]])
    mask = np.where(valid[:, :, None], 1.0, np.nan)
    root = data.draw(arrays(float, (*shape, 2, 2), elements=st.floats(0.1, 3.0)))
    xy = root[..., 0, 1] / 8
    covariance = np.stack([root[..., 0, 0], xy, xy, root[..., 1, 1]], axis=-1).reshape(*shape, 2, 2)
    return rounded(Predictions(
        stamp_ns=1_000_000_007, time_s=GRID.time_s, id=("0" * 31 + "1", "f" * 32), kind=np.array([1, 7]),
        length=np.array([4.3, 0.5]), width=np.array([1.8, 0.5]), valid=valid,
        probability=np.array([[1.0, 0.0], [0.3, 0.7]]), intent=np.array([[1, 0], [7, 6]]),
        position=origin + data.draw(arrays(float, (*shape, 2), elements=FLOATS)) * mask[..., None],
        yaw=data.draw(arrays(float, shape, elements=FLOATS)) * mask,
        speed=data.draw(arrays(float, shape, elements=FLOATS)) * mask,
        covariance=covariance * mask[..., None, None], model_hash="abc", degraded=Degraded.NO_MAP,
    ))  # fmt: skip


ORIGINS = st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)).map(np.array)


@given(st.data(), ORIGINS)
@settings(max_examples=25, deadline=None)
def test_predictions_round_trip_to_the_bit(data, place):
    ego = EgoState(1, place, 0.0, 0.0)
    predictions = some_predictions(data, place)
    of = conversion_stages.Cycle(3, conversion_stages.Inputs(1, 2), {}, Degraded.NO_MAP)
    message = conversion_stages.predictions_message(predictions, of, "lane_following", conversion_stages.origin_of(ego))
    same(predictions, conversion_stages.predictions(over_the_wire(message)))


def some_candidates(data, place):
    """Candidates of message precision."""
    shape = (2, GRID.steps)

    def draw():
        return data.draw(arrays(float, shape, elements=st.floats(-3.0, 3.0)))

    position = place + data.draw(arrays(float, (*shape, 2), elements=FLOATS))
    return rounded(Candidates(
        1_000_000_007, GRID.time_s, ("a", "b"), ("go", "stop"), np.array([False, True]), position,
        draw(), draw(), draw(), draw(), draw(), draw(),
    ))  # fmt: skip


@given(st.data(), ORIGINS)
@settings(max_examples=25, deadline=None)
def test_candidates_round_trip_to_the_bit(data, place):
    candidates = some_candidates(data, place)
    of = conversion_stages.Cycle(3, conversion_stages.Inputs(1, 2))
    message = conversion_stages.candidates_message(candidates, of, np.floor(place))
    same(candidates, conversion_stages.candidates(over_the_wire(message)))


DECISIONS = st.none() | st.builds(
    Decision, st.sampled_from(Manoeuvre), st.sampled_from(["", "signal 12", 32 * "a"]), st.integers(0, 2**60),
    st.floats(-1.0, 1.0), st.sampled_from([(), (32 * "b",)]), st.sampled_from([(), (32 * "c", 32 * "d")]),
    st.integers(0, 2**60), st.integers(0, 2**60),
)  # fmt: skip


@given(st.data(), ORIGINS, DECISIONS)
@settings(max_examples=25, deadline=None)
def test_plan_round_trip_to_the_bit(data, place, decision):
    candidates = some_candidates(data, place)
    plan = Plan(1_000_000_007, 9, candidates.trajectory(0), candidates.trajectory(1), 1_500_000_007, 0, 1, "a", "go",
                Outcome.KEPT, "because", Degraded.NO_SIGNALS, decision=decision, evaluated=2)  # fmt: skip
    of = conversion_stages.Cycle(9, conversion_stages.Inputs(1, 2, 3, 4, 8), {"prediction": 0.5})
    message = over_the_wire(conversion_plan.plan_message(plan, of, VEHICLE))
    same(plan, conversion_plan.plan(message))
    assert conversion_stages.cycle(message).inputs == of.inputs
    assert conversion_stages.cycle(message).times_s == {"prediction": 0.5}


def test_scores_say_what_each_candidate_means_and_why_it_lost():
    flat = np.zeros((3, GRID.steps))
    offered = Candidates(
        7, GRID.time_s, ("a", "b", "c"), ("go", "stop", "late"), np.array([False, True, True]),
        np.zeros((3, GRID.steps, 2)), flat, flat, flat, flat, flat, flat,
    )  # fmt: skip
    passed, nan = np.array([[True, False], [True, True], [False, False]]), np.nan
    value = np.array([[0.0, 1.5], [0.0, 4.0], [nan, nan]])
    table = Scores(
        ("signals", "collision"), passed, value, np.array([0.5, 3.0]), ("progress",), np.array([[1.0], [0.5], [nan]]),
        np.array([[1.0], [0.5], [0.0]]), np.array([2.0]), np.array([0.0, 0.5, 0.0]), np.array([True, True, False]),
        ("m", "s"),
    )  # fmt: skip
    order = np.zeros((3, 1), dtype=np.int64)
    meant = Decisions(
        (32 * "a", "signal 12"), np.array([3, 4, 0]), np.array([0, 1, -1]), np.full(3, nan), order, order > 0,
        order > 0, np.zeros(3),
    )  # fmt: skip
    plan = Plan(7, 9, offered.trajectory(1), offered.trajectory(1), 8, 1, 1, "b", "stop", Outcome.SELECTED, "because",
                scores=table, decisions=meant, evaluated=2)  # fmt: skip
    of = conversion_stages.Cycle(9, conversion_stages.Inputs(1, 2))
    message = over_the_wire(conversion_stages.scores_message(table, offered, plan, of))
    same(table, conversion_stages.scores(message))
    # Breaks the second gate; selected; not evaluated.
    assert (list(message.lost), list(message.lost_by)) == ([1, 0, 6], [1, -1, -1])
    read = conversion_stages.decisions(message)
    assert read.subjects == meant.subjects and read.manoeuvre.tolist() == [3, 4, 0]
    assert [read.subject_of(i) for i in range(3)] == [32 * "a", "signal 12", ""]


def test_instants_of_a_plan_are_those_of_the_grid():
    grid = Grid(0.1, 61)
    # 3 * 0.1 is 0.30000000000000004, not 0.3: the time axis is rebuilt the way the grid makes it.
    nanos = np.round(grid.time_s * 1e9).astype(np.int64)
    np.testing.assert_array_equal(conversion_plan._instants(nanos), grid.time_s)


def test_empty_trajectory_is_refused():
    with pytest.raises(InputError, match="points"):
        conversion_plan.trajectory(conversion_plan.TrajectoryMessage())


def test_trajectory_message_has_the_bicycle_in_it():
    # Curvature 0.1 1/m at 5 m/s: heading rate 0.5 rad/s, wheel atan(2.7 * 0.1) = 0.26371 rad.
    ones = np.ones(2)
    trajectory = conversion_plan.Trajectory(
        0, np.array([0.0, 0.1]), np.zeros((2, 2)), 0 * ones, 5 * ones, 0 * ones, 0.1 * ones
    )
    point = conversion_plan.trajectory_message(trajectory, VEHICLE).points[1]
    assert point.heading_rate_rps == pytest.approx(0.5)
    assert point.front_wheel_angle_rad == pytest.approx(0.26371, abs=1e-5)
    assert point.time_from_start.nanosec == 100_000_000


def test_path_follows_the_trajectory():
    ones = np.ones(2)
    position = np.array([[1.0, 2.0], [3.0, 4.0]])
    trajectory = conversion_plan.Trajectory(0, np.array([0.0, 0.1]), position, ones, ones, ones, ones)
    poses = conversion_plan.path_message(trajectory).poses
    assert [(p.pose.position.x, p.pose.position.y) for p in poses] == [(1.0, 2.0), (3.0, 4.0)]
    assert conversion.yaw_of(poses[0].pose.orientation) == pytest.approx(1.0)


def test_command_round_trip_and_refusal():
    command = ControlCommand(7, 0.25, 0.5, 3.0, -1.0)
    same(command, conversion_plan.command(over_the_wire(conversion_plan.command_message(command))))
    with pytest.raises(InputError):
        conversion_plan.command(conversion_plan.command_message(ControlCommand(7, math.nan, 0.5, 3.0, -1.0)))


def test_a_signal_that_flickers_is_held_red_until_it_has_been_steady():
    inputs = SceneInputs(SceneParameters(), VEHICLE)
    inputs.add_route(over_the_wire(conversion.route_message(1, (), Goal(np.array([22.0, 0.0])))))
    inputs.add_tracks(conversion.ReceivedTracks(Tracks.empty(10**9), {}))
    seen = {}
    for tenth in range(10, 50):
        color = (1, 3)[tenth % 2] if tenth < 20 else 3
        inputs.add_signals(Signals(tenth * 10**8, (5,), np.array([color]), np.array([np.nan])))
        inputs.add_odometry(EgoState(tenth * 10**8, np.zeros(2), 0.0, 5.0))
        seen[tenth] = int(inputs.scene(inputs.latest()).signals.color[0])
    assert seen[11] == 3, "a first change is believed"
    assert all(seen[tenth] == 1 for tenth in range(12, 38)) and seen[45] == 3


def test_a_route_out_of_reach_leaves_the_one_before():
    line = np.stack([np.arange(0.0, 60.0), np.zeros(60)], axis=1)
    inputs = SceneInputs(SceneParameters(), VEHICLE)
    inputs.add_tracks(conversion.ReceivedTracks(Tracks.empty(10**9), {}))
    inputs.add_odometry(EgoState(10**9, np.zeros(2), 0.0, 5.0))
    goal = Goal(np.array([22.0, 0.0]))
    inputs.add_route(over_the_wire(conversion.route_message(3, (), goal, line + np.array([0.0, 80.0]), half_width=2.0)))
    assert inputs.latest() == "waiting for a route that the vehicle can reach"
    assert "80 m from the vehicle: the route cannot be reached" in inputs.route_refusal
    for stamp, away, used in ((4, 0.0, 4), (5, 80.0, 4), (6, 10.0, 6)):
        inputs.add_route(
            over_the_wire(conversion.route_message(stamp, (), goal, line + np.array([0.0, away]), half_width=2.0))
        )
        assert inputs.latest().route == used
        assert bool(inputs.route_refusal) == (used != stamp)
