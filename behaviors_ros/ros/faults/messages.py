"""What can be wrong inside a message. Each fault changes one message; None: nothing is sent in its place."""

from __future__ import annotations

import math
import operator
import re
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from behaviors_ros.errors import InputError
from behaviors_ros.ros.conversion import NS, nanoseconds, packed, time_message

Values = Mapping[str, Any]


@dataclass
class Truth:
    """Where the vehicle truly is (x, y, yaw) and what time it truly is."""

    ego: tuple[float, float, float] = (0.0, 0.0, 0.0)
    now_ns: int = 0


@dataclass
class Context:
    """What a fault may look at: the truth, random numbers (the same for every reader), and its own memory."""

    truth: Truth
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    memory: dict[str, Any] = field(default_factory=dict)


Change = Callable[[Any, Values, Context], Any]
CHANGES: dict[str, Change] = {}


def _named(name: str) -> Callable[[Change], Change]:
    def register(change: Change) -> Change:
        CHANGES[name] = change
        return change

    return register


# --- any field -------------------------------------------------------------------------------------------------------


def _place(message: Any, path: str) -> tuple[Any, str, int | None]:
    """The part of a message that holds the last name of a dotted path, that name, and an index behind it."""
    *branches, last = path.split(".")
    for branch in branches:
        name, index = _indexed(branch)
        message = getattr(message, name) if index is None else getattr(message, name)[index]
    return message, *_indexed(last)


