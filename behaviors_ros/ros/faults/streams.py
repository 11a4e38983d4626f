"""What can happen to the messages of a topic on their way: lost, late, twice, out of order, all at once, or changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.serialization import deserialize_message, serialize_message

from behaviors_ros.errors import InputError
from behaviors_ros.ros.faults.messages import CHANGES, Context, Truth

Send = Callable[[bytes], None]


class Stream:
    """A topic on its way to one reader: `take` gets every message, `tick` every step of simulated time."""

    def __init__(self, values: Mapping[str, Any], send: Send) -> None:
        self.values, self.send = values, send

    def take(self, data: bytes, now_s: float) -> None:
        """A message: by default it is lost."""

    def tick(self, now_s: float) -> None:
        """Time goes on."""

    def end(self) -> None:
        """The fault is over: what is still held is sent."""


class Drop(Stream):
    """Nothing comes through."""


class Delay(Stream):
    """Every message comes `by_s` later."""

    def __init__(self, values: Mapping[str, Any], send: Send) -> None:
        super().__init__(values, send)
        self.held: list[tuple[float, bytes]] = []

    def take(self, data: bytes, now_s: float) -> None:
        """Hold it."""
        self.held.append((now_s + float(self.values["by_s"]), data))

    def tick(self, now_s: float) -> None:
        """Send what is due."""
        while self.held and self.held[0][0] <= now_s:
            self.send(self.held.pop(0)[1])

    def end(self) -> None:
        """What is late stays late: it would be older than what comes now, and is sent."""
        for _, data in self.held:
            self.send(data)


class Duplicate(Stream):
    """Every message comes `copies` times."""

    def take(self, data: bytes, now_s: float) -> None:
        """Send it again and again."""
        for _ in range(int(self.values.get("copies", 2))):
            self.send(data)


class Reorder(Stream):
    """Of two messages the second comes first."""

    held: bytes | None = None

    def take(self, data: bytes, now_s: float) -> None:
        """Keep the first of a pair until the second was sent."""
        if self.held is None:
            self.held = data
            return
        self.send(data)
        self.send(self.held)
        self.held = None


class Burst(Stream):
    """Nothing for `gap_s`, then all of it at once, again and again."""

    def __init__(self, values: Mapping[str, Any], send: Send) -> None:
        super().__init__(values, send)
        self.held: list[bytes] = []
        self.due_s: float | None = None

    def take(self, data: bytes, now_s: float) -> None:
        """Hold it."""
        if self.due_s is None:
            self.due_s = now_s + float(self.values["gap_s"])
        self.held.append(data)

    def tick(self, now_s: float) -> None:
        """Send all when the gap is over."""
        if self.due_s is not None and now_s >= self.due_s:
            self.end()

    def end(self) -> None:
        """Send all."""
        for data in self.held:
            self.send(data)
        self.held, self.due_s = [], None


class Repeat(Stream):
    """The first message comes again in place of every later one, stamp and all."""

    first: bytes | None = None

    def take(self, data: bytes, now_s: float) -> None:
        """Send the first."""
        self.first = self.first or data
        self.send(self.first)


class Garbage(Stream):
    """Messages that carry nothing: the default of every field."""

    empty = b""

    def take(self, data: bytes, now_s: float) -> None:
        """Send an empty one."""
        self.send(self.empty)


STREAMS: dict[str, type[Stream]] = {
    "drop": Drop, "delay": Delay, "duplicate": Duplicate, "reorder": Reorder, "burst": Burst, "repeat": Repeat,
    "default": Garbage,
}  # fmt: skip


class Changed(Stream):
    """Every message, or each so-manieth, is changed by one of `messages.CHANGES`."""

    def __init__(self, fault: str, kind: type, every: int, truth: Truth, values: Mapping[str, Any], send: Send) -> None:
        super().__init__(values, send)
        self.change, self.kind, self.every, self.number = CHANGES[fault], kind, every, 0
        self.context = Context(truth)

    def take(self, data: bytes, now_s: float) -> None:
        """Change it, or let it through."""
        self.number += 1
        if self.number % self.every:
            self.send(data)
            return
        changed = self.change(deserialize_message(data, self.kind), self.values, self.context)
        if changed is not None:
            self.send(serialize_message(changed))


class Every(Stream):
    """A stream fault for each so-manieth message only."""

    def __init__(self, inner: Stream, every: int) -> None:
        super().__init__(inner.values, inner.send)
        self.inner, self.every, self.number = inner, every, 0

    def take(self, data: bytes, now_s: float) -> None:
        """To the fault, or through."""
        self.number += 1
        (self.send if self.number % self.every else lambda d: self.inner.take(d, now_s))(data)

    def tick(self, now_s: float) -> None:
        """Time goes on."""
        self.inner.tick(now_s)

    def end(self) -> None:
        """The fault is over."""
        self.inner.end()


def stream(fault: str, kind: type, every: int, truth: Truth, values: Mapping[str, Any], send: Send) -> Stream:
    """The fault of that name for messages of a class."""
    if fault in CHANGES:
        return Changed(fault, kind, every, truth, values, send)
    if fault not in STREAMS:
        known = ", ".join(sorted((*CHANGES, *STREAMS)))
        raise InputError("fault", "fault", f"'{fault}' is unknown for a topic", f"known: {known}")
    made = STREAMS[fault](values, send)
    if isinstance(made, Garbage):
        made.empty = serialize_message(kind())
    return made if every == 1 else Every(made, every)
