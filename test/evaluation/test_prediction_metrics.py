"""Prediction metrics against hand-computed values."""

import math

import numpy as np
import pytest

from behaviors_ros.datatypes import Predictions
from behaviors_ros.evaluation import prediction_metrics as metrics


def two_modes(probability=(0.75, 0.25), variance=1.0):
    """One agent, steps 0, 1, 2: mode 0 goes 1 m a step along x, mode 1 stays; a third mode is not valid."""
    position = np.full((1, 3, 3, 2), np.nan)
    position[0, 0] = [[0, 0], [1, 0], [2, 0]]
    position[0, 1] = 0.0
    covariance = np.full((1, 3, 3, 2, 2), np.nan)
    covariance[0, :2] = np.eye(2) * variance
    nothing = np.full((1, 3, 3), np.nan)
    return Predictions(
        0, np.arange(3) * 0.1, ("a",), np.ones(1, int), np.ones(1), np.ones(1), np.array([[True, True, False]]),
        np.array([[*probability, 0.0]]), np.zeros((1, 3), int), position, nothing, nothing, covariance,
    )  # fmt: skip


def future(*points):
    return np.array([[[0.0, 0.0], *points]])


def test_displacements():
    """Truth (0, 3), (2, 4). Mode 0: sqrt(1 + 9) = 3.162, 4; mode 1: 3, sqrt(4 + 16) = 4.472."""
    truth = future([0.0, 3.0], [2.0, 4.0])
    predictions = two_modes()
    assert metrics.min_fde(predictions, truth, 2, 1) == pytest.approx([4.0])
    assert metrics.min_fde(predictions, truth, 1, 3) == pytest.approx([3.0])
    assert metrics.min_ade(predictions, truth, 2, 1) == pytest.approx([(math.sqrt(10.0) + 4.0) / 2.0])  # 3.581
    assert metrics.min_ade(predictions, truth, 2, 3) == pytest.approx(
        [(math.sqrt(10.0) + 4.0) / 2.0]
    )  # (3 + 4.472) / 2 = 3.736
    assert metrics.min_ade(predictions, truth, 1, 2) == pytest.approx([3.0])


def test_the_likeliest_mode_counts_for_k_1():
    truth = future([1.0, 0.0], [2.0, 0.0])
    assert metrics.min_fde(two_modes((0.4, 0.6)), truth, 2, 1) == pytest.approx([2.0])
    assert metrics.min_fde(two_modes((0.5, 0.5)), truth, 2, 1) == pytest.approx([0.0])


def test_unknown_truth_is_nan_and_does_not_count():
    truth = future([1.0, 0.0], [np.nan, np.nan])
    assert np.isnan(metrics.min_fde(two_modes(), truth, 2, 3)).all()
    assert metrics.min_ade(two_modes(), truth, 2, 1) == pytest.approx([0.0])
    assert np.isnan(metrics.brier_min_fde(two_modes(), truth, 2, 3)).all()
    assert np.isnan(metrics.region_level(two_modes(), truth, 2)).all()
    assert not metrics.nearest(two_modes(), truth, 2).any()


def test_miss_rate():
    """Of 0.5, 1.9, 2.1 and 7 m two are beyond 2 m; the unknown one does not count."""
    assert metrics.missed(np.array([0.5, 1.9, 2.1, 7.0, np.nan])) == 0.5
    assert math.isnan(metrics.missed(np.array([np.nan])))


def test_brier_min_fde():
    """Truth at the standing mode: 0 + (1 - 0.25)^2 = 0.5625."""
    assert metrics.brier_min_fde(two_modes(), future([0.0, 0.0], [0.0, 0.0]), 2, 3) == pytest.approx([0.5625])


def test_negative_log_likelihood():
    """Truth at mode 0, 2 m from mode 1, unit covariance: density = (0.75 + 0.25 exp(-2)) / 2 pi = 0.12475."""
    density = (0.75 + 0.25 * math.exp(-2.0)) / (2.0 * math.pi)
    assert metrics.negative_log_likelihood(two_modes(), future([1.0, 0.0], [2.0, 0.0]), 2) == pytest.approx(
        [-math.log(density)]
    )


def test_region_level_of_one_gaussian_is_exact():
    """Truth sqrt(2 ln 2) = 1.177 sigma away lies on the edge of the 50 % region of a 2-D Gaussian."""
    predictions = two_modes()
    predictions.valid[0, 1], predictions.probability[0] = False, [1.0, 0.0, 0.0]
    truth = future([1.0, 0.0], [2.0, math.sqrt(2.0 * math.log(2.0))])
    assert metrics.region_level(predictions, truth, 2) == pytest.approx([0.5])


def test_region_level_of_a_mixture():
    """Variances of 1e-4 m^2 keep the modes apart. At the centre of the heavy mode nothing is denser; at the centre of
    the light mode, as dense as 1/3 of the heavy peak: denser are those of mode 0 within exp(-m^2 / 2) > 1/3, 2/3 of
    its 0.75.
    """
    predictions = two_modes(variance=1e-4)
    assert metrics.region_level(predictions, future([1.0, 0.0], [2.0, 0.0]), 2) == pytest.approx([0.0])
    assert metrics.region_level(predictions, future([0.0, 0.0], [0.0, 0.0]), 2, 4000) == pytest.approx([0.5], abs=0.03)
    assert metrics.region_level(predictions, future([0.0, 0.0], [50.0, 0.0]), 2) == pytest.approx([1.0])


def test_coverage():
    assert metrics.coverage(np.array([0.1, 0.4, 0.6, 0.95, np.nan]), 0.5) == 0.5
    assert metrics.coverage(np.array([0.1, 0.4, 0.6, 0.95, np.nan]), 0.9) == 0.75


def test_expected_calibration_error():
    """Ten bins. Bin 2: 0.2 twice, half happened: |0.2 - 0.5| x 2. Bin 9: 0.9 and 1.0, both happened: |0.95 - 1| x 2.
    (0.6 + 0.1) / 4 = 0.175.
    """
    error = metrics.expected_calibration_error(np.array([0.2, 0.2, 0.9, 1.0]), np.array([True, False, True, True]))
    assert error == pytest.approx(0.175)
