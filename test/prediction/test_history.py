"""Track history: bins of 0.1 s, ids, gaps."""

from dataclasses import replace

import numpy as np
from prediction_scenes import tracks

from behaviors_ros.prediction.history import jumped, updated

MS = 1_000_000


def at(milliseconds, rows, ids):
    """Tracks at a time; rows (x, speed) by id."""
    agents = tracks([(1, x, 0.0, 0.0, speed) for x, speed in rows], milliseconds * MS)
    return replace(agents, id=tuple(ids))


def test_first_tracks():
    history = updated(None, at(0, [(1.0, 2.0)], "a"), 3)
    assert history.id == ("a",) and history.valid.tolist() == [[False, False, True]]
    assert history.position[0, 2].tolist() == [1.0, 0.0] and history.speed[0, 2] == 2.0
    assert np.isnan(history.position[0, :2]).all() and np.isnan(history.yaw[0, :2]).all()


def test_states_move_back_one_bin_every_tenth_of_a_second():
    history = None
    for step in range(5):
        history = updated(history, at(100 * step, [(float(step), 1.0)], "a"), 3)
    assert history.position[0, :, 0].tolist() == [2.0, 3.0, 4.0]
    assert history.stamp_ns == 400 * MS


def test_a_missed_cycle_is_a_gap():
    history = updated(None, at(0, [(0.0, 1.0)], "a"), 4)
    history = updated(history, at(200, [(2.0, 1.0)], "a"), 4)
    assert history.valid.tolist() == [[False, True, False, True]]
    assert np.isnan(history.position[0, 2]).all()


def test_rows_follow_ids_and_who_is_gone_is_remembered_for_the_axis():
    history = updated(None, at(0, [(1.0, 0.0), (2.0, 0.0)], "ab"), 3)
    history = updated(history, at(100, [(2.5, 0.0)], "b"), 3)
    assert history.id == ("b", "a")
    assert history.valid.tolist() == [[False, True, True], [False, True, False]]
    history = updated(history, at(200, [(1.5, 0.0), (3.0, 0.0)], "ac"), 3)
    assert history.id == ("a", "c", "b")
    assert history.position[0, [0, 2], 0].tolist() == [1.0, 1.5] and not history.valid[0, 1]
    history = updated(history, at(500, [], ""), 3)
    assert history.id == () and history.valid.shape == (0, 3)


def test_tracks_at_twenty_hertz_do_not_drift():
    """x = 10 t: after 1 s, the state of the bin 0.5 s ago lies within half a bin of 5 m behind."""
    history = None
    for step in range(21):
        history = updated(history, at(50 * step, [(0.5 * step, 10.0)], "a"), 11)
    assert history.valid.all()
    assert np.abs(np.diff(history.position[0, :, 0]) - 1.0).max() <= 0.5 + 1e-9
    assert abs(history.position[0, -1, 0] - history.position[0, 5, 0] - 5.0) <= 0.5 + 1e-9


def test_jitter_around_the_bins_makes_no_gaps():
    history = None
    for step, late in enumerate((0, 13, -20, 30, -7, 4)):
        history = updated(history, at(1000 + 100 * step + late, [(float(step), 1.0)], "a"), 6)
    assert history.valid.all() and history.position[0, :, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_older_tracks_start_anew_and_positions_not_finite_are_gaps():
    history = updated(None, at(300, [(1.0, 0.0)], "a"), 3)
    assert updated(history, at(100, [(0.0, 0.0)], "a"), 3).valid.tolist() == [[False, False, True]]
    assert updated(history, at(400, [(np.nan, 0.0)], "a"), 3).valid.tolist() == [[False, True, False]]


def test_the_old_history_stays_as_it_was():
    first = updated(None, at(0, [(1.0, 0.0)], "a"), 3)
    updated(first, at(100, [(2.0, 0.0)], "a"), 3)
    assert first.position[0, 2, 0] == 1.0 and first.valid.tolist() == [[False, False, True]]


def test_another_length_of_the_axis():
    history = updated(None, at(0, [(1.0, 0.0)], "a"), 2)
    assert updated(history, at(100, [(2.0, 0.0)], "a"), 5).valid.tolist() == [[False, False, False, True, True]]
    assert updated(history, at(100, [(2.0, 0.0)], "a"), 1).position[0, :, 0].tolist() == [2.0]


def test_a_track_that_is_not_where_its_speed_led_has_jumped():
    before = at(0, [(0.0, 20.0), (50.0, 0.0)], "ab")
    assert not jumped(None, before, 5.0)
    for milliseconds, rows, ids, found in (
        (100, [(2.0, 20.0), (50.0, 0.0)], "ab", False), (500, [(10.0, 20.0)], "a", False),
        (100, [(9.0, 20.0), (50.0, 0.0)], "ab", True), (100, [(50.0, 0.0), (2.0, 20.0)], "ab", True),
        (100, [(300.0, 20.0)], "c", False), (1500, [(300.0, 20.0)], "a", False),
    ):  # fmt: skip
        assert jumped(before, at(milliseconds, rows, ids), 5.0) == found, (milliseconds, rows, ids)
