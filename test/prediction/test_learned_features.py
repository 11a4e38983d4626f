"""Features of the learned predictor: hand-computed on the town, free of place and direction, nothing of the future."""

import math
import subprocess
import sys

import numpy as np
import pytest
from prediction_scenes import lane, scene, town, tracks

from behaviors_ros.datatypes import AgentClass, EgoState, LaneMap, Scene, Signals, TrackHistory
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.history import updated
from behaviors_ros.prediction.learned_features import AGENT, NEIGHBOUR, FeatureSchema, features
from behaviors_ros.prediction.learned_paths import PATH

CAR, PEDESTRIAN = int(AgentClass.CAR), int(AgentClass.PEDESTRIAN)
SCHEMA = FeatureSchema()


def with_history(rows, lane_map, ages=None, signals=None, turn=0.0, steps=31):
    """A scene whose agents have driven straight at constant speed so far, each for `ages` steps of 0.1 s."""
    agents = tracks(rows)
    back = np.arange(steps)[::-1]
    position = agents.position[:, None] - 0.1 * back[:, None] * agents.velocity[:, None]
    valid = back < (np.full(len(agents), steps) if ages is None else np.asarray(ages))[:, None]
    yaw, speed = (np.repeat(values[:, None], steps, 1) for values in (agents.yaw, agents.speed))
    history = TrackHistory(0, agents.id, np.where(valid[..., None], position, np.nan), yaw, speed, valid)
    made = scene(agents, lane_map, signals=signals)
    return Scene(0, made.ego, agents, made.route, lane_map, signals, history)


def one(made, row=0, schema=SCHEMA):
    return {name: array[0] for name, array in features(made, np.array([row]), schema, Vehicle()).arrays.items()}


def column(values, names, name):
    return values[..., names.index(name)]


def test_shapes_are_those_of_the_schema():
    made = with_history([(CAR, 20, 0, 0, 10), (PEDESTRIAN, 30, 8, 1, 1)], town())
    found = features(made, np.array([1, 0]), SCHEMA, Vehicle())
    assert set(found.arrays) == set(SCHEMA.shapes)
    for name, shape in SCHEMA.shapes.items():
        assert found.arrays[name].shape == (2, *shape) and found.arrays[name].dtype == np.float32
        assert np.isfinite(found.arrays[name]).all()
    np.testing.assert_allclose(found.origin, [[30, 8], [20, 0]])
    np.testing.assert_allclose(found.yaw, [1.0, 0.0], atol=1e-9)


def test_past_by_hand():
    # 10 m/s along x, seen for 1.0 s: at steps of 0.2 s it was 2, 4, 6, 8 and 10 m behind, and not seen before.
    found = one(with_history([(CAR, 50, 0, 0, 10)], None, ages=[11]))
    np.testing.assert_allclose(found["past"][-6:, 0], [-10, -8, -6, -4, -2, 0], atol=1e-5)
    np.testing.assert_allclose(found["past_valid"], [0] * 10 + [1] * 6)
    assert (found["past"][:10] == 0.0).all()
    assert column(found["agent"], AGENT, "seen_s") == pytest.approx(1.0)
    assert column(found["agent"], AGENT, "car") == 1.0


def test_speeds_are_backward_differences():
    # x = 5 t^2 up to now (t = 0): over the last 0.5 s it went 5 * 0.25 = 1.25 m, 2.5 m/s backwards in time; one second
    # earlier it went 5 (1.5^2 - 1) = 6.25 m in 0.5 s, 12.5 m/s. The velocity that the tracker tells is not believed.
    agents = tracks([(CAR, 0, 0, 0, 99)])
    past = -0.1 * np.arange(31)[::-1]
    position = np.stack([-5.0 * past**2, 0.0 * past], axis=1)[None]
    history = TrackHistory(0, agents.id, position, np.zeros((1, 31)), np.zeros((1, 31)), np.ones((1, 31), bool))
    base = scene(agents)
    found = one(Scene(0, base.ego, agents, base.route, None, None, history))
    np.testing.assert_allclose(found["agent"][:3], [2.5, 12.5, 22.5], rtol=1e-5)


def test_without_history_the_tracker_is_believed():
    found = one(scene(tracks([(CAR, 0, 0, 0.5, 7)])))
    np.testing.assert_allclose(found["agent"][:3], [7, 7, 7], rtol=1e-6)
    assert found["past_valid"].sum() == 1.0


