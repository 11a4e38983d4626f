"""Who has kept its speed for 1 to 2 s on a free road is expected to go on with it."""

from dataclasses import replace

import numpy as np
import pytest
from prediction_scenes import lane, scene, straight_line, tracks

import behaviors_ros.prediction.interface  # noqa: F401
from behaviors_ros import registry
from behaviors_ros.datatypes import Grid, LaneMap, TrackHistory
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.agents import agents_now

ROAD = LaneMap("road", {1: lane(1, straight_line((0, 0), (400, 0)))})


def seen(speeds, past=31, rows=((1, 50.0, 0.0, 0.0, 8.0),), valid=None):
    """A scene whose first agent had these speeds, oldest first, up to now; before them it was not seen."""
    now = scene(tracks(list(rows)), ROAD)
    shape = (len(rows), past)
    speed, known = np.full(shape, np.nan), np.zeros(shape, bool)
    speed[0, past - len(speeds) :] = speeds
    known[0, past - len(speeds) :] = True if valid is None else valid
    history = TrackHistory(0, now.tracks.id, np.full((*shape, 2), np.nan), np.zeros(shape), speed, known)
    return replace(now, history=history)


def steady(the_scene):
    return agents_now(the_scene, Vehicle()).steady.tolist()


def test_share_by_the_range_of_speeds():
    # 1 - range / 0.6 m/s over the last 20 tenths of a second.
    assert steady(seen(np.full(31, 8.0))) == [1.0]
    assert steady(seen(np.where(np.arange(31) < 20, 8.0, 8.3))) == pytest.approx([0.5])
    assert steady(seen(np.where(np.arange(31) < 20, 8.0, 7.0))) == [0.0]
    # What is older does not count: the last 20 of 31 begin at 11.
    assert steady(seen(np.where(np.arange(31) < 11, 2.0, 8.0))) == [1.0]
    assert steady(seen(np.where(np.arange(31) < 12, 2.0, 8.0))) == [0.0]


def test_not_known_for_long():
    # Known for at least 1 s, which is then the time that counts: 1 - 0.15 / (0.3 x 1).
    assert steady(seen(np.full(9, 8.0))) == [0.0]
    assert steady(seen(np.full(10, 8.0))) == [1.0]
    assert steady(seen(np.where(np.arange(10) < 5, 8.0, 8.15))) == pytest.approx([0.5])
    assert steady(seen(np.full(12, 8.0), past=12)) == [1.0]
    assert steady(seen(np.full(9, 8.0), past=9)) == [0.0]
    assert steady(replace(seen(np.full(31, 8.0)), history=None)) == [0.0]


def test_what_is_before_a_gap_does_not_count():
    speeds, hole = np.where(np.arange(31) < 20, 2.0, 8.0), np.ones(31, bool)
    for missing, share in ((20, 1.0), (25, 0.0)):
        hole[missing] = False
        assert steady(seen(speeds, valid=hole)) == [share]


def test_a_speed_that_is_no_number_is_not_steady():
    for number in (np.nan, np.inf):
        assert steady(seen(np.where(np.arange(31) == 25, number, 8.0))) == [0.0]


def test_rows_go_by_id():
    rows = ((1, 50.0, 0.0, 0.0, 8.0), (1, 150.0, 0.0, 0.0, 8.0))
    now = seen(np.full(31, 8.0), rows=rows)
    assert steady(now) == [1.0, 0.0]
    turned = now.tracks.take(np.array([1, 0]))
    assert steady(replace(now, tracks=turned)) == [0.0, 1.0]


def likeliest(the_scene, **following):
    """Way of the likeliest mode in 6 s, m."""
    found = registry.create("predictor", "lane_following", {"following": following}, Vehicle()).predict(
        the_scene, Grid()
    )
    mode = int(found.probability[0].argmax())
    return float(found.position[0, mode, -1, 0] - found.position[0, mode, 0, 0])


def farthest(the_scene):
    """Way of the mode that gets farthest in 6 s, m."""
    found = registry.create("predictor", "lane_following", {}, Vehicle()).predict(the_scene, Grid())
    return float(np.nanmax(found.position[0, :, -1, 0] - found.position[0, :, 0, 0]))


def test_on_a_free_road_it_goes_on_so():
    # 8 m/s for 6 s: 48 m. Not known, it is expected to speed up towards the limit of 13.89 m/s.
    unknown, known = replace(seen(np.full(31, 8.0)), history=None), seen(np.full(31, 8.0))
    assert likeliest(known) == pytest.approx(48.0, abs=0.05)
    assert likeliest(unknown) > 49.0
    # The faster mode is as much faster as a fifth of 1 m/s^2 makes it: 0.2 x 6^2 / 2 = 3.6 m, less what IDM takes back.
    assert 0.5 < farthest(known) - 48.0 < 3.6 < farthest(unknown) - likeliest(unknown) + 1.5


def test_who_stands_goes_on_standing_but_its_faster_mode_does_not():
    # All it may want is a fifth of 3.5 m/s: less than 0.7 x 6 = 4.2 m.
    standing = seen(np.zeros(31), rows=((1, 50.0, 0.0, 0.0, 0.0),))
    assert likeliest(standing) == pytest.approx(0.0, abs=0.05)
    assert 0.3 < farthest(standing) < 4.2


def test_behind_a_leader_its_speed_does_not_say_what_it_wants():
    # 8 m ahead of its front, less than 3 s at 8 m/s.
    rows = ((1, 50.0, 0.0, 0.0, 8.0), (1, 62.5, 0.0, 0.0, 8.0))
    known = seen(np.full(31, 8.0), rows=rows)
    assert likeliest(known) == pytest.approx(likeliest(replace(known, history=None)), abs=1e-9)


def test_a_leader_far_ahead_leaves_the_road_free():
    # At 3 m/s: 4.5 m between the boxes are less than 10 m, 12.5 m are more.
    speeds = np.full(31, 3.0)
    near, far = (((1, 50.0, 0.0, 0.0, 3.0), (1, x, 0.0, 0.0, 3.5)) for x in (59.0, 67.0))
    assert likeliest(seen(speeds, rows=far)) == pytest.approx(18.0, abs=0.05)
    assert likeliest(seen(speeds, rows=near)) > 18.5


@pytest.mark.filterwarnings("error")
def test_a_speed_without_bounds_is_not_steady():
    assert steady(seen(np.full(31, np.inf))) == [0.0]
