"""Precision of a message."""

import numpy as np

from behaviors_ros.geometry.rounding import as_float32, on_lattice


def test_the_lattice_by_hand():
    # Quarters: 0.3 -> 0.25, 0.38 -> 0.5; halves between two go to the even multiple: 0.125 -> 0, 0.375 -> 0.5.
    values = np.array([[0.3, 0.38], [0.125, 0.375]])
    assert (on_lattice(values, 0.25) == [[0.25, 0.5], [0.0, 0.5]]).all()
    assert np.isnan(on_lattice(np.array([np.nan]), 0.25)).all() and on_lattice(np.array([np.inf]), 0.25)[0] == np.inf


def test_float32_is_what_a_message_holds():
    values = np.random.default_rng(0).normal(size=(3, 4, 5)) * 1e3
    assert (as_float32(values) == values.astype(np.float32)).all()
    assert (as_float32(values[:, :, ::2]) == values[:, :, ::2].astype(np.float32)).all()