def _indexed(name: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(\w+)\[(-?\d+)\]", name)
    return (found[1], int(found[2])) if found else (name, None)


def _written(message: Any, path: str, change: Callable[[Any], Any]) -> None:
    """Change a field, one entry of an array field, or all its entries."""
    part, name, index = _place(message, path)
    try:
        held = getattr(part, name)
        if index is not None:
            if len(held):
                held[index] = change(held[index])
        elif isinstance(held, (array, np.ndarray)):
            for i in range(len(held)):
                held[i] = change(held[i])
        elif isinstance(held, list):
            setattr(part, name, change(held))
        else:
            setattr(part, name, type(held)(change(held)))
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError("fault", path, str(error), "give a field of the topic's message") from None


def _take(wanted: Any, held: Any) -> Any:
    return wanted


def _shaken(deviation: float, random: np.random.Generator, held: float) -> float:
    return held + deviation * float(random.standard_normal())


@_named("set")
def _set(message: Any, values: Values, context: Context) -> Any:
    """Fields to values: {pose.pose.position.x: .nan, "x[0]": .inf, header.frame_id: odom}."""
    for path, wanted in values.items():
        _written(message, path, partial(_take, wanted))
    return message


@_named("add")
def _add(message: Any, values: Values, context: Context) -> Any:
    """Numbers onto fields: {pose.pose.position.x: 30}."""
    for path, more in values.items():
        _written(message, path, partial(operator.add, more))
    return message


@_named("scatter")
def _scatter(message: Any, values: Values, context: Context) -> Any:
    """A random number of that standard deviation onto fields, another one each time: {x: 20}."""
    for path, deviation in values.items():
        _written(message, path, partial(_shaken, deviation, context.random))
    return message


@_named("cut")
def _cut(message: Any, values: Values, context: Context) -> Any:
    """Array fields to so many entries, the others left as they are, so that sizes disagree: {x: 1}."""
    for path, count in values.items():
        part, name, _ = _place(message, path)
        setattr(part, name, getattr(part, name)[: int(count)])
    return message


@_named("stamp")
def _stamp(message: Any, values: Values, context: Context) -> Any:
    """The stamp moved by `shift_s`; of a clock message the time itself."""
    held = message.header if hasattr(message, "header") else message
    name = "stamp" if hasattr(message, "header") else "clock"
    moved = nanoseconds(getattr(held, name)) + round(float(values["shift_s"]) * NS)
    setattr(held, name, time_message(max(moved, 0)))
    return message


@_named("freeze")
def _freeze(message: Any, values: Values, context: Context) -> Any:
    """The content of the first message, with the stamps of the new ones."""
    first = context.memory.setdefault("first", message)
    first.header.stamp = message.header.stamp
    return first


# --- tracks ----------------------------------------------------------------------------------------------------------

_WIDTHS = {"object_id": 16, "position_covariance_m2": 4}
_TRACK_FIELDS = (
    "object_id", "classification", "existence_probability", "x", "y", "yaw_rad", "velocity_x_mps", "velocity_y_mps",
    "acceleration_x_mps2", "acceleration_y_mps2", "yaw_rate_radps", "length_m", "width_m", "position_covariance_m2",
)  # fmt: skip
_CAR = {
    "classification": 1, "existence_probability": 1.0, "length_m": 4.5, "width_m": 1.85,
    "position_covariance_m2": (0.05, 0.0, 0.0, 0.05),
}  # fmt: skip


def _append(message: Any, columns: Mapping[str, Any], count: int) -> None:
    """So many more objects: columns by name, cars where a name is missing."""
    for name in _TRACK_FIELDS:
        held = getattr(message, name)
        wide = _WIDTHS.get(name, 1)
        given = np.broadcast_to(np.asarray(columns.get(name, _CAR.get(name, 0))), (count, wide) if wide > 1 else count)
        more = array(held.typecode)
        more.frombytes(np.ascontiguousarray(given, dtype=np.dtype(held.typecode)).tobytes())
        setattr(message, name, held + more)
    message.num += count


def _ids(context: Context, count: int, seed: int | None = None) -> np.ndarray:
    random = context.random if seed is None else np.random.default_rng(seed)
    return random.integers(0, 256, (count, 16), dtype=np.uint8)


@_named("empty")
def _empty(message: Any, values: Values, context: Context) -> Any:
    """No objects."""
    for name in (*_TRACK_FIELDS, "occluder_points", "occluder_x", "occluder_y"):
        setattr(message, name, getattr(message, name)[:0])
    message.num = 0
    return message


@_named("crowd")
def _crowd(message: Any, values: Values, context: Context) -> Any:
    """`count` more pedestrians and cars that stand beside the road, farther than `beside_m` from the vehicle's lane."""
    count, random = int(values["count"]), np.random.default_rng(1)
    along, beside = random.uniform(-100.0, 100.0, count), random.uniform(0.0, 60.0, count) + values.get("beside_m", 9.0)
    x, y, yaw = context.truth.ego
    side = np.where(random.random(count) < 0.5, -1.0, 1.0) * beside
    columns = {
        "object_id": _ids(context, count, seed=2), "classification": np.where(random.random(count) < 0.7, 7, 1),
        "x": x + along * math.cos(yaw) - side * math.sin(yaw), "y": y + along * math.sin(yaw) + side * math.cos(yaw),
        "length_m": 0.5, "width_m": 0.5,
    }  # fmt: skip
    _append(message, columns, count)
    return message


@_named("ghost")
def _ghost(message: Any, values: Values, context: Context) -> Any:
    """A car that is not there, `ahead_m` before the vehicle's rear axle and `left_m` beside it; 0: on the vehicle."""
    x, y, yaw = context.truth.ego
    ahead, left = float(values.get("ahead_m", 1.35)), float(values.get("left_m", 0.0))
    columns = {
        "object_id": _ids(context, 1, seed=3),
        "x": x + ahead * math.cos(yaw) - left * math.sin(yaw), "y": y + ahead * math.sin(yaw) + left * math.cos(yaw),
        "yaw_rad": yaw, "velocity_x_mps": values.get("speed_mps", 0.0) * math.cos(yaw),
        "velocity_y_mps": values.get("speed_mps", 0.0) * math.sin(yaw),
    }  # fmt: skip
    _append(message, columns, 1)
    return message


@_named("new_ids")
def _new_ids(message: Any, values: Values, context: Context) -> Any:
    """Every object has another id in every message."""
    message.object_id = packed("B", _ids(context, message.num))
    return message


@_named("swap_ids")
def _swap_ids(message: Any, values: Values, context: Context) -> Any:
    """Objects take each other's ids: the list of ids is turned round."""
    message.object_id = packed("B", np.frombuffer(message.object_id, np.uint8).reshape(-1, 16)[::-1])
    return message


@_named("one_id")
def _one_id(message: Any, values: Values, context: Context) -> Any:
    """All objects have the id of the first."""
    ids = np.frombuffer(message.object_id, np.uint8).reshape(-1, 16)
    message.object_id = packed("B", np.broadcast_to(ids[:1], ids.shape))
    return message


# --- signals, route --------------------------------------------------------------------------------------------------


@_named("contradict")
def _contradict(message: Any, values: Values, context: Context) -> Any:
    """Every signal group twice in a message, first as it is, then in `color` (0 unknown, 1 red, 2 amber, 3 green)."""
    count = message.num
    for name in ("group_id", "color", "next_change_s"):
        setattr(message, name, getattr(message, name) + getattr(message, name))
    for i in range(count, 2 * count):
        message.color[i] = int(values["color"])
    message.num = 2 * count
    return message


@_named("alternate")
def _alternate(message: Any, values: Values, context: Context) -> Any:
    """All signal groups in one of `colors` after the other, message by message."""
    turn = context.memory["turn"] = context.memory.get("turn", -1) + 1
    colors = values["colors"]
    for i in range(message.num):
        message.color[i] = int(colors[turn % len(colors)])
    return message


@_named("lanes")
def _lanes(message: Any, values: Values, context: Context) -> Any:
    """A route over other lanes: `ids`, or `last` so many of its own, or its own ones `reversed`."""
    own = list(message.lane_id)
    if "ids" in values:
        own = [int(lane) for lane in values["ids"]]
    elif "last" in values:
        own = own[-int(values["last"]) :]
    elif values.get("reversed"):
        own = own[::-1]
    message.lane_id = array("q", own)
    message.start_x = message.start_y = math.nan
    return message
