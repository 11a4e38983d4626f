"""Stands in for Gazebo and its bridge: takes twists, drives an ideal vehicle, keeps the clock, tells where it is."""

import math
from contextlib import suppress

import rclpy
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from behaviors_ros.ros.conversion import set_yaw, time_message
from behaviors_ros.ros.graph import NAMESPACE
from behaviors_ros.ros.qos import PROFILES

STEP_S = 0.02
ACCELERATION_MPS2 = 8.0


class Server(Node):
    """The vehicle follows a twist at once, but for a limit of its acceleration; and holds the last one for ever."""

    def __init__(self):
        super().__init__("gazebo_server", namespace=NAMESPACE)
        self.steps, self.x, self.y, self.yaw, self.speed, self.twist = 0, 0.0, 0.0, 0.0, 0.0, Twist()
        self.clock_out = self.create_publisher(Clock, "/clock", PROFILES["clock"])
        self.truth_out = self.create_publisher(Odometry, "gazebo/ground_truth", PROFILES["odometry"])
        self.create_subscription(Twist, "gazebo/cmd_vel", self.hear, PROFILES["latest"])
        self.create_timer(STEP_S, self.step)

    def hear(self, message):
        """Hold the twist."""
        self.twist = message

    def step(self):
        """One step of 0.02 s."""
        change = self.twist.linear.x - self.speed
        self.speed += min(max(change, -ACCELERATION_MPS2 * STEP_S), ACCELERATION_MPS2 * STEP_S)
        self.yaw += self.twist.angular.z * STEP_S
        self.x += self.speed * math.cos(self.yaw) * STEP_S
        self.y += self.speed * math.sin(self.yaw) * STEP_S
        stamp = time_message(round(self.steps * STEP_S * 1e9))
        self.steps += 1
        self.clock_out.publish(Clock(clock=stamp))
        message = Odometry(child_frame_id="base_link")
        message.header.stamp, message.header.frame_id = stamp, "map"
        message.pose.pose.position.x, message.pose.pose.position.y = self.x, self.y
        set_yaw(message.pose.pose.orientation, self.yaw)
        message.twist.twist.linear.x, message.twist.twist.angular.z = self.speed, self.twist.angular.z
        self.truth_out.publish(message)


def main():
    """Run until told to end."""
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(Server())


if __name__ == "__main__":
    main()
