"""Messages <-> datatypes: what comes in (tracks, odometry, signals, route), and the ground both directions stand on.

Flat arrays are filled through `array.array` (12 us for 64 x 50 floats against 540 us for assigning an ndarray) and read
without a copy. A message whose sizes disagree is refused whole with `InputError`; a bad entry is dropped and counted.
"""

from __future__ import annotations

import array
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from jaxtyping import Bool, Float
from nav_msgs.msg import Odometry
from std_msgs.msg import Header

from behaviors_ros.datatypes import AgentClass, EgoState, Goal, Signals, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.maps.signal_reports import agreed
from behaviors_ros.msg import Route as RouteMessage
from behaviors_ros.msg import TrackedObjects, TrafficSignals
from behaviors_ros.parameters import Parameters, Vehicle, value

NS = 1_000_000_000
TYPE_CODES = {"f": np.float32, "d": np.float64, "B": np.uint8, "h": np.int16, "I": np.uint32, "q": np.int64}


class TrackLimits(Parameters):
    """What a tracked object must keep to be believed; an entry outside is dropped and counted."""

    length_min_m: float = value(0.05, "shortest believable object", low=0.0, high=5.0)
    length_max_m: float = value(40.0, "longest believable object", low=1.0, high=100.0)
    width_max_m: float = value(12.0, "widest believable object", low=1.0, high=50.0)
    speed_max_mps: float = value(90.0, "fastest believable object", low=1.0, high=300.0)
    jump_max_m: float = value(
        5.0, "an object farther than this from where its speed led has jumped: DEGRADED", low=0.5, high=100.0
    )
    variance_max_m2: float = value(400.0, "largest believable variance of a position", low=0.1, high=1e6)


class Bounds(Parameters):
    """What a number of a message can be at most; a message beyond it comes from a fault and is refused."""

    position_max_m: float = value(1e8, "largest coordinate: ten times the largest of any map grid", low=1e4, high=1e12)
    speed_max_mps: float = value(150.0, "fastest vehicle", low=10.0, high=1000.0)
    yaw_rate_max_radps: float = value(20.0, "fastest turn of a vehicle", low=1.0, high=100.0)
    curvature_max_1pm: float = value(10.0, "tightest bend of a trajectory", low=0.1, high=100.0)
    acceleration_max_mps2: float = value(100.0, "hardest braking or speeding up", low=10.0, high=1000.0)
    line_max_m: float = value(1e5, "longest centre line of a route", low=1e3, high=1e7)
    steps_max: int = value(10_000, "most steps of a set", low=100, high=1_000_000)
    number_max: int = value(2**62, "largest number of a cycle or plan", low=2**31, high=2**62)
    time_step_max_s: float = value(1.0, "largest time between two steps of a set", low=0.1, high=10.0)


@dataclass(frozen=True, eq=False)
class ReceivedTracks:
    """The believable tracks of a message, how many entries were dropped for which cause, whether any has jumped."""

    tracks: Tracks
    dropped: Mapping[str, int]
    jumped: bool = False


# --- ground ----------------------------------------------------------------------------------------------------------


