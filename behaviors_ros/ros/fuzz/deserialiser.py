"""The middleware's deserialiser in a process of its own: damaged bytes can corrupt its memory and bring it down.

What it takes comes back serialised anew, so that the process of the nodes only ever deserialises bytes that are whole.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from multiprocessing.connection import Connection

from rclpy.serialization import deserialize_message, serialize_message

from behaviors_ros.ros.graph import TOPICS

_REFUSED = b"refused "


class Deserialiser:
    """Tries damaged bytes of one topic's messages. `counts` says what came of them."""

    def __init__(self, topic: str, counts: Counter[str]) -> None:
        """Start the process."""
        self._topic, self._counts = topic, counts
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._child = context.Process(target=_serve, args=(self._topic, theirs), daemon=True)
        self._child.start()
        theirs.close()

    def whole(self, data: bytes, patience_s: float = 20.0) -> bytes | None:
        """The bytes of the message that the deserialiser reads out of `data`; None where it refuses, dies or hangs."""
        try:
            self._pipe.send_bytes(data)
            if self._pipe.poll(patience_s):
                found = self._pipe.recv_bytes()
                if not found.startswith(_REFUSED):
                    self._counts["bytes taken"] += 1
                    return found
                self._counts["bytes refused by the middleware"] += 1
                return None
        except (EOFError, OSError):
            pass
        self._counts["bytes that end the middleware's deserialiser"] += 1
        self.close()
        self._start()
        return None

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.join()
        self._pipe.close()


def _serve(topic: str, pipe: Connection) -> None:
    """In the child: its complaints go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    kind = TOPICS[topic].message()
    while True:
        try:
            data = pipe.recv_bytes()
        except EOFError:
            return
        try:
            pipe.send_bytes(serialize_message(deserialize_message(data, kind)))
        except (RuntimeError, ValueError, SystemError, MemoryError) as error:
            pipe.send_bytes(_REFUSED + type(error).__name__.encode())
