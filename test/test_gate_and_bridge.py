"""What the kinematic gate admits, the bridge's own check does not refuse: both look at the same quantities."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros import registry
from behaviors_ros.control.validation import Fault, Limits, validate
from behaviors_ros.datatypes import Candidates, Trajectory
from behaviors_ros.generation.generate import generate
from behaviors_ros.parameters import Vehicle
from behaviors_ros.scoring import interface

sys.path.insert(0, str(Path(__file__).parent / "generation"))
from generation_scenes import GRID, boxes, scene, straight, turn  # noqa: E402

pytestmark = pytest.mark.usefixtures("without_shape_checks")
assert interface.Gate  # importing it registers the gates
VEHICLE, LIMITS = Vehicle(), Limits()
GATE = registry.create("gate", "kinematic", {}, VEHICLE)
GENERATORS = [registry.create("generator", name, {}, VEHICLE) for name in registry.names("generator")]
NOBODY = boxes([])


def winding(rate_radps: float, since_s: float) -> Trajectory:
    """At 5 m/s; the wheel turns at a rate for 0.2 s from a time on, then holds."""
    t = GRID.time_s
    wheel = np.clip(t - since_s, 0.0, 0.2) * rate_radps
    curvature = np.tan(wheel) / VEHICLE.wheel_base_m
    yaw = np.concatenate(([0.0], np.cumsum(0.25 * (curvature[1:] + curvature[:-1]))))
    middle = 0.5 * (yaw[1:] + yaw[:-1])
    steps = 0.5 * np.column_stack((np.cos(middle), np.sin(middle)))
    position = np.vstack((np.zeros((1, 2)), np.cumsum(steps, axis=0)))
    return Trajectory(0, t, position, yaw, np.full(len(t), 5.0), np.zeros(len(t)), curvature)


def as_candidates(trajectory: Trajectory) -> Candidates:
    """The set of one."""
    names = ("position", "yaw", "speed", "acceleration", "curvature")
    columns = {name: getattr(trajectory, name)[None] for name in names}
    along = 5.0 * trajectory.time_s[None]
    return Candidates(
        0, trajectory.time_s, ("test",), ("test",), np.zeros(1, bool), s=along, d=np.zeros_like(along), **columns
    )


# 0.6 rad/s is the vehicle's; in the first 0.5 s 1.5 times as much may be left of what is measured: 0.9 rad/s.
@pytest.mark.parametrize(
    ("rate", "since", "good"), [(0.59, 2.0, True), (0.8, 2.0, False), (0.89, 0.0, True), (1.1, 0.0, False)]
)
def test_the_same_steering_rates(rate, since, good):
    trajectory = winding(rate, since)
    ego = scene(straight(), x=0.0, speed=5.0).ego
    assert bool(GATE.check(None, NOBODY, as_candidates(trajectory)).passed[0]) is good
    found = validate(trajectory, ego, None, VEHICLE, LIMITS)
    assert found.fault is (Fault.NONE if good else Fault.STEERING_RATE)


states = {
    "y": st.floats(-2.0, 2.0), "yaw": st.floats(-0.5, 0.5), "speed": st.floats(0.0, 22.0),
    "acceleration": st.floats(-7.0, 2.4), "steering": st.floats(-0.5, 0.5),
}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(route=st.sampled_from([straight(), turn(6.0), straight(40.0, goal_s=35.0)]), state=st.fixed_dictionaries(states))
def test_what_the_gate_admits_the_bridge_hands_on(route, state):
    now = scene(route, **state)
    curvature = math.tan(state["steering"]) / VEHICLE.wheel_base_m
    now = replace(now, ego=replace(now.ego, yaw_rate=state["speed"] * curvature))
    candidates = generate(now, boxes([(40.0, -1.2, 0.0, 0.0)]), GRID, GENERATORS)
    for index in np.flatnonzero(GATE.check(now, NOBODY, candidates).passed):
        found = validate(candidates.trajectory(index), now.ego, None, VEHICLE, LIMITS)
        assert found.passed, (candidates.label[index], found.reason)
