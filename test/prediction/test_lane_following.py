"""Lane following: paths, leaders, signals, curves."""

import numpy as np
import pytest
from prediction_scenes import lane, red, scene, straight_line, town, tracks

import behaviors_ros.prediction.interface  # noqa: F401
from behaviors_ros import registry
from behaviors_ros.datatypes import AgentClass, EgoState, Grid, Intent, LaneMap, Signals
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.following import idm
from behaviors_ros.prediction.road_kernels import lanes_near
from behaviors_ros.prediction.roads import CELL_M, roads_of

GRID = Grid()


def predict(the_scene, **values):
    return registry.create("predictor", "lane_following", values, Vehicle()).predict(the_scene, GRID)


def road(**fields):
    """One lane of 400 m along x."""
    return LaneMap("road", {1: lane(1, straight_line((0, 0), (400, 0)), **fields)})


def test_idm():
    """Free: 1.5 (1 - (5 / 10)^4) = 1.40625. Behind a leader of the same speed at the wanted gap 2 + 5 x 1 = 7 m: 0.
    At half the wanted gap: 1.5 (1 - 4) = -4.5.
    """
    assert idm(5.0, 10.0, np.inf, 0.0, 1.5, 2.0, 2.0, 1.0) == pytest.approx(1.40625)
    assert idm(5.0, 10.0, 7.0, 5.0, 1.5, 2.0, 2.0, 1.0) == pytest.approx(0.0)
    assert idm(5.0, 10.0, 3.5, 5.0, 1.5, 2.0, 2.0, 1.0) == pytest.approx(-4.5)


def test_lanes_near_a_point():
    """(50, 1) is 1 m left of lane 1 at s = 50 and 2.5 m right of lane 5."""
    roads = roads_of(town(), 2.5, 2.0)
    points = np.array([[50.0, 1.0], [500.0, 0.0]])
    near = lanes_near(
        points, roads.point, roads.s, roads.heading, roads.first, roads.origin, roads.shape, roads.cells, roads.cell,
        CELL_M, 12,
    )  # fmt: skip
    found = {roads.id[row]: (s, d) for row, s, d in zip(near[0][0], near[1][0], near[2][0], strict=True) if row >= 0}
    assert found.keys() == {1, 5}
    assert found[1] == pytest.approx((50.0, 1.0)) and found[5] == pytest.approx((50.0, -2.5))
    assert (near[0][1] == -1).all()


def test_the_roads_of_a_map_are_built_once():
    lane_map = town()
    assert roads_of(lane_map, 2.5, 2.0) is roads_of(lane_map, 2.5, 2.0)
    assert roads_of(None, 2.5, 2.0) is None and roads_of(LaneMap("empty", {}), 2.5, 2.0) is None


def test_both_branches_of_a_fork_and_going_on_from_one_lane_to_the_next():
    result = predict(scene(tracks([(1, 80.0, 0.0, 0.0, 8.0)]), town()))
    intents = set(result.intent[0][result.valid[0]].tolist())
    assert {int(Intent.KEEP_LANE), int(Intent.TURN_LEFT)} <= intents
    end = {int(i): p[-1] for i, p in zip(result.intent[0], result.position[0], strict=True)}
    assert end[Intent.KEEP_LANE][0] > 120.0 and abs(end[Intent.KEEP_LANE][1]) < 0.1
    assert end[Intent.TURN_LEFT][0] < 121.0 and end[Intent.TURN_LEFT][1] > 5.0


def test_yaw_rate_tells_the_branch():
    turning = tracks([(1, 99.0, 0.0, 0.1, 8.0)], yaw_rate=np.array([0.35]))
    going = tracks([(1, 99.0, 0.0, 0.0, 8.0)], yaw_rate=np.array([0.0]))
    assert predict(scene(turning, town())).intent[0, 0] == Intent.TURN_LEFT
    assert predict(scene(going, town())).intent[0, 0] == Intent.KEEP_LANE


def test_the_offset_fades_and_the_start_is_the_tracks():
    result = predict(scene(tracks([(1, 20.0, -0.8, 0.05, 10.0)]), road()))
    assert np.allclose(result.position[0, 0, 0], [20.0, -0.8]) and result.yaw[0, 0, 0] == pytest.approx(0.05)
    assert abs(result.position[0, 0, -1, 1]) < 0.4 and abs(result.yaw[0, 0, -1]) < 0.05


