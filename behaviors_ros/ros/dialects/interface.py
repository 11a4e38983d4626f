"""Dialects: the messages of other projects in and out, one file each, imported only where their package is.

A dialect names the message types it needs (`needs`); they are imported when a node that was told to speak it is
configured. What converts takes those types as an argument, so that it asks no more of a message than its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int

from behaviors_ros.datatypes import EgoState, Mode, Plan, Trajectory
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters
from behaviors_ros.ros.node import LifecycleAdapter


@dataclass(frozen=True, eq=False)
class HandedOn:
    """What the controls bridge hands to the tracking controller at one time, and what it rests on.

    trajectory: begun at the vehicle; whole: the trajectory that it is of, the same object while that goes on.
    """

    trajectory: Trajectory
    whole: Trajectory
    now_ns: int
    ego: EgoState | None
    plan: Plan | None
    mode: Mode
    reason: str


@dataclass(frozen=True)
class Rights:
    """Topics that a dialect publishes and hears, and actions that it calls."""

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    call: tuple[str, ...] = ()


class Dialect:
    """One dialect of a node. A subclass has `name`, `needs` (message types) and, for outputs, `send`."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]

    def __init__(self, node: Any, parameters: Any, types: Any) -> None:
        """Keep the node, the dialect's parameters and the types it needs by their names; subscribe, advertise."""
        self.node, self.p, self.types = node, parameters, types
        self.begin()

    def begin(self) -> None:
        """Publishers and subscriptions."""

    @classmethod
    def rights(cls, parameters: Any) -> Rights:
        """What the dialect uses."""
        return Rights(publish=(parameters.topic,))


class HeardDialect(Dialect):
    """A dialect that is heard: it converts in a subscription of its own."""

    @classmethod
    def rights(cls, parameters: Any) -> Rights:
        """What the dialect uses."""
        return Rights(subscribe=(parameters.topic,))


def opened(
    node: LifecycleAdapter,
    field: str,
    chosen: Sequence[str],
    known: Mapping[str, type[Dialect]],
    parameters: Parameters,
) -> tuple[Any, ...]:
    """The chosen dialects of a node. An unknown name, or one whose package is missing, raises `InputError`."""
    source = f"parameters of {node.name}"
    found = []
    for name in dict.fromkeys(chosen):
        if name not in known:
            raise InputError(source, field, f"'{name}' is unknown", f"known: {', '.join(known)}")
        types = message_types(known[name].needs, source, field, name)
        found.append(known[name](node, getattr(parameters, name), types))
    return tuple(found)


def message_types(needs: Sequence[str], source: str, field: str, dialect: str) -> SimpleNamespace:
    """The types called `package/msg/Type` or `package/action/Type`, each by its last name."""
    found = {}
    for need in needs:
        package, kind, name = need.split("/")
        remedy = f"install ros-$ROS_DISTRO-{package.replace('_', '-')} or take '{dialect}' out of {field}"
        try:
            module = import_module(f"{package}.{kind}")
        except ImportError as error:
            raise InputError(source, field, f"'{dialect}' needs the package {package}: {error}", remedy) from None
        if not hasattr(module, name):
            problem = f"'{dialect}' needs {need}, which the {package} of this ROS distribution does not have"
            raise InputError(source, field, problem, f"take '{dialect}' out of {field}")
        found[name] = getattr(module, name)
    return SimpleNamespace(**found)


def each(node: LifecycleAdapter, dialects: Sequence[Any]) -> Callable[[Any], None]:
    """One call that sends in every dialect; what fails in one is reported and does not keep the others from sending."""
    senders = [node.guarded(dialect.name, dialect.send) for dialect in dialects]

    def send(what: Any) -> None:
        for sender in senders:
            sender(what)

    return send


def distinct(found: Trajectory, overlap_m: float, first: int = 0) -> Int[np.ndarray, "kept"]:
    """Indices of the points from `first` on that are `overlap_m` or more apart; the last point is always one of them.

    Followers that measure along the path cannot take points that lie on each other, as those of a vehicle at rest do.
    """
    kept = [first]
    for i in range(first + 1, len(found.time_s)):
        step = found.position[i] - found.position[kept[-1]]
        if step @ step >= overlap_m * overlap_m:
            kept.append(i)
    last = len(found.time_s) - 1
    if kept[-1] != last:
        kept = [*kept[: max(len(kept) - 1, 1)], last]
    return np.array(kept, dtype=np.int64)


def speed_at(found: Trajectory, at_ns: int) -> float:
    """Speed of a trajectory at an instant, held before its beginning and after its end, m/s."""
    return float(np.interp((at_ns - found.stamp_ns) * 1e-9, found.time_s, found.speed))