def time_message(stamp_ns: int) -> Time:
    """Nanoseconds as a time message."""
    return Time(sec=int(stamp_ns // NS), nanosec=int(stamp_ns % NS))


def nanoseconds(time: Any) -> int:
    """A time or duration message in nanoseconds."""
    return int(time.sec) * NS + int(time.nanosec)


def header(stamp_ns: int, frame: str = "map") -> Header:
    """A header at `stamp_ns` in `frame`."""
    return Header(stamp=time_message(stamp_ns), frame_id=frame)


def in_frame(source: str, message: Any, frame: str) -> None:
    """Refuse a message that is not in the frame."""
    found = message.header.frame_id
    if found != frame:
        raise InputError(source, "frame_id", f"is '{found}'", f"send it in '{frame}'")


def packed(code: str, values: np.ndarray) -> array.array:
    """Values of any shape as a flat array of type code f, d, B, h, I or q."""
    flat = array.array(code)
    flat.frombytes(np.ascontiguousarray(values, dtype=TYPE_CODES[code]).tobytes())
    return flat


def unpacked(source: str, field: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A flat message field in `shape` as float64 (floats) or int64 (integers); a wrong size raises `InputError`."""
    found = np.asarray(values)
    if found.size != math.prod(shape):
        raise InputError(
            source, field, f"has {found.size} entries", f"the sizes in the message ask for {math.prod(shape)}"
        )
    return found.astype(np.float64 if found.dtype.kind == "f" else np.int64).reshape(shape)


def identifiers(source: str, values: Any, number: int) -> tuple[str, ...]:
    """UUID bytes as 32 hex digits each."""
    text = bytes(values).hex()
    if len(text) != 32 * number:
        raise InputError(source, "object_id", f"has {len(text) // 2} bytes", f"16 an object ask for {16 * number}")
    return tuple(text[i : i + 32] for i in range(0, len(text), 32))


def identifier_bytes(ids: tuple[str, ...]) -> array.array:
    """Hex identifiers as UUID bytes."""
    return array.array("B", bytes.fromhex("".join(ids)))


def yaw_of(orientation: Any) -> float:
    """Yaw of a quaternion message, rad. A pure yaw rotation keeps its turn: exact to 1e-15 within (-2 pi, 2 pi]."""
    x, y, z, w = orientation.x, orientation.y, orientation.z, orientation.w
    if x == 0.0 and y == 0.0:
        return 2.0 * math.atan2(z, w)
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def set_yaw(orientation: Any, yaw: float) -> None:
    """Write a yaw rotation into a quaternion message."""
    orientation.x = orientation.y = 0.0
    orientation.z, orientation.w = math.sin(0.5 * yaw), math.cos(0.5 * yaw)


# --- odometry --------------------------------------------------------------------------------------------------------


def ego_state(message: Odometry, previous: EgoState | None, vehicle: Vehicle, bounds: Bounds = Bounds()) -> EgoState:
    """The vehicle state of an odometry message (pose of the rear axle in map, twist in the vehicle).

    Odometry has neither acceleration nor steering. Acceleration is the difference of consecutive speeds, kept within
    what the vehicle can do; steering is that of the kinematic bicycle, atan(wheel base * yaw rate / speed), and below
    0.5 m/s the previous one. A number that is not finite, or beyond the bounds, raises `InputError`.
    """
    pose, twist = message.pose.pose, message.twist.twist
    stamp = nanoseconds(message.header.stamp)
    speed, yaw_rate, yaw = float(twist.linear.x), float(twist.angular.z), yaw_of(pose.orientation)
    position = np.array([pose.position.x, pose.position.y])
    norm = math.hypot(pose.orientation.x, pose.orientation.y, pose.orientation.z, pose.orientation.w)
    if not (np.isfinite(position).all() and math.isfinite(speed + yaw_rate + yaw) and 0.9 < norm < 1.1):
        raise InputError("odometry", "pose or twist", "is not finite or not a rotation", "send finite numbers")
    fast = abs(speed) > bounds.speed_max_mps or abs(yaw_rate) > bounds.yaw_rate_max_radps
    if fast or np.abs(position).max() > bounds.position_max_m:
        raise InputError("odometry", "pose or twist", "is beyond what a vehicle can be", "send m, m/s and rad/s")
    acceleration, steering = 0.0, 0.0 if previous is None else previous.steering
    if previous is not None and 0 < stamp - previous.stamp_ns < NS // 2:
        slope = (speed - previous.speed) / ((stamp - previous.stamp_ns) / NS)
        acceleration = min(max(slope, -vehicle.deceleration_max_mps2), vehicle.acceleration_max_mps2)
    if abs(speed) > 0.5:
        wheel = math.atan(vehicle.wheel_base_m * yaw_rate / speed)
        steering = min(max(wheel, -vehicle.steering_max_rad), vehicle.steering_max_rad)
    return EgoState(stamp, position, yaw, speed, acceleration, steering, yaw_rate)


def odometry_message(ego: EgoState) -> Odometry:
    """The vehicle state as odometry."""
    message = Odometry(header=header(ego.stamp_ns), child_frame_id="base_link")
    message.pose.pose.position.x, message.pose.pose.position.y = float(ego.position[0]), float(ego.position[1])
    set_yaw(message.pose.pose.orientation, ego.yaw)
    message.twist.twist.linear.x, message.twist.twist.angular.z = float(ego.speed), float(ego.yaw_rate)
    return message


# --- tracks ----------------------------------------------------------------------------------------------------------


def tracks(message: TrackedObjects, limits: TrackLimits) -> ReceivedTracks:
    """Believable tracks of a message; entries that are not are dropped one by one and counted by cause."""
    n = int(message.num)

    def read(field: str, *shape: int) -> np.ndarray:
        return unpacked("tracks", field, getattr(message, field), (n, *shape))

    def pair(first: str, second: str) -> np.ndarray:
        return np.stack([read(first), read(second)], axis=-1)

    kind = read("classification")
    all_tracks = Tracks(
        stamp_ns=nanoseconds(message.header.stamp),
        id=identifiers("tracks", message.object_id, n),
        kind=np.where((kind >= 0) & (kind < len(AgentClass)), kind, int(AgentClass.UNKNOWN)),
        position=pair("x", "y"),
        yaw=read("yaw_rad"),
        velocity=pair("velocity_x_mps", "velocity_y_mps"),
        acceleration=pair("acceleration_x_mps2", "acceleration_y_mps2"),
        yaw_rate=read("yaw_rate_radps"),
        length=read("length_m"),
        width=read("width_m"),
        covariance=read("position_covariance_m2", 2, 2),
        existence=read("existence_probability"),
        occluders=_outlines(message),
    )
    return _believable(all_tracks, limits)


def _outlines(message: TrackedObjects) -> tuple[np.ndarray, ...]:
    """The occluders of a message that are outlines: three points or more, all finite."""
    number = np.asarray(message.occluder_points, dtype=np.int64)
    columns = (unpacked("tracks", f"occluder_{axis}", getattr(message, f"occluder_{axis}"), (int(number.sum()),))
               for axis in "xy")  # fmt: skip
    rings = np.split(np.stack([*columns], axis=-1), np.cumsum(number)[:-1]) if len(number) else []
    return tuple(ring for ring in rings if len(ring) >= 3 and np.isfinite(ring).all())


def _believable(found: Tracks, limits: TrackLimits) -> ReceivedTracks:
    keep = np.ones(len(found), dtype=bool)
    dropped: dict[str, int] = {}
    for cause, good in _conditions(found, limits):
        bad = int((keep & ~good).sum())
        if bad:
            dropped[cause] = bad
        keep &= good
    return ReceivedTracks(found if keep.all() else found.take(keep), dropped)


def _conditions(
    found: Tracks, limits: TrackLimits, bounds: Bounds = Bounds()
) -> list[tuple[str, Bool[np.ndarray, "agent"]]]:
    numbers = (
        found.position,
        found.velocity,
        found.acceleration,
        found.covariance.reshape(len(found), 4),
        _columns(found),
    )
    finite = np.isfinite(np.concatenate(numbers, axis=1)).all(axis=1)
    size = (found.length >= limits.length_min_m) & (found.length <= limits.length_max_m)
    size &= (found.width >= limits.length_min_m) & (found.width <= limits.width_max_m)
    xx, xy, yy = found.covariance[:, 0, 0], found.covariance[:, 0, 1], found.covariance[:, 1, 1]
    with np.errstate(over="ignore", invalid="ignore"):
        positive = (xx > 0) & (yy > 0) & (xx * yy > xy * xy) & (np.maximum(xx, yy) <= limits.variance_max_m2)
        far = np.abs(found.position).max(axis=1, initial=0.0) > bounds.position_max_m
        hard = np.hypot(*found.acceleration.T) > bounds.acceleration_max_mps2
        hard |= np.abs(found.yaw_rate) > bounds.yaw_rate_max_radps
    first = np.zeros(len(found), dtype=bool)
    first[list({name: i for i, name in reversed(list(enumerate(found.id)))}.values())] = True
    return [
        ("not finite", finite),
        ("impossible size", size),
        ("impossible place", ~far),
        ("impossible speed", found.speed <= limits.speed_max_mps),
        ("impossible acceleration or turn", ~hard),
        ("covariance not positive", positive),
        ("existence outside [0, 1]", (found.existence >= 0.0) & (found.existence <= 1.0)),
        ("duplicate id", first),
    ]


def _columns(found: Tracks) -> Float[np.ndarray, "agent 5"]:
    return np.stack([found.yaw, found.yaw_rate, found.length, found.width, found.existence], axis=1)


def tracks_message(found: Tracks) -> TrackedObjects:
    """Tracks as a message."""
    outlines = np.concatenate([np.zeros((0, 2)), *found.occluders])
    return TrackedObjects(
        header=header(found.stamp_ns),
        num=len(found),
        object_id=identifier_bytes(found.id),
        classification=packed("B", found.kind),
        existence_probability=packed("f", found.existence),
        x=packed("d", found.position[:, 0]),
        y=packed("d", found.position[:, 1]),
        yaw_rad=packed("f", found.yaw),
        velocity_x_mps=packed("f", found.velocity[:, 0]),
        velocity_y_mps=packed("f", found.velocity[:, 1]),
        acceleration_x_mps2=packed("f", found.acceleration[:, 0]),
        acceleration_y_mps2=packed("f", found.acceleration[:, 1]),
        yaw_rate_radps=packed("f", found.yaw_rate),
        length_m=packed("f", found.length),
        width_m=packed("f", found.width),
        position_covariance_m2=packed("f", found.covariance),
        occluder_points=packed("I", np.array([len(ring) for ring in found.occluders], dtype=np.int64)),
        occluder_x=packed("d", outlines[:, 0]),
        occluder_y=packed("d", outlines[:, 1]),
    )


# --- signals, route --------------------------------------------------------------------------------------------------


def signals(message: TrafficSignals) -> Signals:
    """Signal groups of a message, each once; a colour that is not known reads as unknown."""
    n = int(message.num)
    color = unpacked("signals", "color", message.color, (n,))
    return agreed(
        Signals(
            stamp_ns=nanoseconds(message.header.stamp),
            id=tuple(int(group) for group in unpacked("signals", "group_id", message.group_id, (n,))),
            color=np.where(color <= 3, color, 0),
            next_change_s=unpacked("signals", "next_change_s", message.next_change_s, (n,)),
        )
    )


def signals_message(found: Signals) -> TrafficSignals:
    """Signal groups as a message."""
    return TrafficSignals(
        header=header(found.stamp_ns),
        num=len(found.id),
        group_id=packed("q", np.array(found.id, dtype=np.int64)),
        color=packed("B", found.color),
        next_change_s=packed("f", found.next_change_s),
    )


def goal(message: RouteMessage, bounds: Bounds = Bounds()) -> Goal:
    """The goal of a route message; one that is not finite or beyond the bounds raises `InputError`."""
    position = np.array([message.goal_x, message.goal_y])
    corners = np.asarray(message.goal_polygon, dtype=np.float64)
    for field, numbers in (("goal_x, goal_y", position), ("goal_polygon", corners)):
        if not _within(numbers, bounds.position_max_m):
            raise InputError("route", field, "is not finite", "send the goal in the map frame, in m")
    return Goal(
        position=position,
        polygon=corners.reshape(-1, 2) if corners.size >= 6 and corners.size % 2 == 0 else None,
        yaw=_interval(message.goal_yaw_rad),
        speed=_interval(message.goal_speed_mps),
        time=_interval(message.goal_time_s),
        anywhere=bool(message.goal_anywhere),
    )


def centre_line(message: RouteMessage, bounds: Bounds = Bounds()) -> Float[np.ndarray, "point 2"]:
    """The centre line of a route message, (0, 2) without one; one that cannot be driven raises `InputError`."""
    line = np.asarray(message.centre_line, dtype=np.float64)
    if line.size % 2 or not _within(line, bounds.position_max_m):
        raise InputError("route", "centre_line", "is not finite or not x y pairs", "send it in the map frame, in m")
    points = line.reshape(-1, 2)
    if np.hypot(*np.diff(points, axis=0).T).sum() > bounds.line_max_m:
        raise InputError("route", "centre_line", "is too long", f"send at most {bounds.line_max_m:g} m")
    return points


def route_start(message: RouteMessage, bounds: Bounds = Bounds()) -> Float[np.ndarray, "2"] | None:
    """Where the vehicle was when the route was set; None where that is not told."""
    begin = np.array([message.start_x, message.start_y])
    return begin if _within(begin, bounds.position_max_m) else None


def _within(numbers: np.ndarray, most: float) -> bool:
    """Whether all are finite and no larger; NaN is not."""
    return bool((np.abs(numbers) <= most).all())


def _interval(pair: Any) -> tuple[float, float] | None:
    low, high = float(pair[0]), float(pair[1])
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def route_message(
    stamp_ns: int,
    lanes: tuple[int, ...],
    target: Goal,
    centre_line: Float[np.ndarray, "point 2"] | None = None,
    speed_limit: float = 13.89,
    half_width: float = 1.75,
    start: Float[np.ndarray, "2"] | None = None,
) -> RouteMessage:
    """A route over `lanes`, or along `centre_line` without a map, to `target`, set when the vehicle was at `start`."""
    begin = np.full(2, np.nan) if start is None else start
    line = np.zeros((0, 2)) if centre_line is None else centre_line
    region = np.zeros((0, 2)) if target.polygon is None else target.polygon
    nothing = (math.nan, math.nan)
    return RouteMessage(
        header=header(stamp_ns),
        lane_id=packed("q", np.array(lanes, dtype=np.int64)),
        start_x=float(begin[0]),
        start_y=float(begin[1]),
        goal_x=float(target.position[0]),
        goal_y=float(target.position[1]),
        goal_anywhere=target.anywhere,
        goal_polygon=packed("d", region),
        goal_yaw_rad=np.array(target.yaw or nothing, dtype=np.float32),
        goal_speed_mps=np.array(target.speed or nothing, dtype=np.float32),
        goal_time_s=np.array(target.time or nothing, dtype=np.float32),
        centre_line=packed("d", line),
        speed_limit_mps=float(speed_limit),
        half_width_m=float(half_width),
    )
