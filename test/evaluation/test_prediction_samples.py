"""Samples from recordings."""

import numpy as np

from behaviors_ros.datatypes import AgentClass, Grid, LaneMap
from behaviors_ros.evaluation.prediction_samples import Sampling, recorded_samples
from behaviors_ros.maps.commonroad import CommonRoadDocument
from behaviors_ros.maps.commonroad_traffic import RecordedObstacle


def recorded(number, first, count, speed):
    """A car that drives along x from step `first`, x = speed x step x 0.1 s."""
    time = np.arange(first, first + count)
    position = np.stack([speed * 0.1 * time, np.full(count, float(number))], axis=1)
    return RecordedObstacle(
        number,
        AgentClass.CAR,
        "dynamic",
        4.0,
        2.0,
        time,
        position,
        np.zeros(count),
        np.full(count, speed),
        np.zeros(count),
    )


def document(*obstacles):
    return CommonRoadDocument("test", LaneMap("none", {}), 0.1, obstacles, (), (), {})


SAMPLING = Sampling(every_s=1.0, history_s=1.0, window_s=0.5)


def test_truth_is_what_was_recorded_next():
    """40 steps at 10 m/s: samples at 1, 2, 3 s; at 2 s it is at 20 m, a second later at 30 m, and not known after 3.9
    s.
    """
    samples = list(recorded_samples(document(recorded(1, 0, 40, 10.0)), Grid(0.1, 31), SAMPLING, set()))
    assert len(samples) == 3
    second = samples[1]
    assert second.scene.tracks.position.tolist() == [[20.0, 1.0]] and second.scene.tracks.velocity.tolist() == [
        [10.0, 0.0]
    ]
    assert np.allclose(second.future[0, :20, 0], 20.0 + np.arange(20)) and np.isnan(second.future[0, 20:]).all()


def test_other_steps_of_the_grid():
    samples = list(recorded_samples(document(recorded(1, 0, 40, 10.0)), Grid(0.25, 5), SAMPLING, set()))
    assert np.allclose(samples[0].future[0, :, 0], [10.0, 12.5, 15.0, 17.5, 20.0])


def test_a_short_history_is_in_the_scene_without_truth():
    obstacles = (recorded(1, 0, 40, 10.0), recorded(2, 8, 30, 5.0))
    first = next(iter(recorded_samples(document(*obstacles), Grid(0.1, 11), SAMPLING, set())))
    assert len(first.scene.tracks) == 2
    assert np.isfinite(first.future[0]).all() and np.isnan(first.future[1]).all()


def test_the_same_state_counts_once():
    seen = set()
    for expected in (3, 0):
        samples = recorded_samples(document(recorded(1, 0, 40, 10.0)), Grid(0.1, 6), SAMPLING, seen)
        assert sum(np.isfinite(sample.future[:, 5, 0]).sum() for sample in samples) == expected


def test_nothing_moving_no_samples():
    assert list(recorded_samples(document(), Grid(), SAMPLING, set())) == []
