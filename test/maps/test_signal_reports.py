"""Reports of signals that contradict each other: the stricter colour counts."""

import numpy as np
import pytest

from behaviors_ros.datatypes import SignalColor, Signals
from behaviors_ros.maps.signal_reports import agreed, held

UNKNOWN, RED, AMBER, GREEN = (int(color) for color in SignalColor)


def report(*colors, stamp_s=0.0, change_s=4.0, ids=None):
    number = len(colors)
    return Signals(round(stamp_s * 1e9), ids or tuple(range(number)), np.array(colors), np.full(number, change_s))


@pytest.mark.parametrize(
    ("colors", "counts"),
    [
        ((GREEN, RED), RED),
        ((RED, GREEN), RED),
        ((UNKNOWN, RED), RED),
        ((GREEN, UNKNOWN), UNKNOWN),
        ((GREEN, AMBER), AMBER),
    ],
)
def test_a_group_that_is_twice_in_a_message_has_the_stricter_colour(colors, counts):
    found = agreed(report(*colors, AMBER, ids=(7, 7, 8)))
    assert found.id == (7, 8) and list(found.color) == [counts, AMBER]
    assert np.isnan(found.next_change_s[0]) and found.next_change_s[1] == 4.0


def test_groups_that_are_there_once_stay_as_they_are():
    signals = report(RED, GREEN)
    assert agreed(signals) is signals


@pytest.mark.parametrize(
    ("shown", "counts"),
    [
        ((RED, GREEN), GREEN), ((GREEN, AMBER, RED), RED), ((RED, AMBER, GREEN), GREEN),
        ((GREEN, UNKNOWN, GREEN), GREEN),
        ((RED, GREEN, RED), RED), ((RED, GREEN, RED, GREEN), RED), ((GREEN, RED, GREEN), RED),
        ((RED, GREEN, RED, UNKNOWN), RED), ((AMBER, GREEN, AMBER, GREEN), AMBER), ((RED, UNKNOWN, GREEN), GREEN),
    ],
)  # fmt: skip
def test_a_group_that_turns_back_has_the_strictest_colour_it_showed(shown, counts):
    found = held([report(color, GREEN) for color in shown])
    assert list(found.color) == [counts, GREEN], "another group is not touched"
    assert np.isnan(found.next_change_s[0]) == (len(shown) > len(set(shown)) and UNKNOWN not in shown[:-1])
