"""Recorded tracks on the grid of 0.1 s."""

import numpy as np

from behaviors_ros.datatypes import AgentClass
from behaviors_ros.learning.data_recording import Origin, RawRecording, RawTrack
from behaviors_ros.learning.data_resample import Resampling, backward_velocity, heading_of, resampled

ORIGIN = Origin("made", "one", "nowhere", "none")


def raw(time_s, x, yaw=np.nan):
    time_s, x = np.asarray(time_s, float), np.asarray(x, float)
    position = np.column_stack([x, np.zeros(len(x))])
    return RawTrack("a", int(AgentClass.CAR), 4.0, 2.0, time_s, position, np.full(len(x), yaw))


def grid(track, **settings):
    return resampled(RawRecording(ORIGIN, (track,)), Resampling(**settings))


def test_states_on_the_grid_stay_as_they_are():
    made = grid(raw(np.arange(10) * 0.1, 0.1 * np.arange(10) ** 2))
    assert made.start.tolist() == [0] and np.allclose(made.position[:, 0], 0.1 * np.arange(10) ** 2) and made.seen.all()


def test_jitter_moves_a_state_along_its_velocity():
    """10 m/s, the fourth state 20 ms late at 3.2 m: at 0.3 s it was at 3.0 m."""
    time_s = np.arange(10) * 0.1
    time_s[3] += 0.02
    made = grid(raw(time_s, 10.0 * time_s))
    assert np.allclose(made.position[:, 0], np.arange(10.0)) and made.seen.all() and (made.quality == 1.0).all()


def test_gaps_are_filled_and_marked():
    """States at 0, 0.4, ..., 1.6 s: between them a quarter of the quality, and not seen."""
    made = grid(raw(np.arange(5) * 0.4, np.arange(5) * 0.4))
    assert np.allclose(made.position[:, 0], np.arange(17) * 0.1)
    assert np.flatnonzero(made.seen).tolist() == [0, 4, 8, 12, 16]
    assert np.allclose(made.quality[[1, 2, 3]], 0.25) and np.allclose(made.quality[made.seen], 1.0)


def test_long_gaps_stay_empty():
    made = grid(raw(np.r_[np.arange(6), np.arange(16, 22)] * 0.1, np.zeros(12)), gap_s=0.65)
    assert np.isnan(made.position[6:16]).all() and (made.quality[6:16] == 0.0).all() and not made.seen[6:16].any()


def test_a_jump_begins_a_new_track():
    """0.1 s and 30 m are 300 m/s: two road users under one name."""
    made = grid(raw(np.arange(20) * 0.1, np.r_[np.arange(10), np.arange(10) + 40.0]))
    assert made.id == ("a", "a.1") and made.start.tolist() == [0, 10] and made.count.tolist() == [10, 10]


def test_short_tracks_are_counted_and_dropped():
    made = grid(raw([0.0, 0.1], [0.0, 0.1]))
    assert len(made) == 0 and made.dropped == {"track too short": 1}


def test_quality_of_impossible_changes():
    """From 0 to 10 m/s within 0.1 s are 100 m/s^2: at a limit of 10 the quality is a tenth."""
    made = grid(raw(np.arange(10) * 0.1, np.r_[np.zeros(6), 1.0, 2.0, 3.0, 4.0]), acceleration_max_mps2=10.0)
    assert np.allclose(made.quality, np.where(np.arange(10) == 6, 0.1, 1.0))


def test_velocity_is_a_difference_to_the_past():
    """x = t^2 / 2 in steps of 0.1 s: over 2 steps (x_k - x_k-2) / 0.2 s; then over 1; then nothing is known."""
    position = np.column_stack([0.5 * (0.1 * np.arange(6)) ** 2, np.zeros(6)])
    velocity = backward_velocity(position, 2)[:, 0]
    assert np.allclose(velocity, [0.0, 0.05, 0.1, 0.2, 0.3, 0.4])


def test_heading_is_kept_while_standing():
    velocity = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 2.0]])
    assert np.allclose(heading_of(np.full(4, np.nan), velocity, 0.3), [0.0, np.pi / 4, np.pi / 4, np.pi / 2])
    assert np.allclose(
        heading_of(np.array([1.0, np.nan, 2.0, np.nan]), velocity, 0.3), [1.0, np.pi / 4, 2.0, np.pi / 2]
    )


def test_rows_of_steps():
    made = resampled(
        RawRecording(ORIGIN, (raw(np.arange(10) * 0.1, np.zeros(10)), raw(np.arange(5, 15) * 0.1, np.zeros(10))))
    )
    assert made.rows(np.array([0, 1]), np.array([4, 5, 14])).tolist() == [[4, 5, -1], [-1, 10, 19]]
    assert made.steps == 15 and made.step_of_row().tolist() == [*range(10), *range(5, 15)]
    assert made.track_of_row().tolist() == [0] * 10 + [1] * 10