def test_neighbour_by_hand():
    # Agent 0 drives north from (50, 0); agent 1 stands 10 m east of it, its box east: in the frame of agent 0 (x north)
    # it is at (0, -10), its yaw -90 degrees.
    found = one(with_history([(CAR, 50, 0, math.pi / 2, 10), (CAR, 60, 0, 0, 0)], None))
    assert found["neighbour_valid"].tolist() == [1] + [0] * 7
    np.testing.assert_allclose(found["neighbour"][0, :6], [0, -10, 0, 0, 0, -1], atol=1e-5)
    np.testing.assert_allclose(found["neighbour_past"][0], np.tile([0, -10], (4, 1)), atol=1e-5)


def test_nearest_neighbours_are_shown_and_the_ego_is_one():
    rows = [(CAR, 0, 0, 0, 0)] + [(CAR, 5 + 3 * k, 0, 0, 0) for k in range(12)]
    made = with_history(rows, None)
    ego = EgoState(0, np.array([-4.0, 0.0]), 0.0, 0.0)
    vehicle = Vehicle()
    found = one(Scene(0, ego, made.tracks, made.route, None, None, made.history))
    x = column(found["neighbour"], NEIGHBOUR, "x")
    np.testing.assert_allclose(x, [-4 + vehicle.centre_offset_m, 5, 8, 11, 14, 17, 20, 23], atol=1e-5)


def test_without_a_lane_there_is_the_straight_path():
    for lane_map, row in (
        (None, (CAR, 0, 0, 0, 10)),
        (town(), (CAR, 20, 30, 0, 10)),
        (town(), (PEDESTRIAN, 20, 0, 0, 1)),
    ):
        found = one(with_history([row], lane_map))
        assert found["path_valid"].tolist() == [1, 0, 0, 0, 0, 0]
        spacing = column(found["path"], PATH, "spacing")[0]
        np.testing.assert_allclose(found["path_point"][0, :, 0], spacing * np.arange(32), rtol=1e-5)
        assert (found["path_point"][0, :, 1] == 0.0).all()
    # 8 s at 1 m/s and 40 m, in 31 pieces
    assert spacing == pytest.approx(48.0 / 31.0, rel=1e-5)


def test_paths_through_the_town():
    # At x = 60, 0.5 m left of the centre of lane 1, with a fork at x = 100 and a lane to the left.
    found = one(with_history([(CAR, 60, 0.5, 0, 10)], town()))
    assert found["path_valid"].sum() == 4.0  # straight, 1-2, 1-3-4, lane 5
    kinds = {name: column(found["path"], PATH, name)[1:] for name in ("keep_lane", "turn_left", "change_left")}
    assert kinds["keep_lane"].tolist()[0] == 1.0
    left, turn = int(kinds["change_left"].argmax()) + 1, int(kinds["turn_left"].argmax()) + 1
    offset = column(found["path"], PATH, "offset")
    assert offset[1] == pytest.approx(0.5, abs=1e-5) and offset[left] == pytest.approx(-3.0, abs=1e-5)
    np.testing.assert_allclose(found["path_past"][1], 0.5, atol=1e-5)
    np.testing.assert_allclose(found["path_point"][1, :, 1], -0.5, atol=1e-5)
    # The bend of 20 m begins 40 m ahead and is 31.4 m long; then the path leads left.
    end = found["path_point"][turn, -1]
    np.testing.assert_allclose(end[2:4], [0, 1], atol=1e-4)
    assert end[0] == pytest.approx(60.0, abs=0.1)


def test_queue_by_hand():
    # On lane 1 at x = 20; leaders at 40 (5 m/s) and, on the branch straight on, 110 (3 m/s); behind at 10 (8 m/s). All
    # boxes are 4.5 m long: gaps 15.5, 85.5 and, behind, -5.5.
    rows = [(CAR, 20, 0, 0, 10), (CAR, 40, 0, 0, 5), (CAR, 110, 0, 0, 3), (CAR, 10, 0, 0, 8)]
    found = one(with_history(rows, town()))
    straight = 1 if found["path_point"][1, -1, 1] == pytest.approx(0.0, abs=1e-3) else 2
    assert found["queue_valid"][straight].tolist() == [1, 1, 1, 0, 0, 0, 0]
    np.testing.assert_allclose(found["queue"][straight, :3, 0], [-5.5, 15.5, 85.5], atol=1e-4)
    np.testing.assert_allclose(found["queue"][straight, :3, 1], [8, 5, 3], atol=1e-4)
    np.testing.assert_allclose(found["queue"][straight, :3, 4], 4.5, atol=1e-4)
    # On the straight path one looks 60 m ahead.
    np.testing.assert_allclose(found["queue"][0, :2], found["queue"][straight, :2], atol=1e-4)
    assert found["queue_valid"][0].sum() == 2.0


