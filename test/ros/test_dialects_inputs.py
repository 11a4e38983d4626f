"""Dialects in: traffic lights, route, who drives."""

import math
from collections import Counter

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from standins import NS, pose_at

from behaviors_ros.datatypes import (
    Goal,
    Lane,
    LaneKind,
    LaneMap,
    SignalColor,
)
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros import conversion
from behaviors_ros.ros.dialects import (
    autoware_engagement,
    autoware_route,
    autoware_signals,
)

VEHICLE = Vehicle()
F32 = {"rtol": 1e-6, "atol": 1e-6}


# --- signals, route, engagement in -----------------------------------------------------------------------------------

RED, AMBER, GREEN, WHITE, CIRCLE, LEFT, OFF, ON = 1, 2, 3, 4, 1, 2, 1, 2


def lights(types, *groups, coming=()):
    """(colours by group, seconds to the change, counted) of groups of (id, elements of (color, shape, status))."""
    told = types.package("autoware_perception_msgs", "TrafficLightGroupArray", "TrafficLightGroup",
                         "TrafficLightElement", "PredictedTrafficLightState")  # fmt: skip

    def element(color, shape=CIRCLE, status=ON):
        return told.TrafficLightElement(color=color, shape=shape, status=status, confidence=1.0)

    predictions = [
        told.PredictedTrafficLightState(
            predicted_stamp=conversion.time_message(round(at * NS)), simultaneous_elements=[element(color)],
            reliability=reliability,
        )
        for at, color, reliability in coming
    ]  # fmt: skip
    message = told.TrafficLightGroupArray(stamp=Time(sec=5), traffic_light_groups=[
        told.TrafficLightGroup(traffic_light_group_id=group, elements=[element(*e) for e in elements],
                               predictions=predictions)
        for group, elements in groups
    ])  # fmt: skip
    counts = Counter()
    found = autoware_signals.signals(types.carried(message), autoware_signals.AutowareSignalsParameters(), counts)
    back = conversion.signals(conversion.signals_message(found))
    return {group: back.color_of(group) for group in back.id}, back.next_change_s, counts


def test_signals_show_the_most_restrictive_colour_that_is_lit(types):
    colors, change, counts = lights(
        types, (7, [(GREEN,)]), (8, [(RED,), (GREEN, LEFT)]), (9, [(RED, CIRCLE, OFF), (GREEN,)]),
        (10, [(GREEN, LEFT)]), (11, []), (12, [(WHITE,)]), (13, [(RED,), (AMBER,)]), (14, [(GREEN,)]), (14, [(AMBER,)]),
    )  # fmt: skip
    assert colors == {
        7: SignalColor.GREEN, 8: SignalColor.RED, 9: SignalColor.GREEN, 10: SignalColor.GREEN, 11: SignalColor.UNKNOWN,
        12: SignalColor.UNKNOWN, 13: SignalColor.RED, 14: SignalColor.AMBER,
    }  # fmt: skip
    assert counts == {"elements of a colour not known": 1} and np.isnan(change).all()


def test_the_first_reliable_change_of_colour_is_told(types):
    coming = ((4.0, RED, 1.0), (6.0, GREEN, 1.0), (6.5, RED, 0.1), (8.25, AMBER, 0.9), (9.0, RED, 0.9))
    assert lights(types, (7, [(GREEN,)]), coming=coming)[1][0] == 3.25  # amber at 8.25 s, seen at 5 s


def lanes():
    """Two lanes side by side, 1 and 2, and behind each 11 and 12."""
    line = np.array([[0.0, 0.0], [10.0, 0.0]])

    def lane(name, successors=(), left=None, right=None):
        return Lane(name, LaneKind.ROAD, line, line, line, successors=successors, left=left, right=right)

    return LaneMap("two", {1: lane(1, (11,), left=2), 2: lane(2, (12,), right=1), 11: lane(11, left=12), 12: lane(12)})


def route(types, *segments, lane_map=None, goal=(100.0, 5.0, math.pi / 2)):
    told = types.package("autoware_planning_msgs", "LaneletRoute", "LaneletSegment", "LaneletPrimitive")

    def primitive(name):
        return told.LaneletPrimitive(id=name, primitive_type="lane")

    made = [told.LaneletSegment(preferred_primitive=primitive(first), primitives=[primitive(i) for i in beside])
            for first, beside in segments]  # fmt: skip
    message = told.LaneletRoute(header=conversion.header(3 * NS), start_pose=pose_at(1.0, 2.0),
                                goal_pose=pose_at(*goal), segments=made)  # fmt: skip
    return autoware_route.route(types.carried(message), lane_map, VEHICLE, 0.25)


def test_the_route_is_the_preferred_lanes_and_the_goal_of_the_box(types):
    message = route(types, (1, (1, 2)), (11, (11, 12)))
    assert list(message.lane_id) == [1, 11] and (message.start_x, message.start_y) == (1.0, 2.0)
    assert conversion.nanoseconds(message.header.stamp) == 3 * NS
    goal = conversion.goal(message)
    # The box centre is 4.5 / 2 - 0.9 = 1.35 m ahead of the rear axle, that is north.
    np.testing.assert_allclose(goal.position, [100.0, 6.35])
    np.testing.assert_allclose(goal.yaw, (math.pi / 2 - 0.25, math.pi / 2 + 0.25), **F32)
    assert isinstance(goal, Goal) and goal.polygon is None and goal.speed is None


def test_a_lane_that_lies_diagonally_behind_the_one_before_is_joined_on_the_map(types):
    segments = ((1, (1, 2)), (12, (11, 12)))
    assert list(route(types, *segments, lane_map=lanes()).lane_id) == [1, 2, 12]
    assert list(route(types, *segments).lane_id) == [1, 12]  # without a map as told: the planning nodes refuse it


@pytest.mark.parametrize("bad", [{"goal": (math.nan, 0.0)}, {}])
def test_a_route_that_leads_nowhere_is_refused(types, bad):
    with pytest.raises(InputError, match="autoware_route"):
        route(types, *([(1, (1,))] if bad else []), **bad)


def test_engaged_means_that_nothing_is_left_to_a_driver(types):
    told = types.package("autoware_vehicle_msgs", "ControlModeReport")
    found = [autoware_engagement.engagement(told.ControlModeReport(stamp=Time(sec=4), mode=mode)) for mode in range(7)]
    assert [message.engaged for message in found] == [False, True, False, False, False, False, False]
    assert found[0].header.stamp.sec == 4
    with pytest.raises(InputError, match="mode: is 9"):
        autoware_engagement.engagement(told.ControlModeReport(mode=9))
