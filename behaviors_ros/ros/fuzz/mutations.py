"""Messages and bytes made wrong, reproducibly: fields, sizes, duplicates, stamps, and serialised bits."""

from __future__ import annotations

import array
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

NAN, INF = math.nan, math.inf
_FLOATS = (NAN, NAN, INF, -INF, 0.0, -0.0, 1e-310, 1e-30, -1.0, 1e3, -1e3, 1e6, -1e6, 1e9, 1e12, -1e12, 3.4e38, -3.4e38)
_DOUBLES = (*_FLOATS, 1e300, -1e300, 1.7e308)
_TEXTS = ("", "odom", "base_link", "map ", "\n", "ä" * 300, "x" * 20_000, "%s%n{0}", "../../etc", "0" * 32)
_COUNTS = ("num", "num_objects", "num_candidates")
_LIMITS = {
    "int8": (-(2**7), 2**7 - 1), "uint8": (0, 2**8 - 1), "octet": (0, 255), "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1), "int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1),
}  # fmt: skip
_CODES = {"b": "int8", "B": "uint8", "h": "int16", "H": "uint16", "i": "int32", "I": "uint32", "q": "int64"}


def mutated(message: Any, rng: random.Random, many: int = 10_000) -> None:
    """Make a message wrong in place: one to four fields, or all its sizes alike (rarely `many` entries)."""
    if rng.random() < 0.05 and resized(message, rng.choice((0, 0, 1, 2, 3, 65)) if rng.random() < 0.97 else many):
        return
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _mutate_fields(message, rng, many)


def _mutate_fields(message: Any, rng: random.Random, many: int) -> None:
    """Descend to one field by chance and change it."""
    fields = message.get_fields_and_field_types()
    name = rng.choice(list(fields))
    found, kind = getattr(message, name), fields[name]
    if hasattr(found, "get_fields_and_field_types"):
        _mutate_fields(found, rng, many)
    elif isinstance(found, np.ndarray):
        found[rng.randrange(len(found))] = rng.choice(_FLOATS)
    elif isinstance(found, (list, array.array)):
        setattr(message, name, _sequence(found, kind, rng, many))
    else:
        setattr(message, name, _scalar(found, kind, rng))


def _scalar(found: Any, kind: str, rng: random.Random) -> Any:
    if isinstance(found, bool):
        return not found
    if isinstance(found, float):
        near = found * rng.choice((-1.0, 2.0, 10.0, 1e4)) if math.isfinite(found) and abs(found) < 1e33 else 0.0
        return rng.choice((near, rng.choice(_DOUBLES if kind == "double" else _FLOATS)))
    if isinstance(found, int):
        low, high = _LIMITS.get(kind, (0, 127))
        wrong = (low, high, 0, 1, found + 1, found - 1, found * 2, rng.randint(low, high))
        return min(max(rng.choice(wrong), low), high)
    return rng.choice(_TEXTS) if isinstance(found, str) else found


def _sequence(found: Any, kind: str, rng: random.Random, many: int) -> Any:
    """A sequence with entries changed, gone, doubled, in another order, or of another number."""
    size = len(found)
    change = rng.randrange(10)
    if size and change < 6:
        for _ in range(rng.choice((1, 1, 3, size))):
            _entry(found, rng.randrange(size), kind, rng, many)
    elif change == 6:
        return found[: rng.randrange(size + 1)]
    elif change == 7:
        return found + found[: rng.randrange(size + 1)]
    elif change == 8 and size:
        width = rng.choice((1, 16))
        return found[:width] * (size // width) + found[:width][: size % width]
    elif size:
        return found[::-1] if rng.random() < 0.9 else (found * (many // size + 1))[:many]
    return found


def _entry(found: Any, at: int, kind: str, rng: random.Random, many: int) -> None:
    if isinstance(found, list) and hasattr(found[at], "get_fields_and_field_types"):
        _mutate_fields(found[at], rng, many)
    elif isinstance(found, array.array) and found.typecode in "fd":
        found[at] = rng.choice(_DOUBLES if found.typecode == "d" else _FLOATS)
    elif isinstance(found, array.array):
        found[at] = rng.randint(*_LIMITS[_CODES.get(found.typecode, "uint8")])
    else:
        found[at] = _scalar(found[at], kind, rng)


def resized(message: Any, number: int) -> bool:
    """Give a struct-of-arrays message `number` entries, by repeating those there are; False where it has no number."""
    fields = message.get_fields_and_field_types()
    count = next((name for name in _COUNTS if name in fields), None)
    before = getattr(message, count) if count else 0
    if not before or not count:
        return False
    setattr(message, count, number)
    for name in fields:
        found = getattr(message, name)
        if isinstance(found, (list, array.array)) and len(found) and len(found) % before == 0:
            width = len(found) // before
            setattr(message, name, (found * (number // before + 1))[: width * number])
    return True


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Bytes with bits flipped, words overwritten (sizes most of all), pieces gone, repeated or swapped."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if len(found) > 4:
            rng.choice(_DAMAGES)(found, rng)
    return bytes(found)


def _flip(found: bytearray, rng: random.Random) -> None:
    found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)


def _word(found: bytearray, rng: random.Random) -> None:
    at = rng.randrange(0, max(len(found) - 4, 1))
    at -= at % 4 if rng.random() < 0.8 else 0
    sizes = (0, 1, 2**31 - 1, 2**32 - 1, 10**6, 10**8, rng.randrange(2**32), rng.randrange(300))
    found[at : at + 4] = rng.choice(sizes).to_bytes(4, "little")


def _cut(found: bytearray, rng: random.Random) -> None:
    del found[rng.randrange(4, len(found)) :]


def _drop(found: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(found))
    del found[at : at + rng.choice((1, 4, 8, 64))]


def _repeat(found: bytearray, rng: random.Random) -> None:
    at, width = rng.randrange(len(found)), rng.choice((1, 4, 16, 256))
    found[at:at] = found[at : at + width] * rng.choice((1, 1, 20))


def _swap(found: bytearray, rng: random.Random) -> None:
    first, second = rng.randrange(len(found)), rng.randrange(len(found))
    found[first], found[second] = found[second], found[first]


_DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip,) * 6, *(_word,) * 3, _swap, _swap, _cut, _drop, _repeat,
)  # fmt: skip
