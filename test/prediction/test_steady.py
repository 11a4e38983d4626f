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


@pytest.mark.filterwarnings("error")
def test_a_speed_that_is_no_number_is_not_steady():
    assert steady(seen(np.full(31, np.inf))) == [0.0]
