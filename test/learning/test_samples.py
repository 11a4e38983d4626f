"""Samples of recordings: what is in the scene, what is true, and that the future stays out of it."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, Grid
from behaviors_ros.learning.data_recording import Origin, RawRecording, RawTrack
from behaviors_ros.learning.data_resample import Resampling, resampled
from behaviors_ros.learning.samples import Windows, samples
from behaviors_ros.prediction.history import updated

ORIGIN = Origin("made", "one", "nowhere", "none")
GRID = Grid(0.1, 21)


def track(name, time_s, x, y=0.0, kind=AgentClass.CAR):
    time_s = np.asarray(time_s, float)
    position = np.column_stack([x, np.full(len(time_s), y)])
    return RawTrack(name, int(kind), 4.0, 2.0, time_s, position, np.full(len(time_s), np.nan))


def recording(*tracks, **settings):
    return resampled(RawRecording(ORIGIN, tracks), Resampling(**settings))


def steady(name, first, count, speed, y=0.0):
    time_s = (first + np.arange(count)) * 0.1
    return track(name, time_s, speed * time_s, y)


def test_scene_and_truth():
    """40 steps at 10 m/s, samples each 1 s from 1 s on: 10 m, 20 m, 30 m; truth 2 s on ends at 3.9 s."""
    found = list(samples(recording(steady("a", 0, 40, 10.0)), GRID, Windows(every_s=1.0)))
    assert [each.scene.stamp_ns for each in found] == [10**9, 2 * 10**9, 3 * 10**9]
    assert np.allclose([each.scene.tracks.position[0, 0] for each in found], [10.0, 20.0, 30.0])
    assert np.allclose(found[1].scene.tracks.velocity, [[10.0, 0.0]])
    assert np.allclose(found[1].future[0, :20, 0], 20.0 + np.arange(20)) and np.isnan(found[1].future[0, 20]).all()


def test_history_is_what_the_node_would_hold():
    """Fed through `prediction.history.updated` step by step: one comes late, one goes, one is back after a gap."""
    gone_and_back = np.r_[np.arange(0, 12), np.arange(25, 50)] * 0.1
    made = recording(steady("a", 0, 50, 10.0), steady("b", 15, 35, 5.0, 4.0), steady("c", 0, 22, 7.0, 8.0),
                     track("d", gone_and_back, gone_and_back, 12.0))  # fmt: skip
    windows = Windows(every_s=0.1, least_past_s=0.0)
    history = None
    for each in samples(made, GRID, windows):
        history = updated(history, each.scene.tracks, 31)
        given = each.scene.history
        assert given.id[: len(each.scene.tracks)] == each.scene.tracks.id and set(given.id) == set(history.id)
        order = [history.id.index(name) for name in given.id]
        assert np.array_equal(given.valid, history.valid[order])
        for name in ("position", "yaw", "speed"):
            assert np.allclose(getattr(given, name), getattr(history, name)[order], equal_nan=True)


@pytest.mark.parametrize("period", [0.1, 0.4, 1.0 / 24.0, 1.0 / 30.0])
def test_no_future_in_the_scene(period):
    """What is recorded after the instant is moved by kilometres: no number of the scene changes."""
    generator = np.random.default_rng(1)
    time_s = np.arange(0.0, 12.0, period)
    walks = [np.cumsum(generator.normal(0.1, 0.05, len(time_s))) for _ in range(3)]
    before = recording(*(track(str(k), time_s, x, k) for k, x in enumerate(walks)))
    windows = Windows(every_s=0.8, least_past_s=0.4)
    for one in samples(before, GRID, windows):
        now_s = one.scene.stamp_ns * 1e-9
        after = time_s > now_s + 0.03 + 1e-6  # within the tolerated jitter a state counts as of the instant
        moved = [np.where(after, x + 20.0 * (time_s - now_s), x) for x in walks]
        other = next(each for each in samples(recording(*(track(str(k), time_s, x, k) for k, x in enumerate(moved))),
                                              GRID, windows) if each.scene.stamp_ns == one.scene.stamp_ns)  # fmt: skip
        for name in ("position", "yaw", "velocity", "acceleration", "yaw_rate"):
            assert np.array_equal(getattr(one.scene.tracks, name), getattr(other.scene.tracks, name))
        for name in ("position", "yaw", "speed", "valid"):
            assert np.array_equal(getattr(one.scene.history, name), getattr(other.scene.history, name), equal_nan=True)


def test_truth_of_agents_seen_long_enough_only():
    made = recording(steady("long", 0, 60, 10.0), steady("late", 15, 45, 5.0, 4.0))
    first, second = list(samples(made, GRID, Windows(every_s=1.0)))[1:3]
    assert np.isfinite(first.future[:, 10, 0]).tolist() == [True, False]
    assert np.isfinite(second.future[:, 10, 0]).tolist() == [True, True]
    long_truth = list(samples(made, GRID, Windows(every_s=1.0, least_future_s=2.0)))
    assert np.isfinite(long_truth[3].future[:, 0, 0]).tolist() == [False, False]  # at 4 s: 1.9 s are left


def test_slow_recordings_are_sampled_at_their_own_instants():
    """Seen at 0, 0.4, 0.8 ... s; asked for each 0.5 s from 0: taken at the next one seen."""
    time_s = np.arange(20) * 0.4
    found = samples(recording(track("a", time_s, time_s)), GRID, Windows(every_s=0.5, least_past_s=0.0))
    assert [round(each.scene.stamp_ns * 1e-9, 1) for each in found][:5] == [0.0, 0.8, 1.2, 1.6, 2.0]


def test_ids_differ_between_recordings():
    one = recording(steady("a", 0, 40, 10.0))
    other = replace(one, origin=replace(ORIGIN, name="two"))
    ids = [next(iter(samples(each, GRID))).scene.tracks.id for each in (one, other)]
    assert ids[0] != ids[1] and len(ids[0][0]) == 32


def test_nobody_no_samples():
    assert list(samples(recording(), GRID)) == []