def test_queue_without_a_map_by_hand():
    # Ahead at 12 and 30 m, told in the other order, behind at 8 and 20 m; beside the line by 3 m, oncoming, and afoot:
    # these three do not count. Boxes of 4.5 m by 1.9 m.
    rows = [(CAR, 0, 0, 0, 10), (CAR, 30, 1.2, 0, 6), (CAR, 12, 0, 0.1, 5), (CAR, -20, 0, 0, 9), (CAR, -8, 0, 0, 8)]
    rows += [(CAR, 20, 3, 0, 10), (CAR, 25, 0, math.pi, 10), (PEDESTRIAN, 5, 0, 0, 1)]
    found = one(with_history(rows, None))
    assert found["queue_valid"][0].tolist() == [1, 1, 1, 0, 0, 0, 0]
    np.testing.assert_allclose(found["queue"][0, :3, 0], [-3.5, 7.5, 25.5], atol=1e-4)
    np.testing.assert_allclose(found["queue"][0, :3, 1], [8, 5 * math.cos(0.1), 6], atol=1e-4)
    assert one(with_history(rows, None), row=7)["queue_valid"].sum() == 0.0


def test_queue_beyond_the_map():
    # Lane 2 ends at x = 200 and goes on straight: the car at 230 leads the one at 190, gap 40 - 4.5; the one at 240
    # comes next; the one at 220 but 5 m aside does not count.
    rows = [(CAR, 190, 0, 0, 10), (CAR, 240, 0, 0, 5), (CAR, 230, 0.5, 0, 6), (CAR, 220, 5, 0, 7)]
    found = one(with_history(rows, town()))
    assert found["queue_valid"][1].tolist() == [0, 1, 1, 0, 0, 0, 0]
    np.testing.assert_allclose(found["queue"][1, 1:3, :2], [[35.5, 6], [45.5, 5]], atol=1e-4)


@pytest.mark.parametrize("lane_map", [None, town()])
def test_who_is_tracked_twice_is_one(lane_map):
    rows = [(CAR, 20, 0, 0, 10), (CAR, 40, 0, 0, 5), (CAR, 40.5, 0.2, 0, 5), (CAR, 20.4, 0, 0, 10), (CAR, 60, 0, 0, 7)]
    found = one(with_history(rows, lane_map))
    path = 0 if lane_map is None else 1
    assert found["queue_valid"][path].tolist() == [0, 1, 1, 0, 0, 0, 0]
    np.testing.assert_allclose(found["queue"][path, 1:3, 1], [5, 7], atol=1e-4)


def test_who_is_on_two_lanes_at_a_joint_is_one_leader():
    # At x = 100 lanes 1 and 2 meet; a car there is on both.
    found = one(with_history([(CAR, 60, 0, 0, 10), (CAR, 100, 0, 0, 10)], town()))
    assert found["queue_valid"][1].sum() == 1.0


def test_lines_by_hand():
    # Lane 1 has signal 7 and no line: one halts at its end, x = 100. The front is at 62.25, so 37.75 m are left.
    made = with_history(
        [(CAR, 60, 0, 0, 10)], town(signals=(7,)), signals=Signals(0, (7,), np.array([1]), np.full(1, np.nan))
    )
    found = one(made)
    for name in ("line", "signal"):
        assert column(found["path"], PATH, name)[1] == pytest.approx(37.75, abs=1e-4)
        assert column(found["path"], PATH, f"has_{name}")[1] == 1.0
    green = one(
        with_history(
            [(CAR, 60, 0, 0, 10)], town(signals=(7,)), signals=Signals(0, (7,), np.array([3]), np.full(1, np.nan))
        )
    )
    assert column(green["path"], PATH, "has_line")[1] == 0.0 and column(green["path"], PATH, "has_signal")[1] == 1.0
    assert column(green["path"], PATH, "green")[1] == 1.0


