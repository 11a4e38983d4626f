"""Gazebo's world and vehicle: invariants of the files, their check by sdformat, and twists of commands."""

import math
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from behaviors_ros.datatypes import ControlCommand
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.gazebo.twist import REST, Twist, TwistParameters, stopping, twist
from behaviors_ros.simulation.gazebo.vehicle import (
    Body,
    joint_limit_rad,
    separation_m,
    steering_limit_rad,
    vehicle_sdf,
)
from behaviors_ros.simulation.gazebo.world import (
    UNSEEN_M,
    WorldParameters,
    agent_pose,
    model_name,
    origin,
    world_sdf,
    write_world,
)
from behaviors_ros.simulation.scenario import DEMO, Scenario, load_scenario

VEHICLES = [
    Vehicle(),
    Vehicle(wheel_base_m=5.9, length_m=11.9, width_m=2.5, rear_overhang_m=3.2, steering_max_rad=0.75),
]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(DEMO)


def numbers(node: etree._Element, path: str) -> list[float]:
    return [float(part) for part in node.findtext(path).split()]


def steering_plugin(vehicle: Vehicle) -> etree._Element:
    return etree.fromstring(vehicle_sdf(vehicle, Body())).find(
        ".//plugin[@filename='gz-sim-ackermann-steering-system']"
    )


@pytest.mark.skipif(not (shutil.which("ign") or shutil.which("gz")), reason="needs ign or gz, to check SDF files")
@pytest.mark.parametrize("vehicle", VEHICLES, ids=["car", "bus"])
def test_sdformat_accepts_both_files(scenario: Scenario, vehicle: Vehicle, tmp_path: Path) -> None:
    tool = shutil.which("ign") or shutil.which("gz")
    for path in write_world(replace(scenario, vehicle=vehicle), tmp_path / "new", WorldParameters(), Body()):
        done = subprocess.run([tool, "sdf", "-k", str(path)], capture_output=True, text=True, timeout=60)
        assert "Valid." in done.stdout, done.stdout + done.stderr
        assert "Error" not in done.stderr and "Warning" not in done.stderr


@pytest.mark.parametrize("vehicle", VEHICLES, ids=["car", "bus"])
def test_every_inertia_is_that_of_a_body(vehicle: Vehicle) -> None:
    links = etree.fromstring(vehicle_sdf(vehicle, Body())).findall(".//link")
    assert len(links) == 1 + 4 + 2  # chassis, wheels, knuckles
    for link in links:
        assert float(link.findtext("inertial/mass")) > 0.0
        xx, yy, zz = (float(link.findtext(f"inertial/inertia/{axis}")) for axis in ("ixx", "iyy", "izz"))
        # Positive, and no moment exceeds the sum of the other two: else no distribution of mass has them.
        assert min(xx, yy, zz) > 0.0 and 2.0 * max(xx, yy, zz) <= xx + yy + zz + 1e-9


def test_chassis_is_the_vehicles_box_and_the_wheels_stand_on_its_axles() -> None:
    model = etree.fromstring(vehicle_sdf(Vehicle(), Body())).find("model")
    chassis = model.find("link[@name='base_link']/collision")
    assert numbers(chassis, "geometry/box/size") == [4.5, 1.85, 1.3]  # 1.5 high, 0.2 above the ground
    assert numbers(chassis, "pose")[:3] == [1.35, 0.0, 0.85]  # 4.5 / 2 - 0.9; 0.2 + 1.3 / 2
    front = numbers(model.find("link[@name='front_left_wheel']"), "pose")
    rear = numbers(model.find("link[@name='rear_right_wheel']"), "pose")
    # 2.7 m ahead of base_link; (1.85 - 0.22) / 2 aside; one radius up.
    assert front[:3] == [2.7, 0.815, 0.33] and rear[:3] == [0.0, -0.815, 0.33]


def test_every_joint_joins_links_that_there_are_and_every_wheel_is_driven() -> None:
    model = etree.fromstring(vehicle_sdf(Vehicle(), Body())).find("model")
    links = {link.get("name") for link in model.findall("link")}
    joints = {joint.get("name"): joint for joint in model.findall("joint")}
    for joint in joints.values():
        assert {joint.findtext("parent"), joint.findtext("child")} <= links
    plugin = steering_plugin(Vehicle())
    driven = [found.text for side in ("left", "right") for found in plugin.findall(f"{side}_joint")]
    steered = [plugin.findtext(f"{side}_steering_joint") for side in ("left", "right")]
    assert sorted(driven + steered) == sorted(joints)
    assert driven[0] == "rear_left_wheel_joint" and driven[2] == "rear_right_wheel_joint"  # its odometry is from these


@pytest.mark.parametrize("vehicle", VEHICLES, ids=["car", "bus"])
def test_steering_is_derived_from_the_vehicle_and_turns_both_ways(vehicle: Vehicle) -> None:
    plugin = steering_plugin(vehicle)
    values = {child.tag: child.text for child in plugin}
    assert float(values["wheel_base"]) == vehicle.wheel_base_m
    assert float(values["wheel_separation"]) == pytest.approx(vehicle.width_m - Body().wheel_width_m)
    # The limits bound the yaw rate too: as much to the right as to the left.
    assert float(values["min_velocity"]) == -float(values["max_velocity"]) == -vehicle.speed_max_mps
    assert float(values["min_acceleration"]) == -float(values["max_acceleration"])
    assert float(values["max_acceleration"]) >= vehicle.deceleration_max_mps2
    assert float(values["steer_p_gain"]) == pytest.approx(1.0 / vehicle.steering_lag_s)
    # The system's least radius is L / sin(limit): the vehicle's is L / tan(largest angle).
    radius = vehicle.wheel_base_m / math.sin(float(values["steering_limit"]))
    assert radius == pytest.approx(vehicle.wheel_base_m / math.tan(vehicle.steering_max_rad))
    inner = math.atan(vehicle.wheel_base_m / (radius - 0.5 * separation_m(vehicle, Body())))
    assert inner < joint_limit_rad(vehicle, Body()) < inner + 0.05


