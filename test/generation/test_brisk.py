"""Proposals along the lane with less comfort: faster away, and as if nobody were ahead."""

import numpy as np
from generation_scenes import GRID, boxes, scene, straight

from behaviors_ros import registry
from behaviors_ros.generation import interface
from behaviors_ros.parameters import Vehicle

assert interface.Generator  # importing it registers the plugins
VEHICLE = Vehicle()


def brisk(agents=(), speed=5.0, **values):
    """Speeds and accelerations of the brisk proposals, and their labels."""
    generator = registry.create("generator", "idm_proposals", values, VEHICLE)
    found = generator.generate(scene(straight(), speed=speed), boxes(list(agents)), GRID)
    rows = [row for row, label in enumerate(found.label) if "briskly" in label]
    return found.speed[rows], found.acceleration[rows], [found.label[row] for row in rows]


def test_faster_away_within_its_own_limits():
    speed, acceleration, labels = brisk()
    assert labels and all(label.startswith("keep lane") for label in labels)
    # Up to 2.2 m/s2 at 3 m/s3, reached after 0.73 s: 5 + 0.807 + 2.2 * 1.27 = 8.6 m/s after 2 s without the model's
    # easing off towards the limit, which takes some of it; the comfortable proposals have at most 1.4 m/s2, 7.8 m/s.
    assert acceleration.max() <= 2.2 + 1e-6 and acceleration.max() > 1.9
    assert np.abs(np.diff(acceleration, axis=1)).max() <= 0.1 * 3.0 + 1e-6
    assert 7.9 < speed[:, 20].max() < 8.61
    assert speed.max() <= 13.89 + 0.01


def test_behind_one_ahead_and_as_if_it_were_not_there():
    # A car 25 m ahead at 5 m/s: with it the ego comes to its speed, without it goes first, on to the limit.
    speed, _, labels = brisk([(38.6 + 2.25, 0.0, 0.0, 5.0)])
    assert len(labels) >= 2
    assert speed[:, -1].min() < 7.0 and speed[:, -1].max() > 12.0


def test_its_parameters_are_its_own():
    _, calm, _ = brisk(brisk={"acceleration_mps2": 1.0})
    assert calm.max() <= 1.0 + 1e-6
