"""The vehicle as a Gazebo model, from the one vehicle model of the stack.

The model's frame is base_link: the rear axle centre, on the ground. gz-sim's AckermannSteering turns a twist into wheel
speeds and steering angles; gz-sim's OdometryPublisher is the ground truth, the other's odometry being dead reckoning.
Traps of the former, each handled where it is set below: its limits on the speed bound the yaw rate as well, its
steering limit goes through a sine, its servo is slow by default, and the default topics of both odometries collide.
"""

from __future__ import annotations

import math

from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.simulation.gazebo import sdf
from behaviors_ros.simulation.gazebo.sdf import Element, element, values

MODEL = "ego"
TWIST_TOPIC = "/behaviors/gazebo/cmd_vel"
TRUTH_TOPIC = "/behaviors/gazebo/ground_truth"
RECKONING_TOPIC = "/behaviors/gazebo/dead_reckoning"


class Body(Parameters):
    """What Gazebo needs besides the stack's vehicle model."""

    mass_kg: float = value(1500.0, "mass without the wheels", low=50.0, high=40000.0)
    height_m: float = value(1.5, "height of the box above the ground", low=0.5, high=4.5)
    clearance_m: float = value(0.2, "height of the box's bottom above the ground", low=0.05, high=1.0)
    wheel_radius_m: float = value(0.33, "radius of the wheels", low=0.05, high=0.8)
    wheel_width_m: float = value(0.22, "width of the wheels", low=0.02, high=0.6)
    wheel_mass_kg: float = value(20.0, "mass of a wheel", low=1.0, high=200.0)
    knuckle_mass_kg: float = value(10.0, "mass that turns with a front wheel", low=1.0, high=100.0)
    friction: float = value(1.0, "friction coefficient between wheel and road", low=0.1, high=2.0)
    odometry_hz: float = value(50.0, "rate of the ground truth", low=5.0, high=200.0)


def separation_m(vehicle: Vehicle, body: Body) -> float:
    """Distance between the middles of two wheels of an axle: the wheels end where the box ends."""
    return vehicle.width_m - body.wheel_width_m


def steering_limit_rad(vehicle: Vehicle) -> float:
    """`steering_limit` of AckermannSteering for the vehicle's largest front wheel angle.

    The system bounds the turning radius by wheel_base / sin(limit); the bicycle turns on wheel_base / tan(angle). So
    the limit is asin(tan(angle)). No setting gives more than 45 degrees; there it ends.
    """
    return math.asin(min(math.tan(min(vehicle.steering_max_rad, 0.25 * math.pi)), 1.0))


def joint_limit_rad(vehicle: Vehicle, body: Body) -> float:
    """Angle of the inner front wheel on the smallest circle, atan(L / (R - separation / 2)), and 0.02 rad of room."""
    radius = vehicle.wheel_base_m / math.sin(steering_limit_rad(vehicle))
    return math.atan2(vehicle.wheel_base_m, radius - 0.5 * separation_m(vehicle, body)) + 0.02


def box_moments(mass: float, length: float, width: float, height: float) -> tuple[float, float, float]:
    """Moments of inertia of a solid box about its centre, m (b^2 + c^2) / 12, kg m^2."""
    x2, y2, z2 = length**2, width**2, height**2
    return mass * (y2 + z2) / 12.0, mass * (x2 + z2) / 12.0, mass * (x2 + y2) / 12.0


def wheel_moments(mass: float, radius: float, width: float) -> tuple[float, float, float]:
    """Moments of inertia of a solid cylinder along y: m r^2 / 2 about y, m (3 r^2 + w^2) / 12 about x and z, kg m^2."""
    across = mass * (3.0 * radius**2 + width**2) / 12.0
    return across, 0.5 * mass * radius**2, across


def vehicle_model(vehicle: Vehicle, body: Body) -> Element:
    """The vehicle's model element."""
    half = 0.5 * separation_m(vehicle, body)
    parts: list[Element] = [_chassis(vehicle, body)]
    for side, y in (("left", half), ("right", -half)):
        parts += [_wheel(f"rear_{side}_wheel", 0.0, y, body), _rolling("base_link", f"rear_{side}_wheel")]
        parts += [*_knuckle(side, vehicle.wheel_base_m, y, vehicle, body)]
        parts += [_wheel(f"front_{side}_wheel", vehicle.wheel_base_m, y, body)]
        parts += [_rolling(f"front_{side}_knuckle", f"front_{side}_wheel")]
    return element("model", *parts, _steering(vehicle, body), _truth(body), name=MODEL, canonical_link="base_link")


def vehicle_sdf(vehicle: Vehicle, body: Body) -> bytes:
    """The vehicle as an SDF file."""
    return sdf.document(vehicle_model(vehicle, body))