def test_lateral_motion_announces_a_lane_change():
    steady = predict(scene(tracks([(1, 20.0, 0.0, 0.0, 10.0)]), town()))
    drifting = predict(scene(tracks([(1, 20.0, 1.0, 0.09, 10.0)]), town()))  # 1 m off, 0.9 m/s: 1 + 1.35 > 1.75
    assert steady.intent[0, 0] == Intent.KEEP_LANE and drifting.intent[0, 0] == Intent.CHANGE_LEFT
    change = steady.intent[0] == Intent.CHANGE_LEFT
    assert 0.0 < steady.probability[0, change].sum() < 0.15
    assert drifting.position[0, 0, -1, 1] == pytest.approx(3.5, abs=0.5)


def test_a_queue_brakes_behind_who_stands_and_never_drives_through_itself():
    rows = [(1, 100.0, 0.0, 0.0, 0.0), (1, 70.0, 0.0, 0.0, 9.0), (1, 58.0, 0.0, 0.0, 9.0), (1, 46.0, 0.0, 0.0, 9.0)]
    result = predict(scene(tracks(rows), road()))
    x = result.position[:, 0, :, 0]
    assert (-np.diff(x, axis=0) > 4.5).all()  # centres stay more than a length apart
    assert np.allclose(x[0], 100.0) and (result.speed[1:, 0, -1] < 1.5).all()


def test_every_mode_respects_the_leader():
    rows = [(1, 60.0, 0.0, 0.0, 2.0), (1, 40.0, 0.0, 0.0, 8.0)]
    result = predict(scene(tracks(rows), road()))
    lead, own = result.position[0, 0, :, 0], result.position[1][result.valid[1]][:, :, 0]
    assert (lead - own > 4.5).all()


def test_the_ego_is_a_leader():
    ego = EgoState(0, np.array([60.0, 0.0]), 0.0, 0.0)
    alone = predict(scene(tracks([(1, 30.0, 0.0, 0.0, 8.0)]), road()))
    behind = predict(scene(tracks([(1, 30.0, 0.0, 0.0, 8.0)]), road(), ego=ego))
    rear = 60.0 - Vehicle().rear_overhang_m
    assert alone.position[0, 0, -1, 0] > 75.0 and behind.position[0, 0, :, 0].max() + 2.25 < rear


def zip_road():
    """Lanes 1 (y 0) and 2 (y -3.5 up to x 80) join at x 100 and go on as lane 3 to x 400."""
    return LaneMap("zip", {
        1: lane(1, straight_line((0, 0), (100, 0)), successors=(3,)),
        2: lane(2, [(0, -3.5), (40, -3.5), (80, -3.5), (100, 0)], successors=(3,)),
        3: lane(3, straight_line((100, 0), (400, 0), 31), predecessors=(1, 2)),
    })  # fmt: skip


def test_where_lanes_join_who_is_nearer_goes_first():
    """20 m before the join at 10 m/s: there in 2 s. Who is 30.3 m before it at 14 m/s is there in 2.2 s and brakes, by
    no more than 2 m/s^2, and always is more than a length behind.
    """
    result = predict(scene(tracks([(1, 80.0, 0.0, 0.0, 10.0), (1, 70.0, -3.5, 0.0, 14.0)]), zip_road()))
    first, second = result.position[0, 0], result.position[1, 0]
    assert (first[:, 0] - second[:, 0]).min() > 4.5
    assert result.speed[1, 0, 20] < 12.5 and np.diff(result.speed[1, 0]).min() > -0.2 - 1e-6


def test_where_lanes_join_nobody_waits_for_who_is_there_much_later():
    """20 m before the join at 4 m/s: there in 5 s, 2.8 s after who is 30.3 m before it at 14 m/s, which goes on as if
    it were alone; so it does past who stands before the join.
    """
    alone = predict(scene(tracks([(1, 70.0, -3.5, 0.0, 14.0)]), zip_road())).position[0, 0]
    for slow in (4.0, 0.0):
        rows = [(1, 80.0, 0.0, 0.0, slow), (1, 70.0, -3.5, 0.0, 14.0)]
        assert predict(scene(tracks(rows), zip_road())).position[1, 0, :40] == pytest.approx(alone[:40])


def test_the_ego_goes_first_where_lanes_join():
    """As above, the ego is the nearer one: the centre of its box, 1.3 m ahead of the rear axle, is at x 80."""
    ego = EgoState(0, np.array([80.0 - Vehicle().centre_offset_m, 0.0]), 0.0, 10.0)
    result = predict(scene(tracks([(1, 70.0, -3.5, 0.0, 14.0)]), zip_road(), ego))
    assert result.speed[0, 0, 20] < 12.5