def moved(made, angle, shift):
    """The same scene elsewhere, turned."""
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    go = lambda points: points @ turn.T + shift  # noqa: E731
    agents = tracks([(CAR, 0, 0, 0, 0)] * len(made.tracks))
    values = {
        name: getattr(made.tracks, name)
        for name in ("kind", "length", "width", "covariance", "existence", "acceleration", "yaw_rate")
    }
    agents = type(agents)(
        0, made.tracks.id, position=go(made.tracks.position), yaw=made.tracks.yaw + angle,
        velocity=made.tracks.velocity @ turn.T, **values,
    )  # fmt: skip
    old = made.history
    history = TrackHistory(0, old.id, go(old.position), old.yaw + angle, old.speed, old.valid)
    lanes = {}
    for number, each in made.map.lanes.items():
        lanes[number] = lane(number, go(each.centre), successors=each.successors, predecessors=each.predecessors,
                             left=each.left, right=each.right)  # fmt: skip
    return Scene(0, made.ego, agents, made.route, LaneMap("moved", lanes), None, history)


@pytest.mark.parametrize("angle", [0.7, -2.4])
def test_invariant_to_rigid_motion(angle):
    rows = [(CAR, 20, 0.3, 0.02, 10), (CAR, 60, -0.2, 0, 9), (CAR, 40, 3.5, 0, 12), (PEDESTRIAN, 30, 9, 2, 1.2)]
    made = with_history(rows, town(), ages=[31, 20, 12, 31])
    here = features(made, np.arange(4), SCHEMA, Vehicle())
    there = features(moved(made, angle, np.array([1234.0, -777.0])), np.arange(4), SCHEMA, Vehicle())
    for name, array in here.arrays.items():
        np.testing.assert_allclose(there.arrays[name], array, atol=2e-4, err_msg=name)


def test_rows_do_not_depend_on_which_others_are_asked_for():
    rows = [(CAR, 20, 0, 0, 10), (CAR, 60, 0, 0, 9), (PEDESTRIAN, 30, 9, 2, 1.2)]
    made = with_history(rows, town())
    everyone = features(made, np.arange(3), SCHEMA, Vehicle())
    alone = features(made, np.array([2]), SCHEMA, Vehicle())
    for name, array in alone.arrays.items():
        np.testing.assert_array_equal(array[0], everyone.arrays[name][2])
    nobody = features(made, np.zeros(0, np.int64), SCHEMA, Vehicle())
    assert all(array.shape == (0, *SCHEMA.shapes[name]) for name, array in nobody.arrays.items())


def test_the_future_changes_nothing():
    # Two worlds that are the same until now, and part thereafter: their histories up to now give equal features.
    generator = np.random.default_rng(0)
    path = np.cumsum(generator.normal(0.5, 0.05, (3, 60, 2)), axis=1)
    other = path.copy()
    other[:, 31:] += generator.normal(0.0, 50.0, (3, 29, 2))
    found = []
    for world in (path, other):
        history = None
        for step in range(31):
            velocity = (world[:, step] - world[:, max(step - 1, 0)]) / 0.1
            agents = tracks(
                [(CAR, *place, 0, 0) for place in world[:, step]], stamp_ns=step * 100_000_000, velocity=velocity
            )
            history = updated(history, agents, 31)
        base = scene(agents, town(), stamp_ns=agents.stamp_ns)
        now = Scene(base.stamp_ns, base.ego, agents, base.route, base.map, None, history)
        found.append(features(now, np.arange(3), SCHEMA, Vehicle()).arrays)
    for name, array in found[0].items():
        np.testing.assert_array_equal(found[1][name], array)


def test_an_agent_without_a_position_is_zero():
    made = with_history([(CAR, math.nan, 0, 0, 10), (CAR, 20, 0, 0, 10)], town())
    found = features(made, np.arange(2), SCHEMA, Vehicle())
    assert found.valid.tolist() == [False, True]
    assert all((array[0] == 0.0).all() for array in found.arrays.values())
    assert found.arrays["neighbour_valid"][1].sum() == 0.0


def test_tracks_older_than_the_scene_are_moved_with_their_past():
    made = with_history([(CAR, 20, 0, 0, 10)], town())
    later = Scene(50_000_000, made.ego, made.tracks, made.route, made.map, None, made.history)
    found = features(later, np.array([0]), SCHEMA, Vehicle())
    np.testing.assert_allclose(found.origin, [[20.5, 0.0]])
    np.testing.assert_allclose(found.arrays["past"][0, -2:, 0], [-2, 0], atol=1e-5)


def test_prediction_does_not_import_torch():
    code = "import sys, behaviors_ros.prediction.interface, behaviors_ros.learning; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