def _chassis(vehicle: Vehicle, body: Body) -> Element:
    height = body.height_m - body.clearance_m
    size = (vehicle.length_m, vehicle.width_m, height)
    # Centre of mass a third up the box: as low as in a car, so that it does not roll over.
    mass_at = sdf.pose(vehicle.centre_offset_m, 0.0, body.clearance_m + height / 3.0)

    def shape() -> list[Element]:
        return [sdf.pose(vehicle.centre_offset_m, 0.0, body.clearance_m + 0.5 * height), sdf.box(*size)]

    return element(
        "link", sdf.inertial(body.mass_kg, box_moments(body.mass_kg, *size), mass_at),
        element("collision", *shape(), name="collision"),
        element("visual", *shape(), sdf.material((0.1, 0.4, 1.0)), name="visual"), name="base_link",
    )  # fmt: skip


def _wheel(name: str, x: float, y: float, body: Body) -> Element:
    def shape() -> list[Element]:
        return [sdf.pose(0.0, 0.0, 0.0, roll=0.5 * math.pi), sdf.cylinder(body.wheel_radius_m, body.wheel_width_m)]

    grip = element("surface", element("friction", element("ode", *values(mu=body.friction, mu2=body.friction))))
    moments = wheel_moments(body.wheel_mass_kg, body.wheel_radius_m, body.wheel_width_m)
    return element(
        "link", sdf.pose(x, y, body.wheel_radius_m), sdf.inertial(body.wheel_mass_kg, moments),
        element("collision", *shape(), grip, name="collision"),
        element("visual", *shape(), sdf.material((0.1, 0.1, 0.1)), name="visual"), name=name,
    )  # fmt: skip


def _knuckle(side: str, x: float, y: float, vehicle: Vehicle, body: Body) -> tuple[Element, Element]:
    """What turns with a front wheel, and the joint it turns in."""
    name, mass, edge = f"front_{side}_knuckle", body.knuckle_mass_kg, body.wheel_radius_m
    link = element(
        "link", sdf.pose(x, y, body.wheel_radius_m), sdf.inertial(mass, box_moments(mass, edge, edge, edge)), name=name
    )
    angle = joint_limit_rad(vehicle, body)
    limit = element("limit", *values(lower=-angle, upper=angle, velocity=vehicle.steering_rate_max_radps))
    axis = element("axis", element("xyz", text=(0.0, 0.0, 1.0)), limit)
    joint = element(
        "joint", element("parent", text="base_link"), element("child", text=name), axis,
        name=f"front_{side}_steering_joint", type="revolute",
    )  # fmt: skip
    return link, joint


def _rolling(parent: str, wheel: str) -> Element:
    axis = element("axis", element("xyz", text=(0.0, 1.0, 0.0)))
    return element(
        "joint", element("parent", text=parent), element("child", text=wheel), axis,
        name=f"{wheel}_joint", type="revolute",
    )  # fmt: skip


def _steering(vehicle: Vehicle, body: Body) -> Element:
    """AckermannSteering. All wheels are driven, as only then all brake; the rear ones first: odometry is from those."""
    strongest = max(vehicle.acceleration_max_mps2, vehicle.deceleration_max_mps2)
    fastest = vehicle.speed_max_mps
    sides = ("left", "right")
    joints = [element(f"{side}_joint", text=f"{end}_{side}_wheel_joint") for side in sides for end in ("rear", "front")]
    steering = [element(f"{side}_steering_joint", text=f"front_{side}_steering_joint") for side in sides]
    return sdf.plugin(
        "gz-sim-ackermann-steering-system", "gz::sim::systems::AckermannSteering", *joints, *steering, *values(
            wheel_separation=separation_m(vehicle, body), kingpin_width=separation_m(vehicle, body),
            wheel_base=vehicle.wheel_base_m, wheel_radius=body.wheel_radius_m,
            steering_limit=steering_limit_rad(vehicle),
            # The servo is a first-order lag of 1 / gain.
            steer_p_gain=1.0 / max(vehicle.steering_lag_s, 0.02),
            # These bound the yaw rate too: a lowest speed of 0 would forbid right turns, uneven accelerations would
            # make left and right differ.
            min_velocity=-fastest, max_velocity=fastest, min_acceleration=-strongest, max_acceleration=strongest,
            topic=TWIST_TOPIC, odom_topic=RECKONING_TOPIC, odom_publish_frequency=10.0,
            tf_topic=f"{RECKONING_TOPIC}_tf", frame_id="dead_reckoning", child_frame_id="base_link",
        ),
    )  # fmt: skip


def _truth(body: Body) -> Element:
    return sdf.plugin(
        "gz-sim-odometry-publisher-system", "gz::sim::systems::OdometryPublisher", *values(
            odom_frame="map", robot_base_frame="base_link",
            odom_publish_frequency=body.odometry_hz, odom_topic=TRUTH_TOPIC,
            odom_covariance_topic=f"{TRUTH_TOPIC}_with_covariance",
            tf_topic=f"{TRUTH_TOPIC}_tf", dimensions="2",
        ),
    )  # fmt: skip