def test_who_follows_at_a_steady_gap_goes_on_so():
    rows = [(1, 100.0, 0.0, 0.0, 13.0), (1, 80.0, 0.0, 0.0, 13.0)]
    result = predict(scene(tracks(rows), road(speed_limit=13.0)))
    assert np.abs(result.speed[:, 0] - 13.0).max() < 0.3


def test_red_stops_and_green_starts():
    stop = {"signals": (7,), "stop_line": np.array([[90.0, -2.0], [90.0, 2.0]])}
    coming = scene(tracks([(1, 50.0, 0.0, 0.0, 10.0)]), town(**stop), signals=red(7))
    result = predict(coming)
    front = result.position[0, 0, :, 0].max() + 2.25
    assert 85.0 < front < 90.5 and result.speed[0, 0, -1] < 1.0
    waiting = tracks([(1, 87.0, 0.0, 0.0, 0.0)])
    assert np.allclose(predict(scene(waiting, town(**stop), signals=red(7))).position[0, 0, -1], [87.0, 0.0], atol=0.5)
    green = Signals(0, (7,), np.array([3]), np.array([np.nan]))
    assert predict(scene(waiting, town(**stop), signals=green)).position[0, 0, -1, 0] > 97.0
    unknown = predict(scene(tracks([(1, 50.0, 0.0, 0.0, 10.0)]), town(**stop)))
    assert unknown.position[0, 0, -1, 0] > 105.0


def test_too_late_to_stop_at_red():
    """10 m/s, 4 m before the line: stopping would take 12.5 m/s^2."""
    stop = {"signals": (7,), "stop_line": np.array([[90.0, -2.0], [90.0, 2.0]])}
    result = predict(scene(tracks([(1, 83.75, 0.0, 0.0, 10.0)]), town(**stop), signals=red(7)))
    assert result.position[0, 0, -1, 0] > 110.0


def test_stop_sign_halts_and_then_lets_go():
    stop = {"stop": True, "stop_line": np.array([[60.0, -2.0], [60.0, 2.0]])}
    result = predict(scene(tracks([(1, 40.0, 0.0, 0.0, 7.0)]), town(**stop)))
    speed = result.speed[0, 0]
    assert speed.min() < 0.5 and 0 < speed.argmin() < 60 and speed[-1] > speed.min()


def test_curves_are_taken_slowly():
    """Radius 20 m at 2.5 m/s^2: sqrt(50) = 7.07 m/s."""
    result = predict(scene(tracks([(1, 85.0, 0.0, 0.0, 10.0)]), town()))
    left = int(np.flatnonzero(result.intent[0] == Intent.TURN_LEFT)[0])
    inside = (result.position[0, left, :, 1] > 5.0) & (result.position[0, left, :, 1] < 15.0)
    assert inside.any() and result.speed[0, left, inside].max() < 8.0


def test_who_stands_alone_stays_and_may_set_off():
    result = predict(scene(tracks([(1, 50.0, 0.5, 0.1, 0.0)]), road()))
    assert np.allclose(result.position[0, 0], [50.0, 0.5]) and np.allclose(result.yaw[0, 0], 0.1)
    assert np.nanmax(result.position[0, :, -1, 0]) > 55.0


def test_off_the_road_and_against_it_turns_as_it_turned():
    rows = [(1, 50.0, 60.0, 0.0, 5.0), (1, 50.0, 0.0, np.pi, 5.0), (int(AgentClass.PEDESTRIAN), 50.0, 0.0, 0.0, 1.0)]
    result = predict(scene(tracks(rows), road()))
    assert (result.valid.sum(axis=1) == 1).all() and (result.intent[:, 0] == Intent.FREE).all()
    assert np.allclose(result.position[1, 0, -1], [20.0, 0.0])


def test_lanes_for_bicycles_are_not_for_cars():
    from behaviors_ros.datatypes import LaneKind

    rows = [(int(AgentClass.BICYCLE), 50.0, 0.0, 0.0, 4.0), (1, 150.0, 0.0, 0.0, 4.0)]
    result = predict(scene(tracks(rows), road(kind=LaneKind.BICYCLE)))
    assert result.valid[0].sum() > 1 and result.valid[1].sum() == 1
    assert np.nanmax(result.speed[0, 0]) < 6.1