def test_steering_limit_of_half_a_radian() -> None:
    # tan 0.5 = 0.5463, asin of it 0.5780; a limit of 0.5 would give atan(sin 0.5) = 0.447 only.
    assert steering_limit_rad(Vehicle(steering_max_rad=0.5)) == pytest.approx(0.5780, abs=1e-4)
    assert steering_limit_rad(Vehicle(steering_max_rad=1.2)) == pytest.approx(0.5 * math.pi)  # 45 degrees, no more


def test_topics_of_both_odometries_differ() -> None:
    root = etree.fromstring(vehicle_sdf(Vehicle(), Body()))
    topics = [found.text for plugin in root.iter("plugin") for found in plugin if found.tag.endswith("topic")]
    assert len(topics) == len(set(topics)) == 6


def test_world_holds_the_systems_and_every_road_user(scenario: Scenario) -> None:
    world = etree.fromstring(world_sdf(scenario, WorldParameters(step_s=0.004, speed_factor=2.0))).find("world")
    systems = {plugin.get("filename") for plugin in world.findall("plugin")}
    assert systems == {"gz-sim-physics-system", "gz-sim-user-commands-system", "gz-sim-scene-broadcaster-system"}
    assert float(world.findtext("physics/max_step_size")) == 0.004
    assert float(world.findtext("physics/real_time_factor")) == 2.0
    models = {model.get("name"): model for model in world.findall("model")}
    for agent in scenario.agents:
        model = models[model_name(agent.body)]
        assert model.findtext("static") == "true"
        x, y, z, _, _, yaw = numbers(model, "pose")
        if agent.motion is None:
            assert z == UNSEEN_M
        else:
            assert [x + origin(scenario)[0], y + origin(scenario)[1]] == pytest.approx(agent.motion.position.tolist())
            assert z == 0.0 and yaw == pytest.approx(agent.motion.yaw)


def test_road_lies_flat_below_the_wheels_without_collision(scenario: Scenario) -> None:
    road = etree.fromstring(world_sdf(scenario, WorldParameters())).find("world/model[@name='road']")
    assert road.find(".//collision") is None
    visuals = road.findall(".//visual")
    assert {visual.get("name").split("_")[1] for visual in visuals} == {str(lane) for lane in scenario.map.lanes}
    for visual in visuals:
        top = numbers(visual, "pose")[2] + 0.5 * numbers(visual, "geometry/box/size")[2]
        assert 0.0 < top < 0.01


def test_positions_far_from_the_maps_origin_are_written_near_gazebos(scenario: Scenario) -> None:
    moved = replace(scenario, start=replace(scenario.start, position=np.array([500_000.4, 5_400_000.3])), map=None)
    assert origin(moved).tolist() == [500_000.0, 5_400_000.0]
    seen = next(agent for agent in scenario.agents if agent.motion is not None)
    x, _, _, _ = agent_pose(seen, origin(moved))
    assert x == pytest.approx(seen.motion.position[0] - 500_000.0)


# --- twists ------------------------------------------------------------


def command(acceleration: float, steering: float = 0.0, speed: float = 5.0) -> ControlCommand:
    return ControlCommand(0, steering, 0.0, speed, acceleration)


def test_twist_integrates_the_acceleration_and_turns_as_the_bicycle() -> None:
    found = twist(Twist(5.0, 0.0, 0.0), command(2.0, -0.3), 5.0, 0.02, Vehicle(), TwistParameters())
    assert found.speed == pytest.approx(5.04)  # 5 + 2 * 0.02
    assert found.yaw_rate == pytest.approx(-5.04 * 0.309336 / 2.7, abs=1e-5)  # tan 0.3 = 0.309336; to the right


def test_twist_stays_near_the_measured_speed_and_within_the_vehicle() -> None:
    # Held back: the measured speed stays at 1, the command does not wind up beyond 1 + 1.
    before = REST
    for _ in range(500):
        before = twist(before, command(9.0, 2.0), 1.0, 0.02, Vehicle(), TwistParameters())
    assert before.speed == 2.0 and before.steering == 0.6


def test_braking_ends_at_rest_without_a_turn_of_the_wheels() -> None:
    found = twist(Twist(0.1, 0.2, 0.0), command(-8.0, 0.2, 0.0), 0.1, 0.02, Vehicle(), TwistParameters())
    assert found.speed == 0.0 and found.yaw_rate == 0.0  # 0.1 - 8 * 0.02 < 0


def test_backward_only_when_commanded() -> None:
    found = twist(REST, command(-1.0, 0.1, -1.0), 0.0, 0.1, Vehicle(), TwistParameters())
    assert found.speed == pytest.approx(-0.1) and found.yaw_rate < 0.0


@given(st.floats(-20, 20), st.floats(-0.6, 0.6), st.floats(0.01, 0.2))
def test_stopping_slows_on_the_same_curve_until_rest(speed: float, steering: float, dt_s: float) -> None:
    before = Twist(speed, steering, speed * math.tan(steering) / 2.7)
    after = stopping(before, dt_s, Vehicle(), TwistParameters(stop_mps2=3.0))
    assert abs(after.speed) == pytest.approx(max(abs(speed) - 3.0 * dt_s, 0.0))
    assert after.speed * speed >= 0.0
    assert after.yaw_rate == pytest.approx(after.speed * math.tan(steering) / 2.7)
