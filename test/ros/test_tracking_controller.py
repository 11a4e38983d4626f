"""The tracking controller node: what it says of itself, what it refuses, and how it stops when inputs go bad."""

import math
import time

import pytest
from harness import VEHICLE, Harness, Stages

from behaviors_ros.control.stop import BridgeStop, own_stop
from behaviors_ros.datatypes import EgoState
from behaviors_ros.msg import ControllerState, TrajectoryPoint
from behaviors_ros.ros import conversion, conversion_plan


class Fed:
    """Odometry on a straight trajectory, and the trajectory."""

    def __init__(self, harness):
        self.harness, self.made, self.begin = harness, Stages(harness.scene), time.time_ns()
        self.odometry = self.trajectory = True

    def ego(self):
        """The vehicle where the trajectory has it, so that odometry is a motion."""
        now = time.time_ns()
        start = self.harness.scene.ego
        way = start.speed * (now - self.begin) / 1e9
        ahead = (math.cos(start.yaw), math.sin(start.yaw))
        position = start.position + [way * ahead[0], way * ahead[1]]
        return EgoState(now, position, start.yaw, start.speed)

    def message(self, ego):
        found = conversion_plan.trajectory_message(self.made.plan.trajectory, VEHICLE)
        found.header.stamp = conversion.time_message(ego.stamp_ns)
        for point in found.points:
            point.pose.position.x += float(ego.position[0] - self.harness.scene.ego.position[0])
            point.pose.position.y += float(ego.position[1] - self.harness.scene.ego.position[1])
        return found

    def __call__(self):
        ego = self.ego()
        if self.odometry:
            self.harness.send("odometry", conversion.odometry_message(ego))
        if self.trajectory:
            self.harness.send("trajectory", self.message(ego))


def state(harness):
    return harness.heard["controller_state"][-1]


def counted(harness):
    """Names of what /diagnostics counts."""
    return {
        value.key for message in harness.heard["diagnostics"] for status in message.status for value in status.values
    }


def finite(harness):
    found = [conversion_plan.command(message) for message in harness.heard["control_command"]]  # refuses others
    return all(abs(each.steering) <= VEHICLE.steering_max_rad for each in found)


@pytest.mark.parametrize("name", ["lqr", "mpc"])
def test_says_how_it_tracks_and_stops_without_a_trajectory(name):
    with Harness("tracking_controller", "-p", f"controller:={name}") as harness:
        harness.active()
        harness.until(lambda: harness.heard["controller_state"])
        assert state(harness).state == ControllerState.STOPPING and state(harness).reason == "no odometry yet"
        assert conversion.nanoseconds(state(harness).trajectory) == 0 and math.isnan(state(harness).lateral_error_m)
        fed = Fed(harness)
        harness.until(lambda: state(harness).state == ControllerState.TRACKING, act=fed, every_s=0.02)
        harness.until(lambda: abs(state(harness).lateral_error_m) < 0.3, act=fed, every_s=0.02, patience_s=5.0)
        found = state(harness)
        assert found.reason == "" and conversion.nanoseconds(found.trajectory) > fed.begin
        assert math.isfinite(found.heading_error_rad + found.longitudinal_error_m + found.speed_error_mps)
        fed.trajectory = False
        harness.until(lambda: state(harness).state == ControllerState.STOPPING, act=fed, every_s=0.02, patience_s=5.0)
        assert state(harness).reason.startswith("no trajectory for")
        harness.until(lambda: harness.heard["control_command"][-1].acceleration_mps2 < -1.5, act=fed, every_s=0.02,
                      patience_s=5.0)  # fmt: skip
        assert finite(harness)


def test_refuses_what_it_cannot_follow_and_stops_blind():
    with Harness("tracking_controller") as harness:
        harness.active()
        fed = Fed(harness)
        harness.until(lambda: harness.heard["controller_state"] and state(harness).state == ControllerState.TRACKING,
                      act=fed, every_s=0.02)  # fmt: skip
        fed.odometry = fed.trajectory = False

        def bad():
            ego = fed.ego()
            for place, value in (("frame_id", "odom"), ("x", math.nan), ("x", 1e300), ("stamp", 0)):
                odometry = conversion.odometry_message(ego)
                if place == "frame_id":
                    odometry.header.frame_id = value
                elif place == "stamp":
                    odometry.header.stamp = conversion.time_message(value)
                else:
                    odometry.pose.pose.position.x = value
                harness.send("odometry", odometry)
            for spoil in (
                lambda m: setattr(m.header, "frame_id", "odom"),
                lambda m: setattr(m, "points", []),
                lambda m: setattr(m, "points", [TrajectoryPoint()] * 3000),
                lambda m: setattr(m.points[5], "longitudinal_velocity_mps", math.inf),
                lambda m: setattr(m.points[3].pose.position, "x", math.nan),
                lambda m: setattr(m.header, "stamp", conversion.time_message(1)),
                lambda m: setattr(m.points[2].time_from_start, "sec", 100),
            ):
                message = fed.message(ego)
                spoil(message)
                harness.send("trajectory", message)

        harness.until(lambda: state(harness).reason.startswith("odometry is"), act=bad, every_s=0.05, patience_s=10.0)
        assert state(harness).state == ControllerState.STOPPING
        harness.until(lambda: harness.heard["control_command"][-1].acceleration_mps2 < -1.5, act=bad, every_s=0.05,
                      patience_s=5.0)  # fmt: skip
        wanted = {"odometry refused", "trajectory refused"}
        harness.until(lambda: wanted <= counted(harness), patience_s=5.0)
        assert "errors" not in counted(harness)
        fed.odometry = fed.trajectory = True
        harness.until(lambda: state(harness).state == ControllerState.TRACKING, act=fed, every_s=0.02, patience_s=10.0)
        assert finite(harness)


def test_without_odometry_it_follows_the_stop_that_it_is_still_told():
    with Harness("tracking_controller") as harness:
        harness.active()
        fed = Fed(harness)
        harness.until(lambda: harness.heard["controller_state"] and state(harness).state == ControllerState.TRACKING,
                      act=fed, every_s=0.02)  # fmt: skip
        ego = fed.ego()
        stop = conversion_plan.trajectory_message(own_stop(ego, VEHICLE, BridgeStop(deceleration_mps2=1.5)), VEHICLE)
        fed.trajectory = fed.odometry = False
        harness.until(lambda: state(harness).reason.startswith("odometry is"),
                      act=lambda: harness.send("trajectory", stop), every_s=0.05)  # fmt: skip
        assert state(harness).state == ControllerState.STOPPING
        assert conversion.nanoseconds(state(harness).trajectory) == ego.stamp_ns
