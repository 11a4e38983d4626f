"""When a goal counts as reached. The box centre is 1.35 m ahead of the rear axle: at (1.35, 0) here."""

import numpy as np

from behaviors_ros.datatypes import EgoState, Goal
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.arrival import Arrival, arrived

FAR = np.array([100.0, 50.0])
SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def there(goal, speed=5.0, yaw=0.0, time_s=3.0):
    return arrived(goal, EgoState(0, np.zeros(2), yaw, speed), time_s, Vehicle(), Arrival())


def test_anywhere_asks_for_the_rest_only():
    assert there(Goal(FAR, anywhere=True))
    assert there(Goal(FAR, anywhere=True, time=(3.0, 4.0), speed=(4.0, 6.0), yaw=(-0.1, 0.1)))
    assert not there(Goal(FAR, anywhere=True, time=(3.5, 4.0)))
    assert not there(Goal(FAR, anywhere=True, speed=(0.0, 4.0)))
    assert not there(Goal(FAR, anywhere=True, yaw=(0.1, 0.3)))
    # Not even the region counts.
    assert there(Goal(FAR, FAR + SQUARE, anywhere=True))


def test_an_alternative_counts_as_well_with_what_it_asks_itself():
    here = Goal(np.array([1.35, 0.0]), SQUARE + [1.35, 0.0], time=(2.0, 4.0))
    assert there(Goal(FAR, alternatives=(here,)))
    assert there(Goal(FAR, alternatives=(Goal(FAR + 1.0), here)))
    # The time of the goal itself does not bind the alternative; its own does.
    assert there(Goal(FAR, time=(9.0, 9.5), alternatives=(here,)))
    assert not there(Goal(FAR, alternatives=(here,)), time_s=5.0)
    assert not there(Goal(FAR, alternatives=(Goal(FAR + 1.0),)))


def test_a_region_is_closed_and_counts_for_the_centre():
    # Its left edge at 1.35 m: on it. The rear axle at 0 is outside.
    assert there(Goal(FAR, SQUARE + [2.35, 0.0]))
    assert not there(Goal(FAR, SQUARE + [2.36, 0.0]))


def test_headings_across_the_seam():
    assert there(Goal(np.array([-1.35, 0.0]), yaw=(np.pi - 0.1, np.pi + 0.1)), yaw=-np.pi + 0.05)
    assert not there(Goal(np.array([-1.35, 0.0]), yaw=(np.pi - 0.1, np.pi + 0.1)), yaw=-np.pi + 0.15)
